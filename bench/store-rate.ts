/**
 * Letters of 1 KiB stored with fsync per second at one relay, from 4 pipelining clients in processes of their own, and the p99 of one store across
 * checkpoints, after a warm-up. The body does not fit the deposit: the relay pulls it, as in life.
 */
import { fork } from 'node:child_process';
import path from 'node:path';
import { registerMailbox } from './mailboxes.ts';
import { startRelay } from './relay-process.ts';
import type { Figure } from './run.ts';

const clients = 4;
const mailboxesPerClient = 5;
/** The relay's defaults allow 1,000 letters a mailbox and 128 a token. */
const tokensPerMailbox = 8;
const lettersPerClient = 4_000;

export interface StoreClientTask {
  readonly relay: { readonly publicKey: string; readonly host: string; readonly port: number };
  readonly letters: number;
  readonly mailboxes: readonly { readonly identity: string; readonly deviceId: string; readonly tokens: readonly string[] }[];
}
export interface StoreClientResult { readonly startedMs: number; readonly endedMs: number; readonly latenciesMs: readonly number[] }

export async function storeRate(): Promise<readonly Figure[]> {
  const relay = await startRelay();
  try {
    const tasks: StoreClientTask[] = [];
    for (let client = 0; client < clients; client += 1) {
      const mailboxes = [];
      for (let index = 0; index < mailboxesPerClient; index += 1) {
        const mailbox = await registerMailbox(relay.hint, tokensPerMailbox);
        mailboxes.push({ identity: mailbox.owner.publicKey, deviceId: mailbox.owner.deviceId, tokens: mailbox.tokens.map((token) => Buffer.from(token).toString('hex')) });
      }
      tasks.push({ relay: relay.hint, letters: lettersPerClient, mailboxes });
    }
    const results = await Promise.all(tasks.map(runClient));
    const startedMs = Math.min(...results.map((result) => result.startedMs));
    const endedMs = Math.max(...results.map((result) => result.endedMs));
    const latencies = results.flatMap((result) => result.latenciesMs).sort((left, right) => left - right);
    return [
      { name: 'letters of 1 KiB stored with fsync, 4 clients', value: latencies.length / ((endedMs - startedMs) / 1000), unit: 'letters/s', aim: '5000 or more' },
      { name: 'time of one such store, p50', value: latencies[Math.floor(latencies.length * 0.5)] ?? Number.NaN, unit: 'ms', aim: 'none' },
      { name: 'time of one such store, p99', value: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN, unit: 'ms', aim: 'none' },
    ];
  } finally {
    relay.stop();
  }
}

function runClient(task: StoreClientTask): Promise<StoreClientResult> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(import.meta.dirname, 'store-client.ts'), { execArgv: [] });
    child.once('error', reject);
    child.once('exit', (code) => { if (code !== 0) reject(new Error(`a client ended with ${String(code)}`)); });
    child.once('message', (result) => { resolve(result as StoreClientResult); });
    child.send(task);
  });
}
