/** When a gateway is asked, and how often at most: every number is about being a good neighbour whatever the gateway answers. */
import { randomFraction } from '../../random.ts';
import type { RandomBytes } from '../../crypto.ts';
import type { RefusalReason } from './port-control-types.ts';

const secondMs = 1_000;
/** Of a report that somebody waits for: RFC 6886 section 3.1 begins so, RFC 6887 section 8.1.1 with 3 s, too slow for a neighbour one millisecond away. */
const hastyWaitsMs: readonly number[] = [250, 500, 1_000];
/** Of a renewal, for which there is time: RFC 6887 section 11.2.1 forbids less than 4 s, which the last one keeps between two rounds too. */
const calmWaitsMs: readonly number[] = [4_000, 8_000];
/** Of the deletion when we leave: nobody wants to wait, and what is lost expires. */
const leavingWaitsMs: readonly number[] = [250, 500];
export const settleMs = 2_000;
/** Asked for, in seconds: after a crash a mapping stays for as long, and with another nonce it cannot be had again. */
export const lifetimeWantedSeconds = 3_600;
/** Shorter ones are gone before anybody has used them, and would have to be renewed without end. RFC 6887 section 15 wants 120 of gateways. */
export const lifetimeMinimumSeconds = 30;
/** RFC 6887 section 15: against absurd promises. */
export const lifetimeMaximumSeconds = 86_400;
/** After silence, doubled up to the longest wait of RFC 6887 section 8.1.1. */
const silenceFirstMs = 256 * secondMs;
const silenceMaximumMs = 1_024 * secondMs;
/** RFC 6887 sections 7.4 and 15: how long an error may last. */
const refusalMinimumMs = 30 * secondMs;
const refusalMaximumMs = 1_800 * secondMs;
/** RFC 6887 section 8.1.1: RAND. */
const jitterShare = 0.1;
/** Between a round and one that unasked-for datagrams call for. */
export const noticeGapMs = 30_000;
/** ... and after that, so that not the whole house asks at once (RFC 6887 section 14.1.1). */
const noticeSpreadMs = 5_000;
/** Between rounds that our own host calls for. */
export const hostGapMs = 1_000;

export type Pace = 'hasty' | 'calm' | 'leaving';

/** After the sending with this number, from 0; undefined: it was the last. */
export function waitMs(pace: Pace, attempt: number): number | undefined {
  switch (pace) {
    case 'hasty': return hastyWaitsMs[attempt];
    case 'calm': return calmWaitsMs[attempt];
    case 'leaving': return leavingWaitsMs[attempt];
  }
}

function jittered(ms: number, random: RandomBytes): number {
  return ms * (1 - jitterShare + 2 * jitterShare * randomFraction(random));
}

/** @param rounds that met with silence, one after the other. */
export function silenceMs(rounds: number, random: RandomBytes): number {
  return jittered(Math.min(silenceFirstMs * 2 ** Math.min(rounds - 1, 10), silenceMaximumMs), random);
}

/** @param toldSeconds by the gateway, as PCP does. */
export function refusalMs(reason: RefusalReason, toldSeconds: number | undefined, random: RandomBytes): number {
  const passes = reason === 'no-resources' || reason === 'network-failure';
  const ms = toldSeconds === undefined ? (passes ? silenceFirstMs : refusalMaximumMs) : toldSeconds * secondMs;
  return jittered(Math.min(Math.max(ms, refusalMinimumMs), refusalMaximumMs), random);
}

/** Half of what is left, and up to an eighth more: at 1/2, 3/4, 7/8 of the life when renewals are lost (RFC 6887 section 11.2.1). */
export function renewalMs(leftMs: number, random: RandomBytes): number {
  return leftMs * (1 / 2 + randomFraction(random) / 8);
}

export const noticeDelayMs = (random: RandomBytes): number => noticeSpreadMs * randomFraction(random);
