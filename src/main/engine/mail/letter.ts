/**
 * Sealing and opening letters (`docs/protocol.md` section 4). A letter is a *header*, one Noise X message to the recipient device's prekey,
 * and a *body*, the padded content under a key that only the header has. Relays see two random-looking byte strings and their sizes.
 *
 * Noise X proves to the recipient which static key wrote the header, and the certificate inside says whose key that is; nobody else can
 * check either, so letters are authenticated and still deniable. The prologue ties a header to one recipient, device and prekey bundle:
 * it opens nowhere else.
 *
 * Not here: whether the certificate is signed, valid now or revoked (`letter-opener.ts`), and what the content means (`wire/content.ts`).
 */
import type { Crypto, KeyPair, RandomBytes } from '../crypto.ts';
import { HandshakeState, generateKeyPair } from '../noise/index.ts';
import { Reader, Writer, equalBytes, isAllZero, utf8Encode } from '../wire/bytes.ts';
import { certificateBytes, decodeCertificate } from '../wire/certificate.ts';
import { contentMaximumBytes } from '../wire/content.ts';
import { writeMailbox } from '../wire/fields.ts';
import { decodePrekeyBundle } from '../wire/record.ts';
import type { DeviceCertificate, LetterHeader, Mailbox, PrekeyBundle, SealedLetter } from '../wire/types.ts';

const letterVersion = 1;
const pattern = 'X';
const prologueLabel = utf8Encode('waypost letter');

const keyBytes = 32;
const hashBytes = 32;
const messageIdBytes = 16;
const tagBytes = 16;
/** Room for what later versions have to say without a header of another size; zeros until then, not looked at. */
const reservedBytes = 18;
/** Certificate, message id, ports, sequence, sent at, TTL, body key, body root, body length, purge key, reserved. */
const payloadBytes = certificateBytes + messageIdBytes + 2 + 2 + 8 + 8 + 4 + keyBytes + hashBytes + 4 + keyBytes + reservedBytes;
/** Ephemeral key, sealed static key, tag of the payload. */
const noiseOverheadBytes = 32 + (32 + tagBytes) + tagBytes;
/** Version, prekey id, Noise message. All headers have this size. */
export const letterHeaderBytes = 1 + 4 + noiseOverheadBytes + payloadBytes;

/** Sizes that a sealed body may have: all that a relay learns about the content's length. The last holds 64 KiB of text. */
export const bodySizeBuckets: readonly number[] = [256, 1_024, 4_096, 16_384, 66_560];
const contentLengthBytes = 4;

/** Each body key is used once, so its nonce needs no number. */
const bodyNonce = new Uint8Array(12);

/** Longest TTL: a letter sealed in the last moment of a certificate may arrive this much later. */
const ttlMaximumMs = 30 * 86_400_000;

export interface SealArguments {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  /** X25519 static key of the sending device, the one in `senderCertificate`. */
  readonly senderStatic: KeyPair;
  /** Wire bytes. */
  readonly senderCertificate: Uint8Array;
  readonly recipient: Mailbox;
  /** The recipient device's, verified. */
  readonly bundle: PrekeyBundle;
  /** 16 bytes; the same when a letter is sealed again. */
  readonly messageId: Uint8Array;
  readonly destinationPort: number;
  readonly sourcePort: number;
  /** Of this sending device in this conversation. */
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly ttlSeconds: number;
  /** Encoded content. */
  readonly content: Uint8Array;
}

export interface OpenHeaderArguments {
  readonly crypto: Crypto;
  /** The mailbox that the letter was found in: our own. */
  readonly recipient: Mailbox;
  /** Private part of the prekey that `headerPrekeyId` names. */
  readonly prekeySecret: Uint8Array;
  /** The bundle of that prekey as it was published. */
  readonly bundleBytes: Uint8Array;
  readonly header: Uint8Array;
  /** Asked last, once the header has proven to be written with the certificate's key. Without it the caller verifies the certificate. */
  readonly verify?: (certificate: DeviceCertificate) => boolean;
}

/** `too-large`: the content is longer than the longest text, 65,537 bytes with its kind. @throws RangeError for fields that do not fit. */
export function sealLetter(options: SealArguments): SealedLetter | 'too-large' {
  const { crypto, random, messageId } = options;
  if (options.content.length > contentMaximumBytes) return 'too-large';
  const bodyKey = random(keyBytes);
  const purgeKey = random(keyBytes);
  const body = crypto.aeadSeal(bodyKey, bodyNonce, messageId, padContent(options.content));
  const bodyRoot = crypto.blake3(body);
  const payload = new Writer(payloadBytes).bytes(options.senderCertificate, certificateBytes).bytes(messageId, messageIdBytes)
    .u16(options.destinationPort).u16(options.sourcePort).u64(options.sequence).u64(options.sentAtMs).seconds(options.ttlSeconds)
    .bytes(bodyKey, keyBytes).bytes(bodyRoot, hashBytes).u32(body.length).bytes(purgeKey, keyBytes).zeros(reservedBytes).finish();
  const handshake = new HandshakeState({
    crypto, pattern, initiator: true, prologue: prologueOf(crypto, options.recipient, options.bundle.bytes),
    staticKeyPair: options.senderStatic, remoteStatic: options.bundle.prekey, generateKeyPair: () => generateKeyPair(crypto, random),
  });
  const message = handshake.writeMessage(payload);
  handshake.destroy();
  const header = new Writer(letterHeaderBytes).u8(letterVersion).u32(options.bundle.prekeyId).bytes(message).finish();
  return { letterId: letterIdOf(crypto, header, bodyRoot, body.length), header, body, bodyRoot, purgeHash: crypto.blake3(purgeKey), purgeKey };
}

