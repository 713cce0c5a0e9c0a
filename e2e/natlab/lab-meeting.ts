/** One cell of `lab-table.ts`: two visors who become contacts by an invite link, write to each other without a pause, and come as near to each other as they can. */
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import { inboundOf } from '../../src/main/engine/path/inbound.ts';
import { isStraight, type PeerPathView } from '../../src/shared/peer-views.ts';
import { Letters, type LetterCount } from './lab-letters.ts';
import { LabVisor } from './lab-visor.ts';
import type { LabCell } from './lab-cells.ts';
import type { Lab } from './lab.ts';

/** For the expected path, from the first session on. A check of the network, which finds out where one is reached, begins four seconds after the first relay and takes some more. */
const pathPatienceMs = 15_000;
/** Where a port has to be guessed: the check, an attempt at punching, and two at guessing with what lies between them. */
const guessPatienceMs = 90_000;
/** Where the relay is expected: two attempts to get nearer are over by then. */
const relayDwellMs = 11_000;
/** From a straight path on both sides until both know whether it is a punched one; where a check could not find out, that never comes. */
const knowingPatienceMs = 6_000;
/** Letters that go on after the path is found. */
const afterwardsMs = 1_500;
const onlinePatienceMs = 20_000;
const sessionPatienceMs = 15_000;
const letterPatienceMs = 12_000;
const lookAgainMs = 20;

export interface SideOutcome {
  /** In the end; undefined: no session. */
  readonly kind: PeerPathView['kind'] | undefined;
  readonly paths: readonly PeerPathView[];
  /** From the first session through a relay to the first path without one. */
  readonly upgradeMs: number | undefined;
  /** From the start of the visor to that. */
  readonly sinceStartMs: number | undefined;
  /** What it offers the other side: kind and address. */
  readonly candidates: readonly string[];
  /** Whether it knows what comes in unasked where the path in use ends; so does the other side of it, once both do. */
  readonly knowsInbound: boolean;
  readonly letters: LetterCount;
  /** Of the session, in the end. */
  readonly sentBytes: number;
}

export interface MeetingOutcome { readonly sides: readonly [SideOutcome, SideOutcome] }

export interface MeetingOptions {
  readonly lab: Lab;
  readonly folder: string;
  readonly hints: readonly string[];
  /** Whether both know their networks before they meet. */
  readonly isWarm: boolean;
  /** Whether the right one invites. */
  readonly isMirrored: boolean;
}

interface Watched {
  readonly visor: LabVisor;
  readonly other: LabVisor;
  startedMs: number;
  metMs: number | undefined;
  nearMs: number | undefined;
  paths: readonly PeerPathView[];
  sentBytes: number;
}

async function look(watched: Watched): Promise<void> {
  const { peers } = await watched.visor.client.peers.list();
  const peer = peers.find(({ publicKey }) => publicKey === watched.other.publicKey);
  watched.paths = peer?.paths ?? [];
  watched.sentBytes = peer?.sentBytes ?? 0;
  const [current] = watched.paths;
  if (current === undefined) return;
  watched.metMs ??= performance.now();
  if (isStraight(current.kind)) watched.nearMs ??= performance.now();
}

/** Adds the relays and waits until all are connected. @throws DeadlineError */
export async function goOnline({ client }: LabVisor, hints: readonly string[]): Promise<void> {
  for (const hint of hints) await client.relays.add({ hint });
  await until('both relays', onlinePatienceMs, async () => {
    const { connection } = (await client.state.snapshot()).view;
    return connection.relaysConnected === hints.length ? true : undefined;
  });
}

/** @throws Error when they do not come up, or get no session. */
export async function meet(cell: LabCell, options: MeetingOptions): Promise<MeetingOutcome> {
  const { lab, folder, hints } = options;
  const started: LabVisor[] = [];
  const start = async (host: string): Promise<LabVisor> => {
    const visor = await LabVisor.start(lab, host, path.join(folder, `${host}-${String(Math.round(performance.now()))}`));
    started.push(visor);
    return visor;
  };
  try {
    const startedMs = performance.now();
    const visors = await Promise.all([start(cell.hosts[0]), start(cell.hosts[1])]);
    await Promise.all(visors.map((visor) => goOnline(visor, hints)));
    if (options.isWarm) await Promise.all(visors.map(({ client }) => client.network.check()));
    return await watch(cell, visors, startedMs, options.isMirrored);
  } finally {
    await Promise.all(started.map((visor) => visor.stop()));
  }
}

async function watch(cell: LabCell, [left, right]: readonly [LabVisor, LabVisor], startedMs: number, isMirrored: boolean): Promise<MeetingOutcome> {
  const sides = [{ visor: left, other: right }, { visor: right, other: left }].map((side): Watched => ({ ...side, startedMs, metMs: undefined, nearMs: undefined, paths: [], sentBytes: 0 }));
  const [inviter, guest] = isMirrored ? [right, left] : [left, right];
  const { link } = await inviter.client.invites.create();
  await guest.client.contacts.add({ link });
  const [toInviter, toGuest] = [new Letters(guest, inviter), new Letters(inviter, guest)];
  toInviter.start();
  await until('the guest to be a contact of the one who invited', sessionPatienceMs, async () => {
    await Promise.all(sides.map(look));
    return (await inviter.client.state.snapshot()).view.conversations.some(({ publicKey }) => publicKey === guest.publicKey) ? true : undefined;
  });
  toGuest.start();
  await until('a session of their own', sessionPatienceMs, async () => {
    await Promise.all(sides.map(look));
    return sides.every(({ metMs }) => metMs !== undefined) ? true : undefined;
  }).catch(() => undefined);
  let untilMs = performance.now() + (cell.expected === 'relay' ? relayDwellMs : cell.isGuessed === true ? guessPatienceMs : pathPatienceMs);
  const isThere = (): boolean => sides.every(({ paths }) => paths[0]?.kind === cell.expected);
  while (performance.now() < untilMs && (cell.expected === 'relay' || !isThere())) {
    await Promise.all(sides.map(look));
    const nearMs = Math.max(...sides.map((side) => side.nearMs ?? Infinity));
    if (cell.expected === 'punched') untilMs = Math.min(untilMs, nearMs + knowingPatienceMs);
    await pause(lookAgainMs);
  }
  await pause(afterwardsMs);
  const [guestLetters, inviterLetters] = await Promise.all([toInviter.end(letterPatienceMs), toGuest.end(letterPatienceMs)]);
  await Promise.all(sides.map(look));
  const outcomes = await Promise.all(sides.map((side) => outcomeOf(side, side.visor === guest ? guestLetters : inviterLetters)));
  const [first, second] = outcomes;
  if (first === undefined || second === undefined) throw new Error('there are two sides');
  return { sides: [first, second] };
}

async function outcomeOf({ visor, paths, metMs, nearMs, startedMs, sentBytes }: Watched, letters: LetterCount): Promise<SideOutcome> {
  const { network } = (await visor.client.state.snapshot()).view;
  const address = paths[0]?.address;
  const knowsInbound = address !== undefined && inboundOf(network?.report)[address.startsWith('[') ? 'ipv6' : 'ipv4'] !== undefined;
  const candidates = (network?.report.candidates ?? []).map(({ kind, host, port, isPortSure }) => `${kind} ${host}:${isPortSure ? String(port) : `(${String(port)})`}`);
  return {
    kind: paths[0]?.kind, paths, upgradeMs: metMs === undefined || nearMs === undefined ? undefined : nearMs - metMs, sinceStartMs: nearMs === undefined ? undefined : nearMs - startedMs, candidates, knowsInbound, letters, sentBytes,
  };
}
