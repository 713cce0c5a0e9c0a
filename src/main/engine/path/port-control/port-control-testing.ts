/** A gateway in memory, which answers as the standards say, and a clock that goes from one deadline to the next. For tests; not part of the product. */
import { PortControl, portControlPort, type PortControlState } from './port-control.ts';
import type { SocketAddress } from '../../wire/types.ts';

export const gatewayAddress = '192.168.1.1';
export const localAddress = '192.168.1.34';
export const mainPort = 41_000;
export const gatewayEnd: SocketAddress = { host: gatewayAddress, port: portControlPort };
export const secondMs = 1_000;

/** Random bytes that are the same in each run and differ from call to call. */
export function countingRandom(): (sizeBytes: number) => Uint8Array {
  let count = 0;
  return (sizeBytes) => Uint8Array.from({ length: sizeBytes }, () => { count += 1; return (count * 73) & 0xff; });
}

export function bytesOf(...parts: readonly (readonly [bits: 8 | 16 | 32, value: number] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => {
    if (part instanceof Uint8Array) return [...part];
    const [bits, value] = part;
    return Array.from({ length: bits / 8 }, (_, index) => Math.floor(value / 2 ** (bits - 8 * (index + 1))) % 256);
  }));
}

export const ipv4Field = (address: string): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...address.split('.').map(Number));

export interface PcpMapAnswerFields {
  readonly nonce: Uint8Array;
  readonly internalPort?: number;
  readonly result?: number;
  readonly lifetimeSeconds?: number;
  readonly epochSeconds?: number;
  readonly externalPort?: number;
  readonly external?: Uint8Array;
  readonly protocol?: number;
}

export function pcpMapAnswer({ nonce, internalPort = mainPort, result = 0, lifetimeSeconds = 3_600, epochSeconds = 1_000, externalPort = 42_000, external = ipv4Field('203.0.113.7'), protocol = 17 }: PcpMapAnswerFields): Uint8Array {
  return bytesOf([8, 2], [8, 0x81], [8, 0], [8, result], [32, lifetimeSeconds], [32, epochSeconds], new Uint8Array(12), nonce, [8, protocol], [8, 0], [16, 0], [16, internalPort], [16, externalPort], external);
}

export const pcpShortAnswer = (operation: number, result: number, epochSeconds: number, version = 2): Uint8Array =>
  bytesOf([8, version], [8, 0x80 | operation], [8, 0], [8, result], [32, 0], [32, epochSeconds], new Uint8Array(12));

export const natPmpAddressAnswer = (address: string, epochSeconds: number, result = 0): Uint8Array =>
  bytesOf([8, 0], [8, 128], [16, result], [32, epochSeconds], Uint8Array.from(address.split('.').map(Number)));

export const natPmpMapAnswer = (internalPort: number, externalPort: number, lifetimeSeconds: number, epochSeconds: number, result = 0): Uint8Array =>
  bytesOf([8, 0], [8, 129], [16, result], [32, epochSeconds], [16, internalPort], [16, externalPort], [32, lifetimeSeconds]);

export const natPmpUnsupportedVersion = bytesOf([8, 0], [8, 0], [16, 1], [32, 5]);

export interface Asked { readonly atMs: number; readonly to: SocketAddress; readonly bytes: Uint8Array; readonly kind: 'pcp' | 'address' | 'map' }

export const kindOf = (bytes: Uint8Array): Asked['kind'] => (bytes[0] === 2 ? 'pcp' : bytes[1] === 0 ? 'address' : 'map');

const numberAt = (bytes: Uint8Array, at: number, size: 2 | 4): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return size === 2 ? view.getUint16(at) : view.getUint32(at);
};
export const lifetimeOf = (bytes: Uint8Array): number => (bytes[0] === 2 ? numberAt(bytes, 4, 4) : numberAt(bytes, 8, 4));
export const nonceOf = (bytes: Uint8Array): Uint8Array => bytes.slice(24, 36);
export const suggestedPortOf = (bytes: Uint8Array): number => (bytes[0] === 2 ? numberAt(bytes, 42, 2) : numberAt(bytes, 6, 2));

/** A gateway as one likes it; every field may be changed while it runs. */
export class ModelGateway {
  speaks: 'pcp' | 'nat-pmp' | 'both' | 'nothing' = 'both';
  /** An old gateway of NAT-PMP says nothing to versions that it does not know. */
  isSilentAboutVersions = false;
  external = '203.0.113.7';
  externalPort = 42_000;
  grantSeconds = 7_200;
  refusal = 0;
  /** Of its clock, in ms of the test's. */
  beganMs = -1_000_000;
  mapped = false;

  answer(bytes: Uint8Array, nowMs: number): Uint8Array | undefined {
    if (this.speaks === 'nothing') return undefined;
    const epochSeconds = Math.floor((nowMs - this.beganMs) / secondMs);
    const isPcp = bytes[0] === 2;
    if (isPcp && this.speaks === 'nat-pmp') return this.isSilentAboutVersions ? undefined : natPmpUnsupportedVersion;
    if (!isPcp && this.speaks === 'pcp') return pcpShortAnswer(bytes[1] ?? 0, 1, epochSeconds);
    if (kindOf(bytes) === 'address') return natPmpAddressAnswer(this.external, epochSeconds, this.refusal);
    const granted = this.refusal === 0 ? Math.min(lifetimeOf(bytes), this.grantSeconds) : 1_800;
    this.mapped = this.refusal === 0 && granted > 0;
    const externalPort = this.mapped ? this.externalPort : 0;
    if (isPcp) return pcpMapAnswer({ nonce: nonceOf(bytes), result: this.refusal, lifetimeSeconds: granted, epochSeconds, externalPort, external: ipv4Field(this.external) });
    return natPmpMapAnswer(numberAt(bytes, 4, 2), externalPort, granted, epochSeconds, this.refusal);
  }
}

/** Drives one client at one gateway, whose answers come at once, or not at all where `loses` says so. */
export class Bench {
  readonly client = new PortControl({ random: countingRandom() });
  readonly gateway = new ModelGateway();
  readonly asked: Asked[] = [];
  readonly states: PortControlState[] = [];
  nowMs = 0;
  loses: (asked: Asked) => boolean = () => false;

  start(port = mainPort): void {
    this.client.start(gatewayAddress, localAddress, port, this.nowMs);
    this.settle();
  }

  hear(bytes: Uint8Array, from: SocketAddress = gatewayEnd): void {
    this.client.handleDatagram(from, bytes, this.nowMs);
    this.settle();
  }

  /** Everything that happens until then. */
  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (;;) {
      this.settle();
      const atMs = this.client.pollTimeout();
      if (atMs === undefined || atMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      this.client.handleTimeout(this.nowMs);
    }
    this.nowMs = endMs;
  }

  settle(): void {
    for (let next = this.client.pollTransmit(); next !== undefined; next = this.client.pollTransmit()) {
      const asked: Asked = { atMs: this.nowMs, to: next.to, bytes: next.datagram, kind: kindOf(next.datagram) };
      this.asked.push(asked);
      const answer = this.loses(asked) ? undefined : this.gateway.answer(next.datagram, this.nowMs);
      if (answer !== undefined) this.client.handleDatagram(gatewayEnd, answer, this.nowMs);
    }
    for (let state = this.client.pollChange(); state !== undefined; state = this.client.pollChange()) this.states.push(state);
  }

  get kinds(): readonly string[] { return this.states.map(({ kind }) => kind); }
  /** What was asked, and when. */
  get times(): readonly string[] { return this.asked.map(({ kind, atMs }) => `${kind} ${String(Math.round(atMs))}`); }
}
