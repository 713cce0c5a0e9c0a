/** Two people who meet and part while packets are lost, commits wait and power fails, by chance: what is promised about letters holds whatever comes of it. */
import { describe, expect, it } from 'vitest';
import { friends, minuteMs, secondMs, seeded, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import { acquaintances, type Meeting } from './story-peers-testing.ts';

const seeds = Array.from({ length: 24 }, (_, index) => index + 1);
const steps = 30;

/** Whole numbers below `end`, the same each time. */
function dice(seed: number): (end: number) => number {
  const random = seeded(`chance ${String(seed)}`);
  return (end) => { const [high = 0, low = 0] = random(2); return (high * 256 + low) % end; };
}

type Chance = Pick<Meeting, 'world' | 'ada' | 'bob' | 'relay' | 'meet' | 'part'>;

/** Their engines find each other through a relay, and lose each other, by themselves. */
function byThemselves(): Chance {
  const { world, ada, bob, bobsRelays: [relay] } = friends(2, {}, new StoryWorld({ visorsMeet: 'in circuits' }));
  return { world, ada, bob, relay, meet: () => undefined, part: () => { relay.cutOff = !relay.cutOff; } };
}

const ways: readonly (readonly [string, () => Chance])[] = [['as the story has it', acquaintances], ['by themselves', byThemselves]];

describe.each(ways)('letters between two who come and go (%s)', (_how, begin) => {
  it.each(seeds)('are shown once, in order, and said to be delivered only when they are (seed %i)', (seed) => {
    const { world, ada, bob, relay, meet, part } = begin();
    const roll = dice(seed);
    const sent = new Map<StoryNode, { readonly id: string; readonly text: string }[]>([[ada, []], [bob, []]]);
    const other = (node: StoryNode): StoryNode => (node === ada ? bob : ada);
    /** Nobody is told that a letter has arrived, or is over, which is not so. */
    const check = (): void => {
      for (const [node, letters] of sent) {
        if (node.off) continue;
        const shown = other(node).inbox();
        for (const { id, text } of letters) {
          const state = node.state(id);
          if (state === 'delivered') expect(shown).toContain(text);
          if (state === 'expired' || state === 'failed') expect(shown).not.toContain(text);
          expect(shown.filter((one) => one === text).length).toBeLessThanOrEqual(1);
        }
      }
    };
    let lossPercent = 0;
    let blocked: readonly [StoryNode, StoryNode] | undefined;
    world.passes = (from, to) => !(blocked?.[0] === from && blocked[1] === to) && roll(100) >= lossPercent;
    for (let step = 0; step < steps; step += 1) {
      const node = roll(2) === 0 ? ada : bob;
      switch (roll(9)) {
        case 0: case 1: case 2: {
          const text = `${node.name} ${String(step)} ${roll(3) === 0 ? 'long '.repeat(roll(8_000)) : ''}`;
          const ticket = node.ask({ name: 'send', to: other(node).publicKey, port: 1, text, ttlSeconds: undefined });
          world.run(roll(300));
          const reply = node.replies.get(ticket);
          if (reply?.ok === true && reply.value !== undefined && 'messageId' in reply.value) sent.get(node)?.push({ id: reply.value.messageId, text });
          break;
        }
        case 3: lossPercent = roll(3) * 15; break;
        case 4: {
          lossPercent = 0;
          blocked = undefined;
          try { meet(); } catch { /* The dial is in a pause: they meet another time. */ }
          break;
        }
        case 5: part(); break;
        case 6: {
          const nodes = [ada, bob, relay] as const;
          const [from = ada, to = bob] = [nodes[roll(3)], nodes[roll(3)]];
          blocked = [from, to];
          break;
        }
        case 7: node.restart(roll(2) === 0 ? 'drop' : 'keep'); break;
        default: relay.off = !relay.off;
      }
      world.run(roll(4) === 0 ? roll(20_000) : roll(2_000));
      check();
    }
    lossPercent = 0;
    blocked = undefined;
    relay.off = false;
    relay.cutOff = false;
    world.run(40 * minuteMs);
    check();
    for (const [node, letters] of sent) {
      const texts = letters.map(({ text }) => text);
      expect(other(node).inbox().filter((text) => texts.includes(text)).sort()).toEqual([...texts].sort());
      const page = other(node).stores.query({ query: 'page', conversationId: `${node.publicKey}:1`, beforeRow: undefined, limit: 100 }).messages;
      expect(page.filter((message) => message.direction === 'in' && texts.includes(message.text)).map((message) => message.text)).toEqual(texts);
      expect(letters.map(({ id }) => node.state(id))).toEqual(letters.map(() => 'delivered'));
      expect(node.disk().outbox).toEqual([]);
    }
    world.run(secondMs);
  });
});
