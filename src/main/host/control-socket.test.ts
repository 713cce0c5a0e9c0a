import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClientPipe } from '../../shared/transport.ts';
import { connectControlSocket } from './control-client.ts';
import { serveControlSocket, type ControlSocket } from './control-socket.ts';

let directory: string;
let address: string;
let server: ControlSocket;
let calls: string[];
let emit: (path: string, payload: unknown) => void;
/** Calls of `visor.stop` wait for this, so that one can have many in flight. */
let gate: PromiseWithResolvers<void>;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'waypost-socket-'));
  address = path.join(directory, 'control.sock');
  calls = [];
  gate = Promise.withResolvers();
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  emit = (name, payload) => { for (const listener of listeners.get(name) ?? []) listener(payload); };
  const pipe: ClientPipe = {
    async invoke(name, argument) {
      calls.push(name);
      if (name === 'visor.stop') await gate.promise;
      return { ok: true, value: argument };
    },
    listen(name, listener) {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener));
      return () => { known.delete(listener); };
    },
  };
  server = await serveControlSocket(address, pipe);
});
afterEach(async () => {
  gate.resolve();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Sends raw bytes and gives all that came back until the server closed the connection. */
function sendRaw(...chunks: readonly (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(address, () => { for (const chunk of chunks) socket.write(chunk); });
    socket.on('data', (data) => { received += data.toString('utf8'); });
    socket.on('error', () => undefined);
    socket.on('close', () => { resolve(received); });
  });
}

async function client(): Promise<NonNullable<Awaited<ReturnType<typeof connectControlSocket>>>> {
  const connected = await connectControlSocket(address);
  if (connected === undefined) throw new Error('nobody answers');
  return connected;
}

describe('the local API socket', () => {
  it.skipIf(process.platform === 'win32')('may be opened by its owner alone', () => {
    expect(statSync(address).mode & 0o777).toBe(0o600);
  });

  it('answers calls, each to its own', async () => {
    const pipe = await client();
    const replies = await Promise.all([1, 2, 3].map((number) => pipe.invoke('messages.get', { number })));
    expect(replies).toEqual([1, 2, 3].map((number) => ({ ok: true, value: { number } })));
    pipe.close();
  });

  it('does not pass on calls that carry secrets or start processes', async () => {
    const pipe = await client();
    for (const name of ['account.revealWords', 'account.status', 'echo.start', 'nonsense', '__proto__.x']) {
      expect(await pipe.invoke(name, undefined)).toMatchObject({ ok: false, error: { code: 'invalid-argument' } });
    }
    expect(calls).toEqual([]);
    pipe.close();
  });

  it('sends notifications to those who asked for them', async () => {
    const pipe = await client();
    const heard = Promise.withResolvers<unknown>();
    pipe.listen('state.patch', heard.resolve);
    await pipe.invoke('messages.get', {});
    emit('state.patch', { sequence: 1 });
    expect(await heard.promise).toEqual({ sequence: 1 });
    pipe.close();
  });

  it.each([
    ['no JSON', ['not json\n']],
    ['an unknown shape', ['{"id":"one","path":"visor.statistics"}\n']],
    ['more fields than there are', ['{"id":1,"path":"visor.statistics","shell":"rm"}\n']],
    ['bytes that are no UTF-8', [new Uint8Array([0xff, 0xfe, 0x0a])]],
    ['a line without end', ['x'.repeat(600_000), 'x'.repeat(600_000)]],
  ])('ends a connection that sends %s', async (_what, chunks) => {
    expect(await sendRaw(...chunks)).toBe('');
    expect(calls).toEqual([]);
  });

  it('takes a line in pieces and several lines at once', async () => {
    const line = '{"id":1,"path":"messages.get","argument":"é"}\n';
    const bytes = Buffer.from(line + line.replace('1', '2'));
    const answers = new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(address, () => { for (const byte of bytes) socket.write(Uint8Array.of(byte)); });
      socket.on('data', (data) => {
        received += data.toString('utf8');
        if (received.split('\n').length === 3) socket.end(() => { resolve(received); });
      });
    });
    expect((await answers).split('\n').slice(0, 2).map((answer) => (JSON.parse(answer) as { id: number }).id)).toEqual([1, 2]);
  });

  it('reads no further while 32 calls are in flight', async () => {
    const socket = connect(address);
    const line = (id: number): string => `${JSON.stringify({ id, path: 'visor.stop' })}\n`;
    for (let id = 0; id < 32; id += 1) socket.write(line(id));
    await expect.poll(() => calls.length).toBe(32);
    socket.write(line(32));
    const other = await client();
    await other.invoke('messages.get', {});
    expect(calls.filter((name) => name === 'visor.stop')).toHaveLength(32);
    gate.resolve();
    await expect.poll(() => calls.filter((name) => name === 'visor.stop').length).toBe(33);
    socket.destroy();
    other.close();
  });

  it('refuses a call that is too long before sending it, and says when the other side has gone', async () => {
    const pipe = await client();
    expect(await pipe.invoke('messages.send', 'x'.repeat(1_100_000))).toMatchObject({ ok: false, error: { code: 'message-too-large' } });
    const pending = pipe.invoke('visor.stop', undefined);
    await expect.poll(() => calls).toEqual(['visor.stop']);
    await server.close();
    expect(await pending).toMatchObject({ ok: false, error: { code: 'not-running' } });
    expect(await connectControlSocket(address)).toBeUndefined();
  });
});
