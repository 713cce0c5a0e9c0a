/**
 * Measures how reliable each own relay is, with test letters to oneself (canary-letter.ts). Every ten minutes, or every hour when nothing else happens, one is
 * laid down at each and has to come back by the ordinary ways: doorbell, list, acknowledgement. What became of it goes to relay-reliability.ts.
 *
 * A relay is held to its word only where nothing else explains what is seen. `lost` and `withheld` need two whole looks into the mailbox, begun after the relay
 * had signed for the letter, that did not show it. `replayed` needs the relay's own word that the letter was taken, or that it
 * still has it long after. While our own session with the relay is interrupted, or this machine sleeps, nothing is concluded. A test letter that is not
 * remembered - this visor has crashed since - is taken and forgotten like any letter from oneself.
 */
import { Deadlines } from '../deadlines.ts';
import { randomFraction } from '../random.ts';
import { askCanary, canaryTtlSeconds, depositCanary, sealCanary, type CanaryDeposit, type CanaryLetter } from './canary-letter.ts';
import type { CanaryOutcome, RelayReliability } from './relay-reliability.ts';
import type { RelayLinks } from './relay-links.ts';
import type { OwnRecords } from '../mail/own-records.ts';
import type { DepositTokens } from '../mail/tokens.ts';
import type { RelayRow } from '../mail/visor-store.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';

/** Notes: peers, section 2. */
const intervalMs = 10 * 60_000;
/** A visor that only waits costs hardly more than its keepalives. */
const idleIntervalMs = 60 * 60_000;
const idleAfterMs = 60 * 60_000;
/** In use and idle, where bytes are to be spared: a relay that breaks its word is found out that much later. */
const sparingIntervalMs = 60 * 60_000;
const sparingIdleIntervalMs = 6 * 60 * 60_000;
/** Soon after a relay is there: whoever added it wants to know. */
const firstMs = 60_000;
/** Our tokens are not with the relay yet. */
const notReadyMs = 30_000;
/** When it has not come: the doorbell may have been lost. Two looks have ended before the last of these times. */
const looksAfterMs = [10_000, 60_000, 120_000] as const;
const lostAfterMs = 180_000;
const looksNeeded = 2;
/** When it has come: the acknowledgement has to arrive first, and may need another pass of the inbox. */
const askedAfterMs = [5_000, 60_000, 200_000] as const;
/** A list answer that was under way when the relay took the acknowledgement. */
const replayGraceMs = 60_000;
/** How long a letter that came back is known: relays forget them with their time to live. */
const rememberedMs = 2 * canaryTtlSeconds * 1_000;
/** A timer that comes this late: the machine slept. */
const sleptMs = 30_000;
/** A network that has just come back says nothing about a relay that is not there yet. */
const otherThereMs = 60_000;

/** Told to whoever asked for a test at once. */
export interface CanaryWatch {
  /** The relay signed for it. */
  left(now: Instant): void;
  refused(outcome: Exclude<CanaryDeposit, 'held'>, now: Instant): void;
  back(now: Instant): void;
}

interface Canary {
  readonly relay: PublicKeyHex;
  readonly letter: CanaryLetter;
  readonly watch: CanaryWatch | undefined;
  readonly sentWallMs: number;
  sentMs: number;
  stage: 'depositing' | 'held' | 'arrived' | 'taken' | 'over';
  /** Whole looks into the mailbox since the relay signed for it. */
  looks: number;
  /** Times that we have looked for it, or asked about it. */
  step: number;
  tookMs: number;
  wasWithheld: boolean;
  /** Its relay has said that it was taken: when. */
  takenMs: number;
}

export interface CanaryEvents {
  isRegistered(relay: PublicKeyHex): boolean;
  isRefused(relay: PublicKeyHex): boolean;
  /** It honours our own token. */
  knowsTokens(relay: PublicKeyHex): boolean;
  /** The own token is durable from now on: relays are to be told. */
  tokenGranted(token: Uint8Array, now: Instant): void;
  /** Look into the mailbox. */
  look(relay: PublicKeyHex, now: Instant): void;
  isRevoked(): boolean;
  /** By the person's wish, or on battery, tests are rarer. */
  isSparing(): boolean;
  /** Another order of relays may be right now. */
  standingChanged(now: Instant): void;
}

