import { runInThisContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeCodec } from './codec.ts';

const codec = makeCodec();
const roundTrip = (value: unknown): unknown => codec.decode(JSON.parse(JSON.stringify(codec.encode(value))));

describe('the value codec', () => {
  it('brings back whatever structured cloning brings back', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: false, withNullPrototype: false });
    fc.assert(
      fc.property(anything, (value) => {
        expect(roundTrip(value)).toEqual(structuredClone(value));
      }),
    );
  });

  it('keeps the values JSON loses', () => {
    expect(roundTrip([undefined, NaN, -Infinity, -0, 10n, null])).toEqual([undefined, NaN, -Infinity, -0, 10n, null]);
    expect(roundTrip(/a+/giu)).toEqual(/a+/giu);
    expect(roundTrip(new Date(NaN))).toEqual(new Date(NaN));
    expect(roundTrip(new DataView(new Uint8Array([1, 2]).buffer))).toEqual(new DataView(new Uint8Array([1, 2]).buffer));
    expect(roundTrip(new Float64Array([0.5, NaN]))).toEqual(new Float64Array([0.5, NaN]));
  });

  it('sends a Buffer and a view on a larger buffer as exactly their bytes', () => {
    const result = roundTrip(Buffer.from('abc'));
    expect(result).toEqual(new Uint8Array([97, 98, 99]));
    expect(Buffer.isBuffer(result)).toBe(false);
    expect(roundTrip(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toEqual(new Uint8Array([2, 3]));
  });

  it('keeps cycles and shared references', () => {
    const shared = { name: 'x' };
    const cycle: Record<string, unknown> = { a: shared, b: shared, list: [shared] };
    cycle['self'] = cycle;
    const result = roundTrip(cycle) as typeof cycle;
    expect(result['self']).toBe(result);
    expect(result['a']).toBe(result['b']);
    expect((result['list'] as unknown[])[0]).toBe(result['a']);
  });

  it('keeps the class, message and stack of errors', () => {
    const error = roundTrip(new RangeError('too far'));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ name: 'RangeError', message: 'too far' });
  });

  it('does not let a key named __proto__ change the prototype', () => {
    const result = roundTrip(JSON.parse('{"__proto__":{"polluted":true}}')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(result['polluted']).toBeUndefined();
  });

  it.each([[() => 1], [Symbol('s')], [Promise.resolve()], [new WeakMap()], [{ inner: () => 1 }]])('refuses %s with the text of Electron', (value) => {
    expect(() => codec.encode(value)).toThrow('An object could not be cloned.');
  });

  it('replaces functions where the caller offers to', () => {
    const tree = codec.encode({ f: () => 1 }, (value) => (typeof value === 'function' ? ['function', 7] : undefined));
    expect(codec.decode(tree, (replacement) => replacement)).toEqual({ f: ['function', 7] });
    expect(() => codec.decode(tree)).toThrow('not written by the codec');
  });

  it('refuses trees no encoder wrote', () => {
    expect(() => codec.decode(['nonsense'])).toThrow('not written by the codec');
    expect(() => codec.decode(['array', 0, 5])).toThrow('not written by the codec');
  });

  it('works from its own source text, as it is injected in pages', () => {
    const injected = runInThisContext(`(${makeCodec.toString()})()`) as typeof codec;
    expect(injected.decode(codec.encode(new Map([[1, new Set([2n])]])))).toEqual(new Map([[1, new Set([2n])]]));
  });
});
