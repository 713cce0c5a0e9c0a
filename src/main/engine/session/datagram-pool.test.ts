import { describe, expect, it } from 'vitest';
import { DatagramPool } from './datagram-pool.ts';

describe('memory of datagrams', () => {
  it('is used again when it was given back, for any size that fits', () => {
    const pool = new DatagramPool();
    pool.giveBack(pool.take(40));
    const first = pool.take(1_200);
    expect(pool.take(1_200).buffer).not.toBe(first.buffer);
    pool.giveBack(first);
    const again = pool.take(29);
    expect([again.buffer === first.buffer, again.length]).toEqual([true, 29]);
    const large = pool.take(65_507);
    pool.giveBack(large);
    expect([pool.take(1_537).buffer === large.buffer, pool.take(1_537).buffer === large.buffer]).toEqual([true, false]);
  });

  it('is exactly as large as needed, and never the same, where nothing is given back', () => {
    const pool = new DatagramPool();
    const taken = Array.from({ length: 5 }, () => pool.take(33_000));
    expect(new Set(taken.map(({ buffer }) => buffer)).size).toBe(5);
    expect(taken.map(({ buffer }) => buffer.byteLength)).toEqual(Array(5).fill(33_000));
  });

  it('takes nothing that is not its own', () => {
    const pool = new DatagramPool();
    const foreign = new Uint8Array(1_536);
    pool.giveBack(foreign);
    expect(pool.take(1_536).buffer).not.toBe(foreign.buffer);
    const other = new DatagramPool();
    other.giveBack(foreign);
    const place = other.take(10);
    pool.giveBack(place);
    expect(pool.take(10).buffer).not.toBe(place.buffer);
  });

  it('is bounded', () => {
    const pool = new DatagramPool();
    pool.giveBack(pool.take(1));
    const taken = Array.from({ length: 100 }, () => pool.take(1));
    for (const datagram of taken) pool.giveBack(datagram);
    const before = new Set(taken.map(({ buffer }) => buffer));
    const reused = Array.from({ length: 100 }, () => pool.take(1)).filter(({ buffer }) => before.has(buffer));
    expect(reused).toHaveLength(64);
  });
});
