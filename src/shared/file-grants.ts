/**
 * What the preload and the main process say to each other about files that the person gives to a window. A window never names a path: it hands
 * over the File it got from the person, or asks for the dialog, and is told of a grant.
 */
import { z } from 'zod';
import { grantedFileSchema } from './contract.ts';
import { pastedMaximumBytes } from './file-limits.ts';

/** From the preload: a file on this disk, or the contents of one that is nowhere yet. */
export const fileOfferSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('path'), path: z.string().min(1).max(4096) }),
  z.object({ kind: z.literal('bytes'), name: z.string().max(1024), bytes: z.instanceof(Uint8Array).refine((bytes) => bytes.length <= pastedMaximumBytes) }),
]);
export type FileOffer = z.infer<typeof fileOfferSchema>;

/** To the window: what was chosen, and a sentence for each file that could not be taken. */
export const pickedFilesSchema = z.object({ files: z.array(grantedFileSchema), problems: z.array(z.string()) });
export type PickedFiles = z.infer<typeof pickedFilesSchema>;
