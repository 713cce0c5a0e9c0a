/** Letters that no honest engine would write, laid into a mailbox past it. */
import { sealLetter } from '../engine/mail/letter.ts';
import { mailboxQuota } from '../engine/mail/mailbox-context.ts';
import { encodeContent } from '../engine/wire/content.ts';
import { decodePrekeyBundle } from '../engine/wire/record.ts';
import { fromHex } from '../engine/wire/bytes.ts';
import type { Content } from '../engine/wire/types.ts';
import { crypto, seeded } from './story-basics-testing.ts';
import type { StoryNode } from './story-node-testing.ts';

export interface Forged { readonly messageId?: string; readonly sentAtMs?: number; readonly sequence?: number; readonly ttlSeconds?: number }
let forgeries = 0;

/** A letter that `from` could write and its honest engine would not, laid into a mailbox of `to`. It is found when the doorbell next rings. */
export function forge(from: StoryNode, to: StoryNode, relay: StoryNode, content: Content, options: Forged = {}): void {
  const { device } = from.disk();
  const theirs = to.disk();
  const prekey = theirs.prekeys.at(-1);
  const bundle = prekey === undefined ? undefined : decodePrekeyBundle(prekey.bundle);
  const messageId = options.messageId === undefined ? from.world.forgedId() : fromHex(options.messageId);
  if (device === undefined || theirs.device === undefined || bundle === undefined || messageId === undefined) throw new Error('nothing to forge with');
  forgeries += 1;
  const mailbox = { identity: to.publicKey, deviceId: theirs.device.deviceId };
  const sealed = sealLetter({
    crypto, random: seeded(`forgery ${String(forgeries)}`), senderStatic: { secretKey: device.x25519Secret, publicKey: crypto.x25519PublicKey(device.x25519Secret) },
    senderCertificate: device.certificate, recipient: mailbox, bundle, messageId, destinationPort: 1, sourcePort: 1,
    sequence: options.sequence ?? 0, sentAtMs: options.sentAtMs ?? from.now.wallMs, ttlSeconds: options.ttlSeconds ?? 86_400, content: encodeContent(content),
  });
  if (sealed === 'too-large') throw new Error('too large');
  relay.stores.submit('mail', {
    op: 'deposit', mailbox, tokenHash: undefined, lane: 'letter', letterId: sealed.letterId, header: sealed.header, bodyRoot: sealed.bodyRoot, body: sealed.body,
    purgeHash: sealed.purgeHash, ttlSeconds: options.ttlSeconds ?? 86_400, elapsedMs: from.world.timeMs, wallMs: relay.now.wallMs, quota: mailboxQuota,
  }, (outcome) => { if (!outcome.ok || !('outcome' in outcome.result) || outcome.result.outcome !== 'stored') throw new Error(`not laid down: ${JSON.stringify(outcome)}`); });
  relay.stores.commit();
}
