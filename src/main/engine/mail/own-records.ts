/**
 * The two signed records that others need to write to us: who we are and where our relays are (identity record), and the key to seal to
 * (prekey bundle). Kept current here; `registration.ts` publishes them. Prekeys rotate weekly; a private prekey is
 * kept until its successor is acknowledged by all own relays plus 39 days: the longest a letter sealed to it can be under way.
 */
import { createIdentityRecord, createPrekeyBundle, decodeIdentityRecord, decodePrekeyBundle } from '../wire/record.ts';
import { equalBytes, fromHex, toHex } from '../wire/bytes.ts';
import { createCertificate } from '../wire/certificate.ts';
import { certificateLifetimeSeconds } from './own-device.ts';
import type { DeviceCertificate, IdentityRecord, Instant, PrekeyBundle, RelayHint } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import { inOrder, noOpinion, type RelayOpinion } from '../overlay/relay-order.ts';
import type { PrekeyRow, RelayRow, VisorChange } from './visor-store.ts';

const recordLifetimeSeconds = 180 * 86_400;
const recordRenewBeforeSeconds = 90 * 86_400;
const prekeyRotationMs = 7 * 86_400_000;
/** Rotation 7 d + longest TTL 30 d + 2 d slack (notes: peers, retention law). */
const prekeyRetentionMs = 39 * 86_400_000;
/** Relays refuse what is dated further ahead (architecture 3): a record of ours that is has been made by a clock that was wrong. */
const aheadMaximumSeconds = 2 * 86_400;
/** Relays that are advertised: depositors use two of at most three (architecture 9). */
export const advertisedRelaysMaximum = 3;
const acceptedKey = 'record-accepted';

export class OwnRecords {
  readonly #context: VisorContext;
  /** Relays that acknowledged the current prekey since this start. */
  readonly #prekeyAcknowledged = new Set<string>();

  readonly #opinion: RelayOpinion;

  /** @param opinion what was found out about relays: it decides which are told to the world first. */
  constructor(context: VisorContext, opinion: RelayOpinion = noOpinion) {
    this.#context = context;
    this.#opinion = opinion;
  }

