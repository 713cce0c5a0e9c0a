/**
 * What two sides tell each other before ports are guessed: generation (4), role (1), address (19), mapping (1), filtering (1), one public host (1), port allocation (1) and two
 * numbers (2 each): of a sequence its step and zero, of a block its first port and its size, else zeros. In single bytes 0 is "not known".
 */
import type { PortAllocation } from '../../../shared/network-report.ts';
import { Reader, Writer } from './bytes.ts';
import { readChoice, readKnown, writeChoice, writeKnown } from './fields.ts';
import { addressBytes, decodeAddress, encodeAddress } from './socket-address.ts';
import { guessAllocations, guessMappings, guessRoles, type GuessFacts, type GuessOffer } from './types.ts';

/** Wider steps are not seen; a larger one would walk past every port after a few guesses. */
const stepMaximum = 1_000;
const portMaximum = 0xffff;
const signs = 0x1_0000;
const flags = [false, true] as const;

/** @throws RangeError for what does not fit its field. */
export function writeGuessOffer(writer: Writer, { generation, role, facts }: GuessOffer): void {
  const address = encodeAddress(facts.address);
  if (address === undefined) throw new RangeError('ports are guessed of a literal address');
  writeChoice(writer.u32(generation), guessRoles, role);
  writer.bytes(address, addressBytes);
  writeKnown(writer, guessMappings, facts.mapping);
  writeKnown(writer, guessMappings, facts.filtering);
  writeKnown(writer, flags, facts.onePublicHost);
  writeKnown(writer, guessAllocations, facts.allocation?.kind);
  const [first, second] = numbersOf(facts.allocation);
  writer.u16(first).u16(second);
}

/** The caller checks `reader.atEnd`. */
export function readGuessOffer(reader: Reader): GuessOffer {
  const generation = reader.u32();
  const role = readChoice(reader, guessRoles);
  const address = decodeAddress(reader.bytes(addressBytes));
  const mapping = readKnown(reader, guessMappings);
  const filtering = readKnown(reader, guessMappings);
  const onePublicHost = readKnown(reader, flags);
  const kind = readKnown(reader, guessAllocations);
  const allocation = readAllocation(reader, kind);
  if (address === undefined) reader.fail();
  return { generation, role, facts: { address: address ?? { host: '0.0.0.0', port: 1 }, mapping, filtering, onePublicHost, allocation } };
}

export function encodeGuessOffer(offer: GuessOffer): Uint8Array {
  const writer = new Writer();
  writeGuessOffer(writer, offer);
  return writer.finish();
}

/** Undefined for anything that `encodeGuessOffer` would not have written. */
export function decodeGuessOffer(bytes: Uint8Array): GuessOffer | undefined {
  const reader = new Reader(bytes);
  const offer = readGuessOffer(reader);
  return reader.atEnd ? offer : undefined;
}

/** Whether it can be told: a step or a block that does not fit its field is no pattern that anybody could follow. */
export function tellable(allocation: PortAllocation | undefined): GuessFacts['allocation'] {
  if (allocation?.kind === 'sequential') return isStep(allocation.delta) ? allocation : undefined;
  if (allocation?.kind === 'block') return isBlock(allocation.first, allocation.count) ? allocation : undefined;
  return allocation;
}

function numbersOf(allocation: PortAllocation | undefined): readonly [number, number] {
  if (tellable(allocation) !== allocation) throw new RangeError('a step or a block that no router has');
  switch (allocation?.kind) {
    case 'sequential': return [(allocation.delta + signs) % signs, 0];
    case 'block': return [allocation.first, allocation.count];
    case 'preserving': case 'random': case undefined: return [0, 0];
  }
}

function readAllocation(reader: Reader, kind: PortAllocation['kind'] | undefined): PortAllocation | undefined {
  const [first, second] = [reader.u16(), reader.u16()];
  switch (kind) {
    case 'sequential': {
      const delta = first >= signs / 2 ? first - signs : first;
      if (!isStep(delta) || second !== 0) reader.fail();
      return { kind, delta };
    }
    case 'block':
      if (!isBlock(first, second)) reader.fail();
      return { kind, first, count: second };
    case 'preserving': case 'random': case undefined:
      if (first !== 0 || second !== 0) reader.fail();
      return kind === undefined ? undefined : { kind };
  }
}

const isStep = (delta: number): boolean => Number.isInteger(delta) && delta !== 0 && Math.abs(delta) <= stepMaximum;
const isBlock = (first: number, count: number): boolean => Number.isInteger(first) && Number.isInteger(count) && first > 0 && count > 0 && first + count - 1 <= portMaximum;

