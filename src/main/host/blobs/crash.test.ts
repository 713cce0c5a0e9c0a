/** Whatever a killed process leaves, no snapshot claims bytes that are not there, and what is complete hashes to its name. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../../engine/noble-crypto.ts';
import { decodeRecord } from '../../engine/lockstep/lockstep.ts';
import { decodeSnapshot } from '../../engine/lockstep/snapshot.ts';
import { temporaryDirectory } from '../storage/temporary-directory.ts';
import { baseOf } from './blob-folder.ts';
import { BlobStore } from './blob-store.ts';
import { ask, contentOf, nameOf, tree } from './testing.ts';

const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
const rounds = 24;
/** Prime steps, so that kills fall into writes, checkpoints, completes and imports alike. */
const linesBeforeKill = (round: number): number => 1 + (round * 17) % 61;
const numbersPerRound = 10_000;

interface Promised {
  /** Content number to the number of leaves that the last answered checkpoint spoke of. */
  readonly checkpoints: Map<number, number>;
  readonly complete: Set<string>;
}

/** Kills it after some lines; what it said until then, and in the moment that the kill takes, was promised. */
function run(folder: string, scratch: string, first: number, lines: number): Promise<Promised> {
  const running = spawn(process.execPath, [child, folder, String(first), scratch], { stdio: ['ignore', 'pipe', 'inherit'] });
  const promised: Promised = { checkpoints: new Map(), complete: new Set() };
  let count = 0;
  const reader = createInterface({ input: running.stdout });
  reader.on('line', (line) => {
    const [, kind, number = '', value = ''] = /^(checkpoint|complete) ([0-9]+) ([0-9a-f-]+)$/.exec(line) ?? [];
    if (kind === undefined) return; // cut off by the kill
    if (kind === 'checkpoint') promised.checkpoints.set(Number(number), Number(value));
    else promised.complete.add(value);
    count += 1;
    if (count === lines) running.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    running.on('error', reject);
    running.on('close', () => {
      if (count >= lines) resolve(promised);
      else reject(new Error(`the child ended after ${String(count)} lines`));
    });
  });
}

interface Found { readonly partial: number; readonly complete: number; readonly snapshots: number; readonly names: ReadonlySet<string> }

/** Contents by the name of their blob, of one round. */
function contentsFrom(first: number): ReadonlyMap<string, { readonly number: number; readonly content: Uint8Array }> {
  return new Map(Array.from({ length: 60 }, (_, step) => {
    const number = first + step;
    const content = contentOf(number, 20_000 + (number % 13) * 47_111);
    return [baseOf(nameOf(content)), { number, content }] as const;
  }));
}

async function check(folder: string, first: number, promised: Promised, everComplete: ReadonlySet<string>): Promise<Found> {
  const store = await BlobStore.open({ folder, tree, crypto: nobleCrypto });
  const loaded = await ask<'load'>(store, { op: 'load' });
  if (!loaded.ok) throw new Error(loaded.failure);
  const contents = contentsFrom(first);
  const found = { partial: 0, complete: 0, snapshots: 0 };
  const completeNow = new Set<string>();
  for (const { name, complete, snapshot } of loaded.value) {
    const base = baseOf(name);
    if (complete) {
      completeNow.add(base);
      if (everComplete.has(base)) continue; // looked at in its own round
      found.complete += 1;
      expect(nameOf(new Uint8Array(readFileSync(join(folder, `${base}.blob`))))).toEqual(name);
      const record = await ask<'read-record'>(store, { op: 'read-record', name });
      expect(record.ok && decodeRecord(tree, record.value)?.root).toEqual(name.root);
      continue;
    }
    found.partial += 1;
    const known = contents.get(base);
    if (known === undefined) throw new Error(`nobody began ${base}`);
    const stored = snapshot === undefined ? undefined : decodeSnapshot(snapshot);
    if (snapshot !== undefined) expect(stored).toBeDefined();
    const endLeaf = stored?.verified[0]?.end ?? 0;
    if (endLeaf > 0) found.snapshots += 1;
    expect(endLeaf).toBeGreaterThanOrEqual(promised.checkpoints.get(known.number) ?? 0);
    const claimedBytes = Math.min(known.content.length, endLeaf * (stored?.geometry.leafBytes ?? 0));
    expect(Buffer.compare(readFileSync(join(folder, `${base}.part`)).subarray(0, claimedBytes), known.content.subarray(0, claimedBytes))).toBe(0);
    // It can be taken up again and finished.
    await ask<'begin'>(store, { op: 'begin', name });
    await ask<'write'>(store, { op: 'write', name, offset: claimedBytes, bytes: known.content.slice(claimedBytes) });
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual({ ok: true, value: undefined });
    completeNow.add(base);
  }
  expect([...promised.complete, ...everComplete].filter((base) => !completeNow.has(base))).toEqual([]);
  expect(readdirSync(folder).filter((file) => !/\.(blob|record|unclaimed)$/.test(file))).toEqual([]);
  await store.close();
  return { ...found, names: completeNow };
}

describe('after a crash', () => {
  it(`every promise is kept, ${String(rounds)} kills in a row over the same folder`, async () => {
    const home = temporaryDirectory();
    const folder = join(home, 'blobs');
    const everComplete = new Set<string>();
    const total = { partial: 0, complete: 0, snapshots: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const first = round * numbersPerRound;
      const promised = await run(folder, home, first, linesBeforeKill(round));
      const found = await check(folder, first, promised, everComplete);
      for (const base of found.names) everComplete.add(base);
      total.partial += found.partial;
      total.complete += found.complete;
      total.snapshots += found.snapshots;
    }
    expect(existsSync(folder)).toBe(true);
    // The kills came where it matters.
    expect(total.partial).toBeGreaterThan(rounds / 2);
    expect(total.snapshots).toBeGreaterThan(rounds / 4);
    expect(total.complete).toBeGreaterThan(rounds);
  }, 240_000);
});
