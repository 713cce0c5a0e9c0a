/**
 * The pattern table (Noise revision 34, sections 7 and 18) and the parser of protocol names (section 8).
 *
 * Rows are data and nothing else: what a token does is written once, in handshake-state.ts. A row that is wrong cannot agree with the
 * published vectors, because every token changes the handshake hash or a key.
 */
import { NoiseError } from './noise-error.ts';

export type DhToken = 'ee' | 'es' | 'se' | 'ss';
export type Token = 'e' | 's' | 'psk' | DhToken;

/** Whose static key the other side knows before the first message. */
export type KnownStatics = 'neither' | 'initiator' | 'responder' | 'both';

export interface HandshakePattern {
  /** Pattern with modifiers, as in the protocol name: `XXpsk3`. */
  readonly name: string;
  /** `Noise_XXpsk3_25519_ChaChaPoly_SHA256`: hashed into the handshake, so both sides must spell it alike. */
  readonly protocolName: string;
  readonly knownStatics: KnownStatics;
  /** Messages alternate, the initiator's first. */
  readonly messages: readonly (readonly Token[])[];
  /** N, K and X: one message, then data flows from initiator to responder only. */
  readonly oneWay: boolean;
  /** How many pre-shared keys the modifiers ask for. */
  readonly pskCount: number;
}

/** Why a name is not supported, for reports that count skipped protocols by reason. */
export type ProtocolName =
  | { readonly supported: true; readonly pattern: HandshakePattern }
  | { readonly supported: false; readonly reason: string };

interface Row {
  readonly knownStatics: KnownStatics;
  readonly messages: readonly (readonly Token[])[];
}

/** The one suite of this project; a second would need a second hash length and cipher, and negotiation that nobody needs. */
export const suiteName = '25519_ChaChaPoly_SHA256';

/** Longest name that is looked at; the longest sensible one (`Noise_X1X1psk0+psk1+psk2+psk3+psk4_...`) has under 70 characters. */
const nameMaximumLength = 255;

const row = (knownStatics: KnownStatics, ...messages: readonly (readonly Token[])[]): Row => ({ knownStatics, messages });

const rows: ReadonlyMap<string, Row> = new Map([
  // One-way (section 7.4).
  ['N', row('responder', ['e', 'es'])],
  ['K', row('both', ['e', 'es', 'ss'])],
  ['X', row('responder', ['e', 'es', 's', 'ss'])],

  // Interactive, fundamental (section 7.5).
  ['NN', row('neither', ['e'], ['e', 'ee'])],
  ['NK', row('responder', ['e', 'es'], ['e', 'ee'])],
  ['NX', row('neither', ['e'], ['e', 'ee', 's', 'es'])],
  ['KN', row('initiator', ['e'], ['e', 'ee', 'se'])],
  ['KK', row('both', ['e', 'es', 'ss'], ['e', 'ee', 'se'])],
  ['KX', row('initiator', ['e'], ['e', 'ee', 'se', 's', 'es'])],
  ['XN', row('neither', ['e'], ['e', 'ee'], ['s', 'se'])],
  ['XK', row('responder', ['e', 'es'], ['e', 'ee'], ['s', 'se'])],
  ['XX', row('neither', ['e'], ['e', 'ee', 's', 'es'], ['s', 'se'])],
  ['IN', row('neither', ['e', 's'], ['e', 'ee', 'se'])],
  ['IK', row('responder', ['e', 'es', 's', 'ss'], ['e', 'ee', 'se'])],
  ['IX', row('neither', ['e', 's'], ['e', 'ee', 'se', 's', 'es'])],

  // Interactive, deferred: a 1 moves the authentication of that side to the next message (sections 7.6 and 18.1).
  ['NK1', row('responder', ['e'], ['e', 'ee', 'es'])],
  ['NX1', row('neither', ['e'], ['e', 'ee', 's'], ['es'])],
  ['X1N', row('neither', ['e'], ['e', 'ee'], ['s'], ['se'])],
  ['X1K', row('responder', ['e', 'es'], ['e', 'ee'], ['s'], ['se'])],
  ['XK1', row('responder', ['e'], ['e', 'ee', 'es'], ['s', 'se'])],
  ['X1K1', row('responder', ['e'], ['e', 'ee', 'es'], ['s'], ['se'])],
  ['X1X', row('neither', ['e'], ['e', 'ee', 's', 'es'], ['s'], ['se'])],
  ['XX1', row('neither', ['e'], ['e', 'ee', 's'], ['es', 's', 'se'])],
  ['X1X1', row('neither', ['e'], ['e', 'ee', 's'], ['es', 's'], ['se'])],
  ['K1N', row('initiator', ['e'], ['e', 'ee'], ['se'])],
  ['K1K', row('both', ['e', 'es'], ['e', 'ee'], ['se'])],
  ['KK1', row('both', ['e'], ['e', 'ee', 'se', 'es'])],
  ['K1K1', row('both', ['e'], ['e', 'ee', 'es'], ['se'])],
  ['K1X', row('initiator', ['e'], ['e', 'ee', 's', 'es'], ['se'])],
  ['KX1', row('initiator', ['e'], ['e', 'ee', 'se', 's'], ['es'])],
  ['K1X1', row('initiator', ['e'], ['e', 'ee', 's'], ['se', 'es'])],
  ['I1N', row('neither', ['e', 's'], ['e', 'ee'], ['se'])],
  ['I1K', row('responder', ['e', 'es', 's'], ['e', 'ee'], ['se'])],
  ['IK1', row('responder', ['e', 's'], ['e', 'ee', 'se', 'es'])],
  ['I1K1', row('responder', ['e', 's'], ['e', 'ee', 'es'], ['se'])],
  ['I1X', row('neither', ['e', 's'], ['e', 'ee', 's', 'es'], ['se'])],
  ['IX1', row('neither', ['e', 's'], ['e', 'ee', 'se', 's'], ['es'])],
  ['I1X1', row('neither', ['e', 's'], ['e', 'ee', 's'], ['se', 'es'])],
]);

