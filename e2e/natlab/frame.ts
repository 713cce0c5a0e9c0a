/** Ethernet frames inside of VXLAN datagrams, as the link emulator sees them: eight bytes of VXLAN (RFC 7348), fourteen of Ethernet, then IPv4. */

export const vxlanHeaderBytes = 8;
const ethernetHeaderBytes = 14;
const ipOffset = vxlanHeaderBytes + ethernetHeaderBytes;
const typeOffset = ipOffset - 2;
const ipHeaderMinimumBytes = 20;
const typeIpv4 = 0x0800;
const typeAddressResolution = 0x0806;
const protocolTcp = 6;
const protocolUdp = 17;
/** "More fragments" and the offset: a checksum over a part is none. */
const fragmentBits = 0x3fff;
/** Of the first byte: the network's number is valid. */
const networkFlag = 8;

export function isAddressResolution(frame: Buffer): boolean {
  return frame.length >= ipOffset && frame.readUInt16BE(typeOffset) === typeAddressResolution;
}

export function writeVxlanHeader(frame: Buffer, network: number): void {
  frame.writeUInt32BE(networkFlag * 0x1_00_00_00, 0);
  frame.writeUInt32BE((network << 8) >>> 0, 4);
}

/** Senders leave the checksums of UDP and TCP to the network device, which here is this program. */
export function fillChecksum(frame: Buffer): void {
  if (frame.length < ipOffset + ipHeaderMinimumBytes || frame.readUInt16BE(typeOffset) !== typeIpv4) return;
  const headerBytes = (frame.readUInt8(ipOffset) & 15) * 4;
  const protocol = frame.readUInt8(ipOffset + 9);
  const end = ipOffset + frame.readUInt16BE(ipOffset + 2);
  if ((frame.readUInt16BE(ipOffset + 6) & fragmentBits) !== 0 || end > frame.length) return;
  if (protocol !== protocolUdp && protocol !== protocolTcp) return;
  const start = ipOffset + headerBytes;
  const at = start + (protocol === protocolUdp ? 6 : 16);
  if (at + 2 > end) return;
  // A UDP sender may do without one.
  if (protocol === protocolUdp && frame.readUInt16BE(at) === 0) return;
  frame.writeUInt16BE(0, at);
  // The pseudo header: both addresses, the protocol and the length.
  let sum = protocol + end - start + wordsOf(frame, ipOffset + 12, ipOffset + 20) + wordsOf(frame, start, end);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  const checksum = ~sum & 0xffff;
  frame.writeUInt16BE(checksum === 0 && protocol === protocolUdp ? 0xffff : checksum, at);
}

/** Sum of the 16-bit words; an odd last byte is the high one of a word. */
function wordsOf(frame: Buffer, from: number, to: number): number {
  let sum = 0;
  let index = from;
  for (; index + 1 < to; index += 2) sum += ((frame[index] ?? 0) << 8) | (frame[index + 1] ?? 0);
  return index < to ? sum + ((frame[index] ?? 0) << 8) : sum;
}
