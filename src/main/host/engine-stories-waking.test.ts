/** Whole engines: a machine that wakes after a night knows that it knows nothing, and has its letters within two seconds of having a network; and clocks that are wrong by days cost none. */
import { describe, expect, it } from 'vitest';
import { JumpDetector } from './clock.ts';
import { befriend, dayMs, hourMs, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';

interface Friends { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode; readonly relays: readonly [StoryNode, StoryNode] }

function friendsOfTwoRelays(): Friends {
  const world = new StoryWorld();
  const relays = [world.relay('one'), world.relay('two')] as const;
  const [ada, bob] = [world.add('ada'), world.add('bob')];
  for (const node of [ada, bob]) node.addRelay(...relays);
  befriend(ada, bob);
  world.run(2 * minuteMs);
  return { world, ada, bob, relays };
}

/** Everybody else goes on. The monotonic clock of most machines stands still in their sleep, that of some goes on. */
function sleep({ world, bob }: Friends, forMs: number, monotonic: 'stands still' | 'goes on', meanwhile: () => void = () => undefined): void {
  bob.off = true;
  meanwhile();
  world.run(forMs);
  if (monotonic === 'stands still') bob.stoodStillMs += forMs;
  bob.off = false;
}

const nightMs = 12 * hourMs;

describe('a machine that wakes after twelve hours', () => {
  for (const monotonic of ['stands still', 'goes on'] as const) {
    it(`notices where the monotonic clock ${monotonic}, proves its paths at once, and has and sends its letters within two seconds`, () => {
      const story = friendsOfTwoRelays();
      const { world, ada, bob, relays } = story;
      const jumps = new JumpDetector(bob.now);
      let waiting = '';
      sleep(story, nightMs, monotonic, () => { waiting = ada.send(bob, 'written in the night'); });
      expect(jumps.observe(bob.now)).toBe(true);
      expect(bob.inbox()).not.toContain('written in the night');
      const asked = new Set<string>();
      world.seen = ({ from, to }) => { if (from === bob) asked.add(to); };
      bob.engine.networkChanged(bob.now);
      bob.drain();
      // Before any time passes each relay is asked whether it is there.
      expect(bob.engine.inspect.relays.length).toBe(2);
      const wokeMs = world.timeMs;
      world.run(1);
      for (const relay of relays) expect(asked.has(String(relay.port))).toBe(true);
      const answer = bob.send(ada, 'written in the morning');
      world.runUntil(() => bob.inbox().includes('written in the night') && ada.inbox().includes('written in the morning'), 5 * secondMs);
      expect(world.timeMs - wokeMs).toBeLessThanOrEqual(2 * secondMs);
      world.run(5 * secondMs);
      expect([ada.state(waiting), bob.state(answer), bob.inbox().filter((text) => text === 'written in the night').length]).toEqual(['delivered', 'delivered', 1]);
    });
  }

  it('has them within two seconds of its network, where that takes half a minute, and is not held up by what it tried before', () => {
    const story = friendsOfTwoRelays();
    const { world, ada, bob } = story;
    sleep(story, nightMs, 'stands still', () => { ada.send(bob, 'written in the night'); });
    bob.cutOff = true;
    bob.engine.networkChanged(bob.now);
    bob.drain();
    world.run(30 * secondMs);
    bob.cutOff = false;
    // The address that it gets is another interface's state, which the host tells.
    bob.engine.networkChanged(bob.now);
    bob.drain();
    const thereMs = world.timeMs;
    world.runUntil(() => bob.inbox().includes('written in the night'), 5 * secondMs);
    expect(world.timeMs - thereMs).toBeLessThanOrEqual(2 * secondMs);
  });
});

describe('a clock that is wrong by days', () => {
  for (const [who, days] of [['bob', 5], ['bob', -5], ['ada', 5], ['ada', -5], ['bob', 40], ['ada', 40], ['ada', -40]] as const) {
    it(`(${who}'s by ${String(days)}) costs no letter, neither one that waits nor one that is written meanwhile`, () => {
      const story = friendsOfTwoRelays();
      const { world, ada, bob } = story;
      const wrong = who === 'bob' ? bob : ada;
      let waiting = '';
      sleep(story, hourMs, 'stands still', () => { waiting = ada.send(bob, 'before'); });
      wrong.clockErrorMs = days * dayMs;
      for (const node of [ada, bob]) { node.engine.networkChanged(node.now); node.drain(); }
      world.run(10 * secondMs);
      const written = ada.send(bob, 'meanwhile');
      const back = bob.send(ada, 'back');
      world.run(minuteMs);
      // Certificates that are not valid by that clock are not believed while it is wrong. Nothing ends by that.
      for (const state of [ada.state(waiting), ada.state(written), bob.state(back)]) expect(['queued', 'stored', 'delivered']).toContain(state);
      wrong.clockErrorMs = 0;
      for (const node of [ada, bob]) { node.engine.networkChanged(node.now); node.drain(); }
      world.run(2 * minuteMs);
      expect([bob.inbox().includes('before'), bob.inbox().includes('meanwhile'), ada.inbox().includes('back')]).toEqual([true, true, true]);
      expect([ada.state(waiting), ada.state(written), bob.state(back)]).toEqual(['delivered', 'delivered', 'delivered']);
    });
  }
});
