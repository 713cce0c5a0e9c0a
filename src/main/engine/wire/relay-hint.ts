/** Relay hints, where a relay is and who it must prove to be: as text `pk@host:port`, and as bytes in records, links and introductions. */
import { utf8Encode } from './bytes.ts';
import type { Reader, Writer } from './bytes.ts';
import { readPublicKey, writePublicKey } from './fields.ts';
import { canonicalHost, hostMaximumCharacters } from './host.ts';
import { isPublicKeyHex } from './identity.ts';
import type { RelayHint } from './types.ts';

/** A person's mailboxes are at two or three relays; more hints would only make records and links longer. */
export const relaysMaximum = 3;
/** Identity, host length, longest host, port. */
export const relayHintMaximumBytes = 33 + 1 + hostMaximumCharacters + 2;
/** Characters: 66 digits, at sign, longest host in brackets, colon and port. */
const relayHintTextMaximum = 66 + 1 + hostMaximumCharacters + 2 + 6;

const hintPattern = /^([0-9a-fA-F]{66})@(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]@/]+)):([1-9][0-9]{0,4})$/;
const portMaximum = 65_535;

/** Surrounding white space is ignored; the key must be on the curve. Undefined for anything else. */
export function parseRelayHint(text: string): RelayHint | undefined {
  const trimmed = text.trim();
  const match = trimmed.length > relayHintTextMaximum ? null : hintPattern.exec(trimmed);
  if (match === null) return undefined;
  const [, keyText = '', ipv6, name, portText = ''] = match;
  const publicKey = keyText.toLowerCase();
  const host = canonicalHost(ipv6 ?? name ?? '');
  const port = Number(portText);
  // Brackets belong to IPv6 and to nothing else: `[1.2.3.4]` is refused.
  if (host === undefined || host.includes(':') !== (ipv6 !== undefined) || port > portMaximum || !isPublicKeyHex(publicKey)) return undefined;
  return { publicKey, host, port };
}

export function formatRelayHint(hint: RelayHint): string {
  const host = hint.host.includes(':') ? `[${hint.host}]` : hint.host;
  return `${hint.publicKey}@${host}:${String(hint.port)}`;
}

/** Fails the reader unless the host is in canonical text and the port is not 0. */
export function readRelayHint(reader: Reader): RelayHint {
  const publicKey = readPublicKey(reader);
  const sizeBytes = reader.u8();
  if (sizeBytes > hostMaximumCharacters) reader.fail();
  // Byte by byte, so that nothing but ASCII can pass the check below.
  const host = String.fromCharCode(...reader.bytes(sizeBytes));
  const port = reader.u16();
  if (port === 0 || canonicalHost(host) !== host) reader.fail();
  return { publicKey, host, port };
}

/** @throws RangeError for a host or port that no reader would accept. */
export function writeRelayHint(writer: Writer, hint: RelayHint): void {
  if (canonicalHost(hint.host) !== hint.host || hint.port < 1) throw new RangeError('a relay hint needs a canonical host and a port from 1 to 65535');
  const host = utf8Encode(hint.host);
  writePublicKey(writer, hint.publicKey);
  writer.u8(host.length).bytes(host).u16(hint.port);
}

/** Count (1, at most 3), then the hints. */
export function readRelayHints(reader: Reader): readonly RelayHint[] {
  const count = reader.u8();
  if (count > relaysMaximum) reader.fail();
  const hints: RelayHint[] = [];
  while (reader.ok && hints.length < count) hints.push(readRelayHint(reader));
  return hints;
}

/** @throws RangeError for more than 3. */
export function writeRelayHints(writer: Writer, hints: readonly RelayHint[]): void {
  if (hints.length > relaysMaximum) throw new RangeError(`at most ${String(relaysMaximum)} relays, got ${String(hints.length)}`);
  writer.u8(hints.length);
  for (const hint of hints) writeRelayHint(writer, hint);
}
