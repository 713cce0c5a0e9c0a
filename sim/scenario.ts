/**
 * One seed's story: who exists and who knows whom, what people do, and which misfortunes strike. Every seed draws its own mixture, so that some
 * worlds only lose packets and others do everything at once. It ends with a quiet time in which nothing fails any more.
 */
import { calm, type Conditions } from './network.ts';
import { People } from './people.ts';
import type { CrashStep } from './disk.ts';
import type { SimNode } from './node.ts';
import type { SeededRandom } from './random.ts';
import type { SimWorld } from './world.ts';
import type { RelayHint, SocketAddress } from '../src/main/engine/wire/types.ts';

const relayPort = 7_770;
const setupMs = 20_000;
/** A letter that nobody can deliver in this time of good weather is lost as far as its sender can tell. */
const quietMaximumMs = 3 * 3_600_000;
const quietLookEveryMs = 5_000;
/** After everything has arrived: time for what should not come any more, such as a second copy. */
const afterwardsMs = 90_000;
const chatPorts = [1, 1, 1, 7] as const;

interface Misfortune { readonly name: string; readonly weight: number; readonly strike: () => void }

export interface ScenarioOptions {
  /** People exchange a relay of theirs for another while mail is under way. */
  readonly moves: boolean;
}

export class Scenario {
  readonly #options: ScenarioOptions;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #people: People;
  readonly #friends: { readonly left: SimNode; readonly right: SimNode }[] = [];
  readonly #added = new Set<string>();
  #endMs = 0;
  #nextHost = 1;
  #weather: Conditions = calm;

  constructor(world: SimWorld, options: ScenarioOptions) {
    this.#world = world;
    this.#options = options;
    this.#random = world.random.fork('scenario');
    this.#people = new People(world);
  }

