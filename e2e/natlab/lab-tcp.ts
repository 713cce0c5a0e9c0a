/**
 * `node e2e/natlab/lab-tcp.ts [--only PATTERN]`, as root: whether two visors go on writing to each other where a network lets no UDP pass, and nothing but TCP to port 443. A line a cell; the
 * last one is `N passed, N failed`. Where a laboratory cannot be built it says what is missing, checks nothing and ends with `0 passed, 0 failed` and exit code 0.
 *
 * Two relays on public hosts, started as an operator would, so that they take TCP on port 443. Letters go both ways, ten a second, from the first moment to the last; a cell fails where one is
 * lost or comes twice, and where a visor does not speak to its relays the way that its network leaves it. Times are printed and not asserted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import { Letters } from './lab-letters.ts';
import { LabVisor, startRelay } from './lab-visor.ts';
import { extendPath, Lab, missingRequirements, type RouterItem } from './lab.ts';

const labName = 'natlab-tcp';
const relayHosts = ['relay1', 'relay2'] as const;
const relayPort = 7_400;
const onlinePatienceMs = 30_000;
/** UDP that passes again is found within half a minute; the lab's processes share two processors. */
const changePatienceMs = 60_000;
const letterPatienceMs = 30_000;
const dwellMs = 4_000;
const lookAgainMs = 50;

interface Cell {
  readonly name: string;
  readonly kinds: readonly [RouterItem['kind'] | 'public', RouterItem['kind'] | 'public'];
  /** The router of the left one lets no UDP pass from the middle on, and then again. */
  readonly isShut: boolean;
}

const cells: readonly Cell[] = [
  { name: 'UDP blocked at one', kinds: ['udp-blocked', 'port-restricted'], isShut: false },
  { name: 'UDP blocked at both', kinds: ['udp-blocked', 'udp-blocked'], isShut: false },
  { name: 'UDP blocked in mid-conversation, and opened again', kinds: ['port-restricted', 'port-restricted'], isShut: true },
];

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const wanted = cells.filter(({ name }) => name.includes(values.only));

const hostsOf = (cell: Cell): readonly [string, string] => {
  const id = `t${String(cells.indexOf(cell) + 1)}`;
  return [`${id}-left`, `${id}-right`];
};
const routerOf = (host: string): string => `${host}-r`;

function routersOf(cell: Cell): readonly RouterItem[] {
  return hostsOf(cell).flatMap((host, side) => {
    const kind = cell.kinds[side] ?? 'public';
    return kind === 'public' ? [] : [{ name: routerOf(host), kind, hosts: [host], options: kind === 'udp-blocked' ? { tcp: '443' as const } : {} }];
  });
}

/** How a visor speaks to its relays; undefined while one of them is missing. */
async function wayOf({ client }: LabVisor): Promise<'tcp' | 'udp' | 'mixed' | undefined> {
  const relays = (await client.peers.list()).peers.filter(({ role }) => role === 'relay');
  if (relays.length < relayHosts.length) return undefined;
  const overTcp = relays.filter(({ isOverTcp }) => isOverTcp === true).length;
  return overTcp === relays.length ? 'tcp' : overTcp === 0 ? 'udp' : 'mixed';
}

/** @returns milliseconds that it took */
async function goes(visor: LabVisor, way: 'tcp' | 'udp', patienceMs: number): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const now = await wayOf(visor);
    if (now === way) return performance.now() - startMs;
    if (performance.now() - startMs > patienceMs) throw new Error(`speaks ${now ?? 'to no relay'} instead of ${way}`);
    await pause(lookAgainMs);
  }
}

async function inRouter(lab: Lab, router: string, words: readonly string[]): Promise<void> {
  const child = lab.start(router, 'nft', words, { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve) => { child.once('close', resolve); });
  if (code !== 0) throw new Error(`nft ${words.join(' ')} ended with ${String(code)}`);
}

async function shut(lab: Lab, router: string): Promise<void> {
  await inRouter(lab, router, ['add table inet noudp; add chain inet noudp forward { type filter hook forward priority -20 ; }; add rule inet noudp forward meta l4proto udp drop; add rule inet noudp forward tcp dport 1-442 drop']);
}

