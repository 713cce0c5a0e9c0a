/** `waypost publish`, `published`, `unpublish` and `fetch`: data for everybody, under names of one's own. */
import type { Command } from 'commander';
import type { Client, NamedFetchView, PublishedView } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { sizeWords } from '../../../shared/quantities.ts';
import { parseAddress } from '../../engine/wire/link.ts';
import { parseTimeout } from '../durations.ts';
import { pause, type VisorAccess } from '../environment.ts';
import { createFileProgress, type FileProgress } from '../file-progress.ts';
import { fileStateWords } from '../file-words.ts';
import { exitFailed, type Terminal } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';
import { saveTo, targetOf, type Target } from './get.ts';
import { requireFile } from './send.ts';

const lookAgainMs = 250;

interface PublishOptions { readonly type?: string; readonly wait?: string; readonly timeout?: string }
interface FetchOptions { readonly relay?: string; readonly output?: string; readonly timeout?: string }

export function addNameVerbs(program: Command): void {
  addVerb(program, 'publish <name> <file>', 'publish a file for everybody under a name; again to replace it')
    .option('--type <type>', 'its media type, such as text/plain (default: told by the ending of the file)')
    .option('--wait <state>', 'wait until it is "held": a relay has all of it, and it can be fetched while you are away')
    .option('--timeout <seconds>', 'with --wait: give up waiting after this time; it goes on')
    .action((name: string, file: string, options: PublishOptions, command: Command) => runVerb(command, async (environment) => {
      if (options.wait !== undefined && options.wait !== 'held') throw new WaypostError('invalid-argument', '--wait takes "held".');
      const timeoutMs = parseTimeout(options.timeout);
      const found = await requireFile([file]);
      await environment.withVisor(async (visor) => {
        const { client, isOwn } = visor;
        let published = await client.names.publish({ name, path: found, ...(options.type === undefined ? {} : { mediaType: options.type }) });
        if (options.wait !== undefined) published = await untilHeld(visor, environment.terminal, published, timeoutMs);
        else if (isOwn) published = await untilHeld(visor, environment.terminal, published, environment.lingerMs);
        const { publicKey } = (await client.state.snapshot()).view.identity;
        const [hint] = published.hints;
        const relay = hint === undefined ? '' : ` --relay ${hint}`;
        environment.terminal.result(`${publishedWords(published)}\nOthers fetch it with: waypost fetch ${publicKey} ${published.name}${relay}`, { publicKey, ...published });
        if (isOwn && !isHeld(published)) environment.terminal.note('It goes to your relays the next time that Waypost runs.');
        if (options.wait !== undefined && !isHeld(published)) process.exitCode = exitFailed;
      });
    }));

  addVerb(program, 'published', 'list what you have published, and which relays hold it')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        // A visor that has just been started has asked no relay yet.
        if (isOwn) await pause(environment.lingerMs);
        const { published } = await client.names.list();
        for (const one of published) environment.terminal.result(publishedWords(one), one);
        if (published.length === 0) environment.terminal.note('You have published nothing. Begin with: waypost publish NAME FILE');
      });
    }));

  addVerb(program, 'unpublish <name>', 'take back what you have published under a name')
    .action((name: string, _options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        await client.names.unpublish({ name });
        // Relays that do not hear of it now hear of it the next time.
        if (isOwn) await pause(environment.lingerMs);
        environment.terminal.result('Taken back.', {});
      });
    }));

  addVerb(program, 'fetch <address> <name>', 'fetch what somebody has published under a name, and save it')
    .option('--relay <hint>', 'a relay of the publisher: key@host:port; needed when you share none and do not know them')
    .option('--output <path>', 'where to save it: a folder, or a name that nothing has yet (default: this folder, under the end of its name)')
    .option('--timeout <seconds>', 'give up waiting after this time; what has come is kept for a day')
    .action((address: string, name: string, options: FetchOptions, command: Command) => runVerb(command, async (environment) => {
      const timeoutMs = parseTimeout(options.timeout);
      const publisher = parseAddress(address);
      if (publisher === undefined) throw new WaypostError('bad-address', 'This is not a valid address: it has 66 hexadecimal digits. Check that all of it was copied.');
      const target = await targetOf(options.output);
      await environment.withVisor(async (visor) => {
        const named = { publicKey: publisher.publicKey, name };
        const first = await visor.client.names.fetch({ ...named, ...(options.relay === undefined ? {} : { relay: options.relay }) });
        try {
          const { saved, fetched } = await bringHere(visor, environment.terminal, first, target, timeoutMs);
          environment.terminal.result(saved, { path: saved, fetched });
        } finally {
          // What went wrong is told already.
          await visor.client.names.end(named).catch(() => undefined);
        }
      });
    }));
}

