/** Two visors and a relay as real processes, with a bad link between each visor and the relay. Each can be killed and started again as it was. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { snapshotBytes } from '../../src/main/engine/lockstep/snapshot.ts';
import { messageSchema, type MessageView } from '../../src/shared/views.ts';
import type { SeededRandom } from '../../sim/random.ts';
import { until, untilTrue } from '../processes/waiting.ts';
import { runVerb, WaypostProcess, type Connection } from '../processes/waypost-process.ts';
import { freePort, ImpairedProxy, type Impairment, type Lane } from './impaired-proxy.ts';

const setupDeadlineMs = 90_000;
const relayLine = z.object({ publicKey: z.string(), port: z.number() });
const identityLine = z.object({ publicKey: z.string() });

export class Actor {
  readonly directory: string;
  readonly #commandLine: readonly string[];
  #process: WaypostProcess | undefined;
  #connection: Connection | undefined;

  constructor(directory: string, commandLine: readonly string[]) {
    this.directory = directory;
    this.#commandLine = commandLine;
  }

  /** Its API answers. */
  get isUp(): boolean { return this.#connection !== undefined; }

  async start(): Promise<string> {
    const process = new WaypostProcess(this.directory, this.#commandLine);
    this.#process = process;
    const line = await process.firstLine();
    this.#connection = await process.connect();
    return line;
  }

  async killHard(): Promise<void> {
    await this.#process?.killHard();
    this.#process = undefined;
    this.#connection = undefined;
  }

  async stop(): Promise<number | undefined> {
    const end = await this.#process?.stop();
    this.#process = undefined;
    this.#connection = undefined;
    return end?.code;
  }

  get client(): Connection['client'] {
    if (this.#connection === undefined) throw new Error(`${path.basename(this.directory)} is down`);
    return this.#connection.client;
  }

  /** Bytes that its disk says are verified of contents that are not complete yet. */
  get storedBytes(): number {
    const folders = ['blobs', 'held-blobs'].map((name) => path.join(this.directory, name)).filter((folder) => existsSync(folder));
    let sum = 0;
    for (const folder of folders) {
      for (const name of readdirSync(folder).filter((each) => each.endsWith('.snapshot'))) {
        sum += snapshotBytes(readFileSync(path.join(folder, name)));
      }
    }
    return sum;
  }
}

export interface Person extends Actor { readonly publicKey: string; readonly lane: Lane }

class Visor extends Actor implements Person {
  readonly publicKey: string;
  readonly lane: Lane;

  constructor(directory: string, port: number, publicKey: string, lane: Lane) {
    super(directory, ['run', '--listen', `127.0.0.1:${port}`, '--json']);
    this.publicKey = publicKey;
    this.lane = lane;
  }
}

export interface World { readonly relay: Actor; readonly sender: Person; readonly recipient: Person; close(): void }

/** Everybody up and known to each other. `roomBytes`: what the relay holds for one recipient. */
export async function beginWorld(directory: string, roomBytes: number, impairment: Impairment, random: SeededRandom): Promise<World> {
  const proxy = new ImpairedProxy(impairment, random);
  const [front, relayPort] = [await proxy.listen(), await freePort()];
  const relay = new Actor(path.join(directory, 'relay'), ['relay', '--listen', `127.0.0.1:${relayPort}`, '--hold-per-recipient', `${roomBytes / 2 ** 20}MiB`, '--json']);
  const { publicKey: relayKey } = relayLine.parse(JSON.parse(await relay.start()));
  const [sender, recipient] = await Promise.all(['sender', 'recipient'].map(async (name) => {
    const own = path.join(directory, name);
    const { publicKey } = identityLine.parse((await runVerb(own, 'init', '--name', name))[0]);
    const port = await freePort();
    const visor = new Visor(own, port, publicKey, proxy.lane(port, relayPort));
    await visor.start();
    await visor.client.relays.add({ hint: `${relayKey}@127.0.0.1:${front}` });
    await untilTrue(`${name} connected`, setupDeadlineMs, async () => (await visor.client.state.snapshot()).view.connection.relaysConnected === 1);
    return visor;
  }));
  if (sender === undefined || recipient === undefined) throw new Error('two of two');
  const { link } = await recipient.client.invites.create();
  await sender.client.contacts.add({ link });
  await untilTrue('both introduced', setupDeadlineMs, async () => {
    const [one, other] = await Promise.all([sender.client.state.snapshot(), recipient.client.state.snapshot()]);
    return one.view.outbox.length === 0 && other.view.outbox.length === 0 && other.view.conversations[0]?.standing === 'contact';
  });
  return { relay, sender, recipient, close: () => { proxy.close(); } };
}

/** Sends a file with the command line, which returns when a sealed copy is safe. */
export async function sendFile(from: Person, to: Person, file: string): Promise<MessageView> {
  return messageSchema.parse((await runVerb(from.directory, 'send', '--to', to.publicKey, '--file', file))[0]);
}

/** The message with the file of that name, once it has come. */
export function arrival(person: Person, name: string, deadlineMs: number): Promise<MessageView> {
  return until(`${name} in the inbox`, deadlineMs, async () => {
    const { messages } = await person.client.messages.inbox({ afterRow: 0, limit: 200 });
    return messages.find((message) => message.file?.name === name);
  });
}
