/** `waypost inbox`: incoming messages in the order of their arrival, for people and programs. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import type { MessageView } from '../../../shared/views.ts';
import { pause } from '../environment.ts';
import { messageWords } from '../file-words.ts';
import type { Terminal } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';

const pageSize = 50;
/** Patches wake the follower; this is for what came while nobody could tell it. */
const lookAgainMs = 2_000;

function show(terminal: Terminal, message: MessageView): void {
  const sender = message.conversationId.split(':')[0] ?? '';
  const time = new Date(message.receivedAtMs ?? message.sentAtMs).toISOString();
  terminal.result(`${time}  ${sender}  ${messageWords(message)}`, message);
}

/** Shows what came after `afterRow`; returns the row to go on from. */
async function showFrom(client: Client, terminal: Terminal, afterRow: number): Promise<number> {
  let row = afterRow;
  for (;;) {
    const { messages, nextRow } = await client.messages.inbox({ afterRow: row, limit: pageSize });
    for (const message of messages) show(terminal, message);
    if (messages.length === 0) return row;
    row = nextRow;
  }
}

function parseRow(text: string | undefined): number {
  const row = Number(text ?? '0');
  if (!Number.isSafeInteger(row) || row < 0) throw new WaypostError('invalid-argument', '--after takes the row of a message, as --json shows it.');
  return row;
}

export function addInboxVerb(program: Command): void {
  addVerb(program, 'inbox', 'list the messages that came')
    .option('--follow', 'go on and print each message as it comes')
    .option('--after <row>', 'only messages after this row')
    .action((options: { follow?: boolean; after?: string }, command: Command) => runVerb(command, async (environment) => {
      const afterRow = parseRow(options.after);
      await environment.withVisor(async ({ client, isOwn, lost }) => {
        const stop = Promise.withResolvers<'stop'>();
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.resolve('stop'); });
        let wake = (): void => undefined;
        const unsubscribe = client.state.onPatch((patch) => { if (patch.changes.some((change) => change.kind === 'message')) wake(); });
        // Patches begin with the first snapshot.
        await client.state.snapshot();
        let row = await showFrom(client, environment.terminal, afterRow);
        if (options.follow !== true) {
          if (isOwn) {
            await Promise.race([pause(environment.lingerMs), stop.promise]);
            await showFrom(client, environment.terminal, row);
          }
          unsubscribe();
          return;
        }
        for (;;) {
          let timer: NodeJS.Timeout | undefined;
          const changed = new Promise<'changed'>((resolve) => {
            timer = setTimeout(() => { resolve('changed'); }, lookAgainMs);
            wake = () => { resolve('changed'); };
          });
          const next = await Promise.race([changed, stop.promise, lost.then(() => 'lost' as const)]);
          clearTimeout(timer);
          if (next === 'lost') throw new WaypostError('not-running', 'The running Waypost has ended. Start it again to go on.');
          if (next === 'stop') break;
          row = await showFrom(client, environment.terminal, row);
        }
        unsubscribe();
      });
    }));
}
