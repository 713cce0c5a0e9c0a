/**
 * The good answer to `resolve`: an identity record, and the prekey bundle of its first device where there is one. Signed objects as they were published, so that
 * it does not matter who hands them on.
 */
import { Reader, Writer } from './bytes.ts';
import { prekeyBundleBytes } from './prekey-bundle.ts';
import { identityRecordMaximumBytes } from './record.ts';

/** Of both parts, each after its length (2). */
export const resolvedMaximumBytes = 2 + identityRecordMaximumBytes + 2 + prekeyBundleBytes;
/** The longest does not fit one frame. */
const fragmentBytes = 1_149;

export interface Resolved {
  readonly record: Uint8Array;
  readonly bundle: Uint8Array | undefined;
}

/** One payload, or two. @throws RangeError for a record longer than any. */
export function encodeResolved({ record, bundle }: Resolved): readonly Uint8Array[] {
  if (record.length === 0 || record.length > identityRecordMaximumBytes) throw new RangeError('there is no identity record of that length');
  const writer = new Writer().u16(record.length).bytes(record).u16(bundle === undefined ? 0 : prekeyBundleBytes);
  if (bundle !== undefined) writer.bytes(bundle, prekeyBundleBytes);
  const bytes = writer.finish();
  const payloads: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += fragmentBytes) payloads.push(bytes.subarray(start, start + fragmentBytes));
  return payloads;
}

/** Views of what came where that is one payload. Says nothing of what the parts are; undefined for lengths that no such parts have. */
export function decodeResolved(payloads: readonly Uint8Array[]): Resolved | undefined {
  let sizeBytes = 0;
  for (const payload of payloads) sizeBytes += payload.length;
  if (sizeBytes > resolvedMaximumBytes) return undefined;
  const reader = new Reader(payloads.length === 1 ? payloads[0] ?? new Uint8Array(0) : joined(payloads, sizeBytes));
  const record = reader.bytes(reader.u16());
  const bundleBytes = reader.u16();
  const bundle = reader.bytes(bundleBytes);
  if (!reader.atEnd || record.length === 0 || record.length > identityRecordMaximumBytes || (bundleBytes !== 0 && bundleBytes !== prekeyBundleBytes)) return undefined;
  return { record, bundle: bundleBytes === 0 ? undefined : bundle };
}

function joined(payloads: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const payload of payloads) {
    whole.set(payload, offset);
    offset += payload.length;
  }
  return whole;
}
