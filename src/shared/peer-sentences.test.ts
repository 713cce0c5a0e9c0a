import { describe, expect, it } from 'vitest';
import { known, notChecked, type FamilyReport, type NetworkReport } from './network-report.ts';
import { pathConsequence, pathProblemWords, pathStateWords, pathWords, seekSentence, switchWords, whyNotDirect } from './peer-sentences.ts';
import { directReasons, peerPathKinds, seekReasons, type DirectSearchView } from './peer-views.ts';

const nowMs = 1_000_000;
const open = notChecked('not-yet');
const family: FamilyReport = {
  udpBlocked: known(false, 4), mapping: known('endpoint-independent', 4), filtering: known('address-and-port-dependent', 4), allocation: open, mappingLifetimeMs: open, hairpin: open, doubleNat: open,
  publicHosts: open, onePublicHost: open, pathMtuBytes: open,
};
const absent = notChecked('no-address');
const noFamily: FamilyReport = { ...family, udpBlocked: absent, mapping: absent, filtering: absent };
const report = (ipv4: Partial<FamilyReport> = {}, ipv6: FamilyReport = noFamily): NetworkReport =>
  ({ families: { ipv4: { ...family, ...ipv4 }, ipv6 }, ipv6Inbound: open, captivePortal: open, portControl: open, relays: [], candidates: [], isComplete: true });
const search = (change: Partial<DirectSearchView> = {}): DirectSearchView =>
  ({ reason: 'failed', attempts: 4, begins: 'own', ownAddresses: 2, theirAddresses: 3, triedAddresses: 3, lastAttemptAtMs: nowMs - 20_000, nextAttemptAtMs: nowMs + 40_000, ...change });
const why = (change: Partial<DirectSearchView> = {}, of: NetworkReport | undefined = report()) => whyNotDirect(search(change), of, nowMs);

describe('why there is no direct path', () => {
  it('says what was tried, what the own network may have to do with it, and when it is tried again', () => {
    expect(why()).toEqual({
      code: 'direct.failed.own-mostly-works',
      sentence: 'Not direct, because none of the 3 addresses of theirs that can be tried answered in 4 attempts. From your network direct paths mostly work, so the reason may be on their side. Of their network nothing is known. Next attempt in 40 seconds.',
    });
  });

  it('names the own router only where the check found it out, and as a possibility', () => {
    const each = why({}, report({ mapping: known('address-and-port-dependent', 4) }));
    expect(each.code).toBe('direct.failed.own-port-per-conversation');
    expect(each.sentence).toContain('may be the reason');
    expect(why({}, report({ mapping: known('address-dependent', 4), filtering: known('endpoint-independent', 4) })).code).toBe('direct.failed.own-mostly-works');
    expect(why({}, report({ mapping: notChecked('too-few-relays') })).code).toBe('direct.failed.own-unknown');
    expect(whyNotDirect(search(), undefined, nowMs)).toMatchObject({ code: 'direct.failed.own-unchecked' });
    expect(whyNotDirect(search(), undefined, nowMs).sentence).toContain('has not been checked');
  });

  it('says that the network blocks UDP only when no family of addresses is open or unchecked', () => {
    expect(why({}, report({ udpBlocked: known(true, 9) })).code).toBe('direct.failed.own-blocks-udp');
    expect(why({}, report({ udpBlocked: known(true, 9) }, family)).code).not.toContain('blocks');
    expect(why({}, report({ udpBlocked: known(true, 9) }, { ...family, udpBlocked: open })).code).not.toContain('blocks');
    expect(why({}, report({ udpBlocked: absent, mapping: absent })).code).not.toContain('blocks');
  });

  it('has a sentence for every reason, and counts nothing that is not there', () => {
    for (const reason of directReasons) {
      const { code, sentence } = why({ reason, theirAddresses: reason.includes('their') || reason === 'no-addresses' ? 0 : 1, triedAddresses: reason === 'failed' || reason === 'no-own-addresses' ? 1 : 0 });
      expect(code).toContain(`direct.${reason}`);
      expect(sentence).toMatch(/^[A-Z].*\.$/);
      expect(sentence).not.toMatch(/undefined|NaN|none of the [01] /);
    }
  });

  it('tells a guess with its chance and its end, never as certain, and owns up where it missed', () => {
    const guess = { opens: 'theirs', chance: 0.983, untilMs: nowMs + 20_300 } as const;
    expect(why({ reason: 'guessing', guess })).toEqual({ code: 'direct.guessing', sentence: 'Trying to guess the port their router opens: about 98 % chance, up to 20 seconds.' });
    expect(why({ reason: 'guessing', guess: { opens: 'own', untilMs: nowMs - 5 } }).sentence).toBe('Trying to guess the port your router opens: up to 1 second.');
    expect(why({ reason: 'guessing', guess: { ...guess, chance: 0.9999 } }).sentence).toContain('about 99 % chance');
    expect(why({ reason: 'guess-failed', guess }).sentence).toContain('guessing the port their router opens missed, with about 98 % chance of a hit. It is tried a few times an hour.');
    expect(why({ reason: 'both-hard' }).sentence).toContain('there is none that could be guessed');
  });

  it('does not blame the own network for what was not tried', () => {
    for (const reason of ['trying', 'not-tried', 'lost', 'not-told'] as const) expect(why({ reason }, undefined).sentence).not.toContain('network');
    expect(why({ reason: 'hidden' })).toEqual({ code: 'direct.hidden', sentence: 'Not direct, because you hide your network address. You can change that in Settings.' });
  });

  it('says who begins the next attempt', () => {
    expect(why({ begins: 'theirs' }).sentence).toMatch(/Their computer begins the next attempt\.$/);
    expect(why({ reason: 'trying' }).sentence).toBe('Looking for a direct path now: 3 addresses of theirs are being tried.');
    // It is due: the list is a moment old.
    expect(why({ nextAttemptAtMs: nowMs - 5_000 }).sentence).toMatch(/Next attempt in a moment\.$/);
  });
});

