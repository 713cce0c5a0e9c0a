/** The token that only whoever gave out an index can show again after forgetting everything but one persisted secret. */
import type { Crypto } from '../crypto.ts';
import { utf8Encode, Writer } from '../wire/bytes.ts';
import { indexBytes, resetTokenBytes } from './constants.ts';

const label = utf8Encode('reset');

export const resetToken = (crypto: Crypto, secret: Uint8Array, index: number): Uint8Array =>
  crypto.hmacSha256(secret, new Writer(label.length + indexBytes).bytes(label).u32(index).finish()).slice(0, resetTokenBytes);
