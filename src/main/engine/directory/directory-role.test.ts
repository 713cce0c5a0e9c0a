import { describe, expect, it } from 'vitest';
import { bundleOf, device, recordOf } from '../mail/mailbox-testing.ts';
import { DirectoryWorld, nothing, served, wallStartSeconds } from './directory-testing.ts';
import type { RelayAnswer } from './ask-relay.ts';

const bob = device(2);
const eve = device(3);
const sequence = wallStartSeconds - 1_000;
const notFound = (retryAfterSeconds: number): unknown => ({ negative: { code: 'not-found', retryAfterSeconds, detail: 0 } });
const busy = { negative: { code: 'busy' } };
const recordOfBob = (at = sequence): unknown => ({ record: recordOf([bob], at).bytes, bundle: bundleOf(bob, at).bytes });
const keyOf = (number: number): string => `02${number.toString(16).padStart(64, '0')}`;

describe('a relay that is asked where somebody is', () => {
  it('answers from what it holds, and asks nobody', () => {
    const world = new DirectoryWorld(2);
    world.hold(bob, sequence);
    expect(world.ask(bob).reply).toEqual(recordOfBob());
    expect(world.asked).toEqual([]);
  });

  it('asks nobody for a relay that asks for others: a question goes one hop', () => {
    const world = new DirectoryWorld(2);
    expect(world.ask(bob, false).reply).toEqual(notFound(0));
    // Nor does it pass on what its own peers said.
    const told = world.ask(bob);
    world.answer(served(bob, sequence), nothing);
    expect([told.reply, world.ask(bob, false).reply]).toEqual([recordOfBob(), notFound(0)]);
  });

  it('without peers says so at once', () => {
    expect(new DirectoryWorld(0).ask(bob).reply).toEqual(notFound(0));
  });

  it('answers with the newest of what its peers have, soon after the first whole answer', () => {
    const world = new DirectoryWorld(3);
    const told = world.ask(bob);
    const [first, second, third] = world.asked.splice(0);
    first?.answer(served(bob, sequence));
    world.run(100);
    second?.answer(served(bob, sequence + 1));
    expect(told.reply).toBeUndefined();
    world.run(300);
    expect(told.reply).toEqual(recordOfBob(sequence + 1));
    // The third is late; who asks next has the better answer.
    third?.answer(served(bob, sequence + 2));
    expect(world.ask(bob).reply).toEqual(recordOfBob(sequence + 2));
    expect(world.asked).toEqual([]);
  });

  it('joins those who ask for the same while it asks', () => {
    const world = new DirectoryWorld(2);
    const told = Array.from({ length: 20 }, (_, index) => world.ask(bob, true, index + 1));
    expect(world.asked).toHaveLength(2);
    world.answer(served(bob, sequence), nothing);
    for (const { reply } of told) expect(reply).toEqual(recordOfBob());
    expect(world.counters.get('directory.joined')).toBe(19);
  });

  it('keeps what was found for an hour at most, and not beyond the end of the record', () => {
    const world = new DirectoryWorld(1);
    world.ask(bob);
    world.answer(served(bob, sequence));
    world.run(3_590_000);
    expect(world.ask(bob).reply).toEqual(recordOfBob());
    world.run(20_000);
    world.ask(bob);
    expect(world.asked).toHaveLength(1);
  });

  it('remembers for a minute that nobody knows, and for ten seconds that somebody did not answer', () => {
    const world = new DirectoryWorld(2);
    const unknown = world.ask(bob);
    world.answer(nothing, nothing);
    expect(unknown.reply).toEqual(notFound(60));
    world.run(50_000);
    expect([world.ask(bob).reply, world.asked.length]).toEqual([notFound(10), 0]);
    world.run(11_000);
    const unanswered = world.ask(bob);
    world.answer(nothing, { kind: 'silent' });
    expect(unanswered.reply).toEqual(notFound(10));
    world.run(11_000);
    const again = world.ask(bob);
    world.answer(nothing);
    expect(again.reply).toBeUndefined();
    world.run(4_500);
    expect(again.reply).toEqual(notFound(10));
  });

  it('asks its peers when what it holds has ended or cannot be sealed to', () => {
    const world = new DirectoryWorld(1);
    const [old] = [recordOf([bob], sequence - 400 * 86_400)];
    world.held.set(bob.mailbox.identity, { record: old, bundle: bundleOf(bob, sequence) });
    const ended = world.ask(bob);
    world.answer(served(bob, sequence));
    expect(ended.reply).toEqual(recordOfBob());
    const other = new DirectoryWorld(1);
    other.held.set(bob.mailbox.identity, { record: recordOf([bob], sequence), bundle: undefined });
    const without = other.ask(bob);
    other.answer(nothing);
    expect(without.reply).toEqual({ record: recordOf([bob], sequence).bytes, bundle: undefined });
    // A bundle for that very device is of use, though an older record came with it.
    other.run(61_000);
    const joined = other.ask(bob);
    other.answer(served(bob, sequence - 5));
    expect(joined.reply).toEqual({ record: recordOf([bob], sequence).bytes, bundle: bundleOf(bob, sequence - 5).bytes });
  });
});

