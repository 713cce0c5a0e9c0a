/** Pictures that were shown lately, so that scrolling back does not ask for them again. Bounded, and kept in the memory of this window alone. */
import { useEffect, useState } from 'react';
import type { Client } from '../../../shared/contract.ts';
import { errorSentence, useServices } from '../../services.tsx';
import { isPictureUrl } from './file-facts.ts';

export type Preview = { readonly kind: 'shown'; readonly dataUrl: string } | { readonly kind: 'failed'; readonly sentence: string };

/** Characters of data URLs: about as many bytes in memory, some twenty photos. */
const keptCharactersMaximum = 96 * 1_048_576;

/** In the order of use, the oldest first. */
const kept = new Map<string, Preview & { readonly kind: 'shown' }>();

function keep(messageId: string, preview: Preview & { readonly kind: 'shown' }): void {
  kept.delete(messageId);
  kept.set(messageId, preview);
  let characters = 0;
  for (const [id, one] of [...kept].reverse()) {
    characters += one.dataUrl.length;
    if (characters > keptCharactersMaximum && id !== messageId) kept.delete(id);
  }
}

async function load(client: Client, messageId: string): Promise<Preview> {
  try {
    const { dataUrl } = await client.files.preview({ messageId });
    if (!isPictureUrl(dataUrl)) return { kind: 'failed', sentence: 'This is not a picture that can be shown.' };
    const preview = { kind: 'shown', dataUrl } as const;
    keep(messageId, preview);
    return preview;
  } catch (thrown) {
    return { kind: 'failed', sentence: errorSentence(thrown) };
  }
}

/** Undefined until it is here; asked for from the moment it is wanted. */
export function usePreview(messageId: string, wanted: boolean): Preview | undefined {
  const { client } = useServices();
  const [preview, setPreview] = useState<Preview | undefined>(() => kept.get(messageId));
  const missing = wanted && preview === undefined;
  useEffect(() => {
    if (!missing) return;
    let gone = false;
    void load(client, messageId).then((loaded) => { if (!gone) setPreview(loaded); });
    return () => { gone = true; };
  }, [client, messageId, missing]);
  return preview;
}
