/**
 * The last part of `lab-table.ts`: the cells in which every relay dies and a friend of both carries (lab-friend.ts). Times are printed and not asserted: until both had been offered the friend's relay, until the
 * friend held the letters, until who had been away had them, and until the two had a session of their own through the friend.
 */
import path from 'node:path';
import { publicHostsOf, type FriendCell } from './lab-cells.ts';
import { meetByFriend, type FriendOutcome } from './lab-friend.ts';
import { sentenceOf, type TableOptions, type TableRow } from './lab-lanes.ts';
import type { Lab } from './lab.ts';

export const friendTitle = '\n       friends';

interface Row { readonly cell: FriendCell; readonly run: number; readonly outcome: FriendOutcome | undefined; readonly problems: readonly string[] }

const ms = (value: number): string => `${value.toFixed(0)} ms`;

function textOf({ cell, run, outcome, problems }: Row): string {
  const text = outcome === undefined ? '' : [
    `offered after ${ms(outcome.offeredMs)}, held after ${ms(outcome.heldMs)}, fetched after ${ms(outcome.arrivedMs)}, met after ${ms(outcome.metMs)} by ${outcome.firstPath?.kind ?? 'nothing'}`,
    `ended with ${outcome.lastPaths.map(({ kind }) => kind).join(' and ')}; letters ${outcome.letters.map(({ sent, lost, doubled }) => `${String(sent)}/${String(lost)}/${String(doubled)}`).join('  ')}`,
  ].join(', ');
  return `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${cell.name.padEnd(34)}  run ${String(run)}  ${text}${problems.map((problem) => `\n       ${problem}`).join('')}`;
}

export function friendTopology(cells: readonly FriendCell[]): Parameters<Lab['up']>[0] {
  return { publicHosts: [...publicHostsOf(cells), ...cells.flatMap(({ friend }) => [friend.host, ...friend.relays])], routers: cells.flatMap(({ routers }) => routers) };
}

/** Where Waypost runs in these cells and is a visor alone or a relay alone: the friend is both. */
export const friendHosts = (cells: readonly FriendCell[]): readonly string[] => cells.flatMap(({ hosts, friend }) => [...hosts, ...friend.relays]);
/** Where the two find a relay. */
export const friendRelays = (cells: readonly FriendCell[]): readonly string[] => cells.flatMap(({ friend }) => [friend.host, ...friend.relays]);

/** One run of all, one after the other: each kills relays of its own. */
export async function runFriends(lab: Lab, folder: string, cells: readonly FriendCell[], run: number, { isJson }: TableOptions): Promise<readonly TableRow[]> {
  const rows: Row[] = [];
  for (const cell of cells) {
    let row: Row;
    try {
      const outcome = await meetByFriend(cell, lab, path.join(folder, `friend-${String(run)}`));
      row = { cell, run, outcome, problems: outcome.problems };
    } catch (error) {
      row = { cell, run, outcome: undefined, problems: [sentenceOf(error)] };
    }
    rows.push(row);
    process.stdout.write(isJson ? `${JSON.stringify({ table: 'friends', cell: cell.name, run, passed: row.problems.length === 0, problems: row.problems, outcome: row.outcome })}\n` : `${textOf(row)}\n`);
  }
  return rows;
}
