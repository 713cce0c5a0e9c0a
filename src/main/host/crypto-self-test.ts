/**
 * Compiled code is trusted after it has answered known questions: one computation of each primitive, and above all that it refuses what
 * it must refuse. Under a millisecond at start. The answers were computed with @noble from inputs that are one repeated byte.
 */
import type { Crypto } from '../engine/crypto.ts';

const repeated = (byte: number, sizeBytes: number): Uint8Array => new Uint8Array(sizeBytes).fill(byte);
const secret = repeated(0x11, 32);
const otherSecret = repeated(0x22, 32);
const nonce = repeated(0x33, 12);
const text = repeated(0x44, 32);
/** Four full chunks, which are hashed side by side, and a partial one. */
const chunks = repeated(0x44, 5_000);
const smallOrderPoint = repeated(0, 32);

const known = {
  otherPublicKey: '0faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20',
  shared: '9e004098efc091d4ec2663b4e9f5cfd4d7064571690b4bea97ab146ab9f35056',
  sealed: 'df11facedda2f44d6781a067878239f47c9a604b8764ced0e3d36adc1e5bbeacb23c368c3d460dc9710e7835a6700dfd',
  signingPublicKey: 'd04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737',
  signature: '8524ddf35730cc53b89a9741761ed030588099c6e615206cb4daac9fd2a3d882250323a39a6c3a696e327377fee45986fc8c46e633f2bc17575d99a752f08a03',
  sha256: 'bb391415c05e39d77ca17381d3be3f7d0cd5e5332e5a579311adaa0aa62106e9',
  blake3: 'f6a71cc3d1c285104539ee2ad90efebb8ec68e5813ab52e6a032abc6f02b49ca',
  blake3OfChunks: '6a0d2d9ae724a91eddc665078587bfd688ba732e6ef04954c885dfff5993a96a',
  hmacSha256: 'd257d39eb5c42bd6555a5e7899bf46dc1b49c8d3803c96dc700b5b4c6901d46a',
} as const;

/** Undefined when all is well, else what is wrong. Never throws. */
export function selfTest(crypto: Crypto): string | undefined {
  try {
    const otherPublicKey = crypto.x25519PublicKey(otherSecret);
    if (hex(otherPublicKey) !== known.otherPublicKey || hex(crypto.x25519(secret, otherPublicKey)) !== known.shared) return 'X25519 gives a wrong result';
    if (crypto.x25519(secret, smallOrderPoint) !== undefined) return 'X25519 accepts a point of small order';

    const sealed = crypto.aeadSeal(secret, nonce, otherSecret, text);
    if (hex(sealed) !== known.sealed || hex(crypto.aeadOpen(secret, nonce, otherSecret, sealed)) !== hex(text)) return 'ChaCha20-Poly1305 gives a wrong result';
    if (crypto.aeadOpen(secret, nonce, otherSecret, flipFirstBit(sealed)) !== undefined) return 'ChaCha20-Poly1305 accepts a forgery';

    const inPlace = Uint8Array.of(...text, ...repeated(0, 16));
    crypto.aeadSealInto(secret, nonce, otherSecret, inPlace.subarray(0, text.length), inPlace);
    if (hex(inPlace) !== known.sealed || !crypto.aeadOpenInto(secret, nonce, otherSecret, inPlace, inPlace.subarray(0, text.length))) return 'ChaCha20-Poly1305 gives a wrong result in place';
    if (hex(inPlace.subarray(0, text.length)) !== hex(text)) return 'ChaCha20-Poly1305 gives a wrong result in place';

    const publicKey = crypto.ed25519PublicKey(secret);
    const signature = crypto.ed25519Sign(text, secret);
    if (hex(publicKey) !== known.signingPublicKey || hex(signature) !== known.signature) return 'Ed25519 gives a wrong result';
    if (!crypto.ed25519Verify(signature, text, publicKey)) return 'Ed25519 refuses a genuine signature';
    if (crypto.ed25519Verify(signature, flipFirstBit(text), publicKey)) return 'Ed25519 accepts a forgery';

    if (hex(crypto.sha256(text)) !== known.sha256) return 'SHA-256 gives a wrong result';
    if (hex(crypto.hmacSha256(secret, text)) !== known.hmacSha256) return 'HMAC-SHA256 gives a wrong result';
    if (hex(crypto.blake3(text)) !== known.blake3 || hex(crypto.blake3(chunks)) !== known.blake3OfChunks) return 'BLAKE3 gives a wrong result';
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'it throws';
  }
}

function flipFirstBit(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
}

/** `undefined` becomes a text that no known answer equals. */
function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'nothing' : Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
