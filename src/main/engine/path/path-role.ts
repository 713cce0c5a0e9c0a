/**
 * What an engine learns about the network that it is in, and what a relay does so that others learn it.
 *
 * A visor's packets reach others from an address that it does not know itself, and what others send reaches it or does not: both are decided by the NATs and
 * firewalls between. They are found out by asking (RFC 5780 names what there is to ask): from where does a packet of this socket come to
 * you, and does an answer from your other port, or from somebody else, reach me? STUN's answers can be made up by anybody who sees the
 * question, and its servers answer everybody. So here the question needs a *ticket*, given by a relay inside an authenticated session
 * (`ticket.ts`), and questions and answers are sealed under its key (`observe-codec.ts`). They travel outside of the session, because they
 * are asked from sockets that have none and answered from ports and machines that have none.
 *
 * `observer.ts` is the relay's side, `observing.ts` the visor's; `observation-port.ts` is how a check of the network uses that. This file
 * puts them into the engine: it tells whose a datagram is by its type and the socket that it came to, and counts.
 */
import { Observer } from './observer.ts';
import { Observing } from './observing.ts';
import { decodeObserve } from './observe-codec.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { Directed } from '../directed/types.ts';
import type { SessionId, SessionView } from '../session/types.ts';
import type { GuessSocket, Instant, SocketAddress } from '../wire/types.ts';
import type { CheckedNetwork, CreateNetworkCheck, EngineSocket, NetworkAnswer, NetworkCheck, NetworkRequest, OwnRelay, SpareSocket } from './observation-port.ts';
import type { ConnectedRelay } from './observing.ts';
import type { AddressFamily } from './types.ts';

export interface PathEnvironment {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly directed: Directed;
  /** Of a relay: it observes for others. */
  readonly relay: { readonly secondPort: number | undefined } | undefined;
  /** Of a visor that checks its network. */
  readonly createNetworkCheck: CreateNetworkCheck | undefined;
  addressOf(sessionId: SessionId): SocketAddress | undefined;
  connectedRelays(): Iterable<ConnectedRelay>;
  ownRelays(): Iterable<OwnRelay>;
  transmit(via: EngineSocket, to: SocketAddress, datagram: Uint8Array): void;
  bind(socket: SpareSocket): void;
  unbind(socket: SpareSocket): void;
  ask(request: NetworkRequest): void;
  /** The last report is another one. */
  reported(): void;
  isSparing(): boolean;
  recall(key: string): string | undefined;
  remember(key: string, value: string): void;
}

export class PathRole {
  readonly #observer: Observer | undefined;
  readonly #observing: Observing | undefined;
  readonly #check: NetworkCheck | undefined;
  readonly #counters = new Map<string, number>();

  constructor(environment: PathEnvironment, now: Instant) {
    const { crypto, random, directed, relay, createNetworkCheck } = environment;
    const count = (counter: string): void => { this.#count(counter); };
    if (relay !== undefined) {
      const observer = new Observer({ crypto, random, addressOf: (sessionId) => environment.addressOf(sessionId), transmit: (via, to, datagram) => { environment.transmit(via, to, datagram); }, count }, relay.secondPort);
      directed.handle('observe', (sessionId, _, answer, at) => { observer.ticketWanted(sessionId, answer, at); });
      this.#observer = observer;
    }
    if (createNetworkCheck !== undefined) {
      this.#observing = new Observing({
        crypto, random, request: (sessionId, body, options, at) => { directed.request(sessionId, body, options, at); }, relays: () => environment.connectedRelays(), ownRelays: () => environment.ownRelays(),
        transmit: (via, to, datagram) => { environment.transmit(via, to, datagram); }, bind: (socket) => { environment.bind(socket); }, unbind: (socket) => { environment.unbind(socket); },
        ask: (request) => { environment.ask(request); }, reported: () => { environment.reported(); }, count,
        isSparing: () => environment.isSparing(), recall: (key) => environment.recall(key), remember: (key, value) => { environment.remember(key, value); },
      });
      this.#check = createNetworkCheck(this.#observing, now);
      this.#observing.check = this.#check;
    }
  }

  /** Each with the prefix `observe.`. */
  get counters(): Iterable<readonly [string, number]> { return this.#counters; }

  handleDatagram(socket: Exclude<EngineSocket, GuessSocket>, from: SocketAddress, datagram: Uint8Array, now: Instant): void {
    const decoded = decodeObserve(datagram);
    if (decoded === undefined) { this.#count('drop.malformed'); return; }
    switch (decoded.type) {
      case 'probe': case 'request':
        // A socket that was bound to ask from answers nobody.
        if (this.#observer === undefined || (socket !== 'main' && socket !== 'second')) this.#count('drop.not-observing');
        else if (decoded.type === 'probe') this.#observer.probe(socket, from, decoded, now);
        else this.#observer.request(socket, from, decoded, now);
        return;
      case 'answer': case 'passed-answer':
        if (this.#observing === undefined || socket === 'second') this.#count('drop.unknown-probe');
        else this.#observing.answer(socket, from, decoded, now);
        return;
      case 'pass-answer':
        if (this.#observing === undefined || socket === 'second') this.#count('drop.unknown-probe');
        else this.#observing.passAnswer(socket, from, decoded, now);
        return;
      case 'mark':
        if (this.#observing === undefined || socket === 'second') this.#count('drop.unknown-mark');
        else this.#observing.markArrived(socket, decoded.nonce, now);
        return;
    }
  }

  /** Sessions live at the main socket: what comes for one elsewhere was not sent by anybody who has it. */
  strayDatagram(): void { this.#count('drop.wrong-socket'); }

  handleBound(socket: Exclude<EngineSocket, 'main' | GuessSocket>, port: number | undefined, now: Instant): void {
    if (socket !== 'second') this.#observing?.handleBound(socket, port, now);
    else if (this.#observer !== undefined) this.#observer.secondPort = port;
  }

  /** A new one, or with a side that started anew: it knows nothing of tickets that it gave before. */
  sessionBegan(session: SessionView, now: Instant): void {
    if (session.remoteCertificate !== undefined) this.#observing?.forgetTicket(session.remoteCertificate.identity);
    this.relaysChanged(now);
  }

  /** False: nobody checks here. */
  run(now: Instant, done: (checked: CheckedNetwork) => void): boolean {
    this.#check?.run(now, done);
    return this.#check !== undefined;
  }

  /** What was found out does not hold any more, it seems. */
  runAnew(now: Instant): void { this.#check?.runAnew?.(now); }

  get lastCheck(): CheckedNetwork | undefined { return this.#check?.last; }
  mappingLifetimeMs(family: AddressFamily): number | undefined { return this.#check?.mappingLifetimeMs?.(family); }
  /** It was shorter than was learned. */
  mappingForgotten(family: AddressFamily, now: Instant): void { this.#check?.mappingForgotten?.(family, now); }
  handleNetwork(answer: NetworkAnswer, now: Instant): void { this.#check?.answered(answer, now); }
  relaysChanged(now: Instant): void { this.#check?.relaysChanged(now); }
  networkChanged(now: Instant): void { this.#observing?.networkChanged(now); }
  handleTimeout(now: Instant): void { this.#check?.handleTimeout(now); }
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined { return this.#check?.pollTimeout(); }

  #count(counter: string): void {
    const name = `observe.${counter}`;
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + 1);
  }
}
