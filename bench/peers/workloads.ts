/** What is measured, on the dialling side; the same for every peer. Each workload has a process and a connection of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { echoSizeBytes, transfersTotal, transfersUnderWay, type Dialler } from './peer.ts';
import { independence } from './independence.ts';

/** Until congestion windows are open and code is compiled. */
const bulkWarmUpMs = 750;
const echoWarmUps = 1_000;
const echoes = 5_000;
const transferWarmUps = 500;

export type Figures = Readonly<Record<string, number>>;
export type Workload = (dialler: Dialler, bulkSeconds: number) => Promise<Figures>;

async function open(dialler: Dialler): Promise<Figures> {
  const began = performance.now();
  const connection = await dialler.dial();
  await connection.echo(new Uint8Array(echoSizeBytes));
  return { open_ms: performance.now() - began };
}

async function bulk(dialler: Dialler, bulkSeconds: number): Promise<Figures> {
  let total = 0;
  const connection = await dialler.dial();
  await connection.bulk((sizeBytes) => { total += sizeBytes; });
  await sleep(bulkWarmUpMs);
  const before = total;
  const began = performance.now();
  await sleep(bulkSeconds * 1_000);
  const received = total - before;
  // A busy receiver is woken late: what it took in until then counts with the time until then.
  const seconds = (performance.now() - began) / 1_000;
  if (received === 0) throw new Error('Nothing came in after the warm-up.');
  return { bulk_MBps: received / seconds / 1e6, rss_MB: process.memoryUsage.rss() / 1e6 };
}

async function echo(dialler: Dialler): Promise<Figures> {
  const connection = await dialler.dial();
  const message = new Uint8Array(echoSizeBytes).fill(7);
  const microseconds: number[] = [];
  for (let index = 0; index < echoWarmUps + echoes; index += 1) {
    const began = performance.now();
    await connection.echo(message);
    if (index >= echoWarmUps) microseconds.push((performance.now() - began) * 1_000);
  }
  microseconds.sort((left, right) => left - right);
  const percentile = (part: number): number => microseconds[Math.floor(microseconds.length * part)] ?? Number.NaN;
  return { echo_p50_us: percentile(0.5), echo_p99_us: percentile(0.99) };
}

async function transfers(dialler: Dialler): Promise<Figures> {
  const { transfer } = await dialler.dial();
  if (transfer === undefined) throw new Error('It has no transfers: datagrams alone do not say when all of a content has come.');
  let next = 0;
  const worker = async (end: number): Promise<void> => {
    while (next < end) {
      next += 1;
      await transfer(next - 1);
    }
  };
  const upTo = (end: number): Promise<unknown> => Promise.all(Array.from({ length: transfersUnderWay }, () => worker(end)));
  await upTo(transferWarmUps);
  next = 0;
  const began = performance.now();
  await upTo(transfersTotal);
  return { transfers_per_s: transfersTotal / ((performance.now() - began) / 1_000) };
}

export const workloads: Readonly<Record<string, Workload>> = { open, bulk, echo, transfers, independence };
