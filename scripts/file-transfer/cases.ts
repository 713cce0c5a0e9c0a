/**
 * What a large file has to survive. Each case sends one file and says what happens to it on the way; what is promised is the same for all: it arrives whole,
 * it goes on from what was verified, and little of it crosses a link twice.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Checks } from '../processes/checks.ts';
import { Fetching, followHeld } from './fetching.ts';
import { hashOf, writeContent } from './content.ts';
import { Progress } from './progress.ts';
import { arrival, sendFile, type Person, type World } from './world.ts';
import type { Way } from './impaired-proxy.ts';

const mebibyte = 1_048_576;
/** Between two snapshots (engine/files, blob-writer.ts). */
const checkpointBytes = 16 * mebibyte;
/** What waits for the disk, and what is asked for and has not come. */
const inFlightBytes = 8 * mebibyte;
/** Ends of stretches that are no whole leaves when their size changes. */
const leafBytes = 65_536;
/** Of the bytes of a file, with headers, proofs and what the link loses. */
const crossedMaximum = 1.25;
/** A link that is cut for less is not even found silent; for more, it is dialled anew. */
const shortCutMs = 3_000;
const longCutMs = 9_000;
const letterDeadlineMs = 120_000;
/** Besides what the slowest file takes. */
const patienceMs = 180_000;
/** Slower than that is stuck. */
const slowestBytesPerMs = 250;

export interface Situation {
  readonly checks: Checks;
  readonly world: World;
  readonly directory: string;
  readonly seed: string;
  readonly sizeBytes: number;
}

interface Sent { readonly name: string; readonly id: string; readonly hash: string; readonly source: string }

class Run {
  readonly situation: Situation;
  readonly name: string;
  readonly deadlineMs: number;
  kills = 0;
  readonly #bytesAt = new Map<Way, number>();

  constructor(name: string, situation: Situation) {
    this.name = name;
    this.situation = situation;
    this.deadlineMs = patienceMs + situation.sizeBytes / slowestBytesPerMs;
    const { sender, recipient } = situation.world;
    for (const way of [sender.lane.up, recipient.lane.down]) this.#bytesAt.set(way, way.crossed.bytes);
    process.stdout.write(`${name}\n`);
  }

  async send(): Promise<Sent> {
    const { directory, seed, sizeBytes, world } = this.situation;
    const name = `${this.name.replaceAll(/[^a-z0-9]+/gi, '-')}.bin`;
    const source = path.join(directory, name);
    const hash = await writeContent(source, `${seed} ${this.name}`, sizeBytes);
    const { id } = await sendFile(world.sender, world.recipient, source);
    // A sealed copy is what travels.
    rmSync(source);
    return { name, id, hash, source };
  }

  async begin(sent: Sent): Promise<Fetching> {
    const { recipient } = this.situation.world;
    const { id } = await arrival(recipient, sent.name, letterDeadlineMs);
    const fetching = new Fetching(recipient, id, sent.source);
    fetching.start();
    return fetching;
  }

  async kill(who: World['relay']): Promise<void> {
    this.kills += 1;
    await who.killHard();
  }

  async finish(sent: Sent, fetching: Fetching): Promise<void> {
    const { checks } = this.situation;
    const code = await fetching.ended(this.deadlineMs);
    const hash = code === 0 ? await hashOf(sent.source) : 'nothing';
    rmSync(sent.source, { force: true });
    checks.check(`${this.name}: it arrives whole`, hash === sent.hash, hash === sent.hash ? `SHA-256 ${hash}` : `SHA-256 ${sent.hash} was sent, ${hash} arrived`);
    this.judge('fetching', fetching.progress);
  }

  /** What was shown never falls below what a crash may cost; without one, not at all. */
  judge(what: string, progress: Progress): void {
    const allowedBytes = this.kills === 0 ? leafBytes : checkpointBytes + inFlightBytes;
    const { falls, deepestBytes, seconds, mostBytes } = progress;
    const found = falls.map(({ fromBytes, toBytes }) => `from ${mib(fromBytes)} to ${mib(toBytes)}`).join(', ');
    this.situation.checks.check(`${this.name}: ${what} goes on from what was verified`, deepestBytes <= allowedBytes, found === '' ? 'it never fell back' : found);
    process.stdout.write(`         ${what}: ${mib(mostBytes)} in ${seconds.toFixed(1)} s, ${(mostBytes * 8 / 1e6 / Math.max(seconds, 0.001)).toFixed(1)} Mbit/s with all interruptions\n`);
  }

  /** What a crash may cost is the file's last bytes: of one that is not longer than that, nothing has to be left. */
  checkpoint(what: string, shownBytes: number, storedBytes: number): void {
    const lostMaximumBytes = checkpointBytes + inFlightBytes;
    const label = `${this.name}: ${what} (${mib(shownBytes)} were shown, ${mib(storedBytes)} are stored)`;
    if (shownBytes <= lostMaximumBytes) process.stdout.write(`  not judged: ${label}\n`);
    else this.situation.checks.check(label, shownBytes - storedBytes <= lostMaximumBytes);
  }

