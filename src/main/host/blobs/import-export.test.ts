import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chooseCrypto } from '../crypto.ts';
import { fileMaximumBytes } from '../../../shared/file-views.ts';
import { sealedBytes, segmentPlainBytes } from '../../engine/files/file-sealing.ts';
import { decodeRecord } from '../../engine/lockstep/lockstep.ts';
import { temporaryDirectory } from '../storage/temporary-directory.ts';
import { baseOf } from './blob-folder.ts';
import { BlobStore } from './blob-store.ts';
import { ask, contentOf, FailingDisk, nameOf, tree } from './testing.ts';

const { crypto } = chooseCrypto();
const key = new Uint8Array(32).fill(5);
const plain = contentOf(7, 1_000_003);

interface Place { readonly disk: FailingDisk; readonly store: BlobStore; readonly folder: string; readonly home: string; readonly source: string; readonly target: string }

async function place(content = plain): Promise<Place> {
  const home = temporaryDirectory();
  const folder = join(home, 'blobs');
  const disk = new FailingDisk();
  const store = await BlobStore.open({ folder, tree, crypto, fileSystem: disk.fileSystem });
  onTestFinished(() => store.close());
  const source = join(home, 'source.bin');
  writeFileSync(source, content);
  mkdirSync(join(home, 'saved'));
  return { disk, store, folder, home, source, target: join(home, 'saved', 'copy.bin') };
}

