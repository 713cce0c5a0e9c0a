/** Parsers of the columns that hold JSON. Undefined for anything else than what this program writes: the row is then damaged. */
import { z } from 'zod';
import { failReasonSchema } from '../../../../shared/views.ts';
import type { ContactRow, FileRow, HopRow, LetterFacts, OutboxRow, StoredMessage } from '../../../engine/mail/visor-store.ts';

const timeMs = z.number();
const optionalTime = timeMs.exactOptional();

const factsSchema = z.strictObject({
  sendingSinceMs: optionalTime,
  held: z.array(z.strictObject({ relay: z.string(), sinceMs: timeMs, untilMs: timeMs, lostAtMs: optionalTime })).exactOptional(),
  fetchedAtMs: optionalTime,
  deliveredAtMs: optionalTime,
  readAtMs: optionalTime,
  expiredAtMs: optionalTime,
  unconfirmedAtMs: optionalTime,
  cancelledAtMs: optionalTime,
  failed: z.strictObject({ reason: failReasonSchema, atMs: timeMs }).exactOptional(),
});

const relaysSchema = z.array(z.strictObject({ publicKey: z.string(), host: z.string(), port: z.number().int() }));

export const parseFacts = (value: unknown): LetterFacts | undefined => factsSchema.safeParse(value).data;
/** The last moment that a Date can hold. A sender may claim any time; a later one would make the row unreadable here and undisplayable above. */
const latestTimeMs = 8.64e15;
export const boundedTime = (atMs: number): number => Math.min(atMs, latestTimeMs);

export const parseHeldBy = (value: unknown): FileRow['heldBy'] | undefined => z.array(z.string()).safeParse(value).data;
export const parseRelays = (value: unknown): ContactRow['relays'] | undefined => relaysSchema.safeParse(value).data;

/** The words that columns of text may hold; a type error here means that the contract has gained one. */
export const directions = ['out', 'in'] as const satisfies readonly StoredMessage['direction'][];
export const standings = ['contact', 'pending', 'request', 'blocked'] as const satisfies readonly ContactRow['standing'][];
export const outboxKinds = ['message', 'introduction', 'receipt', 'resume', 'carry'] as const satisfies readonly OutboxRow['kind'][];
export const outboxStages = ['deposit', 'await', 'withdraw'] as const satisfies readonly OutboxRow['stage'][];
export const fileStages = ['offered', 'wanted', 'paused', 'ready', 'failed'] as const satisfies readonly FileRow['stage'][];
export const fileCopies = ['freeing', 'gone'] as const satisfies readonly NonNullable<FileRow['copy']>[];
export const hopKinds = [
  'saved', 'sealed', 'tried', 'held', 'lost', 'fetched', 'delivered', 'read', 'expired', 'unconfirmed', 'cancelled', 'failed', 'received', 'opened',
] as const satisfies readonly HopRow['kind'][];
