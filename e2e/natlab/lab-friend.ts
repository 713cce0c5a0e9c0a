/**
 * The cell of `lab-table.ts` in which every relay dies: two visors behind routers, and a friend of both on a public host, who carries for them. The friend finds out by itself that it can be reached, and
 * tells them; then all relays are killed, and both visors too, so that nothing is left of their sessions. One starts again and writes to the other, who is away: the friend has to hold that. When the other
 * starts, they have to meet through the friend, and to write to each other as in any other cell.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import type { PeerPathView } from '../../src/shared/peer-views.ts';
import { Letters, type LetterCount } from './lab-letters.ts';
import { LabVisor, startRelay, type LabRelay } from './lab-visor.ts';
import type { FriendCell } from './lab-cells.ts';
import type { Lab } from './lab.ts';

const relayPort = 7_400;
const observePort = 7_401;
const carryPort = 7_500;
const onlinePatienceMs = 20_000;
const contactPatienceMs = 30_000;
/** A check of the network comes first, four seconds after the first relay, and takes some ten more. */
const offerPatienceMs = 90_000;
/** The relays have to be found dead first. */
const heldPatienceMs = 60_000;
const arrivalPatienceMs = 60_000;
const sessionPatienceMs = 60_000;
const talkMs = 8_000;
const letterPatienceMs = 15_000;
const heldLetters = ['one', 'two', 'three', 'four', 'five'];

export interface FriendOutcome {
  /** Until the first of the two knew of the friend, and both. */
  readonly offeredMs: number;
  /** From the first letter to the friend's receipt for all of them. */
  readonly heldMs: number;
  /** From the start of who had been away to the last of these letters. */
  readonly arrivedMs: number;
  /** From then on to a session of their own. */
  readonly metMs: number;
  readonly firstPath: PeerPathView | undefined;
  readonly lastPaths: readonly PeerPathView[];
  readonly letters: readonly [LetterCount, LetterCount];
  readonly problems: readonly string[];
}

const since = (startMs: number): number => performance.now() - startMs;

class Meeting {
  readonly #lab: Lab;
  readonly #folder: string;
  readonly #running = new Set<LabVisor>();
  #relays: readonly LabRelay[] = [];

  constructor(lab: Lab, folder: string) {
    this.#lab = lab;
    this.#folder = folder;
  }

  async visor(host: string, words: readonly string[] = []): Promise<LabVisor> {
    const visor = await LabVisor.start(this.#lab, host, path.join(this.#folder, `${host}-friend`), words);
    this.#running.add(visor);
    return visor;
  }

  async away(visor: LabVisor): Promise<void> {
    this.#running.delete(visor);
    await visor.stop();
  }

  async relays(hosts: readonly string[]): Promise<readonly string[]> {
    this.#relays = await Promise.all(hosts.map((host) => startRelay(this.#lab, host, this.#folder, relayPort, observePort)));
    return this.#relays.map(({ publicKey }, index) => `${publicKey}@${this.#lab.addresses(hosts[index] ?? '')[0] ?? ''}:${String(relayPort)}`);
  }

  async killRelays(): Promise<void> {
    const relays = this.#relays;
    this.#relays = [];
    await Promise.all(relays.map((relay) => relay.stop()));
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running].map((visor) => visor.stop()));
    await this.killRelays();
  }
}

async function goOnline({ client }: LabVisor, hints: readonly string[]): Promise<void> {
  for (const hint of hints) await client.relays.add({ hint });
  await until('both relays', onlinePatienceMs, async () => ((await client.state.snapshot()).view.connection.relaysConnected >= hints.length ? true : undefined));
}

async function befriend(inviter: LabVisor, guest: LabVisor): Promise<void> {
  const { link } = await inviter.client.invites.create();
  await guest.client.contacts.add({ link });
  for (const [one, other] of [[inviter, guest], [guest, inviter]] as const) {
    await until('the two to be contacts', contactPatienceMs, async () => ((await one.client.state.snapshot()).view.conversations.some(({ publicKey, standing }) => publicKey === other.publicKey && standing === 'contact') ? true : undefined));
  }
}

/** The key of the friend's relay, once it is in use. */
const offered = ({ client }: LabVisor): Promise<string> => until('the offer of the friend', offerPatienceMs, async () =>
  (await client.state.snapshot()).view.relays.find(({ role, state }) => role === 'friend' && state === 'connected')?.publicKey);

