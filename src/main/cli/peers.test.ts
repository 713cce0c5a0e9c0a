/** `waypost peers` and `reach`: their words, and the verbs as real processes beside a visor that this test plays. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { serveCall } from '../../shared/transport.ts';
import { peerSchema, type PeerView } from '../../shared/peer-views.ts';
import { serveControlSocket, type ControlSocket } from '../host/control-socket.ts';
import { profileAt } from '../host/profile.ts';
import { peerWords } from './verbs/peers.ts';

const entry = path.join(import.meta.dirname, 'index.ts');
const slow = 60_000;
const bob = `02${'b'.repeat(64)}`;
const mill = `03${'a'.repeat(64)}`;

const usual = { sentBytes: 1, receivedBytes: 2 } as const;
const relay: PeerView = { ...usual, role: 'relay', paths: [], publicKey: mill, name: 'mill.example:7400', path: 'relay', address: '198.18.0.9:7400', roundTripMs: 20.4 };
const circuit = { kind: 'relay', relay: mill, relayName: 'mill.example:7400', isCurrent: true, isDoubtful: false } as const;
const byRelay: PeerView = { ...usual, role: 'contact', publicKey: bob, name: 'Bob', path: 'relay', kind: 'relay', relay: mill, paths: [circuit] };
const direct: PeerView = {
  ...usual, role: 'contact', publicKey: bob, name: 'Bob', path: 'direct', kind: 'direct', address: '198.18.7.1:61000',
  paths: [{ kind: 'direct', address: '198.18.7.1:61000', isCurrent: true, isDoubtful: false, roundTripMs: 9.6 }, { ...circuit, isCurrent: false, isDoubtful: true }],
};

describe('what is said of peers', () => {
  it('has a line for a relay, and one more for each path of a contact', () => {
    expect(peerWords(relay)).toBe(`${mill}  relay  198.18.0.9:7400  20 ms  mill.example:7400`);
    expect(peerWords(direct).split('\n')).toEqual([
      `${bob}  direct  198.18.7.1:61000  Bob`, '  direct  198.18.7.1:61000  (in use, 10 ms)', '  relay   through mill.example:7400  (does not answer at the moment)',
    ]);
  });
});

let directory: string;
let server: ControlSocket | undefined;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'waypost-cli-peers-')));
  mkdirSync(path.join(directory, 'p'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function play(peers: Handlers['peers']): Promise<void> {
  const handlers: Partial<Handlers> = { peers };
  server = await serveControlSocket(profileAt(path.join(directory, 'p')).controlAddress, { invoke: (call, argument) => serveCall(handlers, call, argument), listen: () => () => undefined });
}

function waypost(...words: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly error: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [entry, ...words, '--profile', path.join(directory, 'p')], { env: process.env });
    let [out, error] = ['', ''];
    child.stdout.on('data', (data: Buffer) => { out += data.toString('utf8'); });
    child.stderr.on('data', (data: Buffer) => { error += data.toString('utf8'); });
    child.on('close', (code) => { resolve({ code, out, error }); });
    child.stdin.end();
  });
}

/** Somebody who is reached by the relay when asked for, and by a direct path at the third look after that. */
function meeting(): { readonly handlers: Handlers['peers']; readonly asked: string[] } {
  const asked: string[] = [];
  let looks = 0;
  const contact = (): readonly PeerView[] => {
    if (asked.length === 0) return [];
    looks += 1;
    return [looks < 3 ? byRelay : direct];
  };
  return { asked, handlers: { list: () => Promise.resolve({ peers: [relay, ...contact()] }), reach: ({ publicKey }) => { asked.push(publicKey); return Promise.resolve(undefined); } } };
}

describe('waypost peers and reach', () => {
  it('lists relays and contacts with all paths, as the contract has them', async () => {
    await play({ list: () => Promise.resolve({ peers: [relay, direct] }), reach: () => Promise.resolve(undefined) });
    const { code, out } = await waypost('peers', '--json');
    expect([code, out.trim().split('\n').map((line) => peerSchema.parse(JSON.parse(line)))]).toEqual([0, [relay, direct]]);
  }, slow);

  it('connects to a contact and ends at the first path', async () => {
    const { handlers, asked } = meeting();
    await play(handlers);
    const { code, out } = await waypost('reach', bob.toUpperCase(), '--json');
    expect([code, asked, peerSchema.parse(JSON.parse(out))]).toEqual([0, [bob], byRelay]);
  }, slow);

  it('waits for a direct path where that is wanted', async () => {
    await play(meeting().handlers);
    const { code, out } = await waypost('reach', bob, '--wait', 'direct');
    expect([code, out]).toEqual([0, `${peerWords(direct)}\n`]);
  }, slow);

  it('ends with 1 and says what there is when nobody comes in time, and with 2 when it is misused', async () => {
    await play({ list: () => Promise.resolve({ peers: [relay] }), reach: ({ publicKey }) => (publicKey === bob ? Promise.resolve(undefined) : Promise.reject(new WaypostError('not-found', 'This is no contact.'))) });
    const [away, stranger, misused] = await Promise.all([waypost('reach', bob, '--timeout', '0'), waypost('reach', mill, '--timeout', '0'), waypost('reach', bob, '--wait', 'fast')]);
    expect([away.code, away.out, away.error]).toEqual([1, '', expect.stringContaining('They were not reached')]);
    expect([stranger.code, stranger.error]).toEqual([1, expect.stringContaining('(not-found)')]);
    expect(misused.code).toBe(2);
    await server?.close();
    await play({ list: () => Promise.resolve({ peers: [byRelay] }), reach: () => Promise.resolve(undefined) });
    const onlyByRelay = await waypost('reach', bob, '--wait', 'direct', '--timeout', '0', '--json');
    expect([onlyByRelay.code, peerSchema.parse(JSON.parse(onlyByRelay.out))]).toEqual([1, byRelay]);
  }, slow);
});
