/** What passes between the app and the process of Echo. Both sides parse it: it crosses a process boundary. */
import { z } from 'zod';

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);

export const toEchoSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), directory: z.string(), identitySecret: hex32, localKey: hex32, relayHint: z.string() }),
  z.object({ type: z.literal('stop') }),
]);
export type ToEcho = z.infer<typeof toEchoSchema>;

export const fromEchoSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), link: z.string(), publicKey: z.string() }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
]);
export type FromEcho = z.infer<typeof fromEchoSchema>;
