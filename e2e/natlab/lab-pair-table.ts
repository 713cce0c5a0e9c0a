/**
 * The first table of `lab-table.ts`: whether two visors who meet through a relay find the direct path that theory allows them, behind every pair of routers that the laboratory has
 * (lab-cells.ts), without losing or doubling a letter.
 *
 * Two relays run on public hosts, one of them with a second port, for all cells. For each cell two visors are started, new people in new profiles, each behind its router;
 * one invites, the other uses the link, and from then on each sends the other a numbered letter every 100 ms. A cell fails where the session does not end on the expected path
 * on both sides, and where a letter is lost or comes twice. The other of the two invites in every second run. Times are printed and not asserted: most of what a path takes
 * is the check of the network, which begins four seconds after the first relay. With `--warm` both have made it before they meet, so that the times are those of meeting alone.
 */
import { publicHostsOf, type LabCell } from './lab-cells.ts';
import type { Laboratory } from './lab-laboratory.ts';
import { inLanes, sentenceOf, type TableOptions, type TableRow } from './lab-lanes.ts';
import { meet, type MeetingOutcome, type SideOutcome } from './lab-meeting.ts';
import { startRelay, type LabRelay } from './lab-visor.ts';
import type { Lab } from './lab.ts';

/** For all cells. */
const pairRelays = ['relay1', 'relay2'] as const;
const relayPort = 7_400;
const observePort = 7_401;

export const pairTitle = '       cell                              run    wanted   left / right       from relay to direct  letters sent/lost/doubled, and how the last one went';

export interface PairOptions extends TableOptions {
  readonly isWarm: boolean;
  /** One way, at each router. */
  readonly delayMs: number;
}

interface Row { readonly cell: LabCell; readonly run: number; readonly isMirrored: boolean; readonly outcome: MeetingOutcome | undefined; readonly problems: readonly string[] }

function problemsOf({ expected }: LabCell, { sides }: MeetingOutcome): readonly string[] {
  // Where one of the two could not find out about its own network, a path is called direct and no more.
  const isPunchedKnown = sides.every(({ knowsInbound }) => knowsInbound);
  return sides.flatMap((side, index) => {
    const name = index === 0 ? 'left' : 'right';
    const { lost, doubled } = side.letters;
    return [
      ...(side.kind === expected || (expected === 'punched' && side.kind === 'direct' && !isPunchedKnown) ? [] : [`${name}: ${side.kind ?? 'no session'} instead of ${expected}, offered ${side.candidates.join(', ') || 'nothing'}`]),
      ...(lost === 0 ? [] : [`${name}: ${String(lost)} letters lost`]), ...(doubled === 0 ? [] : [`${name}: ${String(doubled)} letters doubled`]),
    ];
  });
}

const ms = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(0)} ms`);
const lettersText = ({ letters: { sent, lost, doubled } }: SideOutcome): string => `${String(sent)}/${String(lost)}/${String(doubled)}`;

function textOf({ cell, run, outcome, problems }: Row): string {
  const [left, right] = outcome?.sides ?? [];
  const columns = [
    cell.name.padEnd(32), `run ${String(run)}`, cell.expected.padEnd(7), `${left?.kind ?? '-'} / ${right?.kind ?? '-'}`.padEnd(17), `${ms(left?.upgradeMs)} / ${ms(right?.upgradeMs)}`.padEnd(19),
    `${left === undefined ? '-' : lettersText(left)}  ${right === undefined ? '-' : lettersText(right)}`.padEnd(20), left?.letters.lastPath ?? '-', right?.letters.lastPath ?? '-',
  ];
  return `${problems.length === 0 ? 'ok    ' : 'FAILED'} ${columns.join('  ')}${cell.remark === undefined ? '' : `  (${cell.remark})`}${cell.isGuessed === true ? '  (guessed)' : ''}${problems.map((problem) => `\n       ${problem}`).join('')}`;
}

function show(row: Row, { isJson, isWarm, delayMs }: PairOptions): void {
  const { cell, run, isMirrored, outcome, problems } = row;
  process.stdout.write(isJson
    ? `${JSON.stringify({ table: 'pairs', cell: cell.name, run, mirrored: isMirrored, warm: isWarm, delayMs, expected: cell.expected, remark: cell.remark, passed: problems.length === 0, problems, sides: outcome?.sides })}\n`
    : `${textOf(row)}\n`);
}

async function attempt(lab: Lab, folder: string, relays: readonly LabRelay[], cell: LabCell, run: number, { isWarm, delayMs }: PairOptions): Promise<Row> {
  const isMirrored = run % 2 === 0;
  // A router that is behind another one adds nothing: the outer one has the delay already.
  const delayed = delayMs === 0 ? [] : cell.routers.filter(({ behind }) => behind === undefined).map(({ name }) => name);
  try {
    for (const router of delayed) await lab.emulate(router, { seed: 1, out: { delayMs }, in: { delayMs } });
    const hints = relays.map(({ publicKey }, index) => {
      const relay = pairRelays[index] ?? '';
      return `${publicKey}@${cell.byIpv6 === true ? `[${lab.ipv6Address(relay) ?? ''}]` : lab.addresses(relay)[0] ?? ''}:${String(relayPort)}`;
    });
    const outcome = await meet(cell, { lab, folder, hints, isWarm, isMirrored });
    return { cell, run, isMirrored, outcome, problems: problemsOf(cell, outcome) };
  } catch (error) {
    return { cell, run, isMirrored, outcome: undefined, problems: [sentenceOf(error)] };
  } finally {
    for (const router of delayed) await lab.emulate(router, undefined);
  }
}

/** Middle of the times in which a session that is wanted directly became direct, of both sides and all cells. */
function medianUpgradeMs(rows: readonly Row[]): number | undefined {
  const times = rows.filter(({ cell: { expected } }) => expected === 'direct' || expected === 'punched').flatMap(({ outcome }) => outcome?.sides ?? []).map(({ upgradeMs }) => upgradeMs).filter((value) => value !== undefined).sort((left, right) => left - right);
  return times[Math.floor(times.length / 2)];
}

async function runPairs(lab: Lab, folder: string, cells: readonly LabCell[], options: PairOptions): Promise<readonly TableRow[]> {
  const relays = await Promise.all(pairRelays.map((host, index) => startRelay(lab, host, folder, relayPort, index === 0 ? observePort : 0)));
  try {
    const jobs = Array.from({ length: options.runs }, (_, index) => cells.map((cell) => ({ cell, run: index + 1 }))).flat();
    const rows = await inLanes(jobs, options.lanes, async ({ cell, run }) => {
      const row = await attempt(lab, folder, relays, cell, run, options);
      show(row, options);
      return row;
    });
    if (!options.isJson) process.stdout.write(`       from relay to direct, median of the direct ones: ${ms(medianUpgradeMs(rows))}\n`);
    return rows;
  } finally {
    await Promise.all(relays.map((relay) => relay.stop()));
  }
}

/** One for all runs: nothing is done to its nodes. */
export function pairLaboratories(cells: readonly LabCell[], options: PairOptions): readonly Laboratory[] {
  return cells.length === 0 ? [] : [{
    title: 'pairs', topology: { publicHosts: [...pairRelays, ...publicHostsOf(cells)], routers: cells.flatMap(({ routers }) => routers) },
    hosts: [...pairRelays, ...cells.flatMap(({ hosts }) => hosts)], relays: pairRelays, run: (lab, folder) => runPairs(lab, folder, cells, options),
  }];
}
