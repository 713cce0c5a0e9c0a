import { beforeEach, describe, expect, it } from 'vitest';
import { applyChange } from '../../../shared/patch.ts';
import { patchSchema, viewSchema, type Patch, type View } from '../../../shared/views.ts';
import type { StoredMessage } from '../../engine/mail/visor-store.ts';
import { CheckMachine } from '../../engine/path/network-check.ts';
import { contactRow, conversationRow, fileRow, FakeInspection, keyOf, outboxStatus, relayStatus, storedMessage } from './fake-inspection.ts';
import { StateService, type StateSource } from './state.ts';

const bob = keyOf(2);
const conversationId = `${bob}:1`;
const idOf = (number: number): string => number.toString(16).padStart(32, '0');

let inspect: FakeInspection | undefined;
let engine: FakeInspection;
let messages: Map<string, StoredMessage>;
let queries: string[];
let queryFailures: number;
/** Undefined: of all conversations. */
let summariesAskedFor: (readonly string[] | undefined)[];
let patches: Patch[];
let service: StateService;

beforeEach(() => {
  engine = new FakeInspection();
  engine.contacts.set(bob, contactRow(bob, 'Bob'));
  engine.conversations.set(conversationId, conversationRow(bob));
  inspect = engine;
  messages = new Map();
  queries = [];
  queryFailures = 0;
  summariesAskedFor = [];
  patches = [];
  const source = {
    get inspect() { return inspect; },
    get storageFailure() { return inspect === undefined ? ({ code: 'disk-full', message: 'full' } as const) : undefined; },
    query(query: { query: string; messageId?: string; conversationIds?: readonly string[] }): Promise<unknown> {
      queries.push(query.query);
      if (query.query === 'summaries') summariesAskedFor.push(query.conversationIds);
      if (queryFailures > 0) {
        queryFailures -= 1;
        return Promise.reject(new Error('the store is away'));
      }
      if (query.query === 'message') return Promise.resolve({ message: messages.get(query.messageId ?? '') });
      const all = [...messages.values()];
      return Promise.resolve({ summaries: [{ conversationId, unread: all.filter((message) => message.direction === 'in').length, last: all.at(-1) }] });
    },
  };
  service = new StateService({ source: source as unknown as StateSource, emit: (patch) => { patches.push(patchSchema.parse(patch)); }, notices: ['Kept in a file.'] });
  return () => { service.stop(); };
});

function receive(number: number): void {
  messages.set(idOf(number), storedMessage(idOf(number), conversationId, number));
  service.engineChanged([{ kind: 'message', messageId: idOf(number), conversationId }, { kind: 'conversation', conversationId }]);
}

const settled = async (count: number): Promise<void> => { await expect.poll(() => patches.length).toBe(count); };

/** What a window shows that has a snapshot and then applied each patch, refusing gaps. */
function replay(snapshot: { sequence: number; view: View }): View {
  let { sequence, view } = snapshot;
  for (const patch of patches) {
    if (patch.sequence <= snapshot.sequence) continue;
    expect(patch.sequence).toBe(sequence + 1);
    sequence = patch.sequence;
    view = patch.changes.reduce(applyChange, view);
  }
  return view;
}

