/**
 * What happens each time an own relay is reached: publish the identity record and the prekey, register the mailbox, bring the tokens
 * up to date, then the inbox may list. Also finds out that another install has taken over this identity.
 */
import { decodeRegisterResponse } from '../wire/responses.ts';
import { decodeIdentityRecord, decodePrekeyBundle, verifyIdentityRecord, verifyPrekeyBundle } from '../wire/record.ts';
import { equalBytes } from '../wire/bytes.ts';
import type { RelayLink } from '../overlay/relay-links.ts';
import type { Instant, RequestBody } from '../wire/types.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { OwnRecords } from './own-records.ts';
import type { MailboxUse } from './own-relays.ts';
import type { DepositTokens } from './tokens.ts';
import type { PrekeyRow } from './visor-store.ts';

const requestDeadlineMs = 10_000;
/** After a failed step the whole registration is tried again, unless the link goes down before: after this, doubling up to the other. */
const retryFirstMs = 5_000;
const retryMaximumMs = 5 * 60_000;
/** A relay that finds us outdated after each answer is wrong; it is asked again like one that fails. */
const staleRoundsMaximum = 3;

export interface RegistrationEvents {
  registered(link: RelayLink, epochChanged: boolean, waitingLetters: number, now: Instant, mailbox: Omit<MailboxUse, 'atWallMs'>): void;
  /** The relay refuses to keep mail for us (its policy), in a word. */
  refused(link: RelayLink, now: Instant): void;
  /** To be started again after the pause. */
  failed(link: RelayLink, pauseMs: number, now: Instant): void;
  revoked(now: Instant): void;
}

export class Registration {
  readonly #context: VisorContext;
  readonly #records: OwnRecords;
  readonly #tokens: DepositTokens;
  readonly #events: RegistrationEvents;
  readonly #failures = new Map<string, number>();
  /** Per relay, since it was last registered: the version it has confirmed, and whether an update is under way. */
  readonly #tokensAt = new Map<string, { version: number; busy: boolean }>();

  constructor(context: VisorContext, records: OwnRecords, tokens: DepositTokens, events: RegistrationEvents) {
    this.#context = context;
    this.#records = records;
    this.#tokens = tokens;
    this.#events = events;
  }

