import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chooseCrypto } from '../crypto.ts';
import { decodeRecord } from '../../engine/lockstep/lockstep.ts';
import { temporaryDirectory } from '../storage/temporary-directory.ts';
import { baseOf } from './blob-folder.ts';
import type { BlobKind } from './blob-folder.ts';
import { BlobStore } from './blob-store.ts';
import { ask, contentOf, FailingDisk, nameOf, tree } from './testing.ts';

const { crypto } = chooseCrypto();
const ok = { ok: true, value: undefined };
const failed = (failure: string) => ({ ok: false, failure });
const content = contentOf(1, 700_001);
const name = nameOf(content);
const snapshot = Uint8Array.of(1, 2, 3);
const mebibyte = 1_048_576;

async function openStore(folder: string, disk = new FailingDisk(), mostOpenFiles?: number): Promise<BlobStore> {
  const store = await BlobStore.open({ folder, tree, crypto, fileSystem: disk.fileSystem, ...(mostOpenFiles === undefined ? {} : { mostOpenFiles }) });
  onTestFinished(() => store.close());
  return store;
}

const newFolder = (): string => join(temporaryDirectory(), 'blobs');
const fileOf = (folder: string, kind: BlobKind, of = name): string => join(folder, `${baseOf(of)}.${kind}`);

async function writeAll(store: BlobStore, bytes: Uint8Array, of = name, leafBytes = 100_000): Promise<void> {
  for (let offset = 0; offset < bytes.length; offset += leafBytes) {
    expect(await ask<'write'>(store, { op: 'write', name: of, offset, bytes: bytes.slice(offset, offset + leafBytes) })).toEqual(ok);
  }
}

async function completed(folder: string, bytes = content): Promise<BlobStore> {
  const store = await openStore(folder);
  const of = nameOf(bytes);
  expect(await ask<'begin'>(store, { op: 'begin', name: of })).toEqual(ok);
  await writeAll(store, bytes, of);
  expect(await ask<'complete'>(store, { op: 'complete', name: of })).toEqual(ok);
  return store;
}

async function bytesOf(store: BlobStore, of = name): Promise<Uint8Array> {
  const result = await ask<'read'>(store, { op: 'read', name: of, offset: 0, sizeBytes: of.length });
  if (!result.ok) throw new Error(result.failure);
  return result.value;
}

