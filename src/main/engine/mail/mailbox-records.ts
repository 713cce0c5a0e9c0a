/**
 * The signed records a relay serves: answers `record`, checks and keeps what is published. Nobody is believed: identity records carry the
 * identity's signature, prekey bundles the device's. What is published under names is in mailbox-names.ts. A newer record that drops a device ends what that device had here.
 */
import { toHex } from '../wire/bytes.ts';
import { decodeIdentityRecord, decodePrekeyBundle, verifyIdentityRecord, verifyPrekeyBundle } from '../wire/record.ts';
import { MailboxNames } from './mailbox-names.ts';
import { PrefixRate } from './mailbox-rate.ts';
import type { Answer } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { DeviceCertificate, IdentityRecord, Instant, PrekeyBundle, PublicKeyHex, RequestBody } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';
import type { MailboxOwners } from './mailbox-owners.ts';

/** A sequence is a time in seconds; one from further ahead could never be passed again by its honest owner (architecture 3). */
export const sequenceAheadMaximumSeconds = 2 * 86_400;
/** Records whose signatures were verified; visors publish the same bytes at each connection, and secp256k1 costs milliseconds. */
const verifiedMaximum = 4_096;
/** Publications for somebody else, per address prefix: each may cost milliseconds and room on the disk. */
const foreignPerMinute = 30;
/** Everything fits one frame today; a record that does not is answered in fragments. */
const recordFragmentBytes = 1_149;

type RecordBody = Extract<RequestBody, { verb: 'record' }>;
type PublishBody = Extract<RequestBody, { verb: 'publish' }>;

export class MailboxRecords {
  readonly #context: MailboxContext;
  readonly #owners: MailboxOwners;
  readonly #verified = new Set<string>();
  readonly #foreign = new PrefixRate(foreignPerMinute);

  readonly #names: MailboxNames;

  constructor(context: MailboxContext, owners: MailboxOwners) {
    this.#context = context;
    this.#owners = owners;
    this.#names = new MailboxNames(context, owners);
  }

  record(body: RecordBody, answer: Answer, now: Instant): void {
    const reply = (bytes: Uint8Array | undefined, at: Instant): void => {
      if (bytes === undefined) { this.#context.refuse(answer, 'not-found', at); return; }
      const payloads: Uint8Array[] = [];
      for (let start = 0; start < bytes.length; start += recordFragmentBytes) payloads.push(bytes.subarray(start, start + recordFragmentBytes));
      answer.respondMany(payloads, at);
    };
    switch (body.kind) {
      case 'named': this.#names.get(body.identity, body.path, reply); return;
      case 'identity':
        this.#owners.withRecord(body.identity, now, (record, at) => { reply(record?.bytes, at); });
        return;
      case 'prekey':
        this.#context.store<'get-record'>({ op: 'get-record', kind: 'prekey', identity: body.identity, deviceId: body.deviceId ?? '' }, (result, at) => { reply(result.bytes, at); });
        return;
      default:
        body satisfies never;
    }
  }

