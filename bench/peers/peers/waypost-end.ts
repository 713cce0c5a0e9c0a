/** One side of Waypost in the benchmark: sessions and the request layer on a real UDP socket, as the host drives them, without storage or mail. */
import { crypto, random, type Person } from '../../endpoint.ts';
import { createDirected } from '../../../src/main/engine/directed/directed.ts';
import { createSessions } from '../../../src/main/engine/session/sessions.ts';
import { systemClock } from '../../../src/main/host/clock.ts';
import { bindUdp, freeDatagram, type UdpSocket } from '../../../src/main/host/udp.ts';
import type { Directed } from '../../../src/main/engine/directed/types.ts';
import type { SessionId, Sessions } from '../../../src/main/engine/session/types.ts';
import type { Instant, SocketAddress } from '../../../src/main/engine/wire/types.ts';

export class WaypostEnd {
  readonly directed: Directed;
  readonly #sessions: Sessions;
  readonly #established = new Map<SessionId, () => void>();
  #socket: UdpSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(person: Person, listening: boolean, datagramLimitBytes: number) {
    this.#sessions = createSessions({
      crypto, random, staticKeys: person.staticKeys, certificate: person.certificate.bytes, capabilities: ['waypost/1'], bootId: random(8), resetSecret: random(32), listening,
    });
    this.directed = createDirected({
      send: (sessionId, frame, now) => this.#sessions.send(sessionId, frame, now),
      frameRoom: (sizeBytes) => this.#sessions.frameRoom(sizeBytes),
      smoothedRoundTripMs: (sessionId) => this.#sessions.view(sessionId)?.smoothedRoundTripMs,
      datagramLimitBytes: () => datagramLimitBytes,
    }, crypto, random);
  }

  async open(host: string): Promise<SocketAddress> {
    this.#socket = await bindUdp({
      host, port: 0, onBroken: (reason) => { throw new Error(`the UDP socket broke: ${reason}`); },
      onDatagram: (from, datagram) => {
        if (this.run((now) => { this.#sessions.handleDatagram(from, datagram, now); })) freeDatagram(datagram);
      },
    });
    return this.#socket.address;
  }

  dial(address: SocketAddress, identity: string): Promise<SessionId> {
    return new Promise((resolve) => {
      this.run((now) => {
        const id = this.#sessions.dial({ address, identity, remoteStatic: undefined, anonymous: false }, now);
        this.#established.set(id, () => { resolve(id); });
      });
    });
  }

  /** Every input goes through here: afterwards what it led to is sent and the timer is set. Whether a frame was among it of which nothing is kept. */
  run(input: (now: Instant) => void): boolean {
    let isSpent = false;
    input(systemClock.now());
    for (let output = this.#sessions.pollOutput(); output !== undefined; output = this.#sessions.pollOutput()) {
      switch (output.kind) {
        case 'transmit': if (this.#socket?.send(output.to, output.datagram) === true) this.#sessions.recycle(output.datagram); break;
        case 'frame': isSpent = this.directed.handleFrame(output.sessionId, output.frame, systemClock.now()); break;
        case 'established': this.#established.get(output.session.id)?.(); this.#established.delete(output.session.id); break;
        case 'closed': this.directed.sessionLost(output.sessionId, systemClock.now()); break;
        case 'restarted': case 'measured': case 'moved': case 'silent': break;
      }
    }
    this.#setTimer();
    return isSpent;
  }

  /** Set anew only when it would come too late: deadlines move with every datagram, and a timer that comes too early does no harm. */
  #setTimer(): void {
    const dueAtMs = Math.min(this.#sessions.pollTimeout()?.atMs ?? Number.POSITIVE_INFINITY, this.directed.pollTimeout()?.atMs ?? Number.POSITIVE_INFINITY);
    if (dueAtMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = dueAtMs;
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.run((now) => {
        this.#sessions.handleTimeout(now);
        this.directed.handleTimeout(now);
      });
    }, Math.max(0, dueAtMs - systemClock.now().monotonicMs));
  }
}
