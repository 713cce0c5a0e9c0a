import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { CipherState, NoiseError } from './index.ts';

const key = new Uint8Array(32).fill(7);
const none = new Uint8Array(0);
const text = new TextEncoder().encode('a message');
const create = (): CipherState => new CipherState(nobleCrypto, key);

/** The nonce of section 12.3 written independently: 4 zero bytes and 64 bits, little-endian. */
function expectedNonce(counter: bigint): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, counter, true);
  return nonce;
}

describe('a cipher', () => {
  it('seals under its counter as the framework writes nonces, also beyond 32 bits', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 }), fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 20 }), (counter, plaintext, associatedData) => {
      expect(create().encryptAt(counter, associatedData, plaintext)).toEqual(nobleCrypto.aeadSeal(key, expectedNonce(BigInt(counter)), associatedData, plaintext));
    }), { examples: [[2 ** 32, text, none], [2 ** 32 - 1, text, none], [2 ** 53 - 2, text, none]] });
  });

  it('steps its own counter by one and opens in order', () => {
    const sender = create();
    const receiver = create();
    for (let index = 0; index < 5; index += 1) {
      expect(sender.counter).toBe(index);
      expect(receiver.decrypt(none, sender.encrypt(none, text))).toEqual(text);
    }
  });

  it('keeps its counter when a message does not open, so that the genuine one still does', () => {
    const receiver = create();
    const sealed = create().encrypt(none, text);
    expect(receiver.decrypt(none, sealed.map((byte) => byte ^ 1))).toBeUndefined();
    expect(receiver.counter).toBe(0);
    expect(receiver.decrypt(none, sealed)).toEqual(text);
  });

  it('opens datagrams in any order by their counters', () => {
    const sender = create();
    const sealed = [0, 1, 2, 3].map((counter) => sender.encryptAt(counter, none, Uint8Array.of(counter)));
    const receiver = create();
    expect([3, 0, 2, 1].map((counter) => receiver.decryptAt(counter, none, sealed[counter] ?? none)?.[0])).toEqual([3, 0, 2, 1]);
    expect(receiver.counter).toBe(0);
  });

  it('seals and opens in the place of the plaintext alike', () => {
    const packet = Uint8Array.of(...text, ...new Uint8Array(16));
    const place = packet.subarray(0, text.length);
    create().encryptInto(9, text, place, packet);
    expect(packet).toEqual(create().encryptAt(9, text, text));
    expect(create().decryptInto(8, text, packet.slice(), new Uint8Array(text.length))).toBe(false);
    expect(create().decryptInto(9, text, packet, place)).toBe(true);
    expect(place).toEqual(text);
    const wiped = create();
    wiped.destroy();
    expect(wiped.decryptInto(9, text, packet, place)).toBe(false);
    expect(() => { wiped.encryptInto(10, text, place, packet); }).toThrow(NoiseError);
    expect(() => { create().encryptInto(2 ** 53 - 1, text, place, packet); }).toThrow(NoiseError);
  });

  it('opens nothing with another counter, other associated data, a flipped bit or a missing byte', () => {
    const sealed = create().encryptAt(5, text, text);
    const receiver = create();
    expect(receiver.decryptAt(6, text, sealed)).toBeUndefined();
    expect(receiver.decryptAt(5, none, sealed)).toBeUndefined();
    expect(receiver.decryptAt(5, text, sealed.subarray(0, -1))).toBeUndefined();
    expect(receiver.decryptAt(5, text, none)).toBeUndefined();
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = sealed.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(receiver.decryptAt(5, text, changed)).toBeUndefined();
    }
    expect(receiver.decryptAt(5, text, sealed)).toEqual(text);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, 2 ** 64 - 1])('refuses the counter %d', (counter) => {
    expect(() => create().encryptAt(counter, none, text)).toThrow(NoiseError);
    expect(create().decryptAt(counter, none, new Uint8Array(40))).toBeUndefined();
  });

  it('rekeys as the framework says: the first 32 bytes of 32 zeros sealed under the counter 2^64 - 1', () => {
    const cipher = create();
    cipher.encrypt(none, text);
    cipher.rekey();
    const nextKey = nobleCrypto.aeadSeal(key, expectedNonce(2n ** 64n - 1n), none, new Uint8Array(32)).slice(0, 32);
    expect(cipher.encrypt(none, text)).toEqual(nobleCrypto.aeadSeal(nextKey, expectedNonce(1n), none, text));
    expect(create().decryptAt(1, none, cipher.encryptAt(1, none, text))).toBeUndefined();
  });

  it('is of no use after its key is wiped', () => {
    const cipher = create();
    const sealed = cipher.encryptAt(0, none, text);
    cipher.destroy();
    expect(cipher.decryptAt(0, none, sealed)).toBeUndefined();
    expect(cipher.decrypt(none, sealed)).toBeUndefined();
    expect(() => cipher.encrypt(none, text)).toThrow('wiped');
    expect(() => cipher.rekey()).toThrow('wiped');
    expect(cipher.clone().decryptAt(0, none, sealed)).toBeUndefined();
  });

  it('does not depend on the array that its key came in, and refuses other key sizes', () => {
    const given = key.slice();
    const cipher = new CipherState(nobleCrypto, given);
    given.fill(0);
    expect(cipher.encryptAt(0, none, text)).toEqual(create().encryptAt(0, none, text));
    expect(() => new CipherState(nobleCrypto, new Uint8Array(31))).toThrow(NoiseError);
  });
});
