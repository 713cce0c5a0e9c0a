import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeEchoResponse, decodeLetterState, decodeLetterVerdict, decodeListFragment, decodeRefusals, decodeRegisterResponse, decodeStatusResponse, encodeEchoResponse,
  encodeLetterState, encodeLetterVerdict, encodeListFragment, encodeRefusals, encodeRegisterResponse, encodeStatusResponse, listEntrySize, listFragmentHeaderBytes, refusalsMaximum,
} from './responses.ts';
import type { LetterStatus } from './responses.ts';
import { bytesOf, holdsAgainstNoise, holdsAsCodec, listEntry, u32, u64 } from './codec-testing.ts';
import { letterStates } from './types.ts';

const state = fc.constantFrom(...letterStates);
const statuses: fc.Arbitrary<readonly LetterStatus[]> = fc.array(fc.record({ state, secondsSince: u32 }), { maxLength: 32 });

describe('answers', () => {
  it('echo round-trips', () => {
    holdsAsCodec({ values: fc.record({ bootId: bytesOf(8), wallMs: u64 }), encode: encodeEchoResponse, decode: decodeEchoResponse, selfDelimiting: true });
  });

  it('register round-trips', () => {
    const values = fc.record({ epoch: bytesOf(8), tokensVersion: u64, quotaLetters: u32, quotaBytes: u64, letters: u32, bytes: u64 });
    holdsAsCodec({ values, encode: encodeRegisterResponse, decode: decodeRegisterResponse, selfDelimiting: true });
  });

  it('list fragments round-trip and their size is foretold', () => {
    const values = fc.record({ epoch: bytesOf(8), remaining: u32, entries: fc.array(listEntry, { maxLength: 3 }) });
    holdsAsCodec({ values, encode: encodeListFragment, decode: decodeListFragment, selfDelimiting: true });
    fc.assert(fc.property(values, (fragment) => {
      expect(encodeListFragment(fragment)).toHaveLength(fragment.entries.reduce((sum, each) => sum + listEntrySize(each), listFragmentHeaderBytes));
    }));
  });

  it('status, letter state, what became of a letter and refusals round-trip', () => {
    holdsAsCodec({ values: statuses, encode: encodeStatusResponse, decode: decodeStatusResponse, selfDelimiting: true });
    holdsAsCodec({ values: state, encode: encodeLetterState, decode: decodeLetterState, selfDelimiting: true });
    holdsAsCodec({ values: fc.constantFrom('committed', 'unopenable'), encode: encodeLetterVerdict, decode: decodeLetterVerdict, selfDelimiting: true });
    expect(encodeLetterVerdict('committed')).toEqual(Uint8Array.of(1));
    const hashes: fc.Arbitrary<readonly Uint8Array[]> = fc.array(bytesOf(32), { maxLength: 32 });
    holdsAsCodec({ values: hashes, encode: encodeRefusals, decode: decodeRefusals, selfDelimiting: true });
  });

  it('sends the first 32 of more refusals', () => {
    const many = Array.from({ length: 40 }, (_, index) => new Uint8Array(32).fill(index));
    expect(decodeRefusals(encodeRefusals(many))).toEqual(many.slice(0, refusalsMaximum));
  });

  it('cuts ages that clocks made negative or fractional', () => {
    expect(decodeStatusResponse(encodeStatusResponse([{ state: 'held', secondsSince: -2 }, { state: 'acked', secondsSince: 3.7 }])))
      .toEqual([{ state: 'held', secondsSince: 0 }, { state: 'acked', secondsSince: 3 }]);
  });

  it('decoding never throws and never makes more than its input justifies', () => {
    for (const decode of [decodeEchoResponse, decodeRegisterResponse, decodeListFragment, decodeStatusResponse, decodeLetterState, decodeRefusals]) {
      holdsAgainstNoise(decode);
    }
    // A count of 255 with nothing behind it.
    expect(decodeListFragment(Uint8Array.of(...new Uint8Array(12), 255))).toBeUndefined();
  });
});
