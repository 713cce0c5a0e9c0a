/**
 * Layout of the datagrams by which a relay tells how it sees a packet (docs/protocol.md, section 9). They stand outside of sessions, because they come from
 * and go to sockets that have none; the key of a ticket, which was given inside a session, makes them authentic. Each value is sealed
 * at most once: its nonce is what it is (`Role`) and the number of the probe.
 *
 * Decoding never throws; byte fields are views of the input. What is sealed is opened in a second step, by whoever has the key.
 */
import { Reader, Writer, concatBytes, isAllZero } from '../wire/bytes.ts';
import { addressBytes, decodeAddress, encodeAddress } from '../wire/socket-address.ts';
import type { Crypto } from '../crypto.ts';
import type { SocketAddress } from '../wire/types.ts';
import type { AnswerFrom } from './types.ts';

/** Types 7 to 10; `datagram.ts` of the sessions has 1 to 6. */
const probeType = 7;
const answerType = 8;
const requestType = 9;
const markType = 10;

export const ticketIdBytes = 8;
export const ticketKeyBytes = 32;
/** A ticket's probes are bits of one number in the relay's table. */
export const probesMaximum = 32;
const tagBytes = 16;
const nonceBytes = 12;
/** Type, answer from, ticket, number. */
const probeHeaderBytes = 1 + 1 + ticketIdBytes + 1;
const nameBytes = ticketIdBytes + 1;
/** The other relay's address, and its ticket, number and permission. */
const otherBytes = addressBytes + nameBytes + tagBytes;
/** Of each probe, whatever it asks for: more than anything that it makes a relay send. */
export const probeBytes = 128;
const probeBodyBytes = probeBytes - probeHeaderBytes - tagBytes;
/** What a relay saw, sealed for the owner of its ticket: ticket, number, sealed address. */
const sightBytes = nameBytes + addressBytes + tagBytes;
export const answerBytes = 1 + 1 + sightBytes;
/** Passed on by another relay, which seals the whole of it once more. */
export const passedAnswerBytes = 1 + 1 + nameBytes + sightBytes + tagBytes;
/** Which a relay gives for the place that it saw a probe come from: when (seconds of its own), and that it was itself (`passes.ts`). */
export const passBytes = 4 + 16;
/** An answer that brings a pass: type, kind, name, sealed address and pass. */
export const passAnswerBytes = 1 + 1 + nameBytes + addressBytes + passBytes + tagBytes;
/** Of a mark: nobody guesses it. */
export const markNonceBytes = 16;
export const requestBytes = 1 + nameBytes + tagBytes + addressBytes + sightBytes;

/** Apart, so that nothing sealed for one purpose passes for another. */
const roles = { probe: 1, sight: 2, permission: 3, passed: 4, pass: 5 } as const;
type Role = keyof typeof roles;
/** `pass`: as `asked`, and the answer brings a pass. `by-pass`: the answer goes to the place of a pass that is shown. */
export type ProbeAsks = AnswerFrom | 'pass' | 'by-pass';
const probeAsks = ['asked', 'other-port', 'other-relay', 'pass', 'by-pass'] as const satisfies readonly ProbeAsks[];
const nothing = new Uint8Array(0);

/** One probe of one ticket: never used twice. */
export interface ProbeName {
  /** 8 bytes. */
  readonly ticket: Uint8Array;
  /** From 1. */
  readonly number: number;
}

/** Another relay that is to answer, by its own ticket. */
export interface OtherRelay {
  readonly address: SocketAddress;
  readonly name: ProbeName;
  /** 16 bytes by which it knows that its ticket's owner wants this. */
  readonly permission: Uint8Array;
}

/** A place from which a relay saw a probe come: whoever shows this to the relay has an answer sent there. */
export interface Pass {
  readonly place: SocketAddress;
  /** 20 bytes that the relay alone can make. */
  readonly bytes: Uint8Array;
}

/** What one relay saw, for the owner of its ticket alone; others pass it on. */
export interface Sight {
  readonly name: ProbeName;
  readonly sealed: Uint8Array;
}

export type ObserveDatagram =
  | { readonly type: 'probe'; readonly name: ProbeName; readonly answerFrom: ProbeAsks; readonly header: Uint8Array; readonly sealed: Uint8Array }
  | { readonly type: 'answer'; readonly sight: Sight }
  | { readonly type: 'pass-answer'; readonly name: ProbeName; readonly sealed: Uint8Array }
  | { readonly type: 'passed-answer'; readonly name: ProbeName; readonly sealed: Uint8Array }
  /** Our own, from one of our sockets to the outer address of another. */
  | { readonly type: 'mark'; readonly nonce: Uint8Array }
  | { readonly type: 'request'; readonly name: ProbeName; readonly permission: Uint8Array; readonly to: SocketAddress; readonly sight: Sight };

