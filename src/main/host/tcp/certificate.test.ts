import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTlsIdentity, loadTlsIdentity } from './certificate.ts';

let folder: string;
beforeEach(async () => { folder = await mkdtemp(path.join(tmpdir(), 'waypost-tls-')); });
afterEach(async () => { await rm(folder, { recursive: true }); });

describe('the certificate of a relay', () => {
  it('is signed with its own key, never ends, and says nothing', () => {
    for (let count = 0; count < 20; count += 1) {
      const certificate = new X509Certificate(createTlsIdentity().certificate);
      expect([certificate.subject, certificate.issuer, certificate.verify(certificate.publicKey)]).toEqual(['CN=localhost', 'CN=localhost', true]);
      expect([certificate.publicKey.asymmetricKeyType, certificate.publicKey.asymmetricKeyDetails?.namedCurve]).toEqual(['ec', 'prime256v1']);
      expect([new Date(certificate.validFrom).getUTCFullYear(), new Date(certificate.validTo).getUTCFullYear()]).toEqual([2000, 9999]);
      expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
  });

  it('is made once for a profile, and readable by its owner alone', async () => {
    const made = await loadTlsIdentity(folder);
    expect(await loadTlsIdentity(folder)).toEqual(made);
    expect((await stat(path.join(folder, 'relay-tls.pem'))).mode & 0o777).toBe(0o600);
  });

  it('is made anew where the file is none', async () => {
    const made = await loadTlsIdentity(folder);
    await writeFile(path.join(folder, 'relay-tls.pem'), made.certificate.slice(0, 100));
    const again = await loadTlsIdentity(folder);
    expect(again.certificate).not.toBe(made.certificate);
    expect(await readFile(path.join(folder, 'relay-tls.pem'), 'utf8')).toBe(again.key + again.certificate);
  });
});
