/** When a letter is sealed, and sealed again: once for all relays, anew when the recipient's device changed or the prekey used has grown old. */
import { sealLetter } from './letter.ts';
import { holders, mergeFacts } from './facts.ts';
import { fromHex } from '../wire/bytes.ts';
import type { Recipient } from '../overlay/recipients.ts';
import type { Instant } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { LetterFacts, OutboxRow } from './visor-store.ts';

/** A letter that waited here sealed for longer is sealed again to the newest bundle (architecture 5). */
const resealAfterMs = 7 * 86_400_000;

export function needsSealing(row: OutboxRow, recipient: Recipient, now: Instant): boolean {
  const sealed = row.sealed;
  if (sealed === undefined || sealed.deviceId !== recipient.device.deviceId) return true;
  // Copies that relays hold already keep their letter id; only a letter that nobody holds may change.
  return (row.facts.held ?? []).length === 0 && now.wallMs - sealed.sealedAtMs > resealAfterMs && recipient.bundle.createdSeconds > sealed.bundleCreatedSeconds;
}

/** The row with its sealed letter; undefined when the content does not fit any letter. Copies of an earlier sealing are not copies of this one. */
export function seal(context: VisorContext, row: OutboxRow, recipient: Recipient, now: Instant): OutboxRow | undefined {
  const messageId = fromHex(row.id);
  if (messageId === undefined) return undefined;
  const sealed = sealLetter({
    crypto: context.crypto, random: context.random,
    senderStatic: context.device.staticKeys, senderCertificate: context.device.certificate.bytes,
    recipient: { identity: row.recipient, deviceId: recipient.device.deviceId }, bundle: recipient.bundle,
    messageId, destinationPort: row.destinationPort, sourcePort: row.sourcePort, sequence: row.sequence,
    sentAtMs: row.queuedAtMs, ttlSeconds: row.ttlSeconds, content: row.content,
  });
  if (sealed === 'too-large') return undefined;
  return {
    ...row,
    facts: letGo(row.facts, now),
    sealed: {
      letterId: sealed.letterId, header: sealed.header, body: sealed.body, bodyRoot: sealed.bodyRoot, purgeHash: sealed.purgeHash, purgeKey: sealed.purgeKey,
      deviceId: recipient.device.deviceId, bundleCreatedSeconds: recipient.bundle.createdSeconds, sealedAtMs: now.wallMs,
    },
  };
}

/** The row as it waits to be sealed anew. */
export const sealedAway = (row: OutboxRow, now: Instant): OutboxRow =>
  ({ ...row, facts: letGo(row.facts, now), sealed: undefined, stage: 'deposit', lastReason: 'resealing' });

/** The copy at that relay (without one: at all of them) counts no longer. */
export function letGo(facts: LetterFacts, now: Instant, relay?: string): LetterFacts {
  const lost = holders(facts).filter((held) => relay === undefined || held.relay === relay).map((held) => ({ ...held, lostAtMs: Math.max(now.wallMs, held.sinceMs) }));
  return lost.length === 0 ? facts : mergeFacts(facts, { held: lost });
}
