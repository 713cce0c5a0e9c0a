/**
 * The addresses at which somebody may be reached, as both sides of an exchange tell them: generation (4), what comes in unasked by IPv4 and by IPv6 (1 each: 0 not known, 1 all, 2 nothing), count (1), per
 * candidate kind (1) and address (19).
 */
import { addressFamilies } from '../../../shared/network-report.ts';
import { Reader, Writer } from './bytes.ts';
import { readChoice, readKnown, writeChoice, writeKnown } from './fields.ts';
import { addressBytes, decodeAddress, encodeAddress } from './socket-address.ts';
import { inbounds, offeredKinds, type CandidateOffer, type OfferedCandidate } from './types.ts';

/** More would be probed in vain (notes: peers, section 2). */
export const offeredCandidatesMaximum = 16;

/** @throws RangeError for too many, and for what is no literal address */
export function writeCandidateOffer(writer: Writer, { generation, inbound, candidates }: CandidateOffer): void {
  if (candidates.length > offeredCandidatesMaximum) throw new RangeError(`at most ${String(offeredCandidatesMaximum)} candidates are offered, not ${String(candidates.length)}`);
  writer.u32(generation);
  for (const family of addressFamilies) writeKnown(writer, inbounds, inbound[family]);
  writer.u8(candidates.length);
  for (const { kind, address } of candidates) {
    const bytes = encodeAddress(address);
    if (bytes === undefined) throw new RangeError('a candidate is a literal address with a port');
    writeChoice(writer, offeredKinds, kind, 1);
    writer.bytes(bytes, addressBytes);
  }
}

/** The caller checks `reader.atEnd`. */
export function readCandidateOffer(reader: Reader): CandidateOffer {
  const generation = reader.u32();
  const [ipv4, ipv6] = [readKnown(reader, inbounds), readKnown(reader, inbounds)];
  const count = reader.u8();
  if (count > offeredCandidatesMaximum) reader.fail();
  const candidates: OfferedCandidate[] = [];
  while (reader.ok && candidates.length < count) {
    const kind = readChoice(reader, offeredKinds, 1);
    const address = decodeAddress(reader.bytes(addressBytes));
    if (address === undefined) reader.fail();
    else candidates.push({ kind, address });
  }
  return { generation, inbound: { ipv4, ipv6 }, candidates };
}

export const encodeCandidateOffer = (offer: CandidateOffer): Uint8Array => {
  const writer = new Writer();
  writeCandidateOffer(writer, offer);
  return writer.finish();
};

/** Undefined for anything that `encodeCandidateOffer` would not have written. */
export function decodeCandidateOffer(bytes: Uint8Array): CandidateOffer | undefined {
  const reader = new Reader(bytes);
  const offer = readCandidateOffer(reader);
  return reader.atEnd ? offer : undefined;
}
