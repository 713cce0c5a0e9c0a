/** What is inside a letter's body once it is opened: text, receipts about other letters, an introduction, or the word to go on sending. */
import { plainBytesOf } from '../files/file-sealing.ts';
import { Reader, Writer, isAllZero, utf8Decode, utf8Encode } from './bytes.ts';
import { safeFileName } from './file-name.ts';
import { readName, writeName } from './names.ts';
import { readRelayHints, writeRelayHints } from './relay-hint.ts';
import type { Content, ReceiptItem } from './types.ts';

/** UTF-8 bytes of one text; larger content will be an attachment. */
export const textMaximumBytes = 65_536;
/** The longest content: kind and longest text. */
export const contentMaximumBytes = 1 + textMaximumBytes;
/** Receipts gathered in one letter; keeps its body in the second smallest size but one. */
export const receiptItemsMaximum = 60;

const textKind = 1;
const deliveredKind = 2;
const readKind = 3;
const introductionKind = 4;
const resumeKind = 5;
const fileKind = 6;
const fetchedKind = 7;
const takenBackKind = 8;
const carryKind = 9;

const messageIdBytes = 16;
const tokenBytes = 16;
const answerWantedFlag = 0x01;
const noToken = new Uint8Array(tokenBytes);
const keyBytes = 32;
const hashBytes = 32;
/** RFC 6838 section 4.2, without parameters; empty when nothing is known. */
export const mediaTypePattern = /^(?:[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62})?$/;

/** Names are cleaned and cut. A text over the limit is encoded all the same: `sealLetter` is where size is refused. */
export function encodeContent(content: Content): Uint8Array {
  const writer = new Writer();
  switch (content.kind) {
    case 'text':
      return writer.u8(textKind).bytes(utf8Encode(content.text)).finish();
    case 'delivered':
      return writeItems(writer.u8(deliveredKind), content.items);
    case 'read':
      return writeItems(writer.u8(readKind), content.items);
    case 'fetched':
      return writeItems(writer.u8(fetchedKind), content.items);
    case 'taken-back':
      return writeItems(writer.u8(takenBackKind), content.items);
    case 'file':
      return writeFile(writer.u8(fileKind), content);
    case 'introduction':
      writer.u8(introductionKind).u8(content.answerWanted ? answerWantedFlag : 0)
        .bytes(content.token, tokenBytes).bytes(content.inviteToken ?? noToken, tokenBytes);
      writeName(writer, content.name);
      writeRelayHints(writer, content.relays);
      return writer.finish();
    case 'resume':
      return writer.u8(resumeKind).finish();
    case 'carry':
      writeRelayHints(writer.u8(carryKind), content.offer === undefined ? [] : [content.offer.hint]);
      return writer.u64(content.offer?.quotaBytes ?? 0).u32(content.offer?.leaseSeconds ?? 0).finish();
  }
}

/** Byte fields are views of `bytes`; names come out cleaned. */
export function decodeContent(bytes: Uint8Array): Content | undefined {
  if (bytes.length > contentMaximumBytes) return undefined;
  const reader = new Reader(bytes);
  const content = readContent(reader);
  return reader.atEnd ? content : undefined;
}

function readContent(reader: Reader): Content | undefined {
  switch (reader.u8()) {
    case textKind: {
      const text = utf8Decode(reader.rest());
      return text === undefined ? undefined : { kind: 'text', text };
    }
    case deliveredKind:
      return { kind: 'delivered', items: readItems(reader) };
    case readKind:
      return { kind: 'read', items: readItems(reader) };
    case fetchedKind:
      return { kind: 'fetched', items: readItems(reader) };
    case takenBackKind:
      return { kind: 'taken-back', items: readItems(reader) };
    case fileKind:
      return readFile(reader);
    case introductionKind: {
      const flags = reader.u8();
      if (flags > answerWantedFlag) reader.fail();
      const token = reader.bytes(tokenBytes);
      const inviteToken = reader.bytes(tokenBytes);
      const name = readName(reader);
      const relays = readRelayHints(reader);
      return {
        kind: 'introduction', answerWanted: flags === answerWantedFlag, token, inviteToken: isAllZero(inviteToken) ? undefined : inviteToken, name, relays,
      };
    }
    case resumeKind:
      return { kind: 'resume' };
    case carryKind: {
      const [hint, ...more] = readRelayHints(reader);
      const quotaBytes = reader.u64();
      const leaseSeconds = reader.u32();
      if (more.length > 0) reader.fail();
      return { kind: 'carry', offer: hint === undefined ? undefined : { hint, quotaBytes, leaseSeconds } };
    }
    default:
      return undefined;
  }
}

function writeFile(writer: Writer, content: Extract<Content, { kind: 'file' }>): Uint8Array {
  const name = utf8Encode(safeFileName(content.name));
  const mediaType = utf8Encode(content.mediaType);
  if (!mediaTypePattern.test(content.mediaType)) throw new RangeError('a media type has at most 127 characters of its alphabet');
  return writer.bytes(content.key, keyBytes).bytes(content.blob.root, hashBytes).u64(content.blob.length)
    .u8(name.length).bytes(name).u8(mediaType.length).bytes(mediaType).bytes(utf8Encode(content.text)).finish();
}

function readFile(reader: Reader): Content | undefined {
  const key = reader.bytes(keyBytes);
  const blob = { root: reader.bytes(hashBytes), length: reader.u64() };
  const name = utf8Decode(reader.bytes(reader.u8()));
  const mediaType = utf8Decode(reader.bytes(reader.u8()));
  const text = utf8Decode(reader.rest());
  if (!reader.ok || name === undefined || mediaType === undefined || text === undefined) return undefined;
  if (plainBytesOf(blob.length) === undefined || !mediaTypePattern.test(mediaType)) return undefined;
  return { kind: 'file', key, blob, name: safeFileName(name), mediaType, text };
}

function writeItems(writer: Writer, items: readonly ReceiptItem[]): Uint8Array {
  if (items.length > receiptItemsMaximum) throw new RangeError(`at most ${String(receiptItemsMaximum)} receipts in a letter, got ${String(items.length)}`);
  writer.u8(items.length);
  for (const item of items) writer.bytes(item.messageId, messageIdBytes).u64(item.atMs);
  return writer.finish();
}

function readItems(reader: Reader): readonly ReceiptItem[] {
  const count = reader.u8();
  if (count > receiptItemsMaximum) reader.fail();
  const items: ReceiptItem[] = [];
  while (reader.ok && items.length < count) items.push({ messageId: reader.bytes(messageIdBytes), atMs: reader.u64() });
  return items;
}
