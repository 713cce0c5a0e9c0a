/** Test letters to oneself: what they find out about relays that lie, fail or lose packets, and that nobody ever sees one. */
import { describe, expect, it } from 'vitest';
import { befriend, hourMs, minuteMs, secondMs, seeded, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import { decodeIdentityRecord } from '../engine/wire/record.ts';
import { fromHex, toHex } from '../engine/wire/bytes.ts';
import type { Mailbox } from '../engine/wire/types.ts';
import type { MailRequest } from '../engine/mail/mail-store.ts';
import type { RelayTests } from '../engine/overlay/relay-reliability.ts';

type Deposit = Extract<MailRequest, { op: 'deposit' }>;

/** Bob alone with his relays: every letter in their mailboxes is one of his own. */
function bobWith(relayCount: number): { readonly world: StoryWorld; readonly bob: StoryNode; readonly relays: readonly [StoryNode, ...StoryNode[]] } {
  const world = new StoryWorld();
  const first = world.relay('relay 1');
  const relays: [StoryNode, ...StoryNode[]] = [first, ...Array.from({ length: relayCount - 1 }, (_, index) => world.relay(`relay ${String(index + 2)}`))];
  const bob = world.add('bob');
  bob.addRelay(...relays);
  world.run(2 * secondMs);
  return { world, bob, relays };
}

function testsOf(bob: StoryNode, relay: StoryNode): RelayTests {
  const tests = bob.engine.inspect.relays.find(({ row }) => row.publicKey === relay.publicKey)?.tests;
  if (tests === undefined) throw new Error(`${relay.name} was never tested`);
  return tests;
}

const deposits = (relay: StoryNode): readonly Deposit[] => relay.testLetters.flatMap(({ request }) => (request.op === 'deposit' ? [request] : []));
const advertised = (node: StoryNode): readonly string[] => decodeIdentityRecord(fromHex(node.disk().values.get('identity-record') ?? '') ?? new Uint8Array())?.relays.map(({ publicKey }) => publicKey) ?? [];

/** What lies in that mailbox, by the store's own word. */
function lettersAt(relay: StoryNode, mailbox: Mailbox): number {
  let letters: number | undefined;
  relay.stores.submit('mail', { op: 'register', mailbox, elapsedMs: 0 }, (outcome) => { if (outcome.ok && 'letters' in outcome.result) letters = outcome.result.letters; });
  relay.stores.commit();
  if (letters === undefined) throw new Error('the store does not tell');
  return letters;
}

/** Nothing shown, nothing owed, nobody met. */
function expectNoTrace(bob: StoryNode): void {
  expect(bob.inbox()).toEqual([]);
  expect(bob.disk().outbox).toEqual([]);
  expect(bob.disk().contacts).toEqual([]);
  expect(bob.disk().conversations).toEqual([]);
  expect(bob.count('inbox.unopenable')).toBe(0);
}

/** Every letter laid down is gone, and each was taken rather than let expire. */
function expectNothingLeft(relay: StoryNode): void {
  const [first] = deposits(relay);
  if (first === undefined) throw new Error(`nothing was laid down at ${relay.name}`);
  expect(lettersAt(relay, first.mailbox)).toBe(0);
}

describe('an honest relay', () => {
  it('hands every test letter back, and none is shown, answered or left lying', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    world.run(65 * minuteMs);
    const tests = testsOf(bob, relay);
    expect(tests.sentCount).toBeGreaterThanOrEqual(5);
    expect(tests).toMatchObject({ arrivedCount: tests.sentCount, standing: 'reliable', lastProblem: undefined });
    expect(bob.engine.inspect.notices).toEqual([]);
    expectNoTrace(bob);
    expectNothingLeft(relay);
    // Under a token that the relay was told: not one of them came in strangers' lane.
    expect(relay.testLetters.map(({ result }) => 'byStranger' in result && result.byStranger)).toEqual(relay.testLetters.map(() => false));
  });

  it('sees test letters of one size, under one token, in the lane of letters', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    const ada = world.add('ada');
    ada.addRelay(world.relay('relay of ada'));
    world.run(2 * secondMs);
    befriend(ada, bob);
    const before = relay.mail.length;
    const textId = ada.send(bob, 'hello');
    world.run(minuteMs);
    const letter = relay.mail.slice(before).flatMap(({ request }) => (request.op === 'deposit' && request.lane === 'letter' ? [request] : []))[0];
    world.run(30 * minuteMs);
    const tests = deposits(relay);
    expect(ada.state(textId)).toBe('delivered');
    expect(tests.length).toBeGreaterThan(1);
    for (const one of tests) expect([one.lane, one.body.length, one.header.length, one.tokenHash?.length]).toEqual(['letter', letter?.body.length, letter?.header.length, letter?.tokenHash?.length]);
    expect(new Set(tests.map(({ tokenHash }) => toHex(tokenHash ?? new Uint8Array()))).size).toBe(1);
    expect(bob.inbox()).toEqual(['hello']);
    expect(bob.engine.inspect.conversations.has(`${bob.publicKey}:1`)).toBe(false);
  });

  it('is still called reliable when a fifth of all packets is lost', () => {
    const { world, bob, relays } = bobWith(2);
    const random = seeded('losses');
    world.passes = () => (random(1)[0] ?? 0) >= 51;
    world.run(3 * hourMs);
    for (const relay of relays) {
      const tests = testsOf(bob, relay);
      expect(tests.sentCount).toBeGreaterThan(4);
      expect(tests.lastProblem === undefined || tests.lastProblem.step === 'silent').toBe(true);
      expect(tests.standing).toBe('reliable');
    }
    world.passes = () => true;
    world.run(20 * minuteMs);
    expectNoTrace(bob);
    for (const relay of relays) expectNothingLeft(relay);
  });

  it('is tested about once an hour by a visor that nobody uses', () => {
    const { world, relays: [relay] } = bobWith(1);
    world.run(90 * minuteMs);
    const before = deposits(relay).length;
    world.run(10 * hourMs);
    const idle = deposits(relay).length - before;
    expect(idle).toBeGreaterThanOrEqual(8);
    expect(idle).toBeLessThanOrEqual(13);
  });

  it('gets its letter taken after the visor crashed between laying it down and its coming back', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    let crashed = false;
    relay.tamper = (request, result) => {
      if (request.op === 'deposit' && !crashed) { crashed = true; bob.powerOff(); }
      return result;
    };
    world.runUntil(() => crashed, 5 * minuteMs);
    const [canary] = deposits(relay);
    expect(lettersAt(relay, canary?.mailbox ?? { identity: '', deviceId: '' })).toBe(1);
    bob.restart();
    world.run(30 * secondMs);
    expectNothingLeft(relay);
    expectNoTrace(bob);
    // Nothing is concluded from it.
    expect(bob.engine.inspect.relays[0]?.tests).toBeUndefined();
    world.run(20 * minuteMs);
    expect(testsOf(bob, relay)).toMatchObject({ standing: 'reliable', lastProblem: undefined });
  });

  it('lets a test letter expire that nobody comes for', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    relay.tamper = (request, result) => { if (request.op === 'deposit') bob.powerOff(); return result; };
    world.runUntil(() => bob.off, 5 * minuteMs);
    world.run(30 * minuteMs);
    expectNothingLeft(relay);
  });

  it('keeps its record over a restart of the visor', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    world.run(45 * minuteMs);
    const before = testsOf(bob, relay);
    bob.restart();
    world.run(5 * secondMs);
    expect(testsOf(bob, relay)).toEqual(before);
  });
});

