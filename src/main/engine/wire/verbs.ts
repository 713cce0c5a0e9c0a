/**
 * The body of each request: one writer and one reader for each verb of `docs/protocol.md` section 2. Decoded byte fields are views of
 * the frame. Bodies have one encoding each: trailing bytes, unknown flags and numbers outside their range make a body malformed.
 */
import { isAllZero } from './bytes.ts';
import type { Reader, Writer } from './bytes.ts';
import { lanes, readListEntry, writeListEntry } from './list-entry.ts';
import { readChoice, readDeviceId, readMailbox, readPublicKey, writeChoice, writeDeviceId, writeMailbox, writePublicKey } from './fields.ts';
import { readCandidateOffer, writeCandidateOffer } from './candidate-offer.ts';
import { readGuessOffer, writeGuessOffer } from './guess-offer.ts';
import { readNamePath, writeNamePath } from './name-path.ts';
import type { ContentName, LeafRun, Mailbox, RecordKind, RequestBody, Verb } from './types.ts';

/** In wire order; the number of a verb is its position plus 1. */
const verbs = ['echo', 'challenge', 'close', 'pull', 'record', 'publish', 'register', 'tokens', 'deposit', 'list', 'ack', 'withdraw', 'status', 'notify',
  'refusals', 'more', 'pad', 'hold', 'drop', 'observe', 'circuit', 'connect', 'hang-up', 'probe', 'candidates', 'letter', 'guess', 'resolve'] as const satisfies readonly Verb[];
const recordKinds = ['identity', 'prekey', 'named'] as const satisfies readonly RecordKind[];
export const verdicts = ['committed', 'unopenable'] as const;

/** Leaves that one pull may name: the bits of its bitmap. */
export const pullCountMaximum = 64;
/** Leaf groups have at most 32 KiB: of the next size not one would fit a UDP datagram. */
const groupShiftMaximum = 5;
/** Entries of one tokens, ack or status request: the longest (33 bytes each) still fits a frame. */
export const requestEntriesMaximum = 32;
/** Fragments that one list may be answered with. */
export const listFragmentsMaximum = 16;

/** What follows the 8 bytes of a probe: the datagram has 128 bytes, so that an answer and a challenge (59 and 55) may go back to where it came from. */
const probePaddingBytes = 73;
const hashBytes = 32;
const shortBytes = 8;
const tokenBytes = 16;
const nonceBytes = 8;
const bitmapBytes = pullCountMaximum / 8;
const noToken = new Uint8Array(tokenBytes);
const noDevice = '00'.repeat(16);

type BodyOf<Name extends Verb> = Extract<RequestBody, { verb: Name }>;

export const writeVerb = (writer: Writer, verb: Verb): void => { writeChoice(writer, verbs, verb, 1); };
export const readVerb = (reader: Reader): Verb => readChoice(reader, verbs, 1);

/** @throws RangeError for a value that does not fit its field. */
export function writeBody(writer: Writer, body: RequestBody): void {
  switch (body.verb) {
    case 'echo':
    case 'refusals':
    case 'observe':
      return;
    case 'challenge':
      writer.bytes(body.random, shortBytes);
      return;
    case 'close':
      writer.u8(body.reason);
      return;
    case 'pull':
      assertCount(body.groupShift, 0, groupShiftMaximum);
      writer.bytes(body.name.root, hashBytes).u64(body.name.length).u8(body.groupShift);
      writeRun(writer, body);
      return;
    case 'more':
      writeRun(writer, body);
      return;
    case 'pad':
      writer.u16(body.datagramBytes);
      return;
    case 'hold':
      writeMailbox(writer, body.mailbox);
      writer.bytes(body.token ?? noToken, tokenBytes).seconds(body.ttlSeconds).bytes(body.name.root, hashBytes).u64(body.name.length);
      return;
    case 'drop':
      writeMailbox(writer, body.mailbox);
      writer.bytes(body.name.root, hashBytes).u64(body.name.length);
      return;
    case 'record':
      writeChoice(writer, recordKinds, body.kind, 1);
      writePublicKey(writer, body.identity);
      if (body.kind === 'named') { writeNamePath(writer, body.path); return; }
      writeDeviceId(writer, body.kind === 'identity' ? noDevice : (body.deviceId ?? noDevice));
      return;
    case 'publish':
      writeChoice(writer, recordKinds, body.kind, 1);
      writer.bytes(body.object);
      return;
    case 'register':
      writer.u64(body.tokensVersion);
      return;
    case 'tokens':
      assertCount(body.tokens.length, 0, requestEntriesMaximum);
      writer.u64(body.version).u8(body.reset ? 1 : 0).u8(body.tokens.length);
      for (const token of body.tokens) writer.u8(token.granted ? 1 : 0).bytes(token.hash, hashBytes);
      return;
    case 'deposit':
      writeDeposit(writer, body);
      return;
    case 'list':
      assertCount(body.mostFragments, 1, listFragmentsMaximum);
      writer.bytes(body.epoch, shortBytes).u64(body.afterSequence).u8(body.mostFragments);
      return;
    case 'ack':
      assertCount(body.letters.length, 0, requestEntriesMaximum);
      writer.u8(body.letters.length);
      for (const letter of body.letters) writeChoice(writer.bytes(letter.letterId, hashBytes), verdicts, letter.verdict, 1);
      return;
    case 'withdraw':
      writeMailbox(writer, body.mailbox);
      writer.bytes(body.letterId, hashBytes).bytes(body.purgeKey, hashBytes);
      return;
    case 'status':
      assertCount(body.letterIds.length, 0, requestEntriesMaximum);
      writeMailbox(writer, body.mailbox);
      writer.u8(body.letterIds.length);
      for (const letterId of body.letterIds) writer.bytes(letterId, hashBytes);
      return;
    case 'notify':
      writer.bytes(body.epoch, shortBytes).u64(body.highestSequence);
      if (body.entry !== undefined) writeListEntry(writer, body.entry);
      return;
    case 'circuit':
      writeMailbox(writer, body.mailbox);
      writer.bytes(body.token, tokenBytes);
      return;
    case 'connect':
      writer.u32(body.circuit).bytes(body.tokenHash, hashBytes);
      return;
    case 'hang-up':
      writer.u32(body.circuit);
      return;
    case 'probe':
      writer.bytes(body.random, shortBytes).zeros(probePaddingBytes);
      return;
    case 'candidates':
      writeCandidateOffer(writer, body.offer);
      return;
    case 'resolve':
      writePublicKey(writer, body.identity);
      writer.u8(body.onward ? 1 : 0);
      return;
    case 'letter':
      writer.bytes(body.bodyRoot, hashBytes).u32(body.bodyLength).u16(body.header.length).bytes(body.header);
      if (body.inlineBody !== undefined) writer.bytes(body.inlineBody);
      return;
    case 'guess':
      writeGuessOffer(writer, body.offer);
      return;
    default:
      body satisfies never;
  }
}

