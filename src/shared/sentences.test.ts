import { describe, expect, it } from 'vitest';
import { connectionSentence, echoSentence, fingerprintGroups, headlineSentence, headlineWords, hopDetails, hopTitle, missingSentence, relaySentence, shortKey, waitReasonSentence } from './sentences.ts';
import { failReasons, waitReasons, type ConnectionView, type HopView, type RelayView } from './views.ts';

const now = new Date(2026, 10, 18, 12, 0, 0).getTime();
const key = `02${'ab'.repeat(32)}`;
const day = 86_400_000;
const connection = (change: Partial<ConnectionView>): ConnectionView => ({ kind: 'online', relaysConnected: 2, relaysConfigured: 2, waitingMessages: 0, ...change });
const relay = (change: Partial<RelayView>): RelayView => ({ publicKey: key, address: 'a:1', name: 'a', role: 'own', state: 'connected', problem: '', roundTripsMs: [], ...change });

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
    expect(connectionSentence(connection({ kind: 'degraded', relaysConnected: 1 })).sentence).toBe('Online through one relay; finding a second');
    expect(connectionSentence(connection({ kind: 'degraded', relaysConfigured: 1 })).sentence).toContain('add a second');
    expect(connectionSentence(connection({ kind: 'storage-failed' })).tone).toBe('danger');
  });
  it('says why and since when a relay is as it is', () => {
    expect(relaySentence(relay({ sinceMs: now - 2 * 3_600_000 }), now).sentence).toBe('Connected for 2 hours');
    expect(relaySentence(relay({ state: 'unreachable', lastHeardMs: now - 120_000 }), now).sentence).toBe('Does not answer. Last heard 2 minutes ago.');
    expect(relaySentence(relay({ state: 'refused', problem: 'invitation needed' }), now).sentence).toBe('Refused. Invitation needed.');
  });
  it('titles a hop with the relay and explains known reason codes', () => {
    const hop: HopView = { kind: 'tried', atMs: now, future: false, relayName: 'Mill', path: 'relay over UDP', reason: 'relay-full' };
    expect(hopTitle(hop)).toBe('Handed to Mill');
    expect(hopDetails(hop, now)).toEqual(['By relay over UDP', waitReasonSentence('relay-full')]);
    expect(hopTitle({ kind: 'tried', atMs: now, future: true })).toBe('Next try');
    expect(hopDetails({ kind: 'failed', atMs: now, future: false, reason: 'unopenable' }, now)).toEqual(['Their device could not open it.']);
    expect(hopDetails({ kind: 'failed', atMs: now, future: false, reason: 'toString' }, now)).toEqual(['toString']);
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
