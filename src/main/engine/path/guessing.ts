/**
 * Guessing a port: how two visors get through where one router gives each conversation a port of its own and the other lets in nobody but whom it was sent to.
 *
 * WHAT IT IS. An easy router keeps one outer port for a socket whoever is written to; a hard one draws a new port for every other end. Plain punching (punching.ts) needs that one
 * of two ends is written to at a place that holds. Between an easy router with a strict filter and a hard one there is none: the hard side's port towards us is one that no relay has
 * seen. But it can be hit. The hard side, the *opener*, sends from many sockets to the one place where the other really is; each takes another port of its router, and each lets in that
 * place alone. The other side, the *prober*, sends from its one socket to ports of that router, one after the other. Whichever probe meets one of the open ports goes in, is answered by that
 * very socket, and the answer comes back because the prober has just written there. From then on that socket is a path of the session like any other.
 *
 * WHY IT WORKS. With N sockets among P ports M probes miss with the chance of product (P - N - i) / (P - i): 256 sockets and 1,024 probes of 64,512 ports hit in 98.3 % (notes on peers,
 * section 3; the birthday paradox). On average 251 probes are enough, which is five seconds. Routers that give ports out in a row or from a block make it a matter of a few probes
 * (prediction.ts). Two hard routers would have to hit each other at once, one pair in 2^32 a try: nothing is sent then, and the relay it is. pairing.ts says which is which.
 *
 * PACE. 50 probes a second, as HyperDHT sends them: routers and their guards against scans bear that, and 20 seconds is what a person may be asked to wait for a connection that lasts.
 * The prober begins a little later than the opener, since what comes before a port is open is spent in vain; no port is tried twice.
 *
 * BOUNDS. Nobody is to be flooded or scanned through us. Both sides belong to an accepted contact's session and have agreed inside it; the host is one literal public IPv4 address that
 * the contact has offered as its own reflexive one; a probe is 128 bytes and says nothing to anybody without the keys. What it costs others is at most 1,024 probes to one host an attempt, one
 * attempt at a time in the whole visor and a few an hour in vain (guess-budget.ts). The person can switch it off, and it is off where the address is hidden.
 *
 * This machine is the prober's side, and pure: it is told the time and says which port is probed now. guess-opener.ts is the other side; overlay/path-guessing.ts makes the two agree.
 */
import type { PortAllocation } from '../../../shared/network-report.ts';
import type { RandomBytes } from '../crypto.ts';
import { randomFraction } from '../random.ts';
import type { SocketAddress } from '../wire/types.ts';
import { portsUsable } from './classify-allocation.ts';
import { blockBeyondSeen, probesMaximum, sequenceStride } from './prediction.ts';

export const probeGapMs = 20;
/** Timers are late, by 16 ms on some systems: what should have gone out in that time may be made up for, and no more. */
const catchUpMs = 3 * probeGapMs;
/** Until the opener has most of its sockets: 256 of them are there after 0.7 s, and the first probes find a half. */
export const openingMs = 400;
/** After the last probe: an answer may be under way. */
export const lastAnswerMs = 2_000;
/** The ports below are never given out (classify-allocation.ts). */
const portFirst = 1_024;
const portLast = portFirst + portsUsable - 1;

export interface ProberOptions {
  /** Whose ports are probed. */
  readonly host: string;
  /** The last port of theirs that was seen. */
  readonly lastPort: number;
  readonly allocation: PortAllocation | undefined;
  readonly probes: number;
  readonly random: RandomBytes;
  readonly startMs: number;
}

export class GuessProber {
  readonly #host: string;
  readonly #ports: Iterator<number>;
  readonly #probes: number;
  #sent = 0;
  #nextMs: number;
  #endMs: number | undefined;

  constructor({ host, lastPort, allocation, probes, random, startMs }: ProberOptions) {
    this.#host = host;
    this.#probes = Math.min(probes, probesMaximum);
    this.#ports = portsOf(lastPort, allocation, random);
    this.#nextMs = startMs;
  }

  get sent(): number { return this.#sent; }

  /** All probes are out, and had time to be answered. */
  isOver(nowMs: number): boolean { return this.#endMs !== undefined && nowMs >= this.#endMs; }

  /** One that is due now. */
  pollProbe(nowMs: number): SocketAddress | undefined {
    if (this.#endMs !== undefined || nowMs < this.#nextMs) return undefined;
    const next = this.#sent < this.#probes ? this.#ports.next() : undefined;
    if (next === undefined || next.done === true) {
      this.#endMs = nowMs + lastAnswerMs;
      return undefined;
    }
    this.#sent += 1;
    this.#nextMs = Math.max(this.#nextMs, nowMs - catchUpMs) + probeGapMs;
    return { host: this.#host, port: next.value };
  }

  pollTimeout(): number { return this.#endMs ?? this.#nextMs; }
}

/** How long an attempt takes at most, from the agreement on. */
export const guessMs = (probes: number): number => openingMs + probes * probeGapMs + lastAnswerMs;

/** Each port at most once, the likeliest first. */
export function portsOf(lastPort: number, allocation: PortAllocation | undefined, random: RandomBytes): Iterator<number> {
  switch (allocation?.kind) {
    case 'sequential': return combOf(lastPort, allocation.delta);
    case 'block': {
      const { first, count } = allocation;
      // The ports seen are part of the block; where the rest of it lies is not known: as much before as behind.
      const beyond = Math.ceil((count * (blockBeyondSeen - 1)) / 2);
      return ranges(random, [[first, first + count - 1]], [[first - beyond, first - 1], [first + count, first + count + beyond - 1]]);
    }
    case 'preserving': case 'random': case undefined: return ranges(random, [[portFirst, portLast]]);
  }
}

function* combOf(lastPort: number, delta: number): Generator<number> {
  const tried = new Set<number>();
  for (let step = 1; step <= portsUsable; step += 1) {
    const offset = (lastPort - portFirst + delta * sequenceStride * step) % portsUsable;
    const port = portFirst + (offset < 0 ? offset + portsUsable : offset);
    if (tried.has(port)) return;
    tried.add(port);
    yield port;
  }
}

type Range = readonly [first: number, last: number];

/** All of the first group at random, then all of the next. */
function* ranges(random: RandomBytes, ...groups: readonly (readonly Range[])[]): Generator<number> {
  for (const group of groups) {
    const parts = group.map(([first, last]): Range => [Math.max(first, 1), Math.min(last, portLast)]).filter(([first, last]) => first <= last);
    const total = parts.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    // The places that were changed in a shuffle of all: a thousand of 64,512 are looked at.
    const moved = new Map<number, number>();
    for (let index = 0; index < total; index += 1) {
      const drawn = index + Math.floor(randomFraction(random) * (total - index));
      const place = moved.get(drawn) ?? drawn;
      moved.set(drawn, moved.get(index) ?? index);
      moved.delete(index);
      const port = portAt(parts, place);
      if (port !== undefined) yield port;
    }
  }
}

function portAt(parts: readonly Range[], place: number): number | undefined {
  let left = place;
  for (const [first, last] of parts) {
    if (left <= last - first) return first + left;
    left -= last - first + 1;
  }
  return undefined;
}