/** The body of `verb`. The caller checks `reader.atEnd` before it believes the result. */
export function readBody(reader: Reader, verb: Verb): RequestBody {
  switch (verb) {
    case 'echo':
    case 'refusals':
    case 'observe':
      return { verb };
    case 'challenge':
      return { verb, random: reader.bytes(shortBytes) };
    case 'close':
      return { verb, reason: reader.u8() };
    case 'pull': {
      const name = readContentName(reader);
      const groupShift = readCount(reader, 0, groupShiftMaximum);
      return { verb, name, groupShift, ...readRun(reader) };
    }
    case 'more':
      return { verb, ...readRun(reader) };
    case 'pad':
      return { verb, datagramBytes: reader.u16() };
    case 'hold': {
      const mailbox = readMailbox(reader);
      const token = reader.bytes(tokenBytes);
      const ttlSeconds = reader.u32();
      return { verb, mailbox, token: isAllZero(token) ? undefined : token, ttlSeconds, name: readContentName(reader) };
    }
    case 'drop':
      return { verb, mailbox: readMailbox(reader), name: readContentName(reader) };
    case 'record':
      return readRecordRequest(reader);
    case 'publish':
      return { verb, kind: readChoice(reader, recordKinds, 1), object: reader.rest() };
    case 'register':
      return { verb, tokensVersion: reader.u64() };
    case 'tokens': {
      const version = reader.u64();
      const reset = readFlag(reader);
      return { verb, version, reset, tokens: readMany(reader, () => ({ granted: readFlag(reader), hash: reader.bytes(hashBytes) })) };
    }
    case 'deposit':
      return readDeposit(reader);
    case 'list':
      return { verb, epoch: reader.bytes(shortBytes), afterSequence: reader.u64(), mostFragments: readCount(reader, 1, listFragmentsMaximum) };
    case 'ack':
      return { verb, letters: readMany(reader, () => ({ letterId: reader.bytes(hashBytes), verdict: readChoice(reader, verdicts, 1) })) };
    case 'withdraw':
      return { verb, mailbox: readMailbox(reader), letterId: reader.bytes(hashBytes), purgeKey: reader.bytes(hashBytes) };
    case 'status':
      return { verb, mailbox: readMailbox(reader), letterIds: readMany(reader, () => reader.bytes(hashBytes)) };
    case 'notify':
      return { verb, epoch: reader.bytes(shortBytes), highestSequence: reader.u64(), entry: reader.remaining > 0 ? readListEntry(reader) : undefined };
    case 'circuit':
      return { verb, mailbox: readMailbox(reader), token: reader.bytes(tokenBytes) };
    case 'connect':
      return { verb, circuit: reader.u32(), tokenHash: reader.bytes(hashBytes) };
    case 'hang-up':
      return { verb, circuit: reader.u32() };
    case 'probe': {
      const random = reader.bytes(shortBytes);
      if (!isAllZero(reader.bytes(probePaddingBytes))) reader.fail();
      return { verb, random };
    }
    case 'candidates':
      return { verb, offer: readCandidateOffer(reader) };
    case 'resolve': {
      const identity = readPublicKey(reader);
      return { verb, identity, onward: readFlag(reader) };
    }
    case 'guess':
      return { verb, offer: readGuessOffer(reader) };
    case 'letter': {
      const bodyRoot = reader.bytes(hashBytes);
      const bodyLength = reader.u32();
      const header = reader.bytes(reader.u16());
      return { verb, bodyRoot, bodyLength, header, inlineBody: reader.remaining > 0 ? reader.rest() : undefined };
    }
  }
}

