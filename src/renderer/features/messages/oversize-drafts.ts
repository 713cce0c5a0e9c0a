/**
 * Drafts that are too long to be saved, by conversation, so that they outlive a look at another one. They are kept in the memory of this
 * window and nowhere else; a draft that fits again is saved like any other and leaves this list.
 */
import { createStore } from 'zustand/vanilla';
import { useStore } from 'zustand';

type OversizeDrafts = ReadonlyMap<string, string>;

const store = createStore<OversizeDrafts>(() => new Map());

export const oversizeDraft = (conversationId: string): string | undefined => store.getState().get(conversationId);

export const useOversizeDraft = (conversationId: string): string | undefined => useStore(store, (drafts) => drafts.get(conversationId));

/** Keeps `text` for the conversation; `undefined` forgets what was kept. */
export function keepOversizeDraft(conversationId: string, text: string | undefined): void {
  const drafts = store.getState();
  if (drafts.get(conversationId) === text) return;
  const next = new Map(drafts);
  if (text === undefined) next.delete(conversationId);
  else next.set(conversationId, text);
  store.setState(next, true);
}
