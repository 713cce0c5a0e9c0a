import { describe, expect, it } from 'vitest';
import { UdpMemory } from './udp-memory.ts';

describe('what is known of whether UDP passes', () => {
  it('belongs to a network, and is there again with it', () => {
    let changes = 0;
    const memory = new UdpMemory(() => { changes += 1; }, 'home');
    expect(memory.headStartMs()).toBe(300);
    memory.passed();
    memory.passed();
    memory.enter('hotel');
    expect([memory.headStartMs(), memory.isBlocked]).toEqual([300, false]);
    memory.didNotPass();
    expect([memory.headStartMs(), memory.isBlocked]).toEqual([0, true]);
    memory.enter('home');
    expect([memory.headStartMs(), memory.isBlocked]).toEqual([2_000, false]);
    memory.enter('hotel');
    expect(memory.isBlocked).toBe(true);
    memory.passed();
    expect([memory.headStartMs(), memory.isBlocked, changes]).toEqual([2_000, false, 3]);
  });

  it('is kept for 32 networks, the longest unvisited going first', () => {
    const memory = new UdpMemory(() => undefined, 'first');
    memory.didNotPass();
    for (let count = 0; count < 31; count += 1) memory.enter(`network ${String(count)}`);
    memory.enter('first');
    expect([memory.size, memory.isBlocked]).toEqual([32, true]);
    for (let count = 0; count < 1_000; count += 1) memory.enter(`another ${String(count)}`);
    expect(memory.size).toBe(32);
    memory.enter('first');
    expect(memory.isBlocked).toBe(false);
  });
});
