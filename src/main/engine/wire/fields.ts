/**
 * Identities, device ids and enumerations as fields. Packets carry identities whose curve equation is not checked here, since that costs
 * a square root: only the sign byte is. A key off the curve then has no mailbox, verifies nothing and dials nobody.
 */
import { fromHex, toHex } from './bytes.ts';
import type { Reader, Writer } from './bytes.ts';
import type { DeviceIdHex, Mailbox, PublicKeyHex } from './types.ts';

const publicKeyBytes = 33;
const deviceIdBytes = 16;
const noBytes = new Uint8Array(0);

export function readPublicKey(reader: Reader): PublicKeyHex {
  const bytes = reader.bytes(publicKeyBytes);
  if (bytes[0] !== 2 && bytes[0] !== 3) reader.fail();
  return toHex(bytes);
}

/** @throws RangeError when it is not 66 hex digits. */
export function writePublicKey(writer: Writer, publicKey: PublicKeyHex): void {
  writer.bytes(fromHex(publicKey) ?? noBytes, publicKeyBytes);
}

export const readDeviceId = (reader: Reader): DeviceIdHex => toHex(reader.bytes(deviceIdBytes));

/** @throws RangeError when it is not 32 hex digits. */
export function writeDeviceId(writer: Writer, deviceId: DeviceIdHex): void {
  writer.bytes(fromHex(deviceId) ?? noBytes, deviceIdBytes);
}

export function readMailbox(reader: Reader): Mailbox {
  const identity = readPublicKey(reader);
  return { identity, deviceId: readDeviceId(reader) };
}

export function writeMailbox(writer: Writer, mailbox: Mailbox): void {
  writePublicKey(writer, mailbox.identity);
  writeDeviceId(writer, mailbox.deviceId);
}

/** One byte: 0 for undefined, which is "not known", and else the number of the value, from 1 on. */
export const writeKnown = <const Value>(writer: Writer, values: readonly Value[], value: Value | undefined): void => { writeChoice(writer, [undefined, ...values], value); };

export function readKnown<const Value>(reader: Reader, values: readonly Value[]): Value | undefined {
  const number = reader.u8();
  if (number > values.length) reader.fail();
  return number === 0 ? undefined : values[number - 1];
}

/** One byte that indexes `values`; anything else fails the reader. `first` is the number of the first value. */
export function readChoice<const Value>(reader: Reader, values: readonly [Value, ...Value[]], first = 0): Value {
  const value = values[reader.u8() - first];
  if (value !== undefined) return value;
  reader.fail();
  return values[0];
}

/** @throws RangeError when `value` is not in `values`. */
export function writeChoice<const Value>(writer: Writer, values: readonly Value[], value: Value, first = 0): void {
  const index = values.indexOf(value);
  writer.u8(index < 0 ? -1 : index + first);
}
