/** Contacts and relays that this Waypost speaks to, by which paths, and why not directly, as the window and programs are shown it. */
import { z } from 'zod';
import { publicKeySchema, timeMs } from './view-basics.ts';

/** By which a letter went between the two devices themselves, while both were here: in a network of both, straight (by a path that both had to open), or in a circuit through a friend or a relay (over TCP). */
export const peerPathCodes = ['peer-lan', 'peer-direct', 'peer-punched', 'peer-friend', 'peer-relay', 'peer-relay-tcp'] as const;
export type PeerPathCode = (typeof peerPathCodes)[number];

/**
 * From the nearest. `direct`: straight over the internet. `punched`: so, and it is known that the networks of both let in only what is asked for, so that both had to open the path and packets keep it open. `friend`: through the computer of a contact of both. `relay-tcp`: through a
 * relay that is reached over TCP.
 */
export const peerPathKinds = ['lan', 'direct', 'punched', 'friend', 'relay', 'relay-tcp'] as const;
export const peerPathKindSchema = z.enum(peerPathKinds);
export type PeerPathKind = z.infer<typeof peerPathKindSchema>;
/** Nobody is in between. */
export const isStraight = (kind: PeerPathKind): boolean => kind === 'lan' || kind === 'direct' || kind === 'punched';

/** One way to a contact: in use, in reserve, or (doubtful) owing an answer. */
export const peerPathSchema = z.object({
  kind: peerPathKindSchema,
  /** Of kinds `relay`, `relay-tcp` and `friend`: who carries it. */
  relay: publicKeySchema.optional(),
  relayName: z.string().optional(),
  address: z.string().optional(),
  isCurrent: z.boolean(),
  isDoubtful: z.boolean(),
  roundTripMs: z.number().optional(),
});
export type PeerPathView = z.infer<typeof peerPathSchema>;

/**
 * Why there is no direct path. `hidden`: the person hides the address of this computer. `trying`: it is looked for now. `not-tried`: it has not been yet. `lost`: there was one, and it does not answer any more. `not-told`: they have not
 * said where else they are reachable. `no-own-addresses`, `no-their-addresses`, `no-addresses`: one side, or both, knows of nothing that the other could try. `out-of-reach`:
 * none of their addresses can be tried from here. `failed`: what was tried did not answer. `guessing`: a port is being guessed (`guess`). `guess-failed`: that was in vain too. `both-hard`:
 * both routers give each conversation a port of its own, and nothing can be guessed.
 */
export const directReasons = ['hidden', 'trying', 'not-tried', 'lost', 'not-told', 'no-own-addresses', 'no-their-addresses', 'no-addresses', 'out-of-reach', 'failed', 'guessing', 'guess-failed', 'both-hard'] as const;
export type DirectReason = (typeof directReasons)[number];
export const directSearchSchema = z.object({
  reason: z.enum(directReasons),
  /** Of the guess that goes on, or went on last: whose router opens the ports, the chance of a hit (absent: not known), until when at most. */
  guess: z.object({ opens: z.enum(['own', 'theirs']), chance: z.number().min(0).max(1).optional(), untilMs: timeMs.optional() }).optional(),
  attempts: z.number().int(),
  lastAttemptAtMs: timeMs.optional(),
  /** One side begins an attempt, for both. */
  begins: z.enum(['own', 'theirs']),
  /** Absent: the other side begins, or none is due. */
  nextAttemptAtMs: timeMs.optional(),
  ownAddresses: z.number().int(),
  /** Absent: they have not said. */
  theirAddresses: z.number().int().optional(),
  /** Of theirs, those that can be tried from here. */
  triedAddresses: z.number().int(),
});
export type DirectSearchView = z.infer<typeof directSearchSchema>;

/**
 * Why nobody is reached. `unprepared`: what it takes to ask for them is not known. `not-connected`: none of their relays put us through. `no-answer`: one did, and their device did not
 * answer. `ended`: there was a session, and it is over.
 */
export const seekReasons = ['unprepared', 'not-connected', 'no-answer', 'ended'] as const;
export type SeekReason = (typeof seekReasons)[number];
export const peerSeekSchema = z.object({
  isAsking: z.boolean(),
  failures: z.number().int(),
  reason: z.enum(seekReasons).optional(),
  nextAskAtMs: timeMs.optional(),
});
export type PeerSeekView = z.infer<typeof peerSeekSchema>;

export const peerSchema = z.object({
  publicKey: publicKeySchema,
  name: z.string(),
  role: z.enum(['contact', 'relay']),
  /** Relay and direct sessions that exist now; `none`: a contact who is being looked for. */
  path: z.enum(['direct', 'relay', 'none']),
  /** Of a connected contact: the path in use. */
  kind: peerPathKindSchema.optional(),
  relay: publicKeySchema.optional(),
  relayName: z.string().optional(),
  address: z.string().optional(),
  /** Of a relay: it is reached over TCP. */
  isOverTcp: z.boolean().optional(),
  roundTripMs: z.number().optional(),
  lastHeardMs: timeMs.optional(),
  sentBytes: z.number().int(),
  receivedBytes: z.number().int(),
  /** Of a connected contact: the one in use first. */
  paths: z.array(peerPathSchema),
  /** Newest last, at most 64; null: lost. */
  roundTripsMs: z.array(z.number().nullable()).optional(),
  /** Oldest first. `sample`: the first of `roundTripsMs` since then. */
  switches: z.array(z.object({ atMs: timeMs, from: peerPathKindSchema.optional(), to: peerPathKindSchema, relayName: z.string().optional(), sample: z.number().int().optional() })).optional(),
  /** Paths that ended lately, oldest first. */
  problems: z.array(z.object({ kind: peerPathKindSchema, relayName: z.string().optional(), address: z.string().optional(), reason: z.enum(['no-answer', 'circuit-ended']), atMs: timeMs })).optional(),
  /** Of a contact who is connected through a relay alone. */
  search: directSearchSchema.optional(),
  /** Of a contact who is wanted and not connected. */
  seek: peerSeekSchema.optional(),
});
export type PeerView = z.infer<typeof peerSchema>;
