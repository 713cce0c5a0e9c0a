/**
 * Knowing the network: one check of what is between this machine and everybody else.
 *
 * WHY. Whether two visors reach each other directly, and by what effort, depends on what their routers do with ports and with strangers, and
 * nobody tells. Who knows it does not try in vain, takes the relay at once where nothing else works, and can say why in a sentence.
 *
 * WHAT IS ASKED. Relays observe: each tells from where it saw a datagram of ours, and answers, when asked, from another of its ports or has another
 * relay answer. Each finding rests on a comparison of such answers:
 *
 * - *mapping*: the main socket asks the first and the second port of up to three relays at once. The same outer port everywhere, another one for
 *   each address, or another one for each port.
 * - *filtering*: two spare sockets ask one relay each and no one else, then for answers from elsewhere. What comes in shows how open the router is.
 *   That something does not come in counts only where the relay has shown to the main socket that it sends it.
 * - *port allocation*: eight spare sockets are opened one after the other, and their outer ports in order show the pattern.
 * - *hairpin*: the last two of them send to each other's outer addresses.
 * - *double NAT*: the router's own word about its outer address, by PCP or NAT-PMP, against what relays see.
 * - *UDP blocked, captive portal*: where nothing came over UDP in half a second, TCP and a page are tried; only what answers there tells a
 *   blocked protocol from no network.
 * - Mapping lifetime and path MTU take minutes and are learned elsewhere; they are passed on here.
 *
 * WHAT IS NEVER DONE. Nothing is told as a no because one datagram was lost: `evidence.ts` counts how often datagrams get lost, and a silence
 * that loss might explain is "not checked". Nothing is told before it was asked: `report` may be read at any time.
 *
 * WHAT A CALLER DOES. After `new` and after every `handle...` it takes effects with `pollEffect` until there are none, and calls `handleTimeout` when
 * the time of `pollTimeout` has come. Times are monotonic milliseconds of its own. Only authentic answers are handed in; those that belong to no
 * probe are ignored all the same. When the network changes, the caller drops the check and makes a new one: what was seen
 * before and after a change must not be compared. A port that the router opens for the main socket is such a change as well, but one that the
 * check sees itself: then the main socket asks anew.
 *
 * WHEN IT ENDS. When nothing is on its way any more; sooner, where everything that could still be asked for is known, for a silence that is proven is
 * not waited out; and at the latest after `checkMaximumMs`.
 *
 * HOW MUCH IS SENT. A probe is sent again after 100, 200, 400, 800 and 1,200 ms, six times at most; a whole check sends some 50 datagrams where none
 * is lost, never more than `datagramsMaximum`, and to no address of a relay more than `datagramsPerAddressMaximum`. The first report comes within
 * a second, the last within five. A relay that lies about what it saw can make the network look worse than it is; what it says
 * alone never makes a candidate with a sure port, unless it lies at two of its ports.
 */
import { addressFamilies, type AddressFamily, type NetworkReport, type NotCheckedReason } from '../../../shared/network-report.ts';
import type { SocketAddress } from '../wire/types.ts';
import { familyOf, isReachable, scopeOf } from './address-scope.ts';
import type { CheckEffect, SpareSocket } from './check-effects.ts';
import { FamilyCheck, sparesPerFamily } from './check-family.ts';
import { CheckProbes, type ProbeDatagram } from './check-probes.ts';
import { classify } from './classify.ts';
import type { CheckRelay, Evidence, Learned, Observation, PortControlResult, TcpProbeResult } from './types.ts';

/** The whole check, in ms (notes on peers, section 2). */
export const checkMaximumMs = 5_000;
/** The first useful set of candidates, in ms (notes on peers, section 3). */
export const firstReportMs = 1_000;
/** Without any answer over UDP for so long, in ms, other ways are tried. */
export const tcpAfterMs = 500;
const tcpProbesMaximum = 2;
const httpPort = 80;
/** Which waiting does not change. */
const settledReasons: ReadonlySet<NotCheckedReason> = new Set<NotCheckedReason>(['not-needed', 'hidden-by-router', 'no-second-port', 'no-other-relay']);

export interface CheckMachineOptions {
  readonly nowMs: number;
  /** In order of preference, each address family of a relay on its own. */
  readonly relays: readonly CheckRelay[];
  /** Addresses of the machine's interfaces. */
  readonly localHosts: readonly string[];
  /** The main socket's, of each family it is bound for. */
  readonly mainPorts: Readonly<Partial<Record<AddressFamily, number>>>;
  readonly learned?: Learned;
  /** Ends by then, in ms; undefined: `checkMaximumMs`. */
  readonly mostMs?: number;
}

export class CheckMachine {
  readonly #options: CheckMachineOptions;
  readonly #probes = new CheckProbes();
  readonly #families: readonly FamilyCheck[];
  readonly #effects: CheckEffect[] = [];
  readonly #tcp: TcpProbeResult[] = [];
  readonly #startedAtMs: number;
  readonly #endAtMs: number;
  #nowMs: number;
  #portControl: PortControlResult | 'asked' | undefined;
  #tcpProbes: Extract<CheckEffect, { kind: 'tcp-probe' }>[] | undefined;
  #hasReported = false;
  #isComplete = false;

