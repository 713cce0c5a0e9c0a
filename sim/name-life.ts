/**
 * What people do with names in one seed: they publish data under a few, put newer data there or take it back, and fetch what others have published, with and
 * without naming a relay, while publishers are away and machines crash. At the end somebody asks once more for every name, until what comes is
 * the newest. All of it draws from a stream of its own, so that the story of letters and files is what it would be without names.
 */
import { nameKey } from '../src/main/engine/directed/datum.ts';
import type { KnownFetch } from './invariants-names.ts';
import type { SimNode } from './node.ts';
import type { SeededRandom } from './random.ts';
import { setupMs, type Story } from './story.ts';
import type { SimWorld } from './world.ts';
import type { ContentName, RelayHint } from '../src/main/engine/wire/types.ts';

const paths = ['notes.txt', 'pictures/of-the-sea.png', 'a'] as const;
/** As the command line asks (cli/verbs/names.ts), but more rarely, since every look costs. */
const lookEveryMs = 1_000;
const againMinimumMs = 5_000;
const againMaximumMs = 30_000;
/** An engine drops a fetch after a minute without being asked; less than that is no reason to. */
const forgottenMs = 55_000;

interface Published { readonly content: ContentName; readonly bytes: Uint8Array }

export class NameLife {
  readonly #story: Story;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #contents: Published[] = [];
  readonly #unsatisfied = new Set<string>();

  constructor(story: Story) {
    this.#story = story;
    this.#world = story.world;
    this.#random = story.world.random.fork('names');
  }

