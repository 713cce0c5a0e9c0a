/** `waypost send`: saves a message here, with a file where one is named, and waits for it as long as it was told to. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { fileSizeSentence } from '../../../shared/file-sentences.ts';
import { headlineSentence } from '../../../shared/sentences.ts';
import { fileTextMaximumBytes } from '../../../shared/file-views.ts';
import { messageMaximumBytes, type MessageView } from '../../../shared/views.ts';
import { utf8Encode } from '../../engine/wire/bytes.ts';
import { parseTimeout, parseTtl } from '../durations.ts';
import { createFileProgress } from '../file-progress.ts';
import { fileWords } from '../file-words.ts';
import { readStandardInput } from '../standard-input.ts';
import { exitFailed, type Terminal } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';
import { hasReached, waitForMessage, type Wanted } from '../wait.ts';

interface SendOptions {
  readonly to: string;
  readonly file?: readonly string[];
  readonly ttl?: string;
  readonly wait?: string;
  readonly timeout?: string;
}

const waitingFor: readonly Wanted[] = ['stored', 'delivered', 'held'];

function parseWanted(text: string | undefined, hasFile: boolean): Wanted | undefined {
  if (text === undefined) return undefined;
  const wanted = waitingFor.find((known) => known === text);
  if (wanted === undefined) throw new WaypostError('invalid-argument', '--wait takes "stored", "delivered" or, with --file, "held".');
  if (wanted === 'held' && !hasFile) throw new WaypostError('invalid-argument', '--wait held is for files: name one with --file, or wait until the message is "stored".');
  return wanted;
}

/** Looked at before anything is started; the visor looks again when it reads it. */
export async function requireFile(named: readonly string[]): Promise<string> {
  const [name = '', ...others] = named;
  if (others.length > 0) throw new WaypostError('invalid-argument', 'One message carries one file. Send the others in messages of their own, or pack them into one file.');
  if (name === '') throw new WaypostError('invalid-argument', '--file takes the path of a file.');
  const file = path.resolve(name);
  const shown = path.basename(file);
  const found = await stat(file).catch((error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    throw new WaypostError('file-unreadable', isMissing ? `There is no file "${shown}" at that path. Check how it is spelled.` : `"${shown}" cannot be read. Check that you may read it.`, { cause: error });
  });
  if (found.isFile()) return file;
  throw new WaypostError('file-unreadable', found.isDirectory() ? `"${shown}" is a folder. Pack it into one file and send that.` : `"${shown}" is not a file that can be sent.`);
}

async function requireText(text: string | undefined, hasFile: boolean): Promise<string> {
  if (text === undefined) {
    if (hasFile) return '';
    throw new WaypostError('invalid-argument', 'Say what to send: a text, "-" for the input stream, or a file with --file.');
  }
  const body = text === '-' ? await readStandardInput(hasFile ? fileTextMaximumBytes : messageMaximumBytes) : text;
  if (hasFile && utf8Encode(body).length > fileTextMaximumBytes) throw new WaypostError('message-too-large', 'The text beside a file may have 32 KiB at most. Shorten it, or send it as a message of its own.');
  return body;
}

/** Where the message is and, of one with a file, where that is. */
function describe(message: MessageView): string {
  const line = `${message.id}  ${headlineSentence(message.headline, Date.now())}`;
  return message.file === undefined ? line : `${line}\n${fileWords(message.file, message.direction)}`;
}

function isStillHere({ headline, file }: MessageView): boolean {
  if (headline.state === 'queued' || headline.state === 'sending') return true;
  return file !== undefined && (file.state.state === 'waiting' || file.state.state === 'moving') && !file.holders.some((holder) => holder.complete);
}

export function addSendVerb(program: Command): void {
  addVerb(program, 'send [text]', 'send a message; "-" reads the text from the input stream')
    .requiredOption('--to <address>', 'public key of the recipient, with :port for an application')
    .option('--file <path>', 'send this file; the text, if any, goes with it', (value: string, before: readonly string[] | undefined) => [...before ?? [], value])
    .option('--ttl <time>', 'how long it may wait, such as 30m, 12h or 7d (default: 14d)')
    .option('--wait <state>', 'wait until it is "stored" (a relay holds the message), "delivered", or "held" (a relay holds all of the file too)')
    .option('--timeout <seconds>', 'with --wait: give up waiting after this time; the message goes on')
    .action((text: string | undefined, options: SendOptions, command: Command) => runVerb(command, async (environment) => {
      const hasFile = options.file !== undefined;
      const wanted = parseWanted(options.wait, hasFile);
      const timeoutMs = parseTimeout(options.timeout);
      const ttlSeconds = options.ttl === undefined ? undefined : parseTtl(options.ttl);
      const file = options.file === undefined ? undefined : await requireFile(options.file);
      const body = await requireText(text, hasFile);
      await environment.withVisor(async ({ client, isOwn, lost }) => {
        if (file !== undefined) await noteSize(environment.terminal, client, options.to, file);
        let message = await sendMessage(client, options.to, body, file, ttlSeconds);
        const progress = createFileProgress(environment.terminal);
        const seen = (now: MessageView): void => { progress.show(now); };
        try {
          if (wanted !== undefined) message = await waitForMessage(client, message.id, wanted, { timeoutMs, lost, seen });
          else if (isOwn) message = await waitForMessage(client, message.id, hasFile ? 'held' : 'stored', { timeoutMs: environment.lingerMs, lost });
        } finally {
          progress.end();
        }
        environment.terminal.result(describe(message), message);
        if (isOwn && isStillHere(message)) environment.terminal.note('It waits in this profile and goes the next time that Waypost runs.');
        if (wanted !== undefined && !hasReached(message, wanted)) process.exitCode = exitFailed;
      });
    }));
}

/** What becomes of a large file is said before minutes go into sealing it. */
async function noteSize(terminal: Terminal, client: Client, to: string, file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return;
  const publicKey = to.split(':')[0]?.toLowerCase();
  const talks = await client.state.snapshot().then(({ view }) => view.conversations, () => []);
  const note = fileSizeSentence(found.size, talks.find((one) => one.publicKey === publicKey)?.relayHoldsBytes);
  if (note?.tone === 'warning') terminal.note(note.sentence);
}

function sendMessage(client: Client, to: string, text: string, file: string | undefined, ttlSeconds: number | undefined): Promise<MessageView> {
  const ttl = ttlSeconds === undefined ? {} : { ttlSeconds };
  return file === undefined ? client.messages.send({ to, text, ...ttl }) : client.files.send({ to, text, file: { by: 'path', path: file }, ...ttl });
}
