/**
 * Runs files of the cacophony format (Noise wiki, "Test vectors"): both sides of each handshake are played with the given keys; every
 * message must come out byte for byte, open on the other side, and leave both with the given handshake hash.
 */
import type { Crypto, KeyPair } from '../../src/main/engine/crypto.ts';
import { HandshakeState, NoiseError, parseProtocolName } from '../../src/main/engine/noise/index.ts';
import type { CipherState, HandshakeOptions, HandshakePattern } from '../../src/main/engine/noise/index.ts';
import { equalBytes, isFields, optionalBytes, optionalKey, optionalKeys, optionalText, requireBytes, requireList, VectorError } from './fields.ts';
import type { Fields } from './fields.ts';
import type { NamedOutcome, Outcome } from './report.ts';

const noAssociatedData = new Uint8Array(0);

interface Message {
  readonly payload: Uint8Array;
  readonly ciphertext: Uint8Array;
}

type Role = 'init' | 'resp';

/** One outcome for each vector. Throws `VectorError` when the file as a whole is not of the format. */
export function runNoiseVectors(file: unknown, crypto: Crypto): readonly NamedOutcome[] {
  return requireList(file, 'vectors').map((entry, index) => {
    if (!isFields(entry)) return { name: `vector ${index}`, outcome: { kind: 'failed', reason: 'it is not an object' } };
    return runNamed(entry, index, crypto);
  });
}

function runNamed(fields: Fields, index: number, crypto: Crypto): NamedOutcome {
  let name = `vector ${index}`;
  try {
    // Older files of the format call it `name`.
    const protocolName = optionalText(fields, 'protocol_name') ?? optionalText(fields, 'name');
    if (protocolName === undefined) throw new VectorError('it has no protocol_name');
    name = protocolName;
    const parsed = parseProtocolName(protocolName);
    if (!parsed.supported) return { name, outcome: { kind: 'skipped', reason: parsed.reason } };
    if (isSet(fields['fallback'])) return { name, outcome: { kind: 'skipped', reason: 'fallback handshake' } };
    if (isSet(fields['fail'])) return { name, outcome: { kind: 'skipped', reason: 'a handshake that is meant to fail' } };
    return { name, outcome: runVector(fields, parsed.pattern, crypto) };
  } catch (error) {
    if (error instanceof VectorError || error instanceof NoiseError) return { name, outcome: { kind: 'failed', reason: error.message } };
    throw error;
  }
}

function runVector(fields: Fields, pattern: HandshakePattern, crypto: Crypto): Outcome {
  const messages = readMessages(fields);
  if (messages.length < pattern.messages.length) throw new VectorError(`it ends after ${messages.length} of ${pattern.messages.length} handshake messages`);
  const initiator = new HandshakeState(sideOptions(fields, pattern, crypto, 'init'));
  const responder = new HandshakeState(sideOptions(fields, pattern, crypto, 'resp'));

  for (const [index, { payload, ciphertext }] of messages.slice(0, pattern.messages.length).entries()) {
    const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
    if (!equalBytes(writer.writeMessage(payload), ciphertext)) return { kind: 'failed', reason: `handshake message ${index} differs` };
    const opened = reader.readMessage(ciphertext);
    if (opened === undefined || !equalBytes(opened, payload)) return { kind: 'failed', reason: `handshake message ${index} does not open` };
  }
  const hash = optionalBytes(fields, 'handshake_hash');
  if (hash !== undefined && !(equalBytes(hash, initiator.handshakeHash) && equalBytes(hash, responder.handshakeHash))) {
    return { kind: 'failed', reason: 'the handshake hash differs' };
  }
  return runTransport(messages, pattern, initiator, responder);
}

function runTransport(messages: readonly Message[], pattern: HandshakePattern, initiator: HandshakeState, responder: HandshakeState): Outcome {
  const directions = pattern.oneWay ? oneDirection(initiator, responder) : bothDirections(initiator, responder);
  for (const [index, { payload, ciphertext }] of messages.entries()) {
    if (index < pattern.messages.length) continue;
    // Turns go on as in the handshake, except where only the initiator may speak.
    const [seal, open] = directions[pattern.oneWay ? 0 : index % 2] ?? [];
    if (seal === undefined || open === undefined) throw new VectorError(`message ${index} has no direction`);
    if (!equalBytes(seal.encrypt(noAssociatedData, payload), ciphertext)) return { kind: 'failed', reason: `transport message ${index} differs` };
    const opened = open.decrypt(noAssociatedData, ciphertext);
    if (opened === undefined || !equalBytes(opened, payload)) return { kind: 'failed', reason: `transport message ${index} does not open` };
  }
  return { kind: 'passed' };
}

type Direction = readonly [seal: CipherState, open: CipherState];

function oneDirection(initiator: HandshakeState, responder: HandshakeState): readonly Direction[] {
  return [[initiator.splitOneWay(), responder.splitOneWay()]];
}

function bothDirections(initiator: HandshakeState, responder: HandshakeState): readonly Direction[] {
  const ours = initiator.split();
  const theirs = responder.split();
  return [[ours.send, theirs.receive], [theirs.send, ours.receive]];
}

function sideOptions(fields: Fields, pattern: HandshakePattern, crypto: Crypto, role: Role): HandshakeOptions {
  const initiator = role === 'init';
  const otherRole: Role = initiator ? 'resp' : 'init';
  const staticSecret = optionalKey(fields, `${role}_static`);
  const ephemeralSecret = optionalKey(fields, `${role}_ephemeral`);
  const knowsOther = pattern.knownStatics === 'both' || pattern.knownStatics === (initiator ? 'responder' : 'initiator');
  const remoteStatic = knowsOther ? optionalKey(fields, `${role}_remote_static`) ?? derivedPublicKey(fields, otherRole, crypto) : undefined;
  return {
    crypto,
    pattern: pattern.protocolName,
    initiator,
    prologue: optionalBytes(fields, `${role}_prologue`) ?? new Uint8Array(0),
    psks: readPsks(fields, role),
    generateKeyPair: () => {
      throw new VectorError(`${role}_ephemeral is missing`);
    },
    ...(staticSecret === undefined ? {} : { staticKeyPair: keyPair(staticSecret, crypto) }),
    ...(ephemeralSecret === undefined ? {} : { ephemeralKeyPair: keyPair(ephemeralSecret, crypto) }),
    ...(remoteStatic === undefined ? {} : { remoteStatic }),
  };
}

/** The key list, or the single key of older files. */
function readPsks(fields: Fields, role: Role): readonly Uint8Array[] {
  const keys = optionalKeys(fields, `${role}_psks`);
  const single = keys.length === 0 ? optionalKey(fields, `${role}_psk`) : undefined;
  return single === undefined ? keys : [single];
}

/** Files may leave out a known static key that follows from the other side's secret. */
function derivedPublicKey(fields: Fields, role: Role, crypto: Crypto): Uint8Array | undefined {
  const secret = optionalKey(fields, `${role}_static`);
  return secret === undefined ? undefined : crypto.x25519PublicKey(secret);
}

function keyPair(secretKey: Uint8Array, crypto: Crypto): KeyPair {
  return { secretKey, publicKey: crypto.x25519PublicKey(secretKey) };
}

function readMessages(fields: Fields): readonly Message[] {
  return requireList(fields, 'messages').map((entry, index) => {
    if (!isFields(entry)) throw new VectorError(`message ${index} is not an object`);
    return { payload: requireBytes(entry, 'payload'), ciphertext: requireBytes(entry, 'ciphertext') };
  });
}

/** Some writers put `false` or an empty text where others leave the field out. */
function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== '';
}
