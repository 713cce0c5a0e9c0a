/**
 * What people exchange: addresses (`pk`, `pk:port`, `dmsg://pk:port`) and invite links. All of it is pasted, scanned or clicked, so white
 * space around it (and inside a link that a mail program wrapped) is forgiven, and every other change is refused with a reason.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { base64urlnopad } from '@scure/base';
import { Reader, Writer, concatBytes, equalBytes, isAllZero } from './bytes.ts';
import { readPublicKey, writePublicKey } from './fields.ts';
import { isPublicKeyHex } from './identity.ts';
import { readName, writeName } from './names.ts';
import { readRelayHints, writeRelayHints } from './relay-hint.ts';
import type { Invite, PublicKeyHex } from './types.ts';

/** Skywire's chat application: what an address without a port means. */
export const defaultPort = 1;
const portMaximum = 65_535;

const invitePrefix = 'waypost://add/';
const inviteVersion = 1;
const tokenBytes = 16;
const checksumBytes = 4;
const noToken = new Uint8Array(tokenBytes);
/** The longest link has 14 + 563 characters; wrapping may add some. Nothing longer is looked at. */
const inputMaximumCharacters = 2_048;

const addressPattern = /^(?:dmsg:\/\/)?([0-9a-f]{66})(?::([1-9][0-9]{0,4}))?$/i;

export type ParsedInvite =
  | { readonly ok: true; readonly invite: Invite }
  | {
      readonly ok: false;
      /**
       * `checksum`: a link that was changed on its way. `truncated`: its end is missing. `version`: made by a newer Waypost. `bad-key`: reads
       * like an address, but no such key exists.
       */
      readonly reason: 'empty' | 'not-a-link' | 'checksum' | 'version' | 'truncated' | 'bad-key';
    };

/** `pk`, `pk:port` or `dmsg://pk:port`, digits in either case; the key must be on the curve. */
export function parseAddress(text: string): { readonly publicKey: PublicKeyHex; readonly port: number } | undefined {
  const address = matchAddress(text.trim());
  return address !== undefined && isPublicKeyHex(address.publicKey) ? address : undefined;
}

export const formatAddress = (publicKey: PublicKeyHex, port: number): string => `${publicKey}:${String(port)}`;

/** @throws RangeError for more than 3 relays, a token that is not 16 bytes or a port outside 1 to 65535. The name is cleaned and cut. */
export function encodeInviteLink(invite: Invite): string {
  if (invite.port < 1) throw new RangeError('an invite needs a port from 1 to 65535');
  const writer = new Writer().u8(inviteVersion);
  writePublicKey(writer, invite.publicKey);
  writer.u16(invite.port).bytes(invite.token ?? noToken, tokenBytes);
  writeName(writer, invite.name);
  writeRelayHints(writer, invite.relays);
  const content = writer.finish();
  return invitePrefix + base64urlnopad.encode(concatBytes(content, checksumOf(content)));
}

/** Invite links, `dmsg://` links and bare addresses; the latter two have no token, name or relays. */
export function parseInvite(text: string): ParsedInvite {
  if (text.length > inputMaximumCharacters) return failed(text.trim() === '' ? 'empty' : 'not-a-link');
  const trimmed = text.trim();
  if (trimmed === '') return failed('empty');
  // Schemes and hosts are alike in either case, and some programs change it.
  if (trimmed.slice(0, invitePrefix.length).toLowerCase() === invitePrefix) return parseLink(trimmed.slice(invitePrefix.length).replace(/\s+/g, ''));
  const address = matchAddress(trimmed);
  if (address === undefined) return failed('not-a-link');
  if (!isPublicKeyHex(address.publicKey)) return failed('bad-key');
  return { ok: true, invite: { ...address, token: undefined, name: '', relays: [] } };
}

function matchAddress(text: string): { readonly publicKey: PublicKeyHex; readonly port: number } | undefined {
  const match = addressPattern.exec(text);
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  return match?.[1] === undefined || port > portMaximum ? undefined : { publicKey: match[1].toLowerCase(), port };
}

function parseLink(encoded: string): ParsedInvite {
  const bytes = decodeBase64Url(encoded);
  const checked = bytes === undefined || bytes.length < checksumBytes ? undefined : bytes.subarray(0, bytes.length - checksumBytes);
  const intact = bytes !== undefined && checked !== undefined && equalBytes(bytes.subarray(checked.length), checksumOf(checked));
  // The checksum comes before the meaning of any byte, the version's too: versions keep the place of the checksum.
  if (!intact) return failed(looksCut(encoded) ? 'truncated' : 'checksum');
  if (checked[0] !== inviteVersion) return failed('version');
  const invite = readInvite(checked);
  if (invite === undefined) return failed('not-a-link');
  return [invite, ...invite.relays].every(({ publicKey }) => isPublicKeyHex(publicKey)) ? { ok: true, invite } : failed('bad-key');
}

function readInvite(content: Uint8Array): Invite | undefined {
  const reader = new Reader(content);
  reader.u8();
  const publicKey = readPublicKey(reader);
  const port = reader.u16();
  const token = reader.bytes(tokenBytes);
  const name = readName(reader);
  const relays = readRelayHints(reader);
  if (!reader.atEnd || port === 0) return undefined;
  return { publicKey, port, token: isAllZero(token) ? undefined : token, name, relays };
}

/**
 * Whether a link that fails its checksum is the beginning of a good one, which deserves another sentence than a changed one. All in one
 * case it has been folded, whatever else seems to be wrong: 78 characters and more of base64 never look like that.
 */
function looksCut(encoded: string): boolean {
  if (encoded === '') return true;
  if (!/^[A-Za-z0-9_-]+$/.test(encoded) || (encoded.length > 4 && (encoded === encoded.toLowerCase() || encoded === encoded.toUpperCase()))) return false;
  // The last character of a cut text may hold stray bits, or be one too many; a text that decodes whole is not shortened for that.
  const bytes = decodeBase64Url(encoded) ?? decodeBase64Url(encoded.slice(0, encoded.length - (encoded.length % 4)));
  if (bytes === undefined || (bytes.length > 0 && bytes[0] !== inviteVersion)) return false;
  // Good as far as it goes: the first thing wrong with it is that it ends.
  const reader = new Reader(bytes);
  reader.u8();
  readPublicKey(reader);
  reader.bytes(2 + tokenBytes);
  readName(reader);
  readRelayHints(reader);
  reader.bytes(checksumBytes);
  return reader.ranOut;
}

function decodeBase64Url(encoded: string): Uint8Array | undefined {
  try {
    return base64urlnopad.decode(encoded);
  } catch {
    // Characters outside the alphabet, an impossible length, or bits behind the last byte.
    return undefined;
  }
}

const checksumOf = (content: Uint8Array): Uint8Array => sha256(content).subarray(0, checksumBytes);

const failed = (reason: Extract<ParsedInvite, { ok: false }>['reason']): ParsedInvite => ({ ok: false, reason });
