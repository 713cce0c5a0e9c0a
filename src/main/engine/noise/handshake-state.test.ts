import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Crypto, KeyPair } from '../crypto.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { basePatternNames, generateKeyPair, HandshakeState, isUsablePublicKey, messageMaximumBytes, NoiseError, resolvePattern } from './index.ts';
import type { HandshakeOptions } from './index.ts';

/** The reference with shared secrets remembered: the tests below play the same handshakes thousands of times. */
const sharedSecrets = new Map<string, Uint8Array | undefined>();
const crypto: Crypto = {
  ...nobleCrypto,
  x25519(secretKey, publicKey) {
    const name = `${secretKey.join()} ${publicKey.join()}`;
    if (!sharedSecrets.has(name)) sharedSecrets.set(name, nobleCrypto.x25519(secretKey, publicKey));
    return sharedSecrets.get(name)?.slice();
  },
};
const none = new Uint8Array(0);
const payload = new TextEncoder().encode('hello');
const prologue = new TextEncoder().encode('waypost link');
const psk = new Uint8Array(32).fill(9);

const keyPairOf = (number: number): KeyPair => generateKeyPair(crypto, () => crypto.sha256(Uint8Array.of(number)));
const copyOf = ({ secretKey, publicKey }: KeyPair): KeyPair => ({ secretKey: secretKey.slice(), publicKey: publicKey.slice() });
const [initiatorStatic, responderStatic, initiatorEphemeral, responderEphemeral, otherKeys] = [keyPairOf(1), keyPairOf(2), keyPairOf(3), keyPairOf(4), keyPairOf(5)];

const patternNames = [...basePatternNames, 'NNpsk0', 'NNpsk0+psk2', 'IKpsk2', 'XXpsk3', 'Xpsk1', 'Kpsk0'];
const lowOrderPoint = new Uint8Array(32);

function side(name: string, initiator: boolean, changes: Partial<HandshakeOptions> = {}): HandshakeState {
  const pattern = resolvePattern(name);
  const knowsOther = pattern.knownStatics === 'both' || pattern.knownStatics === (initiator ? 'responder' : 'initiator');
  return new HandshakeState({
    crypto,
    pattern: name,
    initiator,
    prologue,
    staticKeyPair: initiator ? initiatorStatic : responderStatic,
    psks: Array.from({ length: pattern.pskCount }, () => psk),
    generateKeyPair: () => copyOf(initiator ? initiatorEphemeral : responderEphemeral),
    ...(knowsOther ? { remoteStatic: (initiator ? responderStatic : initiatorStatic).publicKey } : {}),
    ...changes,
  });
}

/** Both sides with the first `messageCount` messages exchanged; `writer` has the next turn. */
function pairAfter(name: string, messageCount: number): { initiator: HandshakeState; responder: HandshakeState; writer: HandshakeState; reader: HandshakeState } {
  const initiator = side(name, true);
  const responder = side(name, false);
  let [writer, reader] = [initiator, responder];
  for (let index = 0; index < messageCount; index += 1) {
    expect(reader.readMessage(writer.writeMessage(payload))).toEqual(payload);
    [writer, reader] = [reader, writer];
  }
  return { initiator, responder, writer, reader };
}

const complete = (name: string): { initiator: HandshakeState; responder: HandshakeState } => pairAfter(name, resolvePattern(name).messages.length);

