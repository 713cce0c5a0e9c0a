/**
 * The second table of `lab-table.ts`: what happens to letters when something happens to the network in the middle of a conversation (lab-faults.ts). Each cell has two visors behind
 * port-restricted routers (or one at a public address) and two relays of its own; when both write to each other by the wanted path, the fault begins. A cell fails where a letter is lost or comes twice, and
 * where nothing shows that the fault was there. Times are printed and not asserted: from the fault to the arrival of the first letter written after it, from the end of the
 * fault to the next arrival, and the longest time without one. Each pair of numbers is that of letters to the right, and to the left.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { faultCellOf, problemsOfFault, runFault, type DirectionOutcome, type FaultCell, type FaultOutcome } from './lab-fault-cell.ts';
import { publicHostsIn, routersOf } from './lab-fault-scene.ts';
import type { Fault } from './lab-faults.ts';
import { inBatches, type Batch, type Laboratory } from './lab-laboratory.ts';
import { inLanes, inLanesStartedInTurn, sentenceOf, type TableOptions } from './lab-lanes.ts';
import type { Lab, Topology } from './lab.ts';

export const faultTitle = '\n       fault                               run    path             next letter          after its end        longest gap          letters sent/lost/doubled  what shows it\n'
  + '       (a sleep of 12 hours and wrong clocks are told to the simulator: npm run sim)';

/** Slow cells at a time: each has four processes, which do nothing for most of its minutes. */
const slowLanes = 10;

interface Row { readonly cell: FaultCell; readonly outcome: FaultOutcome | undefined; readonly problems: readonly string[] }

const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(0));

function textOf({ cell: { fault, run }, outcome, problems }: Row): string {
  const both = (of: (way: DirectionOutcome) => string): string => (outcome === undefined ? '-' : `${of(outcome.toRight)} / ${of(outcome.toLeft)}`);
  const columns = [
    fault.name.padEnd(34), `run ${String(run)}`, (outcome?.paths.map((kind) => kind ?? '-').join(' / ') ?? '-').padEnd(15),
    `${both(({ nextMs }) => ms(nextMs))} ms`.padEnd(19), `${both(({ nextAfterHealMs }) => ms(nextAfterHealMs))} ms`.padEnd(19), `${both(({ gapMs }) => ms(gapMs))} ms`.padEnd(19),
    both(({ letters: { sent, lost, doubled } }) => `${String(sent)}/${String(lost)}/${String(doubled)}`).padEnd(25), outcome?.evidence.map(({ text }) => text).join(', ') ?? '',
  ];
  return `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${columns.join('  ').trimEnd()}${problems.map((problem) => `\n       ${problem}`).join('')}`;
}

function show(row: Row, isJson: boolean): void {
  const { cell: { fault, run }, outcome, problems } = row;
  process.stdout.write(isJson ? `${JSON.stringify({ table: 'faults', cell: fault.name, run, conversation: fault.conversation, passed: problems.length === 0, problems, outcome })}\n` : `${textOf(row)}\n`);
}

async function attempt(lab: Lab, folder: string, cell: FaultCell, reached: () => void): Promise<Row> {
  try {
    const own = path.join(folder, `fault-${cell.places.left}`);
    mkdirSync(own);
    const outcome = await runFault(cell, lab, own, reached);
    return { cell, outcome, problems: problemsOfFault(outcome) };
  } catch (error) {
    return { cell, outcome: undefined, problems: [sentenceOf(error)] };
  }
}

export function faultTopology(cells: readonly FaultCell[]): Topology {
  return { publicHosts: cells.flatMap(({ places }) => publicHostsIn(places)), routers: cells.flatMap(({ places }) => routersOf(places)) };
}

type Attempt = (cell: FaultCell, reached?: () => void) => Promise<Row>;

function laboratoryOf({ title, cells }: Batch<FaultCell>, isJson: boolean, runCells: (attemptOf: Attempt) => Promise<readonly Row[]>): Laboratory {
  const relays = cells.flatMap(({ places }) => places.relays);
  return {
    title, topology: faultTopology(cells), relays, hosts: [...cells.flatMap(({ places: { left, right } }) => [left, right]), ...relays],
    run: (lab, folder) => runCells(async (cell, reached = () => undefined) => {
      const row = await attempt(lab, folder, cell, reached);
      show(row, isJson);
      return row;
    }),
  };
}

/** All runs of these faults, each with nodes of its own. `slow` may run at the same time as `together`, and `alone` only when nothing else does. */
export interface FaultLaboratories { readonly together: readonly Laboratory[]; readonly slow: readonly Laboratory[]; readonly alone: readonly Laboratory[] }

export function faultLaboratories(faults: readonly Fault[], { runs, lanes, isJson }: TableOptions): FaultLaboratories {
  const isSlow = (fault: Fault): boolean => fault.isSlow === true;
  const isAlone = (fault: Fault): boolean => fault.isAlone === true;
  const batches = (title: string, wanted: (fault: Fault) => boolean): readonly Batch<FaultCell>[] =>
    inBatches(title, runs, (run) => faults.filter(wanted).map((fault) => faultCellOf(fault, run)), faultTopology);
  return {
    together: batches('faults', (fault) => !isSlow(fault) && !isAlone(fault)).map((batch) => laboratoryOf(batch, isJson, (attemptOf) => inLanes(batch.cells, lanes, attemptOf))),
    slow: batches('slow faults', isSlow).map((batch) => laboratoryOf(batch, isJson, (attemptOf) => inLanesStartedInTurn(batch.cells, slowLanes, attemptOf))),
    alone: batches('faults alone', isAlone).map((batch) => laboratoryOf(batch, isJson, (attemptOf) => inLanes(batch.cells, 1, attemptOf))),
  };
}