describe('an import', () => {
  it('makes a complete blob that is read, served and exported, for every length around a segment', async () => {
    for (const length of [0, 1, segmentPlainBytes - 1, segmentPlainBytes, segmentPlainBytes + 1, 4 * segmentPlainBytes, 4 * segmentPlainBytes + 1, plain.length]) {
      const content = plain.subarray(0, length);
      const { store, folder, source, target } = await place(content);
      const { name, sizeBytes } = await store.importFile(source, key);
      expect(sizeBytes).toBe(length);
      expect(name.length).toBe(sealedBytes(length));
      expect(nameOf(new Uint8Array(readFileSync(join(folder, `${baseOf(name)}.blob`))))).toEqual(name);
      const record = await ask<'read-record'>(store, { op: 'read-record', name });
      expect(record.ok && decodeRecord(tree, record.value)?.root).toEqual(name.root);
      expect(store.counters.recordsRemade).toBe(0);
      await store.exportFile(name, key, sizeBytes, target);
      expect(new Uint8Array(readFileSync(target))).toEqual(new Uint8Array(content));
      expect(await store.readPlain(name, key, sizeBytes, plain.length)).toEqual(new Uint8Array(content));
      expect(readdirSync(folder).sort()).toEqual([`${baseOf(name)}.blob`, `${baseOf(name)}.record`, `${baseOf(name)}.unclaimed`]);
    }
  });

  it('is told as unclaimed after a crash, until somebody has said that it is needed', async () => {
    const { store, folder, source } = await place();
    const { name } = await store.importFile(source, key);
    const { name: claimed } = await store.importFile(source, new Uint8Array(32).fill(6));
    const told = async (from: BlobStore): Promise<readonly (boolean | undefined)[]> => {
      const loaded = await ask<'load'>(from, { op: 'load' });
      return loaded.ok ? [name, claimed].map((one) => loaded.value.find((info) => baseOf(info.name) === baseOf(one))?.unclaimed) : [];
    };
    await store.claim(claimed);
    expect(await told(store), 'its command may be under way').toEqual([undefined, undefined]);
    const later = await BlobStore.open({ folder, tree, crypto });
    onTestFinished(() => later.close());
    expect(await told(later)).toEqual([true, undefined]);
    await later.claim(name);
    expect(await told(later)).toEqual([undefined, undefined]);
    expect(readdirSync(folder).filter((file) => file.endsWith('.unclaimed'))).toEqual([]);
  });

  it('leaves no mark when it is deleted, nor one without a blob', async () => {
    const { store, folder, source } = await place();
    const { name } = await store.importFile(source, key);
    await ask<'delete'>(store, { op: 'delete', name });
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(join(folder, `${baseOf(name)}.unclaimed`), '');
    await (await BlobStore.open({ folder, tree, crypto })).close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('tells how far it is', async () => {
    const { store, source } = await place();
    const steps: (readonly number[])[] = [];
    await store.importFile(source, key, { progress: (...step) => { steps.push(step); } });
    expect(steps).toEqual([[262_080, plain.length], [524_160, plain.length], [786_240, plain.length], [plain.length, plain.length]]);
  });

  it('of what is here already changes nothing, and one of what is being fetched completes it', async () => {
    const { store, folder, source } = await place();
    const { name } = await store.importFile(source, key);
    expect((await store.importFile(source, key)).name).toEqual(name);
    await ask<'delete'>(store, { op: 'delete', name });
    await ask<'begin'>(store, { op: 'begin', name });
    await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot: Uint8Array.of(1) });
    await store.importFile(source, key);
    expect(readdirSync(folder).sort()).toEqual([`${baseOf(name)}.blob`, `${baseOf(name)}.record`, `${baseOf(name)}.unclaimed`]);
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual({ ok: true, value: undefined });
  });

  it('refuses what is no regular file, what is not there and what may not be read', async () => {
    const { store, home, source, folder } = await place();
    const paths = [home, join(home, 'nothing'), join(home, 'nul\0name')];
    if (process.platform !== 'win32') {
      execFileSync('mkfifo', [join(home, 'pipe')]);
      symlinkSync(join(home, 'nothing'), join(home, 'dangling'));
      paths.push(join(home, 'pipe'), join(home, 'dangling'), '/dev/zero');
      if (process.getuid?.() !== 0) {
        chmodSync(source, 0);
        paths.push(source);
      }
    }
    for (const path of paths) await expect(store.importFile(path, key)).rejects.toMatchObject({ code: 'file-unreadable' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a file that is too large before it reads it', async () => {
    const { store, source, folder } = await place(new Uint8Array(0));
    truncateSync(source, fileMaximumBytes + 1);
    await expect(store.importFile(source, key)).rejects.toMatchObject({ code: 'file-too-large' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['grows', (source: string): void => { appendFileSync(source, 'more'); }],
    ['shrinks', (source: string): void => { truncateSync(source, 600_000); }],
  ])('refuses a file that %s while it is read', async (_how, change) => {
    const { store, source, folder } = await place();
    let isChanged = false;
    const progress = (): void => {
      if (!isChanged) change(source);
      isChanged = true;
    };
    await expect(store.importFile(source, key, { progress })).rejects.toThrow(/was changed while it was read/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('can be given up, and then leaves nothing', async () => {
    const { store, source, folder } = await place();
    const abort = new AbortController();
    const reason = new Error('given up');
    await expect(store.importFile(source, key, { signal: abort.signal, progress: () => abort.abort(reason) })).rejects.toBe(reason);
    await expect(store.importFile(source, key, { signal: abort.signal })).rejects.toBe(reason);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that the disk is full, beforehand and on the way, and leaves nothing', async () => {
    const { store, disk, source, folder } = await place();
    disk.freeBytes = 64 * 1_048_576 + 1_000_000;
    await expect(store.importFile(source, key)).rejects.toMatchObject({ code: 'disk-full' });
    disk.freeBytes = undefined;
    disk.onWrite = 'ENOSPC';
    await expect(store.importFile(source, key)).rejects.toMatchObject({ code: 'disk-full' });
    disk.onWrite = undefined;
    disk.onSync = 'EIO';
    await expect(store.importFile(source, key)).rejects.toMatchObject({ code: 'profile-unwritable' });
    disk.onSync = undefined;
    expect(readdirSync(folder)).toEqual([]);
    await expect(store.importFile(source, key)).resolves.toMatchObject({ sizeBytes: plain.length });
  });
});

describe('an export', () => {
  it.each([false, true])('never writes over anything (without links: %s)', async (linksAreMissing) => {
    const { store, disk, source, target, home } = await place();
    disk.linksAreMissing = linksAreMissing;
    const { name, sizeBytes } = await store.importFile(source, key);
    writeFileSync(target, 'mine');
    await expect(store.exportFile(name, key, sizeBytes, target)).rejects.toMatchObject({ code: 'file-exists' });
    const late = join(home, 'saved', 'late.bin');
    // It appears after the look, and before the name is given.
    disk.beforeRead = () => { writeFileSync(late, 'mine too'); return Promise.resolve(); };
    await expect(store.exportFile(name, key, sizeBytes, late)).rejects.toMatchObject({ code: 'file-exists' });
    disk.beforeRead = undefined;
    expect(readFileSync(target, 'utf8')).toBe('mine');
    expect(readFileSync(late, 'utf8')).toBe('mine too');
    await store.exportFile(name, key, sizeBytes, join(home, 'saved', 'new.bin'));
    expect(new Uint8Array(readFileSync(join(home, 'saved', 'new.bin')))).toEqual(plain);
    expect(readdirSync(join(home, 'saved')).sort()).toEqual(['copy.bin', 'late.bin', 'new.bin']);
    if (process.platform !== 'win32') expect(statSync(join(home, 'saved', 'new.bin')).nlink).toBe(1);
  });

  it('takes a link that leads nowhere for something', async () => {
    const { store, source, target, home } = await place();
    const { name, sizeBytes } = await store.importFile(source, key);
    symlinkSync(join(home, 'nothing'), target);
    await expect(store.exportFile(name, key, sizeBytes, target)).rejects.toMatchObject({ code: 'file-exists' });
    expect(existsSync(join(home, 'nothing'))).toBe(false);
  });

  it('of damaged bytes, of another key or another length gives out nothing', async () => {
    const { store, source, target, folder, home } = await place();
    const { name, sizeBytes } = await store.importFile(source, key);
    const damaged = { code: 'file-damaged' };
    await expect(store.exportFile(name, new Uint8Array(32), sizeBytes, target)).rejects.toMatchObject(damaged);
    await expect(store.exportFile(name, key, sizeBytes - 1, target)).rejects.toMatchObject(damaged);
    const blob = join(folder, `${baseOf(name)}.blob`);
    const spoilt = readFileSync(blob);
    spoilt[900_000] = (spoilt[900_000] ?? 0) ^ 1;
    writeFileSync(blob, spoilt);
    await expect(store.exportFile(name, key, sizeBytes, target)).rejects.toMatchObject(damaged);
    await expect(store.readPlain(name, key, sizeBytes, sizeBytes)).rejects.toMatchObject(damaged);
    truncateSync(blob, 500_000);
    await expect(store.exportFile(name, key, sizeBytes, target)).rejects.toMatchObject(damaged);
    expect(readdirSync(join(home, 'saved'))).toEqual([]);
  });

  it('of what is not here, to a place that is none, or onto a full disk says so', async () => {
    const { store, disk, source, target, home } = await place();
    const { name, sizeBytes } = await store.importFile(source, key);
    const other = { root: new Uint8Array(32), length: name.length };
    await expect(store.exportFile(other, key, sizeBytes, target)).rejects.toMatchObject({ code: 'file-not-here' });
    await ask<'begin'>(store, { op: 'begin', name: other });
    await expect(store.exportFile(other, key, sizeBytes, target)).rejects.toMatchObject({ code: 'file-not-here' });
    await expect(store.readPlain(other, key, sizeBytes, sizeBytes)).rejects.toMatchObject({ code: 'file-not-here' });
    await expect(store.readPlain(name, key, sizeBytes, sizeBytes - 1)).rejects.toMatchObject({ code: 'file-too-large' });
    await expect(store.exportFile(name, key, sizeBytes, join(home, 'no', 'folder'))).rejects.toMatchObject({ code: 'invalid-argument' });
    disk.onWrite = 'ENOSPC';
    await expect(store.exportFile(name, key, sizeBytes, target)).rejects.toMatchObject({ code: 'disk-full' });
    expect(readdirSync(join(home, 'saved'))).toEqual([]);
  });
});
