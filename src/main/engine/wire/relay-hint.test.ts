import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reader, Writer } from './bytes.ts';
import { canonicalHost } from './host.ts';
import { formatRelayHint, parseRelayHint, readRelayHint, readRelayHints, relayHintMaximumBytes, writeRelayHint, writeRelayHints } from './relay-hint.ts';
import { holdsAgainstNoise, holdsAsCodec, keyLike, realKey, realKeys, relayHint } from './codec-testing.ts';
import type { RelayHint } from './types.ts';

const [key = ''] = realKeys;

describe('hosts', () => {
  it.each([
    ['Relay.Example', 'relay.example'], ['localhost', 'localhost'], ['4f2a1b', '4f2a1b'], ['a--b.c', 'a--b.c'], ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'], ['::', '::'], ['0:0:0:0:0:0:0:0', '::'], ['1::', '1::'], ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'], ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], ['::ffff:c000:201', '::ffff:192.0.2.1'], ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ])('%s is %s', (text, canonical) => { expect(canonicalHost(text)).toBe(canonical); });

  it.each(['', '-a', 'a-', 'a..b', 'a.', '.a', 'a_b', 'ä.example', 'a b', 'a/b', 'a@b', '1.2.3', '1.2.3.256', '1.2.3.04', '127.1', '0x7f.1', '0x7f000001', '2130706433', 'a.1',
    ':', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '12345::', 'g::', '::1%eth0', '::1.2.3', '1.2.3.4::', '[::1]', 'a'.repeat(64), `${'a.'.repeat(32)}ab`])(
    '%j is no host', (text) => { expect(canonicalHost(text)).toBeUndefined(); });

  it('are canonical once and for all', () => {
    fc.assert(fc.property(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6(), fc.string({ unit: 'binary', maxLength: 70 })), (text) => {
      const canonical = canonicalHost(text);
      if (canonical !== undefined) expect(canonicalHost(canonical)).toBe(canonical);
    }), { numRuns: 1_000 });
    fc.assert(fc.property(fc.ipV6(), (text) => { expect(canonicalHost(text)).toBeDefined(); }), { numRuns: 500 });
    fc.assert(fc.property(fc.ipV4(), (text) => { expect(canonicalHost(text)).toBe(text); }));
  });

  it('agree with the URL parser about IPv6 text', () => {
    fc.assert(fc.property(fc.ipV6(), (text) => {
      // The URL standard writes mapped IPv4 in hex; ours is what sockets report.
      const canonical = canonicalHost(text);
      fc.pre(canonical !== undefined && !canonical.startsWith('::ffff:'));
      expect(`[${canonical}]`).toBe(new URL(`http://[${text}]/`).hostname);
    }), { numRuns: 500 });
  });
});

describe('relay hints', () => {
  it('go through text and back', () => {
    fc.assert(fc.property(relayHint(realKey), (hint) => {
      expect(parseRelayHint(formatRelayHint(hint))).toEqual(hint);
      expect(parseRelayHint(` ${formatRelayHint(hint).toUpperCase()}\n`)).toEqual(hint);
    }));
    expect(formatRelayHint({ publicKey: key, host: '::1', port: 7 })).toBe(`${key}@[::1]:7`);
  });

  it('go through bytes and back, with one encoding', () => {
    const encode = (hint: RelayHint): Uint8Array => { const writer = new Writer(); writeRelayHint(writer, hint); return writer.finish(); };
    const decode = (bytes: Uint8Array): RelayHint | undefined => { const reader = new Reader(bytes); const hint = readRelayHint(reader); return reader.atEnd ? hint : undefined; };
    holdsAsCodec({ values: relayHint(keyLike), encode, decode, selfDelimiting: true });
    holdsAgainstNoise(decode, [2]);
    expect(encode({ publicKey: key, host: 'a'.repeat(60) + '.abc', port: 1 })).toHaveLength(relayHintMaximumBytes);
    for (const bad of [{ host: 'A', port: 1 }, { host: '', port: 1 }, { host: 'a', port: 0 }, { host: 'a', port: 65_536 }, { host: 'a'.repeat(65), port: 1 }]) {
      expect(() => encode({ publicKey: key, ...bad })).toThrow(RangeError);
    }
  });

  it.each(['', '@a:1', `${key}@a`, `${key}@a:0`, `${key}@a:01`, `${key}@a:65536`, `${key}@:1`, `${key}@::1:1`, `${key}@[::1]`, `${key}@[1.2.3.4]:1`, `${key}@[a]:1`,
    `${key.slice(2)}@a:1`, `02${'0'.repeat(63)}5@a:1`, `${key}@a b:1`, `x${key}@a:1`, `${key}@a:1/`, `${key}@${'a'.repeat(300)}:1`])(
    '%j is refused', (text) => { expect(parseRelayHint(text)).toBeUndefined(); });

  it('come three at most', () => {
    const hint = { publicKey: key, host: 'a', port: 1 };
    expect(() => { writeRelayHints(new Writer(), [hint, hint, hint, hint]); }).toThrow(RangeError);
    const reader = new Reader(Uint8Array.of(4, ...new Uint8Array(400).fill(2)));
    expect(readRelayHints(reader)).toEqual([]);
    expect(reader.ok).toBe(false);
  });

  it('parsing never throws on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => { expect(parseRelayHint(text)).toBeUndefined(); }));
  });
});
