/** What the person says about relays comes before what is measured: pins, bans and the order by hand; and the test of a relay step by step. */
import { describe, expect, it } from 'vitest';
import { friends, hourMs, minuteMs, secondMs, seeded, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import { decodeIdentityRecord } from '../engine/wire/record.ts';
import { fromHex } from '../engine/wire/bytes.ts';
import type { RelayTrialView } from '../../shared/relay-trial.ts';

type Relays = readonly [StoryNode, StoryNode, StoryNode];

function bobWithThree(): { readonly world: StoryWorld; readonly bob: StoryNode; readonly relays: Relays } {
  const world = new StoryWorld();
  const relays: Relays = [world.relay('relay 1'), world.relay('relay 2'), world.relay('relay 3')];
  const bob = world.add('bob');
  bob.addRelay(...relays);
  world.run(2 * secondMs);
  return { world, bob, relays };
}

/** As others are told. */
const told = (node: StoryNode): readonly string[] => decodeIdentityRecord(fromHex(node.disk().values.get('identity-record') ?? '') ?? new Uint8Array())?.relays.map(({ publicKey }) => publicKey) ?? [];
const keys = (...relays: readonly StoryNode[]): readonly string[] => relays.map(({ publicKey }) => publicKey);
const status = (bob: StoryNode, relay: StoryNode) => bob.engine.inspect.relays.find(({ row }) => row.publicKey === relay.publicKey);
const places = (bob: StoryNode, ...relays: readonly StoryNode[]): readonly (number | undefined)[] => relays.map((relay) => status(bob, relay)?.place);
const loses: NonNullable<StoryNode['instead']> = (request) => (request.op === 'deposit' ? { outcome: 'stored', sequence: 1_000_000, remainingSeconds: request.ttlSeconds, state: 'held', byStranger: false } : undefined);

function trial(world: StoryWorld, bob: StoryNode, relay: StoryNode): RelayTrialView {
  const ticket = bob.ask({ name: 'test-relay', publicKey: relay.publicKey });
  world.runUntil(() => bob.replies.has(ticket), 2 * minuteMs);
  const reply = bob.replies.get(ticket);
  if (reply?.ok !== true || reply.value === undefined || !('steps' in reply.value)) throw new Error(JSON.stringify(reply));
  return reply.value;
}
const states = ({ steps }: RelayTrialView): string => steps.map(({ state }) => state.charAt(0)).join('');

describe('the order of relays', () => {
  it('is the one by hand, is told to others, and outlives a restart', () => {
    const { world, bob, relays: [one, two, three] } = bobWithThree();
    expect(told(bob)).toEqual(keys(one, two, three));
    expect(bob.command({ name: 'order-relays', publicKeys: keys(three, one), others: 'after' })).toMatchObject({ ok: true });
    world.run(secondMs);
    expect(told(bob)).toEqual(keys(three, one, two));
    expect(places(bob, one, two, three)).toEqual([1, 2, 0]);
    bob.restart();
    world.run(2 * secondMs);
    expect(told(bob)).toEqual(keys(three, one, two));
  });

  it('puts who lies last, unless it is pinned', () => {
    const { world, bob, relays: [one, two, three] } = bobWithThree();
    bob.command({ name: 'order-relays', publicKeys: keys(one, two, three), others: 'after' });
    one.instead = loses;
    world.run(10 * minuteMs);
    expect(told(bob)).toEqual(keys(two, three, one));
    expect(bob.command({ name: 'choose-relay', publicKey: one.publicKey, choice: 'pinned' })).toMatchObject({ ok: true });
    world.run(10 * minuteMs);
    expect(status(bob, one)?.tests?.standing).toBe('demoted');
    expect(told(bob)).toEqual(keys(one, two, three));
    bob.command({ name: 'choose-relay', publicKey: one.publicKey, choice: 'normal' });
    world.run(secondMs);
    expect(told(bob)).toEqual(keys(two, three, one));
  });

  it('keeps the place of one that is last for a while, when two others change places', () => {
    const { world, bob, relays: [one, two, three] } = bobWithThree();
    bob.command({ name: 'order-relays', publicKeys: keys(one, two, three), others: 'after' });
    one.instead = loses;
    world.run(10 * minuteMs);
    bob.command({ name: 'order-relays', publicKeys: keys(three, two), others: 'stay' });
    world.run(secondMs);
    expect(told(bob)).toEqual(keys(three, two, one));
    one.instead = undefined;
    world.run(40 * minuteMs);
    expect(told(bob)).toEqual(keys(one, three, two));
  });

  it('follows what is measured where nothing was said, and not the first hour', () => {
    const { world, bob, relays: [one, two, three] } = bobWithThree();
    const random = seeded('losses of one relay');
    world.passes = (from, to) => (from !== one && to !== one) || (random(1)[0] ?? 0) >= 90;
    world.run(50 * minuteMs);
    expect(told(bob)[0]).toBe(one.publicKey);
    world.run(2 * hourMs);
    expect(told(bob).at(-1)).toBe(one.publicKey);
    expect([...told(bob)].sort()).toEqual([...keys(one, two, three)].sort());
    bob.command({ name: 'order-relays', publicKeys: keys(one), others: 'after' });
    world.run(secondMs);
    // Unless it lies, the word of the person counts.
    if (status(bob, one)?.tests?.standing === 'reliable') expect(told(bob)[0]).toBe(one.publicKey);
  });

  it('refuses what is not in use', () => {
    const { bob, relays: [one] } = bobWithThree();
    expect(bob.command({ name: 'order-relays', publicKeys: [bob.publicKey], others: 'after' })).toMatchObject({ ok: false, code: 'not-found' });
    bob.command({ name: 'choose-relay', publicKey: one.publicKey, choice: 'banned' });
    expect(bob.command({ name: 'order-relays', publicKeys: keys(one), others: 'after' })).toMatchObject({ ok: false, code: 'not-found' });
    expect(bob.command({ name: 'choose-relay', publicKey: bob.publicKey, choice: 'banned' })).toMatchObject({ ok: false, code: 'not-found' });
  });
});

describe('a banned relay', () => {
  it('is never spoken to again, stays in the list, and can be used again', () => {
    const { world, bob, relays: [one, two, three] } = bobWithThree();
    expect(bob.command({ name: 'choose-relay', publicKey: one.publicKey, choice: 'banned' })).toMatchObject({ ok: true });
    world.run(secondMs);
    expect(told(bob)).toEqual(keys(two, three));
    let spoken = 0;
    world.passes = (from, to) => { if (from === bob && to === one) spoken += 1; return true; };
    world.run(2 * hourMs);
    bob.restart();
    world.run(hourMs);
    expect(spoken).toBe(0);
    expect(status(bob, one)).toMatchObject({ state: 'idle', place: undefined, isTold: false, row: { choice: 'banned' } });
    expect(bob.command({ name: 'test-relay', publicKey: one.publicKey })).toMatchObject({ ok: false, code: 'refused' });
    bob.command({ name: 'choose-relay', publicKey: one.publicKey, choice: 'normal' });
    world.run(5 * secondMs);
    expect(status(bob, one)).toMatchObject({ state: 'connected', row: { choice: 'normal' } });
    expect(told(bob)).toContain(one.publicKey);
  });

  it('is not used for friends either: their other relay is, and with none the letter says why it waits', () => {
    const { world, ada, bob, bobsRelays: [first, second] } = friends(2);
    if (second === undefined) throw new Error('two relays');
    ada.addRelay(first, second);
    world.run(2 * secondMs);
    ada.command({ name: 'choose-relay', publicKey: first.publicKey, choice: 'banned' });
    bob.cutOff = true;
    const before = first.mailCount('deposit');
    const one = ada.send(bob, 'by the other');
    world.run(20 * secondMs);
    expect(ada.headline(one)).toMatchObject({ state: 'stored', heldBy: [{ relay: second.publicKey }], wanted: 1 });
    expect(first.mailCount('deposit')).toBe(before);
    ada.command({ name: 'choose-relay', publicKey: second.publicKey, choice: 'banned' });
    const two = ada.send(bob, 'by none');
    world.run(20 * secondMs);
    expect(ada.headline(two)).toMatchObject({ state: 'queued', reason: 'relay-banned' });
    ada.command({ name: 'choose-relay', publicKey: first.publicKey, choice: 'pinned' });
    bob.cutOff = false;
    world.runUntil(() => ada.state(two) === 'delivered', minuteMs);
    expect(bob.inbox()).toEqual(['by the other', 'by none']);
  });

  it('is forgotten when it is removed, and in use again when it is added', () => {
    const { world, bob, relays: [one, two] } = bobWithThree();
    for (const relay of [one, two]) bob.command({ name: 'choose-relay', publicKey: relay.publicKey, choice: 'banned' });
    bob.command({ name: 'remove-relay', publicKey: one.publicKey });
    bob.addRelay(two);
    world.run(5 * secondMs);
    expect(bob.disk().relays.map(({ publicKey }) => publicKey)).not.toContain(one.publicKey);
    expect(status(bob, two)).toMatchObject({ state: 'connected', row: { choice: 'normal' } });
  });
});

describe('a test of a relay', () => {
  it('passes every step with one that works, counts its letter, and leaves none lying', () => {
    const { world, bob, relays: [one] } = bobWithThree();
    const done = trial(world, bob, one);
    expect(states(done)).toBe('ppppppp');
    expect(done).toMatchObject({ isRunning: false });
    expect(done.failure).toBeUndefined();
    world.run(minuteMs);
    expect(status(bob, one)?.tests).toMatchObject({ sentCount: 1, arrivedCount: 1, standing: 'reliable' });
    expect(bob.inbox()).toEqual([]);
    expect(status(bob, one)?.mailbox).toMatchObject({ letters: 0 });
    expect(status(bob, one)?.capabilities).toContain('store');
  });

  it('says which step fails: nobody answers, another key answers, the name is unknown', () => {
    const { world, bob, relays: [one, two] } = bobWithThree();
    one.off = true;
    expect([states(trial(world, bob, one)), trial(world, bob, one).failure]).toEqual(['pfwwwww', 'no-answer']);
    // And the session with it is not taken for one that works any longer.
    world.run(5 * secondMs);
    expect(status(bob, one)?.state).toBe('unreachable');
    bob.command({ name: 'add-relay', hint: { ...two.hint, publicKey: two.publicKey, port: bob.world.relay('other').port }, role: 'own' });
    const wrong = trial(world, bob, two);
    expect([states(wrong), wrong.failure]).toEqual(['pppfwww', 'wrong-identity']);
    bob.command({ name: 'add-relay', hint: { ...two.hint, host: 'nowhere.example' }, role: 'own' });
    expect(trial(world, bob, two)).toMatchObject({ failure: 'no-address', steps: [{ step: 'address', state: 'failed' }, {}, {}, {}, {}, {}, {}] });
  });

  it('says when the letter is not taken, and when it does not come back', () => {
    const { world, bob, relays: [one, two] } = bobWithThree();
    one.instead = (request) => (request.op === 'deposit' ? { outcome: 'quota', scope: 'mailbox' } : undefined);
    expect([states(trial(world, bob, one)), trial(world, bob, one).failure]).toEqual(['pppppfw', 'letter-refused']);
    two.instead = loses;
    const lost = trial(world, bob, two);
    expect([states(lost), lost.failure]).toEqual(['ppppppf', 'letter-missing']);
    two.instead = undefined;
    expect(states(trial(world, bob, two))).toBe('ppppppp');
  });

  it('is one at a time: who asks meanwhile hears how it ends, and a ban ends it', () => {
    const { world, bob, relays: [one] } = bobWithThree();
    one.off = true;
    const tickets = [bob.ask({ name: 'test-relay', publicKey: one.publicKey }), bob.ask({ name: 'test-relay', publicKey: one.publicKey })];
    world.run(secondMs);
    expect(status(bob, one)?.trial).toMatchObject({ isRunning: true });
    bob.command({ name: 'choose-relay', publicKey: one.publicKey, choice: 'banned' });
    world.run(secondMs);
    expect(tickets.map((ticket) => bob.replies.get(ticket))).toMatchObject([{ ok: true, value: { failure: 'interrupted' } }, { ok: true, value: { failure: 'interrupted' } }]);
  });

  it('works through losses', () => {
    const { world, bob, relays: [one] } = bobWithThree();
    const random = seeded('losses');
    world.passes = () => (random(1)[0] ?? 0) >= 51;
    expect(Array.from({ length: 5 }, () => states(trial(world, bob, one))).filter((all) => all === 'ppppppp').length).toBeGreaterThanOrEqual(4);
  });

  it('is for nobody but the own ones', () => {
    const { bob, adasRelay } = friends();
    expect(bob.command({ name: 'test-relay', publicKey: adasRelay.publicKey })).toMatchObject({ ok: false, code: 'not-found' });
  });
});
