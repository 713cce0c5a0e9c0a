/** Identity records: which devices and relays an identity has now. Ordered by sequence, held and handed on by relays as received. */
import { Reader, Writer, concatBytes } from './bytes.ts';
import { certificateBytes, decodeCertificate, verifyCertificate } from './certificate.ts';
import { readPublicKey, writePublicKey } from './fields.ts';
import { identityPublicKey, identitySignatureBytes, signIdentity, verifyIdentity } from './identity.ts';
import { readRelayHints, relayHintMaximumBytes, relaysMaximum, writeRelayHints } from './relay-hint.ts';
import type { DeviceCertificate, IdentityRecord, RelayHint } from './types.ts';

export { createPrekeyBundle, decodePrekeyBundle, prekeyBundleBytes, verifyPrekeyBundle } from './prekey-bundle.ts';

const recordVersion = 1;
/** With three devices and three of the longest relay hints a record still fits one response frame and one publish request. */
export const devicesMaximum = 3;
/** Version, identity, sequence, end, two counts, signature. */
const recordFixedBytes = 1 + 33 + 8 + 8 + 1 + 1 + identitySignatureBytes;
export const identityRecordMaximumBytes = recordFixedBytes + devicesMaximum * certificateBytes + relaysMaximum * relayHintMaximumBytes;

export interface IdentityRecordArguments {
  readonly identitySecret: Uint8Array;
  readonly sequence: number;
  readonly notAfterSeconds: number;
  readonly devices: readonly DeviceCertificate[];
  readonly relays: readonly RelayHint[];
}

/** @throws RangeError for no device, more than 3, devices of another identity or twice the same, and more than 3 relays. */
export function createIdentityRecord(options: IdentityRecordArguments): IdentityRecord {
  const writer = new Writer().u8(recordVersion);
  writePublicKey(writer, identityPublicKey(options.identitySecret));
  writer.u64(options.sequence).u64(options.notAfterSeconds).u8(options.devices.length);
  for (const device of options.devices) writer.bytes(device.bytes, certificateBytes);
  writeRelayHints(writer, options.relays);
  const signed = writer.finish();
  const record = decodeIdentityRecord(concatBytes(signed, signIdentity('waypost identity record v1', signed, options.identitySecret)));
  if (record === undefined) throw new RangeError('an identity record needs one to three different devices of its identity');
  return record;
}

/** Structure only, with one copy of the bytes: call `verifyIdentityRecord` before believing it. */
export function decodeIdentityRecord(bytes: Uint8Array): IdentityRecord | undefined {
  if (bytes.length > identityRecordMaximumBytes) return undefined;
  const own = new Uint8Array(bytes);
  const reader = new Reader(own);
  if (reader.u8() !== recordVersion) return undefined;
  const identity = readPublicKey(reader);
  const sequence = reader.u64();
  const notAfterSeconds = reader.u64();
  const devices = readDevices(reader);
  const relays = readRelayHints(reader);
  reader.bytes(identitySignatureBytes);
  if (devices === undefined || !reader.atEnd || devices.some((device) => device.identity !== identity)) return undefined;
  return { identity, sequence, notAfterSeconds, devices, relays, bytes: own };
}

function readDevices(reader: Reader): readonly DeviceCertificate[] | undefined {
  const count = reader.u8();
  if (count < 1 || count > devicesMaximum) return undefined;
  const devices: DeviceCertificate[] = [];
  while (devices.length < count) {
    const device = decodeCertificate(reader.bytes(certificateBytes));
    if (device === undefined || devices.some((other) => other.deviceId === device.deviceId)) return undefined;
    devices.push(device);
  }
  return devices;
}

/** Whether the identity signed the record and every certificate in it. Says nothing of their validity in time. */
export function verifyIdentityRecord(record: IdentityRecord): boolean {
  const { bytes } = record;
  if (bytes.length <= identitySignatureBytes) return false;
  const signed = bytes.subarray(0, bytes.length - identitySignatureBytes);
  const signature = bytes.subarray(bytes.length - identitySignatureBytes);
  return verifyIdentity('waypost identity record v1', signed, signature, record.identity)
    && record.devices.every((device) => device.identity === record.identity && verifyCertificate(device));
}
