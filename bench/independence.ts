/**
 * Whether one bad peer slows down everybody else: pairs of people write to each other through one relay, each person in a process of their own, in phases that are calm and
 * disturbed in turns. The same letters are written in both: what changes is that one recipient's process is stopped, that a second relay's is, or that a third of one person's
 * datagrams is lost. Figures are of the pairs' letters alone, from commit to arrival; one of each pair's people is who writes to what is disturbed.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ImpairedProxy } from '../scripts/file-transfer/impaired-proxy.ts';
import { SeededRandom } from '../sim/random.ts';
import { begin, Correspondent, delays, hush, median, percentile, type Letters } from './correspondents.ts';
import { removeFolder, startRelay, temporaryFolder } from './relay-process.ts';
import type { Figure } from './run.ts';

const pairCount = 4;
/** Each person's; with eight people 32 letters a second. */
const letterEveryMs = 250;
const letterBytes = 200;
/** Letters to and from what is disturbed. */
const noiseEveryMs = 200;
/** Some 12 fragments: a letter whose fragments are lost, not only whole letters. */
const lossyLetterBytes = 16_384;
const lossyEveryMs = 400;
const lossShare = 1 / 3;
/** UDP over IPv4 on Ethernet. */
const datagramMaximumBytes = 1_472;
const phaseMs = 8_000;
const cycles = 4;
const warmUpMs = 3_000;
const settleMaximumMs = 30_000;
const settlePollMs = 250;

interface Pair { readonly one: Correspondent; readonly other: Correspondent; readonly toOther: string; readonly toOne: string }

interface Disturbance {
  readonly name: string;
  /** Letters to what is disturbed, written in calm phases too. */
  readonly noise: readonly Letters[];
  /** Who writes them, besides writing to a friend. */
  readonly pair: number;
  begin(): void;
  end(): void;
}

const people = async (folder: string, ...names: readonly string[]): Promise<readonly Correspondent[]> => Promise.all(names.map((name) => Correspondent.start(folder, name)));

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('one of those that were just made');
  return value;
}

const lettersOf = (pairs: readonly Pair[], phase: string): readonly Letters[] => pairs.flatMap(({ one, other, toOther, toOne }, index) => {
  const rest = { label: `pair-${String(index)}-${phase}`, everyMs: letterEveryMs, sizeBytes: letterBytes };
  return [{ from: one, to: toOther, ...rest }, { from: other, to: toOne, ...rest }];
});

/** Writes for a while; gives the delays of each pair's letters. */
async function phaseOf(pairs: readonly Pair[], noise: readonly Letters[], name: string, forMs: number): Promise<readonly (readonly number[])[]> {
  const letters = lettersOf(pairs, name);
  await begin(noise);
  await begin(letters);
  await pause(forMs);
  await hush([...letters, ...noise]);
  const labels = pairs.map((_pair, index) => `pair-${String(index)}-${name}`);
  const found = await delays(pairs.flatMap(({ one, other }) => [one, other]), labels);
  return labels.map((label) => found.get(label) ?? []);
}

/** Until nothing waits from the disturbance before. */
async function settle(noise: readonly Letters[]): Promise<void> {
  const untilMs = performance.now() + settleMaximumMs;
  const waiting = async (): Promise<boolean> => (await Promise.all(noise.map(({ from }) => from.ask({ ask: 'flush' })))).some((count) => count !== 0);
  while (performance.now() < untilMs && await waiting()) await pause(settlePollMs);
}

