/**
 * `npm run lab -- [--runs N] [--only PATTERN] [--lanes N] [--warm] [--json]`, as root: whether two visors who meet through a relay find the direct path that theory allows
 * them, behind every pair of routers that the laboratory has (lab-cells.ts), without losing or doubling a letter. A line a cell; the last one is `N passed, N failed`.
 * Where a laboratory cannot be built it says what is missing, checks nothing and ends with `0 passed, 0 failed` and exit code 0.
 *
 * Two relays run on public hosts, one of them with a second port, for all cells. For each cell two visors are started, new people in new profiles, each behind its router;
 * one invites, the other uses the link, and from then on each sends the other a numbered letter every 100 ms. A cell fails where the session does not end on the expected path
 * on both sides, and where a letter is lost or comes twice. The other of the two invites in every second run. Times are printed and not asserted: most of what a path takes
 * is the check of the network, which begins four seconds after the first relay. With `--warm` both have made it before they meet, so that the times are those of meeting alone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { labCells, publicHostsOf, type LabCell } from './lab-cells.ts';
import { meet, type MeetingOutcome, type SideOutcome } from './lab-meeting.ts';
import { startRelay, type LabRelay } from './lab-visor.ts';
import { extendPath, Lab, missingRequirements } from './lab.ts';

const labName = 'natlab-visors';
const relayHosts = ['relay1', 'relay2'] as const;
const relayPort = 7_400;
const observePort = 7_401;
/** Cells at a time, by default: six processes wait for packets most of their time. */
const lanesDefault = 3;
const countMaximum = 1_000;

interface Row { readonly cell: LabCell; readonly run: number; readonly isMirrored: boolean; readonly outcome: MeetingOutcome | undefined; readonly problems: readonly string[] }

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

function countOf(text: string, name: string): number {
  const count = Number(text);
  return Number.isInteger(count) && count >= 1 && count <= countMaximum ? count : fail(`--${name} takes a whole number from 1 to ${String(countMaximum)}.`);
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1' }, lanes: { type: 'string', default: String(lanesDefault) }, only: { type: 'string', default: '' }, warm: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } });
const [runs, lanes] = [countOf(values.runs, 'runs'), countOf(values.lanes, 'lanes')];
const cells = labCells.filter(({ name }) => values.only.split(',').some((part) => name.includes(part)));
if (cells.length === 0) fail(`No cell has "${values.only}" in its name. Known: ${labCells.map(({ name }) => name).join(', ')}.`);

function problemsOf({ expected }: LabCell, { sides }: MeetingOutcome): readonly string[] {
  return sides.flatMap((side, index) => {
    const name = index === 0 ? 'left' : 'right';
    const { lost, doubled } = side.letters;
    return [
      ...(side.kind === expected ? [] : [`${name}: ${side.kind ?? 'no session'} instead of ${expected}, offered ${side.candidates.join(', ') || 'nothing'}`]),
      ...(lost === 0 ? [] : [`${name}: ${String(lost)} letters lost`]), ...(doubled === 0 ? [] : [`${name}: ${String(doubled)} letters doubled`]),
    ];
  });
}

const ms = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(0)} ms`);
const lettersText = ({ letters: { sent, lost, doubled } }: SideOutcome): string => `${String(sent)}/${String(lost)}/${String(doubled)}`;

function textOf({ cell, run, outcome, problems }: Row): string {
  const [left, right] = outcome?.sides ?? [];
  const columns = [
    cell.name.padEnd(32), `run ${String(run)}`, cell.expected.padEnd(6), `${left?.kind ?? '-'} / ${right?.kind ?? '-'}`.padEnd(15), `${ms(left?.upgradeMs)} / ${ms(right?.upgradeMs)}`.padEnd(19),
    `${left === undefined ? '-' : lettersText(left)}  ${right === undefined ? '-' : lettersText(right)}`.padEnd(20), left?.letters.lastPath ?? '-', right?.letters.lastPath ?? '-',
  ];
  return `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${columns.join('  ')}${cell.remark === undefined ? '' : `  (${cell.remark})`}${problems.map((problem) => `\n       ${problem}`).join('')}`;
}

function show(row: Row): void {
  const { cell, run, isMirrored, outcome, problems } = row;
  process.stdout.write(values.json
    ? `${JSON.stringify({ cell: cell.name, run, mirrored: isMirrored, warm: values.warm, expected: cell.expected, remark: cell.remark, passed: problems.length === 0, problems, sides: outcome?.sides })}\n`
    : `${textOf(row)}\n`);
}

async function attempt(lab: Lab, folder: string, relays: readonly LabRelay[], cell: LabCell, run: number): Promise<Row> {
  const isMirrored = run % 2 === 0;
  try {
    const hints = relays.map(({ publicKey }, index) => {
      const relay = relayHosts[index] ?? '';
      return `${publicKey}@${cell.byIpv6 === true ? `[${lab.ipv6Address(relay) ?? ''}]` : lab.addresses(relay)[0] ?? ''}:${String(relayPort)}`;
    });
    const outcome = await meet(cell, { lab, folder, hints, isWarm: values.warm, isMirrored });
    return { cell, run, isMirrored, outcome, problems: problemsOf(cell, outcome) };
  } catch (error) {
    return { cell, run, isMirrored, outcome: undefined, problems: [error instanceof Error ? error.message : String(error)] };
  }
}

async function runAll(lab: Lab, folder: string): Promise<readonly Row[]> {
  await lab.up({ publicHosts: [...relayHosts, ...publicHostsOf(cells)], routers: cells.flatMap(({ routers }) => routers) });
  const relays = await Promise.all(relayHosts.map((host, index) => startRelay(lab, host, folder, relayPort, index === 0 ? observePort : 0)));
  const waiting = Array.from({ length: runs }, (_, index) => cells.map((cell) => ({ cell, run: index + 1 }))).flat();
  const rows: Row[] = [];
  try {
    await Promise.all(Array.from({ length: lanes }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const row = await attempt(lab, folder, relays, next.cell, next.run);
        rows.push(row);
        show(row);
      }
    }));
  } finally {
    await Promise.all(relays.map((relay) => relay.stop()));
  }
  return rows;
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stdout.write(`\n*** VISORS WERE NOT TESTED BEHIND REAL ROUTERS: this machine cannot carry a laboratory. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const startedMs = performance.now();
  const lab = new Lab(labName);
  const callOff = lab.guard();
  const folder = mkdtempSync(path.join(tmpdir(), 'natlab-visors-'));
  if (!values.json) process.stdout.write('       cell                              run    wanted  left / right     from relay to direct  letters sent/lost/doubled, and how the last one went\n');
  const rows = await runAll(lab, folder).finally(async () => {
    await lab.down();
    await callOff();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const failed = rows.filter(({ problems }) => problems.length > 0).length;
  const isWhole = rows.length === cells.length * runs;
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n${String(rows.length - failed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed === 0 && isWhole ? 0 : 1;
}
