/** What a handshake says besides keys (`docs/protocol.md` section 1): inside the Noise transcript, so nobody can strip or change it. */
import { concatBytes, isAllZero, Reader, utf8Decode, utf8Encode, Writer } from '../wire/bytes.ts';
import { bootIdBytes, capabilitiesMaximum, capabilityMaximumBytes, protocolVersion, resetTokenBytes } from './constants.ts';
import type { HandshakePatternName } from './datagram.ts';

export interface HandshakePayload {
  /** 0 in message 1, the chosen version in messages 2 and 3. */
  readonly version: number;
  readonly bootId: Uint8Array;
  /** 16 zero bytes from initiators. */
  readonly resetToken: Uint8Array;
  /** Empty from anonymous initiators. */
  readonly certificate: Uint8Array;
  readonly capabilities: readonly string[];
}

const certificateMaximumBytes = 256;
const printableAscii = /^[\x21-\x7e]+$/;

/** @throws RangeError for own capabilities that do not fit. */
export function encodePayload(payload: HandshakePayload, paddedBytes = 0): Uint8Array {
  if (payload.capabilities.length > capabilitiesMaximum) throw new RangeError(`at most ${String(capabilitiesMaximum)} capabilities, got ${String(payload.capabilities.length)}`);
  const writer = new Writer().u8(payload.version).u8(0).bytes(payload.bootId, bootIdBytes).bytes(payload.resetToken, resetTokenBytes)
    .u16(payload.certificate.length).bytes(payload.certificate).u8(payload.capabilities.length);
  for (const capability of payload.capabilities) {
    if (!printableAscii.test(capability) || capability.length > capabilityMaximumBytes) throw new RangeError(`a capability has 1 to ${String(capabilityMaximumBytes)} ASCII characters: ${capability}`);
    const bytes = utf8Encode(capability);
    writer.u8(bytes.length).bytes(bytes);
  }
  if (paddedBytes > 0) {
    if (writer.length > paddedBytes) throw new RangeError(`the handshake payload has ${String(writer.length)} bytes, more than ${String(paddedBytes)}`);
    writer.zeros(paddedBytes - writer.length);
  }
  return writer.finish();
}

/** Copies what it keeps. Undefined for anything that is not exactly a payload followed by zeros. */
export function decodePayload(bytes: Uint8Array): HandshakePayload | undefined {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (reader.u8() !== 0) return undefined;
  const bootId = reader.bytes(bootIdBytes).slice();
  const resetToken = reader.bytes(resetTokenBytes).slice();
  const certificateLength = reader.u16();
  if (certificateLength > certificateMaximumBytes) return undefined;
  const certificate = reader.bytes(certificateLength).slice();
  const count = reader.u8();
  if (!reader.ok || count > capabilitiesMaximum) return undefined;
  const capabilities: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const length = reader.u8();
    if (length > capabilityMaximumBytes) return undefined;
    const text = utf8Decode(reader.bytes(length));
    if (text === undefined || !printableAscii.test(text)) return undefined;
    capabilities.push(text);
  }
  const padding = reader.rest();
  if (!reader.atEnd || !isAllZero(padding)) return undefined;
  return { version, bootId, resetToken, certificate, capabilities };
}

const prologueName = utf8Encode('waypost link');

export const prologue = (pattern: HandshakePatternName, versions: Uint8Array): Uint8Array =>
  concatBytes(prologueName, Uint8Array.of(pattern === 'IK' ? 1 : 2, versions.length), versions);

export const ownVersions = Uint8Array.of(protocolVersion);
