/**
 * `node bench/lossy-links.ts [--quick] [--json] [--links TEXT] [--peers TEXT]`, as root: bulk transfers of real processes over links that lose frames: Waypost, the
 * kernel's TCP and hyperdht. The table of bench/links.ts with sockets and the clock instead of the simulator, over the laboratory of e2e/natlab.
 *
 * The link has 20 Mbit/s, counted in whole Ethernet frames, and a queue of one bandwidth-delay product before it; what it loses, it loses before the queue, towards the
 * one who downloads. Goodput is the share of the link's rate that arrived as content in ten seconds, from the third second on: a window of time rather than a file of
 * one size, because every peer then is measured in the same state, whatever it makes of a link, and a slow one does not take minutes. The content of a
 * packet is less than its frame, so that nobody reaches 100 %; `carried` says what share of the link frames of all kinds took (as they come into the queue: one that grows makes it more than 100 %). The queueing delay is what small datagrams, twenty a second, take longer
 * there and back during the transfer than on the idle link. One run for each cell: they scatter by a few per cent, as links that lose do.
 *
 * Everything but the kernel's TCP runs as processes, which wait for a processor on a machine that does other work; the link does not. There, measure with
 * `chrt -r 10 node bench/lossy-links.ts`: all processes of the measurement, the emulator too, then go before all others. The first line says which it was.
 *
 * `--quick` measures four links for five seconds each; `--links` and `--peers` take parts of names.
 */
import { congestionControls, isHyperdhtInstalled, machineText } from './lossy-links/machine.ts';
import { hyperdht, measuredLinks, rateMbit, sharedLink, tcp, waypost, type MeasuredLink, type MeasuredPeer } from './lossy-links/links.ts';
import { holder, idleRoundTrips, measure, measureShared, topology, type Result, type SharedResult } from './lossy-links/measure.ts';
import { serveProbes } from './lossy-links/processes.ts';
import { emulatorCeilingMbit } from './lossy-links/emulator-ceiling.ts';
import { extendPath, Lab, missingRequirements } from '../e2e/natlab/lab.ts';

const labName = 'bench-lossy-links';
const secondsUsually = 10;
const secondsQuickly = 5;
const quickLinks = ['100 ms, 0 % loss', '100 ms, 2 % loss', '100 ms, queue of 500 ms'];
/** Waypost and, where there is time, the kernel's own TCP. */
const peersSharing = 2;
const queueAimMs = 50;
const largerShareAim = 0.6;
const columns = [28, 11, 10, 10, 10, 18];

const option = (name: string): string => { const at = process.argv.indexOf(`--${name}`); return at < 0 ? '' : process.argv[at + 1] ?? ''; };
const isQuick = process.argv.includes('--quick');
const isJson = process.argv.includes('--json');
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function printRow(cells: readonly string[]): void {
  process.stdout.write(`${cells.map((cell, index) => (index < 2 ? cell.padEnd(columns[index] ?? 0) : cell.padStart(columns[index] ?? 0))).join('').trimEnd()}\n`);
}

function print(result: Result): void {
  if (isJson) { process.stdout.write(`${JSON.stringify(result)}\n`); return; }
  const { link, peer, goodput, carried, dropped, queueMs } = result;
  printRow([link, peer, percent(goodput), percent(carried), percent(dropped), `${queueMs.median.toFixed(0)} / ${queueMs.p90.toFixed(0)} ms`]);
}

function printShared(result: SharedResult): void {
  if (isJson) { process.stdout.write(`${JSON.stringify(result)}\n`); return; }
  const { link, peer, goodput, largerShare, queueMs } = result;
  const larger = Math.round(largerShare * 100);
  printRow([link, peer, percent(goodput), `${larger} : ${100 - larger}`, '', `${queueMs.toFixed(0)} ms`]);
}

