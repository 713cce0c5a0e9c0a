/** Whole engines: a relay dies without a word while letters go through it. Its mailbox has a twin, and letters come from there as if nothing had happened. */
import { describe, expect, it } from 'vitest';
import { headStartMinimumMs } from '../engine/mail/answer-times.ts';
import { befriend, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';

const betweenLettersMs = 100;
const lettersBefore = 20;
const letters = 150;

/** Bob has two relays, of which one dies while Ada writes to him. Returns how long each letter took. */
function delaysMs(visorsMeet: 'no' | 'in circuits', dying: 0 | 1): readonly number[] {
  const world = new StoryWorld({ visorsMeet });
  const relays = [world.relay('first'), world.relay('second')] as const;
  const [ada, bob] = [world.add('ada'), world.add('bob')];
  for (const node of [ada, bob]) for (const relay of relays) node.addRelay(relay);
  world.run(2 * secondMs);
  befriend(ada, bob);
  world.run(30 * secondMs);
  const sentAtMs = new Map<string, number>();
  const delays: number[] = [];
  for (let index = 0; index < letters; index += 1) {
    if (index === lettersBefore) relays[dying].powerOff();
    const text = `letter ${String(index)}`;
    sentAtMs.set(text, world.timeMs);
    ada.send(bob, text);
    runWatching(world, bob, sentAtMs, delays);
  }
  for (let round = 0; round < letters && sentAtMs.size > 0; round += 1) runWatching(world, bob, sentAtMs, delays);
  expect([...sentAtMs.keys()], 'letters that never came').toEqual([]);
  expect(new Set(bob.inbox()).size).toBe(letters);
  return delays;
}

function runWatching(world: StoryWorld, reader: StoryNode, sentAtMs: Map<string, number>, delays: number[]): void {
  world.run(betweenLettersMs);
  for (const text of reader.inbox()) {
    const sentMs = sentAtMs.get(text);
    if (sentMs === undefined) continue;
    sentAtMs.delete(text);
    delays.push(world.timeMs - sentMs);
  }
}

describe.each([0, 1] as const)('when relay %s of two dies', (dying) => {
  it('letters that are left at both come without any delay', () => {
    const delays = delaysMs('no', dying);
    expect(Math.max(...delays)).toBe(Math.max(...delays.slice(0, lettersBefore)));
  });

  it('letters that went through it live are late by the head start of that session at most', () => {
    const delays = delaysMs('in circuits', dying);
    expect(Math.max(...delays)).toBeLessThanOrEqual(Math.max(...delays.slice(0, lettersBefore)) + headStartMinimumMs + betweenLettersMs);
  });
});