describe('a blob', () => {
  it('is partial, then complete, and is read back', async () => {
    const folder = newFolder();
    const store = await openStore(folder);
    expect(await ask<'load'>(store, { op: 'load' })).toEqual({ ok: true, value: [] });
    await ask<'begin'>(store, { op: 'begin', name });
    expect(await ask<'load'>(store, { op: 'load' })).toEqual({ ok: true, value: [{ name, complete: false, snapshot: undefined }] });
    await writeAll(store, content);
    expect(await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot })).toEqual(ok);
    expect(await ask<'load'>(store, { op: 'load' })).toEqual({ ok: true, value: [{ name, complete: false, snapshot }] });
    expect(await ask<'read'>(store, { op: 'read', name, offset: 0, sizeBytes: 1 })).toEqual(failed('gone'));
    expect(await ask<'read-record'>(store, { op: 'read-record', name })).toEqual(failed('gone'));
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(ok);
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(ok);
    expect(await ask<'begin'>(store, { op: 'begin', name })).toEqual(ok);
    expect(readdirSync(folder).sort()).toEqual([`${baseOf(name)}.blob`, `${baseOf(name)}.record`]);
    expect(await bytesOf(store)).toEqual(content);
    expect(await ask<'read'>(store, { op: 'read', name, offset: 5, sizeBytes: 7 })).toEqual({ ok: true, value: content.slice(5, 12) });
    expect(store.counters).toMatchObject({ begun: 1, writes: 8, writtenBytes: content.length, checkpoints: 1, completed: 1, busyBlobs: 0 });
  });

  it.skipIf(process.platform === 'win32')('is for its owner alone', async () => {
    const folder = newFolder();
    await completed(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  });

  it('has a record that serves it', async () => {
    const store = await completed(newFolder());
    const result = await ask<'read-record'>(store, { op: 'read-record', name });
    if (!result.ok) throw new Error(result.failure);
    const record = decodeRecord(tree, result.value);
    expect(record?.root).toEqual(name.root);
    expect(record?.geometry.lengthBytes).toBe(name.length);
    expect(record?.keptLevel).toBe(0);
  });

  it('may be empty', async () => {
    const store = await completed(newFolder(), new Uint8Array(0));
    const empty = nameOf(new Uint8Array(0));
    expect(await bytesOf(store, empty)).toEqual(new Uint8Array(0));
    expect((await ask<'read-record'>(store, { op: 'read-record', name: empty })).ok).toBe(true);
  });

  it('is gone after a delete, whatever it was', async () => {
    const folder = newFolder();
    const store = await completed(folder);
    const partial = nameOf(contentOf(2, 1_000));
    await ask<'begin'>(store, { op: 'begin', name: partial });
    await ask<'checkpoint'>(store, { op: 'checkpoint', name: partial, snapshot });
    for (const of of [name, partial, nameOf(contentOf(3, 10))]) expect(await ask<'delete'>(store, { op: 'delete', name: of })).toEqual(ok);
    expect(readdirSync(folder)).toEqual([]);
    expect(await ask<'write'>(store, { op: 'write', name: partial, offset: 0, bytes: snapshot })).toEqual(failed('gone'));
    expect(await ask<'checkpoint'>(store, { op: 'checkpoint', name: partial, snapshot })).toEqual(failed('gone'));
    expect(await ask<'complete'>(store, { op: 'complete', name: partial })).toEqual(failed('gone'));
    expect(await ask<'read'>(store, { op: 'read', name, offset: 0, sizeBytes: 1 })).toEqual(failed('gone'));
  });

  it('is neither written nor read beyond its length', async () => {
    const store = await completed(newFolder());
    const partial = nameOf(contentOf(2, 1_000));
    await ask<'begin'>(store, { op: 'begin', name: partial });
    expect(await ask<'write'>(store, { op: 'write', name: partial, offset: 998, bytes: snapshot })).toEqual(failed('io'));
    expect(await ask<'write'>(store, { op: 'write', name: partial, offset: -1, bytes: snapshot })).toEqual(failed('io'));
    expect(await ask<'read'>(store, { op: 'read', name, offset: name.length - 2, sizeBytes: 3 })).toEqual(failed('io'));
    expect(await ask<'read'>(store, { op: 'read', name, offset: 0.5, sizeBytes: 3 })).toEqual(failed('io'));
  });
});

describe('requests', () => {
  it('about one blob take effect in order, though nobody waits for an answer', async () => {
    const folder = newFolder();
    const store = await openStore(folder);
    const answers: string[] = [];
    const submit = (request: Parameters<BlobStore['submit']>[0]): void => store.submit(request, (result) => answers.push(`${request.op} ${result.ok ? 'ok' : result.failure}`));
    submit({ op: 'begin', name });
    for (let offset = 0; offset < content.length; offset += 1_024) submit({ op: 'write', name, offset, bytes: content.slice(offset, offset + 1_024) });
    submit({ op: 'checkpoint', name, snapshot });
    submit({ op: 'complete', name });
    expect(await bytesOf(store)).toEqual(content);
    submit({ op: 'delete', name });
    submit({ op: 'begin', name });
    submit({ op: 'write', name, offset: 0, bytes: content.slice(0, 10) });
    submit({ op: 'complete', name });
    expect(await ask<'load'>(store, { op: 'load' })).toEqual({ ok: true, value: [] });
    expect(answers).toEqual(['begin ok', ...Array.from({ length: 684 }, () => 'write ok'), 'checkpoint ok', 'complete ok', 'delete ok', 'begin ok', 'write ok', 'complete damaged']);
    // Those that waited went together.
    expect(store.counters.writes).toBe(685);
    expect(store.counters.writeCalls).toBeLessThan(20);
  });

  it('that overlap leave what was written last', async () => {
    const store = await openStore(newFolder());
    store.submit({ op: 'begin', name }, () => undefined);
    store.submit({ op: 'write', name, offset: 0, bytes: new Uint8Array(300_000).fill(9) }, () => undefined);
    await writeAll(store, content, name, 65_536);
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(ok);
  });

  it('about different blobs do not wait for each other, over few open files', async () => {
    const disk = new FailingDisk();
    const store = await openStore(newFolder(), disk, 2);
    const contents = Array.from({ length: 9 }, (_, seed) => contentOf(seed, 150_000 + seed));
    await Promise.all(contents.map(async (bytes) => {
      const of = nameOf(bytes);
      await ask<'begin'>(store, { op: 'begin', name: of });
      await writeAll(store, bytes, of, 10_000);
      expect(await ask<'complete'>(store, { op: 'complete', name: of })).toEqual(ok);
    }));
    for (const bytes of contents) expect(await bytesOf(store, nameOf(bytes))).toEqual(bytes);
    expect(store.counters.openFiles).toBeLessThanOrEqual(2);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => { release = resolve; });
    disk.beforeRead = () => held;
    const first = bytesOf(store, nameOf(contents[0] ?? content));
    expect(await ask<'begin'>(store, { op: 'begin', name })).toEqual(ok);
    release();
    expect(await first).toEqual(contents[0]);
  });

  it('go on after a caller that throws', async () => {
    const store = await openStore(newFolder());
    const thrown: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').once('uncaughtException', (error) => { thrown.push(error); });
    store.submit({ op: 'begin', name }, () => { throw new Error('of the caller'); });
    await writeAll(store, content);
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(ok);
    expect(thrown).toEqual([new Error('of the caller')]);
  });
});