const isHeld = ({ file }: PublishedView): boolean => file.state.state === 'ready';

function publishedWords(published: PublishedView): string {
  const { name, file } = published;
  return `${name}, ${sizeWords(file.sizeBytes)}: ${stateWords(published)}`;
}

function stateWords({ file }: PublishedView): string {
  if (file.state.state !== 'waiting') return fileStateWords(file, 'out');
  return file.state.reason === 'relay-full' ? 'Your relay has no room for it. Others get it while you are online.' : 'No relay of yours has it yet.';
}

/** As it is when a relay holds it, when it gets no further, or when the time is over. */
async function untilHeld({ client, lost }: VisorAccess, terminal: Terminal, published: PublishedView, timeoutMs: number | undefined): Promise<PublishedView> {
  return following(terminal, timeoutMs, lost, async (progress) => {
    const now = (await client.names.list()).published.find(({ name }) => name === published.name);
    if (now === undefined) throw new WaypostError('not-found', 'What was published has been taken back meanwhile.');
    if (now.file.state.state === 'moving') progress.show({ id: now.name, direction: 'out', file: now.file });
    return { value: now, isOver: now.file.state.state === 'ready' || now.file.state.state === 'failed' };
  });
}

/** @throws WaypostError with the reason why nothing came, or `timeout` */
async function bringHere({ client, lost }: VisorAccess, terminal: Terminal, first: NamedFetchView, target: Target, timeoutMs: number | undefined): Promise<{ saved: string; fetched: NamedFetchView }> {
  const named = { publicKey: first.publicKey, name: first.name };
  const fetched = await following(terminal, timeoutMs, lost, async (progress) => {
    const now = await client.names.fetched(named);
    if (now.file !== undefined && now.failure === undefined) progress.show({ id: now.name, direction: 'in', file: now.file });
    return { value: now, isOver: now.failure !== undefined || now.file?.state.state === 'ready' };
  });
  if (fetched.failure !== undefined) throw new WaypostError(fetched.failure.code, fetched.failure.message);
  if (fetched.file?.state.state !== 'ready') throw new WaypostError('timeout', 'It is not all here yet. What has come is kept for a day; the same command goes on with it.');
  const saved = await save(client, named, fetched.file.name, target);
  return { saved, fetched };
}

const save = (client: Client, named: { readonly publicKey: string; readonly name: string }, fileName: string, target: Target): Promise<string> =>
  saveTo(target, fileName, async (place) => (await client.names.save({ ...named, path: place })).path);

/** Looks again and again until it is over or the time is. @throws WaypostError `not-running` when the visor ends. */
async function following<Value>(terminal: Terminal, timeoutMs: number | undefined, lost: Promise<void>, look: (progress: FileProgress) => Promise<{ readonly value: Value; readonly isOver: boolean }>): Promise<Value> {
  const progress = createFileProgress(terminal, process.stderr, undefined, 'name');
  const untilMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
  try {
    for (;;) {
      const { value, isOver } = await look(progress);
      const remainingMs = untilMs - performance.now();
      if (isOver || remainingMs <= 0) return value;
      await Promise.race([pause(Math.min(lookAgainMs, remainingMs)), lost]);
    }
  } finally {
    progress.end();
  }
}
