/**
 * A test letter to oneself, and the talk with the relay about it. On the wire it is any letter: from this device to its own mailbox, in the smallest size, laid down in
 * an anonymous session under a deposit token of its own. Inside it is the shortest content there is, from oneself: a letter that no
 * visor shows, answers or keeps, whoever sent it, so that one which outlives the memory of it does nothing.
 * What a relay may guess from is that it comes from the network address that fetches it.
 */
import { equalBytes, toHex } from '../wire/bytes.ts';
import { encodeContent } from '../wire/content.ts';
import { verifySignedReceipt } from '../wire/receipt.ts';
import { decodePrekeyBundle } from '../wire/record.ts';
import { decodeStatusResponse } from '../wire/responses.ts';
import { chatPort } from '../mail/conversation-id.ts';
import { sealLetter } from '../mail/letter.ts';
import type { OwnRecords } from '../mail/own-records.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, LetterState, RelayHint, SealedLetter } from '../wire/types.ts';
import type { RelayLinks } from './relay-links.ts';

const linkDeadlineMs = 10_000;
const requestDeadlineMs = 15_000;
/** Long enough to be seen come back late, and to be gone soon when nobody comes for it. */
export const canaryTtlSeconds = 600;

export interface CanaryLetter { readonly messageId: string; readonly sealed: SealedLetter }

/** `later`: it said when to come again, or nothing can be said about it. */
export type CanaryDeposit = 'held' | 'refused' | 'silent' | 'later';

/** Undefined when our own prekey does not read. */
export function sealCanary(context: VisorContext, records: OwnRecords, now: Instant): CanaryLetter | undefined {
  const bundle = decodePrekeyBundle(records.currentPrekey(now).bundle);
  const messageId = context.random(16);
  const sealed = bundle === undefined ? undefined : sealLetter({
    crypto: context.crypto, random: context.random, senderStatic: context.device.staticKeys, senderCertificate: context.device.certificate.bytes,
    recipient: { identity: context.publicKey, deviceId: context.device.deviceId }, bundle, messageId, destinationPort: chatPort, sourcePort: chatPort, sequence: 0,
    sentAtMs: Math.floor(now.wallMs), ttlSeconds: canaryTtlSeconds, content: encodeContent({ kind: 'resume' }),
  });
  return sealed === undefined || sealed === 'too-large' ? undefined : { messageId: toHex(messageId), sealed };
}

export interface CanaryHooks {
  /** It goes out now. */
  readonly sending: (now: Instant) => void;
  readonly done: (outcome: CanaryDeposit, now: Instant) => void;
}

/** Lays it down as a sender would. */
export function depositCanary(context: VisorContext, links: RelayLinks, hint: RelayHint, token: Uint8Array, { sealed }: CanaryLetter, now: Instant, { sending, done }: CanaryHooks): void {
  const link = links.deposit(hint, now);
  if (link === undefined) { done('later', now); return; }
  links.whenUp(link, linkDeadlineMs, now, (up, at) => {
    if (!up || link.sessionId === undefined) { done('silent', at); return; }
    sending(at);
    context.directed.request(link.sessionId, {
      verb: 'deposit', mailbox: { identity: context.publicKey, deviceId: context.device.deviceId }, token, lane: 'letter', ttlSeconds: canaryTtlSeconds,
      purgeHash: sealed.purgeHash, bodyRoot: sealed.bodyRoot, bodyLength: sealed.body.length, header: sealed.header, inlineBody: sealed.body,
    }, {
      deadlineMs: requestDeadlineMs,
      done: (outcome, then) => {
        if (outcome.kind === 'negative') { done(outcome.negative.code === 'busy' ? 'later' : 'refused', then); return; }
        if (outcome.kind !== 'answered') { done(outcome.kind === 'session-lost' ? 'later' : 'silent', then); return; }
        const signer = links.session(link)?.remoteCertificate?.ed25519;
        const payload = outcome.payloads[0];
        const receipt = payload === undefined || signer === undefined ? undefined : verifySignedReceipt(context.crypto, payload, signer);
        const isOurs = receipt?.recipient === context.publicKey && receipt.deviceId === context.device.deviceId && equalBytes(receipt.letterId, sealed.letterId);
        // What it signed must be that it has the letter; anything else is no acceptance.
        done(isOurs && (receipt.state === 'held' || receipt.state === 'fetched' || receipt.state === 'acked') ? 'held' : 'refused', then);
      },
    }, at);
  });
}

/** What became of it by the relay's word; undefined without an answer. */
export function askCanary(context: VisorContext, links: RelayLinks, hint: RelayHint, { sealed }: CanaryLetter, now: Instant, done: (state: LetterState | undefined, now: Instant) => void): void {
  const link = links.deposit(hint, now);
  if (link === undefined) { done(undefined, now); return; }
  links.whenUp(link, linkDeadlineMs, now, (up, at) => {
    if (!up || link.sessionId === undefined) { done(undefined, at); return; }
    context.directed.request(link.sessionId, { verb: 'status', mailbox: { identity: context.publicKey, deviceId: context.device.deviceId }, letterIds: [sealed.letterId] }, {
      deadlineMs: requestDeadlineMs,
      done: (outcome, then) => {
        const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
        done((payload === undefined ? undefined : decodeStatusResponse(payload))?.[0]?.state, then);
      },
    }, at);
  });
}