describe('a relay that lies', () => {
  it('confirms and loses: it is demoted at once, named to the person, and told to others last', () => {
    const { world, bob, relays: [liar, honest] } = bobWith(2);
    if (honest === undefined) throw new Error('two relays');
    expect(advertised(bob)).toEqual([liar.publicKey, honest.publicKey]);
    liar.instead = (request) => (request.op === 'deposit' ? { outcome: 'stored', sequence: 1_000_000, remainingSeconds: request.ttlSeconds, state: 'held', byStranger: false } : undefined);
    world.run(10 * minuteMs);
    expect(testsOf(bob, liar)).toMatchObject({ arrivedCount: 0, standing: 'demoted', lastProblem: { step: 'lost' } });
    expect(testsOf(bob, honest)).toMatchObject({ standing: 'reliable' });
    expect(bob.engine.inspect.notices.join()).toContain(`127.0.0.1:${String(liar.port)} confirmed a test letter and never handed it over`);
    expect(advertised(bob)).toEqual([honest.publicKey, liar.publicKey]);
    liar.instead = undefined;
    world.run(12 * minuteMs);
    expect(testsOf(bob, liar).standing).toBe('trial');
    expect(bob.engine.inspect.notices).toEqual([]);
    world.run(30 * minuteMs);
    expect(testsOf(bob, liar).standing).toBe('reliable');
    expect(advertised(bob)).toEqual([liar.publicKey, honest.publicKey]);
    expectNoTrace(bob);
  });

  it.each([90 * secondMs, 4 * minuteMs])('withholds for %i ms: what comes late was held back, not lost', (heldBackMs) => {
    const { world, bob, relays: [relay] } = bobWith(1);
    let hiddenUntilMs = Infinity;
    relay.tamper = (request, result) => {
      if (request.op === 'deposit' && 'outcome' in result && result.outcome === 'stored' && 'sequence' in result) { hiddenUntilMs = Math.min(hiddenUntilMs, world.timeMs + heldBackMs); return { ...result, sequence: result.sequence + 1_000 }; }
      return request.op === 'list' && world.timeMs < hiddenUntilMs ? { entries: [], remaining: 0 } : result;
    };
    world.run(9.5 * minuteMs);
    const tests = testsOf(bob, relay);
    expect(tests).toMatchObject({ arrivedCount: tests.sentCount, lastProblem: { step: 'withheld' } });
    expect(tests.standing).not.toBe('reliable');
    relay.tamper = undefined;
    world.run(20 * minuteMs);
    expectNoTrace(bob);
    expectNothingLeft(relay);
  });

  it('replays: what was taken and comes again is noticed, and shown no more than the first time', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    relay.instead = (request) => {
      if (request.op === 'ack') return { acked: request.letters.length };
      return request.op === 'status' ? { states: request.letterIds.map(() => ({ state: 'acked', secondsSince: 1 })) } : undefined;
    };
    world.run(8 * minuteMs);
    expect(testsOf(bob, relay)).toMatchObject({ arrivedCount: 1, standing: 'demoted', lastProblem: { step: 'replayed' } });
    relay.instead = undefined;
    world.run(20 * minuteMs);
    expectNoTrace(bob);
    expectNothingLeft(relay);
  });

  it('keeps what was taken from it, and says so', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    relay.instead = (request) => (request.op === 'ack' ? { acked: request.letters.length } : undefined);
    world.run(6 * minuteMs);
    expect(testsOf(bob, relay)).toMatchObject({ standing: 'demoted', lastProblem: { step: 'replayed' } });
    relay.instead = undefined;
    world.run(20 * minuteMs);
    expectNoTrace(bob);
    expectNothingLeft(relay);
  });

  it('refuses: three in a row demote it', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    relay.instead = (request) => (request.op === 'deposit' ? { outcome: 'quota', scope: 'mailbox' } : undefined);
    world.run(13 * minuteMs);
    expect(testsOf(bob, relay)).toMatchObject({ arrivedCount: 0, standing: 'reliable', lastProblem: { step: 'refused' } });
    world.run(25 * minuteMs);
    expect(testsOf(bob, relay).standing).toBe('demoted');
    expect(bob.engine.inspect.notices.join()).toContain('did not accept a test letter');
    relay.instead = undefined;
    world.run(13 * minuteMs);
    expect(testsOf(bob, relay).standing).toBe('trial');
    expectNoTrace(bob);
    expectNothingLeft(relay);
  });
});

