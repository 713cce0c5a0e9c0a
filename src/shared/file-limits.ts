/** Bounds of what a window may be given; apart from the shapes, so that the preload needs no validation library for two numbers. */

/** A file travels sealed in segments, each with a tag (engine/files/file-sealing.ts). */
const segmentPlainBytes = 65_520;
const tagBytes = 16;
/** What a file of so many bytes takes at a relay. */
export const sizeAtRelayBytes = (sizeBytes: number): number => sizeBytes + tagBytes * Math.max(1, Math.ceil(sizeBytes / segmentPlainBytes));

/** Bytes of a file without a path, as pasted ones are, that one message between the processes may carry. */
export const pastedMaximumBytes = 32 * 1_048_576;
/** Files that one choice or one drop may give. */
export const filesAtOnceMaximum = 32;
