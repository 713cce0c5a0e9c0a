/** One NAT device: takes a frame from its router and gives back the frame that is to go on instead, or none. */
import { MappingTable, type Endpoint } from './mapping-table.ts';
import { answerTo, readUdp, readdress, type UdpPacket } from './packet.ts';
import { PortAllocator } from './port-allocator.ts';
import { Reassembly } from './reassembly.ts';
import { answerPortControl, portControlPort } from './port-control.ts';
import type { DeviceConfiguration } from './policy.ts';

const secondMs = 1_000;

export class Device {
  readonly #reassembly = new Reassembly();
  #configuration: DeviceConfiguration;
  #table: MappingTable;
  /** When it last lost its mappings, by its own clock. */
  #beganMs: number;

  constructor(configuration: DeviceConfiguration) {
    this.#configuration = configuration;
    this.#table = tableOf(configuration, new Set());
    this.#beganMs = this.#nowMs();
  }

  /** What runs keeps its mappings, unless the generation is another one. */
  configure(configuration: DeviceConfiguration): void {
    const isNew = configuration.generation !== this.#configuration.generation;
    this.#configuration = configuration;
    if (!isNew) return;
    this.#table = tableOf(configuration, configuration.isRebound ? this.#table.ports : new Set());
    this.#beganMs = this.#nowMs();
  }

  sweep(): void { this.#table.sweep(this.#nowMs()); }

  /** @param part a frame, with a whole packet or a part of one; it becomes the answer's. */
  take(part: Buffer): Buffer | undefined {
    const frame = this.#reassembly.take(part);
    const packet = frame === undefined ? undefined : readUdp(frame);
    if (frame === undefined || packet === undefined) return undefined;
    return packet.side === 'inside' ? this.#fromInside(frame, packet) : this.#fromOutside(frame, packet);
  }

  #fromOutside(frame: Buffer, { source, destination }: UdpPacket): Buffer | undefined {
    const { publicAddress, network } = this.#configuration;
    if (destination.address !== publicAddress) return undefined;
    const inside = this.#table.inbound(destination.port, source, this.#nowMs());
    return inside === undefined ? undefined : readdress(frame, network, source, inside);
  }

  #fromInside(frame: Buffer, packet: UdpPacket): Buffer | undefined {
    const { source, destination } = packet;
    const { publicAddress, gateway, lan, network, policy } = this.#configuration;
    if (destination.address === gateway) return destination.port === portControlPort ? this.#answer(frame, packet) : undefined;
    // Broadcasts of the LAN stay there.
    if (destination.address.startsWith(`${lan}.`)) return undefined;
    const isHairpin = destination.address === publicAddress;
    if (isHairpin && !policy.hairpin) return undefined;
    const port = this.#table.outbound(source, destination, this.#nowMs());
    if (port === undefined) return undefined;
    const external: Endpoint = { address: publicAddress, port };
    if (!isHairpin) return readdress(frame, network, external, destination);
    const other = this.#table.inbound(destination.port, external, this.#nowMs());
    return other === undefined ? undefined : readdress(frame, network, external, other);
  }

  #answer(frame: Buffer, { source, destination, payload }: UdpPacket): Buffer | undefined {
    const { publicAddress, network, policy } = this.#configuration;
    const nowMs = this.#nowMs();
    const answer = answerPortControl(payload, policy.portControl, {
      table: this.#table, publicAddress, from: source.address, nowMs, epochSeconds: (nowMs - this.#beganMs) / secondMs, grantMaximumSeconds: policy.grantMaximumSeconds,
    });
    return answer === undefined ? undefined : answerTo(frame, network, destination, source, answer);
  }

  #nowMs(): number { return performance.now() + this.#configuration.clockAheadSeconds * secondMs; }
}

function tableOf({ policy, isRebound }: DeviceConfiguration, avoided: ReadonlySet<number>): MappingTable {
  // Whoever keeps the inside port would get the port of before.
  const allocation = isRebound && policy.allocation.kind === 'preserve' ? { kind: 'random' } as const : policy.allocation;
  return new MappingTable(policy, new PortAllocator(allocation, Math.random), avoided);
}