/** By the first byte alone: whose datagram this is. */
export const isObserveDatagram = (datagram: Uint8Array): boolean => {
  const type = datagram[0] ?? 0;
  return type >= probeType && type <= markType;
};

export function decodeObserve(bytes: Uint8Array): ObserveDatagram | undefined {
  const reader = new Reader(bytes);
  switch (reader.u8()) {
    case probeType: {
      const answerFrom = probeAsks[reader.u8() - 1];
      const name = readName(reader);
      const sealed = reader.rest();
      if (!reader.ok || answerFrom === undefined || bytes.length !== probeBytes) return undefined;
      return { type: 'probe', name, answerFrom, header: bytes.subarray(0, probeHeaderBytes), sealed };
    }
    case answerType: {
      const kind = reader.u8();
      if (kind === 1) {
        const sight = readSight(reader);
        return reader.atEnd ? { type: 'answer', sight } : undefined;
      }
      const name = readName(reader);
      if (kind === 3) {
        const sealed = reader.bytes(addressBytes + passBytes + tagBytes);
        return reader.atEnd ? { type: 'pass-answer', name, sealed } : undefined;
      }
      const sealed = reader.bytes(sightBytes + tagBytes);
      return kind === 2 && reader.atEnd ? { type: 'passed-answer', name, sealed } : undefined;
    }
    case requestType: {
      const name = readName(reader);
      const permission = reader.bytes(tagBytes);
      const to = decodeAddress(reader.bytes(addressBytes));
      const sight = readSight(reader);
      return reader.atEnd && to !== undefined ? { type: 'request', name, permission, to, sight } : undefined;
    }
    case markType: {
      const nonce = reader.bytes(markNonceBytes);
      return reader.atEnd ? { type: 'mark', nonce } : undefined;
    }
    default: return undefined;
  }
}

export const encodeMark = (nonce: Uint8Array): Uint8Array => new Writer(1 + markNonceBytes).u8(markType).bytes(nonce, markNonceBytes).finish();

/** A probe of `key`'s ticket; `other` exactly where another relay is to answer, `pass` exactly where one is shown. Undefined where an address in it is none. */
export function encodeProbe(crypto: Crypto, key: Uint8Array, name: ProbeName, answerFrom: ProbeAsks, other: OtherRelay | undefined, pass?: Pass): Uint8Array | undefined {
  if ((answerFrom === 'other-relay') !== (other !== undefined) || (answerFrom === 'by-pass') !== (pass !== undefined)) return undefined;
  const header = new Writer(probeHeaderBytes).u8(probeType).u8(probeAsks.indexOf(answerFrom) + 1);
  writeName(header, name);
  const body = new Writer(probeBodyBytes);
  if (other !== undefined) {
    const address = encodeAddress(other.address);
    if (address === undefined) return undefined;
    writeName(body.bytes(address), other.name).bytes(other.permission, tagBytes);
  }
  if (pass !== undefined) {
    const place = encodeAddress(pass.place);
    if (place === undefined) return undefined;
    body.bytes(place).bytes(pass.bytes, passBytes);
  }
  const start = header.finish();
  return concatBytes(start, crypto.aeadSeal(key, nonceOf('probe', name), start, body.zeros(probeBodyBytes - body.length).finish()));
}

/** Undefined when it is not authentic; `other` and `pass` as in `encodeProbe`. */
export function openProbe(crypto: Crypto, key: Uint8Array, probe: Extract<ObserveDatagram, { type: 'probe' }>): { readonly other: OtherRelay | undefined; readonly pass?: Pass } | undefined {
  const body = crypto.aeadOpen(key, nonceOf('probe', probe.name), probe.header, probe.sealed);
  if (body === undefined) return undefined;
  if (probe.answerFrom === 'by-pass') {
    const shown = new Reader(body.subarray(0, addressBytes + passBytes));
    const place = decodeAddress(shown.bytes(addressBytes));
    const bytes = shown.bytes(passBytes);
    return place !== undefined && isAllZero(body.subarray(addressBytes + passBytes)) ? { other: undefined, pass: { place, bytes } } : undefined;
  }
  if (probe.answerFrom !== 'other-relay') return isAllZero(body) ? { other: undefined } : undefined;
  const reader = new Reader(body.subarray(0, otherBytes));
  const address = decodeAddress(reader.bytes(addressBytes));
  const name = readName(reader);
  const permission = reader.bytes(tagBytes);
  return reader.atEnd && address !== undefined && isAllZero(body.subarray(otherBytes)) ? { other: { address, name, permission } } : undefined;
}

