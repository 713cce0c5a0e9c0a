/**
 * `scripts/file-transfer.ts [--size 64MiB] [--seed S] [--loss 0.02] [--delay 20] [--rate 200]`: a large file between two real visors over links
 * that lose datagrams, are cut, and change their address, while processes are ended by `kill -9`; through a relay without room and held by one with room. It has to arrive whole each time, and
 * to go on from what was verified. The last line is `N passed, N failed`; a seed plays the same plan and the same content again.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { SeededRandom } from '../sim/random.ts';
import { parseSize } from '../src/main/cli/sizes.ts';
import { held, through, undisturbed, throughKilled, type Situation } from './file-transfer/cases.ts';
import { beginWorld } from './file-transfer/world.ts';
import type { Impairment } from './file-transfer/impaired-proxy.ts';
import type { Checks } from './processes/checks.ts';
import { countOption, parseOptions, UsageError } from './processes/options.ts';
import { runScript } from './processes/script.ts';

const defaultSize = '64MiB';
const sizeMinimumBytes = 2 ** 20;
const defaultLoss = 0.02;
const defaultDelayMs = 20;
const defaultMegabitsPerSecond = 200;
/** UDP over IPv4 on Ethernet: 1,500 less 28. */
const datagramMaximumBytes = 1_472;
/** Less than any file here. */
const noRoomBytes = 2 ** 20;

const groups = {
  undisturbed: { cases: [undisturbed], roomBytes: () => noRoomBytes },
  through: { cases: [through, throughKilled], roomBytes: () => noRoomBytes },
  held: { cases: [held], roomBytes: (sizeBytes: number) => Math.ceil(sizeBytes * 2 / 2 ** 20) * 2 ** 20 },
} as const;

async function fileTransfer(checks: Checks, directory: string, sizeBytes: number, seed: string, impairment: Impairment): Promise<void> {
  const { loss, delayMs, bitsPerSecond = 0 } = impairment;
  process.stdout.write(`seed ${seed}, ${sizeBytes} bytes, ${loss * 100} % lost each way, ${delayMs} ms each way, ${bitsPerSecond / 1e6} Mbit/s\n`);
  const startedMs = performance.now();
  for (const [name, { cases, roomBytes }] of Object.entries(groups)) {
    if (only !== undefined && only !== name) continue;
    const own = path.join(directory, name);
    mkdirSync(own);
    const world = await beginWorld(own, roomBytes(sizeBytes), impairment, new SeededRandom(`${seed} ${name}`));
    const situation: Situation = { checks, world, directory: own, seed, sizeBytes };
    try {
      for (const each of cases) await each(situation);
      const ends = [await world.sender.stop(), await world.recipient.stop(), await world.relay.stop()];
      checks.check(`${name}: all three end cleanly`, ends.every((code) => code === 0), ends.join(', '));
    } finally {
      world.close();
    }
  }
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
  if (checks.failed > 0) process.stdout.write(`play it again: --size ${sizeBytes}B --seed ${seed}\n`);
}

function shareOption(options: ReadonlyMap<string, string>, name: string, otherwise: number): number {
  const share = Number(options.get(name) ?? otherwise);
  if (!(share >= 0 && share < 1)) throw new UsageError(`--${name} takes a share from 0 to below 1.`);
  return share;
}

const options = parseOptions(process.argv.slice(2), ['size', 'seed', 'loss', 'delay', 'rate', 'only']);
const seed = options.get('seed') ?? randomBytes(4).toString('hex');
const only = options.get('only');
const sizeBytes = parseSize(options.get('size') ?? defaultSize, '--size', sizeMinimumBytes);
const impairment: Impairment = {
  loss: shareOption(options, 'loss', defaultLoss), delayMs: countOption(options, 'delay', defaultDelayMs),
  bitsPerSecond: countOption(options, 'rate', defaultMegabitsPerSecond) * 1e6, datagramMaximumBytes,
};
process.exitCode = await runScript('file-transfer', (checks, directory) => fileTransfer(checks, directory, sizeBytes, seed, impairment));
