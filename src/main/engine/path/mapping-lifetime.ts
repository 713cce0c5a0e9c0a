/**
 * Learns how long the network keeps a silent conversation, by trying (`lifetime-trial.ts`): 30 s of silence, then twice as much while it is outlived, then between the
 * longest that was and the shortest that was not. One trial at a time, with a pause after each, begun only once the network has stayed the same for a while: in all some
 * ten packets a trial and seven trials at most, once a week for each network.
 *
 * What is known meanwhile counts at once, so that a visor which is ended goes on where it was. What was outlived is certain; what was not may have been an accident of the
 * router, and costs no more than keepalives that are more frequent than need be. Nothing that was not tried is ever told.
 */
import { CheckRelays } from './check-relays.ts';
import { familyOf } from './address-scope.ts';
import { KnownLifetimes, nothingTried, type LifetimeBounds } from './known-lifetimes.ts';
import { LifetimeTrial, type TrialResult } from './lifetime-trial.ts';
import type { AddressFamily } from '../../../shared/network-report.ts';
import type { Instant } from '../wire/types.ts';
import type { ObservationPort, PassNews, SpareSocket } from './observation-port.ts';

const valueKey = 'mapping-lifetimes';
/** From a complete check to the first trial, in ms: whoever is only passing through asks nothing. */
export const firstTrialAfterMs = 2 * 60_000;
/** From one trial to the next. */
export const betweenTrialsMs = 60_000;
/** After one that came to nothing, and after how many in a row nothing more is tried until the next check. */
const afterInconclusiveMs = 10 * 60_000;
const inconclusiveMaximum = 4;
/** Longer than it takes to learn: a router that is not to be relied upon costs a few packets a day. */
const afterContradictionMs = 12 * 3_600_000;
/** Where nothing is to be tried now: what was learned may be a week old by then, or another relay be there. */
const lookAgainMs = 6 * 3_600_000;
/** RFC 4787 REQ-5 wants two minutes at least; many give 30 s; and what is beyond eight minutes changes nothing for anybody. */
const firstSilenceMs = 30_000;
const silenceMinimumMs = 15_000;
const silenceMaximumMs = 480_000;
/** Near enough: the next trial would not change a keepalive by much. */
const nearEnough = 1.25;

/** The silence to try next; undefined: it is known well enough. */
export function nextSilenceMs({ outlivedMs, goneAfterMs }: LifetimeBounds): number | undefined {
  if (goneAfterMs === undefined) return outlivedMs === 0 ? firstSilenceMs : outlivedMs >= silenceMaximumMs ? undefined : Math.min(outlivedMs * 2, silenceMaximumMs);
  if (outlivedMs === 0) return goneAfterMs <= silenceMinimumMs ? undefined : Math.max(silenceMinimumMs, goneAfterMs / 2);
  return goneAfterMs / outlivedMs <= nearEnough ? undefined : Math.round(Math.sqrt(outlivedMs * goneAfterMs) / 1_000) * 1_000;
}

export class MappingLifetime {
  readonly #port: ObservationPort;
  readonly #known: KnownLifetimes;
  readonly #changed: (now: Instant) => void;
  /** As the last check saw it; undefined: not known yet. */
  #network: string | undefined;
  #nowWallMs = 0;
  #trial: LifetimeTrial | undefined;
  #nextAtMs: number | undefined;
  #inconclusive = 0;

  /** @param changed there is more to tell. */
  constructor(port: ObservationPort, changed: (now: Instant) => void) {
    this.#port = port;
    this.#known = new KnownLifetimes(port.recall(valueKey));
    this.#changed = changed;
  }

  /** What is known of the network that we are in; undefined: nothing was tried to the end. */
  of(family: AddressFamily): LifetimeBounds | undefined {
    const bounds = this.#network === undefined ? undefined : this.#known.of(keyOf(this.#network, family), this.#nowWallMs);
    return bounds === undefined || bounds.samples === 0 ? undefined : bounds;
  }

