/**
 * Hitting a port that nobody has seen (notes on peers, section 3). One side opens N sockets, the other probes M ports: with P ports to choose
 * from, at least one is hit with the chance 1 - product over i < M of (P - N - i) / (P - i).
 *
 * A sequence is searched with a comb: N sockets opened in a row take N neighbouring ports, wherever the row begins, and probes that are half a row apart cannot miss it. So nobody
 * has to know how far the sequence has come since it was last looked at, only that it has not come farther than the comb is long.
 */
import type { PortAllocation } from '../../../shared/network-report.ts';
import { portsUsable } from './classify-allocation.ts';

/** Against random ports: 98.3 %, 20 s at 50 probes a second. */
export const socketsMaximum = 256;
export const probesMaximum = 1_024;
/** Of a block, sockets may take this part: the rest is the subscriber's, for everything else. */
const blockShare = 8;
/** A block is known by the ports seen, and is larger by about this factor: the range of 8 samples is on average 7/9 of it. */
export const blockBeyondSeen = 2;
/** A row of a sequence; others may take every second port of it meanwhile. */
const sequenceSockets = 64;
export const sequenceStride = sequenceSockets / 2;
/** So that the comb reaches over 16,384 steps of the sequence. */
const sequenceProbes = 512;

export interface Prediction {
  /** Sockets that the side opens whose ports are to be hit. */
  readonly sockets: number;
  /** Ports that the other side probes. */
  readonly probes: number;
  /** Undefined where it depends on what else uses the router: after a sequence. */
  readonly chance: number | undefined;
}

/** @param allocation of the side whose ports are to be hit; undefined: not known, taken for random, which is the hardest. */
export function predictionOf(allocation: PortAllocation | undefined): Prediction {
  switch (allocation?.kind) {
    case 'sequential': return { sockets: sequenceSockets, probes: sequenceProbes, chance: undefined };
    case 'block': {
      const ports = Math.min(portsUsable, blockBeyondSeen * allocation.count);
      const sockets = Math.max(1, Math.min(socketsMaximum, Math.floor(ports / blockShare)));
      const probes = Math.min(probesMaximum, ports - sockets);
      return { sockets, probes, chance: birthdayChance(ports, sockets, probes) };
    }
    // A router that keeps ports, but not towards a second place, gives any.
    case 'preserving':
    case 'random':
    case undefined: return { sockets: socketsMaximum, probes: probesMaximum, chance: birthdayChance(portsUsable, socketsMaximum, probesMaximum) };
  }
}

export function birthdayChance(ports: number, sockets: number, probes: number): number {
  let missed = 1;
  for (let index = 0; index < probes; index += 1) missed *= Math.max(0, ports - sockets - index) / Math.max(1, ports - index);
  return 1 - missed;
}
