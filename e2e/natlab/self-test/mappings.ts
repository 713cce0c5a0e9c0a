/** How long mappings live, and how they are lost. */
import { setTimeout as pause } from 'node:timers/promises';
import { hostOf, portOf, type Bench } from './bench.ts';

/** More than an idle timeout of one second, with what conntrack takes to notice. */
const idleMs = 2_200;

export async function mappings(bench: Bench): Promise<void> {
  const secondAddress = bench.server.addresses[1] ?? '';
  const two = await Promise.all(['keep1', 'keep2'].map((host) => bench.mapped(host, 7_000)));
  const [keep1 = '', keep2 = ''] = two;
  const again = await bench.mapped('keep2', 7_000, secondAddress);
  bench.check('two hosts with one source port get different public ports', portOf(keep1) !== portOf(keep2) && again === keep2, [two, again]);

  const first = await bench.mapped('port1', 7_001);
  const outlived = await bench.mapped('port1', 7_001, secondAddress);
  bench.check('a mapping outlives the socket and the destination', first === outlived, [first, outlived]);
  bench.lab('rebind', 'port1');
  const rebound = await bench.mapped('port1', 7_001);
  bench.check('rebind ports: the same address and a new port', hostOf(first) === hostOf(rebound) && portOf(first) !== portOf(rebound), [first, rebound]);
  bench.lab('rebind', 'port1', 'address');
  const moved = await bench.mapped('port1', 7_001);
  bench.check('rebind address: a new address', hostOf(moved) !== hostOf(rebound) && hostOf(moved) === bench.lab('addr', 'port'), [rebound, moved]);

  bench.lab('rebind', 'keep1');
  const kept = await bench.mapped('keep1', 7_000);
  bench.check('rebind ports also moves a router that keeps ports', portOf(kept) !== portOf(keep1), [keep1, kept]);
  const homeBefore = await bench.mapped('home1');
  bench.lab('rebind', 'home-isp', 'address');
  const home = await bench.mapped('home1');
  bench.check('rebind address of a carrier', hostOf(home) === bench.lab('addr', 'home-isp') && hostOf(home) !== hostOf(homeBefore), [homeBefore, home]);

  bench.lab('nat', 'port1', 'port-restricted', 'timeout=1');
  const early = await bench.mapped('port1', 7_002);
  await pause(idleMs);
  const late = await bench.mapped('port1', 7_002);
  bench.check('timeout=1: an idle mapping expires', early !== late, [early, late]);
  bench.lab('nat', 'port1', 'port-restricted', 'timeout=120');
}
