import { describe, expect, it } from 'vitest';
import { hopDetails, hopTitle } from './hop-sentences.ts';
import { peerPathCodes } from './peer-views.ts';
import { waitReasonSentence } from './sentences.ts';
import type { HopView } from './views.ts';

const now = new Date(2026, 10, 18, 12, 0, 0).getTime();

describe('the hop log', () => {
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
    expect(peerPathCodes.map((path) => hopTitle(hop({ path, relayName: 'Mill' })))).toEqual(['Delivered directly, over the local network', 'Delivered directly', 'Delivered directly, by a punched path', 'Delivered to their device in a connection through Mill, a friend of you both', 'Delivered to their device in a connection through Mill', 'Delivered to their device in a connection through Mill, over TCP']);
    expect(peerPathCodes.map((path) => hopTitle(hop({ kind: 'received', path })))).toEqual(['Received directly, over the local network', 'Received directly', 'Received directly, by a punched path', 'Received from their device in a connection through a friend of you both', 'Received from their device in a connection through a relay', 'Received from their device in a connection through a relay, over TCP']);
    expect(hopTitle(hop({ kind: 'tried', path: 'peer-direct', reason: 'resealing' }))).toBe('Handed to their device directly');
    expect(hopDetails(hop({ path: 'peer-lan' }), now)).toEqual(['While you were both online']);
    expect([hopTitle(hop({})), hopTitle(hop({ path: 'relay over UDP' })), hopTitle(hop({ path: 'toString' }))]).toEqual(['Delivered to their device', 'Delivered to their device', 'Delivered to their device']);
  });
});
