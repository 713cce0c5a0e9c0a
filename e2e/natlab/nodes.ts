/** Hosts and routers as namespaces, plugged into bridges that stand for the public network and for each LAN. */
import { uplinkAddress, type LabNode, type LabState, type RouterNode } from './model.ts';
import { addNamespace, ip, shellIn } from './system.ts';
import { putIpv6 } from './ipv6.ts';
import type { Places } from './record.ts';

/** The bridge of the public network. */
export const publicSegment = 'inet';
export const prefixLength = { public: 15, lan: 24 } as const;

/** The device of the uplink inside of the node's namespace. */
export const uplinkDevice = (node: LabNode): string => (node.type === 'router' ? 'wan' : 'eth0');
/** The other end of its cable, in the core. */
export const corePort = (node: LabNode): string => `p${node.id}`;
/** The end that sits in the segment: the cable's, or the emulator's where one is in between. */
export const segmentPort = (node: LabNode): string => (node.emulation === undefined ? corePort(node) : `v${node.id}b`);

export function addBridge(places: Places, bridge: string): void {
  ip(places.core, [`link add ${bridge} type bridge forward_delay 0`, `link set ${bridge} up`]);
}

export function addNode(places: Places, state: LabState, node: LabNode): void {
  state.nodes[node.name] = node;
  const namespace = places.namespaceOf(node.name);
  addNamespace(namespace);
  ip(places.core, [
    `link add ${corePort(node)} type veth peer name ${uplinkDevice(node)} netns ${namespace}`,
    `link set ${corePort(node)} master ${node.segment} up`,
  ]);
  if (node.type === 'router') addLan(places, node, namespace);
  putAddresses(places, state, node);
}

function addLan(places: Places, router: RouterNode, namespace: string): void {
  addBridge(places, router.lanBridge);
  ip(places.core, [
    `link add l${router.id} type veth peer name lan netns ${namespace}`,
    `link set l${router.id} master ${router.lanBridge} up`,
  ]);
  ip(namespace, [`addr add ${router.lan}.1/${prefixLength.lan} dev lan`, 'link set lan up']);
  shellIn(namespace, 'echo 1 > /proc/sys/net/ipv4/ip_forward');
}

/** Puts the addresses and routes that the record says on the node's uplink. */
export function putAddresses(places: Places, state: LabState, node: LabNode): void {
  const device = uplinkDevice(node);
  const lines = [`link set ${device} up`, `addr flush dev ${device} scope global`, ...node.addresses.map((address) => `addr add ${address} dev ${device}`)];
  if (node.gateway !== undefined) lines.push(`route replace default via ${node.gateway}`);
  for (const other of Object.values(state.nodes)) {
    if (other.type === 'router' && other.routedVia !== undefined && other !== node && areNeighbours(other, node)) {
      lines.push(`route replace ${other.lan}.0/${prefixLength.lan} via ${other.routedVia}`);
    }
  }
  ip(places.namespaceOf(node.name), lines);
  putIpv6(places, state, node, device);
}

/** Hosts have their gateway for everything. */
const areNeighbours = (router: RouterNode, other: LabNode): boolean => router.segment === other.segment && other.type !== 'host';

/** A router without translation needs its LAN known to its neighbours. */
export function setRoutesTo(places: Places, state: LabState, router: RouterNode, wanted: boolean): void {
  const via = wanted ? uplinkAddress(router) : undefined;
  if (router.routedVia === via) return;
  for (const other of Object.values(state.nodes)) {
    if (other === router || !areNeighbours(router, other)) continue;
    const lan = `${router.lan}.0/${prefixLength.lan}`;
    ip(places.namespaceOf(other.name), [via === undefined ? `route del ${lan}` : `route replace ${lan} via ${via}`]);
  }
  router.routedVia = via;
}

export function moveUplink(places: Places, node: LabNode, segment: string): void {
  node.segment = segment;
  ip(places.core, [`link set ${segmentPort(node)} master ${segment}`]);
}
