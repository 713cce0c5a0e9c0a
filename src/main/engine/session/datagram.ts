/** Layout of the six datagrams (docs/protocol.md, section 1). Decoding never throws and never copies. */
import { Reader, Writer, utf8Encode } from '../wire/bytes.ts';
import { datagramMaximumBytes } from '../wire/frame.ts';
import { datagramLimitBytes } from '../wire/limits.ts';
import { tunnelledMaximumBytes } from '../circuits/tunnel.ts';
import { handshakeDatagramBytes } from './constants.ts';
import type { DropReason } from './types.ts';

export type PatternName = 'IK' | 'XX';
const patternCodes: Readonly<Record<PatternName, number>> = { IK: 1, XX: 2 };
const versionsMaximum = 8;
/** The only one that may be longer than 1,200 bytes: it is authenticated before anything is done with it. */
const transportType = 4;
const cookieBytes = 16;
/** Type, receiver index, counter. */
export const transportHeaderBytes = 1 + 4 + 8;
export const tagBytes = 16;
const twoToThe32 = 0x1_0000_0000;
export const noCookie = new Uint8Array(cookieBytes);

export type Datagram =
  | { readonly type: 'handshake-1'; readonly pattern: PatternName; readonly senderIndex: number; readonly cookie: Uint8Array; readonly versions: Uint8Array; readonly message: Uint8Array }
  | { readonly type: 'handshake-2' | 'handshake-3'; readonly senderIndex: number; readonly receiverIndex: number; readonly message: Uint8Array }
  | { readonly type: 'transport'; readonly receiverIndex: number; readonly counter: number; readonly ciphertext: Uint8Array }
  | { readonly type: 'cookie'; readonly receiverIndex: number; readonly cookie: Uint8Array }
  | { readonly type: 'unknown-session'; readonly receiverIndex: number; readonly token: Uint8Array };

export function decodeDatagram(bytes: Uint8Array): Datagram | DropReason {
  if (bytes.length === 0) return 'empty';
  if (bytes[0] === transportType) return decodeTransport(bytes);
  if (bytes.length > datagramMaximumBytes) return 'too-long';
  const reader = new Reader(bytes);
  const type = reader.u8();
  switch (type) {
    case 1: {
      if (bytes.length !== handshakeDatagramBytes && bytes.length !== tunnelledMaximumBytes) return 'truncated';
      const code = reader.u8();
      const senderIndex = reader.u32();
      const cookie = reader.bytes(cookieBytes);
      const versionCount = reader.u8();
      if (versionCount === 0 || versionCount > versionsMaximum) return 'bad-version';
      const versions = reader.bytes(versionCount);
      const message = reader.rest();
      const pattern = code === patternCodes.IK ? 'IK' : code === patternCodes.XX ? 'XX' : undefined;
      if (!reader.ok || pattern === undefined) return 'truncated';
      return { type: 'handshake-1', pattern, senderIndex, cookie, versions, message };
    }
    case 2: case 3: {
      const senderIndex = reader.u32();
      const receiverIndex = reader.u32();
      const message = reader.rest();
      return reader.ok ? { type: type === 2 ? 'handshake-2' : 'handshake-3', senderIndex, receiverIndex, message } : 'truncated';
    }
    case 5: case 6: {
      const receiverIndex = reader.u32();
      const sixteen = reader.bytes(16);
      if (!reader.ok || !reader.atEnd) return 'truncated';
      return type === 5 ? { type: 'cookie', receiverIndex, cookie: sixteen } : { type: 'unknown-session', receiverIndex, token: sixteen };
    }
    default: return 'unknown-type';
  }
}

/** Nearly all datagrams are such: without a reader, which costs as much as the rest of the session's work on one. */
function decodeTransport(bytes: Uint8Array): Datagram | DropReason {
  if (bytes.length > datagramLimitBytes) return 'too-long';
  if (bytes.length < transportHeaderBytes + tagBytes) return 'truncated';
  const counter = readUint32(bytes, 5) * twoToThe32 + readUint32(bytes, 9);
  if (!Number.isSafeInteger(counter)) return 'truncated';
  return { type: 'transport', receiverIndex: readUint32(bytes, 1), counter, ciphertext: bytes.subarray(transportHeaderBytes) };
}

/** What both sides must have seen alike; a changed pattern or version list breaks the handshake. */
export function prologue(pattern: PatternName, versions: Uint8Array): Uint8Array {
  const text = utf8Encode('waypost link');
  const bytes = new Uint8Array(text.length + 2 + versions.length);
  bytes.set(text);
  bytes[text.length] = patternCodes[pattern];
  bytes[text.length + 1] = versions.length;
  bytes.set(versions, text.length + 2);
  return bytes;
}

export const handshake1HeaderBytes = (versionCount: number): number => 1 + 1 + 4 + cookieBytes + 1 + versionCount;

export function encodeHandshake1(pattern: PatternName, senderIndex: number, versions: Uint8Array, message: Uint8Array): Uint8Array {
  return new Writer().u8(1).u8(patternCodes[pattern]).u32(senderIndex).bytes(noCookie).u8(versions.length).bytes(versions).bytes(message).finish();
}

/** The cookie goes into a repeated message; everything else of it stays. */
export function withCookie(handshake1: Uint8Array, cookie: Uint8Array): Uint8Array {
  const copy = handshake1.slice();
  copy.set(cookie, 6);
  return copy;
}

export function encodeHandshake(type: 2 | 3, senderIndex: number, receiverIndex: number, message: Uint8Array): Uint8Array {
  return new Writer().u8(type).u32(senderIndex).u32(receiverIndex).bytes(message).finish();
}

/** The header of a transport datagram, at its start; the ciphertext belongs at `transportHeaderBytes`. Byte by byte, since a DataView for each packet costs more. */
export function writeTransportHeader(datagram: Uint8Array, receiverIndex: number, counter: number): void {
  datagram[0] = transportType;
  writeUint32(datagram, 1, receiverIndex);
  writeUint32(datagram, 5, Math.floor(counter / twoToThe32));
  writeUint32(datagram, 9, counter >>> 0);
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

const readUint32 = (bytes: Uint8Array, offset: number): number =>
  (((bytes[offset] ?? 0) << 24) | ((bytes[offset + 1] ?? 0) << 16) | ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0)) >>> 0;

export function encodeShort(type: 5 | 6, receiverIndex: number, sixteen: Uint8Array): Uint8Array {
  return new Writer().u8(type).u32(receiverIndex).bytes(sixteen).finish();
}
