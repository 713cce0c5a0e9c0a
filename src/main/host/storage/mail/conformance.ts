/**
 * What every MailStore must do, as one suite: SQLite runs it here, any other store (a cluster's PostgreSQL) runs the same. Sentences are
 * the specification; the contract's comments are the short form.
 */
import { describe } from 'vitest';
import { blobConformance } from './conformance-blobs.ts';
import { depositConformance } from './conformance-deposits.ts';
import { mailboxConformance } from './conformance-mailboxes.ts';
import { nameConformance } from './conformance-names.ts';
import { retrievalConformance } from './conformance-retrieval.ts';
import { conformanceWorld, type ConformanceSubject } from './conformance-world.ts';

/** @param createStore an empty store that was not opened yet. */
export function mailStoreConformance(name: string, createStore: () => ConformanceSubject): void {
  describe(`${name} keeps the mail store contract`, () => {
    const world = conformanceWorld(createStore);
    mailboxConformance(world);
    depositConformance(world);
    retrievalConformance(world);
    blobConformance(world);
    nameConformance(world);
  });
}
