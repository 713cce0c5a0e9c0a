/** What people do in one seed and when: they write in bursts, read, take letters back, block each other, go away, and change their relays. */
import type { SimNode } from './node.ts';
import type { People } from './people.ts';
import type { Population } from './population.ts';
import type { SeededRandom } from './random.ts';
import { setupMs, type Story } from './story.ts';
import type { SimWorld } from './world.ts';

const chatPorts = [1, 1, 1, 7] as const;

export class DailyLife {
  readonly #story: Story;
  readonly #population: Population;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #people: People;

  constructor(story: Story, population: Population) {
    this.#story = story;
    this.#population = population;
    this.#world = story.world;
    this.#random = story.random;
    this.#people = story.people;
  }

  plan(): void {
    const random = this.#random;
    const count = random.integer(25, 60);
    let atMs = setupMs;
    for (let index = 0; index < count; index += 1) {
      // Letters come in bursts, as people write.
      if (random.chance(0.5)) atMs = random.between(setupMs / 2, this.#story.endMs);
      else atMs = Math.min(this.#story.endMs, atMs + random.between(50, 4_000));
      this.#world.queue.at(atMs, () => { this.#writeOne(); });
    }
    for (let index = random.integer(4, 14); index > 0; index -= 1) this.#story.sometime(() => { this.#readOne(); });
    for (let index = random.integer(0, 6); index > 0; index -= 1) this.#story.sometime(() => { const visor = random.pick(this.#world.visors); if (visor !== undefined) this.#people.cancel(visor); });
    for (let index = random.integer(0, 4); index > 0; index -= 1) this.#story.sometime(() => { const visor = random.pick(this.#world.visors); if (visor !== undefined) this.#people.retry(visor); });
    if (random.chance(0.35)) this.#story.sometime(() => { this.#blockSomebody(); });
    if (random.chance(0.3)) this.#story.sometime(() => { this.#writeToSomebodyAway(); });
    if (random.chance(0.3)) this.#story.sometime(() => { const visor = random.pick(this.#world.visors); visor?.command({ name: 'rename-self', as: `renamed ${visor.name}` }); });
    if (random.chance(0.25)) this.#story.sometime(() => { this.#addRelay(); });
    for (let index = random.chance(0.5) ? random.integer(1, 3) : 0; index > 0; index -= 1) this.#story.sometime(() => { this.#moveToAnotherRelay(); });
  }

  #pair(): { from: SimNode; to: SimNode } | undefined {
    const pair = this.#random.pick(this.#population.friends);
    if (pair === undefined) return undefined;
    return this.#random.chance(0.5) ? { from: pair.left, to: pair.right } : { from: pair.right, to: pair.left };
  }

  #writeOne(): void {
    const pair = this.#pair();
    if (pair === undefined || this.#world.contact(pair.from, pair.to) === undefined) return;
    const random = this.#random;
    const burst = random.chance(0.12) ? random.integer(2, 6) : 1;
    for (let index = 0; index < burst; index += 1) {
      const sizeBytes = random.chance(0.7) ? random.integer(30, 400) : random.chance(0.7) ? random.integer(400, 6_000) : random.integer(6_000, 65_536);
      const ttlSeconds = random.chance(0.7) ? undefined : random.chance(0.5) ? random.integer(60, 400) : random.integer(86_400, 30 * 86_400);
      this.#people.send(pair.from, pair.to, sizeBytes, ttlSeconds, random.pick(chatPorts) ?? 1);
    }
    if (random.chance(0.06)) this.#world.queue.after(random.between(0, 5_000), () => { this.#people.cancel(pair.from); });
  }

  #readOne(): void {
    const pair = this.#pair();
    if (pair !== undefined) this.#people.read(pair.from, pair.to, this.#random.pick(chatPorts) ?? 1);
  }

  #blockSomebody(): void {
    const pair = this.#pair();
    if (pair === undefined) return;
    // Letters cross the block on their way.
    for (let count = this.#random.integer(1, 5); count > 0; count -= 1) {
      this.#world.queue.after(this.#random.between(0, 1_200), () => { this.#people.send(pair.to, pair.from, 200, undefined, 1); });
    }
    this.#world.queue.after(600, () => { this.#people.block(pair.from, pair.to); });
    if (this.#random.chance(0.6)) this.#world.queue.after(this.#random.between(5_000, 300_000), () => { this.#people.unblock(pair.from, pair.to); });
  }

  /** More than a small mailbox takes. */
  #writeToSomebodyAway(): void {
    const pair = this.#pair();
    if (pair === undefined) return;
    this.#story.takeDown(pair.to, this.#random.logarithmic(30_000, 400_000), true);
    for (let count = this.#random.integer(8, 20); count > 0; count -= 1) {
      this.#world.queue.after(this.#random.between(0, 20_000), () => { this.#people.send(pair.from, pair.to, this.#random.integer(30, 3_000), undefined, 1); });
    }
  }

  #addRelay(): void {
    const visor = this.#random.pick(this.#world.visors);
    const relay = this.#random.pick(this.#world.relays);
    if (visor === undefined || relay === undefined) return;
    this.#people.insist(visor, { name: 'add-relay', hint: this.#population.hintOf(relay), role: 'own' });
  }

  #moveToAnotherRelay(): void {
    const visor = this.#random.pick(this.#world.visors);
    const relay = this.#random.pick(this.#world.relays);
    const former = visor?.engine?.inspect.relays.find(({ row }) => row.leavingSinceMs === undefined)?.row.publicKey;
    if (visor === undefined || relay === undefined || former === undefined || former === relay.publicKey) return;
    this.#people.insist(visor, { name: 'add-relay', hint: this.#population.hintOf(relay), role: 'own' }, () => { this.#people.insist(visor, { name: 'remove-relay', publicKey: former }); });
  }
}
