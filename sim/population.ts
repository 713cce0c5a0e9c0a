/** Who there is in one seed: relays and visors with their addresses, clocks and quotas, and who knows whom by which way. */
import type { SimNode } from './node.ts';
import type { People } from './people.ts';
import type { SeededRandom } from './random.ts';
import { setupMs, type Story } from './story.ts';
import type { SimWorld } from './world.ts';
import type { RelayHint, SocketAddress } from '../src/main/engine/wire/types.ts';

const relayPort = 7_770;

/** Two who know each other, or are about to. */
export interface Friends { readonly left: SimNode; readonly right: SimNode }

export class Population {
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #people: People;
  readonly #friends: Friends[] = [];
  /** "inviter guest" where the guest's use of the link was answered. */
  readonly #added = new Set<string>();
  #nextHost = 1;

  constructor(story: Story) {
    this.#world = story.world;
    this.#random = story.random;
    this.#people = story.people;
  }

  get friends(): readonly Friends[] { return this.#friends; }

  /** Makes everybody, starts them, and lets them get to know each other in the first seconds. */
  create(): void {
    const random = this.#random;
    const skewed = random.chance(0.4);
    const relayCount = random.integer(2, 3);
    const tight = random.chance(0.3);
    const heldBytes = this.#drawHeldBytes();
    for (let index = 1; index <= relayCount; index += 1) {
      const host = `10.0.0.${String(index)}`;
      const relay = this.#world.add({
        name: `relay${String(index)}`, visor: false, relay: true, wallErrorMs: skewed ? random.between(-90_000, 90_000) : 0, heldBytes,
        quota: tight ? { letters: 6, bytes: 160_000, lettersPerToken: random.integer(3, 8), strangerLetters: 2, receipts: 8 } : { letters: 5_000, bytes: 64 * 1_048_576, lettersPerToken: 128, strangerLetters: 250, receipts: 2_000 },
      }, { host, port: relayPort }, `relay${String(index)}.example`);
      relay.start();
    }
    const visorCount = random.integer(2, 5);
    for (let index = 1; index <= visorCount; index += 1) {
      const visor = this.#world.add({ name: `visor${String(index)}`, visor: true, relay: false, wallErrorMs: skewed ? random.between(-600_000, 600_000) : 0, quota: undefined }, this.freshAddress());
      visor.start();
      const relays = random.shuffled(this.#world.relays).slice(0, random.integer(1, Math.min(3, relayCount)));
      for (const relay of relays) this.#world.queue.after(random.between(0, 3_000), () => { this.#people.insist(visor, { name: 'add-relay', hint: this.hintOf(relay), role: 'own' }); });
    }
    this.#introduce();
  }

  /** Now and then less than some of what is sent and published, which then goes through. From a stream of its own: the rest of the story stays what it is. */
  #drawHeldBytes(): number | undefined {
    const random = this.#world.random.fork('held');
    return random.chance(0.2) ? random.integer(200_000, 1_500_000) : undefined;
  }

  #introduce(): void {
    const { visors, queue } = this.#world;
    for (const [index, left] of visors.entries()) {
      for (const right of visors.slice(index + 1)) {
        // The first is everybody's friend, so that nobody is alone.
        if (index > 0 && this.#random.chance(0.4)) continue;
        if (index > 0 && this.#random.chance(0.15)) { this.#meetAsStrangers(left, right); continue; }
        this.#friends.push({ left, right });
        const both = this.#random.chance(0.25);
        const swapped = this.#random.chance(0.5);
        const add = (inviter: SimNode, guest: SimNode): void => {
          queue.after(this.#random.between(3_000, setupMs), () => { this.#people.invite(inviter, guest, () => { this.#added.add(`${inviter.name} ${guest.name}`); }); });
        };
        if (both || swapped) add(left, right);
        if (both || !swapped) add(right, left);
      }
    }
  }

  /** An address without a link; accepted later, or never. */
  #meetAsStrangers(writer: SimNode, reader: SimNode): void {
    const { queue } = this.#world;
    const random = this.#random;
    for (let count = random.integer(1, 3); count > 0; count -= 1) queue.after(random.between(setupMs, setupMs * 3), () => { this.#people.send(writer, reader, 100, undefined, 1); });
    if (random.chance(0.7)) queue.after(random.between(setupMs * 2, setupMs * 6), () => { this.#people.insist(reader, { name: 'accept', publicKey: writer.publicKey }); });
  }

  /** How a relay is written down by those who use it: by its name or by its address. */
  hintOf(relay: SimNode): RelayHint {
    const address = this.#world.network.addressOf(relay.name);
    const named = this.#random.chance(0.5);
    return { publicKey: relay.publicKey, host: named ? `${relay.name}.example` : address?.host ?? '', port: relayPort };
  }

  /** Of another host than the last ones. */
  freshAddress(): SocketAddress {
    this.#nextHost += 1;
    return { host: `192.0.2.${String(this.#nextHost % 250)}`, port: this.#random.integer(1_024, 65_535) };
  }

  /** Pairs of whom one has used the other's link, and who are still not each other's contacts. */
  strangersToEachOther(): readonly string[] {
    const { checker } = this.#world;
    const open: string[] = [];
    for (const { left, right } of this.#friends) {
      if (!this.#added.has(`${left.name} ${right.name}`) && !this.#added.has(`${right.name} ${left.name}`)) continue;
      if (checker.letters.everBlocked(left.name, right.name)) continue;
      const here = this.#world.contact(left, right)?.standing;
      const there = this.#world.contact(right, left)?.standing;
      if (here !== 'contact' || there !== 'contact') open.push(`${left.name} has ${right.name} as ${String(here)}, who has them as ${String(there)}`);
    }
    return open;
  }
}
