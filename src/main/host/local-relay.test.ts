import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalRelay, type OpenToFriends } from './local-relay.ts';
import type { RuntimeOptions, VisorRuntime } from './visor-runtime.ts';

const opened: OpenToFriends = { port: undefined, policy: { mailbox: { letters: 9, bytes: 9_000 }, circuitsPerHour: { packets: 5, bytes: 5_000 } } };

describe('the relay beside a visor', () => {
  let directory: string;
  let started: RuntimeOptions[];
  let stopped: number;
  let members: (readonly string[])[];
  beforeEach(() => {
    directory = path.join(mkdtempSync(path.join(tmpdir(), 'waypost-local-relay-')), 'relay');
    [started, stopped, members] = [[], 0, []];
  });
  afterEach(() => { rmSync(path.dirname(directory), { recursive: true, force: true }); });

  const relayOf = (): LocalRelay => new LocalRelay({
    directory, localKey: new Uint8Array(32).fill(1), allowed: ['own'],
    startHost: (options) => {
      started.push(options);
      return Promise.resolve({
        publicKey: 'relay', listen: { host: options.listenHost ?? '::', port: options.listenPort === 0 ? 7_123 : options.listenPort }, ended: new Promise(() => undefined),
        setMembers: (list: readonly string[]) => { members.push(list); }, stop: () => { stopped += 1; return Promise.resolve(); },
      } as unknown as VisorRuntime);
    },
  });

  it('opens to friends at the port that it has, and is for this computer alone again after that', async () => {
    const relay = relayOf();
    expect(await relay.start()).toEqual({ publicKey: 'relay', host: '127.0.0.1', port: 7_123 });
    relay.setMembers(['anna']);
    expect(await relay.open(opened)).toEqual({ publicKey: 'relay', host: '127.0.0.1', port: 7_123 });
    expect(await relay.open(opened)).toEqual({ publicKey: 'relay', host: '127.0.0.1', port: 7_123 });
    relay.setMembers(['anna', 'ben', 'own']);
    await relay.open(undefined);
    expect([stopped, relay.isOpen]).toEqual([2, false]);
    expect(started.map(({ listenHost, listenPort, relay: policy }) => [listenHost, listenPort, policy])).toEqual([
      ['127.0.0.1', 0, { registration: { list: ['own'] } }],
      [undefined, 7_123, { registration: { list: ['own', 'anna'] }, ...opened.policy }],
      ['127.0.0.1', 7_123, { registration: { list: ['own', 'anna', 'ben'] } }],
    ]);
    expect(members).toEqual([['own', 'anna'], ['own', 'anna', 'ben']]);
    await relay.stop();
  });

  it('that nobody has needed is not started by being closed', async () => {
    const relay = relayOf();
    expect(await relay.open(undefined)).toBeUndefined();
    expect(started).toEqual([]);
    expect(await relay.open({ ...opened, port: 7_500 })).toMatchObject({ port: 7_500 });
    await relay.stop();
  });
});