  get counters(): People['counters'] { return this.#people.counters; }

  run(): void {
    const { queue } = this.#world;
    this.#populate();
    this.#endMs = setupMs + this.#random.logarithmic(4 * 60_000, 25 * 60_000);
    this.#weather = this.#drawWeather();
    if (this.#random.chance(0.7)) queue.after(this.#random.between(0, setupMs), () => { this.#world.network.conditions = this.#weather; });
    this.#planLetters();
    this.#planMisfortunes();
    queue.runTo(this.#endMs);
    this.#quiet();
  }

  // --- who there is -------------------------------------------------------------------------------------------------------

  #populate(): void {
    const random = this.#random;
    const skewed = random.chance(0.4);
    const relayCount = random.integer(2, 3);
    const tight = random.chance(0.3);
    for (let index = 1; index <= relayCount; index += 1) {
      const host = `10.0.0.${String(index)}`;
      const relay = this.#world.add({
        name: `relay${String(index)}`, visor: false, relay: true, wallErrorMs: skewed ? random.between(-90_000, 90_000) : 0,
        quota: tight ? { letters: 6, bytes: 160_000, lettersPerToken: random.integer(3, 8), strangerLetters: 2, receipts: 8 } : { letters: 5_000, bytes: 64 * 1_048_576, lettersPerToken: 128, strangerLetters: 250, receipts: 2_000 },
      }, { host, port: relayPort }, `relay${String(index)}.example`);
      relay.start();
    }
    const visorCount = random.integer(2, 5);
    for (let index = 1; index <= visorCount; index += 1) {
      const visor = this.#world.add({ name: `visor${String(index)}`, visor: true, relay: false, wallErrorMs: skewed ? random.between(-600_000, 600_000) : 0, quota: undefined }, this.#freshAddress());
      visor.start();
      const relays = random.shuffled(this.#world.relays).slice(0, random.integer(1, Math.min(3, relayCount)));
      for (const relay of relays) this.#world.queue.after(random.between(0, 3_000), () => { this.#people.insist(visor, { name: 'add-relay', hint: this.#hintOf(relay), role: 'own' }); });
    }
    this.#introduce();
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

  #hintOf(relay: SimNode): RelayHint {
    const address = this.#world.network.addressOf(relay.name);
    const named = this.#random.chance(0.5);
    return { publicKey: relay.publicKey, host: named ? `${relay.name}.example` : address?.host ?? '', port: relayPort };
  }

  #freshAddress(): SocketAddress {
    this.#nextHost += 1;
    return { host: `192.0.2.${String(this.#nextHost % 250)}`, port: this.#random.integer(1_024, 65_535) };
  }

  // --- what people do -----------------------------------------------------------------------------------------------------

  #planLetters(): void {
    const random = this.#random;
    const count = random.integer(25, 60);
    let atMs = setupMs;
    for (let index = 0; index < count; index += 1) {
      // Letters come in bursts, as people write.
      if (random.chance(0.5)) atMs = random.between(setupMs / 2, this.#endMs);
      else atMs = Math.min(this.#endMs, atMs + random.between(50, 4_000));
      this.#world.queue.at(atMs, () => { this.#writeOne(); });
    }
    for (let index = random.integer(4, 14); index > 0; index -= 1) this.#sometime(() => { this.#readOne(); });
    for (let index = random.integer(0, 6); index > 0; index -= 1) this.#sometime(() => { const visor = random.pick(this.#world.visors); if (visor !== undefined) this.#people.cancel(visor); });
    for (let index = random.integer(0, 4); index > 0; index -= 1) this.#sometime(() => { const visor = random.pick(this.#world.visors); if (visor !== undefined) this.#people.retry(visor); });
    if (random.chance(0.35)) this.#sometime(() => { this.#blockSomebody(); });
    if (random.chance(0.3)) this.#sometime(() => { this.#writeToSomebodyAway(); });
    if (random.chance(0.3)) this.#sometime(() => { const visor = random.pick(this.#world.visors); visor?.command({ name: 'rename-self', as: `renamed ${visor.name}` }); });
    if (random.chance(0.25)) this.#sometime(() => { this.#addRelay(); });
    for (let index = this.#options.moves ? random.integer(1, 3) : 0; index > 0; index -= 1) this.#sometime(() => { this.#moveToAnotherRelay(); });
  }

  #sometime(run: () => void): void { this.#world.queue.at(this.#random.between(setupMs, this.#endMs), run); }

  #pair(): { from: SimNode; to: SimNode } | undefined {
    const pair = this.#random.pick(this.#friends);
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
    this.#down(pair.to, this.#random.logarithmic(30_000, 400_000), true);
    for (let count = this.#random.integer(8, 20); count > 0; count -= 1) {
      this.#world.queue.after(this.#random.between(0, 20_000), () => { this.#people.send(pair.from, pair.to, this.#random.integer(30, 3_000), undefined, 1); });
    }
  }

  #addRelay(): void {
    const visor = this.#random.pick(this.#world.visors);
    const relay = this.#random.pick(this.#world.relays);
    if (visor === undefined || relay === undefined) return;
    this.#people.insist(visor, { name: 'add-relay', hint: this.#hintOf(relay), role: 'own' });
  }

  #moveToAnotherRelay(): void {
    const visor = this.#random.pick(this.#world.visors);
    const relay = this.#random.pick(this.#world.relays);
    const former = visor?.engine?.inspect.relays.find(({ row }) => row.leavingSinceMs === undefined)?.row.publicKey;
    if (visor === undefined || relay === undefined || former === undefined || former === relay.publicKey) return;
    this.#people.insist(visor, { name: 'add-relay', hint: this.#hintOf(relay), role: 'own' }, () => { this.#people.insist(visor, { name: 'remove-relay', publicKey: former }); });
  }

  // --- what goes wrong ----------------------------------------------------------------------------------------------------

