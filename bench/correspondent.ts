/**
 * A person in a process of its own who writes at a steady rate and notes when letters were committed and when they came: `correspondent.ts FOLDER NAME`,
 * driven by correspondents.ts. Times are of the machine's monotonic clock, which all its processes share.
 */
import { formatRelayHint } from '../src/main/engine/wire/relay-hint.ts';
import { joinRelay, startVisor, whenChange } from './people.ts';
import { random } from './endpoint.ts';
import type { RelayHint } from '../src/main/engine/wire/types.ts';

/** The body of a letter that has a size. Nothing squeezes it. */
const filler = 'x';

export type Ask =
  | { readonly ask: 'join'; readonly hint: RelayHint }
  | { readonly ask: 'invite' }
  | { readonly ask: 'befriend'; readonly link: string }
  /** Begins to write every `everyMs` until `hush`, not waiting for earlier letters; `label` tells the letters from others. */
  | { readonly ask: 'write'; readonly to: string; readonly label: string; readonly everyMs: number; readonly sizeBytes: number }
  | { readonly ask: 'hush'; readonly label: string }
  /** What was noted since it was last asked for. */
  | { readonly ask: 'times' }
  /** Everything that waits is tried now; answers how much that is. */
  | { readonly ask: 'flush' }
  | { readonly ask: 'send-file'; readonly to: string; readonly path: string }
  /** Resolves when a relay holds all of a file that was sent from here. */
  | { readonly ask: 'held'; readonly messageId: string }
  /** Resolves when the file with that name is announced; answers its message's id. */
  | { readonly ask: 'announced'; readonly name: string }
  /** Fetches it; resolves when all of it is here. */
  | { readonly ask: 'fetch'; readonly messageId: string }
  /** Forgets what is here of it; answers how many bytes that was. */
  | { readonly ask: 'drop'; readonly messageId: string };

export type Moment = readonly [label: string, milliseconds: number];
export interface Times { readonly committed: readonly Moment[]; readonly arrived: readonly Moment[] }
export interface Request { readonly id: number; readonly ask: Ask }
export type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

const [directory, name] = process.argv.slice(2);
if (directory === undefined || name === undefined) throw new Error('usage: correspondent.ts FOLDER NAME');
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
const visor = await startVisor({ directory, identitySecret: random(32), localKey: random(32), name });
let committed: Moment[] = [];
let arrived: Moment[] = [];
const seen = new Set<string>();
const files = new Map<string, string>();
const fileHeard = new EventTarget();
/** Of the file that comes just now. */
let fetchedBytes = 0;
visor.client.state.onPatch((patch) => {
  const atMs = nowMs();
  for (const change of patch.changes) {
    if (change.kind !== 'message' || change.value.direction !== 'in') continue;
    const { id, text, file } = change.value;
    if (file?.state.state === 'moving') fetchedBytes = file.state.doneBytes;
    if (file?.state.state === 'ready') fetchedBytes = file.sizeBytes;
    if (file !== undefined && !files.has(file.name)) {
      files.set(file.name, id);
      fileHeard.dispatchEvent(new Event('file'));
    }
    if (seen.has(id)) continue;
    seen.add(id);
    arrived.push([text.trimEnd().split('\n')[0] ?? '', atMs]);
  }
});

const writing = new Map<string, NodeJS.Timeout>();
let written = 0;

async function writeOne(to: string, label: string, sizeBytes: number): Promise<void> {
  written += 1;
  const key = `${label} ${name ?? ''} ${String(written)}`;
  const text = `${key}\n`.padEnd(sizeBytes, filler);
  await visor.client.messages.send({ to, text });
  committed.push([key, nowMs()]);
}

async function answer(ask: Ask): Promise<unknown> {
  const { client } = visor;
  switch (ask.ask) {
    case 'join': await joinRelay(visor, ask.hint); return formatRelayHint(ask.hint);
    case 'invite': return (await client.invites.create()).link;
    case 'befriend': {
      const { conversationId } = await client.contacts.add({ link: ask.link });
      const accepted = whenChange(visor, (change) => change.kind === 'conversation' && change.value.id === conversationId && change.value.standing === 'contact');
      // Who was written to knows the other already.
      const { view } = await client.state.snapshot();
      if (view.conversations.find(({ id }) => id === conversationId)?.standing !== 'contact') await accepted;
      return conversationId;
    }
    case 'write':
      writing.set(ask.label, setInterval(() => { writeOne(ask.to, ask.label, ask.sizeBytes).catch((error: unknown) => { throw error; }); }, ask.everyMs));
      return undefined;
    case 'hush': clearInterval(writing.get(ask.label)); return undefined;
    case 'times': {
      const times: Times = { committed, arrived };
      committed = [];
      arrived = [];
      return times;
    }
    case 'flush': {
      const { view } = await client.state.snapshot();
      if (view.outbox.length > 0) await client.network.retryNow();
      return view.outbox.length;
    }
    case 'send-file': return (await client.files.send({ to: ask.to, file: { by: 'path', path: ask.path }, text: '' })).id;
    case 'held': {
      const held = whenChange(visor, (change) => change.kind === 'message' && change.value.id === ask.messageId && change.value.file?.state.state === 'ready');
      const { file } = await client.messages.get({ messageId: ask.messageId });
      if (file?.state.state !== 'ready') await held;
      return undefined;
    }
    case 'announced': {
      for (let id = files.get(ask.name); ; id = files.get(ask.name)) {
        if (id !== undefined) return id;
        await new Promise((resolve) => { fileHeard.addEventListener('file', resolve, { once: true }); });
      }
    }
    case 'fetch': {
      const here = whenChange(visor, (change) => change.kind === 'message' && change.value.id === ask.messageId && change.value.file?.state.state === 'ready');
      await client.files.fetch({ messageId: ask.messageId });
      await here;
      return undefined;
    }
    case 'drop': {
      const bytes = fetchedBytes;
      await client.files.cancel({ messageId: ask.messageId });
      return bytes;
    }
  }
}

process.on('message', ({ id, ask }: Request) => {
  answer(ask).then(
    (value) => process.send?.({ id, value } satisfies Answer),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? error.message : String(error) } satisfies Answer),
  );
});
// Whoever started it is gone.
process.once('disconnect', () => { process.exit(0); });
process.send?.({ port: visor.runtime.listen.port });
