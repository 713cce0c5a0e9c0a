/** The window of a ready account: rail, the place that is open, dialogs, and the shortcuts that work anywhere. */
import { useDeferredValue, useEffect } from 'react';
import { useServices } from '../../services.tsx';
import { useShortcut } from '../../keys.ts';
import { navigation, useNavigation } from '../../navigation.ts';
import { useView } from '../../store.ts';
import { ConnectionLine } from '../connection/connection-line.tsx';
import { Chats } from '../conversations/chats.tsx';
import { neighbourOf, sortedConversations } from '../conversations/order.ts';
import { Late } from '../../ui/late.tsx';
import { Banners } from './banners.tsx';
import { fetchPartsAhead, lateDialogs, latePages } from './late-parts.ts';
import { Page } from './page.tsx';
import { focusPane } from './panes.ts';
import { placeEntries, Rail } from './rail.tsx';
import './frame.css';

function CurrentPlace() {
  const chosen = useNavigation((state) => state.place);
  // The page before stays until the chosen one is here.
  const place = useDeferredValue(chosen);
  const title = placeEntries.find((entry) => entry.place === place)?.label ?? '';
  const LatePage = place === 'chats' ? Chats : latePages[place];
  return <Late id={place} what="This page" meanwhile={<Page title={title} busy />}><LatePage /></Late>;
}

function CurrentDialog() {
  const chosen = useNavigation((state) => state.dialog);
  const arrived = useDeferredValue(chosen);
  // What is closed is gone at once.
  const dialog = chosen === undefined ? undefined : arrived;
  const LateDialog = dialog === undefined ? undefined : lateDialogs[dialog];
  return <Late id={dialog ?? 'none'} what="This dialog" meanwhile={null}>{LateDialog === undefined ? null : <LateDialog />}</Late>;
}

export function Frame() {
  const { client, run } = useServices();
  const conversations = useView((view) => view.conversations);
  const conversationId = useNavigation((state) => state.conversationId);
  const dialog = useNavigation((state) => state.dialog);
  useEffect(() => {
    const idle = requestIdleCallback(fetchPartsAhead);
    return () => cancelIdleCallback(idle);
  }, []);
  /** Shortcuts that move what is behind a dialog would leave it hanging over something else. */
  const unlessDialog = (action: () => void) => (): boolean => {
    if (dialog !== undefined) return false;
    action();
    return true;
  };
  const moveConversation = (step: 1 | -1): void => {
    const next = neighbourOf(sortedConversations(conversations), conversationId, step);
    if (next !== undefined) navigation.openConversation(next.id);
  };
  useShortcut('palette', () => { navigation.openDialog('palette'); return true; });
  useShortcut('cheatSheet', () => { navigation.openDialog('shortcuts'); return true; });
  useShortcut('addFriend', unlessDialog(() => navigation.openDialog('add-friend')));
  useShortcut('settings', unlessDialog(() => navigation.go('settings')));
  useShortcut('outbox', unlessDialog(() => navigation.go('outbox')));
  useShortcut('nextPane', unlessDialog(() => focusPane(1)));
  useShortcut('previousPane', unlessDialog(() => focusPane(-1)));
  useShortcut('previousConversation', unlessDialog(() => moveConversation(-1)));
  useShortcut('nextConversation', unlessDialog(() => moveConversation(1)));
  useShortcut('retryNow', () => { void run(() => client.network.retryNow()); return true; });
  useShortcut('close', () => (dialog === undefined ? navigation.closeDrawer() : false));
  return (
    <div className="frame">
      <Banners />
      <Rail />
      <div className="place"><CurrentPlace /></div>
      <ConnectionLine />
      <CurrentDialog />
    </div>
  );
}