async function measure(disturbance: Disturbance, pairs: readonly Pair[]): Promise<readonly Figure[]> {
  const { name, noise } = disturbance;
  const phases = { calm: [] as (readonly (readonly number[])[])[], disturbed: [] as (readonly (readonly number[])[])[] };
  await phaseOf(pairs, noise, 'warm-up', warmUpMs);
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    phases.calm.push(await phaseOf(pairs, noise, `calm-${String(cycle)}`, phaseMs));
    await settle(noise);
    disturbance.begin();
    phases.disturbed.push(await phaseOf(pairs, noise, `disturbed-${String(cycle)}`, phaseMs));
    disturbance.end();
    await settle(noise);
  }
  const over = (kind: keyof typeof phases, share: number, of: (phase: readonly (readonly number[])[]) => readonly number[]): number => median(phases[kind].map((phase) => percentile(of(phase), share)));
  const all = (phase: readonly (readonly number[])[]): readonly number[] => phase.flat();
  const own = (phase: readonly (readonly number[])[]): readonly number[] => phase[disturbance.pair] ?? [];
  for (const kind of ['calm', 'disturbed'] as const) process.stderr.write(`${name}, ${kind}: p99 of each phase ${phases[kind].map((phase) => percentile(phase.flat(), 0.99).toFixed(1)).join(' ')} ms\n`);
  return [
    { name: `${name}: p99 of everybody else, disturbed / calm`, value: over('disturbed', 0.99, all) / over('calm', 0.99, all), unit: 'x', aim: 'under 1.2' },
    { name: '  p50, disturbed / calm', value: over('disturbed', 0.5, all) / over('calm', 0.5, all), unit: 'x', aim: 'under 1.2' },
    { name: '  calm, p50', value: over('calm', 0.5, all), unit: 'ms', aim: 'none' },
    { name: '  calm, p99', value: over('calm', 0.99, all), unit: 'ms', aim: 'none' },
    { name: '  disturbed, p99', value: over('disturbed', 0.99, all), unit: 'ms', aim: 'none' },
    { name: '  p99 of the other letters of who writes to it', value: over('disturbed', 0.99, own) / over('calm', 0.99, own), unit: 'x', aim: 'none' },
  ];
}

export async function independence(): Promise<readonly Figure[]> {
  const folder = temporaryFolder();
  const [relay, slowRelay] = await Promise.all([startRelay(), startRelay()]);
  const members = await people(folder, ...Array.from({ length: pairCount * 2 }, (_, index) => `person${String(index)}`));
  const [deaf, far, lossy] = await people(folder, 'deaf', 'far', 'lossy');
  const [deafOne, farOne, lossyOne] = [must(deaf), must(far), must(lossy)];
  const impairment = { loss: 0, delayMs: 0, bitsPerSecond: undefined, datagramMaximumBytes };
  const proxy = new ImpairedProxy(impairment, new SeededRandom('independence'));
  const front = await proxy.listen();
  proxy.lane(lossyOne.port, relay.hint.port);
  await Promise.all([...members, deafOne].map((one) => one.join(relay.hint)));
  await farOne.join(slowRelay.hint);
  await lossyOne.join({ ...relay.hint, port: front });
  const pairs: Pair[] = [];
  for (let index = 0; index < pairCount; index += 1) {
    const [one, other] = [must(members[index * 2]), must(members[index * 2 + 1])];
    pairs.push({ one, other, toOther: await one.befriend(other), toOne: await other.befriend(one) });
  }
  const noisy = pairs.map(({ one }) => one);
  const noise = { label: 'noise', everyMs: noiseEveryMs, sizeBytes: letterBytes };
  const lossyNoise = { label: 'noise', everyMs: lossyEveryMs, sizeBytes: lossyLetterBytes };
  const [toDeaf, toFar] = [must(noisy[0]), must(noisy[1])];
  // Who was written to knows the way back: the proxy lets through nobody else.
  const lossyFriend = must(noisy[2]);
  const disturbances: readonly Disturbance[] = [
    {
      name: 'a recipient that stops reading', pair: 0, noise: [{ from: toDeaf, to: await toDeaf.befriend(deafOne), ...noise }],
      begin: () => { deafOne.process.kill('SIGSTOP'); }, end: () => { deafOne.process.kill('SIGCONT'); },
    },
    {
      name: 'a relay that does not answer', pair: 1, noise: [{ from: toFar, to: await toFar.befriend(farOne), ...noise }],
      begin: () => { slowRelay.process.kill('SIGSTOP'); }, end: () => { slowRelay.process.kill('SIGCONT'); },
    },
    {
      name: 'a third of one person\'s datagrams lost', pair: 2,
      noise: [{ from: lossyFriend, to: await lossyFriend.befriend(lossyOne), ...lossyNoise }, { from: lossyOne, to: await lossyOne.befriend(lossyFriend), ...lossyNoise }],
      begin: () => { impairment.loss = lossShare; }, end: () => { impairment.loss = 0; },
    },
  ];
  const figures: Figure[] = [];
  for (const disturbance of disturbances) figures.push(...await measure(disturbance, pairs));
  for (const one of [...members, deafOne, farOne, lossyOne]) one.stop();
  for (const one of [relay, slowRelay]) one.stop();
  proxy.close();
  removeFolder(folder);
  return figures;
}
