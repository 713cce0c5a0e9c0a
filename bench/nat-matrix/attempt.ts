/** One attempt of one system in one cell: starts it, lets it dial, and finds out by which path its bytes went. */
import { setTimeout as pause } from 'node:timers/promises';
import { diallingHost, helper, servingHost, type Laboratory } from './laboratory.ts';
import { Process } from './processes.ts';
import { traversers } from './registry.ts';
import { kindBehaviours, type MatrixKind } from '../../e2e/natlab/nat-matrix.ts';
import type { Moment } from './one.ts';

/** Of the bytes of the proof; the rest keeps other connections alive. */
const directShare = 0.9;
const proofWithinMs = 15_000;
/** What a system does once, because there is a new connection or contact, is over by then: what is counted after is what it takes to speak. */
const calmMs = 5_000;

export interface Pair { readonly dialling: MatrixKind; readonly serving: MatrixKind }

export interface Attempt {
  /** By the packets of the proof. */
  readonly path: 'direct' | 'relay' | 'none';
  /** From the dial to the first echo, by whatever path. */
  readonly firstByteMs: number | undefined;
  /** From the dial to the first echo by a direct path. */
  readonly directMs: number | undefined;
  /** Whether the system said that the path is direct; what it is, the packets tell. */
  readonly saidDirect: boolean;
  /** Bytes of packets from and to the other NAT's outer address while the proof went on, and from and to helpers. */
  readonly peerBytes: number;
  readonly helperBytes: number;
  /** Where packets went in the end, as the system says. */
  readonly remote: string;
  /** Why there is no connection, in the system's own words, and after how long it said so. */
  readonly failure: string | undefined;
  readonly failedMs: number | undefined;
}

const noConnection: Attempt = {
  path: 'none', firstByteMs: undefined, directMs: undefined, saidDirect: false, peerBytes: 0, helperBytes: 0, remote: '', failure: undefined, failedMs: undefined,
};

/** Whether somebody may have to guess a port: a mapping depends on the remote end. */
export const dependsOnRemote = ({ dialling, serving }: Pair): boolean => [dialling, serving].some((kind) => kindBehaviours[kind].mapping !== 'independent');

interface Reached { readonly first: Moment; readonly direct: Moment | undefined }

/** Undefined: not within the time. */
async function reach(dialler: Process, withinMs: number): Promise<Reached | Attempt> {
  const deadlineMs = Date.now() + withinMs;
  let first: Moment | undefined;
  for (;;) {
    const line = await dialler.next(deadlineMs - Date.now());
    if (line === undefined) return first === undefined ? { ...noConnection, failure: `Nothing within ${withinMs / 1_000} s.`, failedMs: withinMs } : { first, direct: undefined };
    if ('error' in line) return { ...noConnection, failure: line.error, failedMs: line.ms };
    if ('first' in line) first = line.first;
    if ('direct' in line && first !== undefined) return { first, direct: line.direct };
  }
}

/** @throws Error when a process of it does not come up. */
export async function attempt(laboratory: Laboratory, name: string, pair: Pair): Promise<Attempt> {
  const { withinMs } = traversers[name] ?? { withinMs: { plain: 0, guessing: 0 } };
  const started: Process[] = [];
  const start = (host: string, words: readonly string[]): Process => {
    const process = new Process(laboratory.lab, host, words);
    started.push(process);
    return process;
  };
  try {
    await laboratory.setKinds(pair.dialling, pair.serving);
    const helpers = await start(helper, ['help', name, ...laboratory.helperAddresses]).ready();
    const address = await start(servingHost, ['serve', name, helpers]).ready();
    const dialler = start(diallingHost, ['dial', name, helpers, address]);
    await dialler.ready();
    dialler.tell('dial');
    const reached = await reach(dialler, dependsOnRemote(pair) ? withinMs.guessing : withinMs.plain);
    if ('path' in reached) return reached;
    const { first, direct } = reached;
    await pause(calmMs);
    const before = laboratory.count();
    dialler.tell('prove');
    const proof = await dialler.next(proofWithinMs);
    const after = laboratory.count();
    const [peerBytes, helperBytes] = [after.peerBytes - before.peerBytes, after.helperBytes - before.helperBytes];
    if (proof === undefined || !('proved' in proof)) return { ...noConnection, firstByteMs: first.ms, saidDirect: direct !== undefined, failure: 'The connection ended.', failedMs: undefined };
    const isDirect = peerBytes >= proof.proved && peerBytes >= directShare * (peerBytes + helperBytes);
    return {
      path: isDirect ? 'direct' : 'relay', firstByteMs: first.ms, directMs: isDirect ? direct?.ms : undefined, saidDirect: direct !== undefined, peerBytes, helperBytes,
      remote: (direct ?? first).remote, failure: undefined, failedMs: undefined,
    };
  } finally {
    for (const process of started) process.stop();
  }
}
