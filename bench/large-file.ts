/**
 * Memory while a content of 4 GiB is downloaded over loopback: from a generated source in a process of its own into a sink that verifies and keeps nothing. RSS is sampled at
 * both sides from the first bytes on; what it grows by from there must not depend on the size.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { Endpoint, newPerson } from './endpoint.ts';
import { GeneratedContent } from './peers/peers/generated-content.ts';
import type { RelayHint } from '../src/main/engine/wire/types.ts';
import type { Figure } from './run.ts';

const sizeBytes = 4 * 1_073_741_824;
/** Caches and pools are filled by then. */
const settledBytes = 256 * 1_048_576;
const keptMaximumBytes = 4 * 1_048_576;
const datagramLimitBytes = 65_507;
const sampleMs = 200;
const mebibyte = 1_048_576;
const holderVariable = 'WAYPOST_BENCH_HOLDER';

interface Holder extends RelayHint { readonly root: readonly number[] }

/** Largest growth since `settled` was called. */
class Growth {
  #settledBytes: number | undefined;
  #largestBytes = 0;
  readonly #timer = setInterval(() => { this.#sample(); }, sampleMs);

  settled(): void { this.#settledBytes ??= process.memoryUsage.rss(); }

  end(): number {
    clearInterval(this.#timer);
    this.#sample();
    return this.#largestBytes;
  }

  #sample(): void { if (this.#settledBytes !== undefined) this.#largestBytes = Math.max(this.#largestBytes, process.memoryUsage.rss() - this.#settledBytes); }
}

async function hold(): Promise<void> {
  const end = new Endpoint(newPerson(), { listening: true, datagramLimitBytes });
  const content = new GeneratedContent(sizeBytes);
  end.directed.publisher.offerDatum(content.name, content);
  const growth = new Growth();
  process.on('message', (message) => {
    if (message === 'settled') growth.settled();
    else process.send?.({ growthBytes: growth.end() }, () => { process.exit(0); });
  });
  await end.open();
  process.send?.({ ...end.hint, root: [...content.name.root] } satisfies Holder);
}

const nextMessage = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => { child.once('message', resolve); });

export async function largeFile(): Promise<readonly Figure[]> {
  const child = fork(import.meta.filename, { env: { ...process.env, [holderVariable]: '1' } });
  const holder = await nextMessage(child) as Holder;
  const end = new Endpoint(newPerson(), { datagramLimitBytes });
  await end.open();
  const session = await end.dial(holder, false);
  const growth = new Growth();
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    let received = 0;
    end.run((now) => {
      end.directed.download({ root: Uint8Array.from(holder.root), length: sizeBytes }, {
        trafficClass: 'bulk',
        keptMaximumBytes,
        verified: (_offset, bytes) => {
          if (received < settledBytes && received + bytes.length >= settledBytes) {
            growth.settled();
            child.send('settled');
          }
          received += bytes.length;
        },
        completed: () => { resolve(); },
        sourceEnded: (_session, reason) => { reject(new Error(`the download ended: ${reason}`)); },
      }, now)?.addSource(session, now);
    });
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  const own = growth.end();
  const answer = nextMessage(child);
  child.send('end');
  const { growthBytes } = await answer as { readonly growthBytes: number };
  return [
    { name: 'RSS growth of the requester over a content of 4 GiB', value: own / mebibyte, unit: 'MiB', aim: 'under 64' },
    { name: 'RSS growth of the holder over the same', value: growthBytes / mebibyte, unit: 'MiB', aim: 'under 64' },
    { name: 'speed of that download', value: sizeBytes / seconds / 1e6, unit: 'MB/s', aim: '' },
  ];
}

if (process.env[holderVariable] === '1') await hold();
