/** The way of packets between the kernel and the laboratory's own programs: VXLAN devices in the core, whose other ends are sockets of programs in the wire's namespace. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { addNamespace, ip, namespaceFolder, run } from './system.ts';
import type { Places } from './record.ts';

export const coreAddress = '169.254.77.1';
export const wireAddress = '169.254.77.2';
export const vxlanPort = 4789;
/** A frame of 1,500 bytes with the headers of VXLAN. */
const wireMtuBytes = 1_700;

/** The VXLAN network of a device, and the program's port for it. */
export interface WireEnd { readonly network: number; readonly port: number; readonly mtuBytes: number }

export function makeWireNamespace(places: Places): void {
  if (existsSync(path.join(namespaceFolder, places.wire))) return;
  addNamespace(places.wire);
  ip(places.core, [
    `link add wire mtu ${wireMtuBytes} type veth peer name wire netns ${places.wire}`,
    // Senders hand over segments larger than the MTU; the kernel is to cut them before the program, which counts single frames.
    'link set wire gso_max_segs 1 up',
    `addr add ${coreAddress}/24 dev wire`,
  ]);
  ip(places.wire, [`link set wire mtu ${wireMtuBytes} up`, `addr add ${wireAddress}/24 dev wire`]);
}

/** In the core; it keeps its transport there when it is moved to another namespace. */
export function addWireDevice(places: Places, device: string, { network, port, mtuBytes }: WireEnd): void {
  ip(places.core, [`link add ${device} mtu ${mtuBytes} type vxlan id ${network} local ${coreAddress} dstport ${vxlanPort} nolearning`]);
  run('bridge', ['-n', places.core, 'fdb', 'append', '00:00:00:00:00:00', 'dev', device, 'dst', wireAddress, 'port', String(port)]);
}
