/**
 * The one contract between the parts of Waypost: the renderer's IPC, the CLI's socket, the preload bridge and the test doubles are
 * all derived from it. Adding a call is one line here and one handler. Every argument and result is validated where it enters.
 */
import { z } from 'zod';
import { errorCodes } from './errors.ts';
import { checkedNetworkSchema } from './network-report-schema.ts';
import { relayTrialSchema } from './relay-trial.ts';
import { conversationIdSchema, messageIdSchema, publicKeySchema } from './view-basics.ts';
import { fileSchema, fileTextMaximumBytes } from './file-views.ts';
import { hopSchema, lanSchema, messageMaximumBytes, messageSchema, patchSchema, settingsSchema, ttlMaximumSeconds, viewSchema } from './views.ts';
import { peerSchema } from './peer-views.ts';

export interface Call<Argument extends z.ZodType, Result extends z.ZodType> {
  readonly type: 'call';
  readonly argument: Argument;
  readonly result: Result;
}
export interface Notification<Payload extends z.ZodType> {
  readonly type: 'notification';
  readonly payload: Payload;
}
const call = <A extends z.ZodType, R extends z.ZodType>(argument: A, result: R): Call<A, R> => ({ type: 'call', argument, result });
const notification = <P extends z.ZodType>(payload: P): Notification<P> => ({ type: 'notification', payload });

const nothing = z.undefined();
const name = z.string().trim().min(1).max(64);
const passphrase = z.string().min(1).max(1024);
/** UTF-8 never has fewer bytes than UTF-16 units, so this bound only rejects what the byte check would reject too. */
const text = z.string().max(messageMaximumBytes);
const link = z.string().max(4096);

export const fileReferenceSchema = z.discriminatedUnion('by', [
  z.object({ by: z.literal('path'), path: z.string().min(1).max(4096) }),
  z.object({ by: z.literal('grant'), grant: z.string().regex(/^[0-9a-f]{32}$/) }),
]);
/** What a window is told of a file that the person gave it. */
export const grantedFileSchema = z.object({ grant: z.string(), name: z.string(), sizeBytes: z.number().int().nonnegative() });
export type GrantedFile = z.infer<typeof grantedFileSchema>;

export const accountSchema = z.object({
  phase: z.enum(['none', 'locked', 'ready']),
  /** How the secret key is protected on this machine; `unavailable` asks the person for a passphrase. */
  protection: z.enum(['os', 'passphrase', 'file', 'unavailable']),
  platform: z.string(),
});
export type AccountView = z.infer<typeof accountSchema>;

export const invitePreviewSchema = z.object({
  publicKey: publicKeySchema,
  name: z.string(),
  fingerprint: z.string(),
  relays: z.array(z.string()),
  alreadyContact: z.boolean(),
});
export type InvitePreview = z.infer<typeof invitePreviewSchema>;

/** A name of published data, as people type it; what is no name is refused with a sentence. */
const dataName = z.string().max(256);
const namedReference = z.object({ publicKey: publicKeySchema, name: dataName });

/** What is published under a name. */
export const publishedSchema = z.object({
  name: z.string(),
  /** `relayPk@host:port` of the relays where others find it. */
  hints: z.array(z.string()),
  sequence: z.number().int(),
  publishedAtMs: z.number(),
  /** When relays forget it unless Waypost has run until then. */
  expiresAtMs: z.number(),
  /** As an outgoing file: `ready` when a relay holds all of it. */
  file: fileSchema,
});
export type PublishedView = z.infer<typeof publishedSchema>;

/** What somebody published, on its way here. */
export const namedFetchSchema = z.object({
  publicKey: publicKeySchema,
  name: z.string(),
  sequence: z.number().int().optional(),
  /** As an incoming file; absent while its relays are still being asked. */
  file: fileSchema.optional(),
  /** Nothing comes of it. */
  failure: z.object({ code: z.enum(errorCodes), message: z.string() }).optional(),
});
export type NamedFetchView = z.infer<typeof namedFetchSchema>;

