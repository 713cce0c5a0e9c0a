import { describe, expect, it } from 'vitest';
import { carryingSentence, connectionSentence, echoSentence, fileFailSentence, fileSizeSentence, fileSourcesSentence, fileStateLines, fileWaitSentence, fingerprintGroups, friendsWaypost, headlineSentence, headlineWords, hopDetails, hopTitle, messageSummary, missingSentence, percentOf, relaySentence, relayTag, shortKey, waitReasonSentence } from './sentences.ts';
import { failReasons, fileFailReasons, fileHeldMaximumBytes, fileMaximumBytes, fileWaitReasons, peerPathCodes, waitReasons, type CarryingView, type ConnectionView, type FileView, type HopView, type MessageView, type RelayView } from './views.ts';

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
    expect(connectionSentence(connection({ relaysOverTcp: 2, isUdpBlocked: true }))).toEqual({ tone: 'warning', sentence: 'UDP is blocked here; using TCP' });
    expect(connectionSentence(connection({ relaysOverTcp: 1, isUdpBlocked: true })).sentence).toBe('Connected: 2 relays');
    expect(connectionSentence(connection({ relaysOverTcp: 2 })).sentence).toBe('Connected: 2 relays');
    expect(connectionSentence(connection({ kind: 'degraded', relaysConnected: 1 })).sentence).toBe('Online through one relay; finding a second');
    expect(connectionSentence(connection({ kind: 'degraded', relaysConfigured: 1, relaysConnected: 1 })).sentence).toContain('add a second');
    expect(connectionSentence(connection({ kind: 'degraded', relaysConnected: 0 })).sentence).toBe('Online through a friend; your relays do not answer');
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
  it('says of a letter that went between two devices how it went, and never that a relay held it', () => {
    const hop = (change: Partial<HopView>): HopView => ({ kind: 'delivered', atMs: now, future: false, ...change });
    expect(peerPathCodes.map((path) => hopTitle(hop({ path, relayName: 'Mill' })))).toEqual(['Delivered directly, over the local network', 'Delivered directly', 'Delivered to their device in a connection through Mill, a friend of you both', 'Delivered to their device in a connection through Mill', 'Delivered to their device in a connection through Mill, over TCP']);
    expect(peerPathCodes.map((path) => hopTitle(hop({ kind: 'received', path })))).toEqual(['Received directly, over the local network', 'Received directly', 'Received from their device in a connection through a friend of you both', 'Received from their device in a connection through a relay', 'Received from their device in a connection through a relay, over TCP']);
    expect(hopTitle(hop({ kind: 'tried', path: 'peer-direct', reason: 'resealing' }))).toBe('Handed to their device directly');
    expect(hopDetails(hop({ path: 'peer-lan' }), now)).toEqual(['While you were both online']);
    expect([hopTitle(hop({})), hopTitle(hop({ path: 'relay over UDP' })), hopTitle(hop({ path: 'toString' }))]).toEqual(['Delivered to their device', 'Delivered to their device', 'Delivered to their device']);
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

describe('sentences about files', () => {
  const megabyte = 1_000_000;
  const file = (change: Partial<FileView>): FileView => ({ name: 'tide table.pdf', mediaType: 'application/pdf', sizeBytes: 312 * megabyte, state: { state: 'ready' }, holders: [], ...change });
  const holder = (relayName: string, heldBytes: number, complete = false): FileView['holders'][number] => ({ relay: key, relayName, heldBytes, complete });
  const moving: Extract<FileView['state'], { state: 'moving' }> = { state: 'moving', doneBytes: 48 * megabyte, bytesPerSecond: 2_100_000, sources: [] };

  it('has a full sentence for every reason, in both directions', () => {
    for (const direction of ['in', 'out'] as const) {
      for (const reason of fileWaitReasons) expect(fileWaitSentence(reason, direction, megabyte)).toMatch(/^[A-Z].*\.$/);
      for (const reason of fileFailReasons) expect(fileFailSentence(reason, direction)).toMatch(/^[A-Z].*\.$/);
    }
  });
  it('says how far it is, how fast it goes, what is left and where it comes from', () => {
    const sources = [{ kind: 'sender' }, { kind: 'relay', relay: key, relayName: 'Mill' }] as const;
    expect(fileStateLines(file({ state: { ...moving, remainingMs: 126_000, sources: [...sources] } }), 'in')).toEqual(['48 MB of 312 MB, 2.1 MB/s, 2 minutes left', 'From its sender directly and from Mill']);
    expect(fileStateLines(file({ state: { ...moving, bytesPerSecond: 0 } }), 'in')).toEqual(['48 MB of 312 MB', '']);
    expect(fileSourcesSentence([{ kind: 'forwarded', relay: key, relayName: 'Mill' }])).toBe('From its sender through Mill');
    expect(fileSourcesSentence([{ kind: 'sender' }, { kind: 'relay', relayName: 'Mill' }, { kind: 'relay' }])).toBe('From its sender directly, from Mill and 1 other');
  });
  it('says which relay takes or holds an outgoing one', () => {
    expect(fileStateLines(file({ state: { ...moving }, holders: [holder('Mill', megabyte), holder('Harbour', 131 * megabyte)] }), 'out')[1]).toBe('Harbour is taking it: 41 %');
    expect(fileStateLines(file({ holders: [holder('Mill', 312 * megabyte, true), holder('Harbour', 0)] }), 'out')).toEqual(['Mill holds it.', '']);
    expect(fileStateLines(file({ holders: [holder('Mill', 1, true), holder('Harbour', 1, true)] }), 'out')[0]).toBe('Mill and 1 other relay hold it.');
    expect(fileStateLines(file({}), 'out')[0]).toBe('They have it.');
    expect(fileStateLines(file({ copyGone: true }), 'out')).toEqual(['They have it.', 'Waypost keeps no copy of it here any more.']);
  });
  it('keeps how much is here in view while nothing moves', () => {
    expect(fileStateLines(file({ state: { state: 'waiting', reason: 'paused', doneBytes: 120 * megabyte } }), 'in')).toEqual(['120 MB of 312 MB', 'Paused. What is here is kept.']);
    expect(fileStateLines(file({ state: { state: 'failed', reason: 'gone' } }), 'in')[0]).toContain('Nobody has it any more.');
  });
  it('counts the files that go first, as far as that says something', () => {
    const waiting = (othersFirst?: number): string => fileStateLines(file({ state: { state: 'waiting', reason: 'others-first', doneBytes: 0, ...(othersFirst === undefined ? {} : { othersFirst }) } }), 'out')[0];
    expect([waiting(1), waiting(8), waiting(21), waiting()]).toEqual([
      'Waiting for 1 other file. It follows by itself.', 'Waiting for 8 other files. It follows by itself.', 'Waiting for more than 20 other files. It follows by itself.', 'Waiting for other files. It follows by itself.',
    ]);
  });
  it('never rounds up to all of it', () => {
    expect([percentOf(0, 10), percentOf(999, 1_000), percentOf(1_000, 1_000), percentOf(0, 0)]).toEqual([0, 99, 100, 100]);
  });
  it('warns before sending what relays do not hold, and refuses what is never sent', () => {
    const gigabyte = 1_000 * megabyte;
    expect([fileSizeSentence(2 * gigabyte, 3 * gigabyte), fileSizeSentence(megabyte)]).toEqual([undefined, undefined]);
    expect(fileSizeSentence(2 * gigabyte, gigabyte)).toEqual({ tone: 'warning', sentence: 'Larger than 1.0 GB, the most that their relays hold: it arrives only while you are both online.' });
    expect(fileSizeSentence(fileMaximumBytes + 1, 3 * gigabyte)?.tone).toBe('danger');
    expect(fileWaitSentence('no-source', 'out', 2 * gigabyte, { relayHoldsBytes: gigabyte })).toBe('Their relays hold 1.0 GB at most. It goes while you are both online.');
    expect(fileWaitSentence('relay-full', 'out', 2 * gigabyte, { relayHoldsBytes: gigabyte })).toBe('Their relays hold 1.0 GB at most. It goes while you are both online.');
    expect(fileWaitSentence('relay-full', 'out', megabyte, { relayHoldsBytes: gigabyte })).toBe('Their mailbox has no room for it. It goes while you are both online.');
  });
  it('says no number where relays do not tell what they hold', () => {
    expect(fileSizeSentence(fileHeldMaximumBytes)).toEqual({ tone: 'warning', sentence: 'Their relays may not hold a file of this size: then it arrives only while you are both online.' });
    expect(fileWaitSentence('no-source', 'out', fileHeldMaximumBytes)).toBe('It may be too large for their relays to hold. It goes while you are both online.');
    expect(fileWaitSentence('no-source', 'out', megabyte)).toBe('No relay takes it now. It goes while you are both online.');
  });
  it('sums a message up by its file and its text', () => {
    const message: MessageView = { id: 'ab'.repeat(16), conversationId: `${key}:1`, row: 1, direction: 'in', text: 'Look', sentAtMs: 0, expiresAtMs: 0, headline: { state: 'received' }, missingBefore: 0 };
    expect([messageSummary(message), messageSummary({ ...message, file: file({}) }), messageSummary({ ...message, text: '', file: file({}) })]).toEqual(['Look', 'tide table.pdf: Look', 'tide table.pdf']);
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
