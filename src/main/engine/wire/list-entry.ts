/** One waiting letter as its owner is shown it: in the fragments of a `list`, and in a `notify` (`docs/protocol.md` section 2). */
import type { Reader, Writer } from './bytes.ts';
import { readChoice, writeChoice } from './fields.ts';
import type { Lane, ListEntry } from './types.ts';

export const lanes = ['letter', 'receipt'] as const satisfies readonly Lane[];
const hashBytes = 32;
/** Sequence, letter id, lane, remaining, held for, body root, body length, header length, inline length. */
const fixedBytes = 8 + hashBytes + 1 + 4 + 4 + hashBytes + 4 + 2 + 2;

/** Bytes that `entry` takes; a fragment of a list has 1,149 less `listFragmentHeaderBytes` for its entries. */
export const listEntrySize = (entry: ListEntry): number => fixedBytes + entry.header.length + (entry.inlineBody?.length ?? 0);

export function writeListEntry(writer: Writer, entry: ListEntry): void {
  writer.u64(entry.sequence).bytes(entry.letterId, hashBytes);
  writeChoice(writer, lanes, entry.lane);
  writer.seconds(entry.remainingSeconds).seconds(entry.heldForSeconds).bytes(entry.bodyRoot, hashBytes).u32(entry.bodyLength);
  writer.u16(entry.header.length).bytes(entry.header).u16(entry.inlineBody?.length ?? 0);
  if (entry.inlineBody !== undefined) writer.bytes(entry.inlineBody);
}

/** Byte fields are views of the input. */
export function readListEntry(reader: Reader): ListEntry {
  const sequence = reader.u64();
  const letterId = reader.bytes(hashBytes);
  const lane = readChoice(reader, lanes);
  const remainingSeconds = reader.u32();
  const heldForSeconds = reader.u32();
  const bodyRoot = reader.bytes(hashBytes);
  const bodyLength = reader.u32();
  const header = reader.bytes(reader.u16());
  const inlineBody = reader.bytes(reader.u16());
  return {
    sequence, letterId, lane, remainingSeconds, heldForSeconds, bodyRoot, bodyLength, header,
    inlineBody: inlineBody.length === 0 ? undefined : inlineBody,
  };
}
