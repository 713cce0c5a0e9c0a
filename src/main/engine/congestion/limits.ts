/** Bounds that every controller keeps. */

/** Of the window at first, in datagrams (RFC 9002 section 7.2, RFC 6928). */
export const initialWindowDatagrams = 10;
/** Of the window at least, in datagrams (RFC 9002 section 7.2): with one alone, a lost one would always cost a probe timeout. */
export const minimumWindowDatagrams = 2;
/** Of the window at most, in bytes: 1 Gbit/s over 250 ms. More is a sign of a wrong measurement, and would only be memory. */
export const maximumWindowBytes = 32 * 1_048_576;
/** Smallest datagram that is asked for; below it, arithmetic with datagrams would have no meaning. */
export const minimumDatagramBytes = 64;

/** A window within the bounds; anything that is not a number becomes the smallest. */
export function boundedWindowBytes(bytes: number, datagramBytes: number): number {
  const minimum = minimumWindowDatagrams * datagramBytes;
  return bytes > minimum ? Math.min(bytes, maximumWindowBytes) : minimum;
}

export function checkedDatagramBytes(datagramBytes: number): number {
  if (!Number.isFinite(datagramBytes) || datagramBytes < minimumDatagramBytes) throw new RangeError(`datagramBytes: expected at least ${minimumDatagramBytes}, got ${datagramBytes}`);
  return datagramBytes;
}
