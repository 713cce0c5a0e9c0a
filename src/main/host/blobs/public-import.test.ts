/** Files that come into the folder of blobs in the clear, because they are for everybody, and leave it again. */
import { existsSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chooseCrypto } from '../crypto.ts';
import { decodeRecord } from '../../engine/lockstep/lockstep.ts';
import { temporaryDirectory } from '../storage/temporary-directory.ts';
import { baseOf } from './blob-folder.ts';
import { BlobStore } from './blob-store.ts';
import { sliceBytes } from './file-slices.ts';
import { ask, contentOf, nameOf, tree } from './testing.ts';

const { crypto } = chooseCrypto();

async function place(content: Uint8Array): Promise<{ store: BlobStore; folder: string; source: string; target: string }> {
  const home = temporaryDirectory();
  const folder = join(home, 'blobs');
  const store = await BlobStore.open({ folder, tree, crypto });
  onTestFinished(() => store.close());
  const source = join(home, 'source.bin');
  writeFileSync(source, content);
  return { store, folder, source, target: join(home, 'copy.bin') };
}

describe('a public file', () => {
  it('is a blob of its own bytes, for every length around a slice, and comes out as it was', async () => {
    for (const length of [1, 1_024, sliceBytes - 1, sliceBytes, sliceBytes + 1, 3 * sliceBytes, 700_001]) {
      const content = contentOf(3, length);
      const { store, folder, source, target } = await place(content);
      const { name, sizeBytes } = await store.importFile(source, undefined);
      expect({ name, sizeBytes }).toEqual({ name: nameOf(content), sizeBytes: length });
      expect(new Uint8Array(readFileSync(join(folder, `${baseOf(name)}.blob`)))).toEqual(content);
      const record = await ask<'read-record'>(store, { op: 'read-record', name });
      expect(record.ok && decodeRecord(tree, record.value)?.root).toEqual(name.root);
      await store.exportFile(name, undefined, length, target);
      expect(new Uint8Array(readFileSync(target))).toEqual(content);
    }
  });

  it('is refused when it is empty, and leaves nothing', async () => {
    const { store, folder, source } = await place(new Uint8Array(0));
    await expect(store.importFile(source, undefined)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not given out when it was changed on the disk', async () => {
    const { store, folder, source, target } = await place(contentOf(4, 600_000));
    const { name, sizeBytes } = await store.importFile(source, undefined);
    writeSync(openSync(join(folder, `${baseOf(name)}.blob`), 'r+'), 'x', 599_999);
    await expect(store.exportFile(name, undefined, sizeBytes, target)).rejects.toMatchObject({ code: 'file-damaged' });
    await expect(store.exportFile(name, undefined, sizeBytes - 1, target)).rejects.toMatchObject({ code: 'file-damaged' });
    expect(existsSync(target)).toBe(false);
  });
});
