import { describe, expect, it } from 'vitest';
import { JumpDetector } from './clock.ts';
import { describeInterfaces } from './network-watch.ts';

const at = (monotonicMs: number, wallMs: number): { monotonicMs: number; wallMs: number } => ({ monotonicMs, wallMs });

describe('noticing that the machine slept', () => {
  it('takes regular steps, and slow ones of a busy machine, for what they are', () => {
    const jumps = new JumpDetector(at(0, 1_000_000));
    expect([2_000, 4_000, 13_000].map((ms) => jumps.observe(at(ms, 1_000_000 + ms)))).toEqual([false, false, false]);
  });

  it('sees a wall clock that ran on while the other stood still, and one that was set', () => {
    const jumps = new JumpDetector(at(0, 1_000_000));
    expect(jumps.observe(at(2_000, 1_060_000))).toBe(true);
    expect(jumps.observe(at(4_000, 1_062_000))).toBe(false);
    expect(jumps.observe(at(6_000, 900_000))).toBe(true);
  });

  it('sees a timer that came far too late', () => {
    expect(new JumpDetector(at(0, 0)).observe(at(11_000, 11_000))).toBe(true);
  });
});

describe('noticing another network', () => {
  const address = (cidr: string, internal = false): object => ({ address: cidr.split('/')[0], cidr, internal, family: 'IPv4', netmask: '', mac: '' });
  const describeAll = (interfaces: object): string => describeInterfaces(interfaces as Parameters<typeof describeInterfaces>[0]);

  it('looks at outside addresses, whatever their order', () => {
    const one = describeAll({ lo: [address('127.0.0.1/8', true)], eth0: [address('10.0.0.2/24')], wlan0: [address('10.0.1.2/24')] });
    expect(one).toBe(describeAll({ wlan0: [address('10.0.1.2/24')], eth0: [address('10.0.0.2/24')] }));
    expect(one).not.toBe(describeAll({ eth0: [address('10.0.0.2/24')] }));
  });
});
