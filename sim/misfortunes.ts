/**
 * What goes wrong in one seed: power fails, disks fill and are lost, machines sleep and move, clocks are set, and the network is cut, slow or
 * full of strangers. Each seed has its own few kinds of it.
 */
import type { CrashStep } from './disk.ts';
import type { Conditions } from './network.ts';
import type { SimNode } from './node.ts';
import type { Population } from './population.ts';
import type { SeededRandom } from './random.ts';
import type { Story } from './story.ts';
import type { SimWorld } from './world.ts';

interface Misfortune { readonly name: string; readonly weight: number; readonly strike: () => void }

export class Misfortunes {
  readonly #story: Story;
  readonly #population: Population;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;

  constructor(story: Story, population: Population) {
    this.#story = story;
    this.#population = population;
    this.#world = story.world;
    this.#random = story.random;
  }

  drawWeather(): Conditions {
    const random = this.#random;
    return {
      loss: random.chance(0.3) ? 0 : random.logarithmic(0.005, 0.25), delayMs: random.logarithmic(1, 250), jitterMs: random.logarithmic(1, 120),
      late: random.chance(0.5) ? random.between(0, 0.1) : 0, lateMs: random.logarithmic(50, 3_000), duplicate: random.chance(0.4) ? random.between(0, 0.1) : 0, mtuBytes: undefined,
    };
  }

  plan(): void {
    const random = this.#random;
    const all = this.#kinds();
    // Each world has its own few kinds of trouble; all at once would hide what each of them does.
    const chosen = all.filter(() => random.chance(0.5));
    const total = chosen.reduce((sum, one) => sum + one.weight, 0);
    if (total === 0) return;
    for (let count = random.integer(0, 45); count > 0; count -= 1) {
      this.#story.sometime(() => {
        let at = random.fraction() * total;
        const struck = chosen.find((one) => { at -= one.weight; return at < 0; }) ?? chosen[0];
        struck?.strike();
      });
    }
    if (random.chance(0.15)) this.#story.sometime(() => { this.#loseDatabase(); });
  }

  #kinds(): readonly Misfortune[] {
    const random = this.#random;
    const { network, queue } = this.#world;
    const visor = (run: (node: SimNode) => void) => (): void => { const node = random.pick(this.#world.visors); if (node !== undefined) run(node); };
    const relay = (run: (node: SimNode) => void) => (): void => { const node = random.pick(this.#world.relays); if (node !== undefined) run(node); };
    return [
      { name: 'relay killed', weight: 4, strike: relay((node) => { this.#story.takeDown(node, random.logarithmic(500, 120_000), false); }) },
      { name: 'visor killed', weight: 4, strike: visor((node) => { this.#story.takeDown(node, random.logarithmic(200, 60_000), false); }) },
      { name: 'visor away', weight: 4, strike: visor((node) => { this.#story.takeDown(node, random.logarithmic(30_000, 900_000), true); }) },
      { name: 'visor sleeps', weight: 3, strike: visor((node) => { node.sleep(Math.min(this.#story.endMs - queue.nowMs, random.logarithmic(5_000, 900_000)), random.chance(0.5)); }) },
      { name: 'crash storm', weight: 3, strike: () => { this.#crashStorm(); } },
      { name: 'disk full', weight: 1, strike: () => { random.pick(this.#world.machines)?.disk.planFailure(); } },
      { name: 'partition', weight: 4, strike: () => { this.#partition(); } },
      { name: 'new address', weight: 4, strike: visor((node) => { node.moveTo(this.#population.freshAddress(), random.chance(0.6)); }) },
      { name: 'other weather', weight: 3, strike: () => { network.conditions = this.drawWeather(); } },
      { name: 'small packets only', weight: 1, strike: () => { this.#smallPackets(); } },
      { name: 'strangers', weight: 5, strike: () => { for (let count = random.integer(1, 60); count > 0; count -= 1) queue.after(random.between(0, 10_000), () => { network.inject(); }); } },
      { name: 'clock set', weight: 2, strike: () => { random.pick(this.#world.machines)?.jumpClock((random.chance(0.5) ? 1 : -1) * random.logarithmic(500, 1_200_000)); } },
    ];
  }

  /** Power fails at one storage step after the other, just after each start. */
  #crashStorm(): void {
    const random = this.#random;
    const node = random.pick(this.#world.machines);
    if (node === undefined) return;
    let count = random.integer(1, 8);
    const steps: readonly CrashStep[] = ['before-commit', 'between-stores', 'after-commit', 'after-commit'];
    const next = (): void => {
      node.start();
      if (count === 0 || this.#world.queue.nowMs > this.#story.endMs) return;
      count -= 1;
      this.#world.queue.after(random.logarithmic(5, 4_000), () => {
        const step = random.pick(steps);
        if (step !== undefined && this.#world.queue.nowMs < this.#story.endMs) node.disk.planCrash(step);
        const wait = (): void => {
          if (node.isUp && this.#world.queue.nowMs < this.#story.endMs) this.#world.queue.after(250, wait);
          else this.#world.queue.after(random.logarithmic(20, 5_000), next);
        };
        wait();
      });
    };
    next();
  }

  #partition(): void {
    const random = this.#random;
    const { network, queue, machines } = this.#world;
    const chosen = random.shuffled(machines).slice(0, random.integer(1, Math.ceil(machines.length / 2)));
    const oneWay = random.chance(0.3);
    const outward = random.chance(0.5);
    const cuts: { readonly from: string; readonly to: string }[] = [];
    for (const inside of chosen) {
      for (const outside of machines) {
        if (chosen.includes(outside)) continue;
        if (!oneWay || outward) cuts.push({ from: inside.name, to: outside.name });
        if (!oneWay || !outward) cuts.push({ from: outside.name, to: inside.name });
      }
    }
    for (const { from, to } of cuts) network.cut(from, to);
    this.#world.trace.line('network', `cuts off ${chosen.map((node) => node.name).join(', ')}${oneWay ? ' in one direction' : ''}`);
    queue.after(random.logarithmic(2_000, 180_000), () => { for (const { from, to } of cuts) network.heal(from, to); });
  }

  #smallPackets(): void {
    const { network, queue } = this.#world;
    network.conditions = { ...network.conditions, mtuBytes: this.#random.integer(600, 1_199) };
    queue.after(this.#random.between(5_000, 60_000), () => { network.conditions = { ...network.conditions, mtuBytes: undefined }; });
  }

  #loseDatabase(): void {
    const relay = this.#random.pick(this.#world.relays);
    if (relay === undefined) return;
    relay.crash('now');
    this.#world.loseDatabase(relay, this.#random.chance(0.25));
    this.#world.queue.after(this.#random.logarithmic(500, 60_000), () => { relay.start(); });
  }
}
