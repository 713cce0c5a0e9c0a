import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { namedFetchSchema, publishedSchema, type Handlers } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import type { EngineCommand } from '../../engine/command-types.ts';
import type { EngineInspection, NamedFetchStatus, PublishedStatus } from '../../engine/inspection-types.ts';
import { nobleCrypto } from '../../engine/noble-crypto.ts';
import { BlobStore } from '../blobs/blob-store.ts';
import { nameOf, tree } from '../blobs/testing.ts';
import type { ApiContext } from './api-context.ts';
import { FakeInspection, keyOf, relayStatus } from './fake-inspection.ts';
import { createNameHandlers } from './names.ts';

const bob = keyOf(2);
const bytes = new Uint8Array(70_000).fill(3);

class NamesInspection extends FakeInspection {
  statuses: readonly PublishedStatus[] = [];
  fetch: NamedFetchStatus | undefined;
  override published(): ReturnType<EngineInspection['published']> { return this.statuses; }
  override namedFetch(): ReturnType<EngineInspection['namedFetch']> { return this.fetch; }
}

let directory: string;
let source: string;
let blobs: BlobStore;
let engine: NamesInspection;
let commands: EngineCommand[];
let refusal: WaypostError | undefined;
let names: Handlers['names'];

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'waypost-names-'));
  source = path.join(directory, 'guide.txt');
  writeFileSync(source, bytes);
  blobs = await BlobStore.open({ folder: path.join(directory, 'blobs'), tree, crypto: nobleCrypto });
  engine = new NamesInspection();
  engine.relays = [relayStatus(keyOf(9))];
  commands = [];
  refusal = undefined;
  const context = {
    blobs,
    stopping: new AbortController().signal,
    inspect: () => engine,
    command(command: EngineCommand): Promise<unknown> {
      commands.push(command);
      if (refusal !== undefined) return Promise.reject(refusal);
      if (command.name === 'publish') {
        const row = { path: command.path, content: command.content, mediaType: command.mediaType, sequence: 7, notAfterSeconds: 9, publishedAtMs: 11 };
        engine.statuses = [{ row, content: command.content, file: { state: { state: 'waiting', reason: 'no-source', doneBytes: 0 }, holders: [] } }];
      }
      return Promise.resolve(undefined);
    },
  };
  names = createNameHandlers(context as unknown as ApiContext);
});
afterEach(async () => {
  await blobs.close();
  rmSync(directory, { recursive: true, force: true });
});

const blobFiles = (): readonly string[] => readdirSync(path.join(directory, 'blobs')).filter((name) => name.endsWith('.blob'));

describe('publishing', () => {
  it('copies the file in the clear, says so, and tells where it is found', async () => {
    const published = publishedSchema.parse(await names.publish({ name: 'docs/guide.txt', path: source }));
    expect(commands).toEqual([{ name: 'publish', path: 'docs/guide.txt', content: nameOf(bytes), mediaType: 'text/plain' }]);
    expect(published).toMatchObject({ name: 'docs/guide.txt', hints: [`${keyOf(9)}@relay.example:7400`], expiresAtMs: 9_000, file: { name: 'guide.txt', sizeBytes: bytes.length } });
    expect((await names.list()).published).toEqual([published]);
    expect(new Uint8Array(readFileSync(path.join(directory, 'blobs', blobFiles()[0] ?? '')))).toEqual(bytes);
  });

  it('keeps nothing of what the engine refuses, unless it is published already', async () => {
    refusal = new WaypostError('refused', 'No.');
    await expect(names.publish({ name: 'a', path: source })).rejects.toBe(refusal);
    expect(blobFiles()).toEqual([]);
    refusal = undefined;
    await names.publish({ name: 'a', path: source });
    refusal = new WaypostError('refused', 'No.');
    await expect(names.publish({ name: 'b', path: source })).rejects.toBe(refusal);
    expect(blobFiles()).toHaveLength(1);
  });

  it.each([
    [{ name: '../a', path: '/x' }, 'bad-name'],
    [{ name: 'a', path: 'relative.txt' }, 'invalid-argument'],
    [{ name: 'a', path: '/', mediaType: 'text/plain' }, 'file-unreadable'],
    [{ name: 'a', path: '/x', mediaType: 'no type' }, 'invalid-argument'],
  ])('refuses %j', async (argument, code) => {
    await expect(names.publish(argument)).rejects.toMatchObject({ code });
    expect(commands).toEqual([]);
  });
});

describe('fetching', () => {
  const found = { content: nameOf(bytes), mediaType: 'text/plain', sequence: 5 };

  it('begins, tells how far it is, and with which relays', async () => {
    engine.fetch = { found: undefined, state: { state: 'waiting', reason: 'no-source', doneBytes: 0 }, failure: undefined };
    const hint = `${keyOf(9)}@relay.example:7400`;
    expect(namedFetchSchema.parse(await names.fetch({ publicKey: bob, name: 'a/b', relay: hint }))).toEqual({ publicKey: bob, name: 'a/b' });
    expect(commands).toEqual([{ name: 'fetch-named', publicKey: bob, path: 'a/b', relay: { publicKey: keyOf(9), host: 'relay.example', port: 7_400 }, begin: true }]);
    engine.fetch = { found, state: { state: 'moving', doneBytes: 10.5, bytesPerSecond: 3, sources: [{ kind: 'relay', relay: keyOf(9) }] }, failure: undefined };
    expect(namedFetchSchema.parse(await names.fetched({ publicKey: bob, name: 'a/b' }))).toMatchObject({ sequence: 5, file: { name: 'b', sizeBytes: 70_000, state: { state: 'moving', doneBytes: 10 } } });
  });

  it.each([['unreachable', 'timeout'], ['no-relay', 'not-found'], ['unknown', 'not-found'], ['withdrawn', 'not-found'], ['too-large', 'file-too-large'], ['disk-full', 'disk-full'], ['damaged', 'file-damaged']] as const)(
    'says why nothing came: %s', async (failure, code) => {
      engine.fetch = { found: undefined, state: { state: 'failed', reason: 'gone' }, failure };
      expect(namedFetchSchema.parse(await names.fetched({ publicKey: bob, name: 'a' })).failure?.code).toBe(code);
    });

  it('saves what is all here, once, and nothing before', async () => {
    await names.publish({ name: 'a', path: source });
    const target = path.join(directory, 'copy');
    engine.fetch = { found, state: { state: 'moving', doneBytes: 1, bytesPerSecond: 1, sources: [] }, failure: undefined };
    await expect(names.save({ publicKey: bob, name: 'a', path: target })).rejects.toMatchObject({ code: 'file-not-here' });
    engine.fetch = { found, state: { state: 'ready' }, failure: undefined };
    expect(await names.save({ publicKey: bob, name: 'a', path: target })).toEqual({ path: target });
    expect(new Uint8Array(readFileSync(target))).toEqual(bytes);
    await expect(names.save({ publicKey: bob, name: 'a', path: target })).rejects.toMatchObject({ code: 'file-exists' });
    await expect(names.save({ publicKey: bob, name: 'a', path: 'copy' })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  it('refuses bad names and hints, and what is not being fetched', async () => {
    await expect(names.fetch({ publicKey: bob, name: 'A' })).rejects.toMatchObject({ code: 'bad-name' });
    await expect(names.fetch({ publicKey: bob, name: 'a', relay: 'nowhere' })).rejects.toMatchObject({ code: 'bad-relay' });
    expect(commands).toEqual([]);
    await expect(names.fetched({ publicKey: bob, name: 'a' })).rejects.toMatchObject({ code: 'not-found' });
  });
});
