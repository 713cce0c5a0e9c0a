/** The command itself: exit codes, laboratories side by side, and that nothing outlives them. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { namespacesWith } from '../system.ts';
import { firstLab, probeLine, secondLab, serve, verb, type Bench } from './bench.ts';

const endWithinMs = 1_000;
const wrongUseCode = 2;

const wrongUses = [['nat', 'full1', 'nonsense'], ['nat', 'relay', 'symmetric'], ['netem', 'full1', 'loss=200%'], ['link', 'nobody', 'up'], ['frob']];

export async function tool(bench: Bench): Promise<void> {
  const passed = verb(firstLab, ['exec', 'full1', '--', 'sh', '-c', 'echo $NATLAB_HOST; exit 7']);
  bench.check('exec passes output and exit code', passed.code === 7 && passed.output === 'full1', passed);
  const codes = wrongUses.map((words) => verb(firstLab, words).code);
  bench.check('wrong uses exit with 2', codes.every((code) => code === wrongUseCode), codes);
  const status = bench.lab('status');
  bench.check('status lists every node', ['relay2', 'home-isp', 'twinb1'].every((name) => status.includes(name)), status);

  verb(secondLab, ['up', '-'], 'public relay\nrouter r symmetric hosts=h\n');
  const other = await serve(secondLab, 'relay');
  const both = await Promise.all([bench.mapped('full1'), probeLine(secondLab, 'h', 'mapped', other.addresses[0] ?? '')]);
  bench.check('two laboratories side by side with the same addresses', both.every((mapped) => mapped.startsWith('198.18.')), both);

  const { child } = bench.server;
  const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit').then(() => true) : Promise.resolve(true);
  bench.lab('down');
  bench.check('down removes its own laboratory only', namespacesWith(`natlab.${firstLab}.`).length === 0 && verb(secondLab, ['status']).code === 0, namespacesWith('natlab.'));
  bench.check('down ends the programs inside', await Promise.race([ended, pause(endWithinMs, false)]), child.exitCode);
}
