/** What contacts may make of being allowed to offer. */
import { describe, expect, it } from 'vitest';
import { initialSettings, type Settings } from '../../../shared/views.ts';
import { identityPublicKey } from '../wire/identity.ts';
import { FriendRelays, leaseMaximumSeconds, type CarryContent } from './friend-relays.ts';
import { turnMs, unansweredMaximum } from './offer-trials.ts';
import { formatRelayHint } from '../wire/relay-hint.ts';
import type { RelayHint } from '../wire/types.ts';
import type { CommitOptions, VisorContext } from '../visor-context.ts';
import type { ContactRow, RelayRow, VisorChange } from './visor-store.ts';

const keyOf = (number: number): string => identityPublicKey(new Uint8Array(32).fill(number));
const own = keyOf(1);
const friend = (number: number): string => keyOf(10 + number);
const stone = (number: number): string => keyOf(100 + number);
const hintOf = (relay: string, port = 7_500): RelayHint => ({ publicKey: relay, host: '203.0.113.5', port });
const offerOf = (relay: string, port = 7_500, leaseSeconds = 86_400): CarryContent => ({ kind: 'carry', offer: { hint: hintOf(relay, port), quotaBytes: 1_000, leaseSeconds } });
const nothing: CarryContent = { kind: 'carry', offer: undefined };

const placeOf = (hint: RelayHint | undefined): string => (hint === undefined ? '' : formatRelayHint(hint));

class World {
  readonly contacts = new Map<string, Pick<ContactRow, 'publicKey' | 'standing'>>();
  readonly relays = new Map<string, RelayRow>();
  readonly bannedRelays = new Map<string, RelayRow>();
  readonly values = new Map<string, string>();
  settings: Settings = initialSettings;
  readonly registered = new Set<string>();
  /** Places `KEY@HOST:PORT` where the relay really is. */
  readonly there = new Set<string>();
  ms = 1_000;
  changes = 0;
  friends = this.begin();

  get now(): { readonly monotonicMs: number; readonly wallMs: number } { return { monotonicMs: this.ms, wallMs: 1_800_000_000_000 + this.ms }; }
  /** Those that are used, as they answer. */
  meet(): void {
    for (let round = 0; round < 20; round += 1) {
      for (const { publicKey, host, port, role } of [...this.relays.values()]) if (role === 'friend' && this.there.has(placeOf({ publicKey, host, port }))) this.friends.answered({ publicKey, host, port }, this.now);
    }
  }

  get used(): readonly string[] { return [...this.relays.values()].filter(({ role, leavingSinceMs }) => role === 'friend' && leavingSinceMs === undefined).map(({ publicKey }) => publicKey); }

  begin(): FriendRelays {
    const context = { publicKey: own, memory: this, commit: (changes: readonly VisorChange[], options: CommitOptions = {}) => { this.apply(changes); options.done?.(true, this.now); } } as unknown as VisorContext;
    this.friends = new FriendRelays(context, {
      isRegistered: (relay) => this.registered.has(relay), isConnected: (relay) => this.there.has(placeOf(this.relays.get(relay))), removal: (row, now) => [{ kind: 'put-relay', row: { ...row, leavingSinceMs: now.wallMs } }],
      changed: () => { this.changes += 1; }, isRevoked: () => false,
    });
    return this.friends;
  }

  offer(from: number, content: CarryContent, sequence = 1, device = 'a'): void {
    this.contacts.set(friend(from), this.contacts.get(friend(from)) ?? { publicKey: friend(from), standing: 'contact' });
    const { changes, after } = this.friends.offered(friend(from), content, { device, sequence }, this.now);
    this.apply(changes);
    after(this.now);
  }

  apply(changes: readonly VisorChange[]): void {
    for (const change of changes) {
      if (change.kind === 'put-value') this.values.set(change.key, change.value);
      else if (change.kind === 'put-relay') this.relays.set(change.row.publicKey, change.row);
      else if (change.kind === 'delete-relay') this.relays.delete(change.publicKey);
    }
  }
}

