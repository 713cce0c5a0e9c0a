/** The pages and dialogs that open over the first paint of the frame, each in a file of its own, fetched ahead as soon as the window is idle. */
import type { DialogName, Place } from '../../navigation.ts';
import { late, type LateComponent } from '../../ui/late.tsx';

export const latePages: Readonly<Record<Exclude<Place, 'chats'>, LateComponent<object>>> = {
  peers: late(async () => (await import('../peers/peers-page.tsx')).PeersPage),
  relays: late(async () => (await import('../relays/relays-page.tsx')).RelaysPage),
  outbox: late(async () => (await import('../outbox/outbox-page.tsx')).OutboxPage),
  network: late(async () => (await import('../network/network-page.tsx')).NetworkPage),
  settings: late(async () => (await import('../settings/settings-page.tsx')).SettingsPage),
};

export const lateDialogs: Readonly<Record<DialogName, LateComponent<object>>> = {
  'add-friend': late(async () => (await import('../contacts/add-friend-dialog.tsx')).AddFriendDialog),
  'share-link': late(async () => (await import('../contacts/share-link-dialog.tsx')).ShareLinkDialog),
  'add-relay': late(async () => (await import('../relays/add-relay-dialog.tsx')).AddRelayDialog),
  words: late(async () => (await import('../welcome/words-dialog.tsx')).WordsDialog),
  palette: late(async () => (await import('../palette/palette.tsx')).Palette),
  image: late(async () => (await import('../messages/image-dialog.tsx')).ImageDialog),
  shortcuts: late(async () => (await import('../palette/cheat-sheet.tsx')).CheatSheet),
};

export function fetchPartsAhead(): void {
  for (const part of [...Object.values(latePages), ...Object.values(lateDialogs)]) part.fetchAhead();
}
