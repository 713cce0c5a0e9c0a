/**
 * The checks of one visor: when its network is checked, with which relays, and what came of it last.
 *
 * WHEN. At once when somebody asks, who shares a check that runs, and gets the last report where that is younger than half a minute: each check costs relays some tickets,
 * of which they give a session four a minute. At once and anew when a direct path has failed: perhaps the router is another one, or forgot everything, which nothing else tells. By itself soon after the first own relay is connected, and once more when another one is that was not asked yet, but not
 * oftener than every five minutes; and soon after the network changed. A check whose network changes under it is dropped and begun afresh; whoever waits for
 * it then waits for the new one, but never longer than `wholeMaximumMs` in all.
 *
 * HOW. A check gathers first: the machine's addresses, and a ticket from every own relay that is connected and observes (`check-relays.ts`). Relays that are not
 * connected yet get a moment. Once it is over, and the network stays, how long silent conversations are kept is learned over minutes (`mapping-lifetime.ts`). Then the check machine (`network-check.ts`) decides what is asked, and this does it by the observation port: probes, spare
 * sockets and marks. What only the host can do goes out as a request and comes back as an answer; one that never comes leaves "not checked".
 */
import { addressFamilies, valueOf, type AddressFamily, type NetworkReport } from '../../../shared/network-report.ts';
import { familyOf, isReachable } from './address-scope.ts';
import { candidatesMaximum } from './candidates.ts';
import { CheckRelays } from './check-relays.ts';
import { MappingLifetime } from './mapping-lifetime.ts';
import { CheckMachine } from './network-check.ts';
import { sameAddress, type Instant, type PublicKeyHex } from '../wire/types.ts';
import type { CheckEffect } from './check-effects.ts';
import type { CheckedNetwork, CreateNetworkCheck, NetworkAnswer, NetworkCheck, ObservationPort, PassNews, SpareSocket } from './observation-port.ts';
import type { Observation } from './types.ts';

/** From a command to its answer, in ms: somebody waits, and has to hear within five seconds, of which the start of a visor for the command alone takes one. */
export const wholeMaximumMs = 3_800;
/** Of it, for relays to be connected and to give tickets: while there is none, and once there is one. */
export const gatherMaximumMs = 1_000;
export const gatherMoreMs = 400;
/** From the first relay, or a change of the network, to a check that nobody asked for: short commands are over by then, and others have sent their letters. */
export const automaticAfterMs = 4_000;
export const automaticEveryMs = 5 * 60_000;
/** Where bytes are to be spared. */
export const automaticSparingEveryMs = 60 * 60_000;
/** A report that is younger is as good as a new one. */
export const repeatAfterMs = 30_000;

type Done = (checked: CheckedNetwork) => void;
type Interfaces = Extract<NetworkAnswer, { kind: 'interfaces' }>;

interface RunningCheck {
  /** Answers to an earlier one are told by it. */
  readonly id: number;
  readonly startedMs: number;
  readonly relays: CheckRelays;
  interfaces: Interfaces | undefined;
  machine: CheckMachine | undefined;
  /** The machine's names for sockets, and the port's. */
  readonly sockets: Map<SpareSocket, SpareSocket>;
}

export class NetworkChecks implements NetworkCheck {
  readonly #port: ObservationPort;
  #running: RunningCheck | undefined;
  #waiting: { readonly done: Done; readonly byMs: number }[] = [];
  #nextId = 1;
  #automaticAtMs: number | undefined;
  #last: CheckedNetwork | undefined;
  #lastMs = -Infinity;
  /** The relays of the last check of this network: another one may tell more. */
  #asked: ReadonlySet<PublicKeyHex> = new Set();

  readonly #lifetime: MappingLifetime;

  constructor(port: ObservationPort) {
    this.#port = port;
    this.#lifetime = new MappingLifetime(port, (now) => { this.#learned(now); });
  }

