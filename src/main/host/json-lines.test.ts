import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonLineDecoder } from './json-lines.ts';

/** Pushes bytes in pieces of the given sizes, repeated. */
function pushInPieces(decoder: JsonLineDecoder, bytes: Uint8Array, sizes: readonly number[]): unknown[] {
  const values: unknown[] = [];
  for (let start = 0, turn = 0; start < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const result = decoder.push(bytes.subarray(start, start + size));
    if (!result.ok) throw new Error(result.reason);
    values.push(...result.values);
    start += size;
  }
  return values;
}

describe('lines of JSON', () => {
  it('come out as they went in, however the stream is cut', () => {
    fc.assert(fc.property(fc.array(fc.json()), fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (texts, sizes) => {
      const bytes = new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''));
      expect(pushInPieces(new JsonLineDecoder(), bytes, sizes)).toEqual(texts.map((text): unknown => JSON.parse(text)));
    }));
  });

  it('never throw, whatever bytes come', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
      const decoder = new JsonLineDecoder(100);
      expect(chunks.map((chunk) => decoder.push(chunk).ok).every((ok) => typeof ok === 'boolean')).toBe(true);
    }));
  });

  it('are refused when one is longer than the bound, finished or not', () => {
    expect(new JsonLineDecoder(4).push(new TextEncoder().encode('12345\n'))).toEqual({ ok: false, reason: 'too-long' });
    const decoder = new JsonLineDecoder(4);
    expect(decoder.push(new TextEncoder().encode('1234'))).toEqual({ ok: true, values: [] });
    expect(decoder.push(new TextEncoder().encode('5'))).toEqual({ ok: false, reason: 'too-long' });
  });
});
