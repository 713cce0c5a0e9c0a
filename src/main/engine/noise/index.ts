/**
 * The Noise Protocol Framework, revision 34, for the suite 25519_ChaChaPoly_SHA256.
 *
 * WHAT IT IS. An interpreter. Noise describes a handshake as a few lines of tokens: `e` and `s` send a key, `ee`, `es`, `se`, `ss` mix a
 * Diffie-Hellman result into the keys, `psk` mixes a shared secret. `patterns.ts` holds those lines as data; `handshake-state.ts` knows
 * what each token does and walks them. Links use IK and XX, letters use X; the other rows cost a line each.
 *
 * WHY AN INTERPRETER. Three hand-written handshakes would be shorter, and could each be wrong in a way that both of our sides share and
 * no test of ours against ourselves would see. An interpreter has one meaning for each token, and the published vectors of all the other
 * patterns prove that meaning and the table together: 59 protocols of this suite run through the same forty lines as our own three.
 *
 * SANS-IO. Nothing here has a clock, a socket or randomness. Messages are byte arrays that come in and go out; ephemeral keys come from
 * `generateKeyPair`, and the primitives from the `Crypto` interface, so libsodium and the @noble reference run the same handshake. Who
 * retransmits, who may connect and what a payload means is decided by the session and the letters.
 *
 * FAILING CLOSED. What a peer sends can only make reading return undefined, always the same undefined, whether the message was short,
 * long, carried a key of small order or failed its tag: the reason would help an attacker and nobody else. `readMessage` then ends the
 * handshake and wipes its keys. `tryReadMessage` leaves it as it was, because over UDP anybody can throw a datagram at a handshake, and
 * one forged answer must not keep the genuine one from being heard. Thrown errors (`NoiseError`) mean that our own code is wrong:
 * speaking out of turn, missing key material, a counter that ran out. Static keys that were learned from outside pass
 * `isUsablePublicKey` before they are used to dial or to seal.
 *
 * KEYS. Copies that a handshake made (own static secret, pre-shared keys, ephemeral secret, chaining key) are overwritten as soon as it
 * is complete, split or dead. JavaScript may have moved or copied memory before; wiping shortens exposure and promises nothing more.
 *
 * TRANSPORT. `split` gives a `CipherState` for each direction. Streams use `encrypt` and `decrypt` with their own counters; datagrams use
 * `encryptInto` and `decryptInto`, or `encryptAt` and `decryptAt` for memory of its own, with the counter from the packet, and the session's replay window decides which counters are new.
 */
export { CipherState } from './cipher-state.ts';
export type { HandshakeOptions } from './handshake-options.ts';
export { HandshakeState, messageMaximumBytes, tagSizeBytes } from './handshake-state.ts';
export type { TransportCiphers } from './handshake-state.ts';
export { NoiseError } from './noise-error.ts';
export type { NoiseErrorCode } from './noise-error.ts';
export { basePatternNames, parseProtocolName, resolvePattern, suiteName } from './patterns.ts';
export type { HandshakePattern, ProtocolName } from './patterns.ts';
export { generateKeyPair, isUsablePublicKey } from './x25519-keys.ts';
