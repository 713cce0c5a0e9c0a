/** Measures one peer over one link of the laboratory. */
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { emulationOf, linkBytesPerMs, type MeasuredLink, type MeasuredPeer } from './links.ts';
import { dial, probe, serve, type RoundTrips, type Transfer } from './processes.ts';
import type { EmulatorCounts, Lab } from '../../e2e/natlab/lab.ts';
import type { Sample } from './end.ts';

/** The one who has the content, and the one behind the link who downloads it. */
export const holder = 'holder';
export const requester = 'requester';
export const topology = `public ${holder}\npublic ${requester}\n`;

/** Of the laboratory's public hosts. */
const publicNetwork = '198.18.0.0/15';
/** Until a transfer has found its speed: start-up is another question, and the table in the simulator leaves out the same. */
const settleSeconds = 3;
const probeEveryMs = 50;
const unloadedSeconds = 2;
/** How far apart two downloads begin, and when their shares are counted from, after the second began. */
const secondStartSeconds = 3;
const sharedSettleSeconds = 5;
const sharedSeconds = 25;
/** The emulator says what it counted twice a second. */
const countsLagMs = 600;

export interface Result {
  readonly link: string;
  readonly peer: string;
  /** Share of the link's rate that arrived as content. */
  readonly goodput: number;
  /** Share of the link's rate that passed in frames of any kind. */
  readonly carried: number;
  /** Frames that found the queue full, of all that came. */
  readonly dropped: number;
  /** What a small datagram takes longer there and back than on the idle link. */
  readonly queueMs: { readonly median: number; readonly p90: number };
}

export interface SharedResult { readonly link: string; readonly peer: string; readonly goodput: number; readonly largerShare: number; readonly queueMs: number }

/** By the holder's route: a namespace may not choose for all of its sockets what the machine does not allow everybody. */
function setCongestionControl(lab: Lab, { congestionControl }: MeasuredPeer): void {
  if (congestionControl === undefined) return;
  const own = lab.addresses(holder)[0] ?? '';
  const route = ['ip', 'route', 'replace', publicNetwork, 'dev', 'eth0', 'proto', 'kernel', 'scope', 'link', 'src', own, 'congctl', congestionControl];
  const [command = '', ...words] = lab.commandLine(holder, route);
  execFileSync(command, words);
}

function countsOf(lab: Lab): EmulatorCounts | undefined {
  return lab.status().find(({ node }) => node.name === requester)?.counts;
}

/** Content bytes between two times, by the last sample before each. */
function receivedBetween(samples: readonly Sample[], fromMs: number, untilMs: number): number {
  const at = (timeMs: number): Sample | undefined => samples.findLast(({ atMs }) => atMs <= timeMs);
  const [first, last] = [at(fromMs), at(untilMs)];
  if (first === undefined || last === undefined || last.atMs === first.atMs) return 0;
  return (last.bytes - first.bytes) / (last.atMs - first.atMs) * (untilMs - fromMs);
}

const shareOf = (bytes: number, ms: number): number => bytes / (ms * linkBytesPerMs);

export async function idleRoundTrips(lab: Lab, link: MeasuredLink): Promise<RoundTrips> {
  await lab.emulate(requester, emulationOf(link));
  return probe(lab, requester, holder, unloadedSeconds, probeEveryMs);
}

export async function measure(lab: Lab, link: MeasuredLink, peer: MeasuredPeer, seconds: number, idle: RoundTrips): Promise<Result> {
  await lab.emulate(requester, emulationOf(link));
  setCongestionControl(lab, peer);
  const server = await serve(lab, holder, peer.peer);
  let transfer: Transfer | undefined;
  try {
    transfer = await dial(lab, requester, peer.peer, server.address, settleSeconds + seconds);
    transfer.begin();
    await pause(settleSeconds * 1_000);
    const before = countsOf(lab);
    const probed = probe(lab, requester, holder, seconds, probeEveryMs);
    await pause(seconds * 1_000 - countsLagMs);
    const after = countsOf(lab);
    const samples = await transfer.samples();
    const { median, p90 } = await probed;
    const startMs = (samples[0]?.atMs ?? 0) + settleSeconds * 1_000;
    const frames = (after?.in.frames ?? 0) - (before?.in.frames ?? 0);
    return {
      link: link.name, peer: peer.name,
      goodput: shareOf(receivedBetween(samples, startMs, startMs + seconds * 1_000), seconds * 1_000),
      carried: shareOf((after?.in.passedBytes ?? 0) - (before?.in.passedBytes ?? 0), (after?.atMs ?? 0) - (before?.atMs ?? 0)),
      dropped: ((after?.in.overflow ?? 0) - (before?.in.overflow ?? 0)) / frames,
      queueMs: { median: (median ?? Number.NaN) - (idle.median ?? Number.NaN), p90: (p90 ?? Number.NaN) - (idle.median ?? Number.NaN) },
    };
  } finally {
    transfer?.stop();
    server.stop();
  }
}

/** Two downloads of one kind over one link, the second begun later. */
export async function measureShared(lab: Lab, link: MeasuredLink, peer: MeasuredPeer, idle: RoundTrips): Promise<SharedResult> {
  await lab.emulate(requester, emulationOf(link));
  setCongestionControl(lab, peer);
  const server = await serve(lab, holder, peer.peer);
  const transfers: Transfer[] = [];
  const afterSecond = sharedSettleSeconds + sharedSeconds;
  try {
    for (const seconds of [secondStartSeconds + afterSecond, afterSecond]) transfers.push(await dial(lab, requester, peer.peer, server.address, seconds));
    const [first, second] = transfers;
    first?.begin();
    await pause(secondStartSeconds * 1_000);
    second?.begin();
    await pause(sharedSettleSeconds * 1_000);
    const probed = probe(lab, requester, holder, sharedSeconds, probeEveryMs);
    const all = await Promise.all(transfers.map((transfer) => transfer.samples()));
    const startMs = Math.max(...all.map((samples) => samples[0]?.atMs ?? 0)) + sharedSettleSeconds * 1_000;
    const received = all.map((samples) => receivedBetween(samples, startMs, startMs + sharedSeconds * 1_000));
    const total = received.reduce((sum, bytes) => sum + bytes, 0);
    const { median } = await probed;
    return {
      link: link.name, peer: peer.name, goodput: shareOf(total, sharedSeconds * 1_000), largerShare: Math.max(...received) / total,
      queueMs: (median ?? Number.NaN) - (idle.median ?? Number.NaN),
    };
  } finally {
    for (const transfer of transfers) transfer.stop();
    server.stop();
  }
}