describe.each(patternNames)('a %s handshake', (name) => {
  const messageCount = resolvePattern(name).messages.length;

  it('ends with both sides agreeing, and its ciphers carry data', () => {
    const { initiator, responder } = complete(name);
    expect([initiator.isComplete, responder.isComplete, initiator.isOurTurn, responder.isOurTurn]).toEqual([true, true, false, false]);
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash);
    if (resolvePattern(name).oneWay) {
      expect(responder.splitOneWay().decrypt(none, initiator.splitOneWay().encrypt(none, payload))).toEqual(payload);
    } else {
      const ours = initiator.split();
      const theirs = responder.split();
      expect(theirs.receive.decrypt(none, ours.send.encrypt(none, payload))).toEqual(payload);
      expect(ours.receive.decrypt(none, theirs.send.encrypt(none, payload))).toEqual(payload);
      expect(theirs.receive.decrypt(none, theirs.send.encrypt(none, payload))).toBeUndefined();
    }
  });

  it('tells beforehand how long each message will be', () => {
    for (let index = 0; index < messageCount; index += 1) {
      const { writer, reader } = pairAfter(name, index);
      const overheadBytes = writer.nextOverheadBytes;
      expect(reader.nextOverheadBytes).toBe(overheadBytes);
      expect(writer.writeMessage(payload)).toHaveLength(overheadBytes + payload.length);
    }
    expect(complete(name).initiator.nextOverheadBytes).toBe(0);
  });

  it('does not survive a change of any byte of any message', () => {
    for (let index = 0; index < messageCount; index += 1) {
      let { writer, reader } = pairAfter(name, index);
      let message = writer.writeMessage(payload);
      for (let position = 0; position < message.length; position += 1) {
        // The top bit, because X25519 ignores that of the last byte of a key: there the transcript alone has to notice.
        if (reader.tryReadMessage(message.map((byte, at) => (at === position ? byte ^ 0x80 : byte))) === undefined) continue;
        // No tag in this message yet: the change must surface in a later one.
        expect(finishesInAgreement(reader, writer), `message ${index}, byte ${position}`).toBe(false);
        ({ writer, reader } = pairAfter(name, index));
        message = writer.writeMessage(payload);
      }
      expect(reader.readMessage(message)).toEqual(payload);
    }
  });

  it('does not read a message that is cut short, and reads the whole one afterwards', () => {
    for (let index = 0; index < messageCount; index += 1) {
      const { writer, reader } = pairAfter(name, index);
      const message = writer.writeMessage(none);
      for (let sizeBytes = 0; sizeBytes < message.length; sizeBytes += 1) expect(reader.tryReadMessage(message.subarray(0, sizeBytes))).toBeUndefined();
      expect(reader.tryReadMessage(message)).toEqual(none);
    }
  });
});

/** Plays the remaining messages; false as soon as one is not read, or when the two sides end with different transcripts. */
function finishesInAgreement(next: HandshakeState, other: HandshakeState): boolean {
  let [writer, reader] = [next, other];
  while (writer.isOurTurn) {
    if (reader.readMessage(writer.writeMessage(payload)) === undefined) return false;
    [writer, reader] = [reader, writer];
  }
  const theirs = other.handshakeHash;
  return next.handshakeHash.every((byte, index) => byte === theirs[index]);
}

