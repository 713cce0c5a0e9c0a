/**
 * One process of the comparison, inside a namespace, started by processes.ts: `help NAME ADDRESS...`, `serve NAME HELPERS`, `dial NAME HELPERS ADDRESS`. It prints lines
 * of JSON. The first two say `ready` and stay. The one that dials says `ready`, dials when it is told `dial`, says `first` when the first echo is back and `direct` when
 * one is back by a direct path; told `prove` it exchanges as much as the runner counts the packets of, and says `proved`. It ends when its standard input does.
 */
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { traversers } from './registry.ts';
import type { Connection, Traverser } from './traverser.ts';

/** Since the dial, and where packets went then by the system's own account. */
export interface Moment { readonly ms: number; readonly remote: string }

export type Line =
  | { readonly ready: string }
  | { readonly first: Moment }
  | { readonly direct: Moment }
  | { readonly proved: number }
  | { readonly error: string; readonly ms: number };

const firstEchoBytes = 200;
/** Far more than what keeps connections alive; and less than the 128 KiB that a relay of libp2p carries for one. */
const proofEchoes = 20;
const proofEchoBytes = 1_000;
/** A path may end in the middle of an echo, when a better one takes its place. */
const triesMaximum = 5;

const [role = '', name = '', ...words] = process.argv.slice(2);
const say = (line: Line, done?: () => void): void => { process.stdout.write(`${JSON.stringify(line)}\n`, done); };
let dialledAt: number | undefined;
const sinceDialMs = (): number => (dialledAt === undefined ? 0 : performance.now() - dialledAt);

function fail(error: unknown): void {
  // A server outlives what goes wrong with one connection.
  if (role === 'dial') say({ error: error instanceof Error ? error.message : String(error), ms: sinceDialMs() }, () => { process.exit(1); });
  else process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
}

process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

async function echo(connection: Connection, sizeBytes: number): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await connection.echo(new Uint8Array(sizeBytes).fill(tries));
      return;
    } catch (error) {
      if (tries === triesMaximum) throw error;
    }
  }
}

async function dial(traverser: Traverser, told: (word: string) => Promise<void>): Promise<void> {
  const dialler = await traverser.prepare(words[0] ?? '', words[1] ?? '');
  say({ ready: '' });
  await told('dial');
  dialledAt = performance.now();
  const connection = await dialler.dial();
  const isDirect = await Promise.race([connection.direct.then(() => true), nextTurn().then(() => false)]);
  const echoed = async (): Promise<Moment> => {
    await echo(connection, firstEchoBytes);
    return { ms: sinceDialMs(), remote: connection.remote() };
  };
  const first = await echoed();
  say({ first });
  if (isDirect) say({ direct: first });
  else void connection.direct.then(async () => { say({ direct: await echoed() }); });
  await told('prove');
  for (let count = 0; count < proofEchoes; count += 1) await echo(connection, proofEchoBytes);
  say({ proved: proofEchoes * proofEchoBytes });
}

async function run(): Promise<void> {
  const waiting = new Map<string, () => void>();
  createInterface({ input: process.stdin }).on('line', (word) => { waiting.get(word)?.(); }).once('close', () => { process.exit(1); });
  const told = (word: string): Promise<void> => new Promise((resolve) => { waiting.set(word, resolve); });
  const entry = Object.hasOwn(traversers, name) ? traversers[name] : undefined;
  if (entry === undefined) throw new Error(`There is no system named ${name}.`);
  const traverser = await entry.load();
  switch (role) {
    case 'help': say({ ready: await traverser.help(words) }); break;
    case 'serve': say({ ready: await traverser.serve(words[0] ?? '') }); break;
    case 'dial': await dial(traverser, told); break;
    default: throw new Error(`There is no role named ${role}.`);
  }
}

await run().catch((error: unknown) => { if (role === 'dial') fail(error); else { process.stderr.write(`${String(error)}\n`, () => { process.exit(1); }); } });
