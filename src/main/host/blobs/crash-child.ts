/**
 * A process for the crash test: fetches one content after the other into a store as an engine would, in leaves of 8 KiB, imports a file now and then, and
 * writes a line for each answer that promises something, until it is killed. Arguments: folder of the store, number of the first content, a scratch folder.
 */
import { writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { nobleCrypto } from '../../engine/noble-crypto.ts';
import { geometryOf } from '../../engine/lockstep/geometry.ts';
import { encodeSnapshot } from '../../engine/lockstep/lockstep.ts';
import type { BlobOperation, BlobRequest, BlobValues } from '../../engine/files/blob-store.ts';
import { BlobStore } from './blob-store.ts';
import { baseOf } from './blob-folder.ts';
import { ask, contentOf, nameOf, tree } from './testing.ts';

const [folder = '', firstNumber = '0', scratch = ''] = process.argv.slice(2);
const groupShift = 3;
const leavesPerCheckpoint = 7;
const key = new Uint8Array(32).fill(1);

const say = (line: string): void => { writeSync(1, `${line}\n`); };

async function must<Op extends BlobOperation>(store: BlobStore, request: Extract<BlobRequest, { op: Op }>): Promise<BlobValues[Op]> {
  const result = await ask<Op>(store, request);
  if (!result.ok) throw new Error(`${request.op}: ${result.failure}`);
  return result.value;
}

async function fetchContent(store: BlobStore, number: number): Promise<void> {
  const content = contentOf(number, sizeOf(number));
  const name = nameOf(content);
  const geometry = geometryOf(content.length, groupShift);
  if (geometry === undefined) throw new Error('no geometry');
  await must<'begin'>(store, { op: 'begin', name });
  const promised: Promise<void>[] = [];
  for (let leaf = 0; leaf < geometry.leafCount; leaf += 1) {
    const offset = leaf * geometry.leafBytes;
    promised.push(must<'write'>(store, { op: 'write', name, offset, bytes: content.slice(offset, offset + geometry.leafBytes) }));
    if (leaf % leavesPerCheckpoint !== leavesPerCheckpoint - 1) continue;
    const end = leaf + 1;
    const snapshot = encodeSnapshot({ root: name.root, geometry, verified: [{ start: 0, end }] });
    // Not awaited one by one: the store keeps them in order.
    promised.push(must<'checkpoint'>(store, { op: 'checkpoint', name, snapshot }).then(() => say(`checkpoint ${String(number)} ${String(end)}`)));
  }
  promised.push(must<'complete'>(store, { op: 'complete', name }).then(() => say(`complete ${String(number)} ${baseOf(name)}`)));
  await Promise.all(promised);
}

async function importContent(store: BlobStore, number: number): Promise<void> {
  const source = join(scratch, `source-${String(number)}`);
  writeFileSync(source, contentOf(number, sizeOf(number)));
  const { name } = await store.importFile(source, key);
  say(`complete ${String(number)} ${baseOf(name)}`);
}

function sizeOf(number: number): number { return 20_000 + (number % 13) * 47_111; }

const store = await BlobStore.open({ folder, tree, crypto: nobleCrypto });
for (let number = Number(firstNumber); ; number += 2) {
  await Promise.all([fetchContent(store, number), number % 3 === 0 ? importContent(store, number + 1) : fetchContent(store, number + 1)]);
}
