/**
 * Puts a link emulator into the uplink of a node, changes it and takes it out. The kernel hands the frames of both ends to the emulator (emulator.ts)
 * as VXLAN datagrams: not every kernel has the netem queue, and every one can do this.
 */
import path from 'node:path';
import { Companion } from './companion.ts';
import { corePort } from './nodes.ts';
import { ip } from './system.ts';
import { readOwn, type Places } from './record.ts';
import { addWireDevice, coreAddress, makeWireNamespace, vxlanPort, wireAddress } from './wire.ts';
import type { EmulatorConfiguration, EmulatorCounts } from './emulator-files.ts';
import type { Emulation, LabNode } from './model.ts';

/** The emulator's own ports, by the number of the VXLAN network. */
const firstPort = 10_000;
const emulatorProgram = path.join(import.meta.dirname, 'emulator.ts');

const ethernetMtuBytes = 1_500;

const networksOf = (node: LabNode): readonly [number, number] => [2 * node.id + 1, 2 * node.id + 2];

const emulatorOf = (places: Places, node: LabNode): Companion => new Companion(places, places.wire, emulatorProgram, `wire-${node.id}`);

export async function setEmulation(places: Places, node: LabNode, emulation: Emulation | undefined): Promise<void> {
  if (emulation === undefined) { removeEmulation(places, node); return; }
  const emulator = emulatorOf(places, node);
  const [near, far] = networksOf(node);
  makeWireNamespace(places);
  emulator.write({
    near: { network: near, port: firstPort + near }, far: { network: far, port: firstPort + far }, ownAddress: wireAddress, kernelAddress: coreAddress, kernelPort: vxlanPort, emulation,
  } satisfies EmulatorConfiguration);
  if (node.emulation !== undefined && emulator.isRunning) {
    node.emulation = emulation;
    await emulator.reread();
    return;
  }
  if (node.emulation !== undefined) {
    detach(places, node);
    node.emulation = undefined;
  }
  await emulator.start();
  attach(places, node);
  node.emulation = emulation;
}

/** Between the node's port and its segment come a bridge and two VXLAN devices, one for each end of the emulator. */
function attach(places: Places, node: LabNode): void {
  const { id, segment } = node;
  const devices = networksOf(node).map((network, index) => ({ network, device: `v${id}${index === 0 ? 'a' : 'b'}` }));
  ip(places.core, [
    `link add n${id} type bridge forward_delay 0`,
    `link set n${id} up`,
  ]);
  for (const { network, device } of devices) addWireDevice(places, device, { network, port: firstPort + network, mtuBytes: ethernetMtuBytes });
  ip(places.core, [`link set v${id}a master n${id} up`, `link set v${id}b master ${segment} up`, `link set ${corePort(node)} master n${id}`]);
}

function detach(places: Places, node: LabNode): void {
  ip(places.core, [`link set ${corePort(node)} master ${node.segment}`, `link del v${node.id}a`, `link del v${node.id}b`, `link del n${node.id}`]);
}

export function removeEmulation(places: Places, node: LabNode): void {
  if (node.emulation === undefined) return;
  detach(places, node);
  emulatorOf(places, node).end();
  node.emulation = undefined;
}

/** What the emulator counted since it was started, at most half a second old; undefined without one. */
export function countsOf(places: Places, node: LabNode): EmulatorCounts | undefined {
  try { return readOwn(emulatorOf(places, node).countsFile) as EmulatorCounts; } catch { return undefined; }
}
