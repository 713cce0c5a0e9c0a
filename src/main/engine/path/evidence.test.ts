import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scopeOf } from './address-scope.ts';
import { silenceProves } from './evidence.ts';

describe('what silence proves', () => {
  it('is nothing after one datagram, or a few, however good the link is', () => {
    expect(silenceProves({ answered: 1_000, lost: 0 }, 1)).toBe(false);
    expect(silenceProves({ answered: 20, lost: 0 }, 3)).toBe(false);
    expect(silenceProves({ answered: 20, lost: 0 }, 0)).toBe(false);
  });
  it('is a filter where nothing else was lost, and nothing where a third is', () => {
    expect(silenceProves({ answered: 18, lost: 0 }, 12)).toBe(true);
    expect(silenceProves({ answered: 18, lost: 9 }, 12)).toBe(false);
    expect(silenceProves({ answered: 0, lost: 0 }, 100)).toBe(false);
  });
  it('grows with what was answered and with what was sent, and shrinks with what was lost', () => {
    const count = fc.nat(60);
    fc.assert(fc.property(count, count, count, (answered, lost, timesSent) => {
      if (!silenceProves({ answered, lost }, timesSent)) return;
      expect(silenceProves({ answered: answered + 1, lost }, timesSent)).toBe(true);
      expect(silenceProves({ answered, lost }, timesSent + 1)).toBe(true);
      expect(lost === 0 || silenceProves({ answered, lost: lost - 1 }, timesSent)).toBe(true);
    }));
  });
});

describe('the scope of an address', () => {
  it('tells what others can reach from what nobody can', () => {
    const scopes: Readonly<Record<string, readonly string[]>> = {
      public: ['198.18.7.1', '8.8.8.8', '172.32.0.1', '192.167.1.1', '100.128.0.1', '2001:db8::1', '2a00::1'],
      shared: ['100.64.0.1', '100.127.255.254'],
      local: ['10.0.0.1', '172.16.0.1', '172.31.255.1', '192.168.1.1', 'fc00::1', 'fdff::1'],
      unusable: ['0.0.0.0', '127.0.0.1', '169.254.1.1', '224.0.0.1', '255.255.255.255', '::', '::1', 'fe80::1', 'febf::1', 'fec0::1', 'ff02::1', '100::1', '64:ff9b::1', '::ffff:1.2.3.4', '2001:DB8::1', '01.2.3.4', 'name', 'a.b.c.d', '1.2.3', '', 'fe80::1%1'],
    };
    for (const [scope, hosts] of Object.entries(scopes)) for (const host of hosts) expect(scopeOf(host), host).toBe(scope);
  });
});
