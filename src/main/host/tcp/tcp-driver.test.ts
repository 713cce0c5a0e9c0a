/** The whole way, with real sockets: letters while UDP passes, while it does not, and when it passes again. */
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createClient } from '../../../shared/transport.ts';
import type { Client } from '../../../shared/contract.ts';
import { createIdentitySecret } from '../identity-setup.ts';
import { createLocalKey } from '../vault.ts';
import { startVisorRuntime, type VisorRuntime } from '../visor-runtime.ts';

const host = '127.0.0.1';
const patience = { timeout: 30_000, interval: 20 };
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => { for (const close of closers.splice(0).reverse()) await close(); });

interface Running { readonly runtime: VisorRuntime; readonly client: Client; readonly profile: Profile }
interface Profile { readonly directory: string; readonly identitySecret: Uint8Array; readonly localKey: Uint8Array }

function newProfile(): Profile {
  const directory = mkdtempSync(path.join(tmpdir(), 'waypost-tcp-'));
  closers.push(() => { rmSync(directory, { recursive: true, force: true }); });
  return { directory, identitySecret: createIdentitySecret(), localKey: createLocalKey() };
}

async function start(kind: 'visor' | 'relay', profile = newProfile(), tcp: { readonly port: number; readonly isRequired: boolean } = { port: 0, isRequired: true }): Promise<Running> {
  const isRelay = kind === 'relay';
  const runtime = await startVisorRuntime({
    ...profile, initialName: kind, visor: !isRelay, relay: isRelay ? { registration: 'open' } : undefined, listenHost: host, listenPort: 0, confirmClock: false, notices: [],
    tcpListen: isRelay ? { host, ...tcp } : undefined,
  });
  closers.push(() => runtime.stop());
  return { runtime, client: createClient(runtime.pipe), profile };
}

/** The network of one visor: passes UDP on to the relay, or does not; forges and repeats what it likes. */
class Network {
  passes = true;
  /** Called with everything that goes to the relay. */
  spy: ((datagram: Uint8Array, inject: (forged: Uint8Array) => void) => void) | undefined;
  readonly #outer = createSocket('udp4');
  readonly #inner = createSocket('udp4');
  #visorPort = 0;
  passed = 0;

