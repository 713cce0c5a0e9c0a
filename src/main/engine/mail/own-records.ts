/**
 * The two signed records that others need to write to us: who we are and where our relays are (identity record), and the key to seal to
 * (prekey bundle). Kept current here; `registration.ts` publishes them. Prekeys rotate weekly; a private prekey is
 * kept until its successor is acknowledged by all own relays plus 39 days: the longest a letter sealed to it can be under way.
 */
import { createIdentityRecord, createPrekeyBundle, decodeIdentityRecord } from '../wire/record.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import type { IdentityRecord, Instant, RelayHint } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { PrekeyRow, VisorChange } from './visor-store.ts';

const recordLifetimeSeconds = 180 * 86_400;
const recordRenewBeforeSeconds = 90 * 86_400;
const prekeyRotationMs = 7 * 86_400_000;
/** Rotation 7 d + longest TTL 30 d + 2 d slack (notes: peers, retention law). */
const prekeyRetentionMs = 39 * 86_400_000;
/** Relays that are advertised: depositors use two of at most three (architecture 9). */
export const advertisedRelaysMaximum = 3;

export class OwnRecords {
  readonly #context: VisorContext;
  /** Relays that acknowledged the current prekey since this start. */
  readonly #prekeyAcknowledged = new Set<string>();

  constructor(context: VisorContext) { this.#context = context; }

  /** Own relays as others shall see them: chosen ones before the one inside this app, which only programs on this machine reach. */
  advertisedRelays(): readonly RelayHint[] {
    const rows = [...this.#context.memory.relays.values()].sort((left, right) =>
      (left.role === right.role ? left.addedAtMs - right.addedAtMs || (left.publicKey < right.publicKey ? -1 : 1) : left.role === 'own' ? -1 : 1));
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
    const relays = this.advertisedRelays();
    const nowSeconds = Math.floor(now.wallMs / 1000);
    if (current !== undefined && sameRelays(current.relays, relays) && current.notAfterSeconds - nowSeconds > recordRenewBeforeSeconds
      && current.sequence > this.#context.memory.numberValue('record-sequence-seen')
      && current.devices.length === 1 && toHex(current.devices[0]?.bytes ?? new Uint8Array()) === toHex(this.#context.device.certificate.bytes)) return current;
    const record = createIdentityRecord({
      identitySecret: this.#context.identitySecret,
      sequence: Math.max(this.#context.memory.numberValue('record-sequence-seen') + 1, (current?.sequence ?? 0) + 1, nowSeconds),
      notAfterSeconds: nowSeconds + recordLifetimeSeconds,
      devices: [this.#context.device.certificate],
      relays,
    });
    this.#context.commit([{ kind: 'put-value', key: 'identity-record', value: toHex(record.bytes) }]);
    return record;
  }

  /** Somebody (a restored install, or we before a lost database) has published this number: ours must be higher. */
  sequenceSeen(sequence: number): void {
    if (sequence <= this.#context.memory.numberValue('record-sequence-seen')) return;
    this.#context.commit([{ kind: 'put-value', key: 'record-sequence-seen', value: String(sequence) }]);
  }

  currentPrekey(now: Instant): PrekeyRow {
    let newest: PrekeyRow | undefined;
    for (const row of this.#context.memory.prekeys.values()) {
      if (newest === undefined || row.createdAtMs > newest.createdAtMs || (row.createdAtMs === newest.createdAtMs && row.prekeyId > newest.prekeyId)) newest = row;
    }
    if (newest !== undefined && now.wallMs - newest.createdAtMs < prekeyRotationMs) return newest;
    // A clock set back must not rotate at every look: the newest key stays until a week after its own date.
    const secretKey = this.#context.random(32);
    const prekeyId = (newest?.prekeyId ?? 0) + 1;
    const bundle = createPrekeyBundle(this.#context.crypto, {
      identity: this.#context.publicKey, deviceId: this.#context.device.deviceId, prekeyId,
      prekey: this.#context.crypto.x25519PublicKey(secretKey), createdSeconds: Math.floor(now.wallMs / 1000), ed25519Seed: this.#context.device.ed25519Seed,
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
    if (![...this.#context.memory.relays.keys()].every((key) => this.#prekeyAcknowledged.has(key))) return;
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
