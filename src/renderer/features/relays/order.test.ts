import { describe, expect, it } from 'vitest';
import { relaySchema, type RelayView } from '../../../shared/relay-views.ts';
import { everyRelay } from '../../dev/relay-samples.ts';
import { sampleRelays } from '../../dev/samples.ts';
import { inOrder, moveOf, placeWords } from './order.ts';

const nowMs = 1_000_000_000;
const relay = (name: string, change: Partial<RelayView>): RelayView => ({ publicKey: name, address: name, name, role: 'own', state: 'connected', problem: '', roundTripsMs: [], ...change });
const liar = { sentCount: 3, arrivedCount: 0, standing: 'demoted' } as const;
const relays = inOrder([
  relay('banned', { choice: 'banned' }), relay('left', { leavingUntilMs: 1 }), relay('local', { role: 'local', place: 5 }), relay('liar', { place: 4, tests: liar }), relay('b', { place: 3 }), relay('a', { place: 2 }),
  relay('pinned liar', { place: 1, choice: 'pinned', tests: liar }), relay('pinned', { place: 0, choice: 'pinned' }),
]);
const of = (name: string): RelayView => relays.find((one) => one.name === name) ?? relay('nobody', {});

describe('the list of relays', () => {
  it('has those in use by place, then those being left, then the banned', () => {
    expect(relays.map(({ name }) => name)).toEqual(['pinned', 'pinned liar', 'a', 'b', 'liar', 'local', 'left', 'banned']);
  });
  it('lets neighbours of one kind change places, and says why others may not', () => {
    expect([moveOf(relays, of('a'), 'down').past?.name, moveOf(relays, of('b'), 'up').past?.name, moveOf(relays, of('pinned liar'), 'up').past?.name]).toEqual(['b', 'a', 'pinned']);
    expect([moveOf(relays, of('pinned'), 'up').why, moveOf(relays, of('a'), 'up').why, moveOf(relays, of('b'), 'down').why, moveOf(relays, of('liar'), 'down').why]).toEqual([
      'It is the first already', 'Pinned relays come first', 'What does not keep its word comes last, unless it is pinned', 'It is the last already',
    ]);
    for (const name of ['local', 'left', 'banned']) expect([moveOf(relays, of(name), 'up').past, moveOf(relays, of(name), 'down').past]).toEqual([undefined, undefined]);
  });
  it('says of the first three that friends are told, and of others that they are not', () => {
    expect(placeWords(relay('x', { place: 1, isTold: true }))).toContain('second choice');
    expect(placeWords(relay('x', { place: 4, isTold: false }))).toContain('not told');
    expect([placeWords(of('local')), placeWords(of('banned'))]).toEqual([undefined, undefined]);
  });
});

describe('the samples', () => {
  it('are what the contract allows', () => {
    for (const one of [...sampleRelays(nowMs), ...everyRelay(nowMs)]) expect(relaySchema.parse(one)).toEqual(one);
  });
});
