/**
 * Keeps the two secrets of a profile in `identity.json`: the identity's secret key and the local key under which the database's columns
 * are sealed. Three protections: the operating system's key store (handed in as a `SecretSealer`), a passphrase, or the file's
 * permissions alone, which is always shown as a warning.
 *
 * A file that does not open is never written: a wrong passphrase, a locked key store or a damaged file must not cost anybody their
 * identity. The public key is kept beside the sealed part and must fit what was opened, so that a swapped file is noticed.
 */
import { randomBytes, scrypt } from 'node:crypto';
import sodium from 'sodium-native';
import { z } from 'zod';
import { WaypostError } from '../../shared/errors.ts';
import { publicKeySchema } from '../../shared/view-basics.ts';
import { utf8Encode } from '../engine/wire/bytes.ts';
import { identityPublicKey } from '../engine/wire/identity.ts';
import { readSmallFile, writeFileAtomically } from './atomic-file.ts';

/** scrypt: 128 MiB and about half a second, so that a stolen file resists guessing (N = 2^17, r = 8, p = 1: OWASP's first choice). */
const scryptCost = 2 ** 17;
const scryptBlockSize = 8;
const scryptParallelization = 1;
const scryptMaximumMemoryBytes = 256 * 1024 * 1024;
const saltSizeBytes = 16;
const keySizeBytes = 32;
const nonceSizeBytes = 24;
const tagSizeBytes = 16;
const identitySecretSizeBytes = 32;
const localKeySizeBytes = 32;
const contentsSizeBytes = identitySecretSizeBytes + localKeySizeBytes;
const fileMaximumBytes = 64 * 1024;
const associatedDataPrefix = 'waypost vault v1 ';

export interface VaultContents {
  /** 32 bytes: the secp256k1 secret key. */
  readonly identitySecret: Uint8Array;
  /** 32 random bytes made with the profile; they seal the database and are never shown. */
  readonly localKey: Uint8Array;
}

/** The operating system's key store, as Electron's safeStorage offers it. Both may reject. */
export interface SecretSealer {
  /** Recorded in the file, so that one knows later which store has to open it. */
  readonly backend: string;
  seal(plaintext: Uint8Array): Promise<Uint8Array>;
  open(sealed: Uint8Array): Promise<Uint8Array>;
}

export type Protection =
  | { readonly kind: 'os'; readonly sealer: SecretSealer }
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'file' };

const base64 = z.base64().max(8192);
const common = { version: z.literal(1), publicKey: publicKeySchema, name: z.string().max(256), wordsConfirmed: z.boolean(), createdAtMs: z.number() };
const vaultFileSchema = z.discriminatedUnion('protection', [
  z.object({ ...common, protection: z.literal('os'), backend: z.string().max(64), sealed: base64 }),
  z.object({
    ...common,
    protection: z.literal('passphrase'),
    kdf: z.object({ name: z.literal('scrypt'), cost: z.literal(scryptCost), blockSize: z.literal(scryptBlockSize), parallelization: z.literal(scryptParallelization), salt: base64 }),
    nonce: base64,
    sealed: base64,
  }),
  z.object({ ...common, protection: z.literal('file'), secrets: base64 }),
]);
export type VaultFile = z.infer<typeof vaultFileSchema>;

function damaged(cause?: unknown): WaypostError {
  return new WaypostError('identity-locked', 'The file identity.json of this profile is damaged and was left as it is. Restore it from a backup, or restore your identity from its words in a new profile.', { cause });
}

/** Undefined when the profile has no identity yet. @throws WaypostError `identity-locked` when the file is damaged. */
export async function readVault(file: string): Promise<VaultFile | undefined> {
  const text = await readSmallFile(file, fileMaximumBytes);
  if (text === undefined) return undefined;
  try {
    return vaultFileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw damaged(error);
  }
}

/** @throws WaypostError `identity-exists`: an identity is never overwritten. */
export async function createVault(file: string, contents: VaultContents, protection: Protection, about: { readonly name: string; readonly wordsConfirmed: boolean; readonly nowMs: number }): Promise<VaultFile> {
  if ((await readSmallFile(file, fileMaximumBytes)) !== undefined) {
    throw new WaypostError('identity-exists', 'This profile already has an identity. Use another profile folder for another one.');
  }
  const publicKey = identityPublicKey(contents.identitySecret);
  const vault = await seal(contents, protection, { version: 1, publicKey, name: about.name, wordsConfirmed: about.wordsConfirmed, createdAtMs: about.nowMs });
  await writeFileAtomically(file, `${JSON.stringify(vault, undefined, 2)}\n`);
  return vault;
}

/** Changes what is in clear; the sealed part is written back as it was. */
export async function describeVault(file: string, change: { readonly name?: string; readonly wordsConfirmed?: boolean }): Promise<VaultFile> {
  const vault = await readVault(file);
  if (vault === undefined) throw new WaypostError('no-identity', 'This profile has no identity yet.');
  const described: VaultFile = { ...vault, ...change };
  await writeFileAtomically(file, `${JSON.stringify(described, undefined, 2)}\n`);
  return described;
}