/** `of`: this probe of the first relay's ticket, and no other, may be answered by the second, under `name` of its own ticket. */
export const permit = (crypto: Crypto, key: Uint8Array, name: ProbeName, of: ProbeName): Uint8Array => crypto.aeadSeal(key, nonceOf('permission', name), nameOf(of), nothing);
export const isPermitted = (crypto: Crypto, key: Uint8Array, name: ProbeName, of: ProbeName, permission: Uint8Array): boolean =>
  crypto.aeadOpen(key, nonceOf('permission', name), nameOf(of), permission) !== undefined;

/** Undefined for an address that is none. */
export function sealSight(crypto: Crypto, key: Uint8Array, name: ProbeName, seen: SocketAddress): Sight | undefined {
  const address = encodeAddress(seen);
  return address === undefined ? undefined : { name, sealed: crypto.aeadSeal(key, nonceOf('sight', name), nameOf(name), address) };
}

export function openSight(crypto: Crypto, key: Uint8Array, sight: Sight): SocketAddress | undefined {
  const address = crypto.aeadOpen(key, nonceOf('sight', sight.name), nameOf(sight.name), sight.sealed);
  return address === undefined ? undefined : decodeAddress(address);
}

export const encodeAnswer = (sight: Sight): Uint8Array => writeSight(new Writer(answerBytes).u8(answerType).u8(1), sight).finish();

/** The answer to a probe that asks for a pass; undefined for an address that is none. */
export function encodePassAnswer(crypto: Crypto, key: Uint8Array, name: ProbeName, pass: Pass): Uint8Array | undefined {
  const place = encodeAddress(pass.place);
  if (place === undefined) return undefined;
  const sealed = crypto.aeadSeal(key, nonceOf('pass', name), nameOf(name), concatBytes(place, pass.bytes));
  return writeName(new Writer(passAnswerBytes).u8(answerType).u8(3), name).bytes(sealed, addressBytes + passBytes + tagBytes).finish();
}

/** Undefined when it is not authentic; the bytes are a copy. */
export function openPassAnswer(crypto: Crypto, key: Uint8Array, answer: Extract<ObserveDatagram, { type: 'pass-answer' }>): Pass | undefined {
  const opened = crypto.aeadOpen(key, nonceOf('pass', answer.name), nameOf(answer.name), answer.sealed);
  const place = opened === undefined ? undefined : decodeAddress(opened.subarray(0, addressBytes));
  return opened === undefined || place === undefined ? undefined : { place, bytes: opened.slice(addressBytes) };
}

export function encodePassedAnswer(crypto: Crypto, key: Uint8Array, name: ProbeName, sight: Sight): Uint8Array {
  const inner = writeSight(new Writer(sightBytes), sight).finish();
  const writer = new Writer(passedAnswerBytes).u8(answerType).u8(2);
  return writeName(writer, name).bytes(crypto.aeadSeal(key, nonceOf('passed', name), nameOf(name), inner)).finish();
}

/** What the other relay passed on; undefined when it is not authentic. */
export function openPassedAnswer(crypto: Crypto, key: Uint8Array, answer: Extract<ObserveDatagram, { type: 'passed-answer' }>): Sight | undefined {
  const inner = crypto.aeadOpen(key, nonceOf('passed', answer.name), nameOf(answer.name), answer.sealed);
  return inner === undefined ? undefined : readSight(new Reader(inner));
}

/** Undefined for an address that is none. */
export function encodeRequestTo(other: Pick<OtherRelay, 'name' | 'permission'>, to: SocketAddress, sight: Sight): Uint8Array | undefined {
  const address = encodeAddress(to);
  if (address === undefined) return undefined;
  return writeSight(writeName(new Writer(requestBytes).u8(requestType), other.name).bytes(other.permission, tagBytes).bytes(address), sight).finish();
}

const nameOf = (name: ProbeName): Uint8Array => writeName(new Writer(nameBytes), name).finish();
const writeName = (writer: Writer, { ticket, number }: ProbeName): Writer => writer.bytes(ticket, ticketIdBytes).u8(number);
const writeSight = (writer: Writer, { name, sealed }: Sight): Writer => writeName(writer, name).bytes(sealed, addressBytes + tagBytes);

function readName(reader: Reader): ProbeName {
  const ticket = reader.bytes(ticketIdBytes);
  const number = reader.u8();
  if (number === 0 || number > probesMaximum) reader.fail();
  return { ticket, number };
}

const readSight = (reader: Reader): Sight => ({ name: readName(reader), sealed: reader.bytes(addressBytes + tagBytes) });

function nonceOf(role: Role, name: ProbeName): Uint8Array {
  const nonce = new Uint8Array(nonceBytes);
  nonce[0] = roles[role];
  nonce[nonceBytes - 1] = name.number;
  return nonce;
}
