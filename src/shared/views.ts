/**
 * What people and programs are shown, as validated shapes: the same for the renderer, the CLI socket and the test doubles.
 * Times are wall-clock milliseconds since 1970; sizes are bytes; ids are lower-case hex.
 */
import { z } from 'zod';
import { relayTestsSchema } from './relay-tests.ts';
import { relayTrialSchema } from './relay-trial.ts';
import { checkedNetworkSchema } from './network-report-schema.ts';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${String(bytes * 2)}}$`));
export const publicKeySchema = hex(33);
export const messageIdSchema = hex(16);
/** `<public key>:<port>` of the other side. */
export const conversationIdSchema = z.string().regex(/^[0-9a-f]{66}:[0-9]{1,5}$/);
const timeMs = z.number().int().nonnegative();

/** Longest text of one letter in UTF-8 bytes (architecture 5); larger content will be an attachment. */
export const messageMaximumBytes = 65_536;
/** TTL bounds and default in seconds (architecture 5): 14 days unless told otherwise, at most 30 days. */
export const ttlDefaultSeconds = 14 * 86_400;
export const ttlMinimumSeconds = 60;
export const ttlMaximumSeconds = 30 * 86_400;

/** Why a letter waits here; each has a sentence in the UI (`sentences.ts`). */
export const waitReasons = [
  'no-network', 'no-relay-known', 'relay-unreachable', 'relay-banned', 'relay-full', 'relay-refused', 'rate-limited',
  'recipient-unknown', 'recipient-unprepared', 'held-copy-lost', 'resealing', 'receipt-lost', 'device-revoked', 'storage-failed',
] as const;
export const waitReasonSchema = z.enum(waitReasons);
export type WaitReason = z.infer<typeof waitReasonSchema>;

export const failReasons = ['refused-by-recipient', 'blocked', 'device-revoked', 'too-large', 'unopenable'] as const;
export const failReasonSchema = z.enum(failReasons);
export type FailReason = z.infer<typeof failReasonSchema>;

const holdingSchema = z.object({ relay: publicKeySchema, relayName: z.string(), untilMs: timeMs });

/** The one derived state of an outgoing message (architecture 9); incoming ones are `received`. */
export const headlineSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('queued'), reason: waitReasonSchema.optional(), nextTryAtMs: timeMs.optional() }),
  z.object({ state: z.literal('sending') }),
  z.object({ state: z.literal('stored'), heldBy: z.array(holdingSchema), wanted: z.number().int() }),
  z.object({ state: z.literal('delivered'), atMs: timeMs }),
  z.object({ state: z.literal('read'), atMs: timeMs }),
  z.object({ state: z.literal('failed'), reason: failReasonSchema }),
  z.object({ state: z.literal('expired') }),
  z.object({ state: z.literal('unconfirmed') }),
  z.object({ state: z.literal('cancelled') }),
  z.object({ state: z.literal('received') }),
]);
export type Headline = z.infer<typeof headlineSchema>;

/** Longest file in bytes that Waypost sends: what one proof of the smallest leaves can reach comfortably. */
export const fileMaximumBytes = 64 * 1_073_741_824;
/** UTF-8 bytes of the text beside a file. */
export const fileTextMaximumBytes = 32_768;
/** What relays hold for one recipient unless their operator says otherwise; they tell how much it is. A larger file arrives only while both sides are online. */
export const fileHeldMaximumBytes = 256 * 1_048_576;
/** From contacts, files up to this size are fetched without asking. */
export const fileFetchedMaximumBytes = 16 * 1_048_576;

/** Pictures of these kinds are shown in the conversation; anything else is a card. Larger ones, too: a picture is held in memory on its way to the window. */
export const pictureMediaTypes: readonly string[] = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
export const previewMaximumBytes = 16 * 1_048_576;
export const isShownPicture = (mediaType: string, sizeBytes: number): boolean => pictureMediaTypes.includes(mediaType) && sizeBytes <= previewMaximumBytes;

/** Why a file does not move just now; each has a sentence in the UI. */
export const fileWaitReasons = ['no-source', 'relay-full', 'not-asked', 'paused', 'disk-full', 'letter-first', 'others-first'] as const;
/** So many other files are counted before one that waits. */
export const othersFirstShownMaximum = 20;
export type FileWaitReason = (typeof fileWaitReasons)[number];
export const fileFailReasons = ['cancelled', 'expired', 'gone', 'damaged', 'unreadable', 'taken-back'] as const;
export type FileFailReason = (typeof fileFailReasons)[number];

/** Where a file comes from: its sender directly, its sender through a relay, or a relay that holds it. */
const fileSourceSchema = z.object({ kind: z.enum(['sender', 'forwarded', 'relay']), relay: publicKeySchema.optional(), relayName: z.string().optional() });
export type FileSource = z.infer<typeof fileSourceSchema>;

/**
 * Of an incoming file: how much of it is here. Of an outgoing one: how far the relay that has most of it is (`moving`), `ready` when at least one holds
 * all of it or the recipient has it.
 */
export const fileStateSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting'), reason: z.enum(fileWaitReasons), doneBytes: z.number().int().nonnegative(),
    /** With `others-first`, where it is known: how many; more than `othersFirstShownMaximum` are not counted. */
    othersFirst: z.number().int().positive().optional(),
    /** Of an outgoing one: the most that any relay of theirs holds for them; absent when that is not known. */
    relayHoldsBytes: z.number().int().nonnegative().optional(),
  }),
  z.object({ state: z.literal('moving'), doneBytes: z.number().int().nonnegative(), bytesPerSecond: z.number().nonnegative(), remainingMs: z.number().nonnegative().optional(), sources: z.array(fileSourceSchema) }),
  z.object({ state: z.literal('ready') }),
  z.object({ state: z.literal('failed'), reason: z.enum(fileFailReasons) }),
]);
export type FileState = z.infer<typeof fileStateSchema>;

/** A file that a message carries. */
export const fileSchema = z.object({
  /** Safe to be shown and to be used as a file's name. */
  name: z.string(),
  /** `image/png`, `image/jpeg`, `image/gif`, `image/webp` are shown inline; anything else is a card. */
  mediaType: z.string(),
  sizeBytes: z.number().int().nonnegative(),
  state: fileStateSchema,
  /** Of an outgoing one: there is no copy of it here any more, so it can neither be shown nor saved. */
  copyGone: z.boolean().optional(),
  /** Of an outgoing one: relays that hold it or are taking it. */
  holders: z.array(z.object({ relay: publicKeySchema, relayName: z.string(), heldBytes: z.number().int().nonnegative(), complete: z.boolean() })),
});
export type FileView = z.infer<typeof fileSchema>;

export const messageSchema = z.object({
  id: messageIdSchema,
  conversationId: conversationIdSchema,
  /** Position in the conversation as shown; pages go by it. Not dense. */
  row: z.number().int(),
  direction: z.enum(['out', 'in']),
  /** Of a file: what was written beside it. */
  text: z.string(),
  file: fileSchema.optional(),
  sentAtMs: timeMs,
  receivedAtMs: timeMs.optional(),
  expiresAtMs: timeMs,
  headline: headlineSchema,
  /** How many earlier letters of the same sending device are still missing directly before this one. */
  missingBefore: z.number().int().nonnegative(),
});
export type MessageView = z.infer<typeof messageSchema>;

/** By which a letter went between the two devices themselves, while both were here: in a network of both, straight, or in a circuit through a friend or a relay (over TCP). */
export const peerPathCodes = ['peer-lan', 'peer-direct', 'peer-friend', 'peer-relay', 'peer-relay-tcp'] as const;
export type PeerPathCode = (typeof peerPathCodes)[number];

/** One row of the hop log. `future` rows are drawn dotted. */
export const hopSchema = z.object({
  kind: z.enum(['saved', 'sealed', 'tried', 'held', 'lost', 'fetched', 'delivered', 'read', 'expires', 'expired', 'unconfirmed',
    'cancelled', 'failed', 'received', 'opened']),
  atMs: timeMs,
  future: z.boolean(),
  relay: publicKeySchema.optional(),
  relayName: z.string().optional(),
  /** How it travelled: one of `peerPathCodes`, or words, e.g. `relay over UDP`. */
  path: z.string().optional(),
  reason: z.string().optional(),
  untilMs: timeMs.optional(),
});
export type HopView = z.infer<typeof hopSchema>;

export const conversationSchema = z.object({
  id: conversationIdSchema,
  publicKey: publicKeySchema,
  port: z.number().int(),
  name: z.string(),
  /** Six words that two people can compare. */
  fingerprint: z.string(),
  /** `pending`: added by us, not heard from yet. `request`: a stranger wrote. */
  standing: z.enum(['contact', 'pending', 'request', 'blocked']),
  unread: z.number().int().nonnegative(),
  draft: z.string(),
  last: messageSchema.optional(),
  lastActivityMs: timeMs,
  /** The most that any relay of theirs holds of files for them; absent when that is not known. */
  relayHoldsBytes: z.number().int().nonnegative().optional(),
});
export type ConversationView = z.infer<typeof conversationSchema>;

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

export const outboxItemSchema = z.object({
  messageId: messageIdSchema,
  conversationId: conversationIdSchema,
  toName: z.string(),
  /** `message`, or what Waypost sends by itself. */
  kind: z.enum(['message', 'introduction', 'receipt']),
  summary: z.string(),
  sizeBytes: z.number().int(),
  attempts: z.number().int(),
  headline: headlineSchema,
  lastReason: waitReasonSchema.optional(),
  nextTryAtMs: timeMs.optional(),
  queuedAtMs: timeMs,
  expiresAtMs: timeMs,
});
export type OutboxItemView = z.infer<typeof outboxItemSchema>;

/**
 * From the nearest. `direct`: straight over the internet, whether routers had to be opened from both sides or not. `friend`: through the computer of a contact of both. `relay-tcp`: through a
 * relay that is reached over TCP.
 */
export const peerPathKinds = ['lan', 'direct', 'friend', 'relay', 'relay-tcp'] as const;
export const peerPathKindSchema = z.enum(peerPathKinds);
export type PeerPathKind = z.infer<typeof peerPathKindSchema>;
/** Nobody is in between. */
export const isStraight = (kind: PeerPathKind): boolean => kind === 'lan' || kind === 'direct';

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

export const connectionSchema = z.object({
  kind: z.enum(['starting', 'online', 'degraded', 'offline', 'no-relay', 'revoked', 'storage-failed']),
  relaysConnected: z.number().int(),
  relaysConfigured: z.number().int(),
  /** Of those connected: how many over TCP; absent: none. */
  relaysOverTcp: z.number().int().positive().optional(),
  /** UDP was asked for and does not pass in this network. */
  isUdpBlocked: z.boolean().optional(),
  waitingMessages: z.number().int(),
  /** Set when the clock of this machine differs from the relays' by more than a minute. */
  clockOffsetMs: z.number().int().optional(),
});
export type ConnectionView = z.infer<typeof connectionSchema>;

export const identitySchema = z.object({
  publicKey: publicKeySchema,
  address: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  wordsConfirmed: z.boolean(),
});
export type IdentityView = z.infer<typeof identitySchema>;

/** Each is asked about whoever cannot be found otherwise, and so learns of them. */
export const directoryRelaysMaximum = 4;

export const settingsSchema = z.object({
  readReceipts: z.boolean(),
  /** Nobody but relays learns where this computer is: sessions with contacts stay in circuits. */
  hideAddress: z.boolean(),
  /** Contacts in the same local network are found without a relay. Not while the address is hidden. */
  lanDiscovery: z.boolean(),
  /** Where only that leads to a direct path, ports of a contact's router, or of ours, may be guessed. */
  guessPorts: z.boolean(),
  /** What goes over the line costs money or battery: less is asked, tested and tried while nobody writes. */
  metered: z.boolean(),
  /** Contacts may have this computer carry their packets and hold their mail, within a budget, where it can be reached. */
  carryForFriends: z.boolean(),
  /** What contacts offer of that kind is used. */
  useFriendsRelays: z.boolean(),
  theme: z.enum(['system', 'light', 'dark']),
  /** `relayPk@host:port` of relays that are asked for people whom neither our relays nor theirs know. */
  directoryRelays: z.array(z.string().max(512)).max(directoryRelaysMaximum),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Of who has changed nothing. */
export const initialSettings: Settings = {
  readReceipts: true,
  hideAddress: false,
  lanDiscovery: true,
  guessPorts: true,
  metered: false,
  carryForFriends: false,
  useFriendsRelays: true,
  theme: 'system',
  directoryRelays: [],
};

/** Finding friends in the local network. `off`: by the settings. `no-network`: there is none with others in it. `not-here`: this one is a relay too, and does not look. */
export const lanSchema = z.object({ state: z.enum(['on', 'off', 'untrusted', 'no-network', 'not-here']), foundContacts: z.number().int() });
export type LanView = z.infer<typeof lanSchema>;

export const echoSchema = z.object({ state: z.enum(['absent', 'starting', 'online', 'offline']), publicKey: publicKeySchema.optional() });
export type EchoView = z.infer<typeof echoSchema>;

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

/** All that is live on screen, except the pages of old messages. */
export const viewSchema = z.object({
  identity: identitySchema,
  connection: connectionSchema,
  conversations: z.array(conversationSchema),
  relays: z.array(relaySchema),
  outbox: z.array(outboxItemSchema),
  settings: settingsSchema,
  echo: echoSchema,
  /** Absent: nothing is carried. */
  carrying: carryingSchema.optional(),
  /** Downgrades that are in force, as sentences (architecture 15); empty when there are none. */
  notices: z.array(z.string()),
  /** What the last check of this network found out; absent before the first one, and after the network changed. */
  network: checkedNetworkSchema.optional(),
});
export type View = z.infer<typeof viewSchema>;

export const changeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('identity'), value: identitySchema }),
  z.object({ kind: z.literal('connection'), value: connectionSchema }),
  z.object({ kind: z.literal('conversation'), value: conversationSchema }),
  z.object({ kind: z.literal('conversation-removed'), id: conversationIdSchema }),
  z.object({ kind: z.literal('message'), value: messageSchema }),
  z.object({ kind: z.literal('relay'), value: relaySchema }),
  z.object({ kind: z.literal('relay-removed'), publicKey: publicKeySchema }),
  z.object({ kind: z.literal('outbox'), value: outboxItemSchema }),
  z.object({ kind: z.literal('outbox-removed'), messageId: messageIdSchema }),
  z.object({ kind: z.literal('settings'), value: settingsSchema }),
  z.object({ kind: z.literal('echo'), value: echoSchema }),
  z.object({ kind: z.literal('carrying'), value: carryingSchema }),
  z.object({ kind: z.literal('notices'), value: z.array(z.string()) }),
  z.object({ kind: z.literal('network'), value: checkedNetworkSchema.optional() }),
]);
export type Change = z.infer<typeof changeSchema>;

/** Patches are numbered without gaps; a receiver that misses one asks for a new snapshot. */
export const patchSchema = z.object({ sequence: z.number().int(), changes: z.array(changeSchema) });
export type Patch = z.infer<typeof patchSchema>;
