/** Bounds of what a window may be given; apart from the shapes, so that the preload needs no validation library for two numbers. */

/** Bytes of a file without a path, as pasted ones are, that one message between the processes may carry. */
export const pastedMaximumBytes = 32 * 1_048_576;
/** Files that one choice or one drop may give. */
export const filesAtOnceMaximum = 32;
