/** Whole engines: friends as stepping stones. Every dedicated relay is gone, and two people with a reachable friend in common write to each other, live and while one is away. */
import { describe, expect, it } from 'vitest';
import { befriend, dayMs, hourMs, minuteMs, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerStatus } from '../engine/inspection-types.ts';
import type { RelayPolicy } from '../engine/engine-types.ts';
import type { MailResults } from '../engine/mail/mail-store.ts';
import type { RelayHint } from '../engine/wire/types.ts';

const policy: RelayPolicy = { registration: { list: [] }, mailbox: { letters: 100, bytes: 2 ** 20 }, heldPerRecipientBytes: 0, circuitsPerHour: { packets: 10_000, bytes: 10_000_000 } };
const quotaBytes = 2 ** 20;

interface Circle {
  readonly world: StoryWorld;
  readonly ada: StoryNode;
  readonly bob: StoryNode;
  readonly fay: StoryNode;
  /** The relay beside Fay's visor. */
  readonly stone: StoryNode;
  readonly relays: readonly StoryNode[];
}

/** What the host of a visor that carries does. */
function carry(friend: StoryNode, stone: StoryNode, hint: RelayHint = stone.hint): void {
  const reply = friend.command({ name: 'carry-members' });
  const members = reply.ok && reply.value !== undefined && 'members' in reply.value ? reply.value.members : [];
  stone.engine.setMembers?.([friend.publicKey, ...members], stone.now);
  stone.drain();
  friend.command({ name: 'carry', offer: { hint, quotaBytes } });
  friend.world.run(10 * secondMs);
}

/** Ada and Bob know each other and Fay, who carries for both. */
function circle(visorsMeet: 'no' | 'in circuits' = 'no'): Circle {
  const world = new StoryWorld({ visorsMeet });
  const relays = [world.relay('relay of ada'), world.relay('relay of bob')] as const;
  const stone = world.relay('stone', { policy });
  const [ada, bob, fay] = [world.add('ada'), world.add('bob'), world.add('fay')];
  ada.addRelay(relays[0]);
  bob.addRelay(relays[1]);
  fay.addRelay(relays[0]);
  world.run(2 * secondMs);
  befriend(ada, bob);
  befriend(ada, fay);
  befriend(bob, fay);
  fay.command({ name: 'update-settings', settings: { carryForFriends: true } });
  carry(fay, stone);
  world.run(minuteMs);
  return { world, ada, bob, fay, stone, relays };
}

const roles = (node: StoryNode): readonly string[] => node.engine.inspect.relays.map(({ row, state }) => `${row.role} ${state}`);
const contactOf = (node: StoryNode, other: StoryNode): PeerStatus | undefined => node.engine.inspect.peers.find(({ publicKey, role }) => role === 'contact' && publicKey === other.publicKey);
const kill = (relays: readonly StoryNode[]): void => { for (const relay of relays) relay.powerOff(); };

