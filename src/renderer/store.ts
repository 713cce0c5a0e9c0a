/** The one store of what the window shows: account, live state and how far it is loaded. Changed by `sync.ts` and nothing else. */
import { createStore } from 'zustand/vanilla';
import { useStore as useZustand } from 'zustand';
import type { AccountView } from '../shared/contract.ts';
import type { ConversationView, View } from '../shared/views.ts';
import type { LiveState, Page } from './state.ts';

export interface Store {
  readonly account: AccountView | undefined;
  readonly live: LiveState | undefined;
  /** A sentence when not even the account can be asked for. */
  readonly broken: string | undefined;
}

export const createAppStore = () => createStore<Store>(() => ({ account: undefined, live: undefined, broken: undefined }));
export type AppStore = ReturnType<typeof createAppStore>;
export const store = createAppStore();

export const useStore = <T>(select: (state: Store) => T): T => useZustand(store, select);

/** Selects from the view; only for components inside the frame, which is not shown before there is one. */
export function useView<T>(select: (view: View) => T): T {
  return useStore((state) => {
    if (state.live === undefined) throw new Error('The frame is shown before the state has arrived.');
    return select(state.live.view);
  });
}

export const useConversation = (id: string | undefined): ConversationView | undefined => useView((view) => view.conversations.find((conversation) => conversation.id === id));
export const usePage = (id: string): Page | undefined => useStore((state) => state.live?.pages[id]);
