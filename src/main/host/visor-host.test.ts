/** The engine in its thread, seen from the main thread: what breaks there ends in a clear error here, and what was confirmed stays. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../shared/contract.ts';
import { createClient } from '../../shared/transport.ts';
import { breakingWorker, breakMessage, breakNotice, endNotice } from './engine-worker-testing.ts';
import { startVisorHost } from './visor-host.ts';
import type { RuntimeOptions, VisorRuntime } from './visor-runtime.ts';

/** A key that exists and belongs to nobody here: the generator of the curve. */
const someKey = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const conversationId = `${someKey}:1`;

let directory: string;
let runtimes: VisorRuntime[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'waypost-host-'));
  runtimes = [];
});
afterEach(async () => {
  await Promise.all(runtimes.map((runtime) => runtime.stop()));
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function start(entry: string | URL = breakingWorker): Promise<{ runtime: VisorRuntime; client: Client }> {
  const options: RuntimeOptions = {
    directory, identitySecret: new Uint8Array(32).fill(7), localKey: new Uint8Array(32).fill(8), initialName: 'Ann', visor: true, relay: undefined,
    listenHost: '127.0.0.1', listenPort: 0, confirmClock: false, notices: [],
  };
  const runtime = await startVisorHost(options, entry);
  runtimes.push(runtime);
  return { runtime, client: createClient(runtime.pipe) };
}

const waiting = async (client: Client): Promise<string[]> => (await client.state.snapshot()).view.outbox.filter((item) => item.kind === 'message').map((item) => item.messageId);
const texts = async (client: Client): Promise<string[]> => (await client.messages.page({ conversationId, limit: 50 })).messages.map((message) => message.text);

describe('an engine whose thread breaks', () => {
  it('answers what was asked of it with one code, says why it ended, and leaves what it had confirmed', async () => {
    const first = await start();
    const sent = await first.client.messages.send({ to: someKey, text: 'confirmed' });
    first.runtime.setHostNotices([breakNotice]);
    const unheard = first.client.messages.send({ to: someKey, text: 'never heard' });
    const command = first.runtime.command({ name: 'rename-self', as: 'Eve' });
    await expect(unheard).rejects.toMatchObject({ code: 'not-running', message: 'Waypost has stopped. Start it again.' });
    await expect(command).rejects.toMatchObject({ code: 'not-running', message: 'Waypost has stopped. Start it again.' });
    expect(await first.runtime.ended).toEqual({ kind: 'crashed', message: breakMessage });

    const second = await start();
    expect(await waiting(second.client)).toEqual([sent.id]);
    expect(await texts(second.client)).toEqual(['confirmed']);
    expect((await second.client.state.snapshot()).view.identity.name).toBe('Ann');
  });

  it('has kept what it was just writing whole or not at all', async () => {
    const first = await start();
    const sent = await first.client.messages.send({ to: someKey, text: 'first' });
    const underWay = Array.from({ length: 20 }, (_, index) => first.client.messages.send({ to: someKey, text: `under way ${String(index)}` }));
    first.runtime.setHostNotices([breakNotice]);
    const outcomes = await Promise.allSettled(underWay);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'not-running' } });

    const second = await start();
    const ids = await waiting(second.client);
    const { messages } = await second.client.messages.page({ conversationId, limit: 50 });
    expect(ids).toContain(sent.id);
    expect(messages.map((message) => message.id).sort()).toEqual([...ids].sort());
    expect(messages.map((message) => message.text)).toEqual(['first', ...Array.from({ length: ids.length - 1 }, (_, index) => `under way ${String(index)}`)]);
  });

  it('answers at once after its end, and calls to it do no harm', async () => {
    const { runtime, client } = await start();
    runtime.setHostNotices([breakNotice]);
    await runtime.ended;
    await expect(client.state.snapshot()).rejects.toMatchObject({ code: 'not-running' });
    await expect(runtime.command({ name: 'retry-all' })).rejects.toMatchObject({ code: 'not-running' });
    runtime.networkChanged();
    runtime.setHostNotices([]);
    runtime.setEcho({ state: 'absent' });
    expect(runtime.pipe.listen('state.patch', () => undefined)).toBeTypeOf('function');
    await runtime.stop();
    await runtime.stop();
  });

  it('counts as broken too when it ends without an error, and as stopped only when it was asked', async () => {
    const broken = await start();
    broken.runtime.setHostNotices([endNotice]);
    expect(await broken.runtime.ended).toEqual({ kind: 'crashed', message: 'the thread ended with code 3' });
    const stopped = await start();
    await stopped.runtime.stop();
    expect(await stopped.runtime.ended).toEqual({ kind: 'stopped' });
  });

  it('says so when it does not get as far as running', async () => {
    await expect(start(new URL('data:text/javascript,throw new Error("secret detail")'))).rejects.toMatchObject({ code: 'internal', message: expect.not.stringContaining('secret') as string });
    await expect(start(new URL('data:text/javascript,process.exit(0)'))).rejects.toMatchObject({ code: 'internal' });
  });
});
