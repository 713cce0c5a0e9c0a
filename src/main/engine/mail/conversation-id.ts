/** A conversation is one application port of one identity: `<public key>:<port>`. */
import type { PublicKeyHex } from '../wire/types.ts';

export const chatPort = 1;
export const conversationIdOf = (publicKey: PublicKeyHex, port: number): string => `${publicKey}:${String(port)}`;
