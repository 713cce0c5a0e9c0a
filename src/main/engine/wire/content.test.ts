import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageMaximumBytes } from '../../../shared/views.ts';
import { utf8Encode } from './bytes.ts';
import { contentMaximumBytes, decodeContent, encodeContent, receiptItemsMaximum, textMaximumBytes } from './content.ts';
import { cleanName, nameMaximumBytes } from './names.ts';
import { bytesOf, holdsAgainstNoise, holdsAsCodec, keyLike, relayHint, text, u64 } from './codec-testing.ts';
import type { Content } from './types.ts';

const items = fc.array(fc.record({ messageId: bytesOf(16), atMs: u64 }), { maxLength: receiptItemsMaximum });
const textContent: fc.Arbitrary<Content> = text.map((value) => ({ kind: 'text', text: value }));
const others: fc.Arbitrary<Content> = fc.oneof(
  fc.record({ kind: fc.constantFrom('delivered', 'read'), items }),
  fc.constant<Content>({ kind: 'resume' }),
  fc.record({
    kind: fc.constant('carry'), offer: fc.option(fc.record({ hint: relayHint(keyLike), quotaBytes: u64, leaseSeconds: fc.nat() }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('introduction'), answerWanted: fc.boolean(), token: bytesOf(16),
    inviteToken: fc.option(bytesOf(16).filter((bytes) => bytes.some((byte) => byte !== 0)), { nil: undefined }),
    name: text.map(cleanName), relays: fc.array(relayHint(keyLike), { maxLength: 3 }),
  }),
);
const introduction = (name: readonly number[]): Uint8Array => Uint8Array.of(4, 0, ...new Uint8Array(32), name.length, ...name, 0);
const nameIn = (bytes: Uint8Array): string | undefined => { const content = decodeContent(bytes); return content?.kind === 'introduction' ? content.name : undefined; };

describe('content', () => {
  it('texts round-trip', () => { holdsAsCodec({ values: textContent, encode: encodeContent, decode: decodeContent, selfDelimiting: false }); });

  it('receipts, introductions, resume and offers round-trip', () => {
    fc.assert(fc.property(others, (content) => {
      const bytes = encodeContent(content);
      expect(decodeContent(bytes)).toEqual(content);
      expect(decodeContent(Uint8Array.of(...bytes, 0))).toBeUndefined();
      expect(decodeContent(bytes.subarray(0, -1))).toBeUndefined();
    }));
  });

  it('decoding never throws and never makes more than its input justifies', () => {
    holdsAgainstNoise(decodeContent);
    for (let kind = 0; kind <= 9; kind += 1) holdsAgainstNoise(decodeContent, [kind]);
  });

  it('holds as much text as people are told', () => {
    expect(textMaximumBytes).toBe(messageMaximumBytes);
    const longest = encodeContent({ kind: 'text', text: 'x'.repeat(textMaximumBytes) });
    expect(longest).toHaveLength(contentMaximumBytes);
    expect(decodeContent(longest)?.kind).toBe('text');
    expect(decodeContent(Uint8Array.of(...longest, 0x78))).toBeUndefined();
  });

  it('refuses unknown kinds and flags, text that is not UTF-8, and more than 60 receipts or 3 relays', () => {
    expect(decodeContent(Uint8Array.of())).toBeUndefined();
    expect(decodeContent(Uint8Array.of(6))).toBeUndefined();
    expect(decodeContent(Uint8Array.of(1, 0xff))).toBeUndefined();
    expect(decodeContent(introduction([]).with(1, 2))).toBeUndefined();
    expect(decodeContent(Uint8Array.of(2, 61, ...new Uint8Array(61 * 24)))).toBeUndefined();
    const item = { messageId: new Uint8Array(16), atMs: 0 };
    expect(() => encodeContent({ kind: 'read', items: Array.from({ length: 61 }, () => item) })).toThrow(RangeError);
    expect(decodeContent(introduction([]).with(35, 4))).toBeUndefined();
  });
});

describe('names', () => {
  it('come out without controls, direction overrides and invisible characters', () => {
    expect(nameIn(introduction([...utf8Encode(' A\u0000na\u202e \u2066M\u200baria\n\u0007 ')]))).toBe('Ana Maria');
    expect(nameIn(introduction([...utf8Encode('👩‍💻')]))).toBe('👩‍💻');
    expect(nameIn(introduction([...utf8Encode('\u202e\u200f')]))).toBe('');
  });

  it('over 64 bytes or not in UTF-8 are refused', () => {
    expect(nameIn(introduction([...new Uint8Array(64).fill(0x61)]))).toBe('a'.repeat(64));
    expect(nameIn(introduction([...new Uint8Array(65).fill(0x61)]))).toBeUndefined();
    expect(nameIn(introduction([0xc3]))).toBeUndefined();
  });

  it('cleaned once are clean, fit, and are whole characters', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
      const cleaned = cleanName(name);
      expect(cleanName(cleaned)).toBe(cleaned);
      expect(utf8Encode(cleaned).length).toBeLessThanOrEqual(nameMaximumBytes);
      expect(cleaned).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u);
    }), { numRuns: 1_000 });
    expect(cleanName('é'.repeat(40))).toBe('é'.repeat(32));
    expect(cleanName('\ud800x')).toBe('\ufffdx');
  });
});
