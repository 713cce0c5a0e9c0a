/**
 * Which datagrams are worth looking for. Sizes are bytes of UDP payload: what a socket is given, without the headers of IP and UDP.
 *
 * A path's exact MTU is of no use: a response carries one leaf group of 1, 2, 4 ... 32 KiB, and between two of these a larger datagram carries
 * nothing more. So the table has the sizes at which a larger group fits, and one step below them, which is what most of the Internet carries.
 */
import { chunkBytes } from '../blake3/blake3-layout.ts';
import { groupShiftMaximum, pairBytes } from '../lockstep/geometry.ts';
import { datagramMaximumBytes, responseHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';

/** Every path is taken to carry this (BASE_PLPMTU, RFC 8899 section 5.1.2; RFC 9000 section 14 takes the same). */
export const baseDatagramBytes = datagramMaximumBytes;
/** Of an Ethernet frame under IPv6, in bytes; under IPv4 it passes PPPoE and a short tunnel header too. */
const ethernetMtuBytes = 1_500;
const ipv6HeaderBytes = 40;
const udpHeaderBytes = 8;
export const ethernetDatagramBytes = ethernetMtuBytes - ipv6HeaderBytes - udpHeaderBytes;
/** What UDP over IPv4 carries at most. */
export const udpPayloadMaximumBytes = 65_507;
/** Around a leaf group: the pair of hashes that proves it, the response's header, the session's overhead. */
const aroundGroupBytes = pairBytes + responseHeaderBytes + transportOverheadBytes;

/** The datagram that carries a leaf group of 2^groupShift KiB, in bytes. Throws RangeError for a shift that is none (0 to 5). */
export function datagramBytesFor(groupShift: number): number {
  if (!Number.isInteger(groupShift) || groupShift < 0 || groupShift > groupShiftMaximum) throw new RangeError(`groupShift: expected 0 to ${groupShiftMaximum}, got ${groupShift}`);
  return chunkBytes * 2 ** groupShift + aroundGroupBytes;
}

/** The largest group shift whose datagram fits so many bytes. 0 when none does, and for what is no number: smaller groups there are not. */
export function groupShiftFor(datagramBytes: number): number {
  let groupShift = groupShiftMaximum;
  while (groupShift > 0 && !(datagramBytesFor(groupShift) <= datagramBytes)) groupShift -= 1;
  return groupShift;
}

/** What is probed for unless the caller knows better: 1,200, 1,452, 2,163, 4,211, 8,307 (a jumbo frame of 9,000), 16,499 and 32,883 bytes. */
export const defaultProbeSizes: readonly number[] = [
  baseDatagramBytes, ethernetDatagramBytes, ...Array.from({ length: groupShiftMaximum }, (_, index) => datagramBytesFor(index + 1)),
];

/** A table as the search needs it: whole numbers of bytes, ascending, at least the base. Throws RangeError otherwise. */
export function checkedProbeSizes(sizes: readonly number[]): readonly number[] {
  const ascending = sizes.every((size, index) => Number.isInteger(size) && size > (sizes[index - 1] ?? 0) && size <= udpPayloadMaximumBytes);
  if (sizes.length === 0 || !ascending) throw new RangeError(`sizes: expected ascending whole numbers of 1 to ${udpPayloadMaximumBytes} bytes, got [${sizes.join(', ')}]`);
  return [...sizes];
}