  /** @param person whose link; the direction is the one that the file takes. */
  crossed(link: string, person: Person): void {
    const { sizeBytes, checks, world } = this.situation;
    const way = person === world.sender ? person.lane.up : person.lane.down;
    const bytes = way.crossed.bytes - (this.#bytesAt.get(way) ?? 0);
    const allowedBytes = crossedMaximum * sizeBytes + (this.kills + 1) * inFlightBytes + this.kills * checkpointBytes;
    checks.check(`${this.name}: little crosses the link ${link} twice`, bytes <= allowedBytes, `${(bytes / sizeBytes).toFixed(3)} times the file`);
    // Two visors of one machine could find a way past the links, and then all of this would show nothing.
    checks.check(`${this.name}: all of it crosses the link ${link}`, bytes >= sizeBytes);
  }
}

const mib = (bytes: number): string => `${(bytes / mebibyte).toFixed(1)} MiB`;

async function cut(person: Person, forMs: number): Promise<void> {
  person.lane.isCut = true;
  await pause(forMs);
  person.lane.isCut = false;
}

/** Nothing happens but what the link does by itself: how fast is it? */
export async function undisturbed(situation: Situation): Promise<void> {
  const { world: { sender, recipient } } = situation;
  const run = new Run('through the relay, undisturbed', situation);
  const sent = await run.send();
  await run.finish(sent, await run.begin(sent));
  run.crossed('of the sender', sender);
  run.crossed('of the recipient', recipient);
}

/** Both are online, and the relay has no room for the file: it goes through. */
export async function through(situation: Situation): Promise<void> {
  const { sizeBytes, world: { sender, recipient } } = situation;
  const run = new Run('through the relay, two cuts and another address', situation);
  const sent = await run.send();
  const fetching = await run.begin(sent);
  await fetching.reached(sizeBytes * 0.2, run.deadlineMs);
  await cut(sender, shortCutMs);
  await fetching.reached(sizeBytes * 0.45, run.deadlineMs);
  recipient.lane.changeAddress();
  await fetching.reached(sizeBytes * 0.7, run.deadlineMs);
  await cut(recipient, longCutMs);
  await run.finish(sent, fetching);
  run.crossed('of the sender', sender);
  run.crossed('of the recipient', recipient);
}

export async function throughKilled(situation: Situation): Promise<void> {
  const { sizeBytes, checks, world: { sender, recipient } } = situation;
  const run = new Run('through the relay, kill -9 of recipient and sender', situation);
  const sent = await run.send();
  const fetching = await run.begin(sent);
  await fetching.reached(sizeBytes * 0.45, run.deadlineMs);
  await run.kill(recipient);
  const [shownBytes, storedBytes] = [fetching.progress.bytes, recipient.storedBytes];
  await fetching.ended(run.deadlineMs);
  run.checkpoint('a checkpoint lies on the disk', shownBytes, storedBytes);
  await recipient.start();
  fetching.start();
  await fetching.reached(1, run.deadlineMs);
  if (storedBytes > 0) checks.check(`${run.name}: the recipient goes on from the checkpoint`, fetching.progress.bytes >= storedBytes - leafBytes, `at ${mib(fetching.progress.bytes)}`);
  await fetching.reached(sizeBytes * 0.7, run.deadlineMs);
  await run.kill(sender);
  await sender.start();
  await run.finish(sent, fetching);
  run.crossed('of the sender', sender);
  run.crossed('of the recipient', recipient);
}

/** The recipient is away while the relay takes the file, and the sender when they come back. */
export async function held(situation: Situation): Promise<void> {
  const { sizeBytes, checks, world: { relay, sender, recipient } } = situation;
  const run = new Run('held by the relay', situation);
  await recipient.stop();
  const sent = await run.send();
  const taking = new Progress();
  const follow = followHeld(sender, sent.id, taking, run.deadlineMs * 2, ({ holders }) => holders.some(({ complete }) => complete));
  const reached = async (share: number): Promise<void> => { await Promise.race([followTo(taking, sizeBytes * share, run.deadlineMs), follow]); };
  await reached(0.2);
  await cut(sender, longCutMs);
  await reached(0.35);
  sender.lane.changeAddress();
  await reached(0.5);
  await run.kill(relay);
  const [shownBytes, storedBytes] = [taking.bytes, relay.storedBytes];
  // One that it has whole has no checkpoint any more.
  if (shownBytes < sizeBytes) run.checkpoint('a checkpoint lies on the relay\'s disk', shownBytes, storedBytes);
  await relay.start();
  await reached(0.75);
  await run.kill(sender);
  await sender.start();
  await follow;
  run.judge('taking', taking);
  run.crossed('of the sender', sender);
  await sender.client.network.retryNow();
  await followStored(sender, sent.id);
  checks.check(`${run.name}: the sender ends cleanly`, await sender.stop() === 0);

  await recipient.start();
  const fetching = await run.begin(sent);
  await fetching.reached(sizeBytes * 0.25, run.deadlineMs);
  await cut(recipient, shortCutMs);
  await fetching.reached(sizeBytes * 0.4, run.deadlineMs);
  recipient.lane.changeAddress();
  await fetching.reached(sizeBytes * 0.55, run.deadlineMs);
  await run.kill(recipient);
  await fetching.ended(run.deadlineMs);
  await recipient.start();
  fetching.start();
  await fetching.reached(sizeBytes * 0.8, run.deadlineMs);
  await cut(recipient, longCutMs);
  await run.finish(sent, fetching);
  run.crossed('of the recipient', recipient);
  await sender.start();
}

async function followTo(progress: Progress, bytes: number, deadlineMs: number): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (progress.bytes < bytes && performance.now() < endMs) await pause(25);
}

/** The letter has to be at the relay too. */
async function followStored(sender: Person, messageId: string): Promise<void> {
  const endMs = performance.now() + letterDeadlineMs;
  while ((await sender.client.messages.get({ messageId })).headline.state === 'queued' && performance.now() < endMs) await pause(100);
}
