/** Each kind of NAT as measured from behind it, changed while programs run, and which pairs get through to each other directly. */
import { endpointOf } from '../probe-datagrams.ts';
import type { Punched } from '../agent.ts';
import { hostOf, type Bench, type Finding } from './bench.ts';

const independent = 'endpoint-independent';
const byAddress = 'address-dependent';
const byPort = 'address-and-port-dependent';
/** Probes at the same time: more would wait for the processor. */
const together = 7;
const askTries = 5;
/** With what two processes take to start on a busy machine. */
const punchMs = 5_000;

interface Expected { readonly class: string; readonly mapping?: string; readonly filtering?: string; readonly hairpin?: boolean; readonly routers?: number }

const cone = (name: string, filtering: string, hairpin = false, routers = 1): Expected => ({ class: name, mapping: independent, filtering, hairpin, routers });

const expected: Readonly<Record<string, Expected>> = {
  relay2: { class: 'none', mapping: 'none', filtering: independent, routers: 0 },
  full1: cone('full-cone', independent),
  rest1: cone('restricted', byAddress),
  port1: cone('port-restricted', byPort),
  keep1: cone('port-restricted', byPort),
  hair1: cone('port-restricted', byPort, true),
  hairf1: cone('full-cone', independent, true),
  sym1: { class: 'symmetric', mapping: byPort, filtering: byPort, hairpin: false, routers: 1 },
  block1: { class: 'udp-blocked' },
  home1: cone('port-restricted', byPort, false, 2),
  hard1: { class: 'symmetric', mapping: byPort, filtering: byPort, hairpin: false, routers: 2 },
  open1: { class: 'none', mapping: 'none', filtering: independent, routers: 1 },
  twin1: cone('port-restricted', byPort),
};

const changes: readonly { readonly kind: string; readonly becomes: string; readonly routers?: number }[] = [
  { kind: 'symmetric', becomes: 'symmetric', routers: 1 },
  { kind: 'full-cone', becomes: 'full-cone', routers: 1 },
  { kind: 'cgnat', becomes: 'port-restricted', routers: 2 },
  { kind: 'none', becomes: 'none', routers: 1 },
  { kind: 'udp-blocked', becomes: 'udp-blocked' },
  { kind: 'port-restricted', becomes: 'port-restricted', routers: 1 },
];

const pairs: readonly (readonly [string, string, boolean])[] = [
  ['port1', 'keep1', true], ['port1', 'twin1', true], ['twin1', 'twinb1', true], ['home1', 'hair1', true], ['rest1', 'sym1', true],
  ['full1', 'sym1', true], ['port1', 'sym1', false], ['sym1', 'symb1', false], ['full1', 'block1', false],
];

function describe({ class: name, mapping, filtering, hairpin, routers }: Expected): string {
  return mapping === undefined ? name : `${name}: mapping ${mapping}, filtering ${String(filtering)}, hairpin ${hairpin === true ? 'on' : 'off'}, ${String(routers)} routers`;
}

export async function kinds(bench: Bench): Promise<void> {
  const seen = new Map<string, Finding>();
  const hosts = Object.keys(expected);
  for (let index = 0; index < hosts.length; index += together) {
    await Promise.all(hosts.slice(index, index + together).map(async (host) => { seen.set(host, await bench.classify(host)); }));
  }
  for (const [host, wanted] of Object.entries(expected)) {
    const found = seen.get(host) ?? {};
    bench.check(`${host} is ${describe(wanted)}`, agrees(found, wanted), found);
  }
  const [port, keep, home] = [seen.get('port1'), seen.get('keep1'), seen.get('home1')];
  bench.check('public ports are random by default and kept with ports=preserve', port?.preservesPort === false && keep?.preservesPort === true, [port, keep]);
  bench.check('cgnat: the address seen outside is the carrier\'s', hostOf(home?.mapped ?? '') === bench.lab('addr', 'home-isp') && bench.lab('addr', 'home').startsWith('100.64.'), home);
  const downloads = await Promise.all(['block1', 'sym1', 'home1'].map((host) => bench.probe(host, 'tcp', bench.serverAddress)));
  bench.check('TCP passes udp-blocked, symmetric and cgnat', downloads.every(({ whole }) => whole === true), downloads);

  for (const { kind, becomes, routers } of changes) {
    bench.lab('nat', 'port1', kind, 'timeout=120');
    const found = await bench.classify('port1');
    bench.check(`becomes ${kind} while it runs`, found.class === becomes && found.routers === routers, found);
  }
  const results = await Promise.all(pairs.map(async ([left, right]) => punch(bench, left, right)));
  for (const [index, [left, right, isDirect]] of pairs.entries()) {
    const found = results[index] ?? [];
    bench.check(`${left} and ${right} ${isDirect ? 'reach each other directly' : 'have no direct path'}`, found.length === 2 && found.every(({ isHeard }) => isHeard === isDirect), found);
  }
  await punchByProbe(bench, 'port1', 'keep1');
}

/** What was not expected of a field is not looked at. */
function agrees(found: Finding, wanted: Expected): boolean {
  return found.class === wanted.class && found.mapping === wanted.mapping && found.filtering === wanted.filtering && found.routers === wanted.routers
    && (wanted.hairpin === undefined || found.hairpin === wanted.hairpin);
}

async function punch(bench: Bench, ...hosts: readonly [string, string]): Promise<readonly Punched[]> {
  const ends = await Promise.all(hosts.map(async (host) => {
    const socket = await bench.agent(host).open();
    return { socket, mapped: await socket.ask(bench.endpoint, 'same', askTries) };
  }));
  return Promise.all(ends.map(({ socket }, index) => {
    const peer = 1 - index;
    return socket.punch(endpointOf(ends[peer]?.mapped ?? ''), `${hosts.join('-')} ${index}`, `${hosts.join('-')} ${peer}`);
  }));
}

async function punchByProbe(bench: Bench, left: string, right: string): Promise<void> {
  const ways: readonly (readonly [string, string])[] = [[left, right], [right, left]];
  const found = await Promise.all(ways.map(([name, peer]) => bench.probe(name, 'punch', bench.serverAddress, '--name', name, '--peer', peer, '--for', punchMs)));
  bench.check(`the probe's \`punch\` finds the path between ${left} and ${right}`, found.every(({ direct }) => direct === true), found);
}
