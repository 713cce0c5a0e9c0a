/** UDP over IPv4 in the frames of a NAT device: read, readdressed, and made anew for what the device itself answers. */
import { etherTypeOf, fillChecksum, fillIpv4HeaderChecksum, ipHeaderMinimumBytes, ipOffset, protocolUdp, typeIpv4, vxlanHeaderBytes, writeVxlanHeader } from '../frame.ts';
import { insideMac } from './policy.ts';
import type { Endpoint } from './mapping-table.ts';

const udpHeaderBytes = 8;
const macBytes = 6;
const fragmentBits = 0x3fff;
/** What our own answers begin their life with. */
const hopsDefault = 64;
const hopsMaximum = 255;

export interface UdpPacket {
  readonly side: 'inside' | 'outside';
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly payload: Uint8Array;
}

const addressAt = (frame: Buffer, at: number): string => frame.subarray(at, at + 4).join('.');

const macText = (frame: Buffer): string => [...frame.subarray(vxlanHeaderBytes, vxlanHeaderBytes + macBytes)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

/** Undefined for anything else than a whole UDP packet. */
export function readUdp(frame: Buffer): UdpPacket | undefined {
  if (etherTypeOf(frame) !== typeIpv4 || frame.length < ipOffset + ipHeaderMinimumBytes + udpHeaderBytes) return undefined;
  const udpAt = ipOffset + (frame.readUInt8(ipOffset) & 15) * 4;
  const end = ipOffset + frame.readUInt16BE(ipOffset + 2);
  if (frame.readUInt8(ipOffset + 9) !== protocolUdp || (frame.readUInt16BE(ipOffset + 6) & fragmentBits) !== 0) return undefined;
  if (end > frame.length || udpAt + udpHeaderBytes > end) return undefined;
  return {
    side: macText(frame) === insideMac ? 'inside' : 'outside',
    source: { address: addressAt(frame, ipOffset + 12), port: frame.readUInt16BE(udpAt) },
    destination: { address: addressAt(frame, ipOffset + 16), port: frame.readUInt16BE(udpAt + 2) },
    payload: frame.subarray(udpAt + udpHeaderBytes, end),
  };
}

/** The frame of a packet that `readUdp` took, on its way back to the kernel with other ends. In place. */
export function readdress(frame: Buffer, network: number, source: Endpoint, destination: Endpoint): Buffer {
  const headerBytes = (frame.readUInt8(ipOffset) & 15) * 4;
  turnAround(frame, network);
  // The kernel counts a hop on the way to this program and another on the way from it: one of them is given back.
  frame.writeUInt8(Math.min(hopsMaximum, frame.readUInt8(ipOffset + 8) + 1), ipOffset + 8);
  writeEnds(frame, ipOffset + headerBytes, source, destination);
  fillIpv4HeaderChecksum(frame, headerBytes);
  fillChecksum(frame);
  return frame;
}

/** A new packet, to where `request` came from. */
export function answerTo(request: Buffer, network: number, source: Endpoint, destination: Endpoint, payload: Uint8Array): Buffer {
  const udpAt = ipOffset + ipHeaderMinimumBytes;
  const frame = Buffer.alloc(udpAt + udpHeaderBytes + payload.length);
  request.copy(frame, 0, 0, ipOffset);
  turnAround(frame, network);
  frame.writeUInt8(0x45, ipOffset);
  frame.writeUInt16BE(frame.length - ipOffset, ipOffset + 2);
  frame.writeUInt8(hopsDefault, ipOffset + 8);
  frame.writeUInt8(protocolUdp, ipOffset + 9);
  frame.writeUInt16BE(udpHeaderBytes + payload.length, udpAt + 4);
  // Anything but zero, which would mean "without": it is filled in.
  frame.writeUInt16BE(1, udpAt + 6);
  frame.set(payload, udpAt + udpHeaderBytes);
  writeEnds(frame, udpAt, source, destination);
  fillIpv4HeaderChecksum(frame, ipHeaderMinimumBytes);
  fillChecksum(frame);
  return frame;
}

function turnAround(frame: Buffer, network: number): void {
  const to = Buffer.from(frame.subarray(vxlanHeaderBytes, vxlanHeaderBytes + macBytes));
  frame.copyWithin(vxlanHeaderBytes, vxlanHeaderBytes + macBytes, vxlanHeaderBytes + 2 * macBytes);
  to.copy(frame, vxlanHeaderBytes + macBytes);
  writeVxlanHeader(frame, network);
}

function writeEnds(frame: Buffer, udpAt: number, source: Endpoint, destination: Endpoint): void {
  frame.set(source.address.split('.').map(Number), ipOffset + 12);
  frame.set(destination.address.split('.').map(Number), ipOffset + 16);
  frame.writeUInt16BE(source.port, udpAt);
  frame.writeUInt16BE(destination.port, udpAt + 2);
}
