/**
 * Puts a link emulator into the uplink of a node, changes it and takes it out. The kernel hands the frames of both ends to the emulator (emulator.ts)
 * as VXLAN datagrams: not every kernel has the netem queue, and every one can do this.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { corePort } from './nodes.ts';
import { addNamespace, ip, namespaceFolder, run, signalProcess, until } from './system.ts';
import { readOwn, writeWhole, type Places } from './record.ts';
import type { EmulatorConfiguration, EmulatorCounts } from './emulator-files.ts';
import type { Emulation, LabNode } from './model.ts';

const coreAddress = '169.254.77.1';
const wireAddress = '169.254.77.2';
const vxlanPort = 4789;
/** The emulator's own ports, by the number of the VXLAN network. */
const firstPort = 10_000;
/** A frame of 1,500 bytes with the headers of VXLAN. */
const wireMtu = 1_700;
const emulatorProgram = path.join(import.meta.dirname, 'emulator.ts');

const networksOf = (node: LabNode): readonly [number, number] => [2 * node.id + 1, 2 * node.id + 2];

interface Files { readonly configuration: string; readonly pid: string; readonly acknowledged: string; readonly counts: string; readonly log: string }

function filesOf(places: Places, node: LabNode): Files {
  const configuration = places.file(`wire-${node.id}.json`);
  return { configuration, pid: places.file(`wire-${node.id}.pid`), acknowledged: `${configuration}.ack`, counts: `${configuration}.stats`, log: places.file(`wire-${node.id}.log`) };
}

/** The emulator of this link, if it runs; a number alone could be another program's by now. */
function emulatorProcess(files: Files): number | undefined {
  try {
    const pid = Number(readFileSync(files.pid, 'utf8'));
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return commandLine.includes(emulatorProgram) && commandLine.includes(files.configuration) ? pid : undefined;
  } catch {
    return undefined;
  }
}

export async function setEmulation(places: Places, node: LabNode, emulation: Emulation | undefined): Promise<void> {
  if (emulation === undefined) { removeEmulation(places, node); return; }
  const files = filesOf(places, node);
  const [near, far] = networksOf(node);
  makeWireNamespace(places);
  writeWhole(files.configuration, {
    near: { network: near, port: firstPort + near }, far: { network: far, port: firstPort + far }, ownAddress: wireAddress, kernelAddress: coreAddress, kernelPort: vxlanPort, emulation,
  } satisfies EmulatorConfiguration);
  const running = emulatorProcess(files);
  if (node.emulation !== undefined && running !== undefined) {
    node.emulation = emulation;
    rmSync(files.acknowledged, { force: true });
    process.kill(running, 'SIGHUP');
    await until('the link emulator to take the new settings', () => existsSync(files.acknowledged));
    return;
  }
  if (node.emulation !== undefined) {
    detach(places, node);
    node.emulation = undefined;
  }
  await startEmulator(places, files);
  attach(places, node);
  node.emulation = emulation;
}

function makeWireNamespace(places: Places): void {
  if (existsSync(path.join(namespaceFolder, places.wire))) return;
  addNamespace(places.wire);
  ip(places.core, [
    `link add wire mtu ${wireMtu} type veth peer name wire netns ${places.wire}`,
    // Senders hand over segments larger than the MTU; the kernel is to cut them before the emulator, which counts single frames.
    'link set wire gso_max_segs 1 up',
    `addr add ${coreAddress}/24 dev wire`,
  ]);
  ip(places.wire, [`link set wire mtu ${wireMtu} up`, `addr add ${wireAddress}/24 dev wire`]);
}

async function startEmulator(places: Places, files: Files): Promise<void> {
  for (const file of [files.pid, files.acknowledged]) rmSync(file, { force: true });
  const log = openSync(files.log, 'w');
  const child = spawn('ip', ['netns', 'exec', places.wire, process.execPath, emulatorProgram, files.configuration, files.pid], { detached: true, stdio: ['ignore', log, log] });
  child.unref();
  closeSync(log);
  await until(`the link emulator to start (its log is ${files.log})`, () => emulatorProcess(files) !== undefined && existsSync(files.acknowledged));
}

/** Between the node's port and its segment come a bridge and two VXLAN devices, one for each end of the emulator. */
function attach(places: Places, node: LabNode): void {
  const { id, segment } = node;
  const devices = networksOf(node).map((network, index) => ({ network, device: `v${id}${index === 0 ? 'a' : 'b'}` }));
  ip(places.core, [
    `link add n${id} type bridge forward_delay 0`,
    `link set n${id} up`,
    ...devices.map(({ network, device }) => `link add ${device} mtu 1500 type vxlan id ${network} local ${coreAddress} dstport ${vxlanPort} nolearning`),
  ]);
  for (const { network, device } of devices) {
    run('bridge', ['-n', places.core, 'fdb', 'append', '00:00:00:00:00:00', 'dev', device, 'dst', wireAddress, 'port', String(firstPort + network)]);
  }
  ip(places.core, [`link set v${id}a master n${id} up`, `link set v${id}b master ${segment} up`, `link set ${corePort(node)} master n${id}`]);
}

function detach(places: Places, node: LabNode): void {
  ip(places.core, [`link set ${corePort(node)} master ${node.segment}`, `link del v${node.id}a`, `link del v${node.id}b`, `link del n${node.id}`]);
}

export function removeEmulation(places: Places, node: LabNode): void {
  if (node.emulation === undefined) return;
  const files = filesOf(places, node);
  detach(places, node);
  const pid = emulatorProcess(files);
  if (pid !== undefined) signalProcess(pid, 'SIGTERM');
  for (const file of [files.configuration, files.pid, files.acknowledged, files.counts]) rmSync(file, { force: true });
  node.emulation = undefined;
}

/** What the emulator counted since it was started, at most half a second old; undefined without one. */
export function countsOf(places: Places, node: LabNode): EmulatorCounts | undefined {
  try { return readOwn(filesOf(places, node).counts) as EmulatorCounts; } catch { return undefined; }
}
