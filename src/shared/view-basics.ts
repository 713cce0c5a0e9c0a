/** Names and moments as they stand in every view. */
import { z } from 'zod';

/** Bytes as hexadecimal text. */
export const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${String(bytes * 2)}}$`));
export const publicKeySchema = hex(33);
export const messageIdSchema = hex(16);
/** `<public key>:<port>` of the other side. */
export const conversationIdSchema = z.string().regex(/^[0-9a-f]{66}:[0-9]{1,5}$/);
/** Wall clock. */
export const timeMs = z.number().int().nonnegative();
