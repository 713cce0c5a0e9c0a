/**
 * Global IPv6 addresses, beside the IPv4 ones: every host behind such a router has one of its own, and no address is translated. All of it is in 2001:db8::/32, the range
 * for documentation: the public network is 2001:db8::/64, and the LAN of router number N is 2001:db8:1:N::/64.
 */
import { shellIn, ip } from './system.ts';
import { plainAddress, type Ipv6Place, type LabNode, type LabState } from './model.ts';
import type { Places } from './record.ts';

const prefixLength = 64;
const publicNetwork = '2001:db8::';
const lanNetworkOf = (network: number): string => `2001:db8:1:${network.toString(16)}::`;
/** Of a router in the public network; public hosts are below. */
const routerOffset = 0x1000;

export function publicIpv6(number: number): Ipv6Place {
  return { address: `${publicNetwork}${number.toString(16)}/${prefixLength}`, gateway: undefined, lan: undefined };
}

export function routerIpv6(network: number): Ipv6Place {
  const lan = lanNetworkOf(network);
  return {
    address: `${publicNetwork}${(routerOffset + network).toString(16)}/${prefixLength}`, gateway: undefined,
    lan: { address: `${lan}1/${prefixLength}`, network: `${lan}/${prefixLength}` },
  };
}

export function hostIpv6(network: number, number: number): Ipv6Place {
  const lan = lanNetworkOf(network);
  return { address: `${lan}${number.toString(16)}/${prefixLength}`, gateway: `${lan}1`, lan: undefined };
}

/** Puts the IPv6 addresses and routes that the record says on a node; safe to do again. */
export function putIpv6(places: Places, state: LabState, node: LabNode, device: string): void {
  if (node.ipv6 === undefined) return;
  const namespace = places.namespaceOf(node.name);
  const devices = node.type === 'router' ? [device, 'lan'] : [device];
  // Nobody else is there: the wait for an answer to "does someone have this address?" is left out.
  shellIn(namespace, [
    ...devices.flatMap((each) => [`echo 0 > /proc/sys/net/ipv6/conf/${each}/accept_dad`, `echo 0 > /proc/sys/net/ipv6/conf/${each}/disable_ipv6`]),
    ...(node.type === 'router' ? ['echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'] : []),
  ].join('\n'));
  const { address, gateway, lan } = node.ipv6;
  ip(namespace, [
    `addr replace ${address} dev ${device} nodad`,
    ...(lan === undefined ? [] : [`addr replace ${lan.address} dev lan nodad`]),
    ...(gateway === undefined ? routesFrom(state, node) : [`route replace default via ${gateway}`]),
  ]);
}

/** Whoever is in the public network knows the way to each LAN. */
function routesFrom(state: LabState, node: LabNode): readonly string[] {
  return Object.values(state.nodes).filter((other) => other !== node).flatMap(({ ipv6 }) => (
    ipv6?.lan === undefined ? [] : [`route replace ${ipv6.lan.network} via ${plainAddress(ipv6.address)}`]
  ));
}
