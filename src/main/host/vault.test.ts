import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityPublicKey } from '../engine/wire/identity.ts';
import { createVault, describeVault, openVault, readVault, type SecretSealer, type VaultContents } from './vault.ts';

const contents: VaultContents = { identitySecret: new Uint8Array(32).fill(7), localKey: new Uint8Array(32).fill(9) };
const about = { name: 'Ann', wordsConfirmed: false, nowMs: 1_000 };

/** A key store that seals by inverting every bit, and can be locked. */
function createSealer(): SecretSealer & { isLocked: boolean } {
  const invert = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff);
  return {
    backend: 'test_store',
    isLocked: false,
    seal: (plaintext) => Promise.resolve(invert(plaintext)),
    open(sealed) { return this.isLocked ? Promise.reject(new Error('locked')) : Promise.resolve(invert(sealed)); },
  };
}

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'waypost-vault-'));
  file = path.join(directory, 'identity.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function stored(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
}

async function reopen(unlock: Parameters<typeof openVault>[1] = {}): Promise<VaultContents> {
  const vault = await readVault(file);
  if (vault === undefined) throw new Error('no vault');
  return openVault(vault, unlock);
}

describe('the vault', () => {
  it('has nothing in a new profile', async () => {
    expect(await readVault(file)).toBeUndefined();
  });

  it('gives back under the right passphrase what was put in, and shows nothing of it in the file', async () => {
    await createVault(file, contents, { kind: 'passphrase', passphrase: 'correct horse' }, about);
    expect(await reopen({ passphrase: 'correct horse' })).toEqual(contents);
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(Buffer.from(contents.identitySecret).toString('base64').slice(0, 20));
    expect(text).not.toContain('correct horse');
    expect(text).toContain(identityPublicKey(contents.identitySecret));
  });

  it('takes a passphrase typed with composed or decomposed accents for the same', async () => {
    await createVault(file, contents, { kind: 'passphrase', passphrase: 'caf\u00e9' }, about);
    expect(await reopen({ passphrase: 'cafe\u0301' })).toEqual(contents);
  });

  it('refuses a wrong passphrase and leaves the file as it was', async () => {
    await createVault(file, contents, { kind: 'passphrase', passphrase: 'right' }, about);
    const before = await readFile(file);
    await expect(reopen({ passphrase: 'wrong' })).rejects.toMatchObject({ code: 'wrong-passphrase' });
    await expect(reopen()).rejects.toMatchObject({ code: 'identity-locked' });
    expect(await readFile(file)).toEqual(before);
  });

  it('notices a sealed part, a public key or a nonce that was exchanged', async () => {
    await createVault(file, contents, { kind: 'passphrase', passphrase: 'right' }, about);
    const good = await stored();
    const other = identityPublicKey(new Uint8Array(32).fill(8));
    const tampered = [{ ...good, publicKey: other }, { ...good, sealed: Buffer.alloc(80, 1).toString('base64') }, { ...good, nonce: Buffer.alloc(24).toString('base64') }];
    for (const vault of tampered) {
      await writeFile(file, JSON.stringify(vault));
      await expect(reopen({ passphrase: 'right' })).rejects.toMatchObject({ code: 'wrong-passphrase' });
    }
  });

  it('does not take weaker or costlier parameters from the file', async () => {
    await createVault(file, contents, { kind: 'passphrase', passphrase: 'right' }, about);
    const good = await stored();
    for (const cost of [1_024, 2 ** 30]) {
      await writeFile(file, JSON.stringify({ ...good, kdf: { ...(good['kdf'] as object), cost } }));
      await expect(reopen({ passphrase: 'right' })).rejects.toMatchObject({ code: 'identity-locked' });
    }
  });

  it('keeps the secret with the key store, and says so when that is locked or missing', async () => {
    const sealer = createSealer();
    await createVault(file, contents, { kind: 'os', sealer }, about);
    expect(await reopen({ sealer })).toEqual(contents);
    sealer.isLocked = true;
    await expect(reopen({ sealer })).rejects.toMatchObject({ code: 'identity-locked' });
    await expect(reopen()).rejects.toMatchObject({ code: 'identity-locked' });
    sealer.isLocked = false;
    expect(await reopen({ sealer })).toEqual(contents);
  });

  it('notices unprotected secrets that do not fit the public key', async () => {
    await createVault(file, contents, { kind: 'file' }, about);
    expect(await reopen()).toEqual(contents);
    const good = await stored();
    for (const secrets of [Buffer.alloc(64, 3), Buffer.alloc(64, 0), Buffer.alloc(10, 7)]) {
      await writeFile(file, JSON.stringify({ ...good, secrets: secrets.toString('base64') }));
      await expect(reopen()).rejects.toMatchObject({ code: 'identity-locked' });
    }
  });

  it('never overwrites an identity, not even a damaged one', async () => {
    for (const text of ['', '{"version":1', 'x'.repeat(100_000)]) {
      await writeFile(file, text);
      await expect(readVault(file)).rejects.toMatchObject({ code: 'identity-locked' });
      await expect(createVault(file, contents, { kind: 'file' }, about)).rejects.toMatchObject({ code: 'identity-exists' });
      await expect(describeVault(file, { name: 'Eve' })).rejects.toMatchObject({ code: 'identity-locked' });
      expect(await readFile(file, 'utf8')).toBe(text);
    }
  });

  it('changes the name without touching the sealed part', async () => {
    await createVault(file, contents, { kind: 'passphrase', passphrase: 'right' }, about);
    const before = await stored();
    await describeVault(file, { name: 'Anna', wordsConfirmed: true });
    expect(await stored()).toEqual({ ...before, name: 'Anna', wordsConfirmed: true });
  });

  it.skipIf(process.platform === 'win32')('is readable by its owner alone', async () => {
    await createVault(file, contents, { kind: 'file' }, about);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });
});