async function arrived(visor: LabVisor, from: LabVisor): Promise<readonly string[]> {
  const { messages } = await visor.client.messages.inbox({ afterRow: 0, limit: 200 });
  return messages.filter(({ conversationId }) => conversationId.startsWith(from.publicKey)).map(({ text }) => text);
}

const pathsTo = async (visor: LabVisor, other: LabVisor): Promise<readonly PeerPathView[]> => (await visor.client.peers.list()).peers.find(({ publicKey, role }) => role === 'contact' && publicKey === other.publicKey)?.paths ?? [];

/** @throws Error when one of the steps does not come about. */
export async function meetByFriend({ hosts, friend }: FriendCell, lab: Lab, folder: string): Promise<FriendOutcome> {
  mkdirSync(folder, { recursive: true });
  const meeting = new Meeting(lab, folder);
  try {
    const hints = await meeting.relays(friend.relays);
    const [carrier, firstLeft, firstRight] = await Promise.all([meeting.visor(friend.host, ['--carry-for-friends', '--carry-port', String(carryPort)]), meeting.visor(hosts[0]), meeting.visor(hosts[1])]);
    await Promise.all([carrier, firstLeft, firstRight].map((visor) => goOnline(visor, hints)));
    const startMs = performance.now();
    await befriend(carrier, firstLeft);
    await befriend(carrier, firstRight);
    await befriend(firstLeft, firstRight);
    const stones = await Promise.all([offered(firstLeft), offered(firstRight)]);
    const offeredMs = since(startMs);

    await meeting.killRelays();
    await meeting.away(firstRight);
    await meeting.away(firstLeft);
    const left = await meeting.visor(hosts[0]);
    const writtenMs = performance.now();
    const ids: string[] = [];
    for (const text of heldLetters) ids.push((await left.client.messages.send({ to: firstRight.publicKey, text })).id);
    await until('the friend to hold the letters', heldPatienceMs, async () => {
      const headlines = await Promise.all(ids.map(async (messageId) => (await left.client.messages.get({ messageId })).headline));
      return headlines.every((headline) => headline.state === 'stored' && headline.heldBy.some(({ relay }) => relay === stones[0])) ? true : undefined;
    });
    const heldMs = since(writtenMs);

    const returnedMs = performance.now();
    const right = await meeting.visor(hosts[1]);
    await until('the letters that were held', arrivalPatienceMs, async () => ((await arrived(right, left)).length >= heldLetters.length ? true : undefined));
    const arrivedMs = since(returnedMs);

    const soughtMs = performance.now();
    await right.client.peers.reach({ publicKey: left.publicKey });
    const firstPath = await until('a session of their own', sessionPatienceMs, async () => (await pathsTo(right, left))[0]);
    const metMs = since(soughtMs);
    const carried = await until('a path through the friend', sessionPatienceMs, async () => (await pathsTo(right, left)).find(({ kind }) => kind === 'friend'));
    const talks = [new Letters(left, right), new Letters(right, left)] as const;
    for (const talk of talks) talk.start();
    await pause(talkMs);
    const letters = await Promise.all([talks[0].end(letterPatienceMs), talks[1].end(letterPatienceMs)]);
    const lastPaths = await pathsTo(right, left);
    const ofHeld = (await arrived(right, left)).filter((text) => heldLetters.includes(text));
    const { carrying } = (await carrier.client.state.snapshot()).view;
    return {
      offeredMs, heldMs, arrivedMs, metMs, firstPath, lastPaths, letters,
      problems: [
        ...(stones[0] === stones[1] ? [] : ['the two were offered different relays']),
        ...([...ofHeld].sort().join() === [...heldLetters].sort().join() ? [] : [`held letters came as: ${ofHeld.join(', ')}`]),
        ...(carried.relay === stones[0] ? [] : [`the circuit is through ${carried.relayName ?? 'nobody'}`]),
        ...(carrying?.state === 'on' && carrying.hourBytes > 0 ? [] : [`the friend shows that it carries ${JSON.stringify(carrying)}`]),
        ...letters.flatMap(({ sent, lost, doubled }, index) => (sent > 0 && lost === 0 && doubled === 0 ? [] : [`${index === 0 ? 'left' : 'right'}: ${String(sent)} sent, ${String(lost)} lost, ${String(doubled)} doubled`])),
      ],
    };
  } finally {
    await meeting.end();
  }
}
