/** What is behind the window when a part of it breaks or finds its port taken: it runs again by itself, with what was confirmed. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { createClient } from '../../shared/transport.ts';
import type { RelayView } from '../../shared/relay-views.ts';
import { connectControlSocket } from '../host/control-client.ts';
import { breakingWorker, breakNotice } from '../host/engine-worker-testing.ts';
import { profileAt } from '../host/profile.ts';
import { startVisorHost } from '../host/visor-host.ts';
import type { RuntimeOptions, VisorRuntime } from '../host/visor-runtime.ts';
import { workerFile } from '../host/worker-file.ts';
import { Backend } from './backend.ts';
import { LocalRelay } from '../host/local-relay.ts';
import { forkAsNode } from './node-helper.ts';

const echoFile = path.join(path.dirname(workerFile('echo-process')), 'echo-process.ts');
const patience = { timeout: 30_000 };
const slow = 90_000;
const sealer = {
  backend: 'test_store',
  seal: (plaintext: Uint8Array) => Promise.resolve(plaintext.map((byte) => byte ^ 0xff)),
  open: (sealed: Uint8Array) => Promise.resolve(sealed.map((byte) => byte ^ 0xff)),
};

let directory: string;
let cleanups: (() => Promise<unknown>)[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'waypost-restart-'));
  cleanups = [];
});
afterEach(async () => {
  await Promise.all(cleanups.map((cleanup) => cleanup()));
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  readonly backend: Backend;
  readonly client: Client;
  readonly patches: { sequence: number; changes: unknown[] }[];
  /** Those of the visor, in the order of their starts. */
  readonly runtimes: VisorRuntime[];
  /** Whether the visor may start; otherwise it fails with this code. */
  refuse: 'disk-full' | undefined;
}

async function startBackend(): Promise<Started> {
  const patches: Started['patches'] = [];
  const runtimes: VisorRuntime[] = [];
  const backend = new Backend({
    profile: profileAt(directory), sealer, platform: 'test', forkEcho: () => forkAsNode(echoFile), stopRequested: () => undefined,
    notify: (name, payload) => { if (name === 'state.patch') patches.push(payload as Started['patches'][number]); },
    startHost: async (options) => {
      if (started.refuse !== undefined) throw new WaypostError(started.refuse, 'The disk is full.');
      const runtime = await startVisorHost(options, breakingWorker);
      runtimes.push(runtime);
      return runtime;
    },
  });
  // Whatever still writes would make the folder anew after it was removed.
  cleanups.push(() => backend.ended());
  const started: Started = { backend, client: createClient({ ...backend.pipe, listen: () => () => undefined }), patches, runtimes, refuse: undefined };
  await backend.start();
  return started;
}

const relays = async (client: Client): Promise<Pick<RelayView, 'role' | 'address' | 'state'>[]> =>
  (await client.state.snapshot()).view.relays.map(({ role, address, state }) => ({ role, address, state }));
const connectedRelay = async (client: Client): Promise<string> => {
  await expect.poll(async () => (await relays(client).catch(() => []))[0]?.state, patience).toBe('connected');
  return (await relays(client))[0]?.address ?? '';
};
const texts = async (client: Client, conversationId: string): Promise<string[]> => (await client.messages.page({ conversationId, limit: 50 })).messages.map((message) => message.text);

async function occupy(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  await once(socket, 'listening');
  cleanups.push(() => new Promise((resolve) => { socket.close(() => { resolve(undefined); }); }));
  return socket;
}

