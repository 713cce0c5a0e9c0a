/** `waypost peers` and `reach`: who is connected now and by which paths, and connecting to a contact who is here. */
import type { Command } from 'commander';
import type { Client } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import { isStraight, type PeerPathView, type PeerView } from '../../../shared/peer-views.ts';
import { parseTimeout } from '../durations.ts';
import { pause } from '../environment.ts';
import { exitFailed } from '../terminal.ts';
import { addVerb, runVerb } from '../verb.ts';
import { settle } from './network.ts';

const lookAgainMs = 50;
/** Meeting takes two or three round trips, and a direct path needs what a check of the network found out, which begins four seconds after the first relay. */
const reachTimeoutMs = 20_000;

const wantedPaths = ['any', 'direct'] as const;
type WantedPath = (typeof wantedPaths)[number];

function parseWanted(text: string | undefined): WantedPath {
  const wanted = wantedPaths.find((known) => known === (text ?? 'any'));
  if (wanted === undefined) throw new WaypostError('invalid-argument', '--wait takes "any" or "direct".');
  return wanted;
}

function pathWords({ kind, address, relay, relayName, isCurrent, isDoubtful, roundTripMs }: PeerPathView): string {
  const where = isStraight(kind) ? address ?? '' : `through ${relayName ?? relay ?? 'somebody'}`;
  const remarks = [...(isCurrent ? ['in use'] : []), ...(isDoubtful ? ['does not answer at the moment'] : []), ...(roundTripMs === undefined ? [] : [`${String(Math.round(roundTripMs))} ms`])];
  return `  ${kind.padEnd(6)}  ${where}${remarks.length === 0 ? '' : `  (${remarks.join(', ')})`}`;
}

/** One line for the peer; a contact has one more for each path. */
export function peerWords({ publicKey, path, kind, address, isOverTcp, roundTripMs, name, paths }: PeerView): string {
  const roundTrip = roundTripMs === undefined ? '' : `  ${String(Math.round(roundTripMs))} ms`;
  return [`${publicKey}  ${kind ?? path}  ${address ?? ''}${isOverTcp === true ? '  over TCP' : ''}${roundTrip}  ${name}`, ...paths.map(pathWords)].join('\n');
}

const hasPath = ({ kind }: PeerView, wanted: WantedPath): boolean => kind !== undefined && (wanted === 'any' || isStraight(kind));

/** As they are when they are reached as wanted, or when the time is over. */
async function waitForPeer(client: Client, publicKey: string, wanted: WantedPath, timeoutMs: number): Promise<PeerView | undefined> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const { peers } = await client.peers.list();
    const peer = peers.find((one) => one.publicKey === publicKey && one.role === 'contact');
    if ((peer !== undefined && hasPath(peer, wanted)) || performance.now() >= untilMs) return peer;
    await pause(lookAgainMs);
  }
}

export function addPeerVerbs(program: Command): void {
  addVerb(program, 'peers', 'list who is connected now, and by which paths')
    .action((_options: unknown, command: Command) => runVerb(command, async (environment) => {
      await environment.withVisor(async ({ client, isOwn }) => {
        if (isOwn) await settle(client, environment.lingerMs);
        const { peers } = await client.peers.list();
        for (const peer of peers) environment.terminal.result(peerWords(peer), peer);
        if (peers.length === 0) environment.terminal.note('Nobody is connected.');
      });
    }));

  addVerb(program, 'reach <key>', 'connect to a contact who is here now, and say by which paths')
    .option('--wait <path>', 'wait for "any" path (default), or until there is a "direct" one')
    .option('--timeout <seconds>', 'give up waiting after this time (default: 20)')
    .addHelpText('after', '\nExit code: 0 when the contact was reached as wanted, 1 when not. Messages need none of this: they wait for whoever is away.')
    .action((key: string, options: { wait?: string; timeout?: string }, command: Command) => runVerb(command, async (environment) => {
      const wanted = parseWanted(options.wait);
      const timeoutMs = parseTimeout(options.timeout) ?? reachTimeoutMs;
      const publicKey = key.toLowerCase();
      await environment.withVisor(async ({ client, isOwn }) => {
        if (isOwn) await settle(client, environment.lingerMs);
        await client.peers.reach({ publicKey });
        const peer = await waitForPeer(client, publicKey, wanted, timeoutMs);
        if (peer === undefined || !hasPath(peer, wanted)) process.exitCode = exitFailed;
        if (peer !== undefined) environment.terminal.result(peerWords(peer), peer);
        else environment.terminal.note('They were not reached: they are away, or none of their relays connects you. Messages wait for them all the same.');
      });
    }));
}
