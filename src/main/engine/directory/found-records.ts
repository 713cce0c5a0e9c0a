/** Records that somebody served, once they are proved: nobody is believed about another's, and of two the newer counts. */
import { equalBytes } from '../wire/bytes.ts';
import { decodeIdentityRecord, decodePrekeyBundle, verifyIdentityRecord, verifyPrekeyBundle } from '../wire/record.ts';
import type { Crypto } from '../crypto.ts';
import type { Resolved } from '../wire/resolved.ts';
import type { DeviceCertificate, IdentityRecord, PrekeyBundle, PublicKeyHex } from '../wire/types.ts';

export interface FoundRecords {
  readonly record: IdentityRecord;
  /** Of the record's first device. */
  readonly bundle: PrekeyBundle | undefined;
}

/**
 * Undefined for a record that is of somebody else or not signed; a bundle that the record's first device has not signed is left out.
 * @param known a record that was proved before: the same bytes are not verified again, since that costs milliseconds.
 */
export function proveRecords(crypto: Crypto, identity: PublicKeyHex, served: Resolved, known?: IdentityRecord): FoundRecords | undefined {
  const record = decodeIdentityRecord(served.record);
  const device = record?.devices[0];
  if (record === undefined || device === undefined || record.identity !== identity) return undefined;
  if (!(known !== undefined && equalBytes(known.bytes, record.bytes)) && !verifyIdentityRecord(record)) return undefined;
  const bundle = served.bundle === undefined ? undefined : decodePrekeyBundle(served.bundle);
  return { record, bundle: bundle !== undefined && verifyPrekeyBundle(crypto, bundle, device) ? bundle : undefined };
}

/** The record with the higher sequence - of two with the same the first - and the newer of the bundles that are of its device. */
export function newerRecords(left: FoundRecords | undefined, right: FoundRecords | undefined): FoundRecords | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const { record } = left.record.sequence >= right.record.sequence ? left : right;
  let bundle: PrekeyBundle | undefined;
  for (const one of [left, right]) {
    if (one.bundle === undefined || !isSameDevice(one.record.devices[0], record.devices[0])) continue;
    if (bundle === undefined || one.bundle.createdSeconds > bundle.createdSeconds) ({ bundle } = one);
  }
  return { record, bundle };
}

const isSameDevice = (left: DeviceCertificate | undefined, right: DeviceCertificate | undefined): boolean =>
  left !== undefined && right !== undefined && left.deviceId === right.deviceId && equalBytes(left.ed25519, right.ed25519);
