/**
 * The three processes, each of which may be killed at any time and is started again with the same profile: a relay, a sender, and a
 * recipient that prints what arrives and goes on after the last line that it got out.
 */
import path from 'node:path';
import { z } from 'zod';
import { messageSchema, type HopView, type MessageView } from '../../src/shared/views.ts';
import { untilTrue, within } from '../processes/waiting.ts';
import { runVerb, WaypostProcess, type Connection } from '../processes/waypost-process.ts';
import { Moments } from './moments.ts';
import type { ActorName } from './plan.ts';
import { titleOf } from './verdict.ts';

const setupDeadlineMs = 60_000;
/** A sender that is down comes back within the round. */
const connectDeadlineMs = 30_000;
const pageSize = 100;

const relayLine = z.object({ hint: z.string(), port: z.number() });
const identityLine = z.object({ publicKey: z.string() });

export class World {
  readonly #directory: string;
  readonly #processes = new Map<ActorName, WaypostProcess>();
  /** Of the process that runs, or of the next one that comes up while none is. */
  readonly #connections = new Map<ActorName, PromiseWithResolvers<Connection>>();
  readonly #up = new Set<ActorName>();
  #relayPort = 0;
  #hint = '';
  #recipient = '';
  #lastShownRow = 0;
  readonly shown: MessageView[] = [];
  /** Of the round that is played now. */
  moments = new Moments();
  kills = 0;
  #stored = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  get recipient(): string { return this.#recipient; }

  directoryOf(who: ActorName): string { return path.join(this.#directory, who); }

  /** Everybody up, known to each other, and nothing under way. */
  async begin(): Promise<void> {
    await this.start('relay');
    const [, line] = await Promise.all([runVerb(this.directoryOf('sender'), 'init', '--name', 'Sender'), runVerb(this.directoryOf('recipient'), 'init', '--name', 'Recipient')]);
    this.#recipient = identityLine.parse(line[0]).publicKey;
    await Promise.all([this.start('sender'), this.start('recipient')]);
    const [sender, recipient] = await Promise.all([this.connection('sender'), this.connection('recipient')]);
    await Promise.all([sender, recipient].map(async ({ client }) => {
      await client.relays.add({ hint: this.#hint });
      await untilTrue('both connected to the relay', setupDeadlineMs, async () => (await client.state.snapshot()).view.connection.relaysConnected === 1);
    }));
    const { link } = await recipient.client.invites.create();
    await sender.client.contacts.add({ link });
    await untilTrue('both introduced', setupDeadlineMs, async () => {
      const [one, other] = await Promise.all([sender.client.state.snapshot(), recipient.client.state.snapshot()]);
      const [conversation] = other.view.conversations;
      return one.view.outbox.length === 0 && other.view.outbox.length === 0 && conversation?.standing === 'contact';
    });
  }

  /** Resolves when the process is up. One that is killed while it starts counts as started. */
  async start(who: ActorName): Promise<void> {
    const process = new WaypostProcess(this.directoryOf(who), this.#commandLine(who), who === 'recipient' ? (line) => { this.#show(line); } : undefined);
    this.#processes.set(who, process);
    try {
      if (who === 'relay') {
        const { hint, port } = relayLine.parse(JSON.parse(await process.firstLine()));
        this.#relayPort = port;
        this.#hint = hint;
      }
      const connection = await process.connect();
      if (who === 'sender') await this.#followSender(connection.client);
      // It may have been killed since: then the next one is waited for.
      if (this.#processes.get(who) !== process) return;
      this.#up.add(who);
      this.#connectionOf(who).resolve(connection);
    } catch (error) {
      const { signal } = await process.ended;
      if (signal !== 'SIGKILL') throw error;
    }
  }

  async kill(who: ActorName): Promise<void> {
    this.kills += 1;
    const process = this.#processes.get(who);
    this.#processes.delete(who);
    // Who waits already goes on waiting, for the next one.
    if (this.#up.delete(who)) this.#connections.set(who, Promise.withResolvers());
    await process?.killHard();
  }

  /** Waits for one that is down or being started. */
  async connection(who: ActorName): Promise<Connection> {
    return within(connectDeadlineMs, `connection to the ${who}`, this.#connectionOf(who).promise);
  }

  async stopAll(): Promise<readonly (number | undefined)[]> {
    const ends: (number | undefined)[] = [];
    for (const who of ['sender', 'recipient', 'relay'] as const) {
      const process = this.#processes.get(who);
      if (process !== undefined) ends.push((await process.stop()).code);
    }
    return ends;
  }

  /** All messages of the recipient's database. */
  async kept(): Promise<readonly MessageView[]> {
    const { client } = await this.connection('recipient');
    const all: MessageView[] = [];
    for (let afterRow = 0; ;) {
      const { messages, nextRow } = await client.messages.inbox({ afterRow, limit: pageSize });
      if (messages.length === 0) return all;
      all.push(...messages);
      afterRow = nextRow;
    }
  }

  /** All messages of the sender's database. */
  async written(): Promise<readonly MessageView[]> {
    const { client } = await this.connection('sender');
    const all: MessageView[] = [];
    for (let beforeRow: number | undefined; ;) {
      const { messages, more } = await client.messages.page({ conversationId: `${this.#recipient}:1`, limit: pageSize, ...(beforeRow === undefined ? {} : { beforeRow }) });
      all.push(...messages.filter(({ direction }) => direction === 'out'));
      const rows = messages.map(({ row }) => row);
      if (!more || rows.length === 0) return all;
      beforeRow = Math.min(...rows);
    }
  }

  /** How often each hop of that kind stands in the hop logs of these messages, by text: only what is not `expected` times there. */
  async unexpectedHops(who: ActorName, messages: readonly MessageView[], kind: HopView['kind'], expected: number): Promise<readonly string[]> {
    const { client } = await this.connection(who);
    const unexpected: string[] = [];
    for (const { id, text } of messages) {
      const { hops } = await client.messages.hops({ messageId: id });
      const times = hops.filter((hop) => hop.kind === kind && !hop.future).length;
      if (times !== expected) unexpected.push(`${titleOf(text)}: ${times}`);
    }
    return unexpected;
  }

  #connectionOf(who: ActorName): PromiseWithResolvers<Connection> {
    const known = this.#connections.get(who) ?? Promise.withResolvers<Connection>();
    this.#connections.set(who, known);
    return known;
  }

  #commandLine(who: ActorName): readonly string[] {
    switch (who) {
      case 'relay': return ['relay', '--listen', `127.0.0.1:${this.#relayPort}`, '--json'];
      case 'sender': return ['run', '--listen', '127.0.0.1:0', '--json'];
      case 'recipient': return ['inbox', '--follow', '--after', String(this.#lastShownRow), '--json'];
    }
  }

  async #followSender(client: Connection['client']): Promise<void> {
    client.state.onPatch((patch) => {
      for (const change of patch.changes) {
        if (change.kind !== 'message' || change.value.headline.state !== 'stored' || this.#stored.has(change.value.id)) continue;
        this.#stored.add(change.value.id);
        this.moments.note('stored');
      }
    });
    await client.state.snapshot();
  }

  #show(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      // Cut off by a kill in the middle of the line: nobody has seen it, so it is asked for again.
      return;
    }
    const message = messageSchema.parse(value);
    this.shown.push(message);
    this.#lastShownRow = message.row;
    this.moments.note('shown');
  }
}
