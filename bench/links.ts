/**
 * `npm run bench:links -- [--json]`: congestion control over simulated links, one row for each link: 20 Mbit/s, three round trips, four rates of random loss, a queue of
 * one bandwidth-delay product; then a queue of 500 ms, and two downloads on one link. Virtual time: the figures are the same on every machine.
 *
 * Goodput is the share of the link's rate that arrived, duplicates not counted, from the third second on for thirty; the queueing delay is the mean of the bottleneck's.
 */
import { Bbr } from '../src/main/engine/congestion/bbr.ts';
import { Link, Requester, VirtualTime, bytesPerMs, queueOf } from '../src/main/engine/congestion/congestion-testing.ts';
import { Cubic } from '../src/main/engine/congestion/cubic.ts';
import type { LinkOptions } from '../src/main/engine/congestion/congestion-testing.ts';
import type { ControllerFactory } from '../src/main/engine/congestion/types.ts';

const rateMbit = 20;
const fromMs = 3_000;
const untilMs = 33_000;
/** How far apart two downloads begin, and how long they are watched once both run. */
const secondStartMs = 5_000;
const sharedFromMs = 20_000;
const sharedUntilMs = 110_000;
const bloatedQueueMs = 500;
const sampleMs = 5;
const seeds = [1, 2, 3, 4, 5];

const controllers: Readonly<Record<string, ControllerFactory>> = { bbr: (bytes) => new Bbr(bytes), cubic: (bytes) => new Cubic(bytes) };

interface Row { readonly link: string; readonly controller: string; readonly goodput: number; readonly queueMs: number; readonly largerShare?: number }

const median = (values: readonly number[]): number => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;

function run(options: LinkOptions, controller: ControllerFactory, startsMs: readonly number[], windowMs: readonly [number, number]): { readonly shares: readonly number[]; readonly queueMs: number } {
  const time = new VirtualTime();
  const link = new Link(time, options);
  const requesters = startsMs.map((startMs) => {
    const requester = new Requester(link, controller);
    time.at(startMs, () => { requester.download('bulk', Infinity); });
    return requester;
  });
  const [start, end] = windowMs;
  time.run(start);
  const before = requesters.map(({ receivedBytes }) => receivedBytes);
  let queueMs = 0;
  for (let atMs = start; atMs < end; atMs += sampleMs) {
    time.run(atMs);
    queueMs += link.queueMs;
  }
  time.run(end);
  return {
    shares: requesters.map(({ receivedBytes }, index) => (receivedBytes - (before[index] ?? 0)) / ((end - start) * bytesPerMs(rateMbit))),
    queueMs: queueMs / ((end - start) / sampleMs),
  };
}

/** Medians over links that lose other packets. */
function measure(link: string, name: string, options: LinkOptions, startsMs: readonly number[] = [0], windowMs: readonly [number, number] = [fromMs, untilMs]): Row {
  const controller = controllers[name] ?? ((bytes): Bbr => new Bbr(bytes));
  const runs = seeds.map((seed) => run({ ...options, seed }, controller, startsMs, windowMs));
  const total = (shares: readonly number[]): number => shares.reduce((sum, share) => sum + share, 0);
  const row: Row = { link, controller: name, goodput: median(runs.map(({ shares }) => total(shares))), queueMs: median(runs.map(({ queueMs }) => queueMs)) };
  return startsMs.length < 2 ? row : { ...row, largerShare: median(runs.map(({ shares }) => Math.max(...shares) / total(shares))) };
}

const rows: Row[] = [];
for (const name of Object.keys(controllers)) {
  for (const roundTripMs of [20, 100, 300]) {
    for (const loss of [0, 0.005, 0.02, 0.05]) {
      rows.push(measure(`${String(roundTripMs)} ms, ${String(loss * 100)} % loss`, name, { rateMbit, roundTripMs, loss, queuePackets: queueOf(rateMbit, roundTripMs) }));
    }
  }
  rows.push(measure(`100 ms, queue of ${String(bloatedQueueMs)} ms`, name, { rateMbit, roundTripMs: 100, queuePackets: queueOf(rateMbit, bloatedQueueMs) }));
  rows.push(measure('100 ms, two downloads', name, { rateMbit, roundTripMs: 100, queuePackets: queueOf(rateMbit, 100), responderMs: 2 }, [0, secondStartMs], [sharedFromMs, sharedUntilMs]));
}

const json = process.argv.includes('--json');
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
if (!json) process.stdout.write(`${['link'.padEnd(24), 'controller'.padEnd(12), 'goodput'.padStart(8), 'queue'.padStart(9), 'larger share'.padStart(14)].join('')}\n`);
for (const row of rows) {
  process.stdout.write(json ? `${JSON.stringify(row)}\n`
    : `${[row.link.padEnd(24), row.controller.padEnd(12), percent(row.goodput).padStart(8), `${row.queueMs.toFixed(1)} ms`.padStart(9), (row.largerShare === undefined ? '' : percent(row.largerShare)).padStart(14)].join('')}\n`);
}
