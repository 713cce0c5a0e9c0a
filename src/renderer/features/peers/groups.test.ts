import { describe, expect, it } from 'vitest';
import { peerPathKinds, peerSchema, type PeerPathView } from '../../../shared/peer-views.ts';
import { everyPeer, manyPeers } from '../../dev/peer-samples.ts';
import { sampleConversation, sampleKey, sampleOutbox } from '../../dev/samples.ts';
import { groupPeers, lettersOnTheirWay, pathsInOrder } from './groups.ts';

const peers = everyPeer(1_000_000_000);

describe('the samples', () => {
  it('are what the contract allows', () => {
    for (const peer of [...peers, ...manyPeers(1_000_000_000)]) expect(peerSchema.parse(peer)).toEqual(peer);
  });
});

describe('the groups of the page of peers', () => {
  it('put the nearest first, and names in order', () => {
    const { connected, sought, relays } = groupPeers(peers, []);
    expect(connected.map(({ kind }) => kind)).toEqual(connected.map(({ kind }) => kind).toSorted((one, other) => peerPathKinds.indexOf(one ?? 'relay') - peerPathKinds.indexOf(other ?? 'relay')));
    expect(connected.filter(({ kind }) => kind === 'direct').map(({ name }) => name)).toEqual(['Bao Tran', 'Workshop']);
    expect(sought.every(({ path, seek }) => path === 'none' && seek !== undefined)).toBe(true);
    expect(connected.length + sought.length + relays.length).toBe(peers.length);
  });

  it('have every accepted contact once', () => {
    const conversations = [sampleConversation('Anna Lindqvist', []), sampleConversation('Zoë', []), { ...sampleConversation('Zoë', []), id: `${sampleKey('Zoë')}:9` }, sampleConversation('Spam', [], { standing: 'blocked' }), sampleConversation('Visitor', [], { standing: 'request' })];
    expect(groupPeers(peers, conversations).others).toEqual([{ publicKey: sampleKey('Zoë'), name: 'Zoë', conversationId: `${sampleKey('Zoë')}:1` }]);
  });

  it('have each relay once, with the traffic of both sessions with it', () => {
    const [first, second] = peers.filter(({ role }) => role === 'relay');
    if (first === undefined || second === undefined) throw new Error('there are two relays');
    const anonymous = { ...first, sentBytes: 5, receivedBytes: 7, lastHeardMs: (first.lastHeardMs ?? 0) + 1 };
    expect(groupPeers([first, second, anonymous], []).relays).toEqual([{ ...first, sentBytes: first.sentBytes + 5, receivedBytes: first.receivedBytes + 7, lastHeardMs: anonymous.lastHeardMs }, second]);
  });

  it('list paths with the one in use first, then from the nearest', () => {
    const paths = (['relay', 'punched', 'lan', 'friend', 'direct'] as const).map((kind): PeerPathView => ({ kind, isCurrent: kind === 'direct', isDoubtful: false }));
    expect(pathsInOrder(paths).map(({ kind }) => kind)).toEqual(['direct', 'lan', 'punched', 'friend', 'relay']);
  });

  it('count what people wrote, and not what Waypost sends by itself', () => {
    const counts = lettersOnTheirWay(sampleOutbox(1_000_000_000));
    expect([counts.get(sampleKey('Priya')), counts.get(sampleKey('Workshop'))]).toEqual([1, undefined]);
  });
});
