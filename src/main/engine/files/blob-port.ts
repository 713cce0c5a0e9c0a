/** How the engine's parts reach the blob store: each request is answered once, later. */
import type { Instant } from '../wire/types.ts';
import type { BlobOperation, BlobRequest, BlobResult } from './blob-store.ts';

export type BlobPort = <Op extends BlobOperation>(request: Extract<BlobRequest, { op: Op }>, done: (result: BlobResult<Op>, now: Instant) => void) => void;
