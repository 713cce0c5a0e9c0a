/**
 * What a file costs the letters beside it: Ada writes to Bob through a relay while Bob fetches a file of hers on the same sessions as fast as it comes, and while nothing
 * else happens, in turns. The relay has no room for the file, so that both links carry it at the same time. Once over loopback as it is, once with
 * 20 Mbit/s and 40 ms round trip on each link. From commit to arrival.
 */
import { setTimeout as pause } from 'node:timers/promises';
import path from 'node:path';
import { ImpairedProxy, type Impairment } from '../scripts/file-transfer/impaired-proxy.ts';
import { writeContent } from '../scripts/file-transfer/content.ts';
import { SeededRandom } from '../sim/random.ts';
import { begin, Correspondent, delays, hush, median, percentile, type Letters } from './correspondents.ts';
import { removeFolder, startRelay, temporaryFolder } from './relay-process.ts';
import type { Figure } from './run.ts';

const letterBytes = 200;
const letterEveryMs = 25;
const idleMs = 4_000;
const warmUpMs = 2_000;
const cycles = 3;
const mebibyte = 1_048_576;
/** Sessions find their rate and their datagrams' size in the first second of a transfer: letters count from the beginning all the same. */
const transferMaximumMs = 8_000;
const settleMs = 500;

interface Link {
  readonly name: string;
  readonly impairment: Impairment | undefined;
  readonly roundTripMs: number | undefined;
  readonly sizeBytes: number;
}

const links: readonly Link[] = [
  { name: 'loopback', impairment: undefined, roundTripMs: undefined, sizeBytes: 1_024 * mebibyte },
  { name: '20 Mbit/s, 40 ms', impairment: { loss: 0, delayMs: 20, bitsPerSecond: 20e6, datagramMaximumBytes: 1_472 }, roundTripMs: 40, sizeBytes: 64 * mebibyte },
];

async function written(letters: readonly Letters[], people: readonly Correspondent[], forMs: Promise<unknown>): Promise<readonly number[]> {
  await begin(letters);
  await forMs;
  await hush(letters);
  return (await delays(people, letters.map(({ label }) => label))).get(letters[0]?.label ?? '') ?? [];
}

async function measure({ name, impairment, roundTripMs, sizeBytes }: Link): Promise<readonly Figure[]> {
  const folder = temporaryFolder();
  const relay = await startRelay('--hold-per-recipient', '1MiB');
  const people = await Promise.all(['ada', 'bob'].map((each) => Correspondent.start(folder, each)));
  const [ada, bob] = people;
  if (ada === undefined || bob === undefined) throw new Error('two of two');
  const proxy = impairment === undefined ? undefined : new ImpairedProxy(impairment, new SeededRandom(name));
  const port = await proxy?.listen() ?? relay.hint.port;
  for (const one of people) proxy?.lane(one.port, relay.hint.port);
  for (const one of people) await one.join({ ...relay.hint, port });
  const to = await ada.befriend(bob);
  const file = path.join(folder, 'film.bin');
  await writeContent(file, name, sizeBytes);
  await ada.ask({ ask: 'send-file', to, path: file });
  const messageId = await bob.text({ ask: 'announced', name: 'film.bin' });
  const letters = (label: string): readonly Letters[] => [{ from: ada, to, label, everyMs: letterEveryMs, sizeBytes: letterBytes }];
  const found = { alone: [] as (readonly number[])[], beside: [] as (readonly number[])[] };
  const speeds: number[] = [];
  await written(letters('warm-up'), people, pause(warmUpMs));
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    found.alone.push(await written(letters(`alone-${String(cycle)}`), people, pause(idleMs)));
    const startedMs = performance.now();
    // Over the slow link not all of it comes in that time, nor has to.
    const fetched = bob.ask({ ask: 'fetch', messageId });
    fetched.catch(() => undefined);
    let tookMs = 0;
    const over = Promise.race([fetched, pause(transferMaximumMs)]).then(() => { tookMs = performance.now() - startedMs; });
    found.beside.push(await written(letters(`beside-${String(cycle)}`), people, over));
    speeds.push(Number(await bob.ask({ ask: 'drop', messageId })) / tookMs / 1_000);
    await pause(settleMs);
  }
  for (const one of people) one.stop();
  relay.stop();
  proxy?.close();
  removeFolder(folder);
  const over = (kind: keyof typeof found, share: number): number => median(found[kind].map((phase) => percentile(phase, share)));
  for (const kind of ['alone', 'beside'] as const) {
    process.stderr.write(`${name}, ${kind}: ${found[kind].map((phase) => `${String(phase.length)} letters, p50 ${percentile(phase, 0.5).toFixed(1)}, p99 ${percentile(phase, 0.99).toFixed(1)} ms`).join('; ')}\n`);
  }
  const added = ([0.5, 0.99] as const).map((share): Figure => {
    const addedMs = over('beside', share) - over('alone', share);
    const what = `${name}: delay added by a file, p${String(share * 100)}`;
    return roundTripMs === undefined ? { name: what, value: addedMs, unit: 'ms', aim: 'none' } : { name: what, value: addedMs / roundTripMs, unit: 'RTT', aim: 'under 1' };
  });
  return [
    ...added,
    { name: '  letters alone, p50', value: over('alone', 0.5), unit: 'ms', aim: 'none' },
    { name: '  letters alone, p99', value: over('alone', 0.99), unit: 'ms', aim: 'none' },
    { name: '  letters beside the file, p50', value: over('beside', 0.5), unit: 'ms', aim: 'none' },
    { name: '  letters beside the file, p99', value: over('beside', 0.99), unit: 'ms', aim: 'none' },
    { name: '  speed of the file meanwhile', value: median(speeds), unit: 'MB/s', aim: 'none' },
  ];
}

export async function lettersBesideBulk(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const link of links) figures.push(...await measure(link));
  return figures;
}
