/** Puts the parts of IPv4 packets together: the kernel hands over a datagram larger than a frame in the parts that it came in. */
import { etherTypeOf, ipHeaderMinimumBytes, ipOffset, typeIpv4 } from '../frame.ts';

const moreBit = 0x2000;
const offsetBits = 0x1fff;
const offsetUnitBytes = 8;
/** Packets of which some parts never come; the oldest gives way. */
const pendingMaximum = 64;

interface Part { readonly offset: number; readonly data: Buffer }
interface Pending { readonly parts: Part[]; head: Buffer | undefined; totalBytes: number | undefined }

export class Reassembly {
  readonly #pending = new Map<string, Pending>();

  /** The frame as it is, or with the whole packet when its last part has come; undefined until then. */
  take(frame: Buffer): Buffer | undefined {
    if (etherTypeOf(frame) !== typeIpv4 || frame.length < ipOffset + ipHeaderMinimumBytes) return frame;
    const field = frame.readUInt16BE(ipOffset + 6);
    const offset = (field & offsetBits) * offsetUnitBytes;
    const isLast = (field & moreBit) === 0;
    if (offset === 0 && isLast) return frame;
    const dataAt = ipOffset + (frame.readUInt8(ipOffset) & 15) * 4;
    const data = frame.subarray(dataAt, ipOffset + frame.readUInt16BE(ipOffset + 2));
    // Number, protocol and both addresses.
    const key = `${frame.readUInt16BE(ipOffset + 4)} ${frame.readUInt8(ipOffset + 9)} ${frame.subarray(ipOffset + 12, ipOffset + ipHeaderMinimumBytes).toString('hex')}`;
    const pending = this.#pending.get(key) ?? this.#begin(key);
    pending.parts.push({ offset, data });
    if (offset === 0) pending.head = frame.subarray(0, dataAt);
    if (isLast) pending.totalBytes = offset + data.length;
    const whole = wholeOf(pending);
    if (whole !== undefined) this.#pending.delete(key);
    return whole;
  }

  #begin(key: string): Pending {
    const [oldest] = this.#pending.keys();
    if (this.#pending.size >= pendingMaximum && oldest !== undefined) this.#pending.delete(oldest);
    const pending: Pending = { parts: [], head: undefined, totalBytes: undefined };
    this.#pending.set(key, pending);
    return pending;
  }
}

function wholeOf({ parts, head, totalBytes }: Pending): Buffer | undefined {
  if (head === undefined || totalBytes === undefined) return undefined;
  const sorted = parts.toSorted((left, right) => left.offset - right.offset);
  let end = 0;
  for (const { offset, data } of sorted) {
    if (offset !== end) return undefined;
    end += data.length;
  }
  if (end !== totalBytes) return undefined;
  const whole = Buffer.concat([head, ...sorted.map(({ data }) => data)]);
  whole.writeUInt16BE(whole.length - ipOffset, ipOffset + 2);
  whole.writeUInt16BE(0, ipOffset + 6);
  return whole;
}
