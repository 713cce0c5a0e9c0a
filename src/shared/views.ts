/**
 * What people and programs are shown, as validated shapes: the same for the renderer, the CLI socket and the test doubles.
 * Times are wall-clock milliseconds since 1970; sizes are bytes; ids are lower-case hex.
 */
import { fileSchema } from './file-views.ts';
import { carryingSchema, relaySchema } from './relay-views.ts';
import { conversationIdSchema, messageIdSchema, publicKeySchema, timeMs } from './view-basics.ts';
import { z } from 'zod';
import { checkedNetworkSchema } from './network-report-schema.ts';

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
