import fc from 'fast-check';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64urlnopad } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { encodeInviteLink, formatAddress, parseAddress, parseInvite } from './link.ts';
import { cleanName } from './names.ts';
import { bytesOf, realKey, realKeys, relayHint, text } from './codec-testing.ts';
import type { Invite } from './types.ts';

const [key = ''] = realKeys;
const offCurve = `02${'0'.repeat(63)}5`;
const prefix = 'waypost://add/';
const invite: fc.Arbitrary<Invite> = fc.record({
  publicKey: realKey, port: fc.integer({ min: 1, max: 0xffff }),
  token: fc.option(bytesOf(16).filter((bytes) => bytes.some((byte) => byte !== 0)), { nil: undefined }),
  name: text.map(cleanName), relays: fc.array(relayHint(realKey), { maxLength: 3 }),
});
const sample: Invite = {
  publicKey: key, port: 1, token: new Uint8Array(16).fill(0xa7), name: 'Ana María', relays: [{ publicKey: key, host: 'relay.example', port: 7_000 }],
};
/** A link around these bytes with a good checksum. */
const linkOf = (...content: readonly number[]): string => prefix + base64urlnopad.encode(Uint8Array.of(...content, ...sha256(Uint8Array.from(content)).subarray(0, 4)));
const contentOf = (link: string): number[] => [...base64urlnopad.decode(link.slice(prefix.length)).slice(0, -4)];
const reasonOf = (input: string): string => { const parsed = parseInvite(input); return parsed.ok ? 'ok' : parsed.reason; };

describe('addresses', () => {
  it('are a key, a key with a port, or a dmsg link', () => {
    expect(parseAddress(key)).toEqual({ publicKey: key, port: 1 });
    expect(parseAddress(` ${key.toUpperCase()}:65535\n`)).toEqual({ publicKey: key, port: 65_535 });
    expect(parseAddress(`dmsg://${key}:7`)).toEqual({ publicKey: key, port: 7 });
    expect(parseAddress(formatAddress(key, 42))).toEqual({ publicKey: key, port: 42 });
  });

  it.each(['', key.slice(1), `${key}0`, `${key}:`, `${key}:0`, `${key}:07`, `${key}:65536`, `${key}:1:2`, `${key} :1`, `http://${key}`, `dmsg://${key}:1/`, offCurve, `04${key.slice(2)}`])(
    '%j is none', (input) => { expect(parseAddress(input)).toBeUndefined(); });
});

describe('invite links', () => {
  it('round-trip, and forgive white space around and line breaks inside', () => {
    fc.assert(fc.property(invite, fc.nat(), (value, position) => {
      const link = encodeInviteLink(value);
      expect(parseInvite(link)).toEqual({ ok: true, invite: value });
      const at = prefix.length + (position % (link.length - prefix.length));
      expect(parseInvite(`\n  ${link.slice(0, at)}\r\n${link.slice(at)} \t`)).toEqual({ ok: true, invite: value });
    }));
  });

  it('never survive a changed character', () => {
    const characters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/.é%');
    fc.assert(fc.property(invite, fc.nat(), fc.constantFrom(...characters), (value, position, character) => {
      const link = encodeInviteLink(value);
      const at = prefix.length + (position % (link.length - prefix.length));
      fc.pre(link[at] !== character);
      expect(['checksum', 'truncated']).toContain(reasonOf(link.slice(0, at) + character + link.slice(at + 1)));
    }), { numRuns: 500 });
  });

  it('that are case-folded fail by their checksum, whatever the folded bytes would mean', () => {
    fc.assert(fc.property(invite, (value) => {
      const link = encodeInviteLink(value);
      expect(reasonOf(link.toLowerCase())).toBe('checksum');
      expect(reasonOf(link.toUpperCase())).toBe('checksum');
      expect(reasonOf(prefix + link.slice(prefix.length).toUpperCase())).toBe('checksum');
    }));
  });

  it('with a scheme in capitals are the same link', () => {
    const link = encodeInviteLink(sample);
    expect(parseInvite(`WayPost://ADD/${link.slice(prefix.length)}`)).toEqual({ ok: true, invite: sample });
  });

  it('cut short say so, wherever they are cut', () => {
    const link = encodeInviteLink(sample);
    const reasons = Array.from({ length: link.length - prefix.length }, (_, length) => reasonOf(link.slice(0, prefix.length + length)));
    // The first characters alone have one case, and might be anything.
    expect(new Set(reasons.slice(12))).toEqual(new Set(['truncated']));
    expect(reasons.every((reason) => reason === 'truncated' || reason === 'checksum')).toBe(true);
  });

  it('lengthened are changed links', () => {
    for (const tail of ['A', 'AA', 'AAA', 'AAAA', '=', '#x', '/']) expect(reasonOf(encodeInviteLink(sample) + tail)).toBe('checksum');
  });

  it('say which part of an intact link is of no use', () => {
    const content = contentOf(encodeInviteLink({ ...sample, relays: [] }));
    expect(reasonOf(linkOf(...content))).toBe('ok');
    expect(reasonOf(linkOf(2, ...content.slice(1)))).toBe('version');
    expect(reasonOf(linkOf(...content, 0))).toBe('not-a-link');
    expect(reasonOf(linkOf(...content.slice(0, 34), 0, 0, ...content.slice(36)))).toBe('not-a-link');
    expect(reasonOf(linkOf(1, 2, ...new Uint8Array(31), 5, ...content.slice(34)))).toBe('bad-key');
  });

  it('come as dmsg links and bare addresses too', () => {
    const plain = { ok: true, invite: { publicKey: key, port: 1, token: undefined, name: '', relays: [] } };
    expect(parseInvite(` ${key}\n`)).toEqual(plain);
    expect(parseInvite(`dmsg://${key}:1`)).toEqual(plain);
    expect([reasonOf(''), reasonOf(' \n '), reasonOf('hello'), reasonOf('https://example.org'), reasonOf(offCurve), reasonOf(`dmsg://${offCurve}:1`)])
      .toEqual(['empty', 'empty', 'not-a-link', 'not-a-link', 'bad-key', 'bad-key']);
    expect(reasonOf('A'.repeat(1_000_000))).toBe('not-a-link');
    expect(reasonOf(' '.repeat(1_000_000))).toBe('empty');
  });

  it('parsing never throws on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (value) => {
      expect(parseInvite(value).ok).toBe(false);
      expect(parseInvite(prefix + value).ok).toBe(false);
    }));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => { expect(typeof parseInvite(linkOf(1, 2, ...bytes)).ok).toBe('boolean'); }));
  });

  it('cannot be made from what no reader accepts', () => {
    expect(() => encodeInviteLink({ ...sample, port: 0 })).toThrow(RangeError);
    expect(() => encodeInviteLink({ ...sample, token: new Uint8Array(15) })).toThrow(RangeError);
  });
});
