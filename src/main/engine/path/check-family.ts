/**
 * One address family's part of a check: the main socket to all relays at once; then the spare sockets, one at a time, because the order of their
 * outer ports tells how the router gives them out; filtering from the first two as soon as each is open; hairpin between the last two.
 */
import type { AddressFamily } from '../../../shared/network-report.ts';
import type { SocketAddress } from '../wire/types.ts';
import type { CheckEffect, SpareSocket } from './check-effects.ts';
import { CheckHairpin } from './check-hairpin.ts';
import type { CheckProbes, ProbeDatagram } from './check-probes.ts';
import type { CheckRelay, HairpinTrial, Observation } from './types.ts';

/** Three observers tell one that is wrong; more would be impolite. */
export const relaysMaximum = 3;
/** Of each family: two for filtering, four more for the pattern of ports, two for hairpin, all of them samples of that pattern. */
export const sparesPerFamily = 8;
const filteringSpares = 2;
const hairpinSpares = 2;
/** Spare sockets wait, in ms, for the second relay's answer to the main one: it decides whom they ask. */
const settledAfterMs = 300;
/** The next spare socket's turn comes when this one has had no answer for so long, in ms: after four datagrams. */
const openingPatienceMs = 750;

interface Spare {
  readonly socket: SpareSocket;
  port: number | undefined;
  hasFailed: boolean;
  /** To whom it was opened, and since when. */
  opening: { readonly to: CheckRelay; readonly sinceMs: number } | undefined;
}

export interface FamilyCheckOptions {
  readonly family: AddressFamily;
  readonly relays: readonly CheckRelay[];
  readonly mainPort: number;
  readonly localHosts: readonly string[];
  /** Number of its first spare socket. */
  readonly spareFrom: number;
  readonly probes: CheckProbes;
  readonly emit: (effect: CheckEffect) => void;
}

export class FamilyCheck {
  readonly #options: FamilyCheckOptions;
  readonly #relays: readonly CheckRelay[];
  readonly #spares: readonly Spare[];
  readonly #startedAtMs: number;
  #wantedSpares = filteringSpares;
  #boundFor = 0;
  #hairpin: CheckHairpin | undefined;
  readonly #anchored: CheckRelay[] = [];

  constructor(options: FamilyCheckOptions, nowMs: number) {
    this.#options = options;
    this.#startedAtMs = nowMs;
    this.#relays = options.relays.slice(0, relaysMaximum);
    this.#spares = Array.from({ length: sparesPerFamily }, (_, index) => ({ socket: `spare-${options.spareFrom + index}`, port: undefined, hasFailed: false, opening: undefined }));
    this.#askMain(nowMs);
    this.#bindWanted();
  }