  async open(relayPort: number): Promise<number> {
    this.#outer.on('message', (datagram, { port }) => {
      this.#visorPort = port;
      if (!this.passes) return;
      this.passed += 1;
      this.#inner.send(datagram, relayPort, host);
      this.spy?.(new Uint8Array(datagram), (forged) => { this.#inner.send(forged, relayPort, host); });
    });
    this.#inner.on('message', (datagram) => {
      if (!this.passes) return;
      this.#outer.send(datagram, this.#visorPort, host);
      this.spy?.(new Uint8Array(datagram), (forged) => { this.#outer.send(forged, this.#visorPort, host); });
    });
    for (const socket of [this.#outer, this.#inner]) await new Promise<void>((resolve) => { socket.bind(0, host, resolve); });
    closers.push(() => { this.#outer.close(); this.#inner.close(); });
    return this.#outer.address().port;
  }
}

const counters = async ({ client }: Running): Promise<Readonly<Record<string, number>>> => (await client.visor.statistics()).counters;
const isOverTcp = async ({ client }: Running): Promise<boolean | undefined> => {
  const relay = (await client.peers.list()).peers.find(({ role }) => role === 'relay');
  return relay === undefined ? undefined : relay.isOverTcp === true;
};
const isOnline = async ({ client }: Running): Promise<boolean> => (await client.state.snapshot()).view.connection.kind === 'online';

async function addRelay(visor: Running, relay: Running, port = relay.runtime.listen.port): Promise<void> {
  await visor.client.relays.add({ hint: `${relay.runtime.publicKey}@${host}:${String(port)}` });
  await expect.poll(() => isOnline(visor), patience).toBe(true);
}

/** Numbered letters from one to the other. */
class Letters {
  readonly #from: Running;
  readonly #to: Running;
  #count = 0;

  constructor(from: Running, to: Running) {
    this.#from = from;
    this.#to = to;
  }

  async send(count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      await this.#from.client.messages.send({ to: this.#to.runtime.publicKey, text: `letter ${String(this.#count)}` });
      this.#count += 1;
    }
  }

  /** All of them have come, each once. */
  async areThere(): Promise<void> {
    const wanted = Array.from({ length: this.#count }, (_none, index) => `letter ${String(index)}`).sort();
    await expect.poll(() => this.#arrived(), patience).toEqual(wanted);
  }

  async #arrived(): Promise<readonly string[]> {
    const { messages } = await this.#to.client.messages.inbox({ afterRow: 0, limit: 200 });
    return messages.filter(({ conversationId, text }) => conversationId.startsWith(this.#from.runtime.publicKey) && text.startsWith('letter')).map(({ text }) => text).sort();
  }
}

interface Story { readonly relay: Running; readonly ann: Running; readonly bob: Running; readonly network: Network; readonly toBob: Letters; readonly toAnn: Letters }

/** Ann is behind a network that can be shut; Bob is not. They are contacts. */
async function begin(): Promise<Story> {
  const relay = await start('relay');
  const network = new Network();
  const port = await network.open(relay.runtime.listen.port);
  const [ann, bob] = [await start('visor'), await start('visor')];
  await Promise.all([addRelay(ann, relay, port), addRelay(bob, relay)]);
  const { link } = await bob.client.invites.create();
  await ann.client.contacts.add({ link });
  const story = { relay, ann, bob, network, toBob: new Letters(ann, bob), toAnn: new Letters(bob, ann) };
  await story.toBob.send(1);
  await story.toBob.areThere();
  return story;
}

describe('a visor whose network stops UDP', () => {
  it('goes on over TCP without losing or doubling a letter, and is back on UDP when that passes', async () => {
    const { ann, network, toBob, toAnn } = await begin();
    expect(await isOverTcp(ann)).toBe(false);
    await Promise.all([toBob.send(5), toAnn.send(5)]);
    network.passes = false;
    await Promise.all([toBob.send(10), toAnn.send(10)]);
    await expect.poll(() => isOverTcp(ann), patience).toBe(true);
    await Promise.all([toBob.send(5), toAnn.send(5)]);
    await Promise.all([toBob.areThere(), toAnn.areThere()]);
    const { connection, relays: [relayView] } = (await ann.client.state.snapshot()).view;
    expect([connection.relaysOverTcp, relayView?.isOverTcp]).toEqual([1, true]);
    network.passes = true;
    await expect.poll(() => isOverTcp(ann), { timeout: 45_000, interval: 50 }).toBe(false);
    await Promise.all([toBob.send(5), toAnn.send(5)]);
    await Promise.all([toBob.areThere(), toAnn.areThere()]);
  }, 120_000);

  it('knows where its relay takes TCP when it starts anew', async () => {
    const { ann, network, toAnn } = await begin();
    await ann.runtime.stop();
    network.passes = false;
    const again = await start('visor', ann.profile);
    await expect.poll(() => isOverTcp(again), patience).toBe(true);
    await toAnn.send(3);
    await expect.poll(async () => (await again.client.messages.inbox({ afterRow: 0, limit: 200 })).messages.filter(({ text }) => text.startsWith('letter')).length, patience).toBe(3);
  }, 120_000);
});

describe('a relay', () => {
  it('that is asked to take TCP where it cannot does not start, and one that is not asked does without', async () => {
    const taken = await start('relay');
    const port = (await counters(taken))['host.tcp.listenPort'] ?? 0;
    expect(port).toBeGreaterThan(0);
    await expect(start('relay', newProfile(), { port, isRequired: true })).rejects.toMatchObject({ code: 'port-taken' });
    const without = await start('relay', newProfile(), { port, isRequired: false });
    expect((await counters(without))['host.tcp.listenPort']).toBe(0);
  });
});

describe('injected packets', () => {
  it('of UDP, forged or repeated, cost nothing: the sessions stay, and only counters tell', async () => {
    const { relay, ann, network, toBob, toAnn } = await begin();
    let forged = 0;
    network.spy = (datagram, inject) => {
      const [flipped, cut, other] = [datagram.slice(), datagram.slice(0, datagram.length >> 1), datagram.slice()];
      // Of a number that has not come yet: it has to be opened to be found out.
      flipped[11] = (flipped[11] ?? 0) + 1;
      other.fill(0xaa, 5);
      // "I do not know this session", without the token that would prove it.
      const unknown = new Uint8Array(21);
      unknown[0] = 6;
      for (const bad of [flipped, cut, other, datagram, datagram, unknown]) { forged += 1; inject(bad); }
    };
    const before = await counters(relay);
    for (let round = 0; round < 5; round += 1) await Promise.all([toBob.send(4), toAnn.send(4)]);
    await Promise.all([toBob.areThere(), toAnn.areThere()]);
    const after = await counters(relay);
    const rise = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
    expect(forged).toBeGreaterThan(200);
    expect(rise('session.drop.replayed')).toBeGreaterThan(20);
    expect(rise('session.drop.unauthentic')).toBeGreaterThan(20);
    expect((await counters(ann))['session.drop.replayed'] ?? 0).toBeGreaterThan(20);
    expect([await isOverTcp(ann), (await counters(ann))['host.tcp.client.connects']]).toEqual([false, 0]);
    const [relayView] = (await ann.client.state.snapshot()).view.relays;
    expect([relayView?.state, rise('host.tcp.server.accepted')]).toEqual(['connected', 0]);
  }, 120_000);

  it('that reset TCP cost a connection each, and no session and no letter', async () => {
    const { ann, network, toBob, toAnn } = await begin();
    const sockets = new Set<Socket>();
    const accepted = (message: unknown): void => {
      if (typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket) sockets.add(message.socket);
    };
    subscribe('net.server.socket', accepted);
    closers.push(() => { unsubscribe('net.server.socket', accepted); });
    network.passes = false;
    // What asks for nothing would notice with its next keepalive.
    await toBob.send(1);
    await expect.poll(() => isOverTcp(ann), patience).toBe(true);
    const [before] = (await ann.client.state.snapshot()).view.relays;
    for (let round = 1; round <= 3; round += 1) {
      await Promise.all([toBob.send(2), toAnn.send(2)]);
      for (const socket of sockets) socket.resetAndDestroy();
      sockets.clear();
      await Promise.all([toBob.send(2), toAnn.send(2)]);
      await expect.poll(async () => (await counters(ann))['host.tcp.client.connected'], patience).toBe(1 + round);
    }
    await Promise.all([toBob.areThere(), toAnn.areThere()]);
    const [after] = (await ann.client.state.snapshot()).view.relays;
    expect([after?.state, after?.sinceMs]).toEqual(['connected', before?.sinceMs]);
  }, 120_000);
});
