import { describe, expect, it } from 'vitest';
import { connectionSentence, echoSentence, fingerprintGroups, headlineSentence, headlineWords, missingSentence, shortKey, waitReasonSentence } from './sentences.ts';
import { failReasons, waitReasons, type ConnectionView } from './views.ts';

const now = new Date(2026, 10, 18, 12, 0, 0).getTime();
const key = `02${'ab'.repeat(32)}`;
const day = 86_400_000;
const connection = (change: Partial<ConnectionView>): ConnectionView => ({ kind: 'online', relaysConnected: 2, relaysConfigured: 2, waitingMessages: 0, ...change });

describe('sentences', () => {
  it('uses the same state words everywhere', () => {
    expect(headlineWords({ state: 'queued' }, now)).toBe('Saved here');
    expect(headlineWords({ state: 'sending' }, now)).toBe('Sending');
    expect(headlineWords({ state: 'stored', wanted: 2, heldBy: [{ relay: key, relayName: 'Harbour', untilMs: now + 14 * day }] }, now)).toBe('Held by Harbour until 2 Dec, 12:00');
    expect(headlineWords({ state: 'delivered', atMs: now }, now)).toBe('Delivered');
    expect(headlineWords({ state: 'read', atMs: now }, now)).toBe('Read');
    expect(headlineWords({ state: 'failed', reason: 'blocked' }, now)).toBe('Not delivered: they do not accept messages from you');
    expect(headlineWords({ state: 'expired' }, now)).toBe('Expired');
    expect(headlineWords({ state: 'unconfirmed' }, now)).toBe('Not confirmed in time');
    expect(headlineWords({ state: 'cancelled' }, now)).toBe('Cancelled');
  });
  it('says that a held message keeps until its last copy runs out', () => {
    const holdings = [{ relay: key, relayName: 'Harbour', untilMs: now + day }, { relay: key, relayName: 'Mill', untilMs: now + 2 * day }];
    expect(headlineWords({ state: 'stored', wanted: 2, heldBy: holdings }, now)).toBe('Held by Harbour and 1 other until 20 Nov, 12:00');
    expect(headlineSentence({ state: 'stored', wanted: 2, heldBy: holdings }, now)).toContain('2 of 2 relays have a copy');
    expect(headlineWords({ state: 'stored', wanted: 2, heldBy: [] }, now)).toBe('Held by a relay');
  });
  it('has a full sentence for every reason', () => {
    for (const reason of waitReasons) expect(waitReasonSentence(reason)).toMatch(/^[A-Z].*\.$/);
    for (const reason of failReasons) expect(headlineSentence({ state: 'failed', reason }, now)).toMatch(/^Not delivered: .*\.$/);
  });
  it('does not call being offline an error', () => {
    expect(connectionSentence(connection({ kind: 'offline', waitingMessages: 4 }))).toEqual({ tone: 'muted', sentence: 'Offline: 4 messages will go when you are back' });
    expect(connectionSentence(connection({ kind: 'offline' })).tone).toBe('muted');
  });
  it('describes the connection by what it means', () => {
    expect(connectionSentence(connection({})).sentence).toBe('Connected: 2 relays');
    expect(connectionSentence(connection({ relaysOverTcp: 2, isUdpBlocked: true }))).toEqual({ tone: 'warning', sentence: 'UDP is blocked here; using TCP' });
    expect(connectionSentence(connection({ relaysOverTcp: 1, isUdpBlocked: true })).sentence).toBe('Connected: 2 relays');
    expect(connectionSentence(connection({ relaysOverTcp: 2 })).sentence).toBe('Connected: 2 relays');
    expect(connectionSentence(connection({ kind: 'degraded', relaysConnected: 1 })).sentence).toBe('Online through one relay; finding a second');
    expect(connectionSentence(connection({ kind: 'degraded', relaysConfigured: 1, relaysConnected: 1 })).sentence).toContain('add a second');
    expect(connectionSentence(connection({ kind: 'degraded', relaysConnected: 0 })).sentence).toBe('Online through a friend; your relays do not answer');
    expect(connectionSentence(connection({ kind: 'storage-failed' })).tone).toBe('danger');
  });
  it('groups fingerprints by three words and shortens keys', () => {
    expect(fingerprintGroups('one two three-four five six')).toEqual(['one two three', 'four five six']);
    expect(shortKey(key)).toBe('02ababab…abab');
  });
  it('counts what is missing and what Echo does', () => {
    expect(missingSentence(1)).toBe('1 earlier message is still on its way');
    expect(missingSentence(3)).toBe('3 earlier messages are still on their way');
    expect(echoSentence({ state: 'offline' }).sentence).toContain('waits');
  });
});