/**
 * @throws WaypostError `wrong-passphrase`; `identity-locked` when a passphrase or the key store is missing, does not open it, or what it
 * opens does not fit the public key beside it.
 */
export async function openVault(vault: VaultFile, unlock: { readonly sealer?: SecretSealer | undefined; readonly passphrase?: string | undefined }): Promise<VaultContents> {
  const plaintext = await openSecrets(vault, unlock);
  if (plaintext.length !== contentsSizeBytes) throw damaged();
  const identitySecret = plaintext.slice(0, identitySecretSizeBytes);
  const localKey = plaintext.slice(identitySecretSizeBytes);
  plaintext.fill(0);
  let publicKey: string;
  try {
    publicKey = identityPublicKey(identitySecret);
  } catch (error) {
    throw damaged(error);
  }
  if (publicKey !== vault.publicKey) throw damaged();
  return { identitySecret, localKey };
}

export function createLocalKey(): Uint8Array {
  return Uint8Array.from(randomBytes(localKeySizeBytes));
}

type Described = Pick<VaultFile, 'version' | 'publicKey' | 'name' | 'wordsConfirmed' | 'createdAtMs'>;

async function seal(contents: VaultContents, protection: Protection, described: Described): Promise<VaultFile> {
  const plaintext = new Uint8Array(contentsSizeBytes);
  plaintext.set(contents.identitySecret, 0);
  plaintext.set(contents.localKey, identitySecretSizeBytes);
  try {
    switch (protection.kind) {
      case 'os':
        return { ...described, protection: 'os', backend: protection.sealer.backend, sealed: toBase64(await protection.sealer.seal(plaintext)) };
      case 'passphrase': {
        const salt = Uint8Array.from(randomBytes(saltSizeBytes));
        const nonce = Uint8Array.from(randomBytes(nonceSizeBytes));
        const sealed = new Uint8Array(contentsSizeBytes + tagSizeBytes);
        sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, plaintext, associatedData(described.publicKey), null, nonce, await stretch(protection.passphrase, salt));
        const kdf = { name: 'scrypt', cost: scryptCost, blockSize: scryptBlockSize, parallelization: scryptParallelization, salt: toBase64(salt) } as const;
        return { ...described, protection: 'passphrase', kdf, nonce: toBase64(nonce), sealed: toBase64(sealed) };
      }
      case 'file':
        return { ...described, protection: 'file', secrets: toBase64(plaintext) };
    }
  } finally {
    plaintext.fill(0);
  }
}

async function openSecrets(vault: VaultFile, unlock: { readonly sealer?: SecretSealer | undefined; readonly passphrase?: string | undefined }): Promise<Uint8Array> {
  switch (vault.protection) {
    case 'os': {
      if (unlock.sealer === undefined) {
        throw new WaypostError('identity-locked', 'This identity is protected by the key store of the desktop, which only the Waypost app can open. Start the app, or restore the identity from its words into another profile.');
      }
      try {
        return Uint8Array.from(await unlock.sealer.open(fromBase64(vault.sealed)));
      } catch (error) {
        throw new WaypostError('identity-locked', `The key store of this system (${vault.backend}) does not open this identity now. Unlock it or log in again, then restart Waypost. Nothing was changed.`, { cause: error });
      }
    }
    case 'passphrase': {
      if (unlock.passphrase === undefined) throw new WaypostError('identity-locked', 'This identity is protected by a passphrase. Enter it to go on.');
      const nonce = fromBase64(vault.nonce);
      const sealed = fromBase64(vault.sealed);
      if (nonce.length !== nonceSizeBytes || sealed.length !== contentsSizeBytes + tagSizeBytes) throw damaged();
      const key = await stretch(unlock.passphrase, fromBase64(vault.kdf.salt));
      const plaintext = new Uint8Array(contentsSizeBytes);
      try {
        sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(plaintext, null, sealed, associatedData(vault.publicKey), nonce, key);
      } catch (error) {
        throw new WaypostError('wrong-passphrase', 'That is not the passphrase of this identity. Check the keyboard layout and try again.', { cause: error });
      }
      return plaintext;
    }
    case 'file':
      return fromBase64(vault.secrets);
  }
}

/** Two people may type the same passphrase with different composition of accents; NFKC makes them one. */
function stretch(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parameters = { N: scryptCost, r: scryptBlockSize, p: scryptParallelization, maxmem: scryptMaximumMemoryBytes };
    scrypt(utf8Encode(passphrase.normalize('NFKC')), salt, keySizeBytes, parameters, (error, key) => {
      if (error === null) resolve(Uint8Array.from(key));
      else reject(error);
    });
  });
}

const associatedData = (publicKey: string): Uint8Array => utf8Encode(associatedDataPrefix + publicKey);
const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const fromBase64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
