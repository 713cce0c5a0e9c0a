/**
 * Verifies small contents as they pass through a relay, as far as they pass in order: only what is known to be true may be told to others
 * from the cache, and a lie is found where it happens. What comes out of order is handed on unjudged, since its requester checks it anyway.
 */
import { createVerifier } from '../lockstep/lockstep.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { ResponsePart } from '../forwarding/forwarding.ts';
import type { FragmentVerdict, LockstepVerifier, ProofVerdict } from '../lockstep/lockstep.ts';
import type { ContentName } from '../wire/types.ts';

/** Larger ones would push everything else out of the cache, and cost a relay a hash for each packet that it passes on. */
export const verifiedMaximumBytes = 1_048_576;
/** Contents that pass at the same time; each needs some kilobytes and the few leaves that came early. */
const verifiersMaximum = 64;
/** Of leaves that come early: nobody here waits for them. */
const keptMaximumBytes = 0;

/** `unknown`: too large, out of order, or already seen. */
export type Judgement = 'true' | 'false' | 'unknown';

export class PassingVerifier {
  readonly #tree: Blake3Tree;
  /** By the id's text; least recently begun first. */
  readonly #verifiers = new Map<string, LockstepVerifier>();

  constructor(tree: Blake3Tree) { this.#tree = tree; }

  judge(nameId: string, name: ContentName, groupShift: number, part: ResponsePart, item: number, payload: Uint8Array): Judgement {
    const verifier = this.#verifiers.get(nameId) ?? this.#begin(nameId, name, groupShift);
    if (verifier === undefined) return 'unknown';
    const judgement = judgementOf(part === 'fragment' ? verifier.takeFragment(item, payload, 0) : verifier.takeProof(item, payload));
    // From the start again: what comes a second time is to be judged too.
    if (verifier.isComplete) this.#verifiers.delete(nameId);
    return judgement;
  }

  forget(nameId: string): void { this.#verifiers.delete(nameId); }

  #begin(nameId: string, name: ContentName, groupShift: number): LockstepVerifier | undefined {
    if (name.length > verifiedMaximumBytes) return undefined;
    const verifier = createVerifier(this.#tree, name, groupShift, { sink: { verified: () => undefined, refused: () => undefined }, keptMaximumBytes });
    if (verifier === undefined) return undefined;
    this.#verifiers.set(nameId, verifier);
    for (const oldest of this.#verifiers.keys()) {
      if (this.#verifiers.size <= verifiersMaximum) break;
      this.#verifiers.delete(oldest);
    }
    return verifier;
  }
}

function judgementOf(verdict: FragmentVerdict | ProofVerdict): Judgement {
  switch (verdict) {
    case 'verified': case 'taken': case 'half-taken': return 'true';
    case 'kept': case 'duplicate': case 'beyond-window': case 'no-room': case 'too-many-strands': case 'path-first': return 'unknown';
    default: return 'false';
  }
}
