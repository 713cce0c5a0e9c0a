/**
 * The story of `npm run demo`, with a process of its own for everybody: Ada writes while Ben is away and leaves, Ben comes back and reads while
 * Ada is away, Ada comes back and sees that it was delivered. Nobody waits for time to pass, only for states to be seen.
 */
import path from 'node:path';
import { z } from 'zod';
import { messageSchema, type HopView, type MessageView } from '../../src/shared/views.ts';
import type { Checks } from '../processes/checks.ts';
import { untilTrue } from '../processes/waiting.ts';
import { runVerb, WaypostProcess, type Connection } from '../processes/waypost-process.ts';
import { hopLines, stateWords, type Timeline } from './timeline.ts';
import { Witness } from './witness.ts';

/** Everything takes milliseconds on an idle machine; a link that broke is found after some seconds. */
const deadlineMs = 30_000;
const texts = ['Are you there? I have news.', 'It works without both of us being online.', 'Write when you are back.'] as const;

const relayLine = z.object({ hint: z.string(), publicKey: z.string() });
const identityLine = z.object({ publicKey: z.string() });
const linkLine = z.object({ link: z.string() });

interface Person {
  readonly name: string;
  readonly directory: string;
  readonly publicKey: string;
}

interface Present extends Person {
  readonly process: WaypostProcess;
  readonly connection: Connection;
}

export async function playStory(checks: Checks, timeline: Timeline, directory: string): Promise<void> {
  const ends: (number | undefined)[] = [];
  const leave = async (person: Present): Promise<void> => {
    await runVerb(person.directory, 'stop');
    ends.push((await person.process.ended).code);
    timeline.say(person.name, 'leaves: the process has ended');
  };

  timeline.heading('Before: a relay, and two people who know each other');
  const relay = new WaypostProcess(path.join(directory, 'relay'), ['relay', '--listen', '127.0.0.1:0', '--json']);
  const { hint } = relayLine.parse(JSON.parse(await relay.firstLine()));
  const relayAddress = hint.slice(hint.indexOf('@') + 1);
  timeline.say('Relay', `listens on ${relayAddress} (process ${relay.processId})`);
  const [ada, ben] = await Promise.all(['Ada', 'Ben'].map((name) => begin(name, directory, hint, timeline)));
  if (ada === undefined || ben === undefined) throw new Error('two people were made');
  await meet(ada, ben, timeline);

  timeline.heading('Ben is away, Ada writes');
  await leave(ben);
  const witness = new Witness((message) => { timeline.say('Ada', `sees "${message.text}": ${stateWords(message.headline, Date.now(), relayAddress)}`); });
  await witness.follow(ada.connection);
  const sent: MessageView[] = [];
  for (const text of texts) {
    timeline.say('Ada', `writes "${text}"`);
    const [line] = await runVerb(ada.directory, 'send', text, '--to', ben.publicKey);
    sent.push(messageSchema.parse(line));
  }
  await untilTrue('all messages held by the relay', deadlineMs, async () => {
    await look(ada.connection, sent, witness);
    return sent.every(({ id }) => witness.hasReached(id, 'stored'));
  });
  await leave(ada);

  timeline.heading('Ben comes back and reads; Ada is away');
  const shown: MessageView[] = [];
  const reader = new WaypostProcess(ben.directory, ['inbox', '--follow', '--json'], (line) => {
    const message = messageSchema.parse(JSON.parse(line));
    shown.push(message);
    timeline.say('Ben', `reads "${message.text}"`);
  });
  timeline.say('Ben', `is back (process ${reader.processId})`);
  await untilTrue('all messages shown to Ben', deadlineMs, () => texts.every((text) => shown.some((message) => message.text === text)));
  const readerConnection = await reader.connect();
  await untilQuiet('confirmations of Ben handed over', readerConnection);

  timeline.heading('Ada comes back');
  const adaAgain = await comeBack(ada, timeline);
  await witness.follow(adaAgain.connection);
  await untilTrue('all messages delivered', deadlineMs, async () => {
    await look(adaAgain.connection, sent, witness);
    return sent.every(({ id }) => witness.hasReached(id, 'delivered'));
  });
  await untilQuiet('an empty outbox of Ada', adaAgain.connection);
  const hops = new Map<string, readonly HopView[]>();
  for (const { id } of sent) hops.set(id, (await adaAgain.connection.client.messages.hops({ messageId: id })).hops);
  const outbox = await runVerb(ada.directory, 'outbox', '--all');
  await leave(adaAgain);
  ends.push((await reader.stop()).code);
  timeline.say('Ben', 'leaves: the process has ended');

  // Whoever starts again must be shown nothing that was shown before.
  const again = await runVerb(ben.directory, 'inbox', '--after', String(Math.max(0, ...shown.map(({ row }) => row))));
  const kept = (await runVerb(ben.directory, 'inbox')).map((line) => messageSchema.parse(line));
  ends.push((await relay.stop()).code);

  timeline.heading('The way of each message, as Ada sees it');
  for (const { id, text } of sent) {
    timeline.heading(`"${text}"`);
    for (const line of hopLines(hops.get(id) ?? [], Date.now(), relayAddress)) timeline.line(line);
  }

  timeline.heading('Promises');
  for (const { id, text } of sent) {
    const times = shown.filter((message) => message.text === text);
    checks.check(`"${text}" was shown exactly once, with its text`, times.length === 1, `shown ${times.length}`);
    const kinds = (hops.get(id) ?? []).map((hop) => hop.kind);
    checks.check('  held by the relay before it was delivered', witness.sawInOrder(id, 'stored', 'delivered'), witness.statesOf(id).join(', '));
    checks.check('  its way is told: saved, held, delivered', inOrder(kinds, ['saved', 'held', 'delivered']), kinds.join(', '));
  }
  checks.check('nothing else was shown', shown.length === texts.length, `${shown.length} messages`);
  checks.check('they were shown in the order in which they were written', shown.map(({ text }) => text).join('\n') === texts.join('\n'));
  checks.check('Ben keeps each once and is shown nothing again', again.length === 0 && kept.length === texts.length, `${again.length} again, ${kept.length} kept`);
  checks.check('the outbox of Ada is empty', outbox.length === 0, `${outbox.length} left`);
  checks.check('every process ended by itself without an error', ends.every((code) => code === 0), ends.join(', '));
}

