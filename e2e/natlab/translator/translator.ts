/**
 * The translator: the NAT of all routers of the kind `translator` in one laboratory. `translator.ts CONFIGURATION PIDFILE`, started by ../translators.ts; SIGHUP reads
 * the configuration again.
 *
 * The kernel's own translation knows few behaviours: one mapping for each destination, and with maps of nftables one for all. What stands in the field differs in four
 * ways that are independent of each other - what a mapping depends on, what its filter admits, which port it gets, how long it lives and what keeps it alive - and here
 * each of them is a setting (policy.ts). One table holds the mappings of a device and decides (mapping-table.ts); the ports come from port-allocator.ts; a device
 * (device.ts) takes packets apart with packet.ts, asks its table, and sends them on readdressed. It also answers PCP and NAT-PMP on port 5351 of its LAN
 * (port-control.ts), by entering what was asked for in the same table.
 *
 * The packets come as they do to the link emulator: the router's kernel routes what is UDP into a VXLAN device, whose other end is a socket of this program, and forwards
 * what comes back out of it. TCP and ICMP stay with the kernel, and errors that ICMP reports of translated datagrams get lost. Only the device's clock is asked for
 * time, and it can be put forward, so that a test of lifetimes need not wait.
 */
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import { Device } from './device.ts';
import type { DeviceConfiguration, TranslatorConfiguration } from './policy.ts';

const [configurationFile = '', pidFile = ''] = process.argv.slice(2);
const bufferBytes = 4 * 1_048_576;
const sweepEveryMs = 1_000;

interface Running { readonly device: Device; readonly socket: Socket }

const running = new Map<number, Running>();

async function begin(configuration: DeviceConfiguration, { ownAddress, kernelAddress, kernelPort }: TranslatorConfiguration): Promise<void> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes, sendBufferSize: bufferBytes });
  const device = new Device(configuration);
  running.set(configuration.network, { device, socket });
  socket.on('message', (frame) => {
    const answer = device.take(frame);
    if (answer !== undefined) socket.send(answer, kernelPort, kernelAddress);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(configuration.port, ownAddress, () => { socket.off('error', reject); resolve(); });
  });
  // A router that is being taken down refuses what is sent to it; that is no reason to stop.
  socket.on('error', (error) => { console.error(configuration.network, error.message); });
}

async function configure(): Promise<void> {
  const configuration = JSON.parse(readFileSync(configurationFile, 'utf8')) as TranslatorConfiguration;
  for (const [network, { socket }] of running) {
    if (configuration.devices.some((device) => device.network === network)) continue;
    socket.close();
    running.delete(network);
  }
  for (const device of configuration.devices) {
    const known = running.get(device.network);
    if (known === undefined) await begin(device, configuration);
    else known.device.configure(device);
  }
  writeFileSync(`${configurationFile}.ack`, '');
}

setInterval(() => { for (const { device } of running.values()) device.sweep(); }, sweepEveryMs);
await configure();
process.on('SIGHUP', () => { void configure(); });
writeFileSync(pidFile, String(process.pid));
