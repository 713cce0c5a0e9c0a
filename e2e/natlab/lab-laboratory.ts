/** A laboratory of `lab-table.ts`: cells of one table, the nodes they need, and the ledger of what these sent. One is for several runs, for to build one takes a while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLedger, readLedger } from './lab-ledger.ts';
import type { TableRow } from './lab-lanes.ts';
import { Lab, type Topology } from './lab.ts';
import { copiesThatFit } from './topology.ts';

/** A network namespace costs the kernel some 5 MB with what is counted in it, and what is sent to everybody in the public network goes to all of them. With so many, 20 runs of the faults leave two cores to the visors. */
const nodesMaximum = 240;

export interface Laboratory {
  /** Tells its ledger from others. */
  readonly title: string;
  readonly topology: Topology;
  /** Those on which Waypost runs, and which of them are relays. */
  readonly hosts: readonly string[];
  readonly relays: readonly string[];
  /** Runs the cells; `folder` is gone after them. */
  readonly run: (lab: Lab, folder: string) => Promise<readonly TableRow[]>;
}

/**
 * What its cells find, and as one more row whether anybody was sent more than they may be meanwhile. To build it and to read its ledger keeps this thread busy, for half a minute when it is large.
 * @throws Error where the system refuses.
 */
export async function inLab(labName: string, { title, topology, hosts, relays, run }: Laboratory, isJson: boolean): Promise<readonly TableRow[]> {
  const lab = new Lab(labName);
  const folder = mkdtempSync(path.join(tmpdir(), 'natlab-visors-'));
  try {
    await lab.up(topology);
    openLedger(lab, hosts);
    const rows = await run(lab, folder);
    const ledger = readLedger(lab, hosts, relays);
    const passed = ledger.problems.length === 0;
    process.stdout.write(isJson ? `${JSON.stringify({ table: 'ledger', of: title, passed, ...ledger })}\n` : `${passed ? 'ok    ' : 'FAILED'} nobody is sent more than they asked for (${title}): ${ledger.text}${ledger.problems.map((problem) => `\n       ${problem}`).join('')}\n`);
    return [...rows, ledger];
  } finally {
    await lab.down();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One after the other, all under one name. */
export async function inLabs(labName: string, laboratories: readonly Laboratory[], isJson: boolean): Promise<readonly TableRow[]> {
  const rows: TableRow[] = [];
  for (const laboratory of laboratories) rows.push(...await inLab(labName, laboratory, isJson));
  return rows;
}

/** Runs from 1 on, in as few laboratories as can number their nodes, and bear them. */
export interface Batch<Cell> { readonly title: string; readonly cells: readonly Cell[] }

/** @param cellsOf the cells of one run, with nodes of their own; as many in each. None: no batch. */
export function inBatches<Cell>(title: string, runs: number, cellsOf: (run: number) => readonly Cell[], topologyOf: (cells: readonly Cell[]) => Topology): readonly Batch<Cell>[] {
  if (cellsOf(1).length === 0) return [];
  const topology = topologyOf(cellsOf(1));
  const size = Math.max(1, Math.min(copiesThatFit(topology), Math.floor(nodesMaximum / nodesIn(topology))));
  return Array.from({ length: Math.ceil(runs / size) }, (_, batch) => {
    const [first, last] = [batch * size + 1, Math.min(runs, (batch + 1) * size)];
    return { title: `${title}, ${first === last ? `run ${first}` : `runs ${first} to ${last}`}`, cells: Array.from({ length: last - first + 1 }, (_each, index) => cellsOf(first + index)).flat() };
  });
}

const nodesIn = ({ publicHosts, routers }: Topology): number => publicHosts.length + routers.reduce((sum, { hosts }) => sum + 1 + hosts.length, 0);