async function begin(name: string, directory: string, hint: string, timeline: Timeline): Promise<Present> {
  const own = path.join(directory, name.toLowerCase());
  const [line] = await runVerb(own, 'init', '--name', name);
  const { publicKey } = identityLine.parse(line);
  timeline.say(name, `is ${publicKey.slice(0, 8)}...`);
  const present = await comeBack({ name, directory: own, publicKey }, timeline);
  await runVerb(own, 'relays', 'add', hint);
  await untilTrue(`${name} connected to the relay`, deadlineMs, async () => (await present.connection.client.state.snapshot()).view.connection.relaysConnected === 1);
  timeline.say(name, 'has a mailbox at Relay');
  return present;
}

async function comeBack(person: Person, timeline: Timeline): Promise<Present> {
  const process = new WaypostProcess(person.directory, ['run', '--listen', '127.0.0.1:0', '--json']);
  await process.firstLine();
  timeline.say(person.name, `is here (process ${process.processId})`);
  return { ...person, process, connection: await process.connect() };
}

/** By link, as people do it; both have told each other everything when this is over. */
async function meet(ada: Present, ben: Present, timeline: Timeline): Promise<void> {
  const [line] = await runVerb(ben.directory, 'invite');
  const { link } = linkLine.parse(line);
  await runVerb(ada.directory, 'add', link);
  timeline.say('Ada', 'adds Ben by the link that Ben gave');
  await untilTrue('Ben has heard from Ada', deadlineMs, async () => {
    const { view } = await ben.connection.client.state.snapshot();
    return view.conversations.some((conversation) => conversation.publicKey === ada.publicKey && conversation.standing === 'contact');
  });
  timeline.say('Ben', 'knows Ada now');
  await untilQuiet('introduction of Ada delivered', ada.connection);
  await untilQuiet('introduction of Ben delivered', ben.connection);
}

/** Nothing of one's own waits anywhere: neither messages nor what Waypost sends by itself. */
async function untilQuiet(what: string, { client }: Connection): Promise<void> {
  await untilTrue(what, deadlineMs, async () => (await client.state.snapshot()).view.outbox.length === 0);
}

/** States also without a patch: what happened before the connection was there. */
async function look({ client }: Connection, messages: readonly MessageView[], witness: Witness): Promise<void> {
  for (const { id } of messages) witness.note(await client.messages.get({ messageId: id }));
}

function inOrder(found: readonly string[], wanted: readonly string[]): boolean {
  let from = 0;
  for (const one of wanted) {
    const index = found.indexOf(one, from);
    if (index === -1) return false;
    from = index + 1;
  }
  return true;
}
