/** The six datagrams of `docs/protocol.md` section 1. Transport is the hot one and is read field by field by the core, not as an object. */
import { datagramMaximumBytes } from '../wire/frame.ts';
import { Reader, Writer } from '../wire/bytes.ts';
import { cookieBytes, handshakeOneBytes, resetTokenBytes, versionsMaximum } from './constants.ts';
import type { DropReason } from './types.ts';

export const datagramTypes = { handshakeOne: 1, handshakeTwo: 2, handshakeThree: 3, transport: 4, cookie: 5, unknownSession: 6 } as const;
export type HandshakePatternName = 'IK' | 'XX';

export interface HandshakeOne {
  readonly kind: 'handshake-1';
  readonly pattern: HandshakePatternName;
  readonly senderIndex: number;
  readonly cookie: Uint8Array;
  readonly versions: Uint8Array;
  readonly message: Uint8Array;
}
export interface HandshakeAnswer { readonly kind: 'handshake-2' | 'handshake-3'; readonly senderIndex: number; readonly receiverIndex: number; readonly message: Uint8Array }
export type ControlDatagram =
  | HandshakeOne
  | HandshakeAnswer
  | { readonly kind: 'cookie'; readonly receiverIndex: number; readonly cookie: Uint8Array }
  | { readonly kind: 'unknown-session'; readonly receiverIndex: number; readonly token: Uint8Array };

const transportHeaderBytes = 13;
const cookieOffset = 6;
/** Smallest Noise messages: IK and XX begin and go on with an ephemeral key (32) and a tag (16); message 3 has a sealed static key. */
const answerMinimumBytes = 9 + 48;
const highestExactUpperHalf = 0x1f_ffff;

export function decodeControlDatagram(bytes: Uint8Array): ControlDatagram | DropReason {
  if (bytes.length === 0) return 'empty';
  if (bytes.length > datagramMaximumBytes) return 'too-long';
  const reader = new Reader(bytes);
  switch (reader.u8()) {
    case datagramTypes.handshakeOne: return decodeHandshakeOne(bytes, reader);
    case datagramTypes.handshakeTwo: return decodeAnswer('handshake-2', bytes, reader);
    case datagramTypes.handshakeThree: return decodeAnswer('handshake-3', bytes, reader);
    case datagramTypes.cookie: {
      const receiverIndex = reader.u32();
      const cookie = reader.bytes(cookieBytes);
      return reader.ok ? (reader.atEnd ? { kind: 'cookie', receiverIndex, cookie } : 'too-long') : 'truncated';
    }
    case datagramTypes.unknownSession: {
      const receiverIndex = reader.u32();
      const token = reader.bytes(resetTokenBytes);
      return reader.ok ? (reader.atEnd ? { kind: 'unknown-session', receiverIndex, token } : 'too-long') : 'truncated';
    }
    default: return 'unknown-type';
  }
}

function decodeHandshakeOne(bytes: Uint8Array, reader: Reader): ControlDatagram | DropReason {
  if (bytes.length !== handshakeOneBytes) return 'truncated';
  const pattern = reader.u8();
  if (pattern !== 1 && pattern !== 2) return 'unknown-type';
  const senderIndex = reader.u32();
  const cookie = reader.bytes(cookieBytes);
  const count = reader.u8();
  if (count === 0 || count > versionsMaximum) return 'bad-version';
  const versions = reader.bytes(count);
  return { kind: 'handshake-1', pattern: pattern === 1 ? 'IK' : 'XX', senderIndex, cookie, versions, message: reader.rest() };
}

function decodeAnswer(kind: HandshakeAnswer['kind'], bytes: Uint8Array, reader: Reader): ControlDatagram | DropReason {
  if (bytes.length < answerMinimumBytes) return 'truncated';
  return { kind, senderIndex: reader.u32(), receiverIndex: reader.u32(), message: reader.rest() };
}

/** 1,200 bytes with a zero cookie; `setCookie` fills it in a copy. */
export function encodeHandshakeOne(pattern: HandshakePatternName, senderIndex: number, versions: Uint8Array, message: Uint8Array): Uint8Array {
  return new Writer(handshakeOneBytes).u8(datagramTypes.handshakeOne).u8(pattern === 'IK' ? 1 : 2).u32(senderIndex).zeros(cookieBytes)
    .u8(versions.length).bytes(versions).bytes(message).finish();
}

/** Room for a Noise message in handshake-1. */
export const handshakeOneRoomBytes = (versionCount: number): number => handshakeOneBytes - cookieOffset - cookieBytes - 1 - versionCount;

export function setCookie(handshakeOne: Uint8Array, cookie: Uint8Array): Uint8Array {
  const copy = handshakeOne.slice();
  copy.set(cookie, cookieOffset);
  return copy;
}

export function encodeAnswer(kind: HandshakeAnswer['kind'], senderIndex: number, receiverIndex: number, message: Uint8Array): Uint8Array {
  return new Writer(9 + message.length).u8(kind === 'handshake-2' ? datagramTypes.handshakeTwo : datagramTypes.handshakeThree)
    .u32(senderIndex).u32(receiverIndex).bytes(message).finish();
}

export const encodeCookie = (receiverIndex: number, cookie: Uint8Array): Uint8Array =>
  new Writer(5 + cookieBytes).u8(datagramTypes.cookie).u32(receiverIndex).bytes(cookie, cookieBytes).finish();

export const encodeUnknownSession = (receiverIndex: number, token: Uint8Array): Uint8Array =>
  new Writer(5 + resetTokenBytes).u8(datagramTypes.unknownSession).u32(receiverIndex).bytes(token, resetTokenBytes).finish();

export function encodeTransport(receiverIndex: number, counter: number, ciphertext: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(transportHeaderBytes + ciphertext.length);
  datagram[0] = datagramTypes.transport;
  writeU32(datagram, 1, receiverIndex);
  writeU32(datagram, 5, Math.floor(counter / 0x1_0000_0000));
  writeU32(datagram, 9, counter % 0x1_0000_0000);
  datagram.set(ciphertext, transportHeaderBytes);
  return datagram;
}

/** Of a datagram of at least 13 bytes. */
export const transportIndex = (datagram: Uint8Array): number => readU32(datagram, 1);
/** Undefined above 2^53 - 1, which no honest sender reaches. */
export function transportCounter(datagram: Uint8Array): number | undefined {
  const upper = readU32(datagram, 5);
  return upper > highestExactUpperHalf ? undefined : upper * 0x1_0000_0000 + readU32(datagram, 9);
}
export const transportCiphertext = (datagram: Uint8Array): Uint8Array => datagram.subarray(transportHeaderBytes);

function readU32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
