/** Where the person is: the place in the rail, the open conversation, the drawer, the dialog, and the short notes at the bottom. */
import { createStore } from 'zustand/vanilla';
import { useStore as useZustand } from 'zustand';
import type { Tone } from '../shared/sentences.ts';

export const places = ['chats', 'peers', 'relays', 'outbox', 'network', 'settings'] as const;
export type Place = (typeof places)[number];

export type Drawer = { readonly kind: 'hops'; readonly messageId: string } | { readonly kind: 'contact' };
export type DialogName = 'add-friend' | 'share-link' | 'add-relay' | 'words' | 'palette' | 'shortcuts' | 'image';

export interface Toast {
  readonly id: number;
  readonly tone: Tone;
  readonly text: string;
}

export interface Navigation {
  readonly place: Place;
  readonly conversationId: string | undefined;
  readonly drawer: Drawer | undefined;
  readonly dialog: DialogName | undefined;
  /** The message whose picture the dialog shows. */
  readonly imageMessageId: string | undefined;
  readonly toasts: readonly Toast[];
  /** The words are shown right after an identity has been made, before the frame. */
  readonly wordsPending: boolean;
}

/** More than this at once is noise. */
const toastsAtOnce = 3;

const initial: Navigation = { place: 'chats', conversationId: undefined, drawer: undefined, dialog: undefined, imageMessageId: undefined, toasts: [], wordsPending: false };
export const navigationStore = createStore<Navigation>(() => initial);
export const useNavigation = <T>(select: (state: Navigation) => T): T => useZustand(navigationStore, select);

let nextToastId = 1;
/** Where the focus was before the drawer opened, to give it back. */
let drawerOpener: Element | null = null;
const set = (change: Partial<Navigation>): void => navigationStore.setState(change);

export const navigation = {
  go: (place: Place): void => {
    set({ place, drawer: undefined });
  },
  openConversation: (conversationId: string | undefined): void => {
    const { conversationId: before } = navigationStore.getState();
    set({ place: 'chats', conversationId, ...(before === conversationId ? {} : { drawer: undefined }) });
  },
  openDrawer: (drawer: Drawer): void => {
    if (navigationStore.getState().drawer === undefined) drawerOpener = document.activeElement;
    set({ drawer });
  },
  /** Returns whether there was one to close. */
  closeDrawer: (): boolean => {
    if (navigationStore.getState().drawer === undefined) return false;
    set({ drawer: undefined });
    // What opened it may be gone, scrolled out of the list: then the message that takes the focus does, or the place to write.
    const opener = drawerOpener instanceof HTMLElement && drawerOpener !== document.body && drawerOpener.isConnected ? drawerOpener : document.querySelector<HTMLElement>('[data-pane=conversation] [data-pane-focus], [data-pane=composer] textarea');
    opener?.focus();
    drawerOpener = null;
    return true;
  },
  openDialog: (dialog: DialogName): void => {
    set({ dialog });
  },
  openImage: (imageMessageId: string): void => {
    set({ dialog: 'image', imageMessageId });
  },
  closeDialog: (): void => {
    set({ dialog: undefined });
  },
  setWordsPending: (wordsPending: boolean): void => {
    set({ wordsPending });
  },
  toast: (tone: Tone, text: string): void => {
    const toast: Toast = { id: nextToastId, tone, text };
    nextToastId += 1;
    const others = navigationStore.getState().toasts.filter((other) => other.text !== text);
    set({ toasts: [...others, toast].slice(-toastsAtOnce) });
  },
  dismissToast: (id: number): void => {
    set({ toasts: navigationStore.getState().toasts.filter((toast) => toast.id !== id) });
  },
};
