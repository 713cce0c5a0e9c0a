/** Layout of the six datagrams (docs/protocol.md, section 1). Decoding never throws and never copies. */
import { Reader, Writer, utf8Encode } from '../wire/bytes.ts';
import { datagramMaximumBytes } from '../wire/frame.ts';
import { datagramLimitBytes } from '../wire/limits.ts';
import { handshakeDatagramBytes } from './constants.ts';
import type { DropReason } from './types.ts';

export type PatternName = 'IK' | 'XX';
const patternCodes: Readonly<Record<PatternName, number>> = { IK: 1, XX: 2 };
const versionsMaximum = 8;
/** The only one that may be longer than 1,200 bytes: it is authenticated before anything is done with it. */
const transportType = 4;
const cookieBytes = 16;
export const noCookie = new Uint8Array(cookieBytes);

export type Datagram =
  | { readonly type: 'handshake-1'; readonly pattern: PatternName; readonly senderIndex: number; readonly cookie: Uint8Array; readonly versions: Uint8Array; readonly message: Uint8Array }
  | { readonly type: 'handshake-2' | 'handshake-3'; readonly senderIndex: number; readonly receiverIndex: number; readonly message: Uint8Array }
  | { readonly type: 'transport'; readonly receiverIndex: number; readonly counter: number; readonly ciphertext: Uint8Array }
  | { readonly type: 'cookie'; readonly receiverIndex: number; readonly cookie: Uint8Array }
  | { readonly type: 'unknown-session'; readonly receiverIndex: number; readonly token: Uint8Array };

export function decodeDatagram(bytes: Uint8Array): Datagram | DropReason {
  if (bytes.length === 0) return 'empty';
  if (bytes.length > (bytes[0] === transportType ? datagramLimitBytes : datagramMaximumBytes)) return 'too-long';
  const reader = new Reader(bytes);
  const type = reader.u8();
  switch (type) {
    case 1: {
      if (bytes.length !== handshakeDatagramBytes) return 'truncated';
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
    case transportType: {
      const receiverIndex = reader.u32();
      const counter = reader.u64();
      const ciphertext = reader.rest();
      return reader.ok && ciphertext.length >= 16 ? { type: 'transport', receiverIndex, counter, ciphertext } : 'truncated';
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

export function encodeTransport(receiverIndex: number, counter: number, ciphertext: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(13 + ciphertext.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = transportType;
  view.setUint32(1, receiverIndex);
  view.setUint32(5, Math.floor(counter / 0x1_0000_0000));
  view.setUint32(9, counter >>> 0);
  bytes.set(ciphertext, 13);
  return bytes;
}

export function encodeShort(type: 5 | 6, receiverIndex: number, sixteen: Uint8Array): Uint8Array {
  return new Writer().u8(type).u32(receiverIndex).bytes(sixteen).finish();
}
