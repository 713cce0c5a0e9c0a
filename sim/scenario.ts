/**
 * One seed's story from beginning to end: who exists and who knows whom (population.ts), what people do (daily-life.ts), and which
 * misfortunes strike (misfortunes.ts). Every seed draws its own mixture, so that some worlds only lose packets and others do everything at
 * once. It ends with a quiet time in which nothing fails any more.
 */
import { DailyLife } from './daily-life.ts';
import { FileLife } from './file-life.ts';
import { Misfortunes } from './misfortunes.ts';
import { NameLife } from './name-life.ts';
import { calm } from './network.ts';
import type { People } from './people.ts';
import { Population } from './population.ts';
import { setupMs, Story } from './story.ts';
import type { SimWorld } from './world.ts';

/** A letter that nobody can deliver in this time of good weather is lost as far as its sender can tell. */
const quietMaximumMs = 3 * 3_600_000;
const quietLookEveryMs = 5_000;
/** After everything has arrived: time for what should not come any more, such as a second copy. */
const afterwardsMs = 90_000;

export class Scenario {
  readonly #world: SimWorld;
  readonly #story: Story;
  readonly #population: Population;
  readonly #files: FileLife;
  readonly #names: NameLife;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#story = new Story(world);
    this.#population = new Population(this.#story);
    this.#files = new FileLife(this.#story, this.#population);
    this.#names = new NameLife(this.#story);
  }

  get filesSent(): number { return this.#files.sent; }
  get counters(): People['counters'] { return this.#story.people.counters; }

  run(): void {
    const { network, queue } = this.#world;
    const { random } = this.#story;
    const misfortunes = new Misfortunes(this.#story, this.#population);
    this.#population.create();
    this.#story.drawEnd();
    const weather = misfortunes.drawWeather();
    if (random.chance(0.7)) queue.after(random.between(0, setupMs), () => { network.conditions = weather; });
    new DailyLife(this.#story, this.#population).plan();
    misfortunes.plan();
    this.#files.plan();
    this.#names.plan();
    queue.runTo(this.#story.endMs);
    this.#quiet();
  }

  #quiet(): void {
    const { network, queue, machines, checker, trace } = this.#world;
    trace.line('world', 'everything is well from now on');
    network.conditions = calm;
    network.healAll();
    for (const machine of machines) {
      machine.disk.calm();
      machine.start();
    }
    // A machine that still sleeps would be woken by its owner by now.
    queue.runTo(queue.nowMs + 1_000);
    this.#files.settle();
    this.#names.settle();
    const endMs = queue.nowMs + quietMaximumMs;
    while (queue.nowMs < endMs) {
      queue.runTo(queue.nowMs + quietLookEveryMs);
      for (const machine of machines) machine.start();
      if (checker.open(this.#world.standing).length === 0 && checker.files.open(this.#world.fileStanding).length === 0 && this.#names.open().length === 0 && this.#population.strangersToEachOther().length === 0) break;
    }
    queue.runTo(queue.nowMs + afterwardsMs);
    for (const machine of machines) machine.start();
    for (const relay of this.#world.relays) relay.lookAtMailboxes();
    checker.finish(this.#world.standing);
    for (const pair of this.#population.strangersToEachOther()) checker.violations.report('contacts-agree', pair);
    this.#world.checkConversations();
    this.#world.checkFiles();
    this.#names.finish();
  }
}
