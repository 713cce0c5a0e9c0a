/** Two genuine visors behind the recording proxy: they give the corpus, and prove before and after that the relay serves. */
import path from 'node:path';
import { z } from 'zod';
import type { MessageView } from '../../src/shared/views.ts';
import { untilTrue } from '../processes/waiting.ts';
import { runVerb, WaypostProcess, type Connection } from '../processes/waypost-process.ts';

const setupDeadlineMs = 60_000;
const pageSize = 200;
const identityLine = z.object({ publicKey: z.string() });

interface Person {
  readonly publicKey: string;
  readonly process: WaypostProcess;
  readonly connection: Connection;
}

export interface Pair {
  /** Sends one message; resolves when the sender knows that it was delivered. @throws DeadlineError */
  deliver(text: string, deadlineMs: number): Promise<void>;
  /** How often the recipient has a message with this text. */
  timesKept(text: string): Promise<number>;
  /** Makes both dial and register anew. */
  reconnect(): Promise<void>;
}

async function begin(directory: string, name: string, hint: string): Promise<Person> {
  const own = path.join(directory, name);
  const [line] = await runVerb(own, 'init', '--name', name);
  const process = new WaypostProcess(own, ['run', '--listen', '127.0.0.1:0', '--json']);
  const connection = await process.connect();
  await connection.client.relays.add({ hint });
  await untilTrue(`${name} connected`, setupDeadlineMs, async () => (await connection.client.state.snapshot()).view.connection.relaysConnected === 1);
  return { publicKey: identityLine.parse(line).publicKey, process, connection };
}

export async function beginPair(directory: string, hint: string): Promise<Pair> {
  const [writer, reader] = await Promise.all([begin(directory, 'writer', hint), begin(directory, 'reader', hint)]);
  const { link } = await reader.connection.client.invites.create();
  await writer.connection.client.contacts.add({ link });
  return {
    async deliver(text, deadlineMs) {
      const { client } = writer.connection;
      const { id } = await client.messages.send({ to: reader.publicKey, text });
      await untilTrue(`"${text.slice(0, 20)}" delivered`, deadlineMs, async () => ['delivered', 'read'].includes((await client.messages.get({ messageId: id })).headline.state));
    },
    async timesKept(text) {
      let times = 0;
      for (let afterRow = 0; ;) {
        const page: { messages: readonly MessageView[]; nextRow: number } = await reader.connection.client.messages.inbox({ afterRow, limit: pageSize });
        if (page.messages.length === 0) return times;
        times += page.messages.filter((message) => message.text === text).length;
        afterRow = page.nextRow;
      }
    },
    async reconnect() {
      for (const { connection } of [writer, reader]) await connection.client.network.retryNow();
    },
  };
}
