/**
 * One end of a transfer, a process inside of a namespace: `serve PEER` prints `{address}` and stays; `bulk PEER ADDRESS SECONDS` dials, prints `{ready}`, begins when
 * a line comes on its standard input, and prints `{samples}`. It ends when its standard input does: whoever started it is gone.
 */
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { peers } from '../peers/registry.ts';
import type { Peer } from '../peers/peer.ts';

/** When, by the clock that all processes share, and how many bytes had come by then. */
export interface Sample { readonly atMs: number; readonly bytes: number }

export type Line = { readonly address: string } | { readonly ready: true } | { readonly samples: readonly Sample[] } | { readonly error: string };

const sampleEveryMs = 50;
const [role = '', name = '', address = '', seconds = ''] = process.argv.slice(2);

async function load(): Promise<Peer> {
  if (name === 'tcp') return (await import('./tcp-peer.ts')).tcpPeer;
  const entry = Object.hasOwn(peers, name) ? peers[name] : undefined;
  if (entry === undefined) throw new Error(`There is no peer named ${name}.`);
  return entry.load();
}

const say = (line: Line, done?: () => void): void => { process.stdout.write(`${JSON.stringify(line)}\n`, done); };
const nowMs = (): number => performance.timeOrigin + performance.now();

async function bulk(begun: Promise<void>): Promise<readonly Sample[]> {
  const dialler = await (await load()).prepare(address);
  const connection = await dialler.dial();
  say({ ready: true });
  await begun;
  let bytes = 0;
  const samples: Sample[] = [{ atMs: nowMs(), bytes }];
  const timer = setInterval(() => { samples.push({ atMs: nowMs(), bytes }); }, sampleEveryMs);
  await connection.bulk((sizeBytes) => { bytes += sizeBytes; });
  await pause(Number(seconds) * 1_000);
  clearInterval(timer);
  return samples;
}

function fail(error: unknown): void {
  // A server outlives the diallers that break off in the middle of a stream.
  if (role === 'serve') process.stderr.write(`${String(error)}\n`);
  else say({ error: error instanceof Error ? error.message : String(error) }, () => { process.exit(1); });
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
const input = createInterface({ input: process.stdin }).once('close', () => { process.exit(1); });
const begun = new Promise<void>((resolve) => { input.once('line', () => { resolve(); }); });
if (role === 'serve') say({ address: await (await load()).serve() });
else say({ samples: await bulk(begun) }, () => { process.exit(0); });
