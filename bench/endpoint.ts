/** A light client of the protocol for load: sessions and requests over a real UDP socket, as the host drives them, without storage or mail rules. */
import { bindUdp, freeDatagram, type UdpSocket } from '../src/main/host/udp.ts';
import { GatheredDatagrams } from '../src/main/host/gathered-datagrams.ts';
import { systemClock } from '../src/main/host/clock.ts';
import { chooseCrypto, createRandomBytes } from '../src/main/host/crypto.ts';
import { createDirected } from '../src/main/engine/directed/directed.ts';
import { createCertificate } from '../src/main/engine/wire/certificate.ts';
import { createSessions } from '../src/main/engine/session/sessions.ts';
import { datagramMaximumBytes } from '../src/main/engine/wire/frame.ts';
import { identityPublicKey } from '../src/main/engine/wire/identity.ts';
import { toHex } from '../src/main/engine/wire/bytes.ts';
import type { Directed, MemoryUse, RequestOutcome } from '../src/main/engine/directed/types.ts';
import type { KeyPair } from '../src/main/engine/crypto.ts';
import type { SessionId, Sessions } from '../src/main/engine/session/types.ts';
import type { DeviceCertificate, Instant, RelayHint, RequestBody } from '../src/main/engine/wire/types.ts';

export const { crypto } = chooseCrypto();
export const random = createRandomBytes();

export interface Person {
  readonly secret: Uint8Array;
  readonly publicKey: string;
  readonly deviceId: string;
  readonly staticKeys: KeyPair;
  readonly ed25519Seed: Uint8Array;
  readonly certificate: DeviceCertificate;
}

export function newPerson(): Person {
  const secret = random(32);
  const staticSecret = random(32);
  const ed25519Seed = random(32);
  const deviceId = toHex(random(16));
  const staticKeys = { secretKey: staticSecret, publicKey: crypto.x25519PublicKey(staticSecret) };
  const nowSeconds = Math.floor(Date.now() / 1000);
  const certificate = createCertificate({
    identitySecret: secret, deviceId, x25519: staticKeys.publicKey, ed25519: crypto.ed25519PublicKey(ed25519Seed),
    notBeforeSeconds: nowSeconds - 3_600, notAfterSeconds: nowSeconds + 86_400,
  });
  return { secret, publicKey: identityPublicKey(secret), deviceId, staticKeys, ed25519Seed, certificate };
}

export class Endpoint {
  readonly sessions: Sessions;
  readonly directed: Directed;
  readonly person: Person;
  #socket: UdpSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = 0;
  readonly #gathered = new GatheredDatagrams(() => { this.#drain(); });
  readonly #established = new Map<SessionId, () => void>();

  /** @param listening takes sessions that others dial. */
  constructor(person: Person, { listening = false, datagramLimitBytes = datagramMaximumBytes }: { readonly listening?: boolean; readonly datagramLimitBytes?: number } = {}) {
    this.person = person;
    this.sessions = createSessions({
      crypto, random, staticKeys: person.staticKeys, certificate: person.certificate.bytes, capabilities: ['waypost/1'], bootId: random(8), resetSecret: random(32), listening,
    });
    this.directed = createDirected({
      send: (sessionId, frame, now) => this.sessions.send(sessionId, frame, now),
      frameRoom: (sizeBytes) => this.sessions.frameRoom(sizeBytes),
      smoothedRoundTripMs: (sessionId) => this.sessions.view(sessionId)?.smoothedRoundTripMs,
      datagramLimitBytes: () => datagramLimitBytes,
    }, crypto, random);
  }

  /** Of the open socket. */
  get port(): number { return this.#socket?.address.port ?? 0; }

  /** What others dial it by, once it is open. */
  get hint(): RelayHint { return { publicKey: this.person.publicKey, host: this.#socket?.address.host ?? '', port: this.port }; }

  async open(host = '127.0.0.1'): Promise<void> {
    this.#socket = await bindUdp({
      host, port: 0, onBroken: (reason) => { throw new Error(`the UDP socket broke: ${reason}`); },
      onDatagram: (from, datagram) => {
        this.sessions.handleDatagram(from, datagram, systemClock.now());
        const use = this.#takeOutputs();
        if (use === 'until-flush') {
          this.#gathered.add(datagram);
          return;
        }
        this.#drain();
        if (use === 'none') freeDatagram(datagram);
      },
    });
  }

  dial(relay: RelayHint, anonymous: boolean): Promise<SessionId> {
    return new Promise((resolve) => {
      const id = this.sessions.dial({ address: { host: relay.host, port: relay.port }, identity: relay.publicKey, remoteStatic: undefined, anonymous }, systemClock.now());
      this.#established.set(id, () => { resolve(id); });
      this.#drain();
    });
  }

  ask(sessionId: SessionId, body: RequestBody, deadlineMs = 30_000): Promise<RequestOutcome> {
    return new Promise((resolve) => {
      this.directed.request(sessionId, body, { deadlineMs, done: (outcome) => { resolve(outcome); } }, systemClock.now());
      this.#drain();
    });
  }

  /** Asks its parts for something, and sends what that leads to. */
  run(input: (now: Instant) => void): void {
    input(systemClock.now());
    this.#drain();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#socket?.close();
  }

  #drain(): void {
    this.#takeOutputs();
    this.directed.flush(systemClock.now());
    this.#takeOutputs();
    this.#gathered.free();
    this.#setTimer();
  }

  /** What is still used of the frame that was among it. */
  #takeOutputs(): MemoryUse {
    let use: MemoryUse = 'kept';
    for (let output = this.sessions.pollOutput(); output !== undefined; output = this.sessions.pollOutput()) {
      switch (output.kind) {
        case 'transmit': if (this.#socket?.send(output.to, output.datagram) === true) this.sessions.recycle(output.datagram); break;
        case 'frame': use = this.directed.handleFrame(output.sessionId, output.frame, systemClock.now()); break;
        case 'established': this.#established.get(output.session.id)?.(); this.#established.delete(output.session.id); break;
        case 'closed': this.directed.sessionLost(output.sessionId, systemClock.now()); break;
        default: break;
      }
    }
    return use;
  }

  /** Set anew only when it would come too late: deadlines move with every datagram, and a timer that comes too early does no harm. */
  #setTimer(): void {
    const atMs = Math.min(this.sessions.pollTimeout()?.atMs ?? Infinity, this.directed.pollTimeout()?.atMs ?? Infinity);
    if (atMs === Infinity || (this.#timer !== undefined && this.#timerAtMs <= atMs)) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.run((now) => {
        this.sessions.handleTimeout(now);
        this.directed.handleTimeout(now);
      });
    }, Math.max(0, atMs - systemClock.now().monotonicMs));
  }
}

/** Throws when a set-up request was not answered: a benchmark must not measure a relay that refuses. */
export function answered(outcome: RequestOutcome): Uint8Array {
  const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
  if (payload === undefined) throw new Error(`a request of the benchmark was not answered: ${JSON.stringify(outcome)}`);
  return payload;
}