/** Which prekey opens this header; undefined when it is no header of this version. */
export function headerPrekeyId(header: Uint8Array): number | undefined {
  if (header.length !== letterHeaderBytes) return undefined;
  const reader = new Reader(header);
  return reader.u8() === letterVersion ? reader.u32() : undefined;
}

/**
 * What the header says, its writer proven to hold the X25519 key of the certificate in it. Undefined, always the same, for a header that is
 * malformed, was sealed to another device, prekey or bundle, or whose certificate is not the writer's.
 */
export function openHeader(options: OpenHeaderArguments): LetterHeader | undefined {
  const { crypto, prekeySecret } = options;
  const bundle = decodePrekeyBundle(options.bundleBytes);
  // The id is outside the sealed part, but the bundle is in the prologue: this ties the one to the other.
  if (bundle === undefined || headerPrekeyId(options.header) !== bundle.prekeyId) return undefined;
  const handshake = new HandshakeState({
    crypto, pattern, initiator: false, prologue: prologueOf(crypto, options.recipient, options.bundleBytes),
    staticKeyPair: { secretKey: prekeySecret, publicKey: bundle.prekey },
    // X has no answer, so this is never asked for.
    generateKeyPair: () => { throw new Error('the reader of a letter has no ephemeral key'); },
  });
  const payload = handshake.readMessage(options.header.subarray(5));
  const writer = handshake.remoteStaticKey;
  handshake.destroy();
  const opened = payload === undefined || writer === undefined ? undefined : readPayload(payload, writer);
  return opened === undefined || (options.verify !== undefined && !options.verify(opened.certificate)) ? undefined : opened;
}

/**
 * Whether a letter under this certificate is still accepted: from its first second until its end and the longest TTL. Revocation is another
 * question. `wallMs` is the corrected wall clock.
 */
export function letterCertificateAccepted(certificate: DeviceCertificate, wallMs: number): boolean {
  return certificate.notBeforeSeconds * 1_000 <= wallMs && wallMs < certificate.notAfterSeconds * 1_000 + ttlMaximumMs;
}

/** The content. Undefined unless the body is exactly the one that the header names, opens, and is padded with zeros alone. */
export function openBody(crypto: Crypto, header: LetterHeader, body: Uint8Array): Uint8Array | undefined {
  if (body.length !== header.bodyLength || !bodySizeBuckets.includes(body.length)) return undefined;
  if (!equalBytes(crypto.blake3(body), header.bodyRoot)) return undefined;
  const plaintext = crypto.aeadOpen(header.bodyKey, bodyNonce, header.messageId, body);
  if (plaintext === undefined) return undefined;
  const reader = new Reader(plaintext);
  const content = reader.bytes(reader.u32());
  const padding = reader.rest();
  // Padding is no place to hide something: a body has one plaintext.
  return reader.ok && content.length <= contentMaximumBytes && isAllZero(padding) ? content : undefined;
}

/** What relays know a letter by, and sign in receipts. */
export function letterIdOf(crypto: Crypto, header: Uint8Array, bodyRoot: Uint8Array, bodyLength: number): Uint8Array {
  return crypto.blake3(new Writer(header.length + hashBytes + 4).bytes(header).bytes(bodyRoot, hashBytes).u32(bodyLength).finish());
}

function padContent(content: Uint8Array): Uint8Array {
  const neededBytes = contentLengthBytes + content.length + tagBytes;
  const bucketBytes = bodySizeBuckets.find((sizeBytes) => sizeBytes >= neededBytes) ?? neededBytes;
  return new Writer(bucketBytes - tagBytes).u32(content.length).bytes(content).zeros(bucketBytes - neededBytes).finish();
}

function prologueOf(crypto: Crypto, recipient: Mailbox, bundleBytes: Uint8Array): Uint8Array {
  const writer = new Writer().bytes(prologueLabel).u8(letterVersion);
  writeMailbox(writer, recipient);
  return writer.bytes(crypto.blake3(bundleBytes), hashBytes).finish();
}

function readPayload(payload: Uint8Array, writer: Uint8Array): LetterHeader | undefined {
  if (payload.length !== payloadBytes) return undefined;
  const reader = new Reader(payload);
  const certificate = decodeCertificate(reader.bytes(certificateBytes));
  if (certificate === undefined || !equalBytes(certificate.x25519, writer)) return undefined;
  const header: LetterHeader = {
    certificate, messageId: reader.bytes(messageIdBytes), destinationPort: reader.u16(), sourcePort: reader.u16(), sequence: reader.u64(),
    sentAtMs: reader.u64(), ttlSeconds: reader.u32(), bodyKey: reader.bytes(keyBytes), bodyRoot: reader.bytes(hashBytes),
    bodyLength: reader.u32(), purgeKey: reader.bytes(keyBytes),
  };
  return reader.ok && bodySizeBuckets.includes(header.bodyLength) ? header : undefined;
}