describe('a visor whose thread breaks', () => {
  it('is started again with what was confirmed, while windows and programs keep asking', async () => {
    const started = await startBackend();
    const { client, runtimes } = started;
    await client.account.create({ name: 'Ann' });
    const address = await connectedRelay(client);
    const { conversationId } = await client.echo.start();
    const { id } = await client.messages.send({ to: conversationId, text: 'confirmed' });

    const [first] = runtimes;
    first?.setHostNotices([breakNotice]);
    const inFlight = client.messages.send({ to: conversationId, text: 'in flight' });
    await expect(inFlight).rejects.toMatchObject({ code: 'not-running' });
    // A window asks at once, and goes on asking; in the end all windows are told to ask anew.
    const asked = await client.state.snapshot().then(() => 'answered', (error: unknown) => (error instanceof WaypostError ? error.code : 'thrown'));
    expect(['answered', 'not-running']).toContain(asked);
    await expect.poll(async () => client.state.snapshot().then(() => 'answered', () => 'not yet'), patience).toBe('answered');
    await expect.poll(() => started.patches.some((patch) => patch.changes.length === 0), patience).toBe(true);
    expect(runtimes).toHaveLength(2);

    expect(await client.messages.get({ messageId: id })).toMatchObject({ text: 'confirmed' });
    expect((await texts(client, conversationId)).filter((text) => text === 'in flight')).toEqual([]);
    // One relay over one database, at the port that is known; one Echo; and the visor can be reached by programs.
    expect(await connectedRelay(client)).toBe(address);
    await expect.poll(() => texts(client, conversationId), patience).toContain('Echo: confirmed');
    const program = await connectControlSocket(profileAt(directory).controlAddress);
    if (program === undefined) throw new Error('nobody answers');
    expect(await texts(createClient(program), conversationId)).toContain('confirmed');
    program.close();
  }, slow);

  it('is tried again until it starts, though nobody asks', async () => {
    const started = await startBackend();
    await started.client.account.create({ name: 'Ann' });
    started.refuse = 'disk-full';
    started.runtimes[0]?.setHostNotices([breakNotice]);
    await started.runtimes[0]?.ended;
    await expect.poll(async () => started.client.state.snapshot().then(() => 'answered', (error: unknown) => (error instanceof WaypostError ? error.code : 'thrown')), patience).toBe('disk-full');
    started.refuse = undefined;
    await expect.poll(() => started.runtimes.length, patience).toBe(2);
    await expect.poll(() => started.patches.some((patch) => patch.changes.length === 0), patience).toBe(true);
  }, slow);
});

describe('the relay inside the app', () => {
  const rememberedPort = (relayDirectory: string): unknown => JSON.parse(readFileSync(path.join(relayDirectory, 'port.json'), 'utf8'));

  it('takes another port when its own is taken, and the visor and Echo follow', async () => {
    const before = await startBackend();
    await before.client.account.create({ name: 'Ann' });
    const { conversationId } = await before.client.echo.start();
    const address = await connectedRelay(before.client);
    await before.client.messages.send({ to: conversationId, text: 'one' });
    await expect.poll(() => texts(before.client, conversationId), patience).toEqual(['one', 'Echo: one']);
    await before.backend.stop();
    await occupy(Number(address.split(':')[1]));

    const { client } = await startBackend();
    await expect.poll(async () => (await relays(client))[0], patience).toMatchObject({ role: 'local', state: 'connected', address: expect.not.stringMatching(address) as string });
    const [moved, ...others] = await relays(client);
    expect(others).toEqual([]);
    expect(rememberedPort(profileAt(directory).relayDirectory)).toEqual({ port: Number(moved?.address.split(':')[1]) });
    await client.messages.send({ to: conversationId, text: 'two' });
    await expect.poll(() => texts(client, conversationId), patience).toEqual(['one', 'Echo: one', 'two', 'Echo: two']);
  }, slow);

  async function startRelay(startHost?: (options: RuntimeOptions) => Promise<VisorRuntime>, restarted?: () => void): Promise<{ relay: LocalRelay; port: number }> {
    const relay = new LocalRelay({ directory: path.join(directory, 'relay'), localKey: new Uint8Array(32).fill(5), allowed: [], ...(startHost === undefined ? {} : { startHost }), ...(restarted === undefined ? {} : { restarted }) });
    cleanups.push(() => relay.stop());
    return { relay, port: (await relay.start()).port };
  }

  it('comes back at the port that it remembers, also when another was taken meanwhile, and when the note of it is damaged', async () => {
    const first = await startRelay();
    await first.relay.stop();
    const second = await startRelay();
    expect(second.port).toBe(first.port);
    await second.relay.stop();
    await occupy(first.port);
    const third = await startRelay();
    expect(third.port).not.toBe(first.port);
    expect(rememberedPort(path.join(directory, 'relay'))).toEqual({ port: third.port });
    await third.relay.stop();
    const fourth = await startRelay();
    expect(fourth.port).toBe(third.port);
  }, slow);

  it('runs again at the same port after its thread broke, also when the first try fails, and says so when it is there', async () => {
    const runtimes: VisorRuntime[] = [];
    let failures = 0;
    const restarted = Promise.withResolvers<undefined>();
    const { relay, port } = await startRelay(async (options) => {
      // The first try to come back fails.
      if (runtimes.length === 1 && failures === 0) {
        failures += 1;
        throw new WaypostError('disk-full', 'The disk is full.');
      }
      const runtime = await startVisorHost(options, breakingWorker);
      runtimes.push(runtime);
      return runtime;
    }, () => { restarted.resolve(undefined); });
    runtimes[0]?.setHostNotices([breakNotice]);
    await restarted.promise;
    expect([runtimes.length, failures]).toEqual([2, 1]);
    expect((await relay.start()).port).toBe(port);
  }, slow);
});