  #drawWeather(): Conditions {
    const random = this.#random;
    return {
      loss: random.chance(0.3) ? 0 : random.logarithmic(0.005, 0.25), delayMs: random.logarithmic(1, 250), jitterMs: random.logarithmic(1, 120),
      late: random.chance(0.5) ? random.between(0, 0.1) : 0, lateMs: random.logarithmic(50, 3_000), duplicate: random.chance(0.4) ? random.between(0, 0.1) : 0, mtuBytes: undefined,
    };
  }

  #planMisfortunes(): void {
    const random = this.#random;
    const all = this.#misfortunes();
    // Each world has its own few kinds of trouble; all at once would hide what each of them does.
    const chosen = all.filter(() => random.chance(0.5));
    const total = chosen.reduce((sum, one) => sum + one.weight, 0);
    if (total === 0) return;
    for (let count = random.integer(0, 45); count > 0; count -= 1) {
      this.#sometime(() => {
        let at = random.fraction() * total;
        const struck = chosen.find((one) => { at -= one.weight; return at < 0; }) ?? chosen[0];
        struck?.strike();
      });
    }
    if (random.chance(0.15)) this.#sometime(() => { this.#loseDatabase(); });
  }

  #misfortunes(): readonly Misfortune[] {
    const random = this.#random;
    const { network, queue } = this.#world;
    const visor = (run: (node: SimNode) => void) => (): void => { const node = random.pick(this.#world.visors); if (node !== undefined) run(node); };
    const relay = (run: (node: SimNode) => void) => (): void => { const node = random.pick(this.#world.relays); if (node !== undefined) run(node); };
    return [
      { name: 'relay killed', weight: 4, strike: relay((node) => { this.#down(node, random.logarithmic(500, 120_000), false); }) },
      { name: 'visor killed', weight: 4, strike: visor((node) => { this.#down(node, random.logarithmic(200, 60_000), false); }) },
      { name: 'visor away', weight: 4, strike: visor((node) => { this.#down(node, random.logarithmic(30_000, 900_000), true); }) },
      { name: 'visor sleeps', weight: 3, strike: visor((node) => { node.sleep(Math.min(this.#endMs - queue.nowMs, random.logarithmic(5_000, 900_000)), random.chance(0.5)); }) },
      { name: 'crash storm', weight: 3, strike: () => { this.#crashStorm(); } },
      { name: 'disk full', weight: 1, strike: () => { random.pick(this.#world.machines)?.disk.planFailure(); } },
      { name: 'partition', weight: 4, strike: () => { this.#partition(); } },
      { name: 'new address', weight: 4, strike: visor((node) => { node.moveTo(this.#freshAddress(), random.chance(0.6)); }) },
      { name: 'other weather', weight: 3, strike: () => { network.conditions = this.#drawWeather(); } },
      { name: 'small packets only', weight: 1, strike: () => { this.#smallPackets(); } },
      { name: 'strangers', weight: 5, strike: () => { for (let count = random.integer(1, 60); count > 0; count -= 1) queue.after(random.between(0, 10_000), () => { network.inject(); }); } },
      { name: 'clock set', weight: 2, strike: () => { random.pick(this.#world.machines)?.jumpClock((random.chance(0.5) ? 1 : -1) * random.logarithmic(500, 1_200_000)); } },
    ];
  }

  #down(node: SimNode, forMs: number, orderly: boolean): void {
    if (orderly) node.stop();
    else node.crash('now');
    this.#world.queue.after(forMs, () => { node.start(); });
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
      if (count === 0 || this.#world.queue.nowMs > this.#endMs) return;
      count -= 1;
      this.#world.queue.after(random.logarithmic(5, 4_000), () => {
        const step = random.pick(steps);
        if (step !== undefined && this.#world.queue.nowMs < this.#endMs) node.disk.planCrash(step);
        const wait = (): void => {
          if (node.isUp && this.#world.queue.nowMs < this.#endMs) this.#world.queue.after(250, wait);
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

  // --- the end ------------------------------------------------------------------------------------------------------------

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
    const endMs = queue.nowMs + quietMaximumMs;
    while (queue.nowMs < endMs) {
      queue.runTo(queue.nowMs + quietLookEveryMs);
      for (const machine of machines) machine.start();
      if (checker.open(this.#world.standing).length === 0 && this.#strangersToEachOther().length === 0) break;
    }
    queue.runTo(queue.nowMs + afterwardsMs);
    for (const machine of machines) machine.start();
    for (const relay of this.#world.relays) relay.lookAtMailboxes();
    checker.finish(this.#world.standing);
    for (const pair of this.#strangersToEachOther()) checker.violations.report('contacts-agree', pair);
    this.#world.checkConversations();
  }

  /** Pairs of whom one has used the other's link, and who are still not each other's contacts. */
  #strangersToEachOther(): readonly string[] {
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
