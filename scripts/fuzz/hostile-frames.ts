/**
 * What somebody with a session can say: requests of every verb with values at their limits, then damaged; responses that nobody asked for;
 * and noise. Everything here arrives authentic, so only the codecs and the verbs themselves stand in its way.
 */
import type { SeededRandom } from '../../sim/random.ts';
import { concatBytes, utf8Encode } from '../../src/main/engine/wire/bytes.ts';
import { encodeNegative, encodeRequest, encodeResponse, frameMaximumBytes, requestHeaderBytes } from '../../src/main/engine/wire/frame.ts';
import { negativeCodes, guessMappings, guessRoles, inbounds, offeredKinds, type LeafRun, type RequestBody, type Verb } from '../../src/main/engine/wire/types.ts';
import { decodeNamedRecord } from '../../src/main/engine/wire/named-record.ts';
import { hostileRecord } from './hostile-records.ts';
import { mutate, mutationKinds } from './mutations.ts';

export interface Speaker {
  readonly identity: string;
  readonly deviceId: string;
  /** Named records that were signed, by the speaker and by others. */
  readonly records?: readonly Uint8Array[];
}

/** Everything but `close`, which ends the session: that one is sent on purpose. */
const verbs: readonly Verb[] = ['echo', 'challenge', 'pull', 'record', 'publish', 'register', 'tokens', 'deposit', 'list', 'ack', 'withdraw', 'status', 'notify', 'refusals', 'hold', 'drop', 'pad', 'more', 'observe', 'circuit', 'connect', 'hang-up', 'probe', 'candidates', 'letter', 'resolve',
  // More often: named records are looked at only in a session that has registered, and only those that are in time.
  'register', 'register', 'publish', 'publish', 'publish'];
/** Of what is published and asked for: under names. */
const namedShare = 0.5;
const closeVerb = 3;
const extremes = [0, 1, 2, 255, 1_024, 65_535, 65_536, 0x7fff_ffff, 0xffff_ffff] as const;
const listedMaximum = 32;
const inlineMaximumBytes = 500;
const headerBytes = 453;

const number = (random: SeededRandom): number => random.pick(extremes) ?? 0;
const many = <Item>(random: SeededRandom, make: () => Item): readonly Item[] => Array.from({ length: random.integer(0, listedMaximum) }, make);

const leafRun = (random: SeededRandom): LeafRun => ({ first: number(random), count: random.integer(1, 64), bitmap: random.bytes(8), proof: random.chance(0.3), nonce: random.bytes(8), hopLimit: random.integer(0, 255) });

