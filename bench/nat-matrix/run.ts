/**
 * `npm run bench:nat-matrix -- [--peers waypost,hyperdht,libp2p-quic] [--cells A:B,...] [--runs N] [--reverse] [--lanes N] [--delay-ms N] [--hops N] [--json]`, as root: which cells of the
 * NAT matrix (e2e/natlab/nat-matrix.ts) a system crosses directly, and how long it takes from the dial to the first byte.
 *
 * For each attempt the laboratory has two hosts behind routers of the two kinds, made anew, and a public host with 20 addresses for whatever the system needs there. The
 * helpers, the end that serves (behind the right kind) and the end that dials (behind the left) are fresh processes in those hosts. When the dialling end is ready, it
 * dials by key or id alone; the time runs from there to the first echo of 200 bytes, and to the first one by a direct path. Loading, binding and joining the network are
 * not in it. Each router adds 10 ms each way, so that a round trip takes 40 ms between the hosts and 20 ms to a
 * helper; and what reaches a router with no more than 10 hops to live is dropped, as if the path were that much longer: HyperDHT sends some packets with 5, to open its
 * own NAT and not to arrive.
 *
 * What is direct is counted, not believed: after the connection says that it is, or has had its time to become so, 20 messages of 1,000 bytes go there and back, and
 * the packets at the dialling host's own interface are counted meanwhile: those from and to the outer address of the other NAT, and those from and to the helpers. A
 * connection is direct if nine tenths of all these bytes, and at least the messages themselves, were the former; any other that works is relayed.
 *
 * `--reverse` has the right kind dial. `--lanes` measures as many cells at a time, each in a laboratory of its own; times suffer, if the processors are busy then.
 * `--json` prints an object a line: the machine, each attempt, the medians; the table goes to the standard error then.
 */
import { attempt, type Attempt } from './attempt.ts';
import { Laboratory, type Distance } from './laboratory.ts';
import { loadText, machineText, missingPackages, versionsOf } from './machine.ts';
import { traversers } from './registry.ts';
import { nameOf, summarize, tableOf, type Outcome } from './summary.ts';
import { extendPath, missingRequirements } from '../../e2e/natlab/lab.ts';
import { natMatrix, type MatrixCell } from '../../e2e/natlab/nat-matrix.ts';

const peersDefault = 'waypost,hyperdht,libp2p';
/** What `libp2p` stands for: TCP is behind NATs of the symmetric kind in all cells of the laboratory, and is measured by its own name only. */
const libp2pSystems = ['libp2p-quic', 'libp2p-webrtc'];
const distanceDefault: Distance = { delayMs: 10, hops: 10 };
/** A packet that is meant to arrive starts with 64. */
const hopsMaximum = 50;
const lanesMaximum = 8;

const option = (name: string): string | undefined => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? undefined : process.argv[at + 1]; };
const isJson = process.argv.includes('--json');
const isReverse = process.argv.includes('--reverse');

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function numberOption(name: string, otherwise: number, minimum: number, maximum: number): number {
  const value = Number(option(name) ?? otherwise);
  return Number.isInteger(value) && value >= minimum && value <= maximum ? value : fail(`--${name} takes a whole number from ${minimum} to ${maximum}.`);
}

function chosenSystems(): readonly string[] {
  const systems = (option('peers') ?? peersDefault).split(',').flatMap((name) => (name === 'libp2p' ? libp2pSystems : [name]));
  for (const name of systems) {
    if (!Object.hasOwn(traversers, name)) fail(`There is no peer named "${name}". Known: libp2p, ${Object.keys(traversers).join(', ')}.`);
    const missing = missingPackages(name);
    if (missing.length > 0) fail(`${name} needs ${missing.join(', ')}; these are kept apart from the app. Run: npm ci --prefix bench/peers`);
  }
  return systems;
}

function chosenCells(): readonly MatrixCell[] {
  const names = option('cells')?.split(',');
  for (const name of names ?? []) if (!natMatrix.some((cell) => nameOf(cell) === name)) fail(`There is no cell named "${name}". Known: ${natMatrix.map(nameOf).join(', ')}.`);
  return natMatrix.filter((cell) => names?.includes(nameOf(cell)) ?? true);
}

interface Job { readonly cell: MatrixCell; readonly system: string; readonly run: number }

function report({ cell, system, run }: Job, result: Attempt): void {
  if (isJson) { process.stdout.write(`${JSON.stringify({ cell: nameOf(cell), system, run, reverse: isReverse, load: loadText(), ...result })}\n`); return; }
  const ms = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(0)} ms`);
  process.stdout.write(`${nameOf(cell)}, ${system}, run ${run}: ${result.path}; first byte ${ms(result.firstByteMs)}, direct ${ms(result.directMs)}; `
    + `${result.peerBytes} bytes with the other NAT, ${result.helperBytes} with helpers${result.failure === undefined ? '' : `; after ${ms(result.failedMs)}: ${result.failure}`}\n`);
}

async function lane(index: number, jobs: Job[], outcomes: Map<string, Attempt[]>, distance: Distance): Promise<void> {
  const laboratory = new Laboratory(`nat-matrix-${process.pid}-${index}`, distance);
  try {
    await laboratory.up();
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { left, right } = job.cell;
      try {
        const result = await attempt(laboratory, job.system, isReverse ? { dialling: right, serving: left } : { dialling: left, serving: right });
        outcomes.get(`${nameOf(job.cell)} ${job.system}`)?.push(result);
        report(job, result);
      } catch (error) {
        process.stderr.write(`${nameOf(job.cell)}, ${job.system}, run ${job.run}: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exitCode = 1;
      }
    }
  } finally {
    await laboratory.down();
  }
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) fail(`The NAT matrix cannot be measured on this machine. Missing:\n${missing.map((sentence) => `  ${sentence}`).join('\n')}`);
const [systems, cells] = [chosenSystems(), chosenCells()];
const runs = numberOption('runs', 1, 1, 1_000);
const lanes = numberOption('lanes', 1, 1, lanesMaximum);
const distance: Distance = { delayMs: numberOption('delay-ms', distanceDefault.delayMs, 0, 1_000), hops: numberOption('hops', distanceDefault.hops, 0, hopsMaximum) };

const about = { machine: machineText(), versions: versionsOf(systems), lanes, ...distance, reverse: isReverse };
process.stdout.write(isJson ? `${JSON.stringify(about)}\n` : `${about.machine}\n${about.versions.join(', ')}\n${lanes} at a time, ${distance.delayMs} ms each way at each router, ${distance.hops} hops further\n\n`);
const jobs = Array.from({ length: runs }, (_, index) => cells.flatMap((cell) => systems.map((system): Job => ({ cell, system, run: index + 1 })))).flat();
const outcomes = new Map<string, Attempt[]>(cells.flatMap((cell) => systems.map((system) => [`${nameOf(cell)} ${system}`, []])));
await Promise.all(Array.from({ length: Math.min(lanes, jobs.length) }, (_, index) => lane(index, jobs, outcomes, distance)));

const summaries = cells.flatMap((cell) => systems.map((system) => summarize({ cell: nameOf(cell), system, attempts: outcomes.get(`${nameOf(cell)} ${system}`) ?? [] } satisfies Outcome)));
if (isJson) for (const summary of summaries) process.stdout.write(`${JSON.stringify({ summary })}\n`);
(isJson ? process.stderr : process.stdout).write(`\n${tableOf(summaries, systems)}\n`);