/** Sentences about what Waypost does not reach. */
function missedAims(links: readonly MeasuredLink[], results: readonly Result[], shared: readonly SharedResult[]): readonly string[] {
  const missed: string[] = [];
  for (const link of links) {
    const ofLink = results.filter((result) => result.link === link.name);
    const own = ofLink.find(({ peer }) => peer === waypost.name);
    if (own === undefined) continue;
    if (link.aim !== undefined && own.goodput < link.aim) missed.push(`${link.name}: goodput ${percent(own.goodput)}, aim ${percent(link.aim)}`);
    for (const other of ofLink) {
      if (other.peer.startsWith('TCP') && other.goodput > own.goodput) missed.push(`${link.name}: goodput ${percent(own.goodput)}, ${other.peer} ${percent(other.goodput)}`);
    }
    if (own.queueMs.median >= queueAimMs) missed.push(`${link.name}: queueing delay ${own.queueMs.median.toFixed(0)} ms, aim under ${queueAimMs} ms`);
  }
  for (const { link, peer, largerShare, queueMs } of shared) {
    if (peer === waypost.name && queueMs >= queueAimMs) missed.push(`${link}: queueing delay ${queueMs.toFixed(0)} ms, aim under ${queueAimMs} ms`);
    if (peer === waypost.name && largerShare > largerShareAim) missed.push(`${link}: larger share ${percent(largerShare)}, aim at most ${percent(largerShareAim)}`);
  }
  return missed;
}

async function run(lab: Lab): Promise<void> {
  const seconds = isQuick ? secondsQuickly : secondsUsually;
  const all: readonly MeasuredPeer[] = [waypost, ...congestionControls().map(tcp), ...(isHyperdhtInstalled() ? [hyperdht] : [])];
  const peers = all.filter(({ name }) => name.includes(option('peers')));
  const links = measuredLinks.filter(({ name }) => name.includes(option('links')) && (!isQuick || quickLinks.includes(name)));
  if (!isHyperdhtInstalled()) process.stderr.write('hyperdht is left out; it is kept apart from the app. Install it with: npm ci --prefix bench/peers\n');
  await lab.up(topology);
  await serveProbes(lab, holder);
  const ceilingMbit = await emulatorCeilingMbit(lab);
  if (isJson) process.stdout.write(`${JSON.stringify({ machine: machineText(), rateMbit, ceilingMbit })}\n`);
  else {
    process.stdout.write(`${machineText()}\nLink of ${rateMbit} Mbit/s; the emulator without a rate carried ${ceilingMbit.toFixed(0)} Mbit/s. TCP: the kernel's own choice is ${congestionControls()[0] ?? ''}.\n\n`);
    printRow(['link', 'peer', 'goodput', 'carried', 'overflow', 'queue p50 / p90']);
  }
  const results: Result[] = [];
  const shared: SharedResult[] = [];
  const attempt = async (what: string, action: () => Promise<void>): Promise<void> => {
    try { await action(); } catch (error) { process.stderr.write(`${what}: ${error instanceof Error ? error.message : String(error)}\n`); process.exitCode = 1; }
  };
  for (const link of links) {
    const idle = await idleRoundTrips(lab, link);
    for (const peer of peers) {
      await attempt(`${link.name}, ${peer.name}`, async () => {
        const result = await measure(lab, link, peer, seconds, idle);
        results.push(result);
        print(result);
      });
    }
  }
  if (sharedLink.name.includes(option('links'))) {
    if (!isJson) { process.stdout.write('\n'); printRow(['two begin 3 s apart', 'peer', 'goodput', 'shares', '', 'queue p50']); }
    const idle = await idleRoundTrips(lab, sharedLink);
    for (const peer of peers.slice(0, isQuick ? 1 : peersSharing)) {
      await attempt(`${sharedLink.name}, ${peer.name}`, async () => {
        const result = await measureShared(lab, sharedLink, peer, idle);
        shared.push(result);
        printShared(result);
      });
    }
  }
  const missed = missedAims([...links], results, shared);
  if (isJson) process.stdout.write(`${JSON.stringify({ missed })}\n`);
  else process.stdout.write(`\n${missed.length === 0 ? 'No aim is missed.' : `Missed:\n${missed.map((sentence) => `  ${sentence}`).join('\n')}`}\n`);
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stderr.write(`The lossy links cannot be measured on this machine. Missing:\n${missing.map((sentence) => `  ${sentence}\n`).join('')}`);
  process.exitCode = 1;
} else {
  const lab = new Lab(labName);
  try {
    await run(lab);
  } finally {
    await lab.down();
  }
}
