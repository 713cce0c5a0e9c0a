import { describe, expect, it } from 'vitest';
import { peerSchema } from '../../../shared/peer-views.ts';
import type { PeerStatus, SoughtPeer } from '../../engine/inspection-types.ts';
import { contactRow, FakeInspection, keyOf } from './fake-inspection.ts';
import { presentPeer, presentSoughtPeer } from './present-peer.ts';

const bob = keyOf(2);
const relay = keyOf(3);
const inspect = new FakeInspection();
inspect.contacts.set(bob, { ...contactRow(bob, 'Bob'), relays: [{ publicKey: relay, host: 'mill.example', port: 4_430 }] });
const address = { host: '2001:db8::7', port: 9 };
const direct = { kind: 'direct', relay: undefined, address, isCurrent: true, isDoubtful: false, roundTripMs: 3.5 } as const;
const circuit = { kind: 'relay', relay, address: undefined, isCurrent: false, isDoubtful: true, roundTripMs: undefined } as const;
const peer: PeerStatus = {
  publicKey: bob, role: 'contact', address, paths: [direct, circuit], roundTrips: [{ kind: 'relay', roundTripMs: 60.25 }, { kind: 'relay', roundTripMs: undefined }, { kind: 'direct', roundTripMs: 3.5 }],
  switches: [{ atWallMs: 99.6, from: undefined, to: 'relay', relay, sample: undefined }, { atWallMs: 1_000.4, from: 'relay', to: 'direct', relay: undefined, sample: 2 }],
  problems: [{ kind: 'relay', relay, address: undefined, reason: 'circuit-ended', atWallMs: 5.5 }], search: undefined, roundTripMs: 3.5, lastHeardWallMs: 1_000.5, sentBytes: 1, receivedBytes: 2,
};

describe('a contact who is connected', () => {
  it('is shown with every path, the names of relays, round trips with their gaps and where the path changed', () => {
    expect(peerSchema.parse(presentPeer(peer, inspect))).toEqual({
      publicKey: bob, name: 'Bob', role: 'contact', path: 'direct', kind: 'direct', address: '[2001:db8::7]:9', roundTripMs: 3.5, lastHeardMs: 1_001, sentBytes: 1, receivedBytes: 2,
      paths: [
        { kind: 'direct', address: '[2001:db8::7]:9', isCurrent: true, isDoubtful: false, roundTripMs: 3.5 },
        { kind: 'relay', relay, relayName: 'mill.example:4430', isCurrent: false, isDoubtful: true },
      ],
      roundTripsMs: [60.25, null, 3.5],
      switches: [{ atMs: 100, to: 'relay', relayName: 'mill.example:4430' }, { atMs: 1_000, from: 'relay', to: 'direct', sample: 2 }],
      problems: [{ kind: 'relay', relayName: 'mill.example:4430', reason: 'circuit-ended', atMs: 6 }],
    });
  });

  it('is shown with the relay in between and what was done for a direct path', () => {
    const shown = peerSchema.parse(presentPeer({
      ...peer, address: undefined, paths: [{ ...circuit, isCurrent: true, isDoubtful: false }],
      search: { reason: 'failed', attempts: 2, lastAttemptWallMs: 10.2, begins: 'own', nextAttemptWallMs: 20.7, ownAddresses: 2, theirAddresses: 1, triedAddresses: 1 },
    }, inspect));
    expect(shown).toMatchObject({ path: 'relay', kind: 'relay', relay, relayName: 'mill.example:4430', search: { reason: 'failed', attempts: 2, lastAttemptAtMs: 10, nextAttemptAtMs: 21, begins: 'own' } });
    expect(shown.address).toBeUndefined();
    const unknown = presentPeer({ ...peer, search: { reason: 'not-tried', attempts: 0, lastAttemptWallMs: undefined, begins: 'theirs', nextAttemptWallMs: undefined, ownAddresses: 0, theirAddresses: undefined, triedAddresses: 0 } }, inspect);
    expect(peerSchema.parse(unknown).search).toEqual({ reason: 'not-tried', attempts: 0, begins: 'theirs', ownAddresses: 0, triedAddresses: 0 });
  });
});

describe('what is reached over TCP', () => {
  it('is shown as that: a relay by the address that it has, a contact by a path of another kind', () => {
    const overTcp = { ...peer, role: 'relay', publicKey: relay, paths: [], address: { host: 'tcp/198.51.100.7', port: 443 } } as const;
    expect(peerSchema.parse(presentPeer(overTcp, inspect))).toMatchObject({ role: 'relay', address: '198.51.100.7:443', isOverTcp: true });
    const shown = peerSchema.parse(presentPeer({ ...peer, address: undefined, paths: [{ ...circuit, kind: 'relay-tcp', isCurrent: true }] }, inspect));
    expect([shown.path, shown.kind, shown.paths[0]?.kind, shown.isOverTcp]).toEqual(['relay', 'relay-tcp', 'relay-tcp', undefined]);
  });
});

describe('a contact who is looked for', () => {
  const sought: SoughtPeer = { publicKey: bob, isAsking: false, failures: 2, reason: 'not-connected', nextAskWallMs: 7.5, problems: peer.problems };
  it('is shown without a path, with the reason and the time of the next try', () => {
    expect(peerSchema.parse(presentSoughtPeer(sought, inspect))).toEqual({
      publicKey: bob, name: 'Bob', role: 'contact', path: 'none', sentBytes: 0, receivedBytes: 0, paths: [],
      problems: [{ kind: 'relay', relayName: 'mill.example:4430', reason: 'circuit-ended', atMs: 6 }], seek: { isAsking: false, failures: 2, reason: 'not-connected', nextAskAtMs: 8 },
    });
    expect(presentSoughtPeer({ ...sought, lastHeardWallMs: 4.4 }, inspect).lastHeardMs).toBe(4);
    expect(presentSoughtPeer({ ...sought, isAsking: true, reason: undefined, nextAskWallMs: undefined }, inspect).seek).toEqual({ isAsking: true, failures: 2 });
  });
});
