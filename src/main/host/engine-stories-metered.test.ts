/** Whole engines where bytes are to be spared: what becomes rarer, and that letters come all the same. */
import { describe, expect, it } from 'vitest';
import { befriend, hourMs, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import { idleHour } from '../../../bench/idle-traffic.ts';

const headerBytes = 28;
const kib = ({ bytes, datagrams }: ReturnType<typeof idleHour>): number => (bytes + datagrams * headerBytes) / 1_024;

function testLettersOf(relay: StoryNode): number { return relay.testLetters.filter(({ request }) => request.op === 'deposit').length; }

describe('a visor that only waits', () => {
  it('costs under 60 KiB an hour with two relays, and half of that where it knows the router', () => {
    expect(kib(idleHour({}, undefined))).toBeLessThan(60);
    expect(kib(idleHour({}, 480_000))).toBeLessThan(35);
    expect(kib(idleHour({ metered: true }, 480_000))).toBeLessThan(25);
  });
});

describe('bytes that are to be spared', () => {
  it('make test letters rarer, by the setting or on battery, and only while it lasts', () => {
    const counts = ([undefined, 'setting', 'battery'] as const).map((reason) => {
      const world = new StoryWorld();
      const relay = world.relay('relay');
      const bob = world.add('bob');
      if (reason === 'setting') bob.command({ name: 'update-settings', settings: { metered: true } });
      if (reason === 'battery') bob.command({ name: 'low-power', isOn: true });
      bob.addRelay(relay);
      world.run(12 * hourMs);
      const sparing = testLettersOf(relay);
      bob.command({ name: 'update-settings', settings: { metered: false } });
      bob.command({ name: 'low-power', isOn: false });
      world.run(18 * hourMs);
      return { sparing, after: testLettersOf(relay) - sparing };
    });
    expect(counts[0]?.sparing).toBeGreaterThan(13);
    for (const { sparing } of counts.slice(1)) {
      expect(sparing).toBeGreaterThan(0);
      expect(sparing).toBeLessThan(6);
    }
    for (const { after } of counts) expect(after).toBeGreaterThan(10);
  });

  it('cost no letter: it comes at once, to a visor whose keepalives are rare too', () => {
    const world = new StoryWorld();
    const relays = [world.relay('one'), world.relay('two')];
    const [ada, bob] = [world.add('ada'), world.add('bob')];
    for (const node of [ada, bob]) {
      node.addRelay(...relays);
      node.command({ name: 'update-settings', settings: { metered: true } });
    }
    befriend(ada, bob);
    world.run(2 * hourMs);
    ada.send(bob, 'at once');
    world.run(2 * secondMs);
    expect(bob.inbox()).toContain('at once');
    // A relay that died under it: the letter comes by the other one.
    if (relays[0] !== undefined) relays[0].cutOff = true;
    ada.send(bob, 'by the other');
    world.run(minuteMs);
    expect(bob.inbox()).toContain('by the other');
  });
});
