/**
 * Puts the translator (translator/translator.ts, one process for the laboratory) into the UDP of a router and takes it out. The router routes what is UDP, from its LAN
 * and from outside, into a device whose other end is the translator; what comes back is forwarded by its ordinary table.
 */
import path from 'node:path';
import { Companion } from './companion.ts';
import { ip, shellIn } from './system.ts';
import { uplinkAddress, type LabState, type RouterNode } from './model.ts';
import { addWireDevice, coreAddress, makeWireNamespace, vxlanPort, wireAddress, type WireEnd } from './wire.ts';
import { insideMac, outsideMac, type Allocation, type DeviceConfiguration, type TranslatorConfiguration, type TranslatorPolicy } from './translator/policy.ts';
import type { Places } from './record.ts';

const program = path.join(import.meta.dirname, 'translator/translator.ts');
const device = 'nat';
/** Beyond those of the link emulators. */
const firstNetwork = 100_000;
const firstPort = 40_000;
/** Whole datagrams of any common size: the translator puts together what it got in parts, and the kernel takes it apart again. */
const deviceMtuBytes = 60_000;
/** Where the kernel believes the translator to be, for what came from each side; each has a routing table of its own. */
const sides = [
  { from: 'lan', hop: '169.254.78.1', mac: insideMac, table: 1_001 },
  { from: 'wan', hop: '169.254.78.2', mac: outsideMac, table: 1_002 },
] as const;
/** Before the table of local addresses, which the kernel has first: the public address is one. */
const divertPreference = 10;
const localPreference = 100;

const translatorOf = (places: Places): Companion => new Companion(places, places.wire, program, 'translator');
const endOf = (router: RouterNode): WireEnd => ({ network: firstNetwork + router.id, port: firstPort + router.id, mtuBytes: deviceMtuBytes });
const isTranslated = (router: RouterNode): boolean => router.kind === 'translator';

/** After a change of the router's kind, options, address or generation. */
export async function applyTranslator(places: Places, state: LabState, router: RouterNode): Promise<void> {
  if (isTranslated(router)) {
    await configure(places, state);
    if (!router.isDiverted) divert(places, router);
  } else if (router.isDiverted) {
    undivert(places, router);
    await configure(places, state);
  }
}

async function configure(places: Places, state: LabState): Promise<void> {
  const routers = Object.values(state.nodes).filter((node) => node.type === 'router').filter(isTranslated);
  const translator = translatorOf(places);
  makeWireNamespace(places);
  translator.write({ ownAddress: wireAddress, kernelAddress: coreAddress, kernelPort: vxlanPort, devices: routers.map(deviceOf) } satisfies TranslatorConfiguration);
  if (translator.isRunning) await translator.reread();
  else await translator.start();
}

function deviceOf(router: RouterNode): DeviceConfiguration {
  const { lan, generation, isRebound, clockAheadSeconds } = router;
  const { network, port } = endOf(router);
  return { network, port, publicAddress: uplinkAddress(router), gateway: `${lan}.1`, lan, generation, isRebound, clockAheadSeconds, policy: policyOf(router) };
}

function policyOf(router: RouterNode): TranslatorPolicy {
  const { mapping, filtering, timeoutSeconds, refresh, hairpin, portControl, grantMaximumSeconds } = router;
  return { mapping, filtering, allocation: allocationOf(router), lifetimeSeconds: timeoutSeconds, refresh, hairpin, portControl, grantMaximumSeconds };
}

function allocationOf({ ports, deltaPorts, blockPorts }: RouterNode): Allocation {
  switch (ports) {
    case 'random': case 'preserve': return { kind: ports };
    case 'sequential': return { kind: ports, deltaPorts };
    case 'block': return { kind: ports, blockPorts };
  }
}

function divert(places: Places, router: RouterNode): void {
  const namespace = places.namespaceOf(router.name);
  const inCore = `t${router.id}`;
  addWireDevice(places, inCore, endOf(router));
  ip(places.core, [`link set ${inCore} netns ${namespace} name ${device}`]);
  // What comes back has the router's own address as its source.
  shellIn(namespace, `cd /proc/sys/net/ipv4/conf/${device}; echo 1 > accept_local; echo 0 > rp_filter`);
  ip(namespace, [
    `link set ${device} up`,
    ...sides.flatMap(({ hop, mac, table }) => [
      `neigh add ${hop} lladdr ${mac} dev ${device} nud permanent`,
      `route add default via ${hop} dev ${device} onlink table ${table}`,
    ]),
    `rule add pref ${localPreference} lookup local`,
    ...sides.map(({ from, table }) => `rule add pref ${divertPreference} iif ${from} ipproto udp lookup ${table}`),
    'rule del pref 0',
  ]);
  router.isDiverted = true;
}

function undivert(places: Places, router: RouterNode): void {
  ip(places.namespaceOf(router.name), [
    'rule add pref 0 lookup local',
    ...sides.map(({ from, table }) => `rule del pref ${divertPreference} iif ${from} ipproto udp lookup ${table}`),
    `rule del pref ${localPreference} lookup local`,
    // Its routes and neighbours go with it.
    `link del ${device}`,
  ]);
  router.isDiverted = false;
}