describe('with every dedicated relay gone, friends of one reachable friend', () => {
  it('use what they were offered, and tell nobody of it', () => {
    const { ada, bob, stone, fay } = circle();
    expect([roles(ada), roles(bob), roles(fay)]).toEqual([['own connected', 'friend connected'], ['own connected', 'friend connected'], ['own connected']]);
    expect(ada.engine.inspect.connection).toMatchObject({ kind: 'online', relaysConfigured: 1, relaysConnected: 1 });
    expect(ada.invite().relays.some(({ publicKey }) => publicKey === stone.publicKey)).toBe(false);
    expect(bob.contact(ada)?.relays.some(({ publicKey }) => publicKey === stone.publicKey)).toBe(false);
  });

  it('leave letters for one who is away, who gets each of them once', () => {
    const { world, ada, bob, stone, relays } = circle();
    kill(relays);
    world.run(minuteMs);
    ada.cutOff = true;
    world.run(3 * minuteMs);
    const ids = ['one', 'two', 'three'].map((text) => bob.send(ada, text));
    world.run(minuteMs);
    expect(ids.map((id) => bob.headline(id))).toEqual(ids.map(() => expect.objectContaining({ state: 'stored', heldBy: [expect.objectContaining({ relay: stone.publicKey, relayName: 'fay’s Waypost' })] }) as unknown));
    expect(ada.inbox()).toEqual([]);
    ada.cutOff = false;
    world.run(3 * minuteMs);
    expect([...ada.inbox()].sort()).toEqual(['one', 'three', 'two']);
    expect(ids.map((id) => bob.state(id))).toEqual(['delivered', 'delivered', 'delivered']);
    world.run(2 * hourMs);
    expect(ada.inbox().length).toBe(3);
  });

  it('talk live in a circuit through the friend', () => {
    const { world, ada, bob, stone, relays } = circle('in circuits');
    kill(relays);
    world.run(20 * minuteMs);
    bob.command({ name: 'reach', publicKey: ada.publicKey });
    world.run(minuteMs);
    expect(contactOf(bob, ada)).toMatchObject({ paths: [{ kind: 'friend', relay: stone.publicKey, isCurrent: true }] });
    const id = bob.send(ada, 'hello');
    world.run(5 * secondMs);
    expect([ada.inbox(), bob.state(id)]).toEqual([['hello'], 'delivered']);
    expect(stone.mail.some(({ request }) => request.op === 'deposit')).toBe(false);
    expect(stone.count('circuit.hour.packets')).toBeGreaterThan(0);
  });

  it('meet soon through the friend although relays of theirs are asked first', () => {
    const { world, ada, bob, stone, relays } = circle('in circuits');
    for (const relay of relays.slice(1)) ada.addRelay(relay);
    world.run(minuteMs);
    kill(relays);
    world.run(20 * minuteMs);
    bob.powerOff();
    bob.restart();
    world.run(2 * secondMs);
    bob.command({ name: 'reach', publicKey: ada.publicKey });
    world.run(2 * secondMs);
    expect(contactOf(bob, ada)).toMatchObject({ paths: [{ kind: 'friend', relay: stone.publicKey, isCurrent: true }] });
  });

  it('lose and double nothing when power fails at any of them', () => {
    const { world, ada, bob, stone, relays } = circle();
    kill(relays);
    world.run(minuteMs);
    ada.powerOff();
    const ids: string[] = [];
    for (const [round, mode] of (['drop', 'keep'] as const).entries()) {
      for (const victim of [stone, bob]) {
        victim.commitsBeforeCrash = round + 1;
        victim.crashMode = mode;
        ids.push(bob.off ? '' : bob.send(ada, `letter ${String(ids.length)}`));
        world.run(10 * secondMs);
        for (const node of [stone, bob]) {
          node.commitsBeforeCrash = undefined;
          if (node.off) node.restart(mode);
        }
        stone.engine.setMembers?.([ada.publicKey, bob.publicKey], stone.now);
        stone.drain();
        world.run(2 * minuteMs);
      }
    }
    ada.restart();
    world.run(10 * minuteMs);
    const sent = ids.filter((id) => id !== '');
    const arrived = ada.inbox();
    expect(new Set(arrived).size).toBe(arrived.length);
    expect(sent.length).toBeGreaterThan(0);
    for (const id of sent) expect(bob.state(id)).toBe('delivered');
  });

  it('go back to relays of their own when these are there again', () => {
    const { world, ada, bob, relays } = circle();
    kill(relays);
    ada.cutOff = true;
    world.run(3 * minuteMs);
    const id = bob.send(ada, 'by either way');
    world.run(minuteMs);
    expect(bob.headline(id)).toMatchObject({ state: 'stored', wanted: 1 });
    for (const relay of relays) relay.restart();
    world.run(15 * minuteMs);
    expect(relays[0]?.mail.some(({ request }) => request.op === 'deposit' && request.mailbox.identity === ada.publicKey)).toBe(true);
    ada.cutOff = false;
    world.run(5 * minuteMs);
    expect(ada.inbox()).toEqual(['by either way']);
  });
});

