/**
 * What the parts of a scenario share: the world, the time in which things happen, and one stream of randomness from which all of them draw
 * in turn. Because it is one stream, a draw more in one part changes what happens in all others.
 */
import type { SimNode } from './node.ts';
import { People } from './people.ts';
import type { SeededRandom } from './random.ts';
import type { SimWorld } from './world.ts';

/** In this time from the beginning people get to know each other. */
export const setupMs = 20_000;
const eventfulMinimumMs = 4 * 60_000;
const eventfulMaximumMs = 25 * 60_000;

export class Story {
  readonly world: SimWorld;
  readonly random: SeededRandom;
  readonly people: People;
  #endMs = setupMs;

  constructor(world: SimWorld) {
    this.world = world;
    this.random = world.random.fork('scenario');
    this.people = new People(world);
  }

  /** From then on all is well. */
  get endMs(): number { return this.#endMs; }

  drawEnd(): void { this.#endMs = setupMs + this.random.logarithmic(eventfulMinimumMs, eventfulMaximumMs); }

  /** At any time between getting to know each other and the end. */
  sometime(run: () => void): void { this.world.queue.at(this.random.between(setupMs, this.#endMs), run); }

  /** Off for that long: with a goodbye, or as when power fails. */
  takeDown(node: SimNode, forMs: number, orderly: boolean): void {
    if (orderly) node.stop();
    else node.crash('now');
    this.world.queue.after(forMs, () => { node.start(); });
  }
}