  /** A check ended. @param place where it saw us, in a form that can be compared */
  checked(place: string, now: Instant): void {
    const network = this.#port.digest(place);
    this.#nowWallMs = now.wallMs;
    if (network !== this.#network) {
      this.networkChanged();
      this.#network = network;
    }
    this.#inconclusive = 0;
    if (this.#trial === undefined) this.#nextAtMs ??= now.monotonicMs + firstTrialAfterMs;
  }

  /** What was learned is not so, or not so for every conversation: it is forgotten, and tried again when some time has passed. */
  contradicted(family: AddressFamily, now: Instant): void {
    if (this.#network === undefined || this.of(family) === undefined) return;
    this.#port.remember(valueKey, this.#known.put(keyOf(this.#network, family), nothingTried, now.wallMs));
    this.#trial?.drop();
    this.#trial = undefined;
    this.#nextAtMs = now.monotonicMs + afterContradictionMs;
    this.#changed(now);
  }

  networkChanged(): void {
    this.#network = undefined;
    this.#nextAtMs = undefined;
    this.#trial?.drop();
    this.#trial = undefined;
  }

  bound(socket: SpareSocket, port: number | undefined, now: Instant): void { this.#trial?.bound(socket, port, now); }
  passed(news: PassNews, now: Instant): void { this.#trial?.passed(news, now); }

  handleTimeout(now: Instant): void {
    this.#nowWallMs = now.wallMs;
    if (this.#nextAtMs !== undefined && now.monotonicMs >= this.#nextAtMs) {
      this.#nextAtMs = undefined;
      this.#begin(now);
    }
    this.#trial?.handleTimeout(now);
  }

  get nextAtMs(): number | undefined {
    const times = [this.#nextAtMs, this.#trial?.nextAtMs].filter((atMs) => atMs !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #begin(now: Instant): void {
    const network = this.#network;
    const givers = new Set(this.#port.passGivers());
    const outside = new Set(CheckRelays.observersOf(this.#port));
    for (const { relay, address } of this.#port.relays()) {
      if (network === undefined || address === undefined || !givers.has(relay) || !outside.has(relay)) continue;
      const key = keyOf(network, familyOf(address.host));
      const bounds = this.#known.of(key, now.wallMs) ?? nothingTried;
      const silenceMs = nextSilenceMs(bounds);
      if (silenceMs === undefined) continue;
      const trial = new LifetimeTrial(this.#port, relay, silenceMs, now, (result, at) => { this.#ended(key, bounds, silenceMs, result, at); });
      // One that is refused at once has ended already.
      if (trial.nextAtMs !== undefined) this.#trial = trial;
      return;
    }
    if (network !== undefined) this.#nextAtMs = now.monotonicMs + lookAgainMs;
  }

  #ended(key: string, bounds: LifetimeBounds, silenceMs: number, result: TrialResult, now: Instant): void {
    this.#trial = undefined;
    if (result === 'inconclusive') {
      this.#inconclusive += 1;
      if (this.#inconclusive < inconclusiveMaximum) this.#nextAtMs = now.monotonicMs + afterInconclusiveMs;
      return;
    }
    this.#inconclusive = 0;
    this.#nowWallMs = now.wallMs;
    const learned: LifetimeBounds = result === 'outlived' ? { ...bounds, outlivedMs: silenceMs, samples: bounds.samples + 1 } : { ...bounds, goneAfterMs: silenceMs, samples: bounds.samples + 1 };
    this.#port.remember(valueKey, this.#known.put(key, learned, now.wallMs));
    this.#nextAtMs = now.monotonicMs + betweenTrialsMs;
    this.#changed(now);
  }
}

/** Each family has a router's memory of its own: 32 digits all the same. */
const keyOf = (network: string, family: AddressFamily): string => `${family === 'ipv4' ? '4' : '6'}${network.slice(1)}`;
