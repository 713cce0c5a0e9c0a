import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContentCache, cachedLifetimeMs, cachedOverheadBytes } from './content-cache.ts';
import { ShownName } from './shown-name.ts';
import type { ResponsePart } from './types.ts';

const shown = (nameId: string): ShownName | undefined => ShownName.from(nameId, nameId, (name) => name);
const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);
const limitsOf = (payloads: number, length: number): { sizeBytes: number; lifetimeMs: number } => ({ sizeBytes: payloads * (length + cachedOverheadBytes), lifetimeMs: 60_000 });

describe('the content cache', () => {
  it('serves what was put in to whoever has shown the name', () => {
    const cache = new ContentCache();
    cache.putVerified('name', 'fragment', 3, bytes(1_024), 0);
    expect(cache.get(shown('name'), 'fragment', 3, 1)).toEqual(bytes(1_024));
    expect(cache.get(shown('name'), 'fragment', 4, 1)).toBeUndefined();
    expect(cache.get(shown('name'), 'whole', 3, 1)).toBeUndefined();
    expect(cache.get(shown('another'), 'fragment', 3, 1)).toBeUndefined();
  });

  it('serves nothing for a bare id, whatever form it is given', () => {
    const cache = new ContentCache();
    cache.putVerified('name', 'fragment', 0, bytes(10), 0);
    expect(ShownName.from('name', 'some other content', (name) => name)).toBeUndefined();
    expect(cache.get(undefined, 'fragment', 0, 1)).toBeUndefined();
    const forged: unknown = Object.create(ShownName.prototype, { nameId: { value: 'name' } });
    expect(cache.get(forged as ShownName, 'fragment', 0, 1)).toBeUndefined();
    expect(cache.get({ nameId: 'name' } as unknown as ShownName, 'fragment', 0, 1)).toBeUndefined();
    expect(cache.counters['cache-name-not-shown']).toBe(3);
  });

  it('keeps a copy: the datagram may be used again', () => {
    const cache = new ContentCache();
    const datagram = bytes(1_200);
    cache.putVerified('name', 'fragment', 0, datagram.subarray(100, 110), 0);
    datagram.fill(0);
    const kept = cache.get(shown('name'), 'fragment', 0, 1);
    expect(kept).toEqual(bytes(10));
    expect(kept?.buffer.byteLength).toBe(10);
  });

  it('forgets by age, however often something is asked for', () => {
    const cache = new ContentCache();
    cache.putVerified('name', 'fragment', 0, bytes(10), 500);
    for (let nowMs = 1_000; nowMs < 500 + cachedLifetimeMs; nowMs += 1_000) expect(cache.get(shown('name'), 'fragment', 0, nowMs)).toBeDefined();
    expect(cache.get(shown('name'), 'fragment', 0, 500 + cachedLifetimeMs)).toBeUndefined();
    expect(cache.count).toBe(1);
    expect(cache.pollTimeout()?.atMs).toBe(61_000);
    cache.handleTimeout(61_000);
    expect([cache.count, cache.sizeBytes, cache.pollTimeout()]).toEqual([0, 0, undefined]);
  });

  it('evicts what was not used for longest, not what came first', () => {
    const cache = new ContentCache(limitsOf(3, 100));
    for (const item of [0, 1, 2]) cache.putVerified('name', 'fragment', item, bytes(100), item);
    cache.get(shown('name'), 'fragment', 0, 3);
    cache.putVerified('name', 'fragment', 3, bytes(100), 4);
    expect([0, 1, 2, 3].map((item) => cache.get(shown('name'), 'fragment', item, 5) !== undefined)).toEqual([true, false, true, true]);
    expect(cache.counters['cache-evicted']).toBe(1);
  });

  it('takes no more memory for what is put in again, and none for what is too large or when it is switched off', () => {
    const cache = new ContentCache(limitsOf(2, 100));
    for (let count = 0; count < 10; count += 1) cache.putVerified('name', 'fragment', 0, bytes(100), count);
    expect([cache.count, cache.sizeBytes]).toEqual([1, 100 + cachedOverheadBytes]);
    cache.putVerified('name', 'fragment', 1, bytes(10_000), 11);
    expect([cache.count, cache.counters['cache-too-large']]).toEqual([1, 1]);
    const off = new ContentCache({ sizeBytes: 0, lifetimeMs: 1 });
    off.putVerified('name', 'fragment', 0, bytes(0), 0);
    expect(off.count).toBe(0);
  });

  it('has a bound for empty payloads too', () => {
    const cache = new ContentCache(limitsOf(10, 0));
    for (let item = 0; item < 1_000; item += 1) cache.putVerified(`name ${String(item)}`, 'fragment', item, bytes(0), 0);
    expect(cache.count).toBe(10);
  });

  it('answers for a proof whole, or in both its parts', () => {
    const cache = new ContentCache();
    cache.putVerified('name', 'path', 5, bytes(64), 0);
    expect(cache.answerOf(shown('name'), 'proof', 5, 1)).toBeUndefined();
    cache.putVerified('name', 'ahead', 5, bytes(32), 0);
    expect(cache.answerOf(shown('name'), 'proof', 5, 1)?.map(({ part, item }) => [part, item])).toEqual([['path', 5], ['ahead', 5]]);
    cache.putVerified('name', 'whole', 6, bytes(64), 0);
    expect(cache.answerOf(shown('name'), 'proof', 6, 1)).toHaveLength(1);
    expect(cache.answerOf(undefined, 'proof', 6, 1)).toBeUndefined();
    expect(cache.answerOf(shown('name'), 'fragment', 6, 1)).toBeUndefined();
  });

  it('purges one name and leaves the others', () => {
    const cache = new ContentCache();
    for (const item of [0, 1]) for (const name of ['a', 'b']) cache.putVerified(name, 'fragment', item, bytes(100), 0);
    cache.purge('a');
    cache.purge('never seen');
    expect(cache.get(shown('a'), 'fragment', 0, 1)).toBeUndefined();
    expect(cache.get(shown('b'), 'fragment', 1, 1)).toBeDefined();
    expect([cache.count, cache.sizeBytes]).toEqual([2, 2 * (100 + cachedOverheadBytes)]);
  });
});