describe('somebody who is looked for', () => {
  it('has a sentence for every reason and the time of the next try', () => {
    for (const reason of seekReasons) expect(seekSentence({ isAsking: false, failures: 1, reason, nextAskAtMs: nowMs + 20_000 }, nowMs)).toMatchObject({ code: `seek.${reason}` });
    expect(seekSentence({ isAsking: false, failures: 1, reason: 'not-connected', nextAskAtMs: nowMs + 20_000 }, nowMs).sentence).toMatch(/Waypost asks again in 20 seconds\.$/);
    expect(seekSentence({ isAsking: true, failures: 1, reason: 'ended' }, nowMs)).toEqual({ code: 'seek.asking', sentence: 'Asking their relays for them now. Before: the connection to them ended. They may have gone.' });
    expect(seekSentence({ isAsking: false, failures: 0 }, nowMs)).toEqual({ code: 'seek.waiting', sentence: 'Waypost will ask for them.' });
  });
});

describe('the words of paths', () => {
  it('name the relay where it is known', () => {
    expect([pathWords('lan', undefined), pathWords('direct', undefined), pathWords('punched', undefined), pathWords('relay', 'mill.example'), pathWords('relay', undefined)]).toEqual(['Local network', 'Direct', 'Direct, punched', 'Through mill.example', 'Through a relay']);
    expect(pathConsequence('relay', 'mill.example')).toContain('passes through mill.example');
    expect([pathConsequence('lan', undefined), pathConsequence('direct', undefined), pathConsequence('punched', undefined)].every((words) => words.startsWith('Straight to their computer'))).toBe(true);
  });
  it('have words and a consequence for every kind of path, with and without a name', () => {
    for (const kind of peerPathKinds) for (const name of [undefined, 'Bao']) {
      expect(pathWords(kind, name)).toMatch(/^[A-Z]/);
      expect(pathConsequence(kind, name)).toMatch(/^[A-Z].*\.$/);
    }
    expect([pathWords('friend', 'Bao'), pathWords('relay-tcp', 'mill.example'), pathWords('relay-tcp', undefined)]).toEqual(['Through Bao, a friend', 'Through mill.example, over TCP', 'Through a relay, over TCP']);
    expect(pathConsequence('relay-tcp', 'mill.example')).toContain('holds up all after it');
    expect(switchWords({ atMs: 1, from: 'friend', to: 'friend', relayName: 'Bao' })).toBe('To another friend: Through Bao, a friend');
  });
  it('say whether a path is used and whether it answers', () => {
    expect([true, false].flatMap((isCurrent) => [true, false].map((isDoubtful) => pathStateWords({ isCurrent, isDoubtful })))).toEqual(['In use, not answering now', 'In use', 'Not answering', 'In reserve']);
  });
  it('tell changes and ends', () => {
    expect(switchWords({ atMs: 1, to: 'relay', relayName: 'mill.example' })).toBe('Connected: Through mill.example');
    expect(switchWords({ atMs: 1, from: 'relay', to: 'lan' })).toBe('Through a relay, then Local network');
    expect(switchWords({ atMs: 1, from: 'relay', to: 'relay', relayName: 'mill.example' })).toBe('To another relay: Through mill.example');
    expect([pathProblemWords({ reason: 'no-answer' }), pathProblemWords({ reason: 'circuit-ended' })]).toEqual(['did not answer any more', 'was closed by the relay or by them']);
  });
});
