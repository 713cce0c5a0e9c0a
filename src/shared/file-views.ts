/** Files that messages carry, as the window and programs are shown them, with the limits that they have. */
import { z } from 'zod';
import { publicKeySchema } from './view-basics.ts';

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