export const contract = {
  account: {
    status: call(nothing, accountSchema),
    create: call(z.object({ name, passphrase: passphrase.optional() }), accountSchema),
    /** Exactly one of `words` and `secretKey` (64 hex digits, as Skywire writes it). */
    restore: call(z.object({ name, words: z.string().max(512).optional(), secretKey: z.string().max(80).optional(), passphrase: passphrase.optional() }), accountSchema),
    unlock: call(z.object({ passphrase }), accountSchema),
    /** The only call that carries the secret, for the person to write down. */
    revealWords: call(nothing, z.object({ words: z.array(z.string()).length(24) })),
    /** Checks words at 0-based positions and remembers that the person has them. */
    confirmWords: call(z.object({ answers: z.array(z.object({ position: z.number().int().min(0).max(23), word: z.string().max(16) })).min(3).max(24) }), z.object({ correct: z.boolean() })),
    rename: call(z.object({ name }), nothing),
    changed: notification(accountSchema),
  },
  state: {
    snapshot: call(nothing, z.object({ sequence: z.number().int(), view: viewSchema })),
    patch: notification(patchSchema),
  },
  messages: {
    page: call(z.object({ conversationId: conversationIdSchema, beforeRow: z.number().int().optional(), limit: z.number().int().min(1).max(200) }), z.object({ messages: z.array(messageSchema), more: z.boolean() })),
    /** Incoming messages of all conversations in the order of arrival, for programs. */
    inbox: call(z.object({ afterRow: z.number().int(), limit: z.number().int().min(1).max(200) }), z.object({ messages: z.array(messageSchema), nextRow: z.number().int() })),
    get: call(z.object({ messageId: messageIdSchema }), messageSchema),
    /** Resolves when the message is committed here: it survives a power loss from then on. `to` is a conversation id or `pk[:port]`. */
    send: call(z.object({ to: z.string().max(128), text, ttlSeconds: z.number().int().max(ttlMaximumSeconds * 10).optional() }), messageSchema),
    hops: call(z.object({ messageId: messageIdSchema }), z.object({ hops: z.array(hopSchema) })),
    cancel: call(z.object({ messageId: messageIdSchema }), nothing),
    retry: call(z.object({ messageId: messageIdSchema }), nothing),
    retryAll: call(nothing, nothing),
    markRead: call(z.object({ conversationId: conversationIdSchema, upToRow: z.number().int() }), nothing),
    saveDraft: call(z.object({ conversationId: conversationIdSchema, text }), nothing),
  },
  files: {
    /**
     * Sends one file with an optional text. Resolves when a sealed copy of it and the message are durable here: the original is not needed any more.
     * Programs name a path; windows only ever a grant, which the person gave by choosing, dropping or pasting that very file.
     */
    send: call(z.object({ to: z.string().max(128), file: fileReferenceSchema, text: z.string().max(fileTextMaximumBytes), ttlSeconds: z.number().int().max(ttlMaximumSeconds * 10).optional() }), messageSchema),
    /** Fetches an incoming file that waits to be asked for, or goes on with one that was paused or failed. */
    fetch: call(z.object({ messageId: messageIdSchema }), nothing),
    pause: call(z.object({ messageId: messageIdSchema }), nothing),
    /** An incoming one: forgets what is here. An outgoing one: nobody is served any more; the message goes the way of `messages.cancel`. */
    cancel: call(z.object({ messageId: messageIdSchema }), nothing),
    /** Writes a file that is here, in the clear, to a path that must not exist yet. Windows leave the path out: the person is asked. */
    save: call(z.object({ messageId: messageIdSchema, path: z.string().max(4096).optional() }), z.object({ path: z.string().optional() })),
    /** An image that is here, for showing it: only what really is one of the four kinds, and at most 16 MiB. */
    preview: call(z.object({ messageId: messageIdSchema }), z.object({ dataUrl: z.string() })),
  },
  /** Data for everybody, under names of one's own. For programs: windows may name no paths. */
  names: {
    /** Copies the file, so that the original is not needed any more, and tells the relays from then on. What was published under the name before is replaced. */
    publish: call(z.object({ name: dataName, path: z.string().min(1).max(4096), mediaType: z.string().max(127).optional() }), publishedSchema),
    list: call(nothing, z.object({ published: z.array(publishedSchema) })),
    unpublish: call(z.object({ name: dataName }), nothing),
    /** Looks for the newest that is published under the name and begins to fetch it. To be followed by `fetched` at least every minute and by one `end`. */
    fetch: call(namedReference.extend({ relay: z.string().max(512).optional() }), namedFetchSchema),
    /** How far it is. */
    fetched: call(namedReference, namedFetchSchema),
    /** Writes what is all here to a path that must not exist yet. */
    save: call(namedReference.extend({ path: z.string().min(1).max(4096) }), z.object({ path: z.string() })),
    /** It is saved, or not wanted any more. */
    end: call(namedReference, nothing),
  },
  contacts: {
    preview: call(z.object({ link }), invitePreviewSchema),
    add: call(z.object({ link, name: name.optional() }), z.object({ conversationId: conversationIdSchema })),
    rename: call(z.object({ publicKey: publicKeySchema, name }), nothing),
    accept: call(z.object({ publicKey: publicKeySchema }), nothing),
    block: call(z.object({ publicKey: publicKeySchema }), nothing),
    unblock: call(z.object({ publicKey: publicKeySchema }), nothing),
  },
  invites: {
    /** A new link with a deposit token of its own; whoever uses it first-hand becomes a contact without a request. */
    create: call(nothing, z.object({ link: z.string() })),
  },
  relays: {
    /** `relayPk@host:port`. */
    add: call(z.object({ hint: z.string().max(512) }), nothing),
    remove: call(z.object({ publicKey: publicKeySchema }), nothing),
    /** `pinned`: before all others, whatever is measured. `banned`: never used, and kept in the list. `normal`: neither. */
    choose: call(z.object({ publicKey: publicKeySchema, choice: z.enum(['normal', 'pinned', 'banned']) }), nothing),
    /** The most preferred first; the others come after, or stay where they are while these change places among themselves. */
    order: call(z.object({ publicKeys: z.array(publicKeySchema).min(1).max(32), others: z.enum(['after', 'stay']).optional() }), nothing),
    /** Resolves when the test has ended, after a minute and a half at most; `trial` of the relay in the view tells how far it is. */
    test: call(z.object({ publicKey: publicKeySchema }), relayTrialSchema),
  },
  peers: {
    list: call(nothing, z.object({ peers: z.array(peerSchema) })),
    /** Asks for a contact now, and for a direct path to one who is reached through a relay. What comes of it is in the list. */
    reach: call(z.object({ publicKey: publicKeySchema }), nothing),
  },
  network: {
    /** Treats every path as unproven and tries all that waits now (resume, network change, F5). */
    retryNow: call(nothing, nothing),
    /** Checks the network, or shares a check that runs or has just ended, and answers within five seconds. The last report is in the view. */
    check: call(nothing, checkedNetworkSchema),
    /** How it stands with finding friends in local networks. */
    lan: call(nothing, lanSchema),
    /** Marks the network that this computer is in now: friends may be looked for in it, or not. */
    trust: call(z.object({ trusted: z.boolean() }), lanSchema),
  },
  settings: {
    update: call(settingsSchema.partial(), settingsSchema),
  },
  echo: {
    /** Starts the built-in second visor and adds it as a contact. */
    start: call(nothing, z.object({ conversationId: conversationIdSchema })),
    setOnline: call(z.object({ online: z.boolean() }), nothing),
  },
  visor: {
    /** Counters for `waypost status` and for tests; no names, no addresses of people. */
    statistics: call(nothing, z.object({ counters: z.record(z.string(), z.number()), uptimeMs: z.number(), processId: z.number(), listen: z.string() })),
    stop: call(nothing, nothing),
  },
} as const;

