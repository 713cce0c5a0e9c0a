/**
 * The second table of `lab-table.ts`: what happens to letters when something happens to the network in the middle of a conversation (lab-faults.ts). Each cell has two visors behind
 * port-restricted routers (or one at a public address) and two relays of its own; when both write to each other by the wanted path, the fault begins. A cell fails where a letter is lost or comes twice, and
 * where nothing shows that the fault was there. Times are printed and not asserted: from the fault to the arrival of the first letter written after it, from the end of the
 * fault to the next arrival, and the longest time without one. Each pair of numbers is that of letters to the right, and to the left.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { faultCells, problemsOfFault, runFault, type DirectionOutcome, type FaultCell, type FaultOutcome } from './lab-fault-cell.ts';
import { publicHostsIn, routersOf } from './lab-fault-scene.ts';
import { inLanes, sentenceOf, type TableOptions, type TableRow } from './lab-lanes.ts';
import type { Lab } from './lab.ts';

export const faultTitle = '\n       fault                               run    path             next letter          after its end        longest gap          letters sent/lost/doubled  what shows it\n'
  + '       (a sleep of 12 hours and wrong clocks are told to the simulator: npm run sim)';

interface Row { readonly cell: FaultCell; readonly run: number; readonly outcome: FaultOutcome | undefined; readonly problems: readonly string[] }

const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(0));

function textOf({ cell: { fault }, run, outcome, problems }: Row): string {
  const both = (of: (way: DirectionOutcome) => string): string => (outcome === undefined ? '-' : `${of(outcome.toRight)} / ${of(outcome.toLeft)}`);
  const columns = [
    fault.name.padEnd(34), `run ${String(run)}`, (outcome?.paths.map((kind) => kind ?? '-').join(' / ') ?? '-').padEnd(15),
    `${both(({ nextMs }) => ms(nextMs))} ms`.padEnd(19), `${both(({ nextAfterHealMs }) => ms(nextAfterHealMs))} ms`.padEnd(19), `${both(({ gapMs }) => ms(gapMs))} ms`.padEnd(19),
    both(({ letters: { sent, lost, doubled } }) => `${String(sent)}/${String(lost)}/${String(doubled)}`).padEnd(25), outcome?.evidence.map(({ text }) => text).join(', ') ?? '',
  ];
  return `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${columns.join('  ').trimEnd()}${problems.map((problem) => `\n       ${problem}`).join('')}`;
}

function show(row: Row, isJson: boolean): void {
  const { cell: { fault }, run, outcome, problems } = row;
  process.stdout.write(isJson ? `${JSON.stringify({ table: 'faults', cell: fault.name, run, conversation: fault.conversation, passed: problems.length === 0, problems, outcome })}\n` : `${textOf(row)}\n`);
}

async function attempt(lab: Lab, folder: string, cell: FaultCell, run: number): Promise<Row> {
  try {
    const own = path.join(folder, `fault-${cell.places.left}-${String(run)}`);
    mkdirSync(own);
    const outcome = await runFault(cell, lab, own);
    return { cell, run, outcome, problems: problemsOfFault(outcome) };
  } catch (error) {
    return { cell, run, outcome: undefined, problems: [sentenceOf(error)] };
  }
}

export const cellsOfFaults = (isSlow: boolean): readonly FaultCell[] => faultCells.filter(({ fault }) => isSlow || fault.isSlow !== true);

/** Each run of a cell has nodes of its own: what a fault did to them is not undone. */
export function faultTopology(cells: readonly FaultCell[]): Parameters<Lab['up']>[0] {
  return { publicHosts: cells.flatMap(({ places }) => publicHostsIn(places)), routers: cells.flatMap(({ places }) => routersOf(places)) };
}

export const faultRelays = (cells: readonly FaultCell[]): readonly string[] => cells.flatMap(({ places: { relays } }) => relays);

/** Where Waypost runs in these cells. */
export const faultHosts = (cells: readonly FaultCell[]): readonly string[] => cells.flatMap(({ places: { left, right, relays } }) => [left, right, ...relays]);

/** One run of all; those that need the processors for themselves come last, one by one. */
export async function runFaults(lab: Lab, folder: string, cells: readonly FaultCell[], run: number, { lanes, isJson }: TableOptions): Promise<readonly TableRow[]> {
  const attemptOf = async (cell: FaultCell): Promise<Row> => {
    const row = await attempt(lab, folder, cell, run);
    show(row, isJson);
    return row;
  };
  const together = await inLanes(cells.filter(({ fault }) => fault.isAlone !== true), lanes, attemptOf);
  return [...together, ...await inLanes(cells.filter(({ fault }) => fault.isAlone === true), 1, attemptOf)];
}
