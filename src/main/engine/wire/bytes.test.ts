import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reader, Writer, concatBytes, equalBytes, fromHex, isAllZero, toHex, utf8Decode, utf8Encode } from './bytes.ts';
import { u16, u32, u64 } from './codec-testing.ts';

describe('Reader', () => {
  it('reads back what a Writer wrote', () => {
    fc.assert(fc.property(fc.nat(255), u16, u32, u64, fc.uint8Array(), fc.uint8Array(), (a, b, c, d, part, rest) => {
      const bytes = new Writer().u8(a).u16(b).u32(c).u64(d).u16(part.length).bytes(part).bytes(rest).finish();
      const reader = new Reader(bytes);
      expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([a, b, c, d]);
      expect(reader.bytes(reader.u16())).toEqual(part);
      expect(reader.rest()).toEqual(rest);
      expect(reader.atEnd).toBe(true);
    }));
  });

  it('stays failed after a shortage and yields zeros and nothing', () => {
    const reader = new Reader(Uint8Array.of(1, 2, 3));
    expect(reader.u32()).toBe(0);
    expect(reader.ok).toBe(false);
    expect(reader.ranOut).toBe(true);
    expect([reader.u8(), reader.u16(), reader.u64(), reader.remaining]).toEqual([0, 0, 0, 0]);
    expect(reader.bytes(1)).toHaveLength(0);
    expect(reader.rest()).toHaveLength(0);
    expect(reader.atEnd).toBe(false);
  });

  it('fails on numbers that are not exact, without calling it a shortage', () => {
    const reader = new Reader(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0));
    expect(reader.u64()).toBe(0);
    expect([reader.ok, reader.ranOut]).toEqual([false, false]);
    expect(new Reader(Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255)).u64()).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('gives views, and plain ones even of a Node Buffer', () => {
    const buffer = Buffer.from([1, 2, 3, 4]).subarray(1);
    const view = new Reader(buffer).bytes(2);
    buffer[0] = 9;
    expect([...view]).toEqual([9, 3]);
    const copy = view.slice();
    buffer[0] = 8;
    expect([...copy]).toEqual([9, 3]);
  });
});

describe('Writer', () => {
  it('refuses values that do not fit their field', () => {
    for (const value of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 256]) expect(() => new Writer().u8(value)).toThrow(RangeError);
    expect(() => new Writer().u16(65_536)).toThrow(RangeError);
    expect(() => new Writer().u32(2 ** 32)).toThrow(RangeError);
    expect(() => new Writer().u64(2 ** 53)).toThrow(RangeError);
    expect(() => new Writer().bytes(new Uint8Array(3), 4)).toThrow(RangeError);
  });

  it('holds to an announced size, neither more nor less', () => {
    expect(() => new Writer(1).u16(1)).toThrow(RangeError);
    expect(() => new Writer(3).u16(1).finish()).toThrow(RangeError);
    expect([...new Writer(2).u16(258).finish()]).toEqual([1, 2]);
  });

  it('cuts durations to whole seconds inside the field', () => {
    const seconds = [-5, 0.9, Number.NaN, 1.5, 1e12].map((value) => new Reader(new Writer(4).seconds(value).finish()).u32());
    expect(seconds).toEqual([0, 0, 0, 1, 0xffff_ffff]);
  });

  it('grows and keeps what was written', () => {
    const parts = Array.from({ length: 100 }, (_, index) => new Uint8Array(index).fill(index));
    const writer = new Writer();
    for (const part of parts) writer.bytes(part);
    expect(writer.finish()).toEqual(concatBytes(...parts));
  });
});

describe('conversions', () => {
  it('hex goes there and back, reads either case and refuses the rest', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
      expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
    }));
    for (const bad of ['0', 'zz', '0x00', ' 00', '00\n', '٠٠']) expect(fromHex(bad)).toBeUndefined();
  });

  it('UTF-8 is strict and keeps a byte order mark', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => { expect(utf8Decode(utf8Encode(value))).toBe(value.toWellFormed()); }));
    expect(utf8Decode(utf8Encode('\ufeffa'))).toBe('\ufeffa');
    for (const bad of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xff], [0xf4, 0x90, 0x80, 0x80]]) expect(utf8Decode(Uint8Array.from(bad))).toBeUndefined();
  });

  it('compares whole arrays', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
    expect([isAllZero(new Uint8Array(4)), isAllZero(Uint8Array.of(0, 1))]).toEqual([true, false]);
  });
});