function bodyOf(random: SeededRandom, verb: Verb, speaker: Speaker, published: readonly Uint8Array[]): RequestBody {
  const { identity, deviceId, records = [] } = speaker;
  const mailbox = { identity, deviceId };
  switch (verb) {
    case 'echo':
    case 'refusals':
    case 'observe': return { verb };
    case 'challenge':
    case 'probe': return { verb, random: random.bytes(8) };
    case 'circuit': return { verb, mailbox, token: random.bytes(16) };
    case 'connect': return { verb, circuit: number(random), tokenHash: random.bytes(32) };
    case 'resolve': return { verb, identity, onward: random.chance(0.5) };
    case 'hang-up': return { verb, circuit: random.integer(0, 8) };
    case 'candidates': {
      const candidates = Array.from({ length: random.integer(0, 16) }, () => ({ kind: random.pick(offeredKinds) ?? 'host', address: { host: random.bytes(4).join('.'), port: random.integer(1, 65_535) } }));
      return { verb, offer: { generation: number(random), inbound: { ipv4: random.pick([undefined, ...inbounds]), ipv6: random.pick([undefined, ...inbounds]) }, candidates } };
    }
    case 'guess': {
      const facts = {
        address: { host: random.bytes(4).join('.'), port: random.integer(1, 65_535) }, mapping: random.pick([...guessMappings, undefined]), filtering: random.pick([...guessMappings, undefined]), onePublicHost: random.pick([true, false, undefined]),
        allocation: random.pick([undefined, { kind: 'random' }, { kind: 'preserving' }, { kind: 'sequential', delta: random.integer(1, 1_000) }, { kind: 'block', first: random.integer(1, 60_000), count: random.integer(1, 5_000) }] as const),
      };
      return { verb, offer: { generation: number(random), role: random.pick(guessRoles) ?? 'none', facts } };
    }
    case 'letter': return { verb, bodyRoot: random.bytes(32), bodyLength: number(random), header: random.bytes(headerBytes), inlineBody: random.chance(0.7) ? random.bytes(random.integer(1, inlineMaximumBytes)) : undefined };
    case 'close': return { verb, reason: random.integer(0, 255) };
    case 'pull': return { verb, name: { root: random.bytes(32), length: number(random) }, groupShift: random.integer(0, 5), ...leafRun(random) };
    case 'hold': return { verb, mailbox, token: random.chance(0.5) ? random.bytes(16) : undefined, ttlSeconds: number(random), name: { root: random.bytes(32), length: number(random) } };
    case 'drop': return { verb, mailbox, name: { root: random.bytes(32), length: number(random) } };
    case 'pad': return { verb, datagramBytes: random.integer(0, 65_535) };
    case 'more': return { verb, ...leafRun(random) };
    case 'record': {
      const record = random.chance(namedShare) ? decodeNamedRecord(random.pick(records) ?? random.bytes(1)) : undefined;
      if (record !== undefined) return { verb, kind: 'named', identity: record.identity, path: record.path };
      return random.chance(0.5) ? { verb, kind: 'identity', identity, deviceId: undefined } : { verb, kind: 'prekey', identity, deviceId };
    }
    case 'publish': {
      if (records.length > 0 && random.chance(namedShare)) return { verb, kind: 'named', object: hostileRecord(random, records).subarray(0, 1_000) };
      const object = random.pick(published) ?? random.bytes(158);
      return { verb, kind: random.chance(0.5) ? 'identity' : 'prekey', object: mutate(random, random.pick(mutationKinds) ?? 'flip', object, object).subarray(0, 1_000) };
    }
    case 'register': return { verb, tokensVersion: number(random) };
    case 'tokens': return { verb, version: number(random), reset: random.chance(0.2), tokens: many(random, () => ({ granted: random.chance(0.7), hash: random.bytes(32) })) };
    case 'deposit': {
      const inlineBody = random.chance(0.7) ? random.bytes(random.integer(1, inlineMaximumBytes)) : undefined;
      return {
        verb, mailbox, token: random.chance(0.5) ? random.bytes(16) : undefined, lane: random.chance(0.7) ? 'letter' : 'receipt', ttlSeconds: number(random), purgeHash: random.bytes(32),
        bodyRoot: random.bytes(32), bodyLength: inlineBody === undefined ? number(random) : inlineBody.length, header: random.bytes(random.chance(0.9) ? headerBytes : 100), inlineBody,
      };
    }
    case 'list': return { verb, epoch: random.bytes(8), afterSequence: number(random), mostFragments: random.integer(1, 16) };
    case 'ack': return { verb, letters: many(random, () => ({ letterId: random.bytes(32), verdict: random.chance(0.5) ? 'committed' : 'unopenable' })) };
    case 'withdraw': return { verb, mailbox, letterId: random.bytes(32), purgeKey: random.bytes(32) };
    case 'status': return { verb, mailbox, letterIds: many(random, () => random.bytes(32)) };
    case 'notify': {
      const inlineBody = random.chance(0.7) ? random.bytes(random.integer(1, 272)) : undefined;
      const entry = random.chance(0.5) ? undefined : {
        sequence: number(random), letterId: random.bytes(32), lane: random.chance(0.7) ? 'letter' : 'receipt', remainingSeconds: number(random), heldForSeconds: number(random),
        bodyRoot: random.bytes(32), bodyLength: number(random), header: random.bytes(random.chance(0.9) ? headerBytes : 100), inlineBody,
      } as const;
      return { verb, epoch: random.bytes(8), highestSequence: number(random), entry };
    }
  }
}

function response(random: SeededRandom): Uint8Array {
  if (random.chance(0.3)) {
    const code = random.pick(negativeCodes) ?? 'busy';
    return encodeNegative(random.bytes(16), { code: code === 'ok' ? 'busy' : code, retryAfterSeconds: number(random), detail: number(random) });
  }
  return encodeResponse(random.bytes(16), number(random), random.chance(0.5), random.bytes(random.integer(0, 1_100)));
}

/** At least one byte and at most a whole frame. `published`: signed objects that were seen, if any. */
export function hostileFrame(random: SeededRandom, speaker: Speaker, published: readonly Uint8Array[] = []): Uint8Array {
  const request = (): Uint8Array => encodeRequest(random.bytes(16), bodyOf(random, random.pick(verbs) ?? 'echo', speaker, published));
  const plain = random.chance(0.8) ? request() : response(random);
  if (random.chance(0.4)) return plain;
  // A damaged body behind a whole header reaches the verb's own reader.
  const damaged = random.chance(0.6)
    ? concatBytes(plain.subarray(0, requestHeaderBytes), mutate(random, random.pick(mutationKinds) ?? 'flip', plain.subarray(requestHeaderBytes), request()))
    : mutate(random, random.pick(mutationKinds) ?? 'flip', plain, request());
  const frame = damaged.slice(0, frameMaximumBytes);
  // Damage must not hang up by accident: that is an input of its own.
  if (frame[1] === closeVerb) frame[1] = closeVerb + 1;
  return frame.length === 0 ? new Uint8Array([random.integer(0, 255)]) : frame;
}

export const closeFrame = (random: SeededRandom): Uint8Array => encodeRequest(random.bytes(16), { verb: 'close', reason: random.integer(0, 255) });

/** Handshake payloads with lengths, versions, names and certificates that do not hold what they say. */
export function hostilePayload(random: SeededRandom, genuine: Uint8Array): Uint8Array {
  const kind = random.integer(0, 3);
  if (kind === 0) return random.bytes(random.integer(0, 1_000));
  const copy = concatBytes(genuine, kind === 1 ? utf8Encode('\u0000'.repeat(random.integer(0, 200))) : random.bytes(random.integer(0, 200)));
  // Version, flags and the lengths of certificate and capabilities.
  const at = random.pick([0, 1, 26, 27, 28, 28 + 194, copy.length - 1, random.integer(0, copy.length - 1)]) ?? 0;
  if (kind > 1 && at < copy.length) copy[at] = random.pick(extremes) ?? 0;
  return copy;
}