describe('two friends whose relays say that they keep everything, and keep nothing', () => {
  it('do not keep a letter from its recipient, whose own relay is there again', () => {
    const world = new StoryWorld();
    const [adas, bobs] = [world.relay('relay of ada'), world.relay('relay of bob')];
    const [ada, bob, eve, mal] = [world.add('ada'), world.add('bob'), world.add('eve'), world.add('mal')];
    ada.addRelay(adas);
    for (const node of [bob, eve, mal]) node.addRelay(bobs);
    world.run(2 * secondMs);
    befriend(ada, bob);
    for (const [friend, stone] of [[eve, world.relay('stone of eve')], [mal, world.relay('stone of mal')]] as const) {
      befriend(bob, friend);
      friend.command({ name: 'update-settings', settings: { carryForFriends: true } });
      carry(friend, stone);
      stone.instead = (request) => {
        if (request.op === 'deposit') return { outcome: 'stored', sequence: 1, remainingSeconds: request.ttlSeconds, state: 'held', byStranger: false };
        const states: MailResults['status'] | undefined = request.op === 'status' ? { states: request.letterIds.map(() => ({ state: 'held', secondsSince: 0 })) } : undefined;
        return states;
      };
    }
    world.run(minuteMs);
    adas.powerOff();
    world.run(minuteMs);
    const id = bob.send(ada, 'to be kept from her');
    world.run(2 * minuteMs);
    expect(bob.headline(id)).toMatchObject({ state: 'stored', heldBy: [{}, {}] });
    adas.restart();
    world.run(hourMs);
    expect([ada.inbox(), bob.state(id)]).toEqual([['to be kept from her'], 'delivered']);
  });
});