const open = (lab: Lab, router: string): Promise<void> => inRouter(lab, router, ['delete table inet noudp']);
const ms = (value: number): string => `${value.toFixed(0)} ms`;

/** @returns what there is to say. @throws Error with what is wrong. */
async function converse(lab: Lab, folder: string, hints: readonly string[], cell: Cell): Promise<string> {
  const started: LabVisor[] = [];
  const said: string[] = [];
  try {
    const visors = [];
    for (const host of hostsOf(cell)) {
      const visor = await LabVisor.start(lab, host, path.join(folder, host));
      started.push(visor);
      visors.push(visor);
    }
    const [left, right] = visors;
    if (left === undefined || right === undefined) throw new Error('there are two sides');
    for (const [side, visor] of visors.entries()) {
      const startMs = performance.now();
      for (const hint of hints) await visor.client.relays.add({ hint });
      const way = cell.kinds[side] === 'udp-blocked' ? 'tcp' : 'udp';
      await goes(visor, way, onlinePatienceMs);
      said.push(`${way} after ${ms(performance.now() - startMs)}`);
    }
    const { link } = await right.client.invites.create();
    await left.client.contacts.add({ link });
    const toRight = new Letters(left, right);
    toRight.start();
    await until('the guest to be a contact', onlinePatienceMs, async () => (
      (await right.client.state.snapshot()).view.conversations.some(({ publicKey }) => publicKey === left.publicKey) ? true : undefined
    ));
    const toLeft = new Letters(right, left);
    toLeft.start();
    await pause(dwellMs);
    if (cell.isShut) {
      const router = routerOf(hostsOf(cell)[0]);
      await shut(lab, router);
      said.push(`to tcp in ${ms(await goes(left, 'tcp', changePatienceMs))}`);
      await pause(dwellMs);
      await open(lab, router);
      said.push(`back in ${ms(await goes(left, 'udp', changePatienceMs))}`);
      await pause(dwellMs);
    }
    for (const [name, letters] of [['to the right', toRight], ['to the left', toLeft]] as const) {
      const { sent, lost, doubled, lastPath } = await letters.end(letterPatienceMs);
      said.push(`${name} ${String(sent)}/${String(lost)}/${String(doubled)} ${lastPath ?? '-'}`);
      if (lost > 0 || doubled > 0) throw new Error(`${name}: ${String(lost)} letters lost, ${String(doubled)} doubled (${said.join(', ')})`);
    }
    const { connection, network } = (await left.client.state.snapshot()).view;
    if (cell.kinds[0] === 'udp-blocked' && connection.relaysOverTcp !== relayHosts.length) throw new Error('the connection does not say that UDP is blocked');
    said.push(`udpBlocked ${JSON.stringify(network?.report.families.ipv4.udpBlocked ?? null)}`);
    return said.join(', ');
  } finally {
    await Promise.all(started.map((visor) => visor.stop()));
  }
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stdout.write(`\n*** NETWORKS WITHOUT UDP WERE NOT TESTED: this machine cannot carry a laboratory. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const lab = new Lab(labName);
  const callOff = lab.guard();
  const folder = mkdtempSync(path.join(tmpdir(), 'natlab-tcp-'));
  let failed = 0;
  try {
    await lab.up({ publicHosts: [...relayHosts, ...wanted.flatMap((cell) => hostsOf(cell).filter((_host, side) => cell.kinds[side] === 'public'))], routers: wanted.flatMap(routersOf) });
    const relays = await Promise.all(relayHosts.map((host, index) => startRelay(lab, host, folder, relayPort, index === 0 ? relayPort + 1 : 0)));
    const hints = relays.map(({ publicKey }, index) => `${publicKey}@${lab.addresses(relayHosts[index] ?? '')[0] ?? ''}:${String(relayPort)}`);
    for (const cell of wanted) {
      try {
        process.stdout.write(`ok     ${cell.name}: ${await converse(lab, folder, hints, cell)}\n`);
      } catch (error) {
        failed += 1;
        process.stdout.write(`FAILED ${cell.name}: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
    await Promise.all(relays.map((relay) => relay.stop()));
  } finally {
    await lab.down();
    await callOff();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  process.stdout.write(`${String(wanted.length - failed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
