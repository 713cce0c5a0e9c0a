/** Ethernet frames inside of VXLAN datagrams, as the link emulator and the translator see them: eight bytes of VXLAN (RFC 7348), fourteen of Ethernet, then IP. */

export const vxlanHeaderBytes = 8;
const ethernetHeaderBytes = 14;
export const ipOffset = vxlanHeaderBytes + ethernetHeaderBytes;
const typeOffset = ipOffset - 2;
export const ipHeaderMinimumBytes = 20;
const ipv6HeaderBytes = 40;
export const typeIpv4 = 0x0800;
const typeIpv6 = 0x86dd;
const typeAddressResolution = 0x0806;
const protocolTcp = 6;
export const protocolUdp = 17;
const protocolIcmpv6 = 58;
/** Of ICMPv6: router and neighbour discovery (RFC 4861). */
const discoveryTypes = { first: 133, last: 137 } as const;
/** "More fragments" and the offset: a checksum over a part is none. */
const fragmentBits = 0x3fff;
/** Of the first byte: the network's number is valid. */
const networkFlag = 8;

export const etherTypeOf = (frame: Buffer): number | undefined => (frame.length >= ipOffset ? frame.readUInt16BE(typeOffset) : undefined);

/** ARP, and what stands for it in IPv6. */
export function isAddressResolution(frame: Buffer): boolean {
  const type = etherTypeOf(frame);
  if (type !== typeIpv6) return type === typeAddressResolution;
  const message = frame[ipOffset + ipv6HeaderBytes] ?? 0;
  return frame[ipOffset + 6] === protocolIcmpv6 && message >= discoveryTypes.first && message <= discoveryTypes.last;
}

export function writeVxlanHeader(frame: Buffer, network: number): void {
  frame.writeUInt32BE(networkFlag * 0x1_00_00_00, 0);
  frame.writeUInt32BE((network << 8) >>> 0, 4);
}

interface Transport { readonly protocol: number; readonly start: number; readonly end: number; readonly addresses: { readonly start: number; readonly end: number } }

/** Senders leave the checksums of UDP and TCP to the network device, which here is this program. */
export function fillChecksum(frame: Buffer): void {
  const transport = transportOf(frame);
  if (transport === undefined) return;
  const { protocol, start, end, addresses } = transport;
  if (end > frame.length || (protocol !== protocolUdp && protocol !== protocolTcp)) return;
  const at = start + (protocol === protocolUdp ? 6 : 16);
  if (at + 2 > end) return;
  // A UDP sender may do without one.
  if (protocol === protocolUdp && frame.readUInt16BE(at) === 0) return;
  frame.writeUInt16BE(0, at);
  // The pseudo header: both addresses, the protocol and the length.
  const checksum = folded(protocol + end - start + wordsOf(frame, addresses.start, addresses.end) + wordsOf(frame, start, end));
  frame.writeUInt16BE(checksum === 0 && protocol === protocolUdp ? 0xffff : checksum, at);
}

/** Undefined for anything but IP, and for a part of a packet. */
function transportOf(frame: Buffer): Transport | undefined {
  const type = etherTypeOf(frame);
  if (type === typeIpv4 && frame.length >= ipOffset + ipHeaderMinimumBytes) {
    if ((frame.readUInt16BE(ipOffset + 6) & fragmentBits) !== 0) return undefined;
    const headerBytes = (frame.readUInt8(ipOffset) & 15) * 4;
    const addresses = { start: ipOffset + 12, end: ipOffset + ipHeaderMinimumBytes };
    return { protocol: frame.readUInt8(ipOffset + 9), start: ipOffset + headerBytes, end: ipOffset + frame.readUInt16BE(ipOffset + 2), addresses };
  }
  if (type === typeIpv6 && frame.length >= ipOffset + ipv6HeaderBytes) {
    // With an extension header, as a fragment has one, the protocol is none of these two.
    const start = ipOffset + ipv6HeaderBytes;
    return { protocol: frame.readUInt8(ipOffset + 6), start, end: start + frame.readUInt16BE(ipOffset + 4), addresses: { start: ipOffset + 8, end: start } };
  }
  return undefined;
}

export function fillIpv4HeaderChecksum(frame: Buffer, headerBytes: number): void {
  frame.writeUInt16BE(0, ipOffset + 10);
  frame.writeUInt16BE(folded(wordsOf(frame, ipOffset, ipOffset + headerBytes)), ipOffset + 10);
}

/** The complement of the sum in ones' complement (RFC 1071). */
function folded(words: number): number {
  let sum = words;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

/** Sum of the 16-bit words; an odd last byte is the high one of a word. */
function wordsOf(frame: Buffer, from: number, to: number): number {
  let sum = 0;
  let index = from;
  for (; index + 1 < to; index += 2) sum += ((frame[index] ?? 0) << 8) | (frame[index + 1] ?? 0);
  return index < to ? sum + ((frame[index] ?? 0) << 8) : sum;
}
