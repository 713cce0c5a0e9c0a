/**
 * The certificate with which a relay speaks TLS. Nobody checks it: who the relay is, the handshake inside proves. It is there because TLS 1.3 without one is nothing that a network expects
 * on port 443. So it says as little as it can: a key (P-256, which every implementation of TLS knows), a name that means nothing, and no date by which to tell when the relay was set up.
 *
 * Written here because it is a page of DER (X.690) with ten fixed fields (RFC 5280), while libraries for it bring dozens of packages, or a program of the machine's.
 */
import { p256 } from '@noble/curves/nist.js';
import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { readSmallFile, writeFileAtomically } from '../atomic-file.ts';

const fileName = 'relay-tls.pem';
const fileMaximumBytes = 16_384;
const pemLineCharacters = 64;
const serialBytes = 16;

/** PEM texts, as node:tls takes them. */
export interface TlsIdentity { readonly key: string; readonly certificate: string }

const tags = { integer: 0x02, bits: 0x03, bytes: 0x04, oid: 0x06, utf8: 0x0c, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31, version: 0xa0, publicKey: 0xa1 } as const;

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >>> 8, length & 0xff];
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let position = header.length;
  for (const content of contents) {
    bytes.set(content, position);
    position += content.length;
  }
  return bytes;
}

const text = (tag: number, value: string): Uint8Array => der(tag, new TextEncoder().encode(value));
const bits = (value: Uint8Array): Uint8Array => der(tags.bits, Uint8Array.of(0), value);
/** Bytes of an object identifier, already encoded. */
const oid = (...value: readonly number[]): Uint8Array => der(tags.oid, Uint8Array.from(value));
const ecPublicKey = oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01);
const prime256v1 = oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07);
const ecdsaWithSha256 = oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);
const commonName = oid(0x55, 0x04, 0x03);

function pem(label: string, bytes: Uint8Array): string {
  const lines = Buffer.from(bytes).toString('base64').match(new RegExp(`.{1,${String(pemLineCharacters)}}`, 'g')) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function createTlsIdentity(): TlsIdentity {
  const { secretKey, publicKey } = p256.keygen(randomBytes(p256.lengths.seed ?? 48));
  const point = p256.Point.fromBytes(publicKey).toBytes(false);
  const algorithm = der(tags.sequence, ecdsaWithSha256);
  const name = der(tags.sequence, der(tags.set, der(tags.sequence, commonName, text(tags.utf8, 'localhost'))));
  // The date without an end is RFC 5280's own (section 4.1.2.5).
  const validity = der(tags.sequence, text(tags.utcTime, '000101000000Z'), text(tags.generalizedTime, '99991231235959Z'));
  // Positive and without a zero in front: the first byte is from 0x40 to 0x7f.
  const serial = new Uint8Array(randomBytes(serialBytes));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const body = der(
    tags.sequence, der(tags.version, der(tags.integer, Uint8Array.of(2))), der(tags.integer, serial), algorithm, name, validity, name,
    der(tags.sequence, der(tags.sequence, ecPublicKey, prime256v1), bits(point)),
  );
  const signature = p256.sign(new Uint8Array(createHash('sha256').update(body).digest()), secretKey, { prehash: false, format: 'der' });
  const key = der(tags.sequence, der(tags.integer, Uint8Array.of(1)), der(tags.bytes, secretKey), der(tags.version, prime256v1), der(tags.publicKey, bits(point)));
  return { key: pem('EC PRIVATE KEY', key), certificate: pem('CERTIFICATE', der(tags.sequence, body, algorithm, bits(signature))) };
}

/** The one of this profile, made when there is none or it cannot be read. @throws WaypostError when it cannot be kept. */
export async function loadTlsIdentity(directory: string): Promise<TlsIdentity> {
  const file = path.join(directory, fileName);
  const kept = parse(await readSmallFile(file, fileMaximumBytes));
  if (kept !== undefined) return kept;
  const made = createTlsIdentity();
  await writeFileAtomically(file, made.key + made.certificate);
  return made;
}

function parse(content: string | undefined): TlsIdentity | undefined {
  const [key, certificate] = ['EC PRIVATE KEY', 'CERTIFICATE'].map((label) => new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\n]+-----END ${label}-----\\n`).exec(content ?? '')?.[0]);
  return key === undefined || certificate === undefined ? undefined : { key, certificate };
}