describe('a disk', () => {
  it('keeps 64 MiB free of blobs', async () => {
    const disk = new FailingDisk();
    const store = await openStore(newFolder(), disk);
    disk.freeBytes = 64 * mebibyte + name.length - 1;
    expect(await ask<'begin'>(store, { op: 'begin', name })).toEqual(failed('disk-full'));
    expect(await ask<'load'>(store, { op: 'load' })).toEqual({ ok: true, value: [] });
    disk.freeBytes += 1;
    expect(await ask<'begin'>(store, { op: 'begin', name })).toEqual(ok);
    await writeAll(store, content);
    expect(store.counters.diskFull).toBe(1);
  });

  it.each([['ENOSPC', 'disk-full'], ['EDQUOT', 'disk-full'], ['EIO', 'io']] as const)('that fails with %s says %s, and no snapshot claims what was lost until the blob is begun again', async (code, failure) => {
    const folder = newFolder();
    const disk = new FailingDisk();
    const store = await openStore(folder, disk);
    await ask<'begin'>(store, { op: 'begin', name });
    await writeAll(store, content.slice(0, 100_000));
    await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot });
    disk.onWrite = code;
    expect(await ask<'write'>(store, { op: 'write', name, offset: 100_000, bytes: content.slice(100_000, 200_000) })).toEqual(failed(failure));
    disk.onWrite = undefined;
    expect(await ask<'write'>(store, { op: 'write', name, offset: 200_000, bytes: content.slice(200_000) })).toEqual(ok);
    expect(await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot: Uint8Array.of(9) })).toEqual(failed(failure));
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(failed(failure));
    expect(new Uint8Array(readFileSync(fileOf(folder, 'snapshot')))).toEqual(snapshot);
    await ask<'begin'>(store, { op: 'begin', name });
    await writeAll(store, content);
    expect(await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot: Uint8Array.of(9) })).toEqual(ok);
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(ok);
  });

  it('that could not sync is not believed when the next sync succeeds', async () => {
    const disk = new FailingDisk();
    const store = await openStore(newFolder(), disk);
    await ask<'begin'>(store, { op: 'begin', name });
    await writeAll(store, content);
    disk.onSync = 'EIO';
    expect(await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot })).toEqual(failed('io'));
    disk.onSync = undefined;
    expect(await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot })).toEqual(failed('io'));
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(failed('io'));
    await ask<'begin'>(store, { op: 'begin', name });
    await writeAll(store, content);
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(ok);
  });

  it('that lets a write fail lets all fail that went with it, and others not', async () => {
    const disk = new FailingDisk();
    const store = await openStore(newFolder(), disk);
    await ask<'begin'>(store, { op: 'begin', name });
    disk.onWrite = 'ENOSPC';
    const other = nameOf(contentOf(5, 10));
    const results = await Promise.all([0, 1, 2, 3].map((part) => ask<'write'>(store, { op: 'write', name, offset: part * 1_000, bytes: new Uint8Array(1_000) })));
    disk.onWrite = undefined;
    expect(results).toEqual(Array.from({ length: 4 }, () => failed('disk-full')));
    await ask<'begin'>(store, { op: 'begin', name: other });
    expect(await ask<'checkpoint'>(store, { op: 'checkpoint', name: other, snapshot })).toEqual(ok);
  });
});

