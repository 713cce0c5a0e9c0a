import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { createFieldCipher } from './field-cipher.ts';

const key = new Uint8Array(32).fill(7);

describe('field cipher', () => {
  it('opens what it sealed, and the reference implementation agrees', () => {
    const cipher = createFieldCipher(key);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (plaintext) => {
      const sealed = cipher.seal(plaintext);
      expect(cipher.open(sealed)).toEqual(plaintext);
      expect(new Uint8Array(xchacha20poly1305(key, sealed.slice(0, 24)).decrypt(sealed.slice(24)))).toEqual(plaintext);
    }));
  });

  it('opens nothing that was changed anywhere, cut, or sealed under another key', () => {
    const cipher = createFieldCipher(key);
    const sealed = cipher.seal(new Uint8Array([1, 2, 3]));
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = sealed.slice();
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(cipher.open(changed)).toBeUndefined();
      expect(cipher.open(sealed.subarray(0, index))).toBeUndefined();
    }
    expect(createFieldCipher(new Uint8Array(32)).open(sealed)).toBeUndefined();
  });

  it('never seals twice the same way, and takes only keys of 32 bytes', () => {
    const cipher = createFieldCipher(key);
    expect(cipher.seal(new Uint8Array(4))).not.toEqual(cipher.seal(new Uint8Array(4)));
    expect(() => createFieldCipher(new Uint8Array(31))).toThrow(RangeError);
  });
});
