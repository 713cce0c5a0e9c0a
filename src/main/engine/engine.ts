/**
 * The engine: all protocol cores behind one deterministic surface. It is handed datagrams, commands, store results and time, and hands back
 * datagrams, store requests, replies and the next deadline. A visor, a relay and both at once are this same object with
 * other roles switched on; the real UDP host, the simulated world and the benchmarks drive it alike.
 *
 * Two rules hold it together. Store requests are answered in order, and what they made durable leaves the engine only afterwards: rows are changed
 * in memory at once, but replies, acknowledgements and announcements wait for the commit. And every input is followed by draining
 * the outputs, so that work which gathers (receipts, acknowledgements, signed batches) goes out together.
 */
import { earliestOf, type Due } from './deadlines.ts';
import { ensureDevice } from './mail/own-device.ts';
import type { CircuitRole } from './circuits/circuit-role.ts';
import { isCircuitAddress, isTunnelFrame } from './circuits/tunnel.ts';
import type { HostNames } from './overlay/host-names.ts';
import { isTcpAddress } from './wire/tcp-address.ts';
import { isObserveDatagram } from './path/observe-codec.ts';
import { lanAnnouncementType } from './wire/lan-announcement.ts';
import type { LanFacts } from './path/lan-network.ts';
import type { PathRole } from './path/path-role.ts';
import { distinct } from './engine-changes.ts';
import type { StoreRequests} from './store-requests.ts';
import { type StoreResult } from './store-requests.ts';
import { EngineInspector } from './inspection.ts';
import { runCommand } from './visor-commands.ts';
import type { RelayRole } from './relay-role.ts';
import type { VisorRole } from './visor-role.ts';
import { WaypostError } from '../../shared/errors.ts';
import type { Directed, MemoryUse } from './directed/types.ts';
import type { CreateEngine, Engine, EngineChange, EngineOutput, StartArguments } from './engine-types.ts';
import type { EngineCommand } from './command-types.ts';
import type { EngineInspection } from './inspection-types.ts';
import type { CheckedNetwork, EngineSocket, NetworkAnswer } from './path/observation-port.ts';
import { ownRelays } from './overlay/relays-to-ask.ts';
import type { RelayPathMtus } from './overlay/relay-path-mtus.ts';
import type { SessionOutput, Sessions } from './session/types.ts';
import { isGuessSocket, type GuessSocket, type Instant, type PublicKeyHex, type SocketAddress } from './wire/types.ts';
import type { VisorContext } from './visor-context.ts';
import { engineParts } from './engine-parts.ts';

/** A visor or relay that runs for years renews its certificate by itself; it is due once in ten months. */
const certificateCheckMs = 6 * 3_600_000;

export const createEngine: CreateEngine = (start) => new JoinedEngine(start);

class JoinedEngine implements Engine {
  readonly inspect: EngineInspection;
  readonly #outputs: EngineOutput[] = [];
  readonly #stores: StoreRequests;
  #changes: EngineChange[] = [];
  #now: Instant;
  /** Something was handled since the last flush. */
  #touched = true;
  readonly #sessions: Sessions;
  readonly #directed: Directed;
  readonly #context: VisorContext;
  readonly #visor: VisorRole | undefined;
  readonly #relay: RelayRole | undefined;
  readonly #paths: PathRole;
  readonly #circuits: CircuitRole;
  readonly #names: HostNames;
  readonly #pathMtus: RelayPathMtus;
  readonly #counters: ReadonlyMap<string, number>;
  #certificateCheckAtMs: number;
  /** Of the datagram that is being handled: it brings one frame at most. */
  #frameUse: MemoryUse = 'kept';

