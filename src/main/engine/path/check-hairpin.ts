/**
 * Whether two sockets here reach each other by their outer addresses. Both send, because the filter of each lets in only what it has sent to
 * itself; the first to send is heard from its second datagram on.
 */
import type { AddressFamily } from '../../../shared/network-report.ts';
import type { SocketAddress } from '../wire/types.ts';
import type { CheckEffect, SpareSocket } from './check-effects.ts';
import { retransmitAfterMs } from './check-probes.ts';
import type { HairpinTrial } from './types.ts';

/** To the own router or the carrier's and back takes some milliseconds; what takes longer than this, in ms, was lost. */
const patienceMs = 200;

export interface HairpinEnd {
  readonly socket: SpareSocket;
  /** Where relays saw it. */
  readonly seen: SocketAddress;
}

export class CheckHairpin {
  readonly #family: AddressFamily;
  readonly #ends: readonly [HairpinEnd, HairpinEnd];
  readonly #sentAtMs: number[] = [];
  #nextAtMs: number | undefined;
  #hasArrived = false;

  constructor(family: AddressFamily, ends: readonly [HairpinEnd, HairpinEnd], nowMs: number) {
    this.#family = family;
    this.#ends = ends;
    this.#nextAtMs = nowMs;
  }

  /** When to call `takeDue` again, or when silence has become final. */
  get nextAtMs(): number | undefined {
    if (this.#hasArrived) return undefined;
    const last = this.#sentAtMs.at(-1);
    return this.#nextAtMs ?? (last === undefined ? undefined : last + patienceMs);
  }

  isOpen(nowMs: number): boolean {
    const nextAtMs = this.nextAtMs;
    return nextAtMs !== undefined && (this.#nextAtMs !== undefined || nextAtMs > nowMs);
  }

  takeDue(nowMs: number): readonly CheckEffect[] {
    if (this.#nextAtMs === undefined || this.#nextAtMs > nowMs) return [];
    const pauseMs = retransmitAfterMs[this.#sentAtMs.length];
    this.#sentAtMs.push(nowMs);
    this.#nextAtMs = pauseMs === undefined ? undefined : nowMs + pauseMs;
    const [left, right] = this.#ends;
    return [{ kind: 'hairpin-probe', socket: left.socket, to: right.seen }, { kind: 'hairpin-probe', socket: right.socket, to: left.seen }];
  }

  arrived(at: SpareSocket): void {
    if (this.#sentAtMs.length === 0 || !this.#ends.some(({ socket }) => socket === at)) return;
    this.#hasArrived = true;
    this.#nextAtMs = undefined;
  }

  /** The very first datagram of all opens a filter and cannot count itself. */
  trial(nowMs: number): HairpinTrial {
    const rounds = this.#sentAtMs.filter((atMs) => atMs + patienceMs <= nowMs).length;
    return { family: this.#family, arrived: this.#hasArrived, timesSent: Math.max(0, 2 * rounds - 1) };
  }
}