  /** Those in use, the most preferred first; the one inside this app is the last, as it is told to nobody while there is another. */
  relaysInOrder(): readonly RelayRow[] {
    const all = [...this.#context.memory.relays.values()].filter((row) => row.leavingSinceMs === undefined);
    return [...inOrder(all.filter((row) => row.role === 'own'), this.#opinion), ...inOrder(all.filter((row) => row.role === 'local'), this.#opinion)];
  }

  /**
   * Own relays as others shall see them. The relay inside this app is reached by programs on this machine only, so it is told to others only
   * while there is no other: a friend's letters would knock at their own machine for ever.
   */
  advertisedRelays(): readonly RelayHint[] {
    const all = this.relaysInOrder();
    const chosen = all.filter((row) => row.role === 'own');
    const rows = chosen.length > 0 ? chosen : all;
    return rows.slice(0, advertisedRelaysMaximum).map((row) => ({ publicKey: row.publicKey, host: row.host, port: row.port }));
  }

  /** The text that changes whenever an introduction would say something new. */
  card(): string {
    const relays = this.advertisedRelays().map((relay) => `${relay.publicKey}@${relay.host}:${String(relay.port)}`);
    return JSON.stringify([this.#context.memory.values.get('name') ?? '', ...relays]);
  }

  record(now: Instant): IdentityRecord {
    const text = this.#context.memory.values.get('identity-record');
    const bytes = text === undefined ? undefined : fromHex(text);
    const current = bytes === undefined ? undefined : decodeIdentityRecord(bytes);
    const advertised = this.advertisedRelays();
    const relays = advertised.length > 0 ? advertised : this.#lastResort(current?.relays ?? []);
    const nowSeconds = Math.floor(now.wallMs / 1000);
    const isAhead = current !== undefined && current.sequence > nowSeconds + aheadMaximumSeconds;
    if (current !== undefined && !isAhead && sameRelays(current.relays, relays) && current.notAfterSeconds - nowSeconds > recordRenewBeforeSeconds
      && current.sequence > this.#context.memory.numberValue('record-sequence-seen')
      && current.devices.length === 1 && toHex(current.devices[0]?.bytes ?? new Uint8Array()) === toHex(this.#certificate.bytes)) return current;
    const record = createIdentityRecord({
      identitySecret: this.#context.identitySecret,
      sequence: Math.max(this.#context.memory.numberValue('record-sequence-seen') + 1, isAhead ? 0 : (current?.sequence ?? 0) + 1, nowSeconds),
      notAfterSeconds: nowSeconds + recordLifetimeSeconds,
      devices: [this.#certificate],
      relays,
    });
    this.#context.commit([{ kind: 'put-value', key: 'identity-record', value: toHex(record.bytes) }]);
    return record;
  }

  /** With no relay: those that are being left, which are read still; else where we were last, since what is left there is fetched when it is added again. */
  #lastResort(last: readonly RelayHint[]): readonly RelayHint[] {
    const read = [...this.#context.memory.relays.values()].filter(({ role }) => role !== 'friend').map(({ publicKey, host, port }) => ({ publicKey, host, port })).slice(0, advertisedRelaysMaximum);
    return read.length > 0 ? read : last;
  }

  /** A relay took our record: from now on a record that lists a newer device instead of ours means that ours was replaced. */
  recordAccepted(): void {
    if (this.#context.memory.values.get(acceptedKey) !== 'true') this.#context.commit([{ kind: 'put-value', key: acceptedKey, value: 'true' }]);
  }

  get wasAccepted(): boolean { return this.#context.memory.values.get(acceptedKey) === 'true'; }

  /**
   * This install is new, and the one that it replaces looks newer because a clock was wrong: dates decide between two installs, so ours is
   * moved behind the other's.
   */
  takeOver(theirNotBeforeSeconds: number, now: Instant): void {
    const row = this.#context.memory.device;
    if (row === undefined) return;
    const certificate = createCertificate({
      identitySecret: this.#context.identitySecret, deviceId: row.deviceId, x25519: this.#certificate.x25519, ed25519: this.#certificate.ed25519,
      notBeforeSeconds: theirNotBeforeSeconds + 1, notAfterSeconds: Math.floor(now.wallMs / 1000) + certificateLifetimeSeconds,
    });
    this.#context.commit([{ kind: 'put-device', row: { ...row, certificate: certificate.bytes } }]);
  }

  get notBeforeSeconds(): number { return this.#certificate.notBeforeSeconds; }

  get #certificate(): DeviceCertificate { return this.#context.device.certificate; }

  /** Somebody (a restored install, or we before a lost database) has published this number: ours must be higher. */
  sequenceSeen(sequence: number): void {
    if (sequence <= this.#context.memory.numberValue('record-sequence-seen')) return;
    this.#context.commit([{ kind: 'put-value', key: 'record-sequence-seen', value: String(sequence) }]);
  }

  currentPrekey(now: Instant): PrekeyRow {
    // By number, not by date: one that was made by a clock far ahead must not stay the newest for ever.
    let newest: PrekeyRow | undefined;
    for (const row of this.#context.memory.prekeys.values()) if (newest === undefined || row.prekeyId > newest.prekeyId) newest = row;
    const ageMs = newest === undefined ? 0 : now.wallMs - newest.createdAtMs;
    // A clock set back a little does not rotate: the newest key stays until a week after its own date.
    if (newest !== undefined && ageMs < prekeyRotationMs && ageMs > -aheadMaximumSeconds * 1000) return newest;
    return this.#createPrekey((newest?.prekeyId ?? 0) + 1, Math.floor(now.wallMs / 1000), now);
  }

  /**
   * A relay has another prekey of this device and finds ours older. Its secret is lost (this profile was restored from a copy), or our clock was
   * ahead then: ours must be newer at once, for everybody seals to that one. False when it is not news: the relay repeats what we had.
   */
  prekeySeen(theirs: PrekeyBundle, now: Instant): boolean {
    const current = this.currentPrekey(now);
    const own = decodePrekeyBundle(current.bundle);
    if (own === undefined || equalBytes(current.bundle, theirs.bytes) || theirs.createdSeconds < own.createdSeconds) return false;
    this.#createPrekey(Math.max(theirs.prekeyId, current.prekeyId) + 1, Math.max(theirs.createdSeconds + 1, Math.floor(now.wallMs / 1000)), now);
    return true;
  }

  #createPrekey(prekeyId: number, createdSeconds: number, now: Instant): PrekeyRow {
    const secretKey = this.#context.random(32);
    const bundle = createPrekeyBundle(this.#context.crypto, {
      identity: this.#context.publicKey, deviceId: this.#context.device.deviceId, prekeyId,
      prekey: this.#context.crypto.x25519PublicKey(secretKey), createdSeconds, ed25519Seed: this.#context.device.ed25519Seed,
    });
    const row: PrekeyRow = { prekeyId, secretKey, bundle: bundle.bytes, createdAtMs: now.wallMs, supersededAtMs: undefined };
    this.#prekeyAcknowledged.clear();
    this.#context.commit([{ kind: 'put-prekey', row }]);
    return row;
  }

  prekeyAcknowledged(relay: string, prekeyId: number, now: Instant): void {
    const current = this.currentPrekey(now);
    if (current.prekeyId !== prekeyId) return;
    this.#prekeyAcknowledged.add(relay);
    if (![...this.#context.memory.relays.values()].every((row) => row.leavingSinceMs !== undefined || this.#prekeyAcknowledged.has(row.publicKey))) return;
    const changes: VisorChange[] = [];
    for (const row of this.#context.memory.prekeys.values()) {
      if (row.prekeyId !== current.prekeyId && row.supersededAtMs === undefined) changes.push({ kind: 'put-prekey', row: { ...row, supersededAtMs: now.wallMs } });
    }
    if (changes.length > 0) this.#context.commit(changes);
  }

  /** Deletes private prekeys that no letter can need any more, together with their dedupe rows. */
  deleteOldPrekeys(now: Instant): void {
    const changes: VisorChange[] = [];
    for (const row of this.#context.memory.prekeys.values()) {
      if (row.supersededAtMs !== undefined && now.wallMs - row.supersededAtMs > prekeyRetentionMs) changes.push({ kind: 'delete-prekey', prekeyId: row.prekeyId });
    }
    if (changes.length > 0) this.#context.commit(changes);
  }
}

function sameRelays(left: readonly RelayHint[], right: readonly RelayHint[]): boolean {
  return left.length === right.length && left.every((relay, index) => {
    const other = right[index];
    return other !== undefined && relay.publicKey === other.publicKey && relay.host === other.host && relay.port === other.port;
  });
}
