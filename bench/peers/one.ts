/**
 * One process of the comparison, started by run.ts: `serve PEER` prints its address and stays; `WORKLOAD PEER ADDRESS SECONDS` prints its figures and ends.
 * Either prints one line of JSON, `{address}`, `{figures}` or `{error}`.
 */
import { peers } from './registry.ts';
import { workloads, type Figures } from './workloads.ts';

export type Report = { readonly address: string } | { readonly figures: Figures } | { readonly error: string };

const [role = '', name = '', address = '', seconds = ''] = process.argv.slice(2);

function report(line: Report, done?: () => void): void {
  process.stdout.write(`${JSON.stringify(line)}\n`, done);
}

function fail(error: unknown): void {
  report({ error: error instanceof Error ? error.message : String(error) }, () => { process.exit(1); });
}

// A server outlives the diallers that break off in the middle of a stream; what a peer throws about them is no failure of it.
if (role !== 'serve') {
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
} else {
  const ignore = (error: unknown): void => { process.stderr.write(`${error instanceof Error ? error.stack ?? error.message : String(error)}\n`); };
  process.on('uncaughtException', ignore);
  process.on('unhandledRejection', ignore);
}

// Whoever started it is gone.
process.stdin.resume().once('close', () => { process.exit(1); });

async function run(): Promise<Report> {
  const entry = Object.hasOwn(peers, name) ? peers[name] : undefined;
  if (entry === undefined) throw new Error(`There is no peer named ${name}.`);
  const peer = await entry.load();
  if (role === 'serve') return { address: await peer.serve() };
  const workload = Object.hasOwn(workloads, role) ? workloads[role] : undefined;
  if (workload === undefined) throw new Error(`There is no workload named ${role}.`);
  return { figures: await workload(await peer.prepare(address), Number(seconds)) };
}

run().then((line) => { report(line, role === 'serve' ? undefined : () => { process.exit(0); }); }, fail);
