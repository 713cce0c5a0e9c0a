/**
 * Datagrams in a stream of bytes: length (2, big-endian), datagram. A length that is zero or too large ends the connection, since nothing after it can be understood. What is unfinished is
 * kept in memory of the longest datagram's size, whatever length was told, so that nobody makes us reserve more by telling.
 */

/** The longest datagram that the engine sends where loopback is not known to be in between (engine/path-mtu): an Ethernet frame's. Some room, for IPv4 carries a little more. */
export const frameDatagramMaximumBytes = 1_500;
export const lengthBytes = 2;

/** Undefined when it is no datagram that may go: the other side would end the connection. */
export function encodeFrame(datagram: Uint8Array): Uint8Array | undefined {
  const { length } = datagram;
  if (length === 0 || length > frameDatagramMaximumBytes) return undefined;
  const frame = new Uint8Array(lengthBytes + length);
  frame[0] = length >>> 8;
  frame[1] = length;
  frame.set(datagram, lengthBytes);
  return frame;
}

/** Takes a stream apart, however it was cut into pieces. */
export class FrameReader {
  /** What has come of a frame that is not whole yet; made with the first such. */
  #rest: Uint8Array | undefined;
  #restBytes = 0;
  #isBroken = false;

  /** Bytes of an unfinished frame. */
  get pendingBytes(): number { return this.#restBytes; }

  /** Each datagram has memory of its own. @returns false: this is no stream of datagrams (any more), and nothing after it will be. */
  push(chunk: Uint8Array, deliver: (datagram: Uint8Array) => void): boolean {
    let position = 0;
    while (!this.#isBroken && position < chunk.length) {
      if (this.#restBytes === 0) {
        const whole = wholeAt(chunk, position);
        if (whole === 'bad') { this.#isBroken = true; break; }
        if (whole !== undefined) {
          position += lengthBytes + whole;
          deliver(chunk.slice(position - whole, position));
          continue;
        }
      }
      position += this.#take(chunk, position, deliver);
    }
    return !this.#isBroken;
  }

  /** Some bytes of a frame that is not whole in this chunk. @returns how many */
  #take(chunk: Uint8Array, position: number, deliver: (datagram: Uint8Array) => void): number {
    this.#rest ??= new Uint8Array(lengthBytes + frameDatagramMaximumBytes);
    const rest = this.#rest;
    const wanted = this.#restBytes < lengthBytes ? lengthBytes : lengthBytes + lengthAt(rest, 0);
    const taken = Math.min(wanted - this.#restBytes, chunk.length - position);
    rest.set(chunk.subarray(position, position + taken), this.#restBytes);
    this.#restBytes += taken;
    if (this.#restBytes === lengthBytes && !isLength(lengthAt(rest, 0))) this.#isBroken = true;
    else if (this.#restBytes > lengthBytes && this.#restBytes === wanted) {
      this.#restBytes = 0;
      deliver(rest.slice(lengthBytes, wanted));
    }
    return taken;
  }
}

const lengthAt = (bytes: Uint8Array, position: number): number => ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0);
const isLength = (length: number): boolean => length > 0 && length <= frameDatagramMaximumBytes;

/** The length of the datagram that begins there, if all of it is there. */
function wholeAt(chunk: Uint8Array, position: number): number | 'bad' | undefined {
  if (chunk.length - position < lengthBytes) return undefined;
  const length = lengthAt(chunk, position);
  if (!isLength(length)) return 'bad';
  return chunk.length - position - lengthBytes >= length ? length : undefined;
}
