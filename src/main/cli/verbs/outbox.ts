/** `waypost outbox`, `retry` and `cancel`: what has not arrived yet. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { headlineSentence, headlineWords } from '../../../shared/sentences.ts';
import type { MessageView, OutboxItemView } from '../../../shared/views.ts';
import { fileWords, oneLine } from '../file-words.ts';
import { addVerb, runVerb } from '../verb.ts';

function describeItem(item: OutboxItemView, message: MessageView | undefined, nowMs: number): string {
  const line = `${item.messageId}  ${headlineWords(item.headline, nowMs)}  to ${item.toName}`;
  // The text of a file's message is not all of it.
  return message?.file === undefined ? `${line}  ${item.summary}` : `${line}  ${fileWords(message.file, 'out')}${message.text === '' ? '' : `  ${oneLine(message.text)}`}`;
}

/** As {@link headlineSentence}; of a message with a file also where that is. */
const describeMessage = (message: MessageView): string =>
  `${headlineSentence(message.headline, Date.now())}${message.file === undefined ? '' : `\n${fileWords(message.file, message.direction)}`}`;

/** Undefined for what Waypost sends by itself: it is in the outbox and is no message. */
async function findMessage(client: Client, messageId: string): Promise<MessageView | undefined> {
  try {
    return await client.messages.get({ messageId });
  } catch (error) {
    if (error instanceof WaypostError && error.code === 'not-found') return undefined;
    throw error;
  }
}

export function addOutboxVerbs(program: Command): void {
  addVerb(program, 'outbox', 'list the messages that have not arrived yet')
    .option('--all', 'also what Waypost sends by itself (introductions and confirmations)')
    .action((options: { all?: boolean }, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client }) => {
        const { view } = await client.state.snapshot();
        const items = view.outbox.filter((item) => options.all === true || item.kind === 'message');
        const nowMs = Date.now();
        for (const item of items) {
          const message = environment.terminal.isJson || item.kind !== 'message' ? undefined : await findMessage(client, item.messageId);
          environment.terminal.result(describeItem(item, message, nowMs), item);
        }
        if (items.length === 0 && !environment.terminal.isJson) environment.terminal.note('Nothing is waiting.');
      });
    }));

  addVerb(program, 'retry <id>', 'try a waiting message now; "all" tries everything')
    .action((id: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        if (id === 'all') await client.messages.retryAll();
        else await client.messages.retry({ messageId: id });
        if (isOwn) await new Promise((resolve) => { setTimeout(resolve, environment.lingerMs); });
        if (id === 'all') {
          environment.terminal.result('Everything that waits is being tried.', {});
          return;
        }
        const message = await findMessage(client, id);
        if (message === undefined) environment.terminal.result('It is being tried.', {});
        else environment.terminal.result(describeMessage(message), message);
      });
    }));

  addVerb(program, 'cancel <id>', 'take a message back that has not arrived yet')
    .action((id: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        await client.messages.cancel({ messageId: id });
        // The copies at relays are taken back by the network; without time for it they go the next time.
        if (isOwn) await new Promise((resolve) => { setTimeout(resolve, environment.lingerMs); });
        const message = await client.messages.get({ messageId: id });
        environment.terminal.result(describeMessage(message), message);
      });
    }));
}
