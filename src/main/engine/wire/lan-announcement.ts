/**
 * The datagram by which visors in one local network find each other: type (1), version (1), kind (1), port of the sender's main socket (2), nonce (8), then entries of
 * tag (16) and proof (8). What the tags and proofs are is in path/lan-tags.ts; to whoever has not got the keys all of them are random.
 *
 * There are as many entries as one of a few sizes says, filled up at random: how many contacts somebody has does not show.
 */
import type { RandomBytes } from '../crypto.ts';
import { Reader, Writer } from './bytes.ts';

/** After the types of observing (docs/protocol.md, section 1). */
export const lanAnnouncementType = 0x0b;
const version = 1;
export const lanTagBytes = 16;
export const lanProofBytes = 8;
export const lanNonceBytes = 8;
const headerBytes = 1 + 1 + 1 + 2 + lanNonceBytes;
const entryBytes = lanTagBytes + lanProofBytes;
/** The largest makes a datagram of 1,165 bytes. */
export const lanEntryCounts = [8, 16, 32, 48] as const;
export const lanEntriesMaximum = 48;

/** `question`: who of my contacts is here? To everybody. `answer`: I am, to the one who asked. `knock`: I am about to dial you. */
export const lanKinds = ['question', 'answer', 'knock'] as const;
export type LanKind = (typeof lanKinds)[number];

export interface LanEntry { readonly tag: Uint8Array; readonly proof: Uint8Array }

export interface LanAnnouncement {
  readonly kind: LanKind;
  /** Of the main socket, not 0. */
  readonly port: number;
  /** 8 bytes; of an answer, those of the question. */
  readonly nonce: Uint8Array;
  readonly entries: readonly LanEntry[];
}

/** @throws RangeError for more than 48 entries, and for no port */
export function encodeLanAnnouncement({ kind, port, nonce, entries }: LanAnnouncement, random: RandomBytes): Uint8Array {
  const count = lanEntryCounts.find((size) => size >= entries.length);
  if (count === undefined || port < 1 || port > 0xffff) throw new RangeError('an announcement has at most 48 entries and a port');
  const writer = new Writer(headerBytes + count * entryBytes).u8(lanAnnouncementType).u8(version).u8(lanKinds.indexOf(kind) + 1).u16(port).bytes(nonce, lanNonceBytes);
  for (const { tag, proof } of entries) writer.bytes(tag, lanTagBytes).bytes(proof, lanProofBytes);
  return writer.bytes(random((count - entries.length) * entryBytes)).finish();
}

/** Undefined for anything that `encodeLanAnnouncement` would not have written. The entries are views of the datagram. */
export function decodeLanAnnouncement(bytes: Uint8Array): LanAnnouncement | undefined {
  const count = (bytes.length - headerBytes) / entryBytes;
  if (!lanEntryCounts.some((size) => size === count)) return undefined;
  const reader = new Reader(bytes);
  if (reader.u8() !== lanAnnouncementType || reader.u8() !== version) return undefined;
  const kind = lanKinds[reader.u8() - 1];
  const port = reader.u16();
  const nonce = reader.bytes(lanNonceBytes);
  if (kind === undefined || port === 0) return undefined;
  const entries: LanEntry[] = [];
  while (entries.length < count) entries.push({ tag: reader.bytes(lanTagBytes), proof: reader.bytes(lanProofBytes) });
  return reader.atEnd ? { kind, port, nonce, entries } : undefined;
}
