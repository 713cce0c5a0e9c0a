/**
 * The relays of one check: tickets from all that are connected and observe, in time, and which of them a probe means. Relays on this machine or in its own network
 * see what is before the router, so they are not asked about it; how fast they answer is known from their sessions.
 */
import { known, notChecked, type RelayRoundTrip } from '../../../shared/network-report.ts';
import { sameAddress, type Instant, type PublicKeyHex, type SocketAddress } from '../wire/types.ts';
import { canonicalAddress } from '../wire/socket-address.ts';
import { familyOf, scopeOf } from './address-scope.ts';
import type { ProbeDatagram } from './check-probes.ts';
import type { ObservationPort, ObservingRelay, OwnRelay } from './observation-port.ts';
import type { CheckRelay, ProbeSocket } from './types.ts';

/** As many as a ticket has, or what the relay gives. */
const probesWanted = 24;
/** The next ticket is asked for while there are still so many: it takes a round trip, and probes do not wait. */
const probesLow = 10;
/** Of one relay in one check: they give a session four a minute. */
const ticketsMaximum = 3;

interface Prepared {
  readonly relay: PublicKeyHex;
  readonly first: SocketAddress;
  readonly second: SocketAddress | undefined;
  tickets: number;
  isAsking: boolean;
  /** It answered the main socket. */
  wasHeard: boolean;
}

export class CheckRelays {
  readonly #port: ObservationPort;
  readonly #ready = new Map<PublicKeyHex, Prepared>();
  /** What became of those that were asked for a ticket. */
  readonly #asked = new Map<PublicKeyHex, 'asking' | 'ready' | 'failed'>();

