/** The life of a NAT router: made, given a kind, put behind a carrier, rebound. Mappings never survive a change: each has a generation of its own. */
import { carrierName } from './topology.ts';
import { addNode, corePort, moveUplink, prefixLength, publicSegment, putAddresses, setRoutesTo } from './nodes.ts';
import { rulesOf } from './nat-rules.ts';
import { removeEmulation } from './links.ts';
import { endProcesses, ip, loadRules, run, shellIn } from './system.ts';
import { misuse } from './usage-error.ts';
import { uplinkAddress, type LabState, type NatKind, type RouterNode, type RouterOptions } from './model.ts';
import type { Places } from './record.ts';

const routersMaximum = 250;
/** How many addresses a router moves through before it begins anew. */
const addressesOfRouter = 200;
const timeoutDefaultSeconds = 120;
const innerDefault = 'port-restricted';

export interface NewRouter {
  readonly name: string;
  readonly kind: NatKind;
  readonly options: RouterOptions;
  readonly lan?: string | undefined;
  readonly isCarrier?: boolean;
}

/** Without rules yet: it forwards nothing that needs translation. */
export function makeRouter(places: Places, state: LabState, { name, kind, options, lan, isCarrier = false }: NewRouter): RouterNode {
  const network = state.nextNetwork;
  if (network > routersMaximum) misuse(`too many routers (${routersMaximum} at most)`);
  state.nextNetwork += 1;
  const id = state.nextId;
  state.nextId += 1;
  const router: RouterNode = {
    type: 'router', name, id, network, lan: lan ?? `10.77.${network}`, lanBridge: `lan${id}`, isCarrier, segment: publicSegment, addresses: [], gateway: undefined,
    link: 'up', emulation: undefined, addressNumber: 0, kind, hairpin: options.hairpin ?? false, ports: options.ports ?? 'random',
    timeoutSeconds: options.timeoutSeconds ?? timeoutDefaultSeconds, inner: options.inner, carrier: options.carrier, carrierLan: undefined,
    generation: 0, isRebound: false, routedVia: undefined,
  };
  chooseAddress(router);
  addNode(places, state, router);
  return router;
}

/** By its number, in the public network or in its carrier's. */
function chooseAddress(router: RouterNode): void {
  const offset = router.addressNumber % addressesOfRouter;
  const { carrierLan } = router;
  router.addresses = [carrierLan === undefined ? `198.18.${router.network}.${1 + offset}/${prefixLength.public}` : `${carrierLan}.${2 + offset}/${prefixLength.lan}`];
  router.gateway = carrierLan === undefined ? undefined : `${carrierLan}.1`;
}

export function applyRules(places: Places, state: LabState, router: RouterNode): void {
  const inner = router.inner ?? innerDefault;
  const effective = router.kind === 'cgnat' ? inner : router.kind;
  if (effective === 'cgnat') throw new Error(`the inner router of '${router.name}' cannot be cgnat`);
  const namespace = places.namespaceOf(router.name);
  const { timeoutSeconds } = router;
  shellIn(namespace, `cd /proc/sys/net/netfilter; echo ${timeoutSeconds} > nf_conntrack_udp_timeout; echo ${timeoutSeconds} > nf_conntrack_udp_timeout_stream`);
  const { generation, isRebound, ports, hairpin } = router;
  loadRules(namespace, rulesOf({
    kind: effective, publicAddress: uplinkAddress(router), lanNetwork: `${router.lan}.0/${prefixLength.lan}`, generation, isRebound, ports, timeoutSeconds, hairpin,
  }));
  setRoutesTo(places, state, router, effective === 'none');
}

/** @throws UsageError for a carrier within a carrier. */
export function setKind(places: Places, state: LabState, router: RouterNode, kind: NatKind, options: RouterOptions): void {
  if (kind === 'cgnat' && router.isCarrier) misuse('a carrier router cannot itself be cgnat');
  const before = router.kind;
  setRoutesTo(places, state, router, false);
  Object.assign(router, options, { kind, isRebound: false });
  router.generation += 1;
  if (kind === 'cgnat' && before !== 'cgnat') addCarrier(places, state, router);
  if (kind !== 'cgnat' && before === 'cgnat') removeCarrier(places, state, router);
  const carrier = state.nodes[carrierName(router.name)];
  if (kind === 'cgnat' && options.carrier !== undefined && carrier?.type === 'router') setKind(places, state, carrier, options.carrier, {});
  applyRules(places, state, router);
}

export function addCarrier(places: Places, state: LabState, router: RouterNode): void {
  const kind = router.carrier ?? innerDefault;
  const carrier = makeRouter(places, state, { name: carrierName(router.name), kind, options: {}, lan: `100.64.${router.network}`, isCarrier: true });
  moveUplink(places, router, carrier.lanBridge);
  router.carrier = kind;
  router.carrierLan = carrier.lan;
  chooseAddress(router);
  putAddresses(places, state, router);
  applyRules(places, state, carrier);
}

function removeCarrier(places: Places, state: LabState, router: RouterNode): void {
  const name = carrierName(router.name);
  const carrier = state.nodes[name];
  if (carrier?.type !== 'router') throw new Error(`'${router.name}' has no carrier`);
  removeEmulation(places, carrier);
  setRoutesTo(places, state, carrier, false);
  moveUplink(places, router, publicSegment);
  router.carrier = undefined;
  router.carrierLan = undefined;
  chooseAddress(router);
  putAddresses(places, state, router);
  const namespace = places.namespaceOf(name);
  endProcesses([namespace]);
  ip(places.core, [`link del ${corePort(carrier)}`, `link del l${carrier.id}`, `link del ${carrier.lanBridge}`]);
  run('ip', ['netns', 'del', namespace]);
  Reflect.deleteProperty(state.nodes, name);
}

/** Forgets every mapping; with `address` the router also moves to another address. */
export function rebind(places: Places, state: LabState, router: RouterNode, what: 'ports' | 'address'): void {
  setRoutesTo(places, state, router, false);
  router.generation += 1;
  router.isRebound = true;
  if (what === 'address') {
    router.addressNumber += 1;
    chooseAddress(router);
    putAddresses(places, state, router);
  }
  applyRules(places, state, router);
}
