/**
 * The payload of each good answer (`docs/protocol.md` section 2). Answers not named here are raw: `challenge` returns its 8 bytes,
 * `pull` a fragment, `record` the signed object, `deposit` a signed receipt (`receipt.ts`); `publish`, `tokens`, `ack` and `notify` are empty.
 */
import { Reader, Writer, concatBytes } from './bytes.ts';
import { readChoice, writeChoice } from './fields.ts';
import { listEntrySize, readListEntry, writeListEntry } from './list-entry.ts';
import { letterStates } from './types.ts';
import { verdicts } from './verbs.ts';
import type { LetterState, ListEntry, ListFragment } from './types.ts';

const shortBytes = 8;
const hashBytes = 32;

/** Epoch, remaining, count. */
export const listFragmentHeaderBytes = 8 + 4 + 1;
const listEntriesMaximum = 255;
const statesMaximum = 32;
/** One answer's worth of refused token hashes. */
export const refusalsMaximum = 32;

export { listEntrySize };

export interface EchoResponse {
  /** 8 bytes. */
  readonly bootId: Uint8Array;
  readonly wallMs: number;
}

export interface RegisterResponse {
  /** 8 bytes. */
  readonly epoch: Uint8Array;
  readonly tokensVersion: number;
  readonly quotaLetters: number;
  readonly quotaBytes: number;
  /** What the mailbox holds now. */
  readonly letters: number;
  readonly bytes: number;
}

export interface LetterStatus { readonly state: LetterState; readonly secondsSince: number }

/** How far a relay is with a content that it was asked to hold. */
export interface HoldResponse { readonly state: 'taking' | 'held'; readonly heldBytes: number; readonly remainingSeconds: number }

const holdStates = ['taking', 'held'] as const satisfies readonly HoldResponse['state'][];

export function encodeHoldResponse({ state, heldBytes, remainingSeconds }: HoldResponse): Uint8Array {
  const writer = new Writer(1 + 8 + 4);
  writeChoice(writer, holdStates, state, 1);
  return writer.u64(heldBytes).seconds(remainingSeconds).finish();
}

export function decodeHoldResponse(payload: Uint8Array): HoldResponse | undefined {
  const reader = new Reader(payload);
  const response = { state: readChoice(reader, holdStates, 1), heldBytes: reader.u64(), remainingSeconds: reader.u32() };
  return reader.atEnd ? response : undefined;
}

export function encodeEchoResponse(response: EchoResponse): Uint8Array {
  return new Writer(16).bytes(response.bootId, shortBytes).u64(response.wallMs).finish();
}

export function decodeEchoResponse(payload: Uint8Array): EchoResponse | undefined {
  const reader = new Reader(payload);
  const response = { bootId: reader.bytes(shortBytes), wallMs: reader.u64() };
  return reader.atEnd ? response : undefined;
}

export function encodeRegisterResponse(response: RegisterResponse): Uint8Array {
  return new Writer(40).bytes(response.epoch, shortBytes).u64(response.tokensVersion).u32(response.quotaLetters).u64(response.quotaBytes)
    .u32(response.letters).u64(response.bytes).finish();
}

export function decodeRegisterResponse(payload: Uint8Array): RegisterResponse | undefined {
  const reader = new Reader(payload);
  const response = {
    epoch: reader.bytes(shortBytes), tokensVersion: reader.u64(), quotaLetters: reader.u32(), quotaBytes: reader.u64(),
    letters: reader.u32(), bytes: reader.u64(),
  };
  return reader.atEnd ? response : undefined;
}

/** The caller sees to it that the entries fit (`listEntrySize`). */
export function encodeListFragment(fragment: ListFragment): Uint8Array {
  const sizeBytes = fragment.entries.reduce((sum, entry) => sum + listEntrySize(entry), listFragmentHeaderBytes);
  if (fragment.entries.length > listEntriesMaximum) throw new RangeError(`at most ${String(listEntriesMaximum)} entries, got ${String(fragment.entries.length)}`);
  const writer = new Writer(sizeBytes).bytes(fragment.epoch, shortBytes).u32(fragment.remaining).u8(fragment.entries.length);
  for (const entry of fragment.entries) writeListEntry(writer, entry);
  return writer.finish();
}

/** Byte fields are views of the payload. */
export function decodeListFragment(payload: Uint8Array): ListFragment | undefined {
  const reader = new Reader(payload);
  const epoch = reader.bytes(shortBytes);
  const remaining = reader.u32();
  const count = reader.u8();
  const entries: ListEntry[] = [];
  while (reader.ok && entries.length < count) entries.push(readListEntry(reader));
  return reader.atEnd ? { epoch, remaining, entries } : undefined;
}

/** In the order of the letter ids asked for; at most 32. */
export function encodeStatusResponse(states: readonly LetterStatus[]): Uint8Array {
  if (states.length > statesMaximum) throw new RangeError(`at most ${String(statesMaximum)} states, got ${String(states.length)}`);
  const writer = new Writer(1 + states.length * 5).u8(states.length);
  for (const { state, secondsSince } of states) {
    writeChoice(writer, letterStates, state);
    writer.seconds(secondsSince);
  }
  return writer.finish();
}

export function decodeStatusResponse(payload: Uint8Array): readonly LetterStatus[] | undefined {
  const reader = new Reader(payload);
  const count = reader.u8();
  if (count > statesMaximum) return undefined;
  const states: LetterStatus[] = [];
  while (reader.ok && states.length < count) states.push({ state: readChoice(reader, letterStates), secondsSince: reader.u32() });
  return reader.atEnd ? states : undefined;
}

/** The answer to `withdraw`. */
export function encodeLetterState(state: LetterState): Uint8Array {
  const writer = new Writer(1);
  writeChoice(writer, letterStates, state);
  return writer.finish();
}

export function decodeLetterState(payload: Uint8Array): LetterState | undefined {
  const reader = new Reader(payload);
  const state = readChoice(reader, letterStates);
  return reader.atEnd ? state : undefined;
}

/** The answer to `letter`: what became of it, as it is told to relays by `ack`. */
export type LetterVerdict = (typeof verdicts)[number];

export function encodeLetterVerdict(verdict: LetterVerdict): Uint8Array {
  const writer = new Writer(1);
  writeChoice(writer, verdicts, verdict, 1);
  return writer.finish();
}

export function decodeLetterVerdict(payload: Uint8Array): LetterVerdict | undefined {
  const reader = new Reader(payload);
  const verdict = readChoice(reader, verdicts, 1);
  return reader.atEnd ? verdict : undefined;
}

/**
 * @param hashes BLAKE3 of refused tokens, of which the first 32 are sent. How many there are depends on others, so more is no mistake of
 * ours: whoever is left out tries again by itself (retry-after), or goes into a further fragment.
 */
export function encodeRefusals(hashes: readonly Uint8Array[]): Uint8Array {
  const sent = hashes.slice(0, refusalsMaximum);
  return new Writer(1 + sent.length * hashBytes).u8(sent.length).bytes(concatBytes(...sent)).finish();
}

export function decodeRefusals(payload: Uint8Array): readonly Uint8Array[] | undefined {
  const reader = new Reader(payload);
  const count = reader.u8();
  if (count > refusalsMaximum) return undefined;
  const hashes: Uint8Array[] = [];
  while (reader.ok && hashes.length < count) hashes.push(reader.bytes(hashBytes));
  return reader.atEnd ? hashes : undefined;
}
