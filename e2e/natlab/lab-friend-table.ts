/**
 * The last part of `lab-table.ts`: the cells in which every relay dies and a friend of both carries (lab-friend.ts). Times are printed and not asserted: until both had been offered the friend's relay, until the
 * friend held the letters, until who had been away had them, and until the two had a session of their own through the friend.
 */
import path from 'node:path';
import { publicHostsOf, type FriendCell } from './lab-cells.ts';
import { meetByFriend, type FriendOutcome } from './lab-friend.ts';
import { inBatches, type Laboratory } from './lab-laboratory.ts';
import { inLanes, sentenceOf, type TableOptions } from './lab-lanes.ts';
import type { Lab, Topology } from './lab.ts';

export const friendTitle = '\n       friends';

interface Row { readonly cell: FriendCell; readonly outcome: FriendOutcome | undefined; readonly problems: readonly string[] }

const ms = (value: number): string => `${value.toFixed(0)} ms`;

function textOf({ cell, outcome, problems }: Row): string {
  const text = outcome === undefined ? '' : [
    `offered after ${ms(outcome.offeredMs)}, held after ${ms(outcome.heldMs)}, fetched after ${ms(outcome.arrivedMs)}, met after ${ms(outcome.metMs)} by ${outcome.firstPath?.kind ?? 'nothing'}`,
    `ended with ${outcome.lastPaths.map(({ kind }) => kind).join(' and ')}; letters ${outcome.letters.map(({ sent, lost, doubled }) => `${String(sent)}/${String(lost)}/${String(doubled)}`).join('  ')}`,
  ].join(', ');
  return `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${cell.name.padEnd(34)}  run ${String(cell.run)}  ${text}${problems.map((problem) => `\n       ${problem}`).join('')}`;
}

function show({ cell, outcome, problems }: Row, isJson: boolean): void {
  process.stdout.write(isJson ? `${JSON.stringify({ table: 'friends', cell: cell.name, run: cell.run, passed: problems.length === 0, problems, outcome })}\n` : `${textOf({ cell, outcome, problems })}\n`);
}

async function attempt(lab: Lab, folder: string, cell: FriendCell): Promise<Row> {
  try {
    const outcome = await meetByFriend(cell, lab, path.join(folder, cell.friend.host));
    return { cell, outcome, problems: outcome.problems };
  } catch (error) {
    return { cell, outcome: undefined, problems: [sentenceOf(error)] };
  }
}

export function friendTopology(cells: readonly FriendCell[]): Topology {
  return { publicHosts: [...publicHostsOf(cells), ...cells.flatMap(({ friend }) => [friend.host, ...friend.relays])], routers: cells.flatMap(({ routers }) => routers) };
}

/** All runs, side by side: each kills relays of its own. */
export function friendLaboratories(cellsOf: (run: number) => readonly FriendCell[], { runs, lanes, isJson }: TableOptions): readonly Laboratory[] {
  return inBatches('friends', runs, cellsOf, friendTopology).map(({ title, cells }) => ({
    title, topology: friendTopology(cells),
    // Where Waypost is a visor alone or a relay alone: the friend is both, and is a relay to the two.
    hosts: cells.flatMap(({ hosts, friend }) => [...hosts, ...friend.relays]), relays: cells.flatMap(({ friend }) => [friend.host, ...friend.relays]),
    run: (lab, folder) => inLanes(cells, lanes, async (cell) => {
      const row = await attempt(lab, folder, cell);
      show(row, isJson);
      return row;
    }),
  }));
}