/** Every base pattern of the table, for tests that walk all of them. */
export const basePatternNames: readonly string[] = [...rows.keys()];

/** Reads a full protocol name. Never throws: names also come from files. */
export function parseProtocolName(protocolName: string): ProtocolName {
  const unsupported = (reason: string): ProtocolName => ({ supported: false, reason });
  if (protocolName.length > nameMaximumLength) return unsupported('not a Noise protocol name');
  const [prefix, patternName, dh, cipher, hash, ...rest] = protocolName.split('_');
  if (prefix !== 'Noise' || patternName === undefined || dh === undefined || cipher === undefined || hash === undefined || rest.length > 0) {
    return unsupported('not a Noise protocol name');
  }
  if (dh !== '25519') return unsupported('Diffie-Hellman function other than 25519');
  if (cipher !== 'ChaChaPoly') return unsupported('cipher other than ChaChaPoly');
  if (hash !== 'SHA256') return unsupported('hash other than SHA256');

  const parts = /^([A-Z0-9]+)([a-z][a-z0-9+]*)?$/.exec(patternName);
  const base = rows.get(parts?.[1] ?? '');
  if (parts === null || base === undefined) return unsupported('pattern not in the table');
  const messages = base.messages.map((tokens) => [...tokens]);
  const modifiers = parts[2]?.split('+') ?? [];
  if (new Set(modifiers).size !== modifiers.length) return unsupported('modifier given twice');
  for (const modifier of modifiers) {
    if (modifier === 'fallback') return unsupported('fallback modifier');
    const position = /^psk(\d)$/.exec(modifier)?.[1];
    if (position === undefined) return unsupported('unknown modifier');
    // psk0 opens the first message, pskN closes message N (section 9.4).
    const message = messages[Math.max(Number(position) - 1, 0)];
    if (message === undefined) return unsupported('psk modifier beyond the last message');
    if (position === '0') message.unshift('psk');
    else message.push('psk');
  }
  return {
    supported: true,
    pattern: {
      name: patternName,
      protocolName,
      knownStatics: base.knownStatics,
      messages,
      oneWay: base.messages.length === 1,
      pskCount: modifiers.length,
    },
  };
}

const resolved = new Map<string, HandshakePattern>();

/**
 * The pattern for `IK`, `XXpsk3` ... or a full protocol name of this suite. Names come from our own code here: an unknown one throws
 * `unsupported_protocol`. Remembered, because a relay resolves the same two names for every handshake; only supported names are kept,
 * so the memory is bounded by the table.
 */
export function resolvePattern(name: string): HandshakePattern {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const parsed = parseProtocolName(name.startsWith('Noise_') ? name : `Noise_${name}_${suiteName}`);
  if (!parsed.supported) throw new NoiseError('unsupported_protocol', `Noise pattern ${JSON.stringify(name)} is not supported: ${parsed.reason}`);
  resolved.set(name, parsed.pattern);
  return parsed.pattern;
}
