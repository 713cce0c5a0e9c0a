/**
 * What a reader that stops costs the others on its connection: 200 bytes there and back, one after the other, on a connection where nothing else happens, and on one where the
 * dialling side has asked for bytes without end and does not read them any more. In turns, each time on a new connection; medians of the turns.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { echoSizeBytes, type Connection, type Dialler } from './peer.ts';
import type { Figures } from './workloads.ts';

const turns = 7;
const warmUps = 500;
const echoes = 2_000;
/** Reading as fast as it comes, so that windows are as large as they get. */
const readingMs = 500;
/** Until the windows are full and the sender waits. */
const fillingMs = 500;

interface Percentiles { readonly p50: number; readonly p99: number }

async function echo(connection: Connection): Promise<Percentiles> {
  const message = new Uint8Array(echoSizeBytes).fill(7);
  const microseconds: number[] = [];
  for (let index = 0; index < warmUps + echoes; index += 1) {
    const began = performance.now();
    await connection.echo(message);
    if (index >= warmUps) microseconds.push((performance.now() - began) * 1_000);
  }
  microseconds.sort((left, right) => left - right);
  return { p50: microseconds[Math.floor(echoes * 0.5)] ?? Number.NaN, p99: microseconds[Math.floor(echoes * 0.99)] ?? Number.NaN };
}

async function stopped(dialler: Dialler): Promise<Percentiles> {
  const connection = await dialler.dial();
  if (connection.stopReading === undefined) throw new Error('It has one stream for a connection: who stops reading stops everything.');
  let came = 0;
  await connection.bulk((sizeBytes) => { came += sizeBytes; });
  await sleep(readingMs);
  connection.stopReading();
  await sleep(fillingMs);
  const before = came;
  const result = await echo(connection);
  if (before === 0 || came !== before) throw new Error(`${String(came - before)} bytes of ${String(came)} came to a reader that had stopped.`);
  return result;
}

export async function independence(dialler: Dialler): Promise<Figures> {
  const calm: Percentiles[] = [];
  const disturbed: Percentiles[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    calm.push(await echo(await dialler.dial()));
    disturbed.push(await stopped(dialler));
  }
  const median = (all: readonly Percentiles[], of: keyof Percentiles): number => all.map((one) => one[of]).sort((left, right) => left - right)[Math.floor(all.length / 2)] ?? Number.NaN;
  return {
    calm_p50_us: median(calm, 'p50'), calm_p99_us: median(calm, 'p99'),
    stopped_p50_us: median(disturbed, 'p50'), stopped_p99_us: median(disturbed, 'p99'),
    p99_ratio: median(disturbed, 'p99') / median(calm, 'p99'),
  };
}
