/** Relays, and what this computer carries for friends, as the window and programs are shown them. */
import { z } from 'zod';
import { relayTestsSchema } from './relay-tests.ts';
import { relayTrialSchema } from './relay-trial.ts';
import { publicKeySchema, timeMs } from './view-basics.ts';

export const relaySchema = z.object({
  publicKey: publicKeySchema,
  address: z.string(),
  name: z.string(),
  /** `local`: the one inside this app. `friend`: a contact's computer, which carries for us. */
  role: z.enum(['own', 'local', 'friend']),
  /** Of a friend's: their name. */
  carriedBy: z.string().optional(),
  state: z.enum(['connected', 'connecting', 'unreachable', 'refused', 'idle']),
  /** It is reached over TCP, because UDP does not get there; absent: over UDP. */
  isOverTcp: z.boolean().optional(),
  /** Why it is not connected, in a sentence; empty when it is. */
  problem: z.string(),
  /** It was removed: mail that waits there is fetched still, until then at the latest. */
  leavingUntilMs: timeMs.optional(),
  sinceMs: timeMs.optional(),
  lastHeardMs: timeMs.optional(),
  /** Newest last, at most 64; null is a lost echo. */
  roundTripsMs: z.array(z.number().nullable()),
  p50Ms: z.number().optional(),
  p95Ms: z.number().optional(),
  waitingLetters: z.number().int().optional(),
  /** What test letters to oneself say about it; absent before the first. */
  tests: relayTestsSchema.optional(),
  /** What the person said about it; absent: nothing. `banned`: nothing is ever sent there. */
  choice: z.enum(['pinned', 'banned']).optional(),
  /** Among those in use, from 0 for the most preferred; absent of one that was removed or banned. */
  place: z.number().int().nonnegative().optional(),
  /** Others are told of it, and leave mail there. */
  isTold: z.boolean().optional(),
  /** How much of one's own mail it holds and would hold at most, as it said then. `heldFileBytes`: of files, as far as it says. */
  mailbox: z.object({
    letters: z.number().int().nonnegative(), lettersMaximum: z.number().int().nonnegative(), sizeBytes: z.number().int().nonnegative(), maximumBytes: z.number().int().nonnegative(), atMs: timeMs,
    heldFileBytes: z.number().int().nonnegative().optional(),
  }).optional(),
  /** What it says that it can do, in its words; absent while there is no session. */
  capabilities: z.array(z.string()).optional(),
  /** A test that somebody asked for: the one that runs, or the last that ended. */
  trial: relayTrialSchema.optional(),
});
export type RelayView = z.infer<typeof relaySchema>;

/**
 * What this computer carries for friends. `checking`: whether others reach it is not known yet. `unreachable`: they do not. `failed`: the relay beside the visor did not start.
 */
export const carryingSchema = z.object({
  state: z.enum(['off', 'checking', 'unreachable', 'failed', 'on']),
  /** Where friends reach it. */
  address: z.string().optional(),
  /** Friends that it is offered to. */
  members: z.number().int(),
  /** Letters taken for them since it began. */
  letters: z.number().int(),
  /** Carried live in the last hour, and at most in an hour. */
  hourBytes: z.number(),
  hourMaximumBytes: z.number(),
});
export type CarryingView = z.infer<typeof carryingSchema>;
export const carriesNothing: CarryingView = { state: 'off', members: 0, letters: 0, hourBytes: 0, hourMaximumBytes: 0 };