/** Bit `index` of a pull's bitmap: bit `index % 8`, least significant first, of byte `index / 8`. */
export const bitmapHas = (bitmap: Uint8Array, index: number): boolean => (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;

/** The 8 bytes with these bits set; each from 0 to 63. */
export function bitmapOf(indexes: Iterable<number>): Uint8Array {
  const bitmap = new Uint8Array(bitmapBytes);
  for (const index of indexes) bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
  return bitmap;
}

/** Without the bits at and above `count`, which mean nothing and would make one pull have many encodings. */
function bitsBelow(bitmap: Uint8Array, count: number): Uint8Array {
  return bitmap.map((byte, index) => byte & bitsOfByte(index, count));
}

/** Those bits of a byte of the bitmap that stand for one of `count` leaves. */
const bitsOfByte = (index: number, count: number): number => (1 << Math.min(8, Math.max(0, count - index * 8))) - 1;

const readContentName = (reader: Reader): ContentName => ({ root: reader.bytes(hashBytes), length: reader.u64() });

function writeRun(writer: Writer, run: LeafRun): void {
  assertCount(run.count, run.proof ? 0 : 1, pullCountMaximum);
  writer.u8(run.proof ? 1 : 0).u32(run.first).u8(run.count).bytes(bitsBelow(run.bitmap, run.count), bitmapBytes).bytes(run.nonce, nonceBytes).u8(run.hopLimit);
}

function readRun(reader: Reader): LeafRun {
  const proof = readFlag(reader);
  const first = reader.u32();
  const count = readCount(reader, proof ? 0 : 1, pullCountMaximum);
  const bitmap = reader.bytes(bitmapBytes);
  for (let index = 0; index < bitmapBytes; index += 1) if (((bitmap[index] ?? 0) & ~bitsOfByte(index, count)) !== 0) reader.fail();
  return { first, count, bitmap, proof, nonce: reader.bytes(nonceBytes), hopLimit: reader.u8() };
}

function readRecordRequest(reader: Reader): BodyOf<'record'> {
  const kind = readChoice(reader, recordKinds, 1);
  const identity = readPublicKey(reader);
  if (kind === 'named') return { verb: 'record', kind, identity, path: readNamePath(reader) };
  const deviceId = readDeviceId(reader);
  if ((kind === 'identity') !== (deviceId === noDevice)) reader.fail();
  return { verb: 'record', kind, identity, deviceId: kind === 'identity' ? undefined : deviceId };
}

function writeDeposit(writer: Writer, body: BodyOf<'deposit'>): void {
  writeMailbox(writer, body.mailbox);
  writer.bytes(body.token ?? noToken, tokenBytes);
  writeChoice(writer, lanes, body.lane);
  writer.seconds(body.ttlSeconds).bytes(body.purgeHash, hashBytes).bytes(body.bodyRoot, hashBytes).u32(body.bodyLength);
  writer.u16(body.header.length).bytes(body.header);
  if (body.inlineBody !== undefined) writer.bytes(body.inlineBody);
}

function readDeposit(reader: Reader): BodyOf<'deposit'> {
  const mailbox: Mailbox = readMailbox(reader);
  const token = reader.bytes(tokenBytes);
  const lane = readChoice(reader, lanes);
  const ttlSeconds = reader.u32();
  const purgeHash = reader.bytes(hashBytes);
  const bodyRoot = reader.bytes(hashBytes);
  const bodyLength = reader.u32();
  const header = reader.bytes(reader.u16());
  const inlineBody = reader.remaining > 0 ? reader.rest() : undefined;
  return { verb: 'deposit', mailbox, token: isAllZero(token) ? undefined : token, lane, ttlSeconds, purgeHash, bodyRoot, bodyLength, header, inlineBody };
}

function readFlag(reader: Reader): boolean {
  const value = reader.u8();
  if (value > 1) reader.fail();
  return value === 1;
}

function readCount(reader: Reader, minimum: number, maximum: number): number {
  const count = reader.u8();
  if (count < minimum || count > maximum) reader.fail();
  return count;
}

/** Count (1, at most 32), then the entries; stops at the first shortage, so nothing is made for entries that are not there. */
function readMany<Entry>(reader: Reader, readEntry: () => Entry): readonly Entry[] {
  const count = readCount(reader, 0, requestEntriesMaximum);
  const entries: Entry[] = [];
  while (reader.ok && entries.length < count) entries.push(readEntry());
  return entries;
}

function assertCount(count: number, minimum: number, maximum: number): void {
  if (count < minimum || count > maximum) throw new RangeError(`a count from ${String(minimum)} to ${String(maximum)} is needed, got ${String(count)}`);
}