describe('an offer to carry', () => {
  it('is taken back when the friend stops, and made to those who become contacts later', () => {
    const { world, ada, bob, fay, stone, relays } = circle();
    const cleo = world.add('cleo');
    cleo.addRelay(relays[1] ?? stone);
    world.run(2 * secondMs);
    befriend(fay, cleo);
    carry(fay, stone);
    world.run(minuteMs);
    expect(roles(cleo)).toEqual(['own connected', 'friend connected']);
    fay.command({ name: 'update-settings', settings: { carryForFriends: false } });
    world.run(minuteMs);
    expect([roles(ada), roles(bob), roles(cleo)]).toEqual([['own connected'], ['own connected'], ['own connected']]);
  });

  it('of each of several friends counts, also where all of them are read at once', () => {
    const world = new StoryWorld();
    const relay = world.relay('relay of bob');
    const bob = world.add('bob');
    bob.addRelay(relay);
    const friends = ['fay', 'gus', 'hal'].map((name) => ({ friend: world.add(name), stone: world.relay(`stone of ${name}`, { policy }) }));
    world.run(2 * secondMs);
    for (const { friend } of friends) {
      friend.addRelay(relay);
      world.run(2 * secondMs);
      befriend(bob, friend);
      friend.command({ name: 'update-settings', settings: { carryForFriends: true } });
    }
    bob.cutOff = true;
    for (const { friend, stone } of friends) carry(friend, stone);
    bob.cutOff = false;
    world.run(5 * minuteMs);
    const offered = (): number => bob.engine.inspect.relays.filter(({ row }) => row.role === 'friend').length;
    expect(offered()).toBe(3);
    bob.restart();
    world.run(minuteMs);
    expect(offered()).toBe(3);
  });

  it('follows the friend to another address', () => {
    const { world, ada, fay, stone } = circle();
    carry(fay, stone, { ...stone.hint, port: 9_999 });
    world.run(minuteMs);
    expect(ada.engine.inspect.relays.find(({ row }) => row.role === 'friend')?.row.port).toBe(9_999);
  });

  it('that is false sends little to whoever is there, and does not stand in the way of the true one', () => {
    const world = new StoryWorld();
    const relay = world.relay('relay of ada');
    const [ada, mal, fay] = [world.add('ada'), world.add('mal'), world.add('fay')];
    const stone = world.relay('stone of fay', { policy });
    for (const node of [ada, mal, fay]) node.addRelay(relay);
    world.run(2 * secondMs);
    for (const friend of [mal, fay]) {
      befriend(ada, friend);
      friend.command({ name: 'update-settings', settings: { carryForFriends: true } });
    }
    let strangersBytes = 0;
    world.seen = ({ to, datagram }) => { if (to === '59999') strangersBytes += datagram.length; };
    mal.command({ name: 'carry', offer: { hint: { ...stone.hint, port: 59_999 }, quotaBytes } });
    world.run(2 * hourMs);
    expect(roles(ada)).toEqual(['own connected', expect.stringContaining('friend') as unknown]);
    expect(strangersBytes).toBeGreaterThan(10 * 1_200);
    expect(strangersBytes).toBeLessThan(50 * 1_200);
    carry(fay, stone);
    world.run(minuteMs);
    expect([roles(ada), ada.engine.inspect.relays.find(({ row }) => row.role === 'friend')?.row.port]).toEqual([['own connected', 'friend connected'], stone.hint.port]);
    const before = strangersBytes;
    world.run(3 * hourMs);
    expect([roles(ada), strangersBytes]).toEqual([['own connected', 'friend connected'], before]);
  });

  it('ends by itself when it is not renewed, and not as long as the relay is there', () => {
    const { world, ada, bob, fay, stone } = circle();
    fay.cutOff = true;
    bob.cutOff = true;
    world.sleep(6 * dayMs);
    world.run(2 * hourMs);
    world.sleep(2 * dayMs);
    world.run(hourMs);
    expect(roles(ada)).toEqual(['own connected', 'friend connected']);
    stone.cutOff = true;
    world.sleep(8 * dayMs);
    world.run(3 * hourMs);
    expect(roles(ada)).toEqual(['own connected']);
  });

  it('is not used by who does not want it, or hides where they are', () => {
    const { world, ada, bob } = circle();
    ada.command({ name: 'update-settings', settings: { useFriendsRelays: false } });
    bob.command({ name: 'update-settings', settings: { hideAddress: true } });
    world.run(2 * minuteMs);
    expect(ada.engine.inspect.relays.find(({ row }) => row.role === 'friend')?.leavingUntilWallMs).toBeGreaterThan(0);
    expect(roles(bob)).toEqual(['own connected']);
    ada.command({ name: 'update-settings', settings: { useFriendsRelays: true } });
    world.run(minuteMs);
    expect(ada.engine.inspect.relays.find(({ row }) => row.role === 'friend')?.leavingUntilWallMs).toBeUndefined();
  });

  it('is over for who was blocked, on both sides', () => {
    const { world, ada, bob, fay, stone, relays } = circle();
    fay.command({ name: 'block', publicKey: ada.publicKey });
    carry(fay, stone);
    bob.command({ name: 'block', publicKey: fay.publicKey });
    world.run(2 * hourMs);
    expect(roles(ada)).toEqual(['own connected', 'friend refused']);
    expect(roles(bob)).toEqual(['own connected']);
    kill(relays);
    ada.cutOff = true;
    world.run(minuteMs);
    const before = stone.mail.filter(({ request }) => request.op === 'deposit').length;
    const id = fay.send(bob, 'not by you');
    world.run(minuteMs);
    expect(fay.state(id)).toBe('queued');
    expect(stone.mail.filter(({ request }) => request.op === 'deposit').length).toBe(before);
  });

  it('of somebody who is no contact is kept by nobody', () => {
    const { world, fay, stone, relays } = circle();
    const eve = world.add('eve');
    eve.addRelay(relays[0] ?? stone);
    world.run(2 * secondMs);
    befriend(fay, eve);
    fay.command({ name: 'block', publicKey: eve.publicKey });
    eve.command({ name: 'update-settings', settings: { carryForFriends: true } });
    eve.command({ name: 'carry', offer: { hint: stone.hint, quotaBytes } });
    world.run(minuteMs);
    expect(roles(fay)).toEqual(['own connected']);
  });
});
