/** Link emulation, which is about time: its bounds leave room for a machine that does other work besides, and a busy one can fail them. And cables, which are not. */
import { setTimeout as pause } from 'node:timers/promises';
import { hostOf, isBetween, type Bench } from './bench.ts';

/** Without emulation. */
const promptMs = 5;

export async function links(bench: Bench): Promise<void> {
  await delays(bench);
  await losses(bench);
  await routers(bench);
}

async function delays(bench: Bench): Promise<void> {
  const before = await bench.ping('full1');
  bench.check('no emulation: no loss, under 5 ms', before.loss === 0 && isBetween(before.min, 0, promptMs), before);
  bench.lab('netem', 'full1', 'delay=40ms');
  const both = await bench.ping('full1');
  bench.check('delay=40ms: 80 ms there and back', both.loss === 0 && isBetween(both.min, 79, 88), both);
  const neighbour = await bench.ping('full2');
  bench.check('its neighbour is untouched', isBetween(neighbour.min, 0, promptMs), neighbour);
  bench.lab('netem', 'full1', 'delay=40ms', 'dir=out');
  const outward = await bench.ping('full1');
  bench.check('dir=out: 40 ms there and back', outward.loss === 0 && isBetween(outward.min, 39.5, 46), outward);
  bench.lab('netem', 'full1', 'delay=30ms', 'jitter=10ms', 'dir=out');
  const spread = await bench.ping('full1', '--count', 60);
  const { min = 0, p90 = 0 } = spread;
  bench.check('jitter=10ms: spread out, in order', spread.loss === 0 && min >= 19.5 && p90 < 60 && p90 - min > 5 && spread.late === 0, spread);
}

async function losses(bench: Bench): Promise<void> {
  bench.lab('netem', 'full1', 'loss=20%', 'dir=out');
  const lossy = await bench.ping('full1', '--count', 1_000, '--every', 1);
  bench.check('loss=20%: 15 to 25 % lost of 1000', isBetween(lossy.loss, 0.15, 0.25), lossy);
  // The emulator writes what it counted twice a second.
  await pause(600);
  const lost = /"counts": \{\s*"atMs": \d+,\s*"out": \{\s*"frames": \d+,\s*"lost": (\d+)/.exec(bench.lab('status', '--json'))?.[1];
  bench.check('status counts the losses', Number(lost) === 1_000 - (lossy.received ?? 0), lost);
  bench.lab('netem', 'full1', 'delay=5ms', 'reorder=10%', 'gap=15ms', 'dir=out');
  const reordered = await bench.ping('full1', '--count', 200, '--every', 2);
  bench.check('reorder=10%: some packets late, none lost', reordered.loss === 0 && isBetween(reordered.late, 6, 44), reordered);
  bench.lab('netem', 'full1', 'dup=20%', 'dir=out');
  const doubled = await bench.ping('full1', '--count', 200, '--every', 2);
  bench.check('dup=20%: some packets twice', doubled.loss === 0 && isBetween(doubled.twice, 16, 74), doubled);
  bench.lab('netem', 'full1', 'delay=5ms', 'rate=10mbit');
  const slow = await bench.probe('full1', 'tcp', bench.serverAddress);
  bench.check('rate=10mbit: TCP gets 6 to 10 Mbit/s', slow.whole === true && isBetween(slow.mbit, 6, 10), slow);
}

async function routers(bench: Bench): Promise<void> {
  bench.lab('netem', 'full', 'delay=20ms');
  const added = await bench.ping('full1');
  bench.check('emulation of a router adds to the host\'s', added.loss === 0 && isBetween(added.min, 49, 60), added);
  bench.lab('nat', 'full', 'cgnat');
  const changed = await bench.ping('full1');
  bench.check('emulation survives a change of NAT kind', isBetween(changed.min, 49, 60), changed);
  bench.lab('nat', 'full', 'full-cone');
  for (const name of ['full', 'full1']) bench.lab('netem', name, 'off');
  const after = await bench.ping('full1');
  bench.check('netem off: as before', after.loss === 0 && isBetween(after.min, 0, promptMs), after);
}

export async function cables(bench: Bench): Promise<void> {
  const socket = await bench.agent('rest1').open();
  const before = await socket.ask(bench.endpoint);
  bench.lab('link', 'rest1', 'down');
  const cut = await socket.ask(bench.endpoint);
  bench.lab('link', 'rest1', 'up');
  const after = await socket.ask(bench.endpoint);
  bench.check('link down: nothing passes', before !== undefined && cut === undefined, [before, cut]);
  bench.check('link up: a running program goes on', after === before, [before, after]);
  bench.lab('link', 'rest', 'down');
  const behind = await bench.mapped('rest1');
  bench.check('link of a router down: nothing passes', behind === 'none', behind);
  bench.lab('link', 'rest', 'up');
  bench.lab('link', 'rest1', 'down', 'admin');
  const refused = await bench.mapped('rest1');
  bench.check('link down admin: nothing passes', refused === 'none', refused);
  bench.lab('link', 'rest1', 'up');
  const again = await bench.mapped('rest1');
  bench.check('links are up again', hostOf(again) === bench.lab('addr', 'rest'), again);
}