  constructor(start: StartArguments) {
    const { now } = start;
    this.#now = now;
    this.#certificateCheckAtMs = now.monotonicMs + certificateCheckMs;
    const parts = engineParts(start, {
      output: (output) => { this.#outputs.push(output); }, changed: (...changes) => { this.#changes.push(...changes); }, now: () => this.#now,
    });
    this.#context = parts.context;
    this.#sessions = parts.sessions;
    this.#directed = parts.directed;
    this.#stores = parts.stores;
    this.#names = parts.names;
    this.#visor = parts.visor;
    this.#relay = parts.relay;
    this.#paths = parts.paths;
    this.#circuits = parts.circuits;
    this.#pathMtus = parts.pathMtus;
    this.#counters = parts.counters;
    this.inspect = new EngineInspector(this.#context, this.#visor, this.#sessions, () => this.#now, () => this.#countersNow(), () => this.#relay?.isExpirySuspended ?? false, () => this.#told(this.#paths.lastCheck));
    this.#visor?.start(now);
  }

  handleDatagram(from: SocketAddress, datagram: Uint8Array, now: Instant, socket: EngineSocket = 'main'): MemoryUse {
    this.#begin(now);
    if (isGuessSocket(socket)) return this.#handleGuessed(socket, from, datagram, now);
    const isObserve = isObserveDatagram(datagram);
    if (isObserve || socket !== 'main') {
      // What is asked there is how UDP gets through.
      if (isObserve && !isTcpAddress(from)) this.#paths.handleDatagram(socket, from, datagram, now);
      else this.#paths.strayDatagram();
      this.#drainSessions();
      return 'none';
    }
    return this.#handleSessionDatagram(from, datagram, now);
  }

  #handleSessionDatagram(from: SocketAddress, datagram: Uint8Array, now: Instant): MemoryUse {
    this.#frameUse = 'kept';
    if (datagram[0] === lanAnnouncementType && this.#visor?.lan !== undefined) this.#visor.lan.handleDatagram(from, datagram, 'main', now);
    else this.#sessions.handleDatagram(from, datagram, now);
    this.#drainSessions();
    return this.#frameUse;
  }

  handleAnnouncement(from: SocketAddress, datagram: Uint8Array, now: Instant): void {
    this.#begin(now);
    this.#visor?.lan?.handleDatagram(from, datagram, 'group', now);
    this.#drainSessions();
  }

  handleLan(facts: LanFacts, now: Instant): void {
    this.#begin(now);
    this.#visor?.lan?.handleFacts(facts, now);
    this.#drainSessions();
  }

  /** A socket that was bound to guess ports hears the session that it was bound for, and nobody else. */
  #handleGuessed(socket: GuessSocket, from: SocketAddress, datagram: Uint8Array, now: Instant): MemoryUse {
    const address = this.#visor?.peers.guessing.addressAt(socket, from, datagram);
    if (address !== undefined) return this.#handleSessionDatagram(address, datagram, now);
    this.#paths.strayDatagram();
    this.#drainSessions();
    return 'none';
  }

  recycle(datagram: Uint8Array): void { this.#sessions.recycle(datagram); }

  handleStored(ticket: number, result: StoreResult, now: Instant): void {
    this.#begin(now);
    this.#stores.answered(ticket, result, now);
    this.#drainSessions();
  }

  handleResolved(ticket: number, hosts: readonly string[], now: Instant): void {
    this.#begin(now);
    this.#names.handleResolved(ticket, hosts, now);
    this.#drainSessions();
  }

  handleBound(socket: Exclude<EngineSocket, 'main'>, port: number | undefined, now: Instant): void {
    this.#begin(now);
    if (isGuessSocket(socket)) this.#visor?.peers.guessing.bound(socket, port, now);
    else this.#paths.handleBound(socket, port, now);
    this.#drainSessions();
  }

  handleNetwork(answer: NetworkAnswer, now: Instant): void {
    this.#begin(now);
    this.#paths.handleNetwork(answer, now);
    this.#drainSessions();
  }

  handleTimeout(now: Instant): void {
    this.#begin(now);
    this.#sessions.handleTimeout(now);
    this.#drainSessions();
    this.#directed.handleTimeout(now);
    if (now.monotonicMs >= this.#certificateCheckAtMs) this.#renewCertificate(now);
    this.#visor?.handleTimeout(now);
    this.#relay?.handleTimeout(now);
    this.#paths.handleTimeout(now);
    this.#circuits.handleTimeout(now);
    this.#drainSessions();
  }

  connectionLost(address: SocketAddress, now: Instant): void {
    this.#begin(now);
    this.#sessions.connectionLost(address, now);
    this.#drainSessions();
  }

  networkChanged(now: Instant, network?: string): void {
    this.#begin(now);
    if (network !== undefined) this.#context.udp?.enter(network);
    this.#sessions.networkChanged(now);
    // First: whoever needs to know more asks for it, and what was known is about another network.
    this.#paths.networkChanged(now);
    this.#pathMtus.forget();
    this.#visor?.networkChanged(now);
    this.#relay?.networkChanged(now);
    this.#drainSessions();
  }

  command(ticket: number, command: EngineCommand, now: Instant): void {
    this.#begin(now);
    const fail = (error: WaypostError): void => { this.#outputs.push({ kind: 'reply', ticket, reply: { ok: false, code: error.code, message: error.message } }); };
    if (this.#visor === undefined) {
      this.#outputs.push({ kind: 'reply', ticket, reply: { ok: false, code: 'refused', message: 'This is a relay only: it has no mail of its own.' } });
      return;
    }
    if (command.name === 'check-network') this.#checkNetwork(ticket, now, fail);
    else runCommand(this.#visor, command, now, (value) => { this.#outputs.push({ kind: 'reply', ticket, reply: { ok: true, value } }); }, fail);
    this.#drainSessions();
  }

  /** What a check found out, with what transfers did. */
  #told(checked: CheckedNetwork | undefined): CheckedNetwork | undefined { return this.#pathMtus.toldIn(checked, ownRelays(this.#visor?.links, this.#context.memory.relays)); }

  #checkNetwork(ticket: number, now: Instant, fail: (error: WaypostError) => void): void {
    const isChecked = this.#paths.run(now, (value) => { this.#outputs.push({ kind: 'reply', ticket, reply: { ok: true, value: this.#told(value) ?? value } }); });
    if (!isChecked) fail(new WaypostError('refused', 'This Waypost does not check its network.'));
  }

  confirmClock(now: Instant): void {
    this.#begin(now);
    this.#relay?.confirmClock(now);
  }

  setMembers(members: readonly PublicKeyHex[], now: Instant): void {
    this.#begin(now);
    this.#relay?.setMembers(members);
  }

  stop(now: Instant): void {
    this.#begin(now);
    // First, and sent: some of these go through sessions with relays.
    this.#visor?.peers.stop(now);
    this.#drainSessions();
    for (const link of this.#visor?.links.all ?? []) if (link.sessionId !== undefined) this.#sessions.close(link.sessionId, now);
    this.#relay?.stop(now);
    this.#drainSessions();
  }

  pollOutput(): EngineOutput | undefined {
    for (;;) {
      const output = this.#outputs.shift();
      if (output !== undefined) return output;
      if (this.#touched) {
        this.#touched = false;
        this.#directed.flush(this.#now);
        this.#visor?.flush(this.#now);
        this.#relay?.flush(this.#now);
        this.#drainSessions();
        continue;
      }
      if (this.#changes.length === 0) return undefined;
      const changes = this.#changes;
      this.#changes = [];
      return { kind: 'changed', changes: distinct(changes) };
    }
  }

  pollTimeout(): Due | undefined { return earliestOf(this.#timeouts()); }

  *#timeouts(): Iterable<Due | undefined> {
    yield { atMs: this.#certificateCheckAtMs, reason: 'certificate' };
    yield this.#sessions.pollTimeout();
    yield this.#directed.pollTimeout();
    yield* this.#relay?.timeouts() ?? [];
    yield* this.#visor?.timeouts() ?? [];
    yield this.#paths.pollTimeout();
    yield this.#circuits.pollTimeout();
  }

  #begin(now: Instant): void {
    this.#now = now;
    this.#touched = true;
  }

  /** Well before its end, so that nobody ever meets an expired one; a visor's next registration publishes it. */
  #renewCertificate(now: Instant): void {
    this.#certificateCheckAtMs = now.monotonicMs + certificateCheckMs;
    const { memory, crypto, random, identitySecret } = this.#context;
    // Our own clock must have been set far back: what it would date now is of no use to anybody.
    if (this.#context.device.certificate.notBeforeSeconds * 1000 > now.wallMs) return;
    const { changes } = ensureDevice(memory.device, crypto, random, identitySecret, now);
    if (changes.length > 0) this.#context.commit(changes);
  }

  #drainSessions(): void {
    for (let output = this.#sessions.pollOutput(); output !== undefined; output = this.#sessions.pollOutput()) this.#routeSession(output);
  }

  #routeSession(output: SessionOutput): void {
    switch (output.kind) {
      case 'transmit':
        if (isCircuitAddress(output.to)) {
          this.#visor?.peers.transmit(output.to, output.datagram, this.#now);
          this.#sessions.recycle(output.datagram);
        } else this.#outputs.push(output.to.socket === undefined ? output : { ...output, via: output.to.socket });
        return;
      case 'frame':
        if (isTunnelFrame(output.frame)) {
          const inner = this.#circuits.frame(output.sessionId, output.frame, this.#now);
          if (inner !== undefined) this.#sessions.handleDatagram(inner.from, inner.datagram, this.#now);
        } else this.#frameUse = this.#directed.handleFrame(output.sessionId, output.frame, this.#now);
        return;
      case 'closed':
        this.#directed.sessionLost(output.sessionId, this.#now);
        this.#relay?.handleSession(output, this.#now);
        this.#circuits.sessionClosed(output.sessionId, this.#now);
        this.#visor?.handleSession(output, this.#now);
        this.#paths.relaysChanged(this.#now);
        return;
      case 'restarted':
        this.#circuits.sessionClosed(output.session.id, this.#now);
        if (this.#visor?.handleSession(output, this.#now) !== true) this.#directed.sessionLost(output.session.id, this.#now);
        this.#relay?.handleSession(output, this.#now);
        this.#paths.sessionBegan(output.session, this.#now);
        return;
      case 'path':
        this.#visor?.handleSession(output, this.#now);
        return;
      case 'moved':
        this.#directed.pathChanged(output.sessionId, this.#now);
        this.#visor?.handleSession(output, this.#now);
        return;
      case 'established': case 'silent': case 'measured':
        this.#visor?.handleSession(output, this.#now);
        this.#relay?.handleSession(output, this.#now);
        if (output.kind === 'established') this.#paths.sessionBegan(output.session, this.#now);
        else if (output.kind === 'silent') this.#paths.relaysChanged(this.#now);
        return;
    }
  }

  #countersNow(): Readonly<Record<string, number>> {
    const counters: Record<string, number> = { ...Object.fromEntries(this.#counters) };
    for (const [reason, value] of Object.entries(this.#sessions.dropCounters)) counters[`session.drop.${reason}`] = value;
    for (const [reason, value] of Object.entries(this.#directed.dropCounters)) counters[`request.drop.${reason}`] = value;
    for (const [name, value] of this.#relay?.counters(this.#now) ?? []) counters[name] = value;
    for (const [name, value] of this.#paths.counters) counters[name] = value;
    return counters;
  }
}