describe('offers to carry', () => {
  it('are used for eight friends, one of each, and outlive a restart', () => {
    const world = new World();
    for (let number = 0; number < 12; number += 1) { world.ms += 1; world.offer(number, offerOf(stone(number))); }
    expect(world.used.length).toBe(unansweredMaximum);
    for (let number = 0; number < 12; number += 1) world.there.add(placeOf(hintOf(stone(number))));
    world.meet();
    expect(world.used).toEqual(Array.from({ length: 8 }, (_, number) => stone(number)));
    world.begin().sync(world.now);
    expect(world.used.length).toBe(8);
    for (let again = 0; again < 50; again += 1) world.offer(0, offerOf(stone(50 + again)), 2 + again);
    expect([world.used.length, world.used.includes(stone(0))]).toEqual([8, false]);
  });

  it('go by the newest letter, of whichever device', () => {
    const world = new World();
    world.offer(0, offerOf(stone(0), 7_500), 5);
    world.offer(0, offerOf(stone(0), 7_501), 4);
    world.offer(0, nothing, 5);
    expect(world.relays.get(stone(0))?.port).toBe(7_500);
    world.ms += 60_000;
    world.offer(0, offerOf(stone(0), 7_502), 1, 'b');
    expect(world.relays.get(stone(0))?.port).toBe(7_502);
    world.offer(0, nothing, 2, 'b');
    expect(world.used).toEqual([]);
  });

  it('of a relay that another has offered falsely before are used soon, and stay', () => {
    const world = new World();
    world.offer(0, offerOf(stone(7), 9_999));
    world.ms += 60_000;
    world.offer(1, offerOf(stone(7), 7_500));
    world.there.add(placeOf(hintOf(stone(7))));
    expect([world.relays.get(stone(7))?.port, world.friends.carrierOf(stone(7))]).toEqual([9_999, friend(0)]);
    expect(world.friends.pollTimeout()?.atMs).toBeLessThanOrEqual(world.ms + turnMs);
    world.ms += turnMs;
    world.friends.handleTimeout(world.now);
    world.meet();
    expect([world.relays.get(stone(7))?.port, world.friends.carrierOf(stone(7))]).toEqual([7_500, friend(1)]);
    for (let turn = 0; turn < 20; turn += 1) {
      world.ms += turnMs;
      world.friends.handleTimeout(world.now);
      expect(world.relays.get(stone(7))?.port).toBe(7_500);
    }
    world.begin().sync(world.now);
    expect(world.friends.carrierOf(stone(7))).toBe(friend(1));
    // When the one is taken back, the other stands.
    world.offer(0, nothing, 2);
    expect(world.used).toEqual([stone(7)]);
  });

  it('are hearsay until somebody has answered there, also after a restart, and again when they name another place', () => {
    const world = new World();
    const isHearsay = (port: number): boolean => world.friends.isHearsay(hintOf(stone(0), port));
    world.offer(0, offerOf(stone(0), 7_500));
    expect(isHearsay(7_500)).toBe(true);
    world.there.add(placeOf(hintOf(stone(0))));
    world.meet();
    world.begin().sync(world.now);
    expect([isHearsay(7_500), isHearsay(7_501)]).toEqual([false, true]);
    world.ms += 60_000;
    world.offer(0, offerOf(stone(0), 7_501), 2);
    expect(isHearsay(7_501)).toBe(true);
  });

  it('stay hearsay where they name a place by a name, which may lead elsewhere tomorrow', () => {
    const world = new World();
    const hint: RelayHint = { publicKey: stone(0), host: 'stone.example', port: 7_500 };
    world.offer(0, { kind: 'carry', offer: { hint, quotaBytes: 1_000, leaseSeconds: 86_400 } });
    world.there.add(placeOf(hint));
    world.meet();
    expect(world.used).toEqual([stone(0)]);
    expect(world.friends.isHearsay(hint)).toBe(true);
  });

  it('cannot take a relay over that is there where another has offered it, nor name ourselves, nor come from whom we do not know', () => {
    const world = new World();
    world.offer(0, offerOf(stone(0), 7_500));
    world.there.add(placeOf(hintOf(stone(0))));
    world.meet();
    world.ms += 2 * turnMs;
    world.offer(1, offerOf(stone(0), 9_999));
    world.offer(2, offerOf(own));
    world.contacts.set(friend(3), { publicKey: friend(3), standing: 'request' });
    world.offer(3, offerOf(stone(3)));
    expect([world.used, world.relays.get(stone(0))?.port]).toEqual([[stone(0)], 7_500]);
    expect(world.friends.carrierOf(stone(0))).toBe(friend(0));
  });

  it('leave relays alone that the person has chosen or banned', () => {
    const world = new World();
    const row: RelayRow = { publicKey: stone(0), host: 'relay.example', port: 1, role: 'own', epoch: undefined, cursor: 0, addedAtMs: 0, leavingSinceMs: undefined, choice: 'normal', rank: undefined };
    world.relays.set(stone(0), row);
    world.bannedRelays.set(stone(1), { ...row, publicKey: stone(1) });
    world.offer(0, offerOf(stone(0)));
    world.offer(1, offerOf(stone(1)));
    expect([world.relays.get(stone(0)), world.used]).toEqual([row, []]);
  });

  it('last no longer than two weeks without being heard of, whatever they say', () => {
    const world = new World();
    world.offer(0, offerOf(stone(0), 7_500, 0xffff_ffff));
    world.ms += leaseMaximumSeconds * 1_000 + 1;
    world.friends.sync(world.now);
    // The machine may have slept: the relay gets a while to show itself.
    expect(world.used).toEqual([stone(0)]);
    world.ms += 51 * 60_000;
    world.friends.sync(world.now);
    expect(world.used).toEqual([]);
  });

  it('that the person removed stay away until they want friends’ relays again', () => {
    const world = new World();
    world.offer(0, offerOf(stone(0)));
    world.apply([{ kind: 'delete-relay', publicKey: stone(0) }, ...world.friends.declined(stone(0))]);
    world.offer(0, offerOf(stone(0)), 2);
    world.begin().sync(world.now);
    expect(world.used).toEqual([]);
    world.apply(world.friends.welcomed());
    world.friends.sync(world.now);
    expect(world.used).toEqual([stone(0)]);
  });

  it('are asked about nobody again for half an hour where they keep nothing for them', () => {
    const world = new World();
    world.offer(0, offerOf(stone(0)));
    expect(world.friends.of(friend(5), world.now)).toEqual([]);
    world.registered.add(stone(0));
    expect(world.friends.of(friend(5), world.now).length).toBe(1);
    world.friends.hasNone(friend(5), stone(0), world.now);
    expect([world.friends.of(friend(5), world.now).length, world.friends.of(friend(6), world.now).length]).toEqual([0, 1]);
    world.ms += 31 * 60_000;
    expect(world.friends.of(friend(5), world.now).length).toBe(1);
  });

  it.each(['', '{}', '[1]', '[["x"]]', 'damaged', `[["${friend(0)}","a",1,"no hint",1,1,1,1,false]]`])('that are damaged on disk (%s) are none', (text) => {
    const world = new World();
    world.values.set('friend-relays', text);
    world.contacts.set(friend(0), { publicKey: friend(0), standing: 'contact' });
    world.begin().sync(world.now);
    expect(world.used).toEqual([]);
  });
});