const part = fc.constantFrom<ResponsePart>('fragment', 'whole', 'path', 'ahead');
const name = fc.constantFrom('a', 'b', 'c');
const item = fc.integer({ min: 0, max: 3 });
const stepOf = fc.oneof(
  fc.record({ do: fc.constant('put' as const), name, part, item, length: fc.integer({ min: 0, max: 3_000 }) }),
  fc.record({ do: fc.constant('get' as const), name, part, item }),
  fc.record({ do: fc.constant('purge' as const), name }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60 }), sweep: fc.boolean() }),
);

describe('beside a list that is searched from end to end', () => {
  it('the cache holds the same, in the same order of use, and never more than its bound', () => {
    fc.assert(fc.property(fc.array(stepOf, { maxLength: 120, size: 'max' }), (steps) => {
      const limits = { sizeBytes: 8_000, lifetimeMs: 100 };
      const cache = new ContentCache(limits);
      // Least recently used first.
      let model: { key: string; name: string; length: number; atMs: number }[] = [];
      let nowMs = 0;
      let came = 0;
      const size = (): number => model.reduce((sum, entry) => sum + entry.length + cachedOverheadBytes, 0);
      for (const step of steps) {
        switch (step.do) {
          case 'put': {
            cache.putVerified(step.name, step.part, step.item, bytes(step.length), nowMs);
            came += step.length + cachedOverheadBytes;
            const key = `${step.name}/${step.part}/${String(step.item)}`;
            model = model.filter((entry) => entry.key !== key);
            model.push({ key, name: step.name, length: step.length, atMs: nowMs });
            while (size() > limits.sizeBytes) model.shift();
            break;
          }
          case 'get': {
            const key = `${step.name}/${step.part}/${String(step.item)}`;
            const known = model.find((entry) => entry.key === key && entry.atMs + limits.lifetimeMs > nowMs);
            expect(cache.get(shown(step.name), step.part, step.item, nowMs)?.length).toBe(known?.length);
            if (known !== undefined) model = [...model.filter((entry) => entry !== known), known];
            break;
          }
          case 'purge':
            cache.purge(step.name);
            model = model.filter((entry) => entry.name !== step.name);
            break;
          case 'wait':
            nowMs += step.ms;
            if (!step.sweep) break;
            cache.handleTimeout(nowMs);
            model = model.filter((entry) => entry.atMs + limits.lifetimeMs > nowMs);
            break;
        }
        expect([cache.count, cache.sizeBytes]).toEqual([model.length, size()]);
        expect(cache.sizeBytes).toBeLessThanOrEqual(Math.min(limits.sizeBytes, came));
      }
    }));
  });
});