  /** The newest identity record here, and the prekey bundle of its first device. Both were proved when they were published. */
  held(identity: PublicKeyHex, now: Instant, then: (found: { readonly record: IdentityRecord; readonly bundle: PrekeyBundle | undefined } | undefined, now: Instant) => void): void {
    this.#owners.withRecord(identity, now, (record, at) => {
      const device = record?.devices[0];
      if (record === undefined || device === undefined) { then(undefined, at); return; }
      this.#context.store<'get-record'>({ op: 'get-record', kind: 'prekey', identity, deviceId: device.deviceId }, ({ bytes }, later) => {
        then({ record, bundle: bytes === undefined ? undefined : decodePrekeyBundle(bytes) }, later);
      });
    });
  }

  publish(sessionId: SessionId, body: PublishBody, answer: Answer, now: Instant): void {
    if (body.kind === 'named') { this.#names.put(sessionId, body.object, answer, now); return; }
    const object = body.kind === 'identity' ? decodeIdentityRecord(body.object) : decodePrekeyBundle(body.object);
    if (object === undefined) { this.#context.refuse(answer, 'malformed', now); return; }
    if (!this.#owners.admits(object.identity)) { this.#context.refuse(answer, 'refused', now); return; }
    const dated = 'sequence' in object ? object.sequence : object.createdSeconds;
    if (dated > Math.floor(now.wallMs / 1_000) + sequenceAheadMaximumSeconds) { this.#context.refuse(answer, 'too-far-ahead', now); return; }
    const view = this.#context.environment.session(sessionId);
    if (view?.remoteCertificate?.identity !== object.identity) {
      const waitSeconds = this.#foreign.take(view?.address.host ?? '', now.monotonicMs);
      if (waitSeconds !== undefined) { this.#context.refuse(answer, 'busy', now, waitSeconds); return; }
    }
    if ('sequence' in object) this.#publishRecord(object, answer, now);
    else this.#publishPrekey(object, view?.remoteCertificate, answer, now);
  }

  #publishRecord(record: IdentityRecord, answer: Answer, now: Instant): void {
    if (!this.#isVerified(record)) { this.#context.refuse(answer, 'malformed', now); return; }
    const { identity, sequence, notAfterSeconds, bytes } = record;
    this.#context.store<'put-record'>({ op: 'put-record', kind: 'identity', identity, deviceId: '', sequence, notAfterSeconds, bytes }, ({ outcome }, at) => {
      if (outcome === 'stale') { this.#context.refuse(answer, 'stale', at); return; }
      if (!this.#owners.recordStored(record)) { answer.respond(new Uint8Array(0), at); return; }
      // Also for an unchanged record: the first time may have ended between the two commits.
      const keepDeviceIds = record.devices.map((device) => device.deviceId);
      this.#context.store<'revoke-device'>({ op: 'revoke-device', identity, keepDeviceIds, elapsedMs: this.#context.elapsedMs(at) }, (revoked, later) => {
        if (revoked.mailboxes > 0) this.#context.environment.log('info', 'mailbox.device-revoked', { identity: identity.slice(0, 8), mailboxes: revoked.mailboxes, letters: revoked.letters });
        answer.respond(new Uint8Array(0), later);
      });
    });
  }

  #publishPrekey(bundle: PrekeyBundle, shown: DeviceCertificate | undefined, answer: Answer, now: Instant): void {
    this.#owners.withRecord(bundle.identity, now, (record, at) => {
      const listed = record?.devices.find((device) => device.deviceId === bundle.deviceId);
      if (record !== undefined && listed === undefined) { this.#context.refuse(answer, 'revoked', at); return; }
      const certificate = listed ?? (shown?.identity === bundle.identity && shown.deviceId === bundle.deviceId ? shown : undefined);
      // Nothing here says which key that device signs with: its identity record has to come first.
      if (certificate === undefined) { this.#context.refuse(answer, 'not-yet', at); return; }
      if (!verifyPrekeyBundle(this.#context.environment.crypto, bundle, certificate)) { this.#context.refuse(answer, 'malformed', at); return; }
      const { identity, deviceId, createdSeconds, bytes } = bundle;
      this.#context.store<'put-record'>(
        { op: 'put-record', kind: 'prekey', identity, deviceId, sequence: createdSeconds, notAfterSeconds: certificate.notAfterSeconds, bytes },
        ({ outcome }, later) => {
          if (outcome === 'stale') this.#context.refuse(answer, 'stale', later);
          else answer.respond(new Uint8Array(0), later);
        },
      );
    });
  }

  #isVerified(record: IdentityRecord): boolean {
    const key = toHex(this.#context.environment.crypto.blake3(record.bytes));
    if (this.#verified.has(key)) return true;
    this.#context.counters.count('records-verified');
    if (!verifyIdentityRecord(record)) return false;
    this.#verified.add(key);
    const oldest = this.#verified.keys().next();
    if (this.#verified.size > verifiedMaximum && oldest.done !== true) this.#verified.delete(oldest.value);
    return true;
  }
}
