/**
 * Waypost through NATs, as people use it: two visors who are online at two relays, of whom one has the other's invite link. Dialling is using the link; from then on each writes to the other, and an
 * echo is a letter there and one back, each committed to disk on both sides. The session goes by a circuit at first and directly as soon as it can. All settings are the defaults; what
 * each knows of its own network, it found out before, as a program does that has been running for a while.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import { createIdentitySecret } from '../../src/main/host/identity-setup.ts';
import { createLocalKey } from '../../src/main/host/vault.ts';
import { startVisorRuntime, type VisorRuntime } from '../../src/main/host/visor-runtime.ts';
import { createClient } from '../../src/shared/transport.ts';
import type { Client } from '../../src/shared/contract.ts';
import type { PeerView } from '../../src/shared/peer-views.ts';
import type { Traverser } from './traverser.ts';

const relayPort = 7_400;
const observePort = 7_401;
const relays = 2;
const onlinePatienceMs = 30_000;
const lookAgainMs = 5;
const inboxPage = 100;

/** Processes here are killed, and leave their files to the next one at the same place. */
function emptyFolder(name: string): string {
  const folder = path.join(tmpdir(), 'waypost-nat-matrix', `${process.env['NATLAB'] ?? ''}-${process.env['NATLAB_HOST'] ?? ''}-${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

function start(name: string, role: Pick<Parameters<typeof startVisorRuntime>[0], 'visor' | 'relay' | 'listenHost' | 'listenPort' | 'observePort'>): Promise<VisorRuntime> {
  return startVisorRuntime({ ...role, directory: emptyFolder(name), identitySecret: createIdentitySecret(), localKey: createLocalKey(), initialName: name, confirmClock: false, notices: [] });
}

async function onlineVisor(helpers: string): Promise<Client> {
  const client = createClient((await start('visor', { visor: true, relay: undefined, listenHost: undefined, listenPort: 0 })).pipe);
  for (const hint of helpers.split(' ')) await client.relays.add({ hint });
  await until('both relays', onlinePatienceMs, async () => ((await client.state.snapshot()).view.connection.relaysConnected === relays ? true : undefined));
  await client.network.check();
  return client;
}

/** Letters of others, as they come. */
async function follow(client: Client, take: (text: string, conversationId: string) => Promise<void> | void): Promise<never> {
  let afterRow = 0;
  for (;;) {
    const { messages, nextRow } = await client.messages.inbox({ afterRow, limit: inboxPage });
    if (messages.length > 0) afterRow = nextRow;
    for (const { text, conversationId } of messages) await take(text, conversationId);
    await pause(lookAgainMs);
  }
}

export const waypost: Traverser = {
  async help(addresses) {
    const hints = await Promise.all(addresses.slice(0, relays).map(async (host, index) => {
      const { publicKey } = await start(`relay${String(index)}`, { visor: false, relay: { registration: 'open' }, listenHost: host, listenPort: relayPort, observePort });
      return `${publicKey}@${host}:${String(relayPort)}`;
    }));
    return hints.join(' ');
  },

  async serve(helpers) {
    const client = await onlineVisor(helpers);
    void follow(client, async (text, conversationId) => { await client.messages.send({ to: conversationId, text }); });
    return (await client.invites.create()).link;
  },

  async prepare(helpers, address) {
    const client = await onlineVisor(helpers);
    const waiting = new Map<string, () => void>();
    void follow(client, (text) => { waiting.get(text)?.(); });
    const peer = async (): Promise<PeerView | undefined> => (await client.peers.list()).peers.find(({ role }) => role === 'contact');
    let remote = '';
    let echoes = 0;
    return {
      async dial() {
        const { conversationId } = await client.contacts.add({ link: address });
        const direct = (async () => {
          for (;;) {
            const [current] = (await peer())?.paths ?? [];
            remote = `${current?.kind ?? ''} ${current?.address ?? ''}`;
            if (current !== undefined && current.kind !== 'relay') return;
            await pause(lookAgainMs);
          }
        })();
        return {
          direct,
          remote: () => remote,
          async echo(bytes) {
            echoes += 1;
            const text = `${String(echoes)} `.padEnd(bytes.length, '.');
            const back = new Promise<void>((resolve) => { waiting.set(text, resolve); });
            await client.messages.send({ to: conversationId, text });
            await back;
          },
        };
      },
    };
  },
};
