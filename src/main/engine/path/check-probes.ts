/**
 * The probes of one check: which were sent when, when each is sent again, and which datagram an answer belongs to. Bounded: what goes beyond the
 * budget is never sent, and counts as not asked.
 */
import type { AddressFamily } from '../../../shared/network-report.ts';
import { sameAddress, type SocketAddress } from '../wire/types.ts';
import { familyOf } from './address-scope.ts';
import type { AnswerFrom, Observation, ProbeSocket, Silence } from './types.ts';

/** From one datagram of a probe to the next, in ms (notes on peers, section 2; the last is shorter, for there has to be time to wait for it); after the last no more follow. */
export const retransmitAfterMs: readonly number[] = [100, 200, 400, 800, 1_200];
/** Of a whole check, retransmissions included: what both families need where half of everything is lost. */
export const datagramsMaximum = 300;
/** To one address of a relay: filtering costs the most, two kinds on two sockets. */
export const datagramsPerAddressMaximum = 100;
/** A datagram without an answer for this long, in ms, or for so many of the longest round trips, is taken for lost. */
const patienceMs = 500;
const patienceRoundTrips = 4;
/** Where an answer's round trip began before the probe did by more than this, in ms, it belongs to an earlier one that was forgotten. */
const clockToleranceMs = 0.1;

export interface ProbeDatagram {
  readonly socket: ProbeSocket;
  readonly to: SocketAddress;
  readonly answerFrom: AnswerFrom;
}

interface Probe extends ProbeDatagram {
  readonly sentAtMs: number[];
  nextAtMs: number | undefined;
  answer: Observation | undefined;
}

export class CheckProbes {
  #probes: Probe[] = [];
  readonly #datagramsTo = new Map<string, number>();
  #datagrams = 0;
  #roundTripMaximumMs = 0;

  get datagrams(): number { return this.#datagrams; }

  get answers(): readonly Observation[] { return this.#probes.flatMap(({ answer }) => answer ?? []); }

  get nextAtMs(): number | undefined {
    const times = this.#probes.flatMap(({ nextAtMs }) => nextAtMs ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Whether anything is still on its way, or will be. */
  isOpen(nowMs: number): boolean { return this.#probes.some((probe) => this.#isOpen(probe, nowMs)); }

  /** When the last probe that is open now will be given up, if nothing comes. */
  get givenUpAtMs(): number {
    return Math.max(0, ...this.#probes.filter(({ answer }) => answer === undefined).map(({ sentAtMs }) => (sentAtMs.at(-1) ?? 0) + this.#patienceMs));
  }

  find(socket: ProbeSocket, to: SocketAddress, answerFrom: AnswerFrom): Observation | undefined {
    return this.#find(socket, to, answerFrom)?.answer;
  }

  /** Returns the datagram that is to be sent; undefined where the same probe exists or the budget is used up. */
  start(datagram: ProbeDatagram, nowMs: number): ProbeDatagram | undefined {
    if (this.#find(datagram.socket, datagram.to, datagram.answerFrom) !== undefined) return undefined;
    const probe: Probe = { ...datagram, sentAtMs: [], nextAtMs: undefined, answer: undefined };
    this.#probes.push(probe);
    return this.#send(probe, nowMs);
  }

  takeDue(nowMs: number): readonly ProbeDatagram[] {
    return this.#probes.filter(({ nextAtMs }) => nextAtMs !== undefined && nextAtMs <= nowMs).flatMap((probe) => this.#send(probe, nowMs) ?? []);
  }

  /** The datagram that was handed out last did not leave. `later`: it is tried again with the next one. */
  unsent({ socket, to, answerFrom }: ProbeDatagram, again: 'later' | 'never'): void {
    const probe = this.#find(socket, to, answerFrom);
    if (probe === undefined) return;
    probe.sentAtMs.pop();
    if (again === 'never') probe.nextAtMs = undefined;
  }

  /** No further datagrams; an answer that is on its way still counts. */
  abandon(socket: ProbeSocket): void {
    for (const probe of this.#probes) if (probe.socket === socket) probe.nextAtMs = undefined;
  }

  /** As if never asked; answers that are on their way are ignored. */
  forget(socket: ProbeSocket, family: AddressFamily): void {
    this.#probes = this.#probes.filter((probe) => probe.socket !== socket || familyOf(probe.to.host) !== family);
  }

  /** False for what was never asked, was answered before, or did not come from where it should. */
  answered(observation: Observation, nowMs: number): boolean {
    const probe = this.#find(observation.socket, observation.asked, observation.answerFrom);
    if (probe === undefined || probe.answer !== undefined || !isFromWhereAsked(observation)) return false;
    const roundTripMs = Math.max(0, observation.roundTripMs);
    const sentAtMs = nowMs - roundTripMs;
    if (sentAtMs < (probe.sentAtMs[0] ?? nowMs) - clockToleranceMs) return false;
    // Timers and the host's own clock differ by a little; the datagram nearest to the time is meant.
    const distances = probe.sentAtMs.map((atMs) => Math.abs(atMs - sentAtMs));
    const timesSent = distances.indexOf(Math.min(...distances)) + 1;
    probe.answer = { ...observation, roundTripMs, timesSent };
    probe.nextAtMs = undefined;
    this.#roundTripMaximumMs = Math.max(this.#roundTripMaximumMs, Math.min(roundTripMs, nowMs - (probe.sentAtMs[0] ?? nowMs)));
    return true;
  }

  /** What has had no answer, as far as there was time for one. */
  silences(nowMs: number): readonly Silence[] {
    return this.#probes.flatMap((probe) => {
      const timesSent = probe.sentAtMs.filter((atMs) => atMs + this.#patienceMs <= nowMs).length;
      return probe.answer === undefined && timesSent > 0 ? [{ socket: probe.socket, asked: probe.to, answerFrom: probe.answerFrom, timesSent }] : [];
    });
  }

  get #patienceMs(): number { return Math.max(patienceMs, patienceRoundTrips * this.#roundTripMaximumMs); }

  #isOpen({ answer, nextAtMs, sentAtMs }: Probe, nowMs: number): boolean {
    if (answer !== undefined) return false;
    const last = sentAtMs.at(-1);
    return nextAtMs !== undefined || (last !== undefined && last + this.#patienceMs > nowMs);
  }

  #send(probe: Probe, nowMs: number): ProbeDatagram | undefined {
    const address = `${probe.to.host}|${String(probe.to.port)}`;
    const sentThere = this.#datagramsTo.get(address) ?? 0;
    probe.nextAtMs = undefined;
    if (this.#datagrams >= datagramsMaximum || sentThere >= datagramsPerAddressMaximum) return undefined;
    this.#datagrams += 1;
    this.#datagramsTo.set(address, sentThere + 1);
    const pauseMs = retransmitAfterMs[probe.sentAtMs.length];
    probe.sentAtMs.push(nowMs);
    if (pauseMs !== undefined) probe.nextAtMs = nowMs + pauseMs;
    return { socket: probe.socket, to: probe.to, answerFrom: probe.answerFrom };
  }

  #find(socket: ProbeSocket, to: SocketAddress, answerFrom: AnswerFrom): Probe | undefined {
    return this.#probes.find((probe) => probe.socket === socket && probe.answerFrom === answerFrom && sameAddress(probe.to, to));
  }
}

function isFromWhereAsked({ answerFrom, asked, from }: Observation): boolean {
  switch (answerFrom) {
    case 'asked': return sameAddress(asked, from);
    case 'other-port': return from.host === asked.host && from.port !== asked.port;
    case 'other-relay': return from.host !== asked.host;
  }
}
