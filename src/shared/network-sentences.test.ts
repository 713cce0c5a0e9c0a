import { describe, expect, it } from 'vitest';
import { known, notChecked, notCheckedReasons, type FamilyReport, type Filtering, type Mapping, type NetworkReport } from './network-report.ts';
import { networkLines, notCheckedWords } from './network-sentences.ts';

const nothing: FamilyReport = {
  udpBlocked: notChecked('no-address'), mapping: notChecked('no-address'), filtering: notChecked('no-address'), allocation: notChecked('no-address'), mappingLifetimeMs: notChecked('not-learned'),
  hairpin: notChecked('no-address'), doubleNat: notChecked('no-address'), publicHosts: notChecked('no-address'), onePublicHost: notChecked('no-address'), pathMtuBytes: notChecked('not-learned'),
};
const all: FamilyReport = {
  udpBlocked: known(false, 9), mapping: known('endpoint-independent', 6), filtering: known('address-and-port-dependent', 12), allocation: known({ kind: 'preserving' }, 8), mappingLifetimeMs: known(60_000, 3),
  hairpin: known(true, 1), doubleNat: known(false, 4), publicHosts: known(['198.18.7.1'], 9), onePublicHost: known(true, 9), pathMtuBytes: known(1_452, 2),
};
const reportOf = (ipv4: Partial<FamilyReport>, change: Partial<NetworkReport> = {}): NetworkReport => ({
  families: { ipv4: { ...all, ...ipv4 }, ipv6: nothing }, ipv6Inbound: notChecked('no-address'), captivePortal: known(false, 9), portControl: known('none', 9), relays: [{ relay: 'Harbour', roundTripMs: known(20, 3) }], candidates: [], isComplete: true, ...change,
});
const sentencesOf = (report: NetworkReport): string => networkLines(report).map(({ sentence }) => sentence).join('\n');

const mappings: readonly Mapping[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const filterings: readonly Filtering[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const jargon = /NAT|EIM|APDF|symmetric|cone|RFC|endpoint|mapping|filter|hairpin|MTU|undefined|\[object/i;

describe('the sentences about a network', () => {
  it('speak of what a router means for reaching others, without jargon, for every kind', () => {
    for (const mapping of mappings) for (const filtering of filterings) for (const kind of ['preserving', 'random'] as const) {
      const lines = networkLines(reportOf({ mapping: known(mapping, 6), filtering: known(filtering, 6), allocation: known({ kind }, 8), hairpin: known(false, 9), doubleNat: known(true, 2) }));
      for (const { sentence, code } of lines) {
        expect(sentence).toMatch(/^[A-Z].*\.$/);
        expect(sentence).not.toMatch(jargon);
        expect(code).toMatch(/^[a-zA-Z0-9.+-]+$/);
      }
      expect(new Set(lines.map(({ code }) => code)).size).toBe(lines.length);
    }
  });
  it('promise less where every conversation has its own port', () => {
    expect(sentencesOf(reportOf({}))).toContain('direct connections work with nearly everybody');
    const hard = networkLines(reportOf({ mapping: known('address-and-port-dependent', 6) }));
    expect(hard.find(({ code }) => code === 'ipv4.mapping.address-and-port-dependent')).toEqual({ code: 'ipv4.mapping.address-and-port-dependent', tone: 'warning', sentence: 'Your router gives every conversation its own port, so direct connections work with most people, not with all. With the others the relay is used.' });
    expect(sentencesOf(reportOf({ mapping: known('address-and-port-dependent', 6), filtering: known('endpoint-independent', 2) }))).toContain('but lets anybody in there');
  });
  it('say in one line what was not checked and why, and nothing else about it', () => {
    const text = sentencesOf(reportOf({ filtering: notChecked('too-much-loss'), hairpin: notChecked('hidden-by-router'), udpBlocked: notChecked('not-yet'), mapping: notChecked('not-yet') }));
    expect(text).toContain('What was not checked: whether UDP gets through, how your router gives out ports (still being checked); whom your router lets in (too many packets were lost to be sure); whether your router brings its own devices together (with this router nobody can tell from here); IPv6 (this computer has no such address).');
    expect(text).not.toContain('blocks UDP');
    expect(networkLines(reportOf({})).at(-1)).toEqual({ code: 'not-checked.no-address', tone: 'muted', sentence: 'What was not checked: IPv6 (this computer has no such address).' });
    for (const reason of notCheckedReasons) expect(notCheckedWords(reason)).not.toMatch(jargon);
  });
  it('tell a page to sign in from blocked UDP', () => {
    expect(sentencesOf(reportOf({ udpBlocked: known(true, 24) }))).toContain('This network blocks UDP.');
    const portal = sentencesOf(reportOf({ udpBlocked: known(true, 24) }, { captivePortal: known(true, 1) }));
    expect(portal).toContain('wants you to sign in');
    expect(portal).not.toContain('blocks UDP');
  });
  it('tell of an opened port only where it helps', () => {
    const mapped = { kind: 'mapped', family: 'ipv4', host: '198.18.7.1', port: 5_000, isPortSure: true } as const;
    const opened: Partial<NetworkReport> = { portControl: known('pcp', 1), candidates: [mapped] };
    expect(sentencesOf(reportOf({}, opened))).toContain('has opened a port for Waypost');
    expect(sentencesOf(reportOf({ doubleNat: known(true, 2) }, opened))).not.toContain('has opened a port for Waypost');
    expect(sentencesOf(reportOf({ doubleNat: known(true, 2) }, opened))).toContain('Two routers');
    expect(sentencesOf(reportOf({}))).toContain('does not open ports on request');
  });
  it('tell how long silent conversations are remembered, as far as it was tried', () => {
    expect(sentencesOf(reportOf({ mappingLifetimeMs: { state: 'at-least', value: 480_000, samples: 5 } }))).toContain('for at least 8 minutes');
    expect(sentencesOf(reportOf({ mappingLifetimeMs: known(0, 2) }))).toContain('forgets a silent conversation within seconds');
    expect(sentencesOf(reportOf({ mappingLifetimeMs: notChecked('not-learned') }))).toContain('how long your router remembers a conversation (not tried on this network yet)');
  });
  it('speak of IPv6, of relays, of what was learned', () => {
    const ipv6: FamilyReport = { ...all, mapping: known('none', 6), filtering: known('none', 2) };
    const report = reportOf({}, { ipv6Inbound: known('open', 2), relays: [{ relay: 'Harbour', roundTripMs: known(20, 3) }, { relay: 'Mill', roundTripMs: notChecked('no-answer') }] });
    const text = sentencesOf({ ...report, families: { ...report.families, ipv6 } });
    for (const part of ['Over IPv6, everybody can reach you', 'Harbour answers in', 'Mill did not answer', 'remembers a silent conversation for 1 minute', '1,452 bytes', 'No router changes your address']) expect(text).toContain(part);
  });
});
