import { describe, expect, it } from 'vitest';
import { messageSummary } from '../../../shared/sentences.ts';
import { conversationSchema, hopSchema, messageSchema, outboxItemSchema } from '../../../shared/views.ts';
import { peerSchema } from '../../../shared/peer-views.ts';
import { relaySchema } from '../../../shared/relay-views.ts';
import { contactRow, conversationRow, fileRow, FakeInspection, keyOf, outboxStatus, relayStatus, storedMessage } from './fake-inspection.ts';
import { percentile, presentConversation, presentHops, presentMessage, presentOutboxItem, presentRelay, relayName } from './presenter.ts';
import { presentPeer } from './present-peer.ts';

const bob = keyOf(2);
const id = 'ab'.repeat(16);

describe('presenting', () => {
  it('shows a conversation with the name of its contact, and a key without a name by its ends', () => {
    const inspect = new FakeInspection();
    const summary = { conversationId: `${bob}:1`, unread: 3, last: storedMessage(id, `${bob}:1`, 4) };
    expect(presentConversation(conversationRow(bob), undefined, inspect).name).toBe(`${bob.slice(0, 8)}…${bob.slice(-4)}`);
    inspect.contacts.set(bob, contactRow(bob, 'Bob'));
    const view = presentConversation(conversationRow(bob), summary, inspect);
    expect(conversationSchema.parse(view)).toMatchObject({ name: 'Bob', standing: 'contact', unread: 3, last: { id } });
    expect(view).not.toHaveProperty('relayHoldsBytes');
    inspect.limits.set(bob, 50_000);
    expect(conversationSchema.parse(presentConversation(conversationRow(bob), summary, inspect)).relayHoldsBytes).toBe(50_000);
  });

  it('takes the state of outgoing messages from the engine and calls incoming ones received', () => {
    const inspect = new FakeInspection();
    expect(messageSchema.parse(presentMessage(storedMessage(id, `${bob}:1`, 1, 'out'), inspect)).headline).toEqual({ state: 'queued' });
    const waiting = Object.assign(new FakeInspection(), { headline: () => ({ state: 'queued', nextTryAtMs: 5.5 }) as const });
    expect(messageSchema.parse(presentMessage(storedMessage(id, `${bob}:1`, 1, 'out'), waiting)).headline).toEqual({ state: 'queued', nextTryAtMs: 6 });
    expect(presentMessage(storedMessage(id, `${bob}:1`, 1, 'in'), inspect).headline).toEqual({ state: 'received' });
  });

  it('shows a file with the names of the relays that hold it and of those it comes from', () => {
    const inspect = new FakeInspection();
    inspect.relays = [relayStatus(keyOf(3))];
    const holders = [{ relay: keyOf(3), heldBytes: 50_016.5, complete: false }, { relay: keyOf(4), heldBytes: 100_032, complete: true }];
    inspect.files.set(id, { state: { state: 'moving', doneBytes: 100_032, bytesPerSecond: 1_000.5, remainingMs: 1.4, sources: [{ kind: 'relay', relay: keyOf(3) }, { kind: 'sender' }] }, holders });
    const message = { ...storedMessage(id, `${bob}:1`, 1, 'out'), file: fileRow(id, `${bob}:1`, 'out', '../../holi\u202egpj.exe') };
    expect(messageSchema.parse(presentMessage(message, inspect)).file).toEqual({
      name: '_.._holigpj.exe',
      mediaType: 'image/jpeg',
      sizeBytes: 100_000,
      state: { state: 'moving', doneBytes: 100_000, bytesPerSecond: 1_000.5, remainingMs: 1, sources: [{ kind: 'relay', relay: keyOf(3), relayName: 'relay.example:7400' }, { kind: 'sender' }] },
      holders: [
        { relay: keyOf(3), relayName: 'relay.example:7400', heldBytes: 50_016, complete: false },
        { relay: keyOf(4), relayName: `${keyOf(4).slice(0, 8)}…${keyOf(4).slice(-4)}`, heldBytes: 100_000, complete: true },
      ],
    });
  });

  it.each([
    { state: 'waiting', reason: 'paused', doneBytes: 5 }, { state: 'ready' }, { state: 'failed', reason: 'damaged' },
  ] as const)('shows a file that does not move as $state, also as the last message of a conversation', (state) => {
    const inspect = new FakeInspection();
    inspect.files.set(id, { state, holders: [] });
    const last = { ...storedMessage(id, `${bob}:1`, 1, 'in', ''), file: fileRow(id, `${bob}:1`) };
    const view = conversationSchema.parse(presentConversation(conversationRow(bob), { conversationId: `${bob}:1`, unread: 1, last }, inspect));
    expect(view.last?.file).toEqual({ name: 'holiday.jpg', mediaType: 'image/jpeg', sizeBytes: 100_000, state, holders: [] });
    expect(messageSummary(view.last ?? expect.fail('it has a last message'))).toBe('holiday.jpg');
  });

  it('shows at most 64 round trips, gaps included, with their percentiles', () => {
    const samples = [...Array.from({ length: 70 }, (_, index) => index + 1), undefined];
    const view = relaySchema.parse(presentRelay(relayStatus(keyOf(3), samples)));
    expect(view.roundTripsMs).toHaveLength(64);
    expect(view.roundTripsMs.at(-1)).toBeNull();
    expect([view.p50Ms, view.p95Ms]).toEqual([39, 67]);
    expect(presentRelay(relayStatus(keyOf(3))).p50Ms).toBeUndefined();
    expect(percentile([5], 0.95)).toBe(5);
  });

  it('counts the test letters of a relay, with the times of those that came and the last that did not', () => {
    const tests = { sentCount: 22, arrivedCount: 21, tookMs: Array.from({ length: 21 }, (_, index) => index + 1), standing: 'trial', lastProblem: { step: 'lost', atWallMs: 1_000.4 } } as const;
    const view = relaySchema.parse(presentRelay({ ...relayStatus(keyOf(3)), tests }));
    expect(view.tests).toEqual({ sentCount: 22, arrivedCount: 21, p50Ms: 11, p95Ms: 20, standing: 'trial', lastProblem: { step: 'lost', atMs: 1_000 } });
    expect(relaySchema.parse(presentRelay({ ...relayStatus(keyOf(3)), tests: { ...tests, tookMs: [], lastProblem: undefined } })).tests).toEqual({ sentCount: 22, arrivedCount: 21, standing: 'trial' });
    expect(presentRelay(relayStatus(keyOf(3)))).not.toHaveProperty('tests');
  });

  it('summarises what waits in one line of bounded length without cutting a character', () => {
    const inspect = new FakeInspection();
    const item = (text: string): string => presentOutboxItem(outboxStatus(id, bob, text), inspect).summary;
    expect(item('two\nlines\t here ')).toBe('two lines here');
    const long = item('😀'.repeat(500));
    expect(Array.from(long)).toHaveLength(120);
    expect(long.endsWith('😀…')).toBe(true);
    expect(outboxItemSchema.parse(presentOutboxItem(outboxStatus(id, bob, 'hello'), inspect))).toMatchObject({ kind: 'message', conversationId: `${bob}:1` });
  });

  it('tells what the person said of a relay, how full the mailbox is, and how a test went', () => {
    const mailbox = { letters: 3, lettersMaximum: 10_000, sizeBytes: 2_100, maximumBytes: 64_000_000, atWallMs: 1_000.4 };
    const trial = { startedAtMs: 5, isRunning: true, steps: [{ step: 'address', state: 'running' }] } as const;
    const { row, ...status } = relayStatus(keyOf(3));
    const view = relaySchema.parse(presentRelay({ ...status, row: { ...row, choice: 'pinned' }, place: 1, isTold: true, mailbox, capabilities: ['waypost/1', 'holds/500'], trial: { ...trial, steps: [...trial.steps] } }));
    expect(view).toMatchObject({ choice: 'pinned', place: 1, isTold: true, capabilities: ['waypost/1', 'holds/500'], trial });
    expect(view.mailbox).toEqual({ letters: 3, lettersMaximum: 10_000, sizeBytes: 2_100, maximumBytes: 64_000_000, atMs: 1_000, heldFileBytes: 500 });
    const banned = relaySchema.parse(presentRelay({ ...status, row: { ...row, choice: 'banned' }, place: undefined }));
    expect([banned.choice, banned.place, banned.mailbox, banned.capabilities]).toEqual(['banned', undefined, undefined, undefined]);
  });

  it('knows relays among those that are connected, the own and those of contacts', () => {
    const inspect = new FakeInspection();
    inspect.relays = [relayStatus(keyOf(3))];
    inspect.contacts.set(bob, { ...contactRow(bob, 'Bob'), relays: [{ publicKey: keyOf(4), host: '::1', port: 9 }] });
    const peer = { role: 'relay', paths: [], roundTrips: [], switches: [], problems: [], search: undefined, address: { host: '::1', port: 9 }, roundTripMs: 3.5, lastHeardWallMs: 1_000.5, sentBytes: 1, receivedBytes: 2 } as const;
    const path = { kind: 'direct', relay: undefined, address: peer.address, isCurrent: true, isDoubtful: false, roundTripMs: 3.5 } as const;
    expect(peerSchema.parse(presentPeer({ ...peer, publicKey: keyOf(3) }, inspect))).toMatchObject({ path: 'relay', name: 'relay.example:7400', address: '[::1]:9' });
    expect(presentPeer({ ...peer, publicKey: keyOf(4) }, inspect)).toMatchObject({ path: 'relay', name: '[::1]:9' });
    expect(presentPeer({ ...peer, publicKey: keyOf(3) }, inspect).paths).toEqual([]);
    expect(peerSchema.parse(presentPeer({ ...peer, role: 'contact', paths: [path], publicKey: bob }, inspect))).toMatchObject({ path: 'direct', kind: 'direct', name: 'Bob', paths: [{ kind: 'direct', address: '[::1]:9', isCurrent: true }] });
    const circuit = { ...path, kind: 'relay', relay: keyOf(3), address: undefined } as const;
    expect(peerSchema.parse(presentPeer({ ...peer, role: 'contact', address: undefined, paths: [circuit], publicKey: bob }, inspect)))
      .toMatchObject({ path: 'relay', kind: 'relay', relay: keyOf(3), name: 'Bob', paths: [{ kind: 'relay', relay: keyOf(3), relayName: 'relay.example:7400' }] });
    const near = presentPeer({ ...peer, role: 'contact', paths: [{ ...path, kind: 'lan' }, { ...circuit, isCurrent: false, isDoubtful: true }], publicKey: bob }, inspect);
    expect([near.path, near.kind, near.relay, near.paths.map(({ kind, isCurrent, isDoubtful }) => [kind, isCurrent, isDoubtful])]).toEqual(['direct', 'lan', undefined, [['lan', true, false], ['relay', false, true]]]);
    expect(relayName(inspect, keyOf(9))).toContain('…');
  });

  it('ends the log of a message that may still arrive with its expiry', () => {
    const inspect = new FakeInspection();
    const waiting = presentMessage(storedMessage(id, `${bob}:1`, 1, 'out'), inspect);
    const hops = presentHops(waiting, [{ kind: 'saved', atMs: 1_000.7 }], inspect).map((hop) => hopSchema.parse(hop));
    expect(hops).toEqual([{ kind: 'saved', atMs: 1_001, future: false }, { kind: 'expires', atMs: 2_000, future: true }]);
    expect(presentHops({ ...waiting, headline: { state: 'delivered', atMs: 5 } }, [], inspect)).toEqual([]);
  });
});
