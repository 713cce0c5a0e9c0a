/**
 * Datagrams of NAT-PMP, RFC 6886, the predecessor of PCP on the same port: the external address, and a mapping of one UDP port. Reading never throws. The protocol has no
 * nonce: an answer is known by its sender and the internal port alone.
 */
import { Reader, Writer } from '../../wire/bytes.ts';
import { addressText, isUnicast, anyIpv4Field } from './address-field.ts';
import type { RefusalReason } from './port-control-types.ts';

export const natPmpVersion = 0;
/** Answers have at most 16 bytes; a longer one is none of this protocol, but a few bytes more do not harm. */
export const natPmpMaximumBytes = 64;
const operations = { address: 0, mapUdp: 1 } as const;
const answerBit = 0x80;
const mapRequestBytes = 12;
/** As much as it takes to know that it has another version. */
const versionAnswerBytes = 4;
const success = 0;
const unsupportedVersion = 1;

/** RFC 6886 section 3.5. */
const refusals: ReadonlyMap<number, RefusalReason> = new Map([[2, 'not-authorised'], [3, 'network-failure'], [4, 'no-resources']]);

export interface NatPmpMapRequest {
  readonly internalPort: number;
  /** 0: any. */
  readonly suggestedPort: number;
  /** 0 deletes the mapping. */
  readonly lifetimeSeconds: number;
}

export type NatPmpAnswer =
  | { readonly kind: 'address'; readonly host: string; readonly epochSeconds: number }
  | { readonly kind: 'mapped'; readonly internalPort: number; readonly externalPort: number; readonly lifetimeSeconds: number; readonly epochSeconds: number }
  | { readonly kind: 'deleted'; readonly internalPort: number; readonly epochSeconds: number }
  | { readonly kind: 'refused'; readonly operation: 'address' | 'map'; readonly reason: RefusalReason; readonly epochSeconds: number }
  /** It has NAT-PMP, and this is what it says to PCP. */
  | { readonly kind: 'unsupported-version' }
  | { readonly kind: 'unreadable'; readonly reason: NatPmpUnreadable };
export type NatPmpUnreadable = 'too-short' | 'too-long' | 'no-answer' | 'wrong-version' | 'unknown-operation' | 'no-usable-address' | 'no-port';

export function encodeNatPmpAddress(): Uint8Array {
  return Uint8Array.of(natPmpVersion, operations.address);
}

/** @throws RangeError for values of ours that do not fit. */
export function encodeNatPmpMap({ internalPort, suggestedPort, lifetimeSeconds }: NatPmpMapRequest): Uint8Array {
  return new Writer(mapRequestBytes).u8(natPmpVersion).u8(operations.mapUdp).zeros(2).u16(internalPort).u16(suggestedPort).u32(lifetimeSeconds).finish();
}

const unreadable = (reason: NatPmpUnreadable): NatPmpAnswer => ({ kind: 'unreadable', reason });

export function decodeNatPmp(bytes: Uint8Array): NatPmpAnswer {
  if (bytes.length > natPmpMaximumBytes) return unreadable('too-long');
  if (bytes.length < versionAnswerBytes) return unreadable('too-short');
  const reader = new Reader(bytes);
  const version = reader.u8();
  const operation = reader.u8();
  const result = reader.u16();
  if (version !== natPmpVersion) return unreadable('wrong-version');
  // Before the bit: section 3.5 shows this answer with operation 0, and devices do both.
  if (result === unsupportedVersion) return { kind: 'unsupported-version' };
  if ((operation & answerBit) === 0) return unreadable('no-answer');
  const epochSeconds = reader.u32();
  if (!reader.ok) return unreadable('too-short');
  switch (operation & ~answerBit) {
    case operations.address: return result === success ? readAddress(reader, epochSeconds) : refused('address', result, epochSeconds);
    case operations.mapUdp: return result === success ? readMap(reader, epochSeconds) : refused('map', result, epochSeconds);
    default: return unreadable('unknown-operation');
  }
}

function refused(operation: 'address' | 'map', result: number, epochSeconds: number): NatPmpAnswer {
  return { kind: 'refused', operation, reason: refusals.get(result) ?? 'unsupported', epochSeconds };
}

function readAddress(reader: Reader, epochSeconds: number): NatPmpAnswer {
  const address = reader.bytes(4);
  if (!reader.ok) return unreadable('too-short');
  // A gateway without a connection of its own says 0.0.0.0.
  if (address.every((byte) => byte === 0)) return { kind: 'refused', operation: 'address', reason: 'network-failure', epochSeconds };
  const field = anyIpv4Field.slice();
  field.set(address, field.length - address.length);
  const host = isUnicast(field) ? addressText(address) : undefined;
  return host === undefined ? unreadable('no-usable-address') : { kind: 'address', host, epochSeconds };
}

function readMap(reader: Reader, epochSeconds: number): NatPmpAnswer {
  const internalPort = reader.u16();
  const externalPort = reader.u16();
  const lifetimeSeconds = reader.u32();
  if (!reader.ok) return unreadable('too-short');
  if (lifetimeSeconds === 0) return { kind: 'deleted', internalPort, epochSeconds };
  return externalPort === 0 ? unreadable('no-port') : { kind: 'mapped', internalPort, externalPort, lifetimeSeconds, epochSeconds };
}
