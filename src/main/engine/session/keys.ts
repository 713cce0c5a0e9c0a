/** Small questions about keys that the session parts share. */
import { generateKeyPair } from '../noise/index.ts';
import { decodeCertificate } from '../wire/certificate.ts';
import type { KeyPair } from '../crypto.ts';
import type { SessionConfiguration } from './types.ts';

export function throwawayKeys(configuration: SessionConfiguration): KeyPair {
  return generateKeyPair(configuration.crypto, configuration.random);
}

/** The own identity, as the own certificate says it; empty when there is none, which loses every tie. */
export function identityOf(certificate: Uint8Array): string {
  return decodeCertificate(certificate)?.identity ?? '';
}
