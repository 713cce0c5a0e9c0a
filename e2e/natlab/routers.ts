/** The life of a NAT router: made, given a kind, put behind a carrier, rebound. Mappings never survive a change: each has a generation of its own. */
import { carrierName } from './topology.ts';
import { addNode, corePort, moveUplink, prefixLength, publicSegment, putAddresses, setRoutesTo } from './nodes.ts';
import { rulesOf, zoneOf } from './nat-rules.ts';
import { ipv6RulesOf } from './ipv6-rules.ts';
import { routerIpv6 } from './ipv6.ts';
import { applyPortal } from './portals.ts';
import { applyTranslator } from './translators.ts';
import { checkOptions } from './router-options.ts';
import { removeEmulation } from './links.ts';
import { endProcesses, ip, loadRules, run, shellIn } from './system.ts';
import { misuse } from './usage-error.ts';
import { routersMaximum, uplinkAddress, type LabState, type NatKind, type RouterNode, type RouterOptions, type Upstream } from './model.ts';
import type { Places } from './record.ts';

/** How many addresses a router moves through before it begins anew. */
const addressesOfRouter = 200;
const timeoutDefaultSeconds = 120;
const innerDefault = 'port-restricted';
const deltaDefaultPorts = 1;
const blockDefaultPorts = 256;
/** A day, as RFC 6887 recommends. */
const grantDefaultSeconds = 86_400;
/** Routers that are behind another one have 20 addresses each of its LAN, from this on. */
const behindFirstNumber = 50;
const behindAddresses = 20;
const behindMaximum = 10;
/** A `cgnat` is alone in its carrier's LAN. */
const carrierFirstNumber = 2;

export interface NewRouter {
  readonly name: string;
  readonly kind: NatKind;
  readonly options: RouterOptions;
  readonly lan?: string | undefined;
  readonly isCarrier?: boolean;
  readonly behind?: RouterNode | undefined;
}

/** Without rules yet: it forwards nothing that needs translation. */
export function makeRouter(places: Places, state: LabState, { name, kind, options, lan, isCarrier = false, behind }: NewRouter): RouterNode {
  const network = state.nextNetwork;
  if (network > routersMaximum) misuse(`too many routers (${routersMaximum} at most)`);
  state.nextNetwork += 1;
  const id = state.nextId;
  state.nextId += 1;
  const router: RouterNode = {
    type: 'router', name, id, network, lan: lan ?? `10.77.${network}`, lanBridge: `lan${id}`, isCarrier, segment: behind?.lanBridge ?? publicSegment, addresses: [],
    gateway: undefined, ipv6: options.ipv6 === undefined ? undefined : routerIpv6(network), ipv6Filtering: options.ipv6, tcp: options.tcp ?? 'any',
    mapping: options.mapping ?? 'independent', filtering: options.filtering ?? 'port', deltaPorts: options.deltaPorts ?? deltaDefaultPorts,
    blockPorts: options.blockPorts ?? blockDefaultPorts, refresh: options.refresh ?? 'both', portControl: options.portControl ?? 'off',
    grantMaximumSeconds: options.grantMaximumSeconds ?? grantDefaultSeconds, clockAheadSeconds: 0, isDiverted: false,
    link: 'up', emulation: undefined, addressNumber: 0, kind, hairpin: options.hairpin ?? false, ports: options.ports ?? 'random',
    timeoutSeconds: options.timeoutSeconds ?? timeoutDefaultSeconds, inner: options.inner, carrier: options.carrier, upstream: behind === undefined ? undefined : placeBehind(state, behind),
    generation: 0, isRebound: false, routedVia: undefined,
  };
  chooseAddress(router);
  addNode(places, state, router);
  return router;
}

function placeBehind(state: LabState, outer: RouterNode): Upstream {
  const before = Object.values(state.nodes).filter((node) => node.type === 'router' && node.upstream?.bridge === outer.lanBridge).length;
  if (before >= behindMaximum) misuse(`too many routers behind '${outer.name}' (${behindMaximum} at most)`);
  return { lan: outer.lan, bridge: outer.lanBridge, firstNumber: behindFirstNumber + before * behindAddresses, addresses: behindAddresses };
}

/** By its number, in the public network or in the LAN of the router above. */
function chooseAddress(router: RouterNode): void {
  const { upstream, addressNumber, network } = router;
  const offset = addressNumber % (upstream?.addresses ?? addressesOfRouter);
  router.addresses = [upstream === undefined ? `198.18.${network}.${1 + offset}/${prefixLength.public}` : `${upstream.lan}.${upstream.firstNumber + offset}/${prefixLength.lan}`];
  router.gateway = upstream === undefined ? undefined : `${upstream.lan}.1`;
}