describe('a handshake that meets hostile messages', () => {
  it('dies with readMessage: the genuine message comes too late and writing throws', () => {
    const { writer, reader } = pairAfter('XX', 1);
    const genuine = writer.writeMessage(payload);
    expect(reader.readMessage(new Uint8Array(200))).toBeUndefined();
    expect([reader.isDead, reader.isComplete, reader.isOurTurn]).toEqual([true, false, false]);
    expect(reader.readMessage(genuine)).toBeUndefined();
    expect(() => reader.writeMessage(payload)).toThrow('start a new one');
    expect(() => reader.split()).toThrow(NoiseError);
    expect(() => reader.handshakeHash).toThrow(NoiseError);
  });

  it('lives on with tryReadMessage, and ends as if the forgeries had never come', () => {
    fc.assert(fc.property(fc.constantFrom('IK', 'XX', 'XXpsk3', 'NNpsk0+psk2'), fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (name, forgeries) => {
      // From the second message on: a random first message of XX can be well-formed, since nothing in it is authenticated yet.
      const { writer, reader } = pairAfter(name, 1);
      const remoteBefore = reader.remoteStaticKey;
      for (const forgery of forgeries) expect(reader.tryReadMessage(forgery)).toBeUndefined();
      expect(reader.remoteStaticKey).toEqual(remoteBefore);
      expect(reader.readMessage(writer.writeMessage(payload))).toEqual(payload);
      expect(reader.isComplete ? true : finishesInAgreement(reader, writer)).toBe(true);
    }), { numRuns: 60 });
  });

  it('does not take the static key of a message whose payload fails', () => {
    const { writer, reader } = pairAfter('XX', 1);
    const message = writer.writeMessage(payload);
    const lastByteChanged = message.map((byte, index) => (index === message.length - 1 ? byte ^ 1 : byte));
    expect(reader.tryReadMessage(lastByteChanged)).toBeUndefined();
    expect(reader.remoteStaticKey).toBeUndefined();
    expect(reader.tryReadMessage(message)).toEqual(payload);
    expect(reader.remoteStaticKey).toEqual(responderStatic.publicKey);
  });

  it('never throws on random bytes', () => {
    fc.assert(fc.property(fc.constantFrom(...patternNames), fc.uint8Array({ maxLength: 400 }), (name, bytes) => {
      const responder = side(name, false);
      const read = responder.readMessage(bytes);
      expect(responder.isDead).toBe(read === undefined);
    }), { numRuns: 300 });
  });

  it('reads nothing that is longer than a Noise message may be', () => {
    expect(side('NN', false).tryReadMessage(new Uint8Array(messageMaximumBytes + 1).fill(5))).toBeUndefined();
    expect(side('NN', false).tryReadMessage(new Uint8Array(messageMaximumBytes).fill(5))).toHaveLength(messageMaximumBytes - 32);
  });

  it('refuses an ephemeral key of small order when it arrives, so that writing never fails on it', () => {
    expect(side('XX', false).tryReadMessage(lowOrderPoint)).toBeUndefined();
    expect(side('XX', false).tryReadMessage(otherKeys.publicKey)).toEqual(none);
  });

  it('refuses a static key of small order inside an otherwise genuine message', () => {
    const initiator = side('IX', true, { staticKeyPair: { secretKey: initiatorStatic.secretKey, publicKey: lowOrderPoint } });
    expect(side('IX', false).readMessage(initiator.writeMessage(payload))).toBeUndefined();
  });

  it('does not speak with another prologue, another pre-shared key or another static key', () => {
    const message = side('IKpsk1', true).writeMessage(payload);
    expect(side('IKpsk1', false, { prologue: none }).readMessage(message)).toBeUndefined();
    expect(side('IKpsk1', false, { psks: [new Uint8Array(32)] }).readMessage(message)).toBeUndefined();
    expect(side('IKpsk1', false, { staticKeyPair: otherKeys }).readMessage(message)).toBeUndefined();
    expect(side('IKpsk1', false).readMessage(message)).toEqual(payload);
  });

  it('is not harmed by messages that come after it is complete', () => {
    const { initiator, responder } = complete('IK');
    expect(responder.readMessage(new Uint8Array(100))).toBeUndefined();
    expect(responder.split().receive.decrypt(none, initiator.split().send.encrypt(none, payload))).toEqual(payload);
  });
});