  plan(): void {
    const random = this.#random;
    if (random.chance(0.25)) return;
    const publishers = random.shuffled(this.#world.visors).slice(0, random.chance(0.7) ? 1 : 2);
    for (let count = random.integer(1, 3); count > 0; count -= 1) this.#sometime(() => { this.#publishAndMore(random.pick(publishers)); });
    for (let count = random.integer(1, 5); count > 0; count -= 1) this.#sometime(() => { this.#fetchSomething(); });
    if (random.chance(0.4)) this.#sometime(() => { this.#takeBack(random.pick(publishers)); });
    if (random.chance(0.35)) this.#sometime(() => { this.#missARelay(random.pick(publishers)); });
  }

  /** All is well: for each name somebody asks until what comes is the newest, or that it is taken back. */
  settle(): void {
    const random = this.#random;
    const { checker, visors } = this.#world;
    checker.names.calm();
    for (const { publisher, path } of checker.names.names) {
      const from = this.#world.node(publisher);
      const reader = random.pick(visors.filter((visor) => visor !== from)) ?? from;
      if (from === undefined || reader === undefined) continue;
      this.#unsatisfied.add(`${reader.name} ${publisher} ${path}`);
      this.#fetchUntilNewest(reader, from, path);
    }
  }

  /** What is still to come in good weather; empty = the run may stop. */
  open(): readonly string[] { return [...this.#unsatisfied, ...this.#world.checker.names.open()]; }

  finish(): void {
    const { names, violations } = this.#world.checker;
    for (const one of this.#unsatisfied) violations.report('name-arrives', `${one}: the newest never came`);
    names.finish();
  }

  #sometime(run: () => void): void { this.#world.queue.at(this.#random.between(setupMs, this.#story.endMs), run); }

  // --- publishing ---------------------------------------------------------------------------------------------------------

  #publishAndMore(publisher: SimNode | undefined): void {
    const random = this.#random;
    const { queue } = this.#world;
    const path = random.pick(paths);
    if (publisher === undefined || path === undefined) return;
    this.#publish(publisher, path);
    const soon = (chance: number, lowMs: number, highMs: number, run: () => void): void => { if (random.chance(chance)) queue.after(random.logarithmic(lowMs, highMs), run); };
    soon(0.3, 20, 30_000, () => { this.#publish(publisher, path); });
    soon(0.15, 20, 30_000, () => { this.#takeBack(publisher, path); });
    soon(0.3, 100, 20_000, () => { this.#story.takeDown(publisher, random.logarithmic(500, 300_000), random.chance(0.5)); });
    for (const chance of [0.6, 0.4]) {
      const reader = random.pick(this.#world.visors.filter((visor) => visor !== publisher));
      if (reader !== undefined) soon(chance, 100, 60_000, () => { this.#fetch(reader, publisher, path); });
    }
  }

  /** One relay is away when newer data is published, and the publisher is when it is back: it knows the older alone. Somebody asks all the time. */
  #missARelay(publisher: SimNode | undefined): void {
    const random = this.#random;
    const { queue, relays, visors } = this.#world;
    const path = random.pick(paths);
    const reader = random.pick(visors.filter((visor) => visor !== publisher));
    const own = relays.filter(({ publicKey }) => publisher?.engine?.inspect.relays.some(({ row }) => row.publicKey === publicKey) === true);
    const away = random.pick(own);
    if (publisher === undefined || reader === undefined || path === undefined || away === undefined) return;
    this.#publish(publisher, path);
    queue.after(random.between(3_000, 8_000), () => {
      this.#story.takeDown(away, random.between(14_000, 18_000), false);
      queue.after(500, () => { this.#publish(publisher, path); });
      queue.after(11_000, () => { this.#story.takeDown(publisher, 40_000, random.chance(0.5)); });
      for (const afterMs of [6_000, 20_000, 30_000]) queue.after(afterMs, () => { this.#fetch(reader, publisher, path); });
    });
  }

  #publish(publisher: SimNode, path: string): void {
    const random = this.#random;
    const { names } = this.#world.checker;
    if (!publisher.isAwake) return;
    const again = random.chance(0.15) ? random.pick(this.#contents) : undefined;
    const bytes = again?.bytes ?? random.bytes(this.#sizeBytes());
    const content = again?.content ?? { root: this.#world.crypto.blake3(bytes), length: bytes.length };
    if (again === undefined) this.#contents.push({ content, bytes });
    names.copied(publisher.name, content, bytes);
    copy(publisher, content, bytes, () => {
      if (!publisher.isAwake) return;
      names.asked(publisher.name, publisher.publicKey, path, content);
      publisher.command({ name: 'publish', path, content, mediaType: 'text/plain' }, (reply) => { if (reply?.ok === true) names.answered(publisher.name, publisher.publicKey, path, content); });
      this.#maybeLosePower(publisher);
    });
  }

  #takeBack(publisher: SimNode | undefined, path?: string): void {
    const { names } = this.#world.checker;
    const taken = path ?? this.#random.pick(names.names.filter((name) => name.publisher === publisher?.name))?.path;
    if (publisher?.isAwake !== true || taken === undefined) return;
    names.asked(publisher.name, publisher.publicKey, taken, undefined);
    publisher.command({ name: 'unpublish', path: taken }, (reply) => { if (reply?.ok === true) names.answered(publisher.name, publisher.publicKey, taken, undefined); });
    this.#maybeLosePower(publisher);
  }

  /** Just when it is written down, so that what was to happen next does not. */
  #maybeLosePower(node: SimNode): void {
    const random = this.#random;
    if (!random.chance(0.1)) return;
    node.disk.planCrash(random.chance(0.3) ? 'before-commit' : 'after-commit');
    this.#world.queue.after(random.logarithmic(1_000, 20_000), () => { node.start(); });
  }

  #sizeBytes(): number {
    const random = this.#random;
    return random.chance(0.85) ? Math.ceil(random.logarithmic(1, 60_000)) : random.integer(60_000, 400_000);
  }

  // --- fetching -----------------------------------------------------------------------------------------------------------

  #fetchSomething(): void {
    const name = this.#random.pick(this.#world.checker.names.names);
    const from = this.#world.node(name?.publisher ?? '');
    // Sometimes what nobody has published, and sometimes one's own.
    const publisher = from === undefined || this.#random.chance(0.05) ? this.#random.pick(this.#world.visors) : from;
    const reader = this.#random.pick(this.#world.visors);
    const path = name?.path ?? paths[0];
    if (publisher !== undefined && reader !== undefined) this.#fetch(reader, publisher, path);
  }

  /** As a person does: asks, looks now and then, takes what is there or hears why not; or leaves. */
  #fetch(reader: SimNode, publisher: SimNode, path: string): void {
    const random = this.#random;
    if (!reader.isAwake) return;
    const leaves = random.chance(0.15);
    const leaveAtMs = leaves ? this.#world.queue.nowMs + random.logarithmic(100, 60_000) : Infinity;
    const saysSo = random.chance(0.6);
    this.#begin(reader, publisher, path, random.chance(0.5) ? this.#relayOf(publisher) : undefined, (fetch) => {
      if (random.chance(0.08)) this.#world.queue.after(random.logarithmic(50, 20_000), () => { this.#story.takeDown(reader, random.logarithmic(200, 60_000), random.chance(0.3)); });
      return { leaveAtMs, saysSo, ended: () => { this.#world.checker.names.fetchEnded(fetch); } };
    });
  }

  #fetchUntilNewest(reader: SimNode, publisher: SimNode, path: string): void {
    const { names } = this.#world.checker;
    const again = (): void => { this.#world.queue.after(this.#random.between(againMinimumMs, againMaximumMs), () => { this.#fetchUntilNewest(reader, publisher, path); }); };
    const begun = this.#begin(reader, publisher, path, this.#relayOf(publisher), (fetch) => ({
      leaveAtMs: Infinity, saysSo: true,
      ended: (outcome) => {
        names.fetchEnded(fetch);
        const newest = names.newest(publisher.publicKey, path);
        const isNewest = newest?.content === undefined ? outcome === 'withdrawn' : outcome === newest.sequence;
        if (isNewest) this.#unsatisfied.delete(`${reader.name} ${publisher.name} ${path}`);
        else again();
      },
    }), again);
    if (!begun) again();
  }

  /** One of the publisher's relays, as their address tells of it. */
  #relayOf(publisher: SimNode): RelayHint | undefined {
    const relays = publisher.engine?.inspect.relays.filter(({ row }) => row.leavingSinceMs === undefined) ?? [];
    const row = this.#random.pick(relays)?.row;
    return row === undefined ? undefined : { publicKey: row.publicKey, host: row.host, port: row.port };
  }

  /** False when the machine is off. @param refused the engine took no fetch, or ended before it did. */
  #begin(reader: SimNode, publisher: SimNode, path: string, relay: RelayHint | undefined, follow: (fetch: KnownFetch) => Follow, refused: () => void = () => undefined): boolean {
    if (!reader.isAwake) return false;
    const fetch = this.#world.checker.names.fetchAsked({ reader: reader.name, run: reader.starts, publisherKey: publisher.publicKey, path });
    reader.command({ name: 'fetch-named', publicKey: publisher.publicKey, path, relay, begin: true }, (reply) => {
      if (reply?.ok === true) { this.#look(reader, fetch, follow(fetch), this.#world.queue.nowMs); return; }
      this.#world.checker.names.fetchEnded(fetch);
      refused();
    });
    return true;
  }

  #look(reader: SimNode, fetch: KnownFetch, follow: Follow, lookedMs: number): void {
    const { queue, trace, checker: { names } } = this.#world;
    const { publisherKey: publicKey, path } = fetch;
    const { engine } = reader;
    if (engine === undefined || reader.starts !== fetch.run) { follow.ended(undefined); return; }
    const next = (atMs: number): void => { queue.after(lookEveryMs, () => { this.#look(reader, fetch, follow, atMs); }); };
    if (!reader.isAwake) { next(lookedMs); return; }
    const status = engine.inspect.namedFetch(publicKey, path);
    if (status === undefined) {
      // After a sleep nobody has asked for a minute.
      if (queue.nowMs - lookedMs < forgottenMs) names.fetchLost(fetch);
      follow.ended(undefined);
      return;
    }
    names.shown(fetch, status, (name) => reader.disk.blobs['own-blobs'].bytesOf(name));
    const { found, failure, state } = status;
    const end = (outcome: Outcome): void => {
      trace.line(reader.name, `has fetched ${path} of ${publicKey.slice(0, 8)}: ${state.state} ${failure ?? ''} ${String(found?.sequence)}`);
      // It stays open until the engine has answered, as for the command line.
      reader.command({ name: 'end-fetch-named', publicKey, path }, () => { follow.ended(outcome); });
      this.#maybeLosePower(reader);
    };
    if (state.state === 'ready') { end(found?.sequence); return; }
    if (failure !== undefined) { end(failure); return; }
    if (queue.nowMs >= follow.leaveAtMs) {
      if (follow.saysSo) end(undefined);
      else follow.ended(undefined);
      return;
    }
    reader.command({ name: 'fetch-named', publicKey, path, relay: undefined, begin: false });
    next(queue.nowMs);
  }
}

/** The sequence that came, or why nothing did; undefined when it was left. */
type Outcome = number | string | undefined;
interface Follow { readonly leaveAtMs: number; readonly saysSo: boolean; readonly ended: (outcome: Outcome) => void }

/** As the host copies a person's file before the engine hears of it, in turn with what the engine asks of the disk. When the disk fails, nothing follows and no part stays. */
function copy({ disk }: SimNode, name: ContentName, bytes: Uint8Array, done: () => void): void {
  disk.submitBlob('own-blobs', { op: 'begin', name }, () => undefined);
  disk.submitBlob('own-blobs', { op: 'write', name, offset: 0, bytes }, () => undefined);
  disk.submitBlob('own-blobs', { op: 'complete', name }, (result) => {
    if (result.ok) done();
    else if (!disk.blobs['own-blobs'].all.some((one) => one.complete && nameKey(one.name) === nameKey(name))) disk.submitBlob('own-blobs', { op: 'delete', name }, () => undefined);
  });
}