describe('the live state', () => {
  it('is a valid view at once, with the notices of the host first', async () => {
    engine.notices = ['From the engine.'];
    const { sequence, view } = await service.snapshot();
    expect(sequence).toBe(0);
    expect(viewSchema.parse(view)).toMatchObject({ identity: { name: 'Ann' }, notices: ['Kept in a file.', 'From the engine.'], echo: { state: 'absent' } });
  });

  it('has what the last check of the network found out, until the network is another one', async () => {
    const report = new CheckMachine({ nowMs: 0, relays: [], localHosts: [], mainPorts: {} }).report();
    const snapshot = await service.snapshot();
    expect(snapshot.view.network).toBeUndefined();
    engine.network = { report, checkedWallMs: 1_500 };
    service.engineChanged([{ kind: 'network' }]);
    await settled(1);
    expect(replay(snapshot).network).toEqual({ report, checkedAtMs: 1_500 });
    engine.network = undefined;
    service.engineChanged([{ kind: 'network' }]);
    await settled(2);
    // As it comes over a socket.
    const over = patchSchema.parse(JSON.parse(JSON.stringify(patches[1])));
    expect(over.changes.reduce(applyChange, replay({ ...snapshot, sequence: 0 })).network).toBeUndefined();
  });

  it('says nothing before somebody has looked', async () => {
    receive(1);
    expect((await service.snapshot()).view.conversations[0]?.unread).toBe(1);
    expect(patches).toEqual([]);
  });

  it('makes one patch of a burst, with each message and its conversation once', async () => {
    await service.snapshot();
    for (let number = 1; number <= 20; number += 1) receive(number);
    receive(20);
    await settled(1);
    const kinds = patches[0]?.changes.map((change) => change.kind) ?? [];
    expect(kinds.filter((kind) => kind === 'message')).toHaveLength(20);
    expect(kinds.filter((kind) => kind === 'conversation')).toHaveLength(1);
    // All for the snapshot, and then the one that changed.
    expect(summariesAskedFor).toEqual([undefined, [conversationId]]);
  });

  it('numbers patches without gaps, so that snapshot and patches give the present view', async () => {
    const first = await service.snapshot();
    receive(1);
    await settled(1);
    engine.items.set(idOf(9), outboxStatus(idOf(9), bob, 'waits'));
    engine.relays = [relayStatus(keyOf(3))];
    service.engineChanged([{ kind: 'outbox', messageId: idOf(9) }, { kind: 'relay', publicKey: keyOf(3) }]);
    await settled(2);
    const middle = await service.snapshot();
    engine.items.clear();
    engine.name = 'Anna';
    service.engineChanged([{ kind: 'outbox-removed', messageId: idOf(9) }, { kind: 'identity' }]);
    service.setEcho({ state: 'online', publicKey: keyOf(5) });
    await settled(3);
    const { view } = await service.snapshot();
    expect(replay(first)).toEqual(view);
    expect(replay(middle)).toEqual(view);
    expect(view).toMatchObject({ identity: { name: 'Anna' }, outbox: [], echo: { state: 'online' }, relays: [{ publicKey: keyOf(3) }] });
  });

  it('shows how a file moves, in its message and as the last message of its conversation', async () => {
    await service.snapshot();
    messages.set(idOf(1), { ...storedMessage(idOf(1), conversationId, 1, 'in', ''), file: fileRow(idOf(1), conversationId) });
    for (const [index, doneBytes] of [1_000, 2_000].entries()) {
      engine.files.set(idOf(1), { state: { state: 'moving', doneBytes, bytesPerSecond: 100, sources: [] }, holders: [] });
      service.engineChanged([{ kind: 'message', messageId: idOf(1), conversationId }]);
      await settled(index + 1);
      const file = { name: 'holiday.jpg', state: { state: 'moving', doneBytes } };
      expect(patches[index]?.changes).toMatchObject([{ kind: 'message', value: { file } }, { kind: 'conversation', value: { last: { file } } }]);
    }
  });

  it('sends nothing when what was announced looks as before', async () => {
    await service.snapshot();
    service.engineChanged([{ kind: 'connection' }, { kind: 'settings' }, { kind: 'conversation', conversationId }]);
    receive(1);
    await settled(1);
    expect(patches[0]?.changes.map((change) => change.kind)).toEqual(['message', 'conversation']);
  });

  it('shows to whoever looks what has just been done', async () => {
    await service.snapshot();
    engine.name = 'Anna';
    service.engineChanged([{ kind: 'identity' }]);
    const { sequence, view } = await service.snapshot();
    expect([sequence, view.identity.name]).toEqual([1, 'Anna']);
    expect(patches.map((patch) => patch.sequence)).toEqual([1]);
  });

  it('shows that storage failed while no engine runs, and whatever the next engine has otherwise', async () => {
    const first = await service.snapshot();
    inspect = undefined;
    service.replaced();
    await settled(1);
    expect(patches[0]?.changes).toEqual([{ kind: 'connection', value: { kind: 'storage-failed', relaysConnected: 0, relaysConfigured: 1, waitingMessages: 0 } }]);
    inspect = new FakeInspection();
    service.replaced();
    await settled(2);
    expect(patches[1]?.changes).toEqual([{ kind: 'connection', value: engine.connection }, { kind: 'conversation-removed', id: conversationId }]);
    expect(replay(first).conversations).toEqual([]);
  });

  it('does not lose a change when a query fails', async () => {
    await service.snapshot();
    queryFailures = 1;
    receive(1);
    await expect.poll(() => patches.length, { timeout: 5_000 }).toBe(1);
    expect(patches[0]).toMatchObject({ sequence: 1 });
    expect(patches[0]?.changes.map((change) => change.kind).sort()).toEqual(['conversation', 'message']);
  });

  it('tries the first snapshot again after a failure', async () => {
    queryFailures = 1;
    await expect(service.snapshot()).rejects.toThrow('away');
    expect((await service.snapshot()).sequence).toBe(0);
  });
});