  get last(): CheckedNetwork | undefined { return this.#last; }
  get isRunning(): boolean { return this.#running !== undefined; }

  run(now: Instant, done: Done): void {
    if (this.#running === undefined && this.#last?.report.isComplete === true && now.monotonicMs - this.#lastMs < repeatAfterMs) {
      done(this.#last);
      return;
    }
    this.#waiting.push({ done, byMs: now.monotonicMs + wholeMaximumMs });
    if (this.#running === undefined) this.#begin(now);
  }

  /** What was found out does not hold any more, it seems, and neither does what a check has seen that runs: asked anew, however young it is. Until then the last report stands. */
  runAnew(now: Instant): void {
    this.#drop();
    this.#begin(now);
  }

  observed(observation: Observation, now: Instant): void {
    const check = this.#running;
    if (check === undefined) return;
    check.relays.heard(observation.asked);
    const socket = observation.socket === 'main' ? 'main' : nameOf(check.sockets, observation.socket);
    if (socket !== undefined) check.machine?.handleObservation({ ...observation, socket }, now.monotonicMs);
    this.#advance(now);
  }

  bound(socket: SpareSocket, port: number | undefined, now: Instant): void {
    this.#lifetime.bound(socket, port, now);
    const check = this.#running;
    const name = check === undefined ? undefined : nameOf(check.sockets, socket);
    if (check === undefined || name === undefined) return;
    if (port === undefined) {
      check.sockets.delete(name);
      check.machine?.handleSpareFailed(name, now.monotonicMs);
    } else check.machine?.handleSpareBound(name, port, now.monotonicMs);
    this.#advance(now);
  }

  marked(at: SpareSocket, now: Instant): void {
    const name = this.#running === undefined ? undefined : nameOf(this.#running.sockets, at);
    if (name !== undefined) this.#running?.machine?.handleHairpin(name, now.monotonicMs);
    this.#advance(now);
  }

  answered(answer: NetworkAnswer, now: Instant): void {
    const check = this.#running;
    if (check?.id !== answer.check) return;
    switch (answer.kind) {
      case 'interfaces': check.interfaces ??= answer; break;
      case 'port-control': check.machine?.handlePortControl(answer.result, now.monotonicMs); break;
      case 'tcp-probe': check.machine?.handleTcp(answer.result, now.monotonicMs); break;
    }
    this.#advance(now);
  }

  passed(news: PassNews, now: Instant): void { this.#lifetime.passed(news, now); }

  /** The longest silence that was outlived: what lies between it and the next that was not is nobody's to count on. */
  mappingLifetimeMs(family: AddressFamily): number | undefined { return this.#lifetime.of(family)?.outlivedMs; }

  mappingForgotten(family: AddressFamily, now: Instant): void { this.#lifetime.contradicted(family, now); }

  relaysChanged(now: Instant): void {
    if (this.#running !== undefined) {
      if (this.#running.machine === undefined) this.#running.relays.prepare(now, () => { this.#advance(now); });
      this.#advance(now);
    } else if (this.#automaticAtMs === undefined && CheckRelays.observersOf(this.#port).some((relay) => !this.#asked.has(relay))) {
      this.#automaticAtMs = Math.max(now.monotonicMs + automaticAfterMs, this.#last === undefined ? 0 : this.#lastMs + (this.#port.isSparing() ? automaticSparingEveryMs : automaticEveryMs));
    }
  }

  networkChanged(now: Instant): void {
    const { last } = this;
    // It is about another network.
    this.#last = undefined;
    this.#asked = new Set();
    this.#lifetime.networkChanged();
    if (last !== undefined) this.#port.reported();
    this.#automaticAtMs = now.monotonicMs + automaticAfterMs;
    this.#drop();
    if (this.#waiting.length > 0) this.#begin(now);
  }

  handleTimeout(now: Instant): void {
    if (this.#automaticAtMs !== undefined && now.monotonicMs >= this.#automaticAtMs) {
      this.#automaticAtMs = undefined;
      // Without a relay there is nothing to find out; the first that is connected calls for it again.
      if (this.#running === undefined && CheckRelays.observersOf(this.#port).length > 0) this.#begin(now);
    }
    this.#lifetime.handleTimeout(now);
    const { machine } = this.#running ?? {};
    const dueMs = machine?.pollTimeout();
    if (dueMs !== undefined && dueMs <= now.monotonicMs) machine?.handleTimeout(now.monotonicMs);
    this.#advance(now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const check = this.#running;
    const running = check === undefined ? undefined : check.machine === undefined ? this.#gatherUntilMs(check) : check.machine.pollTimeout();
    const times = [this.#automaticAtMs, running, this.#lifetime.nextAtMs, ...this.#waiting.map(({ byMs }) => byMs)].filter((atMs) => atMs !== undefined);
    return times.length === 0 ? undefined : { atMs: Math.min(...times), reason: 'network-check' };
  }

  // --- one check --------------------------------------------------------------------------------------------------------------

  #begin(now: Instant): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const check: RunningCheck = { id, startedMs: now.monotonicMs, relays: new CheckRelays(this.#port), interfaces: undefined, machine: undefined, sockets: new Map() };
    this.#running = check;
    this.#automaticAtMs = undefined;
    this.#port.ask({ kind: 'interfaces', check: id });
    check.relays.prepare(now, (at) => { if (this.#running === check) this.#advance(at); });
    this.#advance(now);
  }

  #gatherUntilMs({ startedMs, relays }: RunningCheck): number { return startedMs + (relays.hasReady ? gatherMoreMs : gatherMaximumMs); }

  /** After every input: on to the machine when enough is gathered, its effects done, its end told. */
  #advance(now: Instant): void {
    const check = this.#running;
    if (check !== undefined) {
      if (check.machine === undefined && ((check.interfaces !== undefined && check.relays.isSettled) || now.monotonicMs >= this.#gatherUntilMs(check))) this.#start(check, now);
      if (check.machine !== undefined) this.#perform(check, check.machine, now);
    }
    this.#tellLate(now);
  }

  #start(check: RunningCheck, now: Instant): void {
    check.machine = new CheckMachine({
      nowMs: now.monotonicMs, relays: check.relays.checkRelays(), localHosts: check.interfaces?.localHosts ?? [], mainPorts: check.interfaces?.mainPorts ?? {},
      // A little before those who wait are told what there is.
      mostMs: Math.max(1, check.startedMs + wholeMaximumMs - 100 - now.monotonicMs),
    });
  }

  #perform(check: RunningCheck, machine: CheckMachine, now: Instant): void {
    for (let effect = machine.pollEffect(); effect !== undefined; effect = machine.pollEffect()) {
      if (effect.kind === 'report') {
        this.#reported(check, effect, now);
        if (effect.stage === 'complete') { this.#end(check, now); return; }
      } else this.#do(check, machine, effect, now);
    }
  }

  #do(check: RunningCheck, machine: CheckMachine, effect: Exclude<CheckEffect, { kind: 'report' }>, now: Instant): void {
    switch (effect.kind) {
      case 'probe': {
        const socket = effect.socket === 'main' ? 'main' : check.sockets.get(effect.socket);
        const sent = socket === undefined ? 'never' : check.relays.send(socket, effect, now);
        if (sent !== 'sent') machine.handleUnsent(effect, sent, now.monotonicMs);
        return;
      }
      case 'hairpin-probe': {
        const socket = check.sockets.get(effect.socket);
        if (socket !== undefined) this.#port.mark(socket, effect.to, now);
        return;
      }
      case 'bind-spare': {
        const socket = this.#port.bindSpare();
        if (socket === undefined) machine.handleSpareFailed(effect.socket, now.monotonicMs);
        else check.sockets.set(effect.socket, socket);
        return;
      }
      case 'release-spare': {
        const socket = check.sockets.get(effect.socket);
        if (socket !== undefined) this.#port.unbindSpare(socket);
        check.sockets.delete(effect.socket);
        return;
      }
      case 'port-control': this.#port.ask({ kind: 'port-control', check: check.id, port: effect.port }); return;
      case 'tcp-probe': this.#port.ask({ kind: 'tcp-probe', check: check.id, protocol: effect.protocol, to: effect.to }); return;
    }
  }

  #reported(check: RunningCheck, { report, stage }: Extract<CheckEffect, { kind: 'report' }>, now: Instant): void {
    // What an earlier check of this network found out in full is worth more than the beginning of a new one.
    if (this.#last?.report.isComplete === true) {
      if (stage === 'first') { this.#movedTo(this.#last, report); return; }
      // Relays that give no more tickets so soon tell nothing: that is not to be the answer to where we are.
      if (!check.relays.hasReady && CheckRelays.observersOf(this.#port).length > 0) return;
    }
    if (stage === 'complete') this.#lifetime.checked(placeOf(check.interfaces?.localHosts ?? [], report), now);
    this.#last = { report: this.#withLearned({ ...report, relays: check.relays.roundTrips(report.relays) }), checkedWallMs: Math.round(now.wallMs) };
    this.#lastMs = now.monotonicMs;
    this.#port.reported();
  }

  /** Others have to hear at once where we are reached now, and what the router is like it still is, as far as is known. */
  #movedTo(last: CheckedNetwork, { candidates }: NetworkReport): void {
    const known = last.report.candidates;
    const moved = candidates.filter((each) => each.kind === 'reflexive' && each.isPortSure && !known.some((one) => sameAddress(one, each)));
    if (moved.length === 0) return;
    const stayed = known.filter(({ kind, family }) => kind !== 'reflexive' || !moved.some((each) => each.family === family));
    this.#last = { ...last, report: { ...last.report, candidates: [...stayed.slice(0, candidatesMaximum - moved.length), ...moved] } };
    this.#port.reported();
  }

  #learned(now: Instant): void {
    if (this.#last === undefined) return;
    this.#last = { ...this.#last, report: this.#withLearned(this.#last.report) };
    this.#port.reported();
    this.#advance(now);
  }

  #withLearned(report: NetworkReport): NetworkReport {
    const families = { ...report.families };
    for (const family of addressFamilies) {
      const bounds = this.#lifetime.of(family);
      if (bounds !== undefined) families[family] = { ...families[family], mappingLifetimeMs: { state: bounds.goneAfterMs === undefined ? 'at-least' : 'known', value: bounds.outlivedMs, samples: bounds.samples } };
    }
    return { ...report, families };
  }

  #end(check: RunningCheck, now: Instant): void {
    for (const socket of check.sockets.values()) this.#port.unbindSpare(socket);
    this.#running = undefined;
    this.#lastMs = now.monotonicMs;
    this.#asked = check.relays.asked;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { done } of waiting) if (this.#last !== undefined) done(this.#last);
  }

  #drop(): void {
    const check = this.#running;
    this.#running = undefined;
    for (const socket of check?.sockets.values() ?? []) this.#port.unbindSpare(socket);
  }

  /** Where the network changed again and again, whoever waits hears what there is: what was not found out by then says so. */
  #tellLate(now: Instant): void {
    const late = this.#waiting.filter(({ byMs }) => byMs <= now.monotonicMs);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ byMs }) => byMs > now.monotonicMs);
    const machine = this.#running?.machine ?? new CheckMachine({ nowMs: now.monotonicMs, relays: [], localHosts: [], mainPorts: {} });
    const checked: CheckedNetwork = { report: machine.report(), checkedWallMs: Math.round(now.wallMs) };
    for (const { done } of late) done(checked);
  }
}

const nameOf = (sockets: ReadonlyMap<SpareSocket, SpareSocket>, socket: SpareSocket): SpareSocket | undefined => [...sockets].find(([, one]) => one === socket)?.[0];

/** What tells one network from another: the machine's own networks, and the address by which it is seen from outside. */
function placeOf(localHosts: readonly string[], { families }: NetworkReport): string {
  const own = localHosts.filter((host) => familyOf(host) === 'ipv4' && isReachable(host)).map((host) => host.split('.').slice(0, 3).join('.'));
  return JSON.stringify([[...new Set(own)].sort(), valueOf(families.ipv4.publicHosts) ?? []]);
}

export const createNetworkChecks: CreateNetworkCheck = (port) => new NetworkChecks(port);
