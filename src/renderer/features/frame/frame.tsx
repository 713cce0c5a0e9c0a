/** The window of a ready account: rail, the place that is open, dialogs, and the shortcuts that work anywhere. */
import { useServices } from '../../services.tsx';
import { useShortcut } from '../../keys.ts';
import { navigation, useNavigation } from '../../navigation.ts';
import { useView } from '../../store.ts';
import { AddFriendDialog } from '../contacts/add-friend-dialog.tsx';
import { ShareLinkDialog } from '../contacts/share-link-dialog.tsx';
import { ConnectionLine } from '../connection/connection-line.tsx';
import { Chats } from '../conversations/chats.tsx';
import { neighbourOf, sortedConversations } from '../conversations/order.ts';
import { NetworkPage } from '../network/network-page.tsx';
import { OutboxPage } from '../outbox/outbox-page.tsx';
import { CheatSheet } from '../palette/cheat-sheet.tsx';
import { Palette } from '../palette/palette.tsx';
import { PeersPage } from '../peers/peers-page.tsx';
import { AddRelayDialog } from '../relays/add-relay-dialog.tsx';
import { RelaysPage } from '../relays/relays-page.tsx';
import { SettingsPage } from '../settings/settings-page.tsx';
import { WordsDialog } from '../welcome/words-dialog.tsx';
import { Banners } from './banners.tsx';
import { focusPane } from './panes.ts';
import { Rail } from './rail.tsx';
import './frame.css';

function CurrentPlace() {
  const place = useNavigation((state) => state.place);
  switch (place) {
    case 'chats': return <Chats />;
    case 'peers': return <PeersPage />;
    case 'relays': return <RelaysPage />;
    case 'outbox': return <OutboxPage />;
    case 'network': return <NetworkPage />;
    case 'settings': return <SettingsPage />;
  }
}

function CurrentDialog() {
  const dialog = useNavigation((state) => state.dialog);
  switch (dialog) {
    case 'add-friend': return <AddFriendDialog />;
    case 'share-link': return <ShareLinkDialog />;
    case 'add-relay': return <AddRelayDialog />;
    case 'words': return <WordsDialog />;
    case 'palette': return <Palette />;
    case 'shortcuts': return <CheatSheet />;
    case undefined: return null;
  }
}

export function Frame() {
  const { client, run } = useServices();
  const conversations = useView((view) => view.conversations);
  const conversationId = useNavigation((state) => state.conversationId);
  const dialog = useNavigation((state) => state.dialog);
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
