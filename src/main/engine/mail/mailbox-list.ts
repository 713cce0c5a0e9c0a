/** Packs waiting letters into the fragments of one `list` answer: in order of sequence, each fragment a response of its own, none cut in two. */
import { responsePayloadMaximumBytes } from '../wire/frame.ts';
import { encodeListFragment, listEntrySize, listFragmentHeaderBytes } from '../wire/responses.ts';
import type { ListEntry } from '../wire/types.ts';

/** Room for entries in one fragment. */
export const fragmentRoomBytes = responsePayloadMaximumBytes - listFragmentHeaderBytes;

/**
 * @param entries in order of sequence. @param remaining letters that wait after these. @param mostFragments at least 1.
 * What does not fit counts as remaining; the next request asks after the last sequence that it got.
 */
export function packList(epoch: Uint8Array, entries: readonly ListEntry[], remaining: number, mostFragments: number): readonly Uint8Array[] {
  const groups: ListEntry[][] = [[]];
  let room = fragmentRoomBytes;
  let packed = 0;
  for (const entry of entries) {
    const fitting = listEntrySize(entry) <= fragmentRoomBytes ? entry : { ...entry, inlineBody: undefined };
    const sizeBytes = listEntrySize(fitting);
    if (sizeBytes > room) {
      if (groups.length >= mostFragments) break;
      groups.push([]);
      room = fragmentRoomBytes;
    }
    groups.at(-1)?.push(fitting);
    room -= sizeBytes;
    packed += 1;
  }
  let after = remaining + entries.length - packed;
  const fragments: Uint8Array[] = [];
  for (const group of groups.toReversed()) {
    fragments.push(encodeListFragment({ epoch, remaining: after, entries: group }));
    after += group.length;
  }
  return fragments.reverse();
}