  get family(): AddressFamily { return this.#options.family; }
  get hasAnswers(): boolean { return this.#mainAnswers().length > 0; }
  get localPorts(): readonly { readonly socket: SpareSocket | 'main'; readonly family: AddressFamily; readonly port: number }[] {
    const { family, mainPort } = this.#options;
    return [{ socket: 'main', family, port: mainPort }, ...this.#spares.flatMap(({ socket, port }) => (port === undefined ? [] : [{ socket, family, port }]))];
  }
  get boundSpares(): readonly SpareSocket[] { return this.#spares.slice(0, this.#boundFor).filter(({ hasFailed }) => !hasFailed).map(({ socket }) => socket); }

  /** False: not one of this family's. */
  spareBound(socket: SpareSocket, port: number | undefined): boolean {
    const spare = this.#spares.slice(0, this.#boundFor).find((each) => each.socket === socket);
    if (spare === undefined || spare.port !== undefined) return false;
    spare.port = port;
    spare.hasFailed = port === undefined;
    return true;
  }

  /** The router opened a port for the main socket, which leaves by it from now on: what was seen before would look like a mapping that differs. */
  restartMain(nowMs: number): void {
    this.#options.probes.forget('main', this.family);
    this.#askMain(nowMs);
  }

  hairpinArrived(at: SpareSocket): void { this.#hairpin?.arrived(at); }

  hairpinTrials(nowMs: number): readonly HairpinTrial[] { return this.#hairpin === undefined ? [] : [this.#hairpin.trial(nowMs)]; }

  /** Whatever can be done now; after every input and at every deadline. */
  advance(nowMs: number): void {
    if (!this.hasAnswers) return;
    this.#wantSpares();
    this.#askMainElsewhere(nowMs);
    this.#openSpares(nowMs);
    for (const spare of this.#spares.slice(0, filteringSpares)) this.#filterAt(spare, nowMs);
    this.#turnHairpin(nowMs);
  }

  nextAtMs(nowMs: number): number | undefined {
    const current = this.#spares.find((spare) => this.#isWaiting(spare, nowMs));
    const times = [this.#hairpin?.nextAtMs, current?.opening === undefined ? undefined : current.opening.sinceMs + openingPatienceMs, this.hasAnswers ? this.#startedAtMs + settledAfterMs : undefined];
    const ahead = times.filter((time) => time !== undefined).filter((time) => time > nowMs);
    return ahead.length === 0 ? undefined : Math.min(...ahead);
  }

  /** Whether anything is still to come besides answers to probes that are out. */
  isOpen(nowMs: number): boolean {
    return this.hasAnswers && (this.isOpening(nowMs) || this.#hairpin?.isOpen(nowMs) === true);
  }

  /** Whether spare sockets are still to be opened, or wait for their first answer. */
  isOpening(nowMs: number): boolean {
    return this.#spares.slice(0, this.#wantedSpares).some((spare) => !spare.hasFailed && (spare.opening === undefined || this.#isWaiting(spare, nowMs)));
  }

  /** Whether each relay has answered the main socket at each of its ports. */
  get haveAllAnswered(): boolean {
    const { probes } = this.#options;
    return this.#relays.every(({ first, second }) => probes.find('main', first, 'asked') !== undefined && (second === undefined || probes.find('main', second, 'asked') !== undefined));
  }

  #askMain(nowMs: number): void {
    for (const { first, second } of this.#relays) {
      this.#probe({ socket: 'main', to: first, answerFrom: 'asked' }, nowMs);
      if (second !== undefined) this.#probe({ socket: 'main', to: second, answerFrom: 'asked' }, nowMs);
    }
  }

  #mainAnswers(): readonly Observation[] {
    return this.#relays.flatMap(({ first, second }) => [first, second].flatMap((to) => (to === undefined ? [] : this.#options.probes.find('main', to, 'asked') ?? [])));
  }

  /** Where nothing translates there is no pattern of ports and no hairpin: two spare sockets will do. */
  #wantSpares(): void {
    const { localHosts, mainPort } = this.#options;
    if (this.#mainAnswers().every(({ seen }) => localHosts.includes(seen.host) && seen.port === mainPort)) return;
    this.#wantedSpares = sparesPerFamily;
    this.#bindWanted();
  }

  #bindWanted(): void {
    for (const { socket } of this.#spares.slice(this.#boundFor, this.#wantedSpares)) this.#options.emit({ kind: 'bind-spare', socket, family: this.family });
    this.#boundFor = Math.max(this.#boundFor, this.#wantedSpares);
  }

  /** The relays that the spare sockets ask: the first two that answered. They stay the same, so that two spare sockets ask two relays. */
  #anchors(): readonly CheckRelay[] {
    for (const relay of this.#relays) if (this.#anchored.length < filteringSpares && !this.#anchored.includes(relay) && this.#hasAnswered(relay)) this.#anchored.push(relay);
    return this.#anchored;
  }

  #hasAnswered({ first }: CheckRelay): boolean { return this.#options.probes.find('main', first, 'asked') !== undefined; }

  /** Has each anchor show that it answers from elsewhere when asked: the main socket has been used towards all places it can come from. */
  #askMainElsewhere(nowMs: number): void {
    const anchors = this.#anchors().filter((relay) => this.#hasAnswered(relay));
    for (const { first, second, hasOtherRelay } of anchors) {
      const hasOpenedSecond = second !== undefined && this.#options.probes.find('main', second, 'asked') !== undefined;
      if (hasOpenedSecond) this.#probe({ socket: 'main', to: first, answerFrom: 'other-port' }, nowMs);
      if (hasOtherRelay && anchors.length > 1) this.#probe({ socket: 'main', to: first, answerFrom: 'other-relay' }, nowMs);
    }
  }

  #openSpares(nowMs: number): void {
    const anchors = this.#anchors();
    const isSettled = anchors.length >= filteringSpares || nowMs >= this.#startedAtMs + settledAfterMs;
    if (!isSettled || anchors.length === 0) return;
    for (const [index, spare] of this.#spares.slice(0, this.#wantedSpares).entries()) {
      if (spare.hasFailed) continue;
      if (spare.opening === undefined) {
        if (spare.port === undefined) return;
        const to = anchors[index < filteringSpares ? index % anchors.length : 0];
        if (to === undefined) return;
        spare.opening = { to, sinceMs: nowMs };
        this.#probe({ socket: spare.socket, to: to.first, answerFrom: 'asked' }, nowMs);
      }
      if (this.#isWaiting(spare, nowMs)) return;
      // A datagram that is sent again now could be the first that gets as far as the router, and its port would be out of order.
      if (this.#seen(spare) === undefined) this.#options.probes.abandon(spare.socket);
    }
  }

  #isWaiting(spare: Spare, nowMs: number): boolean {
    return spare.opening !== undefined && this.#seen(spare) === undefined && nowMs < spare.opening.sinceMs + openingPatienceMs;
  }

  #seen({ socket, opening }: Spare): SocketAddress | undefined {
    return opening === undefined ? undefined : this.#options.probes.find(socket, opening.to.first, 'asked')?.seen;
  }

  #filterAt(spare: Spare, nowMs: number): void {
    if (spare.opening === undefined || this.#seen(spare) === undefined) return;
    const { first, second, hasOtherRelay } = spare.opening.to;
    if (second !== undefined) this.#probe({ socket: spare.socket, to: first, answerFrom: 'other-port' }, nowMs);
    if (hasOtherRelay) this.#probe({ socket: spare.socket, to: first, answerFrom: 'other-relay' }, nowMs);
  }

  #turnHairpin(nowMs: number): void {
    if (this.#hairpin === undefined) {
      const areAllOpened = this.#wantedSpares === sparesPerFamily && this.#spares.every((spare) => spare.hasFailed || (spare.opening !== undefined && !this.#isWaiting(spare, nowMs)));
      if (!areAllOpened) return;
      const [left, right] = this.#spares.slice(-hairpinSpares).map((spare) => ({ socket: spare.socket, seen: this.#seen(spare) }));
      if (left?.seen === undefined || right?.seen === undefined) return;
      this.#hairpin = new CheckHairpin(this.family, [{ socket: left.socket, seen: left.seen }, { socket: right.socket, seen: right.seen }], nowMs);
    }
    for (const effect of this.#hairpin.takeDue(nowMs)) this.#options.emit(effect);
  }

  #probe(datagram: ProbeDatagram, nowMs: number): void {
    const sent = this.#options.probes.start(datagram, nowMs);
    if (sent !== undefined) this.#options.emit({ kind: 'probe', ...sent });
  }
}
