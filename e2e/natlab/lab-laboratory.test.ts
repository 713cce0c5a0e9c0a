/** Laboratories of many runs can be numbered, and no run is left out or has a node of another one. */
import { expect, test } from 'vitest';
import { faultLaboratories } from './lab-fault-table.ts';
import { faults } from './lab-faults.ts';
import { friendCellsOf } from './lab-cells.ts';
import { friendLaboratories } from './lab-friend-table.ts';
import { inBatches } from './lab-laboratory.ts';
import { inLanesStartedInTurn } from './lab-lanes.ts';
import { publicHostsMaximum, routersMaximum } from './model.ts';
import { checkTopology, copiesThatFit } from './topology.ts';

const optionsOf = (runs: number): { readonly runs: number; readonly lanes: number; readonly isJson: boolean } => ({ runs, lanes: 3, isJson: true });
const sum = (counts: readonly number[]): number => counts.reduce((left, right) => left + right, 0);

test.each([1, 20, 1_000])('the laboratories of %i runs are such as can be built, and have each fault once in each run', (runs) => {
  const { together, slow, alone } = faultLaboratories(faults, optionsOf(runs));
  for (const { topology } of [...together, ...slow, ...alone, ...friendLaboratories(friendCellsOf, optionsOf(runs))]) {
    checkTopology(topology);
    expect(topology.routers.length).toBeLessThanOrEqual(routersMaximum);
  }
  const relaysIn = (laboratories: typeof together): number => new Set(laboratories.flatMap(({ relays }) => relays)).size;
  const [slowFaults, aloneFaults] = [faults.filter(({ isSlow }) => isSlow === true).length, faults.filter(({ isAlone }) => isAlone === true).length];
  expect([together, slow, alone].map(relaysIn)).toEqual([faults.length - slowFaults - aloneFaults, slowFaults, aloneFaults].map((count) => 2 * runs * count));
});

test('a batch is as large as can be numbered and borne, and the last one has the rest', () => {
  const topologyOf = (cells: readonly string[]): Parameters<typeof checkTopology>[0] => ({ publicHosts: cells, routers: [] });
  const cellsOf = (run: number): readonly string[] => Array.from({ length: 60 }, (_, index) => `h${String(index)}-${String(run)}`);
  const size = copiesThatFit(topologyOf(cellsOf(1)));
  expect([size * 60 <= publicHostsMaximum, (size + 1) * 60 > publicHostsMaximum]).toEqual([true, true]);
  const batches = inBatches('hosts', 10, cellsOf, topologyOf);
  expect(batches.map(({ title, cells }) => [title, cells.length])).toEqual([['hosts, runs 1 to 4', 240], ['hosts, runs 5 to 8', 240], ['hosts, runs 9 to 10', 120]]);
  expect(sum(batches.map(({ cells }) => new Set(cells).size))).toBe(600);
  expect(inBatches('large', 3, (run) => Array.from({ length: 500 }, (_, index) => `h${String(index)}-${String(run)}`), topologyOf).map(({ title }) => title)).toEqual(['large, run 1', 'large, run 2', 'large, run 3']);
  expect(inBatches('none', 10, () => [], topologyOf)).toEqual([]);
});

test('jobs that are started in turn run side by side, but none starts before the one before it has started, or has failed', async () => {
  const told: string[] = [];
  const gates = [0, 1, 2].map(() => Promise.withResolvers<undefined>());
  const starts: (() => void)[] = [];
  const ends = [0, 1, 2].map(() => Promise.withResolvers<undefined>());
  const all = inLanesStartedInTurn([0, 1, 2], 2, async (job, started) => {
    told.push(`start ${String(job)}`);
    starts[job] = started;
    gates[job]?.resolve(undefined);
    await ends[job]?.promise;
    told.push(`end ${String(job)}`);
    return job;
  });
  await gates[0]?.promise;
  await new Promise(setImmediate);
  expect(told).toEqual(['start 0']);
  starts[0]?.();
  await gates[1]?.promise;
  ends[0]?.resolve(undefined);
  await new Promise(setImmediate);
  expect(told).toEqual(['start 0', 'start 1', 'end 0']);
  ends[1]?.resolve(undefined);
  await gates[2]?.promise;
  ends[2]?.resolve(undefined);
  expect(await all).toEqual([0, 1, 2]);
  expect(told.slice(3)).toEqual(['end 1', 'start 2', 'end 2']);
});
