/**
 * `npm run bench:peers -- [--json] [--only hyperdht,tls] [--repeat N] [--seconds N] [--transfers] [--independence]`: what a developer would use instead of Waypost,
 * beside it, in one run on one machine: client and server are processes of their own on 127.0.0.1. Every figure is the median of the repeats; each repeat
 * has fresh processes, and the peers take turns in an order that moves on, so that a slow minute of the machine is nobody's alone.
 *
 *   bulk_MBps     10^6 bytes a second in one direction, counted where they arrive, for 3 s after a warm-up
 *   echo_p50_us   200 bytes there and back, one after the other, in microseconds
 *   open_ms       in a fresh process that is ready to dial: from the dial to the first answer
 *   rss_MB        memory of the receiving process after bulk
 *   transfers_per_s   (--transfers) 10,000 contents of 1 KiB on one connection, 64 under way: a stream each with libp2p, framed on the one stream of TLS and HyperDHT
 *   p99_ratio     (--independence) of the echo while another stream of the same connection is not read any more, by the one of a connection without that stream
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runOnce, type Mode } from './processes.ts';
import { peers } from './registry.ts';
import type { Figures } from './workloads.ts';

const repeatDefault = 5;
const secondsDefault = 3;
const digits = 4;
const columnCharacters = 16;

function option(name: string): string | undefined {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? undefined : process.argv[index + 1];
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function numberOption(name: string, otherwise: number): number {
  const text = option(name) ?? String(otherwise);
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : fail(`--${name} takes a number above 0, not "${text}".`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

const figureNames: Readonly<Record<Mode, readonly string[]>> = {
  figures: ['bulk_MBps', 'echo_p50_us', 'echo_p99_us', 'open_ms', 'rss_MB'],
  transfers: ['transfers_per_s'],
  independence: ['calm_p50_us', 'calm_p99_us', 'stopped_p50_us', 'stopped_p99_us', 'p99_ratio'],
};
const mode: Mode = process.argv.includes('--independence') ? 'independence' : process.argv.includes('--transfers') ? 'transfers' : 'figures';
const json = process.argv.includes('--json');
const names = figureNames[mode];
const repeat = numberOption('repeat', repeatDefault);
const seconds = numberOption('seconds', secondsDefault);
const chosen = option('only')?.split(',') ?? Object.keys(peers);

for (const peer of chosen) if (!Object.hasOwn(peers, peer)) fail(`There is no peer named "${peer}". Known: ${Object.keys(peers).join(', ')}.`);
if (chosen.some((peer) => peers[peer]?.installed === true) && !existsSync(path.join(import.meta.dirname, 'node_modules'))) {
  fail('The libraries to compare with are not installed; they are kept apart from the app. Run: npm ci --prefix bench/peers');
}

const figures = new Map<string, Figures[]>(chosen.map((peer) => [peer, []]));
const errors = new Map<string, string>();
for (let round = 0; round < repeat; round += 1) {
  const first = round % chosen.length;
  for (const peer of [...chosen.slice(first), ...chosen.slice(0, first)]) {
    try {
      figures.get(peer)?.push(...await runOnce(peer, mode, seconds));
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      errors.set(peer, sentence);
      process.stderr.write(`${peer}, run ${round + 1} of ${repeat}: ${sentence}\n`);
    }
  }
}

if (!json) process.stdout.write(`${['peer', ...names].map((name) => name.padStart(columnCharacters)).join('')}\n`);
for (const peer of chosen) {
  const runs = figures.get(peer) ?? [];
  const error = errors.get(peer);
  // A run that failed takes no part in the medians; its sentence went to stderr. Without any run there is only the sentence.
  if (runs.length === 0) {
    process.stdout.write(json ? `${JSON.stringify({ peer, error })}\n` : `${peer.padStart(columnCharacters)}  ${error ?? ''}\n`);
    continue;
  }
  const values = names.map((name): [string, number] => [name, Number(median(runs.flatMap((run) => run[name] ?? [])).toPrecision(digits))]);
  process.stdout.write(json ? `${JSON.stringify({ peer, ...Object.fromEntries(values) })}\n` : `${[peer, ...values.map(([, value]) => value)].map((cell) => String(cell).padStart(columnCharacters)).join('')}\n`);
}
