/** What the requester's side says of what came, and whom it tells. */
import type { PayloadFault } from './codec.ts';

/**
 * The sender, or whoever passed it on, is at fault: `wrong-*` say which part does not lead to the root. A leaf that brings its proof along has
 * one reason for both, `wrong-leaf`.
 */
export type Refusal = PayloadFault | 'wrong-leaf' | 'wrong-pair' | 'wrong-path' | 'wrong-ahead';

/**
 * `verified`: handed on. `kept`: to be verified when what is before it has come. `duplicate`: it is here already. Nobody's fault, to be asked
 * for again when wanted: `beyond-window`, `no-room` (other early fragments fill it), `too-many-strands`, `path-first` (the second part of a
 * proof came before the first).
 */
export type FragmentVerdict = 'verified' | 'kept' | 'duplicate' | 'beyond-window' | 'no-room' | Exclude<Refusal, 'wrong-path' | 'wrong-ahead'>;
export type ProofVerdict = 'taken' | 'half-taken' | 'duplicate' | 'too-many-strands' | 'path-first' | Refusal;

/** Called from within `take...`; must not call the verifier. */
export interface LeafSink {
  /** The bytes belong to the caller of `take...` or to a buffer that is used again: copy what is kept. */
  verified(index: number, leaf: Uint8Array): void;
  /** A fragment that had been kept does not prove: it is to be asked for again, from somebody else than this source. */
  refused(index: number, source: number, reason: Refusal): void;
}

export interface IncomingFragment {
  readonly index: number;
  /** Not a view of the tree's window: other leaves are put there. */
  readonly payload: Uint8Array;
  /** Whatever number the caller gives its sources; only handed back. */
  readonly source: number;
}