  constructor(port: ObservationPort) { this.#port = port; }

  /** Who is connected and can tell something. */
  static observersOf(port: ObservationPort): readonly PublicKeyHex[] {
    const observers = new Set(port.observers());
    return port.relays().filter(({ relay, address }) => observers.has(relay) && isOutside(address)).map(({ relay }) => relay);
  }

  /** Those that were asked for a ticket, whatever they said. */
  get asked(): ReadonlySet<PublicKeyHex> { return new Set(this.#asked.keys()); }

  get hasReady(): boolean { return this.#ready.size > 0; }

  /** Each own relay has given a ticket, or will not. */
  get isSettled(): boolean {
    const relays = this.#port.relays();
    const observers = new Set(this.#port.observers());
    return relays.every(({ relay, isConnected, address }) => {
      const asked = this.#asked.get(relay);
      return asked === undefined ? isConnected && (!observers.has(relay) || !isOutside(address)) : asked !== 'asking';
    });
  }

  /** `done` after each relay that gave a ticket or did not. */
  prepare(now: Instant, done: (now: Instant) => void): void {
    const observers = new Set(this.#port.observers());
    for (const { relay, address } of this.#port.relays()) {
      if (!observers.has(relay) || !isOutside(address) || this.#asked.has(relay)) continue;
      this.#asked.set(relay, 'asking');
      this.#port.prepare(relay, probesWanted, now, (outcome, at) => {
        if (outcome.kind === 'failed' && outcome.reason === 'network-changed') {
          // The question was one of the network before.
          this.#asked.delete(relay);
          this.prepare(at, done);
        } else this.#asked.set(relay, outcome.kind === 'ready' && this.#take(outcome.observer) ? 'ready' : 'failed');
        done(at);
      });
    }
  }

  /** For the check machine: those that are ready, best first, then those that nobody hears. */
  checkRelays(): readonly CheckRelay[] {
    const own = new Map(this.#port.relays().map((relay) => [relay.relay, relay]));
    const ready = [...this.#ready.values()].sort((left, right) => (own.get(left.relay)?.roundTripMs ?? Infinity) - (own.get(right.relay)?.roundTripMs ?? Infinity));
    const silent = [...own.values()].filter(({ relay, isConnected }) => !isConnected && !this.#ready.has(relay));
    return [
      ...ready.map((each): CheckRelay => ({
        relay: own.get(each.relay)?.name ?? each.relay, first: each.first, ...(each.second === undefined ? {} : { second: each.second }), hasOtherRelay: this.#otherOf(each) !== undefined,
        ...(own.get(each.relay)?.isOverTcp === true ? { isOverTcp: true } : {}),
      })),
      ...silent.flatMap(({ name, address }): readonly CheckRelay[] => {
        const first = address === undefined || !isOutside(address) ? undefined : canonicalAddress(address);
        return first === undefined ? [] : [{ relay: name, first, hasOtherRelay: false }];
      }),
    ];
  }

  /** An answer to a probe of that address came. */
  heard(asked: SocketAddress): void {
    const prepared = this.#at(asked)?.prepared;
    if (prepared !== undefined) prepared.wasHeard = true;
  }

  /** `later`: a ticket is on its way. */
  send(socket: ProbeSocket, { to, answerFrom }: ProbeDatagram, now: Instant): 'sent' | 'later' | 'never' {
    const at = this.#at(to);
    if (at === undefined) return 'never';
    const { prepared, port } = at;
    const other = answerFrom === 'other-relay' ? this.#otherOf(prepared) : undefined;
    const outcome = this.#port.probe({ socket, relay: prepared.relay, port, answerFrom, ...(other === undefined ? {} : { otherRelay: other.relay }) }, now);
    const isRefilling = [prepared, ...(other === undefined ? [] : [other])].map((each) => this.#refill(each, now)).includes(true);
    return outcome === 'sent' ? 'sent' : outcome === 'no-ticket' && isRefilling ? 'later' : 'never';
  }

  /** The machine's report, with those that it did not ask. */
  roundTrips(asked: readonly RelayRoundTrip[]): readonly RelayRoundTrip[] {
    const names = new Set(asked.map(({ relay }) => relay));
    const others = this.#port.relays().filter(({ name }) => !names.has(name));
    return [...asked, ...others.map(({ name, isConnected, roundTripMs }: OwnRelay): RelayRoundTrip => ({ relay: name, roundTripMs: !isConnected ? notChecked('no-answer') : roundTripMs === undefined ? notChecked('not-yet') : known(roundTripMs, 1) }))];
  }

  #take({ relay, address, secondAddress }: ObservingRelay): boolean {
    const first = canonicalAddress(address);
    if (first === undefined) return false;
    this.#ready.set(relay, { relay, first, second: secondAddress === undefined ? undefined : canonicalAddress(secondAddress), tickets: 1, isAsking: false, wasHeard: false });
    return true;
  }

  /** True: there is a ticket, or one is on its way. */
  #refill(prepared: Prepared, now: Instant): boolean {
    const left = this.#port.probesLeft(prepared.relay, now);
    if (left >= probesLow || prepared.isAsking) return true;
    if (prepared.tickets >= ticketsMaximum) return left > 0;
    prepared.isAsking = true;
    prepared.tickets += 1;
    this.#port.prepare(prepared.relay, probesLow, now, ({ kind }) => {
      prepared.isAsking = false;
      // Whoever refused once refuses again.
      if (kind === 'failed') prepared.tickets = ticketsMaximum;
    });
    return true;
  }

  #at(address: SocketAddress): { readonly prepared: Prepared; readonly port: 'main' | 'second' } | undefined {
    for (const prepared of this.#ready.values()) {
      if (sameAddress(prepared.first, address)) return { prepared, port: 'main' };
      if (prepared.second !== undefined && sameAddress(prepared.second, address)) return { prepared, port: 'second' };
    }
    return undefined;
  }

  /** Who answers on its behalf: a relay elsewhere of the same family; one that is known to answer before others. */
  #otherOf({ first }: Prepared): Prepared | undefined {
    const others = [...this.#ready.values()].filter((each) => each.first.host !== first.host && familyOf(each.first.host) === familyOf(first.host));
    return others.find(({ wasHeard }) => wasHeard) ?? others[0];
  }
}

/** Whether what it sees went through the router. */
function isOutside(address: SocketAddress | undefined): boolean {
  const scope = address === undefined ? 'none' : scopeOf(address.host);
  return scope === 'public' || scope === 'shared';
}
