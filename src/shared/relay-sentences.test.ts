import { describe, expect, it } from 'vitest';
import { carryingSentence, friendsWaypost, relaySentence, relayTag } from './relay-sentences.ts';
import type { CarryingView, RelayView } from './relay-views.ts';

const now = new Date(2026, 10, 18, 12, 0, 0).getTime();
const key = `02${'ab'.repeat(32)}`;
const relay = (change: Partial<RelayView>): RelayView => ({ publicKey: key, address: 'a:1', name: 'a', role: 'own', state: 'connected', problem: '', roundTripsMs: [], ...change });

describe('a relay', () => {
  it('says why and since when it is as it is', () => {
    expect(relaySentence(relay({ sinceMs: now - 2 * 3_600_000 }), now).sentence).toBe('Connected for 2 hours');
    expect(relaySentence(relay({ state: 'unreachable', lastHeardMs: now - 120_000 }), now).sentence).toBe('Does not answer. Last heard 2 minutes ago.');
    expect(relaySentence(relay({ state: 'refused', problem: 'invitation needed' }), now).sentence).toBe('Refused. Invitation needed.');
  });
});

describe('friends who carry', () => {
  const carrying = (change: Partial<CarryingView>): string => carryingSentence({ state: 'on', members: 2, letters: 0, hourBytes: 2_048, hourMaximumBytes: 268_435_456, ...change }).sentence;
  it('are told apart from relays', () => {
    expect(relayTag(relay({ role: 'friend', carriedBy: 'Fay' }))).toBe('carried by Fay');
    expect([relayTag(relay({})), relayTag(relay({ role: 'local' })), relayTag(relay({ role: 'friend', leavingUntilMs: 1 }))]).toEqual(['yours', 'inside this app', 'removed']);
    expect([friendsWaypost('Fay'), friendsWaypost('')]).toEqual(['Fay’s Waypost', 'a friend’s Waypost']);
  });
  it('see what they carry, or why nothing', () => {
    expect(carrying({})).toMatch(/^Carries for 2 friends\. In the last hour: .+ of at most .+\.$/);
    expect(carrying({ letters: 1 })).toContain('It has taken 1 message for them');
    expect(carrying({ members: 0 })).toBe('Ready to carry for friends, as soon as you have some.');
    expect(carrying({ state: 'unreachable' })).toBe('Others cannot reach this computer from outside, so it carries for nobody.');
    expect(new Set((['off', 'checking', 'unreachable', 'failed'] as const).map((state) => carrying({ state }))).size).toBe(4);
  });
});
