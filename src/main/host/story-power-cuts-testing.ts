/** One letter while one of the two loses power at a given commit: the same promises, whichever way the letter goes. */
import { expect } from 'vitest';
import { minuteMs, secondMs } from './story-basics-testing.ts';
import type { StoryNode } from './story-node-testing.ts';
import type { StoryWorld } from './story-world-testing.ts';

interface Two { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode }
interface Cut { readonly moment: number; readonly mode: 'drop' | 'keep' }

const cutAt = (node: StoryNode, { moment, mode }: Cut): void => {
  node.commitsBeforeCrash = moment;
  node.crashMode = mode;
};

/** What Ada was told that it is kept arrives once, and she is told so; what was not accepted may be nothing. */
export function writeWithoutPower({ world, ada, bob }: Two, cut: Cut): void {
  cutAt(ada, cut);
  const ticket = ada.ask({ name: 'send', to: bob.publicKey, port: 1, text: 'hello', ttlSeconds: undefined });
  world.run(5 * secondMs);
  const accepted = ada.replies.get(ticket)?.ok === true;
  if (ada.off) ada.restart();
  world.run(2 * minuteMs);
  const shown = bob.inbox().length;
  expect(shown).toBeLessThanOrEqual(1);
  if (accepted || cut.mode === 'keep') expect(shown).toBe(1);
  expect(ada.engine.inspect.outbox()).toEqual([]);
  const [own] = ada.stores.query({ query: 'page', conversationId: `${bob.publicKey}:1`, beforeRow: undefined, limit: 10 }).messages;
  expect(own === undefined ? 'nothing' : ada.state(own.id)).toBe(shown === 1 ? 'delivered' : 'nothing');
}

/** It is shown once and confirmed, whoever of those on its way was `off`. */
export function readWithoutPower({ world, ada, bob }: Two, off: StoryNode, cut: Cut, { offForMs = 5 * secondMs, backForMs = 2 * minuteMs } = {}): void {
  cutAt(off, cut);
  const id = ada.send(bob, 'hello');
  world.run(offForMs);
  if (off.off) off.restart();
  world.run(backForMs);
  expect(bob.inbox()).toEqual(['hello']);
  expect(ada.state(id)).toBe('delivered');
  expect(bob.disk().outbox).toEqual([]);
}
