/** What travels inside the Noise messages of a handshake: certificate, capabilities, boot id, reset token; bound to the transcript. */
import { Reader, Writer, utf8Decode, utf8Encode } from '../wire/bytes.ts';
import { payloadVersion } from './constants.ts';

const capabilitiesMaximum = 32;
const capabilityBytesMaximum = 32;
const certificateBytesMaximum = 255;

export interface HandshakePayload {
  readonly version: number;
  readonly bootId: Uint8Array;
  readonly resetToken: Uint8Array;
  /** Empty for anonymous initiators and in messages that do not carry it. */
  readonly certificate: Uint8Array;
  readonly capabilities: readonly string[];
}

/** Padded with zeros to `sizeBytes` when that is larger. */
export function encodePayload(payload: HandshakePayload, sizeBytes = 0): Uint8Array {
  const writer = new Writer().u8(payload.version).u8(0).bytes(payload.bootId).bytes(payload.resetToken).u16(payload.certificate.length).bytes(payload.certificate);
  writer.u8(payload.capabilities.length);
  for (const capability of payload.capabilities) {
    const text = utf8Encode(capability);
    writer.u8(text.length).bytes(text);
  }
  const bytes = writer.finish();
  if (bytes.length >= sizeBytes) return bytes;
  const padded = new Uint8Array(sizeBytes);
  padded.set(bytes);
  return padded;
}

export function decodePayload(bytes: Uint8Array): HandshakePayload | undefined {
  const reader = new Reader(bytes);
  const version = reader.u8();
  reader.u8();
  const bootId = reader.bytes(8).slice();
  const resetToken = reader.bytes(16).slice();
  const certificateLength = reader.u16();
  if (certificateLength > certificateBytesMaximum) return undefined;
  const certificate = reader.bytes(certificateLength).slice();
  const count = reader.u8();
  if (count > capabilitiesMaximum) return undefined;
  const capabilities: string[] = [];
  for (let index = 0; index < count && reader.ok; index += 1) {
    const length = reader.u8();
    if (length === 0 || length > capabilityBytesMaximum) return undefined;
    const text = utf8Decode(reader.bytes(length));
    if (text === undefined || !/^[\x21-\x7e]+$/.test(text)) return undefined;
    capabilities.push(text);
  }
  const padding = reader.rest();
  if (!reader.ok || version > payloadVersion || padding.some((byte) => byte !== 0)) return undefined;
  return { version, bootId, resetToken, certificate, capabilities };
}
