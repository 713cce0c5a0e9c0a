/**
 * `safeStorage`: AES-GCM with a key in a file of the profile. NOT secure; it only behaves like the real one. The host plays a desktop
 * with a keyring, or, when started with `--password-store=basic`, one without, where nothing can be protected.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { app } from './app.ts';
import { switchValue } from './argv.ts';

const prefix = Buffer.from('v11');
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

const hasKeyring = (): boolean => switchValue(process.argv, 'password-store') !== 'basic';

function profileKey(): Buffer {
  const file = path.join(app.getPath('userData'), 'stand-in.key');
  if (!existsSync(file)) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, randomBytes(keyBytes), { mode: 0o600 });
  }
  return readFileSync(file);
}

function encryptString(text: string): Buffer {
  if (!hasKeyring()) throw new Error('Error while encrypting the text provided to safeStorage.encryptString. Encryption is not available.');
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', profileKey(), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([prefix, nonce, cipher.getAuthTag(), sealed]);
}

function decryptString(encrypted: Uint8Array): string {
  try {
    const nonceEnd = prefix.length + nonceBytes;
    const decipher = createDecipheriv('aes-256-gcm', profileKey(), encrypted.subarray(prefix.length, nonceEnd));
    decipher.setAuthTag(encrypted.subarray(nonceEnd, nonceEnd + tagBytes));
    return decipher.update(encrypted.subarray(nonceEnd + tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw new Error('Error while decrypting the ciphertext provided to safeStorage.decryptString.');
  }
}

/** The real asynchronous methods reject where these throw. */
async function settle<T>(compute: () => T): Promise<T> {
  await app.whenReady();
  return compute();
}

export const safeStorage = {
  isEncryptionAvailable: (): boolean => app.isReady() && hasKeyring(),
  isAsyncEncryptionAvailable: (): Promise<boolean> => settle(hasKeyring),
  getSelectedStorageBackend: (): string => (hasKeyring() ? 'gnome_libsecret' : 'basic_text'),
  setUsePlainTextEncryption(): void {
    // We never ask for text that only looks protected.
  },
  encryptString,
  decryptString,
  encryptStringAsync: (text: string): Promise<Buffer> => settle(() => encryptString(text)),
  decryptStringAsync: (encrypted: Uint8Array): Promise<object> => settle(() => ({ result: decryptString(encrypted), shouldReEncrypt: false })),
};