  constructor(options: CheckMachineOptions) {
    this.#options = options;
    this.#startedAtMs = options.nowMs;
    this.#endAtMs = options.nowMs + Math.min(options.mostMs ?? checkMaximumMs, checkMaximumMs);
    this.#nowMs = options.nowMs;
    const emit = (effect: CheckEffect): void => { this.#effects.push(effect); };
    const mainPort = options.mainPorts.ipv4;
    const ipv4Hosts = options.localHosts.filter((host) => familyOf(host) === 'ipv4' && isReachable(host));
    if (mainPort !== undefined && ipv4Hosts.some((host) => scopeOf(host) !== 'public')) {
      this.#portControl = 'asked';
      emit({ kind: 'port-control', port: mainPort });
    }
    this.#families = addressFamilies.flatMap((family, index) => {
      const port = options.mainPorts[family];
      const relays = options.relays.filter(({ first }) => familyOf(first.host) === family);
      const hasAddress = options.localHosts.some((host) => familyOf(host) === family && isReachable(host));
      if (port === undefined || relays.length === 0 || !hasAddress) return [];
      return [new FamilyCheck({ family, relays, mainPort: port, localHosts: options.localHosts, spareFrom: index * sparesPerFamily, probes: this.#probes, emit }, options.nowMs)];
    });
    for (const { first, isOverTcp } of options.relays) if (isOverTcp === true) this.#tcp.push({ protocol: 'tcp', to: first, outcome: 'reached' });
    this.#advance(options.nowMs);
  }

  get isComplete(): boolean { return this.#isComplete; }
  /** Datagrams to relays so far. */
  get datagrams(): number { return this.#probes.datagrams; }

  pollEffect(): CheckEffect | undefined { return this.#effects.shift(); }

  /** When `handleTimeout` is to be called; undefined once complete. */
  pollTimeout(): number | undefined {
    if (this.#isComplete) return undefined;
    const times = [
      this.#endAtMs, this.#probes.nextAtMs, ...this.#families.map((family) => family.nextAtMs(this.#nowMs)),
      this.#hasReported ? undefined : this.#startedAtMs + firstReportMs, this.#tcpProbes === undefined ? this.#startedAtMs + tcpAfterMs : undefined, this.#probes.givenUpAtMs,
    ];
    return Math.min(...times.filter((time) => time !== undefined).filter((time) => time > this.#nowMs));
  }

  handleTimeout(nowMs: number): void { this.#advance(nowMs); }

  handleObservation(observation: Observation, nowMs: number): void {
    if (this.#isComplete || !isSensible(observation)) return;
    this.#advanceClock(nowMs);
    this.#probes.answered(observation, this.#nowMs);
    // Also after what was ignored: a deadline may have passed meanwhile.
    this.#advance(nowMs);
  }

  /** A probe that was handed out could not be sent: nobody takes its silence for an answer. */
  handleUnsent(datagram: ProbeDatagram, again: 'later' | 'never', nowMs: number): void {
    if (this.#isComplete) return;
    this.#probes.unsent(datagram, again);
    this.#advanceClock(nowMs);
  }

  handleSpareBound(socket: SpareSocket, port: number, nowMs: number): void { this.#spare(socket, port, nowMs); }

  handleSpareFailed(socket: SpareSocket, nowMs: number): void { this.#spare(socket, undefined, nowMs); }

  /** @param at where the datagram of another spare socket arrived. */
  handleHairpin(at: SpareSocket, nowMs: number): void {
    if (this.#isComplete) return;
    for (const family of this.#families) family.hairpinArrived(at);
    this.#advance(nowMs);
  }

  /** @param result undefined: nobody could be asked. */
  handlePortControl(result: PortControlResult | undefined, nowMs: number): void {
    if (this.#isComplete || this.#portControl !== 'asked') return;
    this.#portControl = result;
    this.#advanceClock(nowMs);
    if (result?.outcome === 'mapped') for (const family of this.#families) if (family.family === 'ipv4') family.restartMain(this.#nowMs);
    this.#advance(nowMs);
  }

  /** A result that was not asked for is ignored, as is a second one. */
  handleTcp(result: TcpProbeResult, nowMs: number): void {
    const index = this.#tcpProbes?.findIndex(({ protocol, to }) => protocol === result.protocol && to.host === result.to.host && to.port === result.to.port) ?? -1;
    if (this.#isComplete || index < 0) return;
    this.#tcpProbes?.splice(index, 1);
    this.#tcp.push(result);
    this.#advance(nowMs);
  }

  report(): NetworkReport { return classify(this.#evidence()); }

  #evidence(): Evidence {
    return {
      localHosts: this.#options.localHosts,
      localPorts: [...this.#families.flatMap(({ localPorts }) => localPorts), ...this.#unchecked()],
      relays: this.#options.relays,
      observations: this.#probes.answers,
      silences: this.#probes.silences(this.#nowMs),
      hairpins: this.#families.flatMap((family) => family.hairpinTrials(this.#nowMs)),
      portControl: this.#portControl,
      tcp: this.#tcp,
      learned: this.#options.learned ?? {},
      isComplete: this.#isComplete,
    };
  }

  /** Of families that no relay can be asked about, the machine's own addresses are known all the same. */
  *#unchecked(): Iterable<Evidence['localPorts'][number]> {
    for (const family of addressFamilies) {
      const port = this.#options.mainPorts[family];
      if (port !== undefined && !this.#families.some((checked) => checked.family === family)) yield { socket: 'main', family, port };
    }
  }

  #spare(socket: SpareSocket, port: number | undefined, nowMs: number): void {
    if (this.#isComplete) return;
    if (this.#families.some((family) => family.spareBound(socket, port))) this.#advance(nowMs);
  }

  /** Time that runs backwards stands still. */
  #advanceClock(nowMs: number): void { this.#nowMs = Math.max(this.#nowMs, nowMs); }

  #advance(nowMs: number): void {
    this.#advanceClock(nowMs);
    if (this.#isComplete) return;
    if (this.#nowMs < this.#endAtMs) {
      for (const datagram of this.#probes.takeDue(this.#nowMs)) this.#effects.push({ kind: 'probe', ...datagram });
      for (const family of this.#families) family.advance(this.#nowMs);
      this.#tryTcp();
    }
    if (this.#isOver()) {
      this.#complete();
    } else if (!this.#hasReported && (this.#nowMs >= this.#startedAtMs + firstReportMs || this.report().candidates.some(({ kind, isPortSure }) => kind === 'reflexive' && isPortSure))) {
      this.#hasReported = true;
      this.#effects.push({ kind: 'report', stage: 'first', report: this.report() });
    }
  }

  #isOver(): boolean {
    if (this.#nowMs >= this.#endAtMs) return true;
    const isWaiting = this.#portControl === 'asked' || this.#tcpProbes === undefined || this.#tcpProbes.length > 0;
    return !isWaiting && (this.#isSettled() || this.#isAllOver());
  }

  #isAllOver(): boolean {
    return !this.#probes.isOpen(this.#nowMs) && this.#families.every((family) => !family.isOpen(this.#nowMs));
  }

  /** Nothing that is still on its way would change anything. */
  #isSettled(): boolean {
    if (!this.#families.every((family) => family.haveAllAnswered && !family.isOpening(this.#nowMs))) return false;
    const { families } = classify({ ...this.#evidence(), isComplete: true });
    return this.#families.every(({ family }) => {
      const { mapping, filtering, allocation, hairpin } = families[family];
      const hosts = new Set(this.#options.relays.filter(({ first }) => familyOf(first.host) === family).map(({ first }) => first.host));
      return [mapping, filtering, allocation, hairpin].every((fact) => fact.state === 'known' || settledReasons.has(fact.reason) || (fact.reason === 'too-few-relays' && hosts.size < 2));
    });
  }

  #complete(): void {
    this.#isComplete = true;
    this.#hasReported = true;
    for (const family of this.#families) for (const socket of family.boundSpares) this.#effects.push({ kind: 'release-spare', socket });
    this.#effects.push({ kind: 'report', stage: 'complete', report: this.report() });
  }

  #tryTcp(): void {
    if (this.#tcpProbes !== undefined) return;
    const silent = this.#families.filter(({ hasAnswers }) => !hasAnswers).map(({ family }) => family);
    if (silent.length > 0 && this.#nowMs < this.#startedAtMs + tcpAfterMs) return;
    const relays = silent.flatMap((family) => this.#options.relays.filter(({ first }) => familyOf(first.host) === family).slice(0, tcpProbesMaximum));
    const tcp = relays.flatMap(({ tcp: to }) => (to === undefined ? [] : [{ kind: 'tcp-probe', protocol: 'tcp', to } as const]));
    // A portal is in the way of everything: one page tells, and none is needed where anything came over UDP.
    const page: SocketAddress | undefined = silent.length === this.#families.length && relays[0] !== undefined ? { host: relays[0].first.host, port: httpPort } : undefined;
    this.#tcpProbes = [...tcp, ...(page === undefined ? [] : [{ kind: 'tcp-probe', protocol: 'http', to: page } as const])];
    this.#effects.push(...this.#tcpProbes);
  }
}

const portMaximum = 65_535;

/** What a relay says it saw comes from outside: an address of the family that was asked, with a port. */
function isSensible({ seen, asked }: Observation): boolean {
  return (scopeOf(seen.host) === 'loopback' || isReachable(seen.host)) && familyOf(seen.host) === familyOf(asked.host) && Number.isInteger(seen.port) && seen.port > 0 && seen.port <= portMaximum;
}
