import { describe, expect, it } from 'vitest';
import { PrefixRate, addressPrefix } from './mailbox-rate.ts';

describe('address prefixes', () => {
  it('join an IPv4 /24, written as IPv6 or not', () => {
    expect(addressPrefix('192.0.2.7')).toBe(addressPrefix('192.0.2.200'));
    expect(addressPrefix('::ffff:192.0.2.7')).toBe(addressPrefix('192.0.2.200'));
    expect(addressPrefix('192.0.3.7')).not.toBe(addressPrefix('192.0.2.7'));
  });

  it('join an IPv6 /56 and no more, in any spelling', () => {
    expect(addressPrefix('2001:db8:1:2ff::1')).toBe(addressPrefix('2001:db8:1:200:5:6:7:8'));
    expect(addressPrefix('2001:db8:1:300::1')).not.toBe(addressPrefix('2001:db8:1:200::1'));
    expect(addressPrefix('2001:db8::1')).toBe(addressPrefix('2001:db8:0:ff::'));
    expect(addressPrefix('fe80::1%eth0')).toBe(addressPrefix('fe80::2'));
  });
});

describe('the rate of a prefix', () => {
  it('gives a minute’s worth at once, then says how long to wait, and refills', () => {
    const rate = new PrefixRate(30);
    for (let index = 0; index < 30; index += 1) expect(rate.take(`192.0.2.${String(index)}`, 0)).toBeUndefined();
    expect(rate.take('192.0.2.99', 0)).toBe(2);
    expect(rate.take('198.51.100.1', 0)).toBeUndefined();
    expect(rate.take('192.0.2.99', 2_000)).toBeUndefined();
    expect(rate.take('192.0.2.99', 2_000)).toBe(2);
  });

  it('remembers a bounded number of prefixes', () => {
    const rate = new PrefixRate(1);
    for (let index = 0; index < 10_050; index += 1) rate.take(`10.${String(index >> 8)}.${String(index & 255)}.1`, 0);
    expect(rate.size).toBe(10_000);
    expect(rate.take('10.39.65.1', 0)).toBe(60);
  });
});
