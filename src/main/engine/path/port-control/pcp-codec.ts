/**
 * Datagrams of PCP, RFC 6887: what a client that maps one UDP port sends, and what a gateway answers. Reading never throws and never allocates by what is claimed; what
 * it cannot use it names with a reason. Whether an answer is to be believed (who sent it, whose nonce it has) is for port-control.ts to say.
 */
import { Reader, Writer } from '../../wire/bytes.ts';
import { addressField, addressFieldBytes, addressText, anyIpv4Field, anyIpv6Field, isIpv4Field, isUnicast } from './address-field.ts';
import type { RefusalReason } from './port-control-types.ts';
import type { SocketAddress } from '../../wire/types.ts';

export const pcpVersion = 2;
/** RFC 6887 section 11.1. */
export const pcpNonceBytes = 12;
/** RFC 6887 section 7: no message is longer. */
export const pcpMaximumBytes = 1_100;
const headerBytes = 24;
export const pcpMapBytes = 60;
const operations = { announce: 0, map: 1 } as const;
const answerBit = 0x80;
const protocolUdp = 17;
const unsupportedVersion = 1;
const success = 0;

/** RFC 6887 section 7.4. Codes that are not here mean that the gateway lacks something that it was asked for. */
const refusals: ReadonlyMap<number, RefusalReason> = new Map([
  [2, 'not-authorised'], [7, 'network-failure'], [8, 'no-resources'], [10, 'no-resources'], [11, 'no-resources'], [12, 'address-mismatch'],
]);

export interface PcpMapRequest {
  /** 12 bytes, the same for the life of a mapping. */
  readonly nonce: Uint8Array;
  /** 0 deletes the mapping. */
  readonly lifetimeSeconds: number;
  /** 16 bytes: the address that the datagram leaves from. */
  readonly clientField: Uint8Array;
  readonly internalPort: number;
  /** What we had before, or would like; undefined: anything. */
  readonly suggested: { readonly host: string | undefined; readonly port: number } | undefined;
}

/** What of the request comes back in an answer to it. */
export interface PcpEcho { readonly nonce: Uint8Array; readonly internalPort: number }

export type PcpAnswer =
  | { readonly kind: 'mapped'; readonly echo: PcpEcho; readonly external: SocketAddress; readonly lifetimeSeconds: number; readonly epochSeconds: number }
  /** `lifetimeSeconds`: for how long asking again is useless. */
  | { readonly kind: 'refused'; readonly echo: PcpEcho; readonly reason: RefusalReason; readonly lifetimeSeconds: number; readonly epochSeconds: number }
  | { readonly kind: 'deleted'; readonly echo: PcpEcho; readonly epochSeconds: number }
  /** The gateway has begun anew, or wants it to be known that it has not. */
  | { readonly kind: 'announced'; readonly epochSeconds: number }
  /** It answered, but with a version that we do not have in common. */
  | { readonly kind: 'other-version'; readonly version: number }
  | { readonly kind: 'unreadable'; readonly reason: PcpUnreadable };
export type PcpUnreadable = 'too-short' | 'too-long' | 'not-aligned' | 'no-answer' | 'wrong-version' | 'unknown-operation' | 'wrong-protocol' | 'no-usable-address' | 'no-port';

/** @throws RangeError for values of ours that do not fit. */
export function encodePcpMap({ nonce, lifetimeSeconds, clientField, internalPort, suggested }: PcpMapRequest): Uint8Array {
  const any = isIpv4Field(clientField) ? anyIpv4Field : anyIpv6Field;
  const suggestedField = suggested?.host === undefined ? any : addressField(suggested.host) ?? any;
  return new Writer(pcpMapBytes)
    .u8(pcpVersion).u8(operations.map).zeros(2).u32(lifetimeSeconds).bytes(clientField, addressFieldBytes)
    .bytes(nonce, pcpNonceBytes).u8(protocolUdp).zeros(3).u16(internalPort).u16(suggested?.port ?? 0).bytes(suggestedField, addressFieldBytes)
    .finish();
}

const unreadable = (reason: PcpUnreadable): PcpAnswer => ({ kind: 'unreadable', reason });

/** Options behind the fields of an answer are left alone: we ask for none. */
export function decodePcp(bytes: Uint8Array): PcpAnswer {
  if (bytes.length > pcpMaximumBytes) return unreadable('too-long');
  const reader = new Reader(bytes);
  const version = reader.u8();
  const operation = reader.u8();
  reader.u8();
  const result = reader.u8();
  if (!reader.ok) return unreadable('too-short');
  if ((operation & answerBit) === 0) return unreadable('no-answer');
  // Short on purpose: what another version puts behind this is not ours to know (RFC 6887 section 9).
  if (result === unsupportedVersion) return { kind: 'other-version', version };
  if (version !== pcpVersion) return unreadable('wrong-version');
  if (bytes.length < headerBytes) return unreadable('too-short');
  if (bytes.length % 4 !== 0) return unreadable('not-aligned');
  const lifetimeSeconds = reader.u32();
  const epochSeconds = reader.u32();
  reader.bytes(12);
  switch (operation & ~answerBit) {
    case operations.announce: return { kind: 'announced', epochSeconds };
    case operations.map: return readMap(reader, result, lifetimeSeconds, epochSeconds);
    default: return unreadable('unknown-operation');
  }
}

function readMap(reader: Reader, result: number, lifetimeSeconds: number, epochSeconds: number): PcpAnswer {
  const nonce = reader.bytes(pcpNonceBytes).slice();
  const protocol = reader.u8();
  reader.bytes(3);
  const internalPort = reader.u16();
  const port = reader.u16();
  const field = reader.bytes(addressFieldBytes);
  if (!reader.ok) return unreadable('too-short');
  if (protocol !== protocolUdp) return unreadable('wrong-protocol');
  const echo: PcpEcho = { nonce, internalPort };
  if (result !== success) return { kind: 'refused', echo, reason: refusals.get(result) ?? 'unsupported', lifetimeSeconds, epochSeconds };
  if (lifetimeSeconds === 0) return { kind: 'deleted', echo, epochSeconds };
  const host = isUnicast(field) ? addressText(field) : undefined;
  if (host === undefined) return unreadable('no-usable-address');
  if (port === 0) return unreadable('no-port');
  return { kind: 'mapped', echo, external: { host, port }, lifetimeSeconds, epochSeconds };
}