export type Contract = typeof contract;
export type ContractEntry = Call<z.ZodType, z.ZodType> | Notification<z.ZodType>;
type Calls<G> = { [M in keyof G as G[M] extends Call<z.ZodType, z.ZodType> ? M : never]: G[M] extends Call<infer A, infer R> ? { argument: z.infer<A>; result: z.infer<R> } : never };
type Notifications<G> = { [M in keyof G as G[M] extends Notification<z.ZodType> ? M : never]: G[M] extends Notification<infer P> ? z.infer<P> : never };
export type Unsubscribe = () => void;
type Method<E> = E extends { argument: infer A; result: infer R } ? (undefined extends A ? () => Promise<R> : (argument: A) => Promise<R>) : never;

/** What a client of the contract sees: `client.messages.send({...})`, `client.state.onPatch(listener)`. */
export type Client = {
  readonly [G in keyof Contract]: { readonly [M in keyof Calls<Contract[G]>]: Method<Calls<Contract[G]>[M]> } & {
    readonly [M in keyof Notifications<Contract[G]> as `on${Capitalize<string & M>}`]: (listener: (payload: Notifications<Contract[G]>[M]) => void) => Unsubscribe;
  };
};

/** What the serving side implements: one function per call, grouped as in the contract. */
export type Handlers = {
  readonly [G in keyof Contract]: { readonly [M in keyof Calls<Contract[G]>]: Method<Calls<Contract[G]>[M]> };
};

export type CallName = { [G in keyof Contract]: `${G}.${string & keyof Calls<Contract[G]>}` }[keyof Contract];

/** Looks up `group.method`; undefined for anything that is not a call of the contract. */
export function findEntry(path: string): ContractEntry | undefined {
  const [group, method, ...rest] = path.split('.');
  if (group === undefined || method === undefined || rest.length > 0 || !Object.hasOwn(contract, group)) return undefined;
  const methods: Readonly<Record<string, ContractEntry>> = contract[group as keyof Contract];
  return Object.hasOwn(methods, method) ? methods[method] : undefined;
}
