/**
 * Incoming messages get a local id: their sender's id masked with a value that only this install knows. A sender can thus neither name nor hit a
 * row of somebody else, and the original id, which receipts need, comes back by masking again.
 */
import type { VisorContext } from '../visor-context.ts';

export function maskMessageId(context: Pick<VisorContext, 'crypto' | 'device'>, sender: string, messageId: Uint8Array): Uint8Array {
  const mask = context.crypto.hmacSha256(context.device.ed25519Seed, new TextEncoder().encode(`waypost local message id ${sender}`));
  return messageId.map((byte, index) => byte ^ (mask[index] ?? 0));
}
