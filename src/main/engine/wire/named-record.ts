/**
 * Named records: what an identity has published under a name. Ordered by sequence, held and handed on by relays as received, believed for the signature
 * alone and not after their time. Who withdraws a name publishes a record without content, since a record that is only deleted could be put back by anybody
 * who kept it.
 */
import { Reader, Writer, concatBytes, isAllZero, utf8Decode, utf8Encode } from './bytes.ts';
import { mediaTypePattern } from './content.ts';
import { readPublicKey, writePublicKey } from './fields.ts';
import { identityPublicKey, identitySignatureBytes, signIdentity, verifyIdentity } from './identity.ts';
import { namePathMaximumBytes, readNamePath, writeNamePath } from './name-path.ts';
import type { ContentName, NamedRecord } from './types.ts';

const recordVersion = 1;
const hashBytes = 32;
const mediaTypeMaximumBytes = 127;
/** Version, identity, path length, sequence, end, root, length, media type length, signature. */
const fixedBytes = 1 + 33 + 1 + 8 + 8 + hashBytes + 8 + 1 + identitySignatureBytes;
/** Fits one response frame and one publish request. */
export const namedRecordMaximumBytes = fixedBytes + namePathMaximumBytes + mediaTypeMaximumBytes;
const noRoot = new Uint8Array(hashBytes);

export interface NamedRecordArguments {
  readonly identitySecret: Uint8Array;
  readonly path: string;
  readonly sequence: number;
  readonly notAfterSeconds: number;
  /** Undefined withdraws the name. Not empty. */
  readonly content: ContentName | undefined;
  readonly mediaType: string;
}

/** @throws RangeError for what is no name, no media type or an empty content. */
export function createNamedRecord(options: NamedRecordArguments): NamedRecord {
  const { content, mediaType } = options;
  const writer = new Writer().u8(recordVersion);
  writePublicKey(writer, identityPublicKey(options.identitySecret));
  writeNamePath(writer, options.path);
  writer.u64(options.sequence).u64(options.notAfterSeconds).bytes(content?.root ?? noRoot, hashBytes).u64(content?.length ?? 0);
  writer.u8(mediaType.length).bytes(utf8Encode(mediaType));
  const signed = writer.finish();
  const record = decodeNamedRecord(concatBytes(signed, signIdentity('waypost named record v1', signed, options.identitySecret)));
  if (record === undefined || (content === undefined) !== (record.content === undefined)) throw new RangeError('a named record needs a media type and a content that is not empty, or neither');
  return record;
}

/** Structure only, with one copy of the bytes: call `verifyNamedRecord` before believing it. */
export function decodeNamedRecord(bytes: Uint8Array): NamedRecord | undefined {
  if (bytes.length > namedRecordMaximumBytes) return undefined;
  const own = new Uint8Array(bytes);
  const reader = new Reader(own);
  if (reader.u8() !== recordVersion) return undefined;
  const identity = readPublicKey(reader);
  const path = readNamePath(reader);
  const sequence = reader.u64();
  const notAfterSeconds = reader.u64();
  const root = reader.bytes(hashBytes);
  const length = reader.u64();
  const mediaType = utf8Decode(reader.bytes(reader.u8())) ?? '\0';
  reader.bytes(identitySignatureBytes);
  if (!reader.atEnd || !mediaTypePattern.test(mediaType)) return undefined;
  // Withdrawn: neither root nor length nor type, so that it too has one encoding.
  if (length === 0 && (!isAllZero(root) || mediaType !== '')) return undefined;
  return { identity, path, sequence, notAfterSeconds, content: length === 0 ? undefined : { root, length }, mediaType, bytes: own };
}

/** Whether the identity signed it. Says nothing of its validity in time. */
export function verifyNamedRecord({ identity, bytes }: NamedRecord): boolean {
  if (bytes.length <= identitySignatureBytes) return false;
  const end = bytes.length - identitySignatureBytes;
  return verifyIdentity('waypost named record v1', bytes.subarray(0, end), bytes.subarray(end), identity);
}

/** Not believed, served or kept from then on. */
export const isNamedRecordOver = (record: NamedRecord, wallMs: number): boolean => record.notAfterSeconds * 1_000 <= wallMs;
