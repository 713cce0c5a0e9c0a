/**
 * What happened on the way to one contact lately: round trips, with the kind of path that they took, changes of the path, and paths that failed. Bounded, and in memory only:
 * it is for people who look at how they are connected, and nothing is decided by it.
 */
import type { PeerPathProblem, PeerPathSwitch, PeerRoundTrip } from '../inspection-types.ts';
import type { Instant, SocketAddress } from '../wire/types.ts';
import type { PeerPath } from './peer-sessions.ts';

/** As many as a session keeps. */
export const roundTripsKept = 64;
export const switchesKept = 16;
export const problemsKept = 6;

export class PeerHistory {
  #roundTrips: PeerRoundTrip[] = [];
  #switches: (Omit<PeerPathSwitch, 'sample'> & { readonly number: number })[] = [];
  #problems: PeerPathProblem[] = [];
  /** Of all round trips, so that a switch knows between which two it was even when the first are forgotten. */
  #count = 0;
  #path: PeerPath | undefined;
  #heardWallMs: number | undefined;

  /** An echo came back or (undefined) was lost. */
  measured(roundTripMs: number | undefined): void {
    if (this.#path === undefined) return;
    this.#roundTrips = [...this.#roundTrips.slice(1 - roundTripsKept), { kind: this.#path.kind, roundTripMs }];
    this.#count += 1;
  }

  /** Something came from them. */
  heard(now: Instant): void { this.#heardWallMs = now.wallMs; }
  get heardWallMs(): number | undefined { return this.#heardWallMs; }

  /** What is sent goes this way from now on. */
  uses(path: PeerPath, now: Instant): void {
    const before = this.#path;
    this.#path = path;
    // Between two addresses of the same kind there is nothing to see.
    if (before !== undefined && before.kind === path.kind && before.relay === path.relay) return;
    this.#switches = [...this.#switches.slice(1 - switchesKept), { atWallMs: now.wallMs, from: before?.kind, to: path.kind, relay: path.relay, number: this.#count }];
  }

  /** The path in use is known to be a punched one now; that it works is known sooner. What is forgotten again with a change of the network was true all the same. */
  learned(kind: PeerPath['kind']): void {
    const before = this.#path;
    if (before?.kind !== 'direct' || kind !== 'punched') return;
    this.#path = { ...before, kind };
    const change = this.#switches.at(-1);
    const sinceNumber = change?.number ?? 0;
    const forgotten = this.#count - this.#roundTrips.length;
    this.#roundTrips = this.#roundTrips.map((one, index) => (index + forgotten < sinceNumber ? one : { ...one, kind }));
    if (change !== undefined) this.#switches = [...this.#switches.slice(0, -1), { ...change, to: kind }];
  }

  /** There is no way any more: the next one begins anew. */
  ended(): void { this.#path = undefined; }

  /** One of each address is kept, the last. */
  failed(path: PeerPath, address: SocketAddress | undefined, reason: PeerPathProblem['reason'], now: Instant): void {
    const others = this.#problems.filter((one) => one.kind !== path.kind || one.relay !== path.relay || one.address?.host !== address?.host || one.address?.port !== address?.port);
    this.#problems = [...others.slice(1 - problemsKept), { kind: path.kind, relay: path.relay, address, reason, atWallMs: now.wallMs }];
  }

  get roundTrips(): readonly PeerRoundTrip[] { return this.#roundTrips; }
  get problems(): readonly PeerPathProblem[] { return this.#problems; }

  /** `sample` counts in `roundTrips`. */
  get switches(): readonly PeerPathSwitch[] {
    const forgotten = this.#count - this.#roundTrips.length;
    return this.#switches.map(({ number, ...rest }) => {
      const sample = number - forgotten;
      return { ...rest, sample: sample >= 0 && sample < this.#roundTrips.length ? sample : undefined };
    });
  }
}
