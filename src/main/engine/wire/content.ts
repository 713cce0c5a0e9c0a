/** What is inside a letter's body once it is opened: text, receipts about other letters, an introduction, or the word to go on sending. */
import { Reader, Writer, isAllZero, utf8Decode, utf8Encode } from './bytes.ts';
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

const messageIdBytes = 16;
const tokenBytes = 16;
const answerWantedFlag = 0x01;
const noToken = new Uint8Array(tokenBytes);

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
    case 'introduction':
      writer.u8(introductionKind).u8(content.answerWanted ? answerWantedFlag : 0)
        .bytes(content.token, tokenBytes).bytes(content.inviteToken ?? noToken, tokenBytes);
      writeName(writer, content.name);
      writeRelayHints(writer, content.relays);
      return writer.finish();
    case 'resume':
      return writer.u8(resumeKind).finish();
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
    default:
      return undefined;
  }
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
