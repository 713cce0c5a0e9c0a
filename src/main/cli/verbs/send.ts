/** `waypost send`: saves a message here, and waits for it as long as it was told to. */
import type { Command } from 'commander';
import { WaypostError } from '../../../shared/errors.ts';
import { headlineSentence } from '../../../shared/sentences.ts';
import { messageMaximumBytes } from '../../../shared/views.ts';
import { parseTtl } from '../durations.ts';
import { readStandardInput } from '../standard-input.ts';
import { exitFailed } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';
import { hasReached, waitForMessage, type Wanted } from '../wait.ts';

interface SendOptions {
  readonly to: string;
  readonly ttl?: string;
  readonly wait?: string;
  readonly timeout?: string;
}

function parseWanted(text: string | undefined): Wanted | undefined {
  if (text === undefined || text === 'stored' || text === 'delivered') return text;
  throw new WaypostError('invalid-argument', '--wait takes "stored" or "delivered".');
}

function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new WaypostError('invalid-argument', '--timeout takes a number of seconds.');
  return seconds * 1_000;
}

export function addSendVerb(program: Command): void {
  addVerb(program, 'send <text>', 'send a message; "-" reads the text from the input stream')
    .requiredOption('--to <address>', 'public key of the recipient, with :port for an application')
    .option('--ttl <time>', 'how long it may wait, such as 30m, 12h or 7d (default: 14d)')
    .option('--wait <state>', 'wait until it is "stored" (a relay holds it) or "delivered"')
    .option('--timeout <seconds>', 'with --wait: give up waiting after this time; the message goes on')
    .action((text: string, options: SendOptions, command: Command) => runVerb(command, async (environment) => {
      const wanted = parseWanted(options.wait);
      const timeoutMs = parseTimeout(options.timeout);
      const ttlSeconds = options.ttl === undefined ? undefined : parseTtl(options.ttl);
      const body = text === '-' ? await readStandardInput(messageMaximumBytes) : text;
      await environment.withVisor(async ({ client, isOwn, lost }) => {
        const sent = await client.messages.send({ to: options.to, text: body, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) });
        let message = sent;
        if (wanted !== undefined) message = await waitForMessage(client, sent.id, wanted, timeoutMs, lost);
        else if (isOwn) message = await waitForMessage(client, sent.id, 'stored', environment.lingerMs, lost);
        environment.terminal.result(`${message.id}  ${headlineSentence(message.headline, Date.now())}`, message);
        if (isOwn && (message.headline.state === 'queued' || message.headline.state === 'sending')) {
          environment.terminal.note('It waits in this profile and goes the next time that Waypost runs.');
        }
        if (wanted !== undefined && !hasReached(message.headline, wanted)) process.exitCode = exitFailed;
      });
    }));
}
