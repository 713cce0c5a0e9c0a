/** The operating system's key store through Electron, as the vault wants it. A store that protects nothing counts as none. */
import { safeStorage } from 'electron';
import type { SecretSealer } from '../host/vault.ts';

/** Undefined where there is no key store, or only one with a password that is in its source code (`basic_text`). Call once the app is ready. */
export async function findSealer(platform: NodeJS.Platform): Promise<SecretSealer | undefined> {
  try {
    if (!(await safeStorage.isAsyncEncryptionAvailable())) return undefined;
    const backend = platform === 'linux' ? safeStorage.getSelectedStorageBackend() : platform === 'darwin' ? 'keychain' : 'dpapi';
    if (backend === 'basic_text' || backend === 'unknown') return undefined;
    return createSealer(backend);
  } catch {
    // A key store that does not even answer protects nothing; the person is asked for a passphrase.
    return undefined;
  }
}

/** safeStorage takes text, so the secret travels as base64. */
function createSealer(backend: string): SecretSealer {
  return {
    backend,
    async seal(plaintext) {
      return Uint8Array.from(await safeStorage.encryptStringAsync(Buffer.from(plaintext).toString('base64')));
    },
    async open(sealed) {
      const { result } = await safeStorage.decryptStringAsync(Buffer.from(sealed));
      return Uint8Array.from(Buffer.from(result, 'base64'));
    },
  };
}