describe('a handshake that is used wrongly', () => {
  it('throws when a side writes out of turn, and dies when it reads out of turn', () => {
    expect(() => side('XX', false).writeMessage(payload)).toThrow('not ours to write');
    const initiator = side('XX', true);
    expect(initiator.readMessage(new Uint8Array(32))).toBeUndefined();
    expect(initiator.isDead).toBe(true);
  });

  it('throws for a payload that does not fit and can still write one that does', () => {
    const initiator = side('NN', true);
    expect(() => initiator.writeMessage(new Uint8Array(messageMaximumBytes - 31))).toThrow('at most 65535');
    expect(initiator.writeMessage(new Uint8Array(messageMaximumBytes - 32))).toHaveLength(messageMaximumBytes);
  });

  it('throws when it is split early, twice or for the wrong kind of pattern', () => {
    expect(() => side('XX', true).split()).toThrow('complete');
    const { initiator } = complete('IK');
    initiator.split();
    expect(() => initiator.split()).toThrow('already');
    expect(() => complete('IK').initiator.splitOneWay()).toThrow('both ways');
    expect(() => complete('X').initiator.split()).toThrow('one way');
  });

  const options: HandshakeOptions = { crypto, pattern: 'IK', initiator: true, prologue, generateKeyPair: () => copyOf(otherKeys) };
  it.each<[string, Partial<HandshakeOptions>]>([
    ['needs a static key', { remoteStatic: responderStatic.publicKey }],
    ["needs the other side's static key", { staticKeyPair: initiatorStatic }],
    ['needs 0 pre-shared keys', { staticKeyPair: initiatorStatic, remoteStatic: responderStatic.publicKey, psks: [psk] }],
    ['must have 32 bytes', { staticKeyPair: initiatorStatic, remoteStatic: new Uint8Array(31) }],
    ['small order', { staticKeyPair: initiatorStatic, remoteStatic: lowOrderPoint }],
    ["must not be given the other side's static key", { pattern: 'XX', staticKeyPair: initiatorStatic, remoteStatic: responderStatic.publicKey }],
    ['not supported', { pattern: 'AB' }],
  ])('says at once that it %s', (sentence, changes) => {
    expect(() => new HandshakeState({ ...options, ...changes })).toThrow(sentence);
  });
});

describe('key hygiene', () => {
  it('wipes the generated ephemeral secret when the handshake is complete, and when it dies', () => {
    const made: KeyPair[] = [];
    const generate = (): KeyPair => {
      const keys = copyOf(otherKeys);
      made.push(keys);
      return keys;
    };
    const initiator = side('NN', true, { generateKeyPair: generate });
    const responder = side('NN', false, { generateKeyPair: generate });
    responder.readMessage(initiator.writeMessage(none));
    initiator.readMessage(responder.writeMessage(none));
    expect(initiator.isComplete).toBe(true);
    const dying = side('NN', true, { generateKeyPair: generate });
    dying.writeMessage(none);
    dying.readMessage(none);
    expect(made.map(({ secretKey }) => secretKey.every((byte) => byte === 0))).toEqual([true, true, true]);
  });

  it('leaves the keys of its caller alone', () => {
    const keys = copyOf(otherKeys);
    const before = keys.secretKey.slice();
    side('XX', true, { staticKeyPair: keys }).destroy();
    expect(keys.secretKey).toEqual(before);
  });

  it('keeps the handshake hash, and ciphers already split off, after it is destroyed', () => {
    const { initiator, responder } = complete('IK');
    const ours = initiator.split();
    const theirs = responder.split();
    initiator.destroy();
    expect(initiator.handshakeHash).toEqual(responder.handshakeHash);
    expect(theirs.receive.decrypt(none, ours.send.encrypt(none, payload))).toEqual(payload);
  });
});

describe('public keys from outside', () => {
  const p = 2n ** 255n - 19n;
  const encode = (value: bigint): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));

  it.each([0n, 1n, p - 1n, p, p + 1n])('are refused when they are the point of small order %d, also with the top bit set', (value) => {
    expect([isUsablePublicKey(encode(value)), isUsablePublicKey(encode(value + 2n ** 255n))]).toEqual([false, false]);
  });

  it('are refused exactly when X25519 gives nothing for them', () => {
    const orderEight = ['e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
    const candidates = [...[0n, 1n, 2n, 9n, p - 2n, p - 1n, p, p + 1n, p + 2n, 2n ** 255n - 1n].map(encode), ...orderEight];
    for (const candidate of candidates) expect(isUsablePublicKey(candidate)).toBe(crypto.x25519(initiatorStatic.secretKey, candidate) !== undefined);
    expect(candidates.filter((candidate) => !isUsablePublicKey(candidate))).toHaveLength(7);
  });

  it('are refused when they are not 32 bytes long', () => {
    expect([0, 31, 33].map((sizeBytes) => isUsablePublicKey(new Uint8Array(sizeBytes).fill(9)))).toEqual([false, false, false]);
  });
});