export async function applyRules(places: Places, state: LabState, router: RouterNode): Promise<void> {
  const inner = router.inner ?? innerDefault;
  const effective = router.kind === 'cgnat' ? inner : router.kind;
  const namespace = places.namespaceOf(router.name);
  const { timeoutSeconds } = router;
  shellIn(namespace, `cd /proc/sys/net/netfilter; echo ${timeoutSeconds} > nf_conntrack_udp_timeout; echo ${timeoutSeconds} > nf_conntrack_udp_timeout_stream`);
  const { generation, isRebound, ports, hairpin, tcp, ipv6Filtering } = router;
  loadRules(namespace, rulesOf({
    kind: effective, publicAddress: uplinkAddress(router), lanNetwork: `${router.lan}.0/${prefixLength.lan}`, generation, isRebound, ports, timeoutSeconds, hairpin, tcp,
  }));
  if (ipv6Filtering !== undefined) loadRules(namespace, ipv6RulesOf({ kind: effective, filtering: ipv6Filtering, zone: zoneOf(generation), tcp }));
  setRoutesTo(places, state, router, effective === 'none');
  await applyTranslator(places, state, router);
  await applyPortal(places, router);
}

/** @throws UsageError for a carrier within a carrier. */
export async function setKind(places: Places, state: LabState, router: RouterNode, kind: NatKind, options: RouterOptions): Promise<void> {
  checkOptions(kind, options);
  if (kind === 'cgnat' && router.isCarrier) misuse('a carrier router cannot itself be cgnat');
  const isBehind = router.upstream !== undefined && router.kind !== 'cgnat';
  if (kind === 'cgnat' && isBehind) misuse('a router that is behind another cannot be cgnat: it has two in a row already');
  if (kind === 'none' && isBehind) misuse('a router that is behind another has to translate');
  if (options.ipv6 !== undefined && router.ipv6Filtering === undefined) misuse(`'${router.name}' was built without IPv6`);
  const before = router.kind;
  setRoutesTo(places, state, router, false);
  Object.assign(router, options, { kind, isRebound: false, ipv6Filtering: options.ipv6 ?? router.ipv6Filtering });
  router.generation += 1;
  if (kind === 'cgnat' && before !== 'cgnat') await addCarrier(places, state, router);
  if (kind !== 'cgnat' && before === 'cgnat') removeCarrier(places, state, router);
  const carrier = state.nodes[carrierName(router.name)];
  if (kind === 'cgnat' && options.carrier !== undefined && carrier?.type === 'router') await setKind(places, state, carrier, options.carrier, {});
  await applyRules(places, state, router);
}

export async function addCarrier(places: Places, state: LabState, router: RouterNode): Promise<void> {
  const kind = router.carrier ?? innerDefault;
  const carrier = makeRouter(places, state, { name: carrierName(router.name), kind, options: {}, lan: `100.64.${router.network}`, isCarrier: true });
  moveUplink(places, router, carrier.lanBridge);
  router.carrier = kind;
  router.upstream = { lan: carrier.lan, bridge: carrier.lanBridge, firstNumber: carrierFirstNumber, addresses: addressesOfRouter };
  chooseAddress(router);
  putAddresses(places, state, router);
  await applyRules(places, state, carrier);
}

function removeCarrier(places: Places, state: LabState, router: RouterNode): void {
  const name = carrierName(router.name);
  const carrier = state.nodes[name];
  if (carrier?.type !== 'router') throw new Error(`'${router.name}' has no carrier`);
  removeEmulation(places, carrier);
  setRoutesTo(places, state, carrier, false);
  moveUplink(places, router, publicSegment);
  router.carrier = undefined;
  router.upstream = undefined;
  chooseAddress(router);
  putAddresses(places, state, router);
  const namespace = places.namespaceOf(name);
  endProcesses([namespace]);
  ip(places.core, [`link del ${corePort(carrier)}`, `link del l${carrier.id}`, `link del ${carrier.lanBridge}`]);
  run('ip', ['netns', 'del', namespace]);
  Reflect.deleteProperty(state.nodes, name);
}

/** Forgets every mapping; with `address` the router also moves to another address. */
export async function rebind(places: Places, state: LabState, router: RouterNode, what: 'ports' | 'address'): Promise<void> {
  setRoutesTo(places, state, router, false);
  router.generation += 1;
  router.isRebound = true;
  if (what === 'address') {
    router.addressNumber += 1;
    chooseAddress(router);
    putAddresses(places, state, router);
  }
  await applyRules(places, state, router);
}

/** Puts the clock of a translator forward: what would have expired meanwhile has. @throws UsageError for another kind of router. */
export async function age(places: Places, state: LabState, router: RouterNode, seconds: number): Promise<void> {
  if (router.kind !== 'translator') misuse(`only the mappings of a translator can be aged; '${router.name}' is ${router.kind}`);
  router.clockAheadSeconds += seconds;
  await applyTranslator(places, state, router);
}
