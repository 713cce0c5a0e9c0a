/**
 * A relay's word for a place that it saw a probe come from: shown again later, perhaps from another socket, it has one more answer sent there. By that a visor
 * finds out whether the router still knows a conversation that was silent meanwhile. The relay keeps nothing for it: what it needs is in the pass, which nobody else can make.
 *
 * A pass goes only to the place that it names, so whoever shows one has received something there. It is good for a while, and only for tickets of the neighbourhood
 * that it was given to: an address that somebody else has got since is not theirs to have packets sent to for long.
 */
import { equalBytes, Reader, Writer } from '../wire/bytes.ts';
import { addressBytes, encodeAddress } from '../wire/socket-address.ts';
import { passBytes, type Pass } from './observe-codec.ts';
import type { Crypto } from '../crypto.ts';
import type { SocketAddress } from '../wire/types.ts';

/** Longer than the longest silence that is tried (mapping-lifetime.ts), with its questions. */
export const passGoodForSeconds = 600;
const macBytes = 16;
const domain = new TextEncoder().encode('waypost observe pass v1');

export class Passes {
  readonly #crypto: Crypto;
  /** Of this run: a relay that starts anew honours none from before, and whoever asks finds that out with a place that surely still lives. */
  readonly #secret: Uint8Array;

  constructor(crypto: Crypto, secret: Uint8Array) {
    this.#crypto = crypto;
    this.#secret = secret;
  }

  /** @param prefix neighbourhood of the session that the ticket was given in. Undefined for an address that is none. */
  give(place: SocketAddress, prefix: string, nowMs: number): Pass | undefined {
    const madeSeconds = Math.floor(nowMs / 1_000);
    const mac = this.#mac(place, prefix, madeSeconds);
    return mac === undefined ? undefined : { place, bytes: new Writer(passBytes).u32(madeSeconds).bytes(mac, macBytes).finish() };
  }

  isGood(pass: Pass, prefix: string, nowMs: number): boolean {
    const reader = new Reader(pass.bytes);
    const madeSeconds = reader.u32();
    const shown = reader.bytes(macBytes);
    const ageSeconds = Math.floor(nowMs / 1_000) - madeSeconds;
    if (!reader.atEnd || ageSeconds < 0 || ageSeconds > passGoodForSeconds) return false;
    const mac = this.#mac(pass.place, prefix, madeSeconds);
    return mac !== undefined && equalBytes(mac, shown);
  }

  #mac(place: SocketAddress, prefix: string, madeSeconds: number): Uint8Array | undefined {
    const address = encodeAddress(place);
    const neighbourhood = new TextEncoder().encode(prefix);
    if (address === undefined) return undefined;
    const said = new Writer(domain.length + addressBytes + 4 + neighbourhood.length).bytes(domain).bytes(address).u32(madeSeconds).bytes(neighbourhood).finish();
    return this.#crypto.hmacSha256(this.#secret, said).subarray(0, macBytes);
  }
}
