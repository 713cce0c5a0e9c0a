/**
 * `node e2e/natlab/natlab.ts [--lab NAME] VERB ...`: a small internet on one Linux machine, for tests of what real networks do to UDP.
 *
 * A laboratory consists of network namespaces: public hosts with two addresses each, routers, and hosts behind them. Ordinary programs run
 * inside, with real sockets and the kernel's real address translation, and nothing leaves the namespaces. Kinds of NAT, mappings, cables and the quality of links
 * change while programs run. README.md beside this file has the topology's words, what each kind was measured to do, and the settings of links.
 *
 * What a router can be: one that only routes (`none`); one of the four NATs that the kernel's translation can be made into (`full-cone`, `restricted`, `port-restricted`,
 * `symmetric`); a `translator`, which is a NAT in a program of our own, with mapping, filtering, ports, lifetimes, hairpin and port control as settings of their own; a
 * `cgnat`, which is two in a row, like every router `behind` another; one that drops UDP (`udp-blocked`), with all of TCP or port 443 alone; and a `captive-portal`, which
 * lets nobody out until he has accepted on its page. Beside any of them IPv6 can pass, through a stateful firewall or none. A host's uplink and a router's can have a
 * link emulator in it, and the cable can be pulled.
 *
 *     node e2e/natlab/natlab.ts up topology.txt
 *     node e2e/natlab/natlab.ts exec relay -- node relay.js &
 *     node e2e/natlab/natlab.ts exec alice -- node client.js
 *     node e2e/natlab/natlab.ts nat alice symmetric
 *     node e2e/natlab/natlab.ts netem alice delay=40ms loss=2%
 *     node e2e/natlab/natlab.ts down
 *
 * This file is the command line alone; `lab.ts` is the same as a module. Under it: `topology.ts`, `router-options.ts` and `settings.ts` read text; `nodes.ts` makes hosts
 * and their cables, `ipv6.ts` their IPv6 addresses; `routers.ts` with `nat-rules.ts` and `ipv6-rules.ts` is what the kernel does in a router. The programs of our own are
 * link emulators (`emulator.ts`, one for each link, put there by `links.ts`), the translator (`translator/translator.ts`, by `translators.ts`) and portals (`portal.ts`, by
 * `portals.ts`): `companion.ts` runs them, and `wire.ts` brings packets to the first two. `record.ts` keeps the record and the lock, and `system.ts` alone runs commands.
 * `probe.ts` measures from inside once, `agent.ts` for as long as a test lasts; `self-test.ts` proves with both that each emulation does what it claims.
 *
 * It needs Linux, root, iproute2, nftables and util-linux. Exit codes: 0 done, 1 something failed, 2 wrong use.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { extendPath, Lab, locateProgram, UsageError } from './lab.ts';
import { isNatKind, natKinds } from './model.ts';
import { parseRouterOptions } from './router-options.ts';
import { parseEmulation } from './settings.ts';
import { statusJson, statusTable } from './status.ts';
import { misuse } from './usage-error.ts';

const labDefault = 'lab';
const usageCode = 2;
const failureCode = 1;
const standardInput = 0;

type Verb = (lab: Lab, words: readonly string[]) => void | Promise<void>;

const needed = (word: string | undefined, usage: string): string => word ?? misuse(usage);

const verbs: Readonly<Record<string, Verb>> = {
  async up(lab, [file]) {
    const usage = 'natlab up TOPOLOGY (a file, or - for standard input)';
    await lab.up(readFileSync(file === '-' ? standardInput : needed(file, usage), 'utf8'));
  },
  async down(lab) { await lab.down(); },
  exec(lab, [host, ...words]) {
    const usage = 'natlab exec HOST -- CMD...';
    const command = words[0] === '--' ? words.slice(1) : words;
    if (command.length === 0) misuse(usage);
    replaceBy(lab.commandLine(needed(host, usage), command), lab.environmentOf(needed(host, usage)));
  },
  async nat(lab, [name, kind, ...words]) {
    if (!isNatKind(kind)) misuse(`unknown NAT kind '${kind ?? ''}'; known: ${natKinds.join(' ')}`);
    else await lab.setNat(needed(name, 'natlab nat HOST KIND [option...]'), kind, parseRouterOptions(words));
  },
  async rebind(lab, [name, what = 'ports']) {
    const usage = 'natlab rebind HOST [ports|address]';
    if (what !== 'ports' && what !== 'address') misuse(usage);
    else await lab.rebind(needed(name, usage), what);
  },
  async age(lab, [name, seconds]) {
    const usage = 'natlab age HOST SECONDS';
    if (!/^\d+$/.test(seconds ?? '')) misuse(usage);
    else await lab.age(needed(name, usage), Number(seconds));
  },
  async accept(lab, [name]) { await lab.openPortal(needed(name, 'natlab accept HOST')); },
  async link(lab, [name, link, how = 'cable']) {
    const usage = 'natlab link HOST up|down [admin]';
    if ((link !== 'up' && link !== 'down') || (how !== 'cable' && how !== 'admin')) misuse(usage);
    else await lab.setLink(needed(name, usage), link, how);
  },
  async netem(lab, [name, ...words]) {
    await lab.emulate(needed(name, 'natlab netem HOST setting...'), parseEmulation(words));
  },
  addr(lab, [name, family]) {
    const usage = 'natlab addr HOST [ipv6]';
    if (family !== undefined && family !== 'ipv6') misuse(usage);
    const addresses = family === undefined ? lab.addresses(needed(name, usage)) : [lab.ipv6Address(needed(name, usage)) ?? misuse(`'${name ?? ''}' has no IPv6 address`)];
    for (const address of addresses) process.stdout.write(`${address}\n`);
  },
  status(lab, [flag]) {
    process.stdout.write(flag === '--json' ? statusJson(lab.status()) : statusTable(lab.status()));
  },
};

/** This process becomes the program, so that its signals, output and exit code are its own. Never returns. */
function replaceBy([program = '', ...words]: readonly string[], environment: Readonly<Record<string, string>>): void {
  if (process.execve === undefined) throw new Error('`exec` needs Node 24 on Linux: this one cannot become another program.');
  const file = locateProgram(program);
  if (file === undefined) throw new Error(`${program} is not installed`);
  process.execve(file, [program, ...words], { ...process.env, ...environment });
}