describe('damage', () => {
  it('is found by complete, and the blob is deleted', async () => {
    const folder = newFolder();
    const store = await openStore(folder);
    await ask<'begin'>(store, { op: 'begin', name });
    await writeAll(store, content);
    await ask<'checkpoint'>(store, { op: 'checkpoint', name, snapshot });
    const spoilt = readFileSync(fileOf(folder, 'part'));
    spoilt[400_000] = (spoilt[400_000] ?? 0) ^ 1;
    writeFileSync(fileOf(folder, 'part'), spoilt);
    expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(failed('damaged'));
    expect(readdirSync(folder)).toEqual([]);
    expect(store.counters.damaged).toBe(1);
  });

  it('is a file that is too short or too long', async () => {
    for (const length of [content.length - 1, content.length + 1]) {
      const folder = newFolder();
      const store = await openStore(folder);
      await ask<'begin'>(store, { op: 'begin', name });
      await writeAll(store, content);
      truncateSync(fileOf(folder, 'part'), length);
      expect(await ask<'complete'>(store, { op: 'complete', name })).toEqual(failed('damaged'));
    }
  });

  it('of a record is mended, and of a complete blob without one found', async () => {
    const folder = newFolder();
    let store = await completed(folder);
    const record = readFileSync(fileOf(folder, 'record'));
    const stored = { ok: true, value: new Uint8Array(record) };
    for (const spoil of [(): void => { writeFileSync(fileOf(folder, 'record'), record.subarray(1)); }, (): void => { writeFileSync(fileOf(folder, 'record'), Buffer.from(record).fill(1, 90, 91)); }]) {
      spoil();
      expect(await ask<'read-record'>(store, { op: 'read-record', name })).toEqual(stored);
      expect(readFileSync(fileOf(folder, 'record'))).toEqual(record);
    }
    expect(store.counters.recordsRemade).toBe(2);
    await store.close();
    const spoilt = Buffer.from(content);
    spoilt[7] = (spoilt[7] ?? 0) ^ 1;
    writeFileSync(fileOf(folder, 'blob'), spoilt);
    writeFileSync(fileOf(folder, 'record'), '');
    store = await openStore(folder);
    expect(await ask<'read-record'>(store, { op: 'read-record', name })).toEqual(failed('damaged'));
    expect(await ask<'load'>(store, { op: 'load' })).toEqual({ ok: true, value: [] });
  });
});

describe('at open', () => {
  it('what a crash left is taken away, what is not ours is left alone', async () => {
    const folder = newFolder();
    await (await completed(folder)).close();
    const of = (seed: number): string => baseOf(nameOf(contentOf(seed, 100)));
    const put = (file: string): void => { writeFileSync(join(folder, file), contentOf(1, 100)); };
    const leftovers = [`${baseOf(name)}.part`, `${baseOf(name)}.snapshot`, `${of(4)}.snapshot`, `${of(5)}.record`, `${of(6)}.record`, `${of(6)}.snapshot.new`, `${of(7)}.record.new`,
      'import-01234567-89ab-cdef-0123-456789abcdef.new', `${of(8).slice(0, 65)}99.blob`];
    const kept = [`${of(6)}.part`, `${of(6)}.snapshot`, `${of(9)}.part`, 'notes.txt', 'x.blob', `${of(1)}.blob.bak`];
    [...leftovers, ...kept].forEach(put);
    const store = await openStore(folder);
    expect(readdirSync(folder).sort()).toEqual([...kept, `${baseOf(name)}.blob`, `${baseOf(name)}.record`].sort());
    const loaded = await ask<'load'>(store, { op: 'load' });
    if (!loaded.ok) throw new Error(loaded.failure);
    expect(loaded.value.map(({ name: found, complete, snapshot: stored }) => [baseOf(found), complete, stored?.length]).sort()).toEqual([
      [baseOf(name), true, undefined], [of(6), false, 100], [of(9), false, undefined],
    ].sort());
    expect(await bytesOf(store)).toEqual(content);
  });

  it('a folder that cannot be made says so', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    await expect(BlobStore.open({ folder: join(file, 'blobs'), tree, crypto })).rejects.toMatchObject({ code: 'profile-unwritable' });
    expect(existsSync(file)).toBe(true);
  });
});
