/** The handshake as `docs/protocol.md` lays it out, written here once more from the document: payloads that our own code would never send. */
import { HandshakeState, generateKeyPair } from '../../src/main/engine/noise/index.ts';
import { concatBytes, utf8Encode, Writer } from '../../src/main/engine/wire/bytes.ts';
import type { Crypto, KeyPair, RandomBytes } from '../../src/main/engine/crypto.ts';

export type Pattern = 'IK' | 'XX';

const patternCodes: Readonly<Record<Pattern, number>> = { IK: 1, XX: 2 };
const versions = new Uint8Array([1]);
export const handshakeBytes = 1_200;
export const cookieBytes = 16;
const cookieOffset = 6;
/** Type, pattern, index, cookie, version count, one version. */
const headerBytes = 1 + 1 + 4 + cookieBytes + 1 + 1;

export function newHandshake(crypto: Crypto, random: RandomBytes, pattern: Pattern, staticKeyPair: KeyPair, remoteStatic: Uint8Array | undefined): HandshakeState {
  const prologue = concatBytes(utf8Encode('waypost link'), new Uint8Array([patternCodes[pattern], versions.length]), versions);
  return new HandshakeState({
    crypto, pattern, initiator: true, prologue, staticKeyPair,
    ...(pattern === 'IK' && remoteStatic !== undefined ? { remoteStatic } : {}),
    generateKeyPair: () => generateKeyPair(crypto, random),
  });
}

export function genuinePayload(random: RandomBytes, certificate: Uint8Array): Uint8Array {
  const capability = utf8Encode('waypost/1');
  return new Writer().u8(0).u8(0).bytes(random(8)).zeros(16).u16(certificate.length).bytes(certificate).u8(1).u8(capability.length).bytes(capability).finish();
}

/** A datagram of exactly 1,200 bytes; the payload is padded, or cut where it does not fit. */
export function handshake1(state: HandshakeState, pattern: Pattern, index: number, payload: Uint8Array): Uint8Array {
  const padded = new Uint8Array(handshakeBytes - headerBytes - state.nextOverheadBytes);
  padded.set(payload.subarray(0, padded.length));
  return new Writer().u8(1).u8(patternCodes[pattern]).u32(index).zeros(cookieBytes).u8(versions.length).bytes(versions).bytes(state.writeMessage(padded)).finish();
}

export function withCookie(datagram: Uint8Array, cookie: Uint8Array): Uint8Array {
  const copy = datagram.slice();
  copy.set(cookie, cookieOffset);
  return copy;
}

export const handshake3 = (index: number, receiverIndex: number, message: Uint8Array): Uint8Array => new Writer().u8(3).u32(index).u32(receiverIndex).bytes(message).finish();

export const transport = (receiverIndex: number, counter: number, ciphertext: Uint8Array): Uint8Array => new Writer().u8(4).u32(receiverIndex).u64(counter).bytes(ciphertext).finish();