describe('what is no lie', () => {
  it('a relay that is gone while another answers did not answer; a network that is gone says nothing', () => {
    const { world, bob, relays: [gone, there] } = bobWith(2);
    world.run(5 * minuteMs);
    gone.off = true;
    world.run(40 * minuteMs);
    expect(testsOf(bob, gone)).toMatchObject({ standing: 'demoted', lastProblem: { step: 'silent' } });
    if (there === undefined) throw new Error('two relays');
    const before = testsOf(bob, there);
    bob.cutOff = true;
    world.run(40 * minuteMs);
    expect(testsOf(bob, there)).toMatchObject({ sentCount: before.sentCount, standing: 'reliable' });
    bob.cutOff = false;
    gone.off = false;
    world.run(30 * minuteMs);
    expect(testsOf(bob, there)).toMatchObject({ standing: 'reliable', lastProblem: undefined });
    expect(testsOf(bob, gone).standing).not.toBe('demoted');
    expectNoTrace(bob);
  });

  it('a machine that slept, or was cut off, while a test letter lay at its relay concludes nothing', () => {
    const { world, bob, relays: [relay] } = bobWith(1);
    let laid = false;
    relay.tamper = (request, result) => { if (request.op === 'deposit') { laid = true; bob.cutOff = true; } return result; };
    world.runUntil(() => laid, 5 * minuteMs);
    world.run(20 * secondMs);
    relay.tamper = undefined;
    world.sleep(hourMs);
    bob.cutOff = false;
    world.run(30 * minuteMs);
    expect(testsOf(bob, relay)).toMatchObject({ standing: 'reliable', lastProblem: undefined });
    expectNoTrace(bob);
    expectNothingLeft(relay);
  });
});