  start(link: RelayLink, now: Instant): void { this.#start(link, 0, now); }

  #start(link: RelayLink, staleRounds: number, now: Instant): void {
    const record = this.#records.record(now);
    const prekey = this.#records.currentPrekey(now);
    // Stores answer in order: after this empty commit both are on the disk. A prekey that others seal to must not be lost in a power cut.
    this.#context.commit([], {
      done: (_applied, then) => {
        this.#ask(link, { verb: 'publish', kind: 'identity', object: record.bytes }, then, (outcome, at) => {
          if (outcome.kind === 'answered') { this.#records.recordAccepted(); this.#publishPrekey(link, prekey, staleRounds, at); }
          else if (outcome.kind === 'negative' && outcome.negative.code === 'stale') this.#settleStale(link, staleRounds, at);
          else if (outcome.kind === 'negative' && outcome.negative.code === 'refused') this.#events.refused(link, at);
          else this.#failed(link, at);
        });
      },
    });
  }

  #failed(link: RelayLink, now: Instant): void {
    const failures = this.#failures.get(link.hint.publicKey) ?? 0;
    this.#failures.set(link.hint.publicKey, failures + 1);
    this.#events.failed(link, Math.min(retryMaximumMs, retryFirstMs * 2 ** Math.min(failures, 10)), now);
  }

  #startAgain(link: RelayLink, staleRounds: number, now: Instant): void {
    if (staleRounds >= staleRoundsMaximum) this.#failed(link, now);
    else this.#start(link, staleRounds + 1, now);
  }

  /** A relay holds a newer record of this identity: read it, and find out who is the older install. */
  #settleStale(link: RelayLink, staleRounds: number, now: Instant): void {
    this.#ask(link, { verb: 'record', kind: 'identity', identity: this.#context.publicKey, deviceId: undefined }, now, (outcome, at) => {
      const bytes = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
      const record = bytes === undefined ? undefined : decodeIdentityRecord(bytes);
      if (record === undefined || record.identity !== this.#context.publicKey || !verifyIdentityRecord(record)) { this.#failed(link, at); return; }
      const own = this.#context.device;
      const includesUs = record.devices.some((device) => device.deviceId === own.deviceId);
      const newest = Math.max(...record.devices.filter((device) => device.deviceId !== own.deviceId).map((device) => device.notBeforeSeconds));
      if (!includesUs && newest >= this.#records.notBeforeSeconds) {
        if (this.#records.wasAccepted) { this.#events.revoked(at); return; }
        this.#records.takeOver(newest, at);
      }
      this.#records.sequenceSeen(record.sequence);
      this.#startAgain(link, staleRounds, at);
    });
  }

  #publishPrekey(link: RelayLink, prekey: PrekeyRow, staleRounds: number, now: Instant): void {
    this.#ask(link, { verb: 'publish', kind: 'prekey', object: prekey.bundle }, now, (outcome, at) => {
      if (outcome.kind === 'negative' && outcome.negative.code === 'stale') { this.#settleStalePrekey(link, staleRounds, at); return; }
      if (outcome.kind !== 'answered') { this.#failed(link, at); return; }
      this.#records.prekeyAcknowledged(link.hint.publicKey, prekey.prekeyId, at);
      this.#register(link, at);
    });
  }

  /** It has a newer prekey of this device than we have. */
  #settleStalePrekey(link: RelayLink, staleRounds: number, now: Instant): void {
    const { publicKey, device } = this.#context;
    this.#ask(link, { verb: 'record', kind: 'prekey', identity: publicKey, deviceId: device.deviceId }, now, (outcome, at) => {
      const bytes = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
      const bundle = bytes === undefined ? undefined : decodePrekeyBundle(bytes);
      if (bundle === undefined || !verifyPrekeyBundle(this.#context.crypto, bundle, device.certificate)) { this.#failed(link, at); return; }
      if (this.#records.prekeySeen(bundle, at)) this.#startAgain(link, staleRounds, at);
      else this.#register(link, at);
    });
  }

  #register(link: RelayLink, now: Instant): void {
    this.#ask(link, { verb: 'register', tokensVersion: this.#tokens.version }, now, (outcome, at) => {
      if (outcome.kind === 'negative' && outcome.negative.code === 'revoked') { this.#settleStale(link, 0, at); return; }
      if (outcome.kind === 'negative' && outcome.negative.code === 'refused') { this.#events.refused(link, at); return; }
      const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
      const answer = payload === undefined ? undefined : decodeRegisterResponse(payload);
      const row = this.#context.memory.relays.get(link.hint.publicKey);
      if (answer === undefined || row === undefined) { this.#failed(link, at); return; }
      this.#failures.delete(link.hint.publicKey);
      const epochChanged = row.epoch === undefined || !equalBytes(row.epoch, answer.epoch);
      if (epochChanged) this.#context.commit([{ kind: 'put-relay', row: { ...row, epoch: answer.epoch, cursor: 0 } }]);
      this.#tokensAt.set(link.hint.publicKey, { version: answer.tokensVersion, busy: false });
      this.#syncTokens(link, undefined, at);
      this.#events.registered(link, epochChanged, answer.letters, at, { letters: answer.letters, lettersMaximum: answer.quotaLetters, sizeBytes: answer.bytes, maximumBytes: answer.quotaBytes });
    });
  }

  /**
   * Tells one registered relay of a change. A single change goes by itself only to a relay that has confirmed all before it; in any other case
   * the whole set is told, so that a version never vouches for a change that was lost.
   */
  tokenChanged(link: RelayLink, token: Uint8Array, granted: boolean, now: Instant): void { this.#syncTokens(link, { token, granted }, now); }

  /** The relay has confirmed all of our tokens. */
  knowsTokens(relay: string): boolean {
    const known = this.#tokensAt.get(relay);
    return known?.version === this.#tokens.version && !known.busy;
  }

  #syncTokens(link: RelayLink, change: { readonly token: Uint8Array; readonly granted: boolean } | undefined, now: Instant): void {
    const known = this.#tokensAt.get(link.hint.publicKey);
    const version = this.#tokens.version;
    if (known === undefined || known.busy || known.version === version) return;
    known.busy = true;
    const bodies = change !== undefined && known.version === version - 1 ? [this.#tokens.delta(change.token, change.granted)] : this.#tokens.fullUpdate();
    this.#sendTokens(link, bodies, now, (sent, at) => {
      if (this.#tokensAt.get(link.hint.publicKey) !== known) return;
      known.busy = false;
      known.version = sent ? version : -1;
      if (sent) this.#syncTokens(link, undefined, at);
      else this.#failed(link, at);
    });
  }

  #sendTokens(link: RelayLink, bodies: readonly RequestBody[], now: Instant, done: (sent: boolean, now: Instant) => void): void {
    const [first, ...rest] = bodies;
    if (first === undefined) { done(true, now); return; }
    this.#ask(link, first, now, (outcome, at) => {
      if (outcome.kind === 'answered') this.#sendTokens(link, rest, at, done);
      // A new session registers anew, and then the version shows what is missing.
      else if (outcome.kind !== 'session-lost') done(false, at);
    });
  }

  #ask(link: RelayLink, body: RequestBody, now: Instant, done: (outcome: RequestOutcome, now: Instant) => void): void {
    if (link.sessionId === undefined) { done({ kind: 'session-lost' }, now); return; }
    this.#context.directed.request(link.sessionId, body, { deadlineMs: requestDeadlineMs, done }, now);
  }
}
