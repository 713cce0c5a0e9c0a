/**
 * A small deterministic world for stories about whole engines: nodes with memory stores (story-node-testing.ts), a wire without delay, virtual time that jumps from
 * deadline to deadline (story-world-testing.ts). A node can lose power, be cut off, have its clock set, or lie: `tamper` changes what its store answers, which is
 * how an honest engine becomes a lying relay inside authentic sessions; story-forgery-testing.ts lays down letters that no honest engine writes.
 */
import { StoryWorld } from './story-world-testing.ts';
import { secondMs } from './story-basics-testing.ts';
import type { NodeOptions, StoryNode } from './story-node-testing.ts';

export { crypto, dayMs, hourMs, minuteMs, secondMs, seeded } from './story-basics-testing.ts';
export { forge } from './story-forgery-testing.ts';
export { isTestLetter, StoryNode } from './story-node-testing.ts';
export { StoryWorld } from './story-world-testing.ts';

/** Ada and Bob, each with relays of their own, who know each other. */
export function friends(relayCount = 1, ofBobs: Pick<NodeOptions, 'heldPerRecipientBytes'> = {}, world = new StoryWorld()): { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode; readonly adasRelay: StoryNode; readonly bobsRelays: readonly [StoryNode, ...StoryNode[]] } {
  const adasRelay = world.relay('relay of ada');
  const first = world.relay('relay 1 of bob', ofBobs);
  const bobsRelays: [StoryNode, ...StoryNode[]] = [first, ...Array.from({ length: relayCount - 1 }, (_, index) => world.relay(`relay ${String(index + 2)} of bob`, ofBobs))];
  const ada = world.add('ada');
  const bob = world.add('bob');
  ada.addRelay(adasRelay);
  bob.addRelay(...bobsRelays);
  world.run(2 * secondMs);
  befriend(ada, bob);
  return { world, ada, bob, adasRelay, bobsRelays };
}

export function befriend(left: StoryNode, right: StoryNode): void {
  left.command({ name: 'add-contact', invite: right.invite(), as: undefined });
  left.world.run(3 * secondMs);
  if (left.contact(right)?.standing !== 'contact' || right.contact(left)?.standing !== 'contact') throw new Error(`${left.name} and ${right.name} are no contacts: ${String(left.contact(right)?.standing)}, ${String(right.contact(left)?.standing)}`);
}