/** The table of verbs, from the page beside this file. */
function help(): string {
  const page = readFileSync(path.join(import.meta.dirname, 'README.md'), 'utf8');
  return page.slice(page.indexOf('## Verbs'), page.indexOf('## Topology'));
}

function splitCommandLine(all: readonly string[]): { readonly name: string; readonly verb: string; readonly words: readonly string[] } {
  let name = process.env['NATLAB'] ?? labDefault;
  let rest = all;
  for (let [first] = rest; first === '--lab' || first?.startsWith('--lab=') === true; [first] = rest) {
    const isSeparate = first === '--lab';
    name = isSeparate ? needed(rest[1], '--lab needs a name') : first.slice('--lab='.length);
    rest = rest.slice(isSeparate ? 2 : 1);
  }
  const [verb = 'help', ...words] = rest;
  return { name, verb, words };
}

async function main(): Promise<void> {
  const { name, verb, words } = splitCommandLine(process.argv.slice(2));
  const lab = new Lab(name);
  if (['help', '-h', '--help'].includes(verb)) { process.stdout.write(help()); return; }
  const action = (Object.hasOwn(verbs, verb) ? verbs[verb] : undefined) ?? misuse(`unknown verb '${verb}'; known: ${Object.keys(verbs).join(' ')}`);
  if (process.getuid?.() !== 0) misuse('must run as root');
  extendPath();
  await action(lab, words);
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`natlab: ${isUsage ? error.message : error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
  process.exitCode = isUsage ? usageCode : failureCode;
}