export class RelayCanaries {
  readonly #context: VisorContext;
  readonly #links: RelayLinks;
  readonly #records: OwnRecords;
  readonly #tokens: DepositTokens;
  readonly #reliability: RelayReliability;
  readonly #events: CanaryEvents;
  readonly #canaries = new Map<string, Canary>();
  readonly #registeredSince = new Map<PublicKeyHex, number>();
  readonly #deadlines = new Deadlines();
  #activeMs: number;

  constructor(context: VisorContext, links: RelayLinks, records: OwnRecords, tokens: DepositTokens, reliability: RelayReliability, events: CanaryEvents, now: Instant) {
    this.#context = context;
    this.#links = links;
    this.#records = records;
    this.#tokens = tokens;
    this.#reliability = reliability;
    this.#events = events;
    this.#activeMs = now.monotonicMs;
  }

  /** The set of own relays, at the start and whenever it changes. */
  relaysChanged(now: Instant): void {
    for (const row of this.#context.memory.relays.values()) if (isTested(row) && this.#deadlines.at(`next ${row.publicKey}`) === undefined) this.#plan(row.publicKey, this.#intervalMs(now), now);
  }

  registered(relay: PublicKeyHex, now: Instant): void {
    // Each hour it is registered again: that is no news.
    const isNews = !this.#registeredSince.has(relay);
    if (isNews) this.#registeredSince.set(relay, now.monotonicMs);
    if (!isTested(this.#context.memory.relays.get(relay))) return;
    const sinceLastMs = now.wallMs - (this.#reliability.lastAtMs(relay) ?? -Infinity);
    const dueMs = this.#deadlines.at(`next ${relay}`);
    // After a restart the last test counts still.
    if (dueMs === undefined || (isNews && sinceLastMs > (this.#events.isSparing() ? sparingIntervalMs : intervalMs) && dueMs > now.monotonicMs + 2 * firstMs)) this.#plan(relay, firstMs, now);
  }

  /** What is under way there cannot be judged any more. */
  linkDown(relay: PublicKeyHex, now: Instant): void {
    this.#registeredSince.delete(relay);
    for (const canary of this.#canaries.values()) if (canary.relay === relay) this.#interrupt(canary, now);
  }

  /** Something was sent or came: a visor in use measures more often. */
  active(now: Instant): void {
    const wasIdle = now.monotonicMs - this.#activeMs >= idleAfterMs;
    this.#activeMs = now.monotonicMs;
    if (!wasIdle) return;
    for (const row of this.#context.memory.relays.values()) {
      const dueMs = this.#deadlines.at(`next ${row.publicKey}`);
      const wantedMs = this.#intervalMs(now);
      if (dueMs !== undefined && dueMs > now.monotonicMs + wantedMs) this.#plan(row.publicKey, wantedMs, now);
    }
  }

  /** All that the relay showed of the mailbox has been taken. */
  drained(relay: PublicKeyHex): void {
    for (const canary of this.#canaries.values()) if (canary.relay === relay && canary.stage === 'held') canary.looks += 1;
  }

  /** A letter from oneself, opened and complete, from that relay. It is acknowledged in any case. */
  arrived(messageId: string, relay: PublicKeyHex, now: Instant): void {
    const canary = this.#canaries.get(messageId);
    if (canary?.relay !== relay) return;
    switch (canary.stage) {
      case 'depositing': case 'held':
        canary.wasWithheld = canary.looks >= looksNeeded;
        canary.tookMs = now.monotonicMs - canary.sentMs;
        canary.stage = 'arrived';
        canary.watch?.back(now);
        canary.step = 0;
        this.#deadlines.set(`step ${messageId}`, now.monotonicMs + askedAfterMs[0]);
        return;
      case 'taken':
        if (now.monotonicMs - canary.takenMs >= replayGraceMs) this.#settle(canary, 'replayed', now);
        return;
      case 'over':
        // It had been given up for lost.
        if (canary.wasWithheld) this.#settle(canary, 'withheld', now);
        return;
      case 'arrived': return;
    }
  }

  handleTimeout(now: Instant): void {
    for (let next = this.#deadlines.next(); next !== undefined && next.atMs <= now.monotonicMs; next = this.#deadlines.next()) {
      const lateMs = now.monotonicMs - next.atMs;
      const space = next.key.indexOf(' ');
      const id = next.key.slice(space + 1);
      this.#deadlines.clear(next.key);
      if (next.key.startsWith('next')) this.#due(id, lateMs, now);
      else if (next.key.startsWith('forget')) this.#canaries.delete(id);
      else this.#step(id, lateMs, now);
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: `test letter ${next.key.split(' ')[0] ?? ''}` };
  }

  // --- one after the other --------------------------------------------------------------------------------------------------

  #intervalMs(now: Instant): number {
    const isIdle = now.monotonicMs - this.#activeMs >= idleAfterMs;
    if (this.#events.isSparing()) return isIdle ? sparingIdleIntervalMs : sparingIntervalMs;
    return isIdle ? idleIntervalMs : intervalMs;
  }

  #plan(relay: PublicKeyHex, meanMs: number, now: Instant): void {
    this.#deadlines.set(`next ${relay}`, now.monotonicMs + meanMs * (0.8 + 0.4 * randomFraction(this.#context.random)));
  }

  #due(relay: PublicKeyHex, lateMs: number, now: Instant): void {
    const row = this.#context.memory.relays.get(relay);
    if (!isTested(row) || this.#events.isRevoked()) return;
    this.#plan(relay, this.#intervalMs(now), now);
    if (lateMs > sleptMs) { this.#plan(relay, firstMs, now); return; }
    if (this.#events.isRefused(relay)) { this.#record(relay, { atMs: wholeMs(now.wallMs), result: 'refused', tookMs: 0 }, now); return; }
    if (!this.#events.isRegistered(relay)) {
      // Nothing was laid down, but nothing can be: known only where it is not our own network that is down.
      // A friend's computer is off now and then, which is no fault of theirs.
      if (row.role !== 'friend' && this.#anotherIsThere(relay, now)) this.#record(relay, { atMs: wholeMs(now.wallMs), result: 'silent', tookMs: 0 }, now);
      return;
    }
    if (!this.#events.knowsTokens(relay)) { this.#plan(relay, notReadyMs, now); return; }
    const grant = this.#tokens.ownGranted();
    if (grant.length === 0) { this.#send(row, now); return; }
    this.#plan(relay, notReadyMs, now);
    this.#context.commit(grant, { done: (_applied, at) => { this.#events.tokenGranted(this.#tokens.own(), at); } });
  }

  #anotherIsThere(relay: PublicKeyHex, now: Instant): boolean {
    return [...this.#registeredSince].some(([other, sinceMs]) => other !== relay && this.#events.isRegistered(other) && now.monotonicMs - sinceMs >= otherThereMs);
  }

  /** One at once, besides those that are planned. False: our tokens are not with the relay yet, or there is no letter to be made. */
  sendWatched(row: RelayRow, watch: CanaryWatch, now: Instant): boolean {
    const relay = row.publicKey;
    if (!this.#events.isRegistered(relay) || !this.#events.knowsTokens(relay)) return false;
    const grant = this.#tokens.ownGranted();
    if (grant.length > 0) {
      this.#context.commit(grant, { done: (_applied, at) => { this.#events.tokenGranted(this.#tokens.own(), at); } });
      return false;
    }
    if (isTested(row)) this.#plan(relay, this.#intervalMs(now), now);
    return this.#send(row, now, watch);
  }

  #send(row: RelayRow, now: Instant, watch?: CanaryWatch): boolean {
    const relay = row.publicKey;
    const letter = sealCanary(this.#context, this.#records, now);
    if (letter === undefined) return false;
    const canary: Canary = {
      relay, letter, watch, sentWallMs: wholeMs(now.wallMs), sentMs: now.monotonicMs, stage: 'depositing', looks: 0, step: 0, tookMs: 0, wasWithheld: false, takenMs: 0,
    };
    this.#canaries.set(letter.messageId, canary);
    this.#deadlines.set(`forget ${letter.messageId}`, now.monotonicMs + rememberedMs);
    depositCanary(this.#context, this.#links, { publicKey: relay, host: row.host, port: row.port }, this.#tokens.own(), letter, now, {
      sending: (at) => { canary.sentMs = at.monotonicMs; },
      done: (outcome, at) => { this.#deposited(canary, outcome, at); },
    });
    return true;
  }

  #deposited(canary: Canary, outcome: CanaryDeposit, now: Instant): void {
    // It may be back by now: its doorbell needs no signature.
    if (canary.stage !== 'depositing') return;
    if (outcome === 'held') canary.watch?.left(now);
    else canary.watch?.refused(outcome, now);
    if (outcome === 'held') {
      canary.stage = 'held';
      this.#deadlines.set(`step ${canary.letter.messageId}`, now.monotonicMs + looksAfterMs[0]);
    } else if (outcome === 'later') this.#end(canary);
    else this.#settle(canary, outcome, now);
  }

  #step(messageId: string, lateMs: number, now: Instant): void {
    const canary = this.#canaries.get(messageId);
    if (canary === undefined) return;
    if (lateMs > sleptMs) this.#interrupt(canary, now);
    else if (canary.stage === 'held') this.#lookAgain(canary, now);
    else if (canary.stage === 'arrived') this.#ask(canary, now);
  }

  #lookAgain(canary: Canary, now: Instant): void {
    const { messageId } = canary.letter;
    if (canary.step < looksAfterMs.length) {
      this.#events.look(canary.relay, now);
      const before = looksAfterMs[canary.step] ?? 0;
      canary.step += 1;
      this.#deadlines.set(`step ${messageId}`, now.monotonicMs + (looksAfterMs[canary.step] ?? lostAfterMs) - before);
    } else if (canary.looks >= looksNeeded) {
      this.#settle(canary, 'lost', now);
      // It may come still: then it was not lost.
      canary.wasWithheld = true;
    } else this.#end(canary);
  }

  #ask(canary: Canary, now: Instant): void {
    const row = this.#context.memory.relays.get(canary.relay);
    if (row === undefined) { this.#end(canary); return; }
    askCanary(this.#context, this.#links, { publicKey: row.publicKey, host: row.host, port: row.port }, canary.letter, now, (state, at) => {
      if (canary.stage !== 'arrived') return;
      const before = askedAfterMs[canary.step] ?? 0;
      canary.step += 1;
      const nextMs = askedAfterMs[canary.step];
      const isKept = state === 'held' || state === 'fetched';
      if ((state === undefined || isKept) && nextMs !== undefined) { this.#deadlines.set(`step ${canary.letter.messageId}`, at.monotonicMs + nextMs - before); return; }
      const result = canary.wasWithheld ? 'withheld' : isKept ? 'replayed' : 'ok';
      this.#settle(canary, result, at);
      if (result !== 'ok') return;
      canary.stage = 'taken';
      canary.takenMs = at.monotonicMs;
    });
  }

  // --- the end ---------------------------------------------------------------------------------------------------------------

  #settle(canary: Canary, result: CanaryOutcome['result'], now: Instant): void {
    this.#end(canary);
    this.#record(canary.relay, { atMs: canary.sentWallMs, result, tookMs: Math.max(0, wholeMs(canary.tookMs)) }, now);
  }

  /** What came has come; of the rest nothing can be said. */
  #interrupt(canary: Canary, now: Instant): void {
    if (canary.stage === 'arrived') this.#settle(canary, canary.wasWithheld ? 'withheld' : 'ok', now);
    else if (canary.stage !== 'taken') this.#end(canary);
  }

  /** It is known still, for the case that it comes after all. */
  #end(canary: Canary): void {
    canary.stage = 'over';
    canary.wasWithheld = false;
    this.#deadlines.clear(`step ${canary.letter.messageId}`);
  }

  #record(relay: PublicKeyHex, outcome: CanaryOutcome, now: Instant): void {
    if (!this.#context.memory.relays.has(relay)) return;
    this.#context.count(`relay-tests.${outcome.result}`);
    if (outcome.result !== 'ok') this.#context.log('warn', 'relay.test', { relay: relay.slice(0, 8), result: outcome.result });
    if (this.#reliability.record(relay, outcome)) this.#events.standingChanged(now);
  }
}

const wholeMs = (ms: number): number => Math.round(ms);

/** Not the one inside this app, which is there whenever we are, and not one that is being left. */
const isTested = (row: RelayRow | undefined): row is RelayRow => (row?.role === 'own' || row?.role === 'friend') && row.leavingSinceMs === undefined;
