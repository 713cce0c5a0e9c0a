/**
 * What happens each time an own relay is reached: publish the identity record and the prekey, register the mailbox, bring the tokens
 * up to date, then the inbox may list. Also finds out that another install has taken over this identity.
 */
import { decodeRegisterResponse } from '../wire/responses.ts';
import { decodeIdentityRecord, verifyIdentityRecord } from '../wire/record.ts';
import { decodePrekeyBundle } from '../wire/record.ts';
import { equalBytes } from '../wire/bytes.ts';
import type { RelayLink } from '../overlay/relay-links.ts';
import type { Instant, RequestBody } from '../wire/types.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { OwnRecords } from './own-records.ts';
import type { DepositTokens } from './tokens.ts';

const requestDeadlineMs = 10_000;
/** After a failed step the whole registration is tried again, unless the link goes down before. */
export const registrationRetryMs = 5_000;

export interface RegistrationEvents {
  registered(link: RelayLink, epochChanged: boolean, waitingLetters: number, now: Instant): void;
  /** The relay refuses to keep mail for us (its policy), in a word. */
  refused(link: RelayLink, now: Instant): void;
  failed(link: RelayLink, now: Instant): void;
  revoked(now: Instant): void;
}

export class Registration {
  readonly #context: VisorContext;
  readonly #records: OwnRecords;
  readonly #tokens: DepositTokens;
  readonly #events: RegistrationEvents;

  constructor(context: VisorContext, records: OwnRecords, tokens: DepositTokens, events: RegistrationEvents) {
    this.#context = context;
    this.#records = records;
    this.#tokens = tokens;
    this.#events = events;
  }

  start(link: RelayLink, now: Instant): void {
    const record = this.#records.record(now);
    this.#ask(link, { verb: 'publish', kind: 'identity', object: record.bytes }, now, (outcome, at) => {
      if (outcome.kind === 'answered') this.#publishPrekey(link, at);
      else if (outcome.kind === 'negative' && outcome.negative.code === 'stale') this.#settleStale(link, at);
      else if (outcome.kind === 'negative' && outcome.negative.code === 'refused') this.#events.refused(link, at);
      else this.#events.failed(link, at);
    });
  }

  /** A relay holds a newer record of this identity: read it, and find out who is the older install. */
  #settleStale(link: RelayLink, now: Instant): void {
    this.#ask(link, { verb: 'record', kind: 'identity', identity: this.#context.publicKey, deviceId: undefined }, now, (outcome, at) => {
      const bytes = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
      const record = bytes === undefined ? undefined : decodeIdentityRecord(bytes);
      if (record === undefined || record.identity !== this.#context.publicKey || !verifyIdentityRecord(record)) { this.#events.failed(link, at); return; }
      const own = this.#context.device;
      const includesUs = record.devices.some((device) => device.deviceId === own.deviceId);
      const newerThanUs = record.devices.some((device) => device.deviceId !== own.deviceId && device.notBeforeSeconds > own.certificate.notBeforeSeconds);
      if (!includesUs && newerThanUs) { this.#events.revoked(at); return; }
      this.#records.sequenceSeen(record.sequence);
      this.start(link, at);
    });
  }

  #publishPrekey(link: RelayLink, now: Instant): void {
    const prekey = this.#records.currentPrekey(now);
    this.#ask(link, { verb: 'publish', kind: 'prekey', object: prekey.bundle }, now, (outcome, at) => {
      // A relay that already has a newer bundle of this device has it from before a lost database: the next rotation passes it.
      if (outcome.kind === 'answered') this.#records.prekeyAcknowledged(link.hint.publicKey, decodePrekeyBundle(prekey.bundle)?.prekeyId ?? 0, at);
      else if (outcome.kind !== 'negative' || outcome.negative.code !== 'stale') { this.#events.failed(link, at); return; }
      this.#register(link, at);
    });
  }

  #register(link: RelayLink, now: Instant): void {
    this.#ask(link, { verb: 'register', tokensVersion: this.#tokens.version }, now, (outcome, at) => {
      if (outcome.kind === 'negative' && outcome.negative.code === 'revoked') { this.#settleStale(link, at); return; }
      if (outcome.kind === 'negative' && outcome.negative.code === 'refused') { this.#events.refused(link, at); return; }
      const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
      const answer = payload === undefined ? undefined : decodeRegisterResponse(payload);
      const row = this.#context.memory.relays.get(link.hint.publicKey);
      if (answer === undefined || row === undefined) { this.#events.failed(link, at); return; }
      const epochChanged = row.epoch === undefined || !equalBytes(row.epoch, answer.epoch);
      if (epochChanged) this.#context.commit([{ kind: 'put-relay', row: { ...row, epoch: answer.epoch, cursor: 0 } }]);
      if (answer.tokensVersion !== this.#tokens.version) this.#sendTokens(link, this.#tokens.fullUpdate(), at);
      this.#events.registered(link, epochChanged, answer.letters, at);
    });
  }

  #sendTokens(link: RelayLink, bodies: readonly RequestBody[], now: Instant): void {
    const [first, ...rest] = bodies;
    if (first === undefined) return;
    this.#ask(link, first, now, (outcome, at) => {
      if (outcome.kind === 'answered') this.#sendTokens(link, rest, at);
      else if (outcome.kind !== 'session-lost') this.#events.failed(link, at);
    });
  }

  /** Tells one registered relay of a single change; if that fails, the version at the next registration shows it. */
  tokenChanged(link: RelayLink, token: Uint8Array, granted: boolean, now: Instant): void {
    this.#sendTokens(link, [this.#tokens.delta(token, granted)], now);
  }

  #ask(link: RelayLink, body: RequestBody, now: Instant, done: (outcome: RequestOutcome, now: Instant) => void): void {
    if (link.sessionId === undefined) { done({ kind: 'session-lost' }, now); return; }
    this.#context.directed.request(link.sessionId, body, { deadlineMs: requestDeadlineMs, done }, now);
  }
}