describe('a peer that lies', () => {
  const told = (answer: RelayAnswer): unknown => {
    const world = new DirectoryWorld(1);
    const one = world.ask(bob);
    world.answer(answer);
    return one.reply;
  };

  it('is not believed: records of others, of no signature, from the future, over, or of no sense', () => {
    expect(told(served(bob, sequence))).toEqual(recordOfBob());
    expect(told(served(eve, sequence))).toEqual(notFound(60));
    const forged = recordOf([bob], sequence).bytes.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    expect(told({ kind: 'served', resolved: { record: forged, bundle: bundleOf(bob, sequence).bytes } })).toEqual(notFound(60));
    const later = recordOf([bob], sequence).bytes.slice();
    later[40] = (later[40] ?? 0) ^ 1;
    expect(told({ kind: 'served', resolved: { record: later, bundle: undefined } })).toEqual(notFound(60));
    expect(told(served(bob, wallStartSeconds + 3 * 86_400))).toEqual(notFound(60));
    expect(told(served(bob, sequence - 400 * 86_400))).toEqual(notFound(60));
    expect(told({ kind: 'served', resolved: { record: new Uint8Array(900), bundle: undefined } })).toEqual(notFound(60));
  });

  it('cannot give a bundle of its own, nor take the place of a newer record', () => {
    expect(told(served(bob, sequence, bundleOf(bob, sequence, eve.ed25519Seed).bytes))).toEqual({ record: recordOf([bob], sequence).bytes, bundle: undefined });
    expect(told(served(bob, sequence, bundleOf(eve, sequence).bytes))).toEqual({ record: recordOf([bob], sequence).bytes, bundle: undefined });
    const world = new DirectoryWorld(2);
    const one = world.ask(bob);
    world.answer(served(bob, sequence + 1), served(bob, sequence));
    expect(one.reply).toEqual(recordOfBob(sequence + 1));
    // What it holds itself counts as much.
    world.hold(bob, sequence + 2);
    expect(world.ask(bob).reply).toEqual(recordOfBob(sequence + 2));
  });
});

describe('work for others', () => {
  it('is bounded for one neighbourhood, and nobody else waits for it', () => {
    const world = new DirectoryWorld(8);
    let refused = 0;
    for (let number = 1; number <= 100; number += 1) {
      const one = world.ask(keyOf(number), true, number);
      world.answer(...new Array<typeof nothing>(8).fill(nothing));
      if (one.reply !== undefined && 'negative' in one.reply && one.reply.negative.code === 'busy') refused += 1;
    }
    expect([refused, world.counters.get('directory.asked')]).toEqual([70, 240]);
    world.ask(bob, true, 0x500);
    expect(world.asked).toHaveLength(8);
  });

  it('is bounded in all, and in what waits', () => {
    const world = new DirectoryWorld(1);
    for (let number = 1; number <= 200; number += 1) world.ask(keyOf(number), true, number << 8);
    expect(world.asked).toHaveLength(128);
    expect(world.ask(keyOf(201), true, 0x9900).reply).toMatchObject(busy);
    // Who waits for the same is bounded too.
    const told = Array.from({ length: 70 }, (_, index) => world.ask(keyOf(1), true, index + 1).reply);
    expect(told.filter((reply) => reply !== undefined)).toHaveLength(7);
    world.run(5_000);
    expect(world.ask(bob, true, 0x9900).reply).toBeUndefined();
  });

  it('is remembered within bounds', () => {
    const world = new DirectoryWorld(1);
    for (let number = 1; number <= 1_500; number += 1) {
      world.ask(keyOf(number), true, number << 8);
      world.answer(nothing);
      world.run(100);
    }
    expect(world.ask(keyOf(1_500), true, 1).reply).toMatchObject({ negative: { code: 'not-found' } });
    expect(world.role.pollTimeout()).toBeUndefined();
  });
});
