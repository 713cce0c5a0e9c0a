import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../shared/contract.ts';
import { createClient } from '../../shared/transport.ts';
import { connectControlSocket } from '../host/control-client.ts';
import { profileAt } from '../host/profile.ts';
import type { SecretSealer } from '../host/vault.ts';
import { workerFile } from '../host/worker-file.ts';
import { Backend } from './backend.ts';
import { forkAsNode } from './node-helper.ts';

const sealer: SecretSealer = {
  backend: 'test_store',
  seal: (plaintext) => Promise.resolve(plaintext.map((byte) => byte ^ 0xff)),
  open: (sealed) => Promise.resolve(sealed.map((byte) => byte ^ 0xff)),
};
const echoFile = path.join(path.dirname(workerFile('echo-process')), 'echo-process.ts');
const patience = { timeout: 15_000 };

let directory: string;
let backends: Backend[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'waypost-backend-'));
  backends = [];
});
afterEach(async () => {
  // Whatever still writes would make the folder anew after it was removed.
  await Promise.all(backends.map(async (backend) => { await backend.stop(); await backend.ended(); }));
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Started { readonly backend: Backend; readonly client: Client; readonly notifications: { path: string; payload: unknown }[] }

async function startBackend(withSealer: SecretSealer | 'none' = sealer): Promise<Started> {
  const notifications: Started['notifications'] = [];
  const backend = new Backend({
    profile: profileAt(directory), sealer: withSealer === 'none' ? undefined : withSealer, platform: 'test', forkEcho: () => forkAsNode(echoFile),
    notify: (name, payload) => { notifications.push({ path: name, payload }); }, stopRequested: () => undefined,
  });
  backends.push(backend);
  await backend.start();
  return { backend, client: createClient({ ...backend.pipe, listen: () => () => undefined }), notifications };
}

describe('everything behind the window', () => {
  it('asks for an identity first, makes one, and knows it after a restart', async () => {
    const { backend, client, notifications } = await startBackend();
    expect(await client.account.status()).toEqual({ phase: 'none', protection: 'os', platform: 'test' });
    await expect(client.state.snapshot()).rejects.toMatchObject({ code: 'no-identity' });
    expect(await client.account.create({ name: 'Ann' })).toMatchObject({ phase: 'ready', protection: 'os' });
    await expect(client.account.create({ name: 'Eve' })).rejects.toMatchObject({ code: 'identity-exists' });
    expect(notifications).toContainEqual({ path: 'account.changed', payload: { phase: 'ready', protection: 'os', platform: 'test' } });

    const { words } = await client.account.revealWords();
    expect(await client.account.confirmWords({ answers: [0, 5, 23].map((position) => ({ position, word: 'wrong' })) })).toEqual({ correct: false });
    expect(await client.account.confirmWords({ answers: [0, 5, 23].map((position) => ({ position, word: ` ${words[position]?.toUpperCase() ?? ''}` })) })).toEqual({ correct: true });
    await client.account.rename({ name: 'Anna' });
    const before = (await client.state.snapshot()).view;
    expect(before.identity).toMatchObject({ name: 'Anna', wordsConfirmed: true });
    await backend.stop();

    const again = await startBackend();
    expect(await again.client.account.status()).toMatchObject({ phase: 'ready' });
    expect((await again.client.state.snapshot()).view.identity).toEqual(before.identity);
    for (const file of ['identity.json', 'lock.pid']) expect(readFileSync(path.join(directory, file), 'utf8')).not.toContain(words[0] ?? '');
  });

  it('stays locked under a passphrase until it is the right one', async () => {
    const { backend, client } = await startBackend('none');
    expect(await client.account.status()).toMatchObject({ protection: 'unavailable' });
    await expect(client.account.create({ name: 'Ann' })).rejects.toMatchObject({ code: 'invalid-argument' });
    await client.account.create({ name: 'Ann', passphrase: 'right' });
    await backend.stop();
    const again = (await startBackend('none')).client;
    expect(await again.account.status()).toMatchObject({ phase: 'locked', protection: 'passphrase' });
    await expect(again.state.snapshot()).rejects.toMatchObject({ code: 'identity-locked' });
    await expect(again.account.unlock({ passphrase: 'wrong' })).rejects.toMatchObject({ code: 'wrong-passphrase' });
    expect(await again.account.unlock({ passphrase: 'right' })).toMatchObject({ phase: 'ready' });
    expect((await again.state.snapshot()).view.identity.name).toBe('Ann');
  });

  it('has a relay of its own when it has no other, at the same port after a restart', async () => {
    const { backend, client } = await startBackend();
    await client.account.create({ name: 'Ann' });
    const relays = async (from: Client): Promise<{ role: string; address: string; state: string }[]> =>
      (await from.state.snapshot()).view.relays.map(({ role, address, state }) => ({ role, address, state }));
    await expect.poll(async () => (await relays(client))[0]?.state, patience).toBe('connected');
    const first = await relays(client);
    expect(first).toEqual([{ role: 'local', address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string, state: 'connected' }]);
    await backend.stop();
    const again = await startBackend();
    await expect.poll(async () => (await relays(again.client))[0]?.state, patience).toBe('connected');
    expect(await relays(again.client)).toEqual(first);
  });

  it('talks to Echo from end to end, and messages wait while Echo is away', async () => {
    const { client, notifications } = await startBackend();
    await client.account.create({ name: 'Ann' });
    await expect(client.echo.setOnline({ online: false })).rejects.toMatchObject({ code: 'not-found' });
    const { conversationId } = await client.echo.start();
    const texts = async (): Promise<string[]> => (await client.messages.page({ conversationId, limit: 50 })).messages.map((message) => message.text);

    await client.messages.send({ to: conversationId, text: 'hello' });
    await expect.poll(texts, patience).toEqual(['hello', 'Echo: hello']);
    expect(notifications.some(({ path: name }) => name === 'state.patch')).toBe(true);

    await client.echo.setOnline({ online: false });
    await expect.poll(async () => (await client.state.snapshot()).view.echo.state, patience).toBe('offline');
    const { id } = await client.messages.send({ to: conversationId, text: 'are you there?' });
    await expect.poll(async () => (await client.messages.get({ messageId: id })).headline.state, patience).toBe('stored');
    await client.echo.setOnline({ online: true });
    await expect.poll(async () => (await texts()).at(-1), patience).toBe('Echo: are you there?');
    await expect.poll(async () => (await client.messages.get({ messageId: id })).headline.state, patience).toBe('delivered');
    expect((await client.state.snapshot()).view.echo.state).toBe('online');
  }, 60_000);

  it('serves the command line beside the window, without secrets', async () => {
    const { client } = await startBackend();
    await client.account.create({ name: 'Ann' });
    const connected = await connectControlSocket(profileAt(directory).controlAddress);
    if (connected === undefined) throw new Error('nobody answers');
    expect((await createClient(connected).state.snapshot()).view.identity.name).toBe('Ann');
    await expect(createClient(connected).account.revealWords()).rejects.toMatchObject({ code: 'invalid-argument' });
    connected.close();
  });

  it('refuses a second one on the same profile and leaves nothing of it behind', async () => {
    await startBackend();
    await expect(startBackend()).rejects.toMatchObject({ code: 'profile-in-use' });
    expect(existsSync(path.join(directory, 'identity.json'))).toBe(false);
  });
});
