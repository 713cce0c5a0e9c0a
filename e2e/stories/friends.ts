/** What many stories begin with: people with windows who have an identity and use a relay, and two of them who are friends by a link. */
import type { Person } from './person.ts';
import { expect, type RelayProcess } from './story.ts';

/** Adds the relay to those of somebody, and stays at their relays. */
export async function useRelay(one: Person, relay: RelayProcess): Promise<void> {
  await one.frame.open('Relays');
  await one.relays.add(relay.hint);
  await expect(one.relays.row(relay.name)).toContainText('Connected');
}

/** First starts with new identities that use the relay, back at the chats. */
export async function beginWithRelay(relay: RelayProcess, ...people: readonly Person[]): Promise<void> {
  await Promise.all(people.map((one) => one.begin()));
  for (const one of people) {
    await useRelay(one, relay);
    await one.frame.open('Chats');
  }
}

/** Both begin with the relay, and the second adds the first by their link: each has the other among the chats, and the second has theirs open. */
export async function beginAsFriends(relay: RelayProcess, inviting: Person, invited: Person): Promise<void> {
  await beginWithRelay(relay, inviting, invited);
  const link = await inviting.friends.shareOwnLink();
  await inviting.frame.closeDialog();
  await invited.friends.open();
  await invited.friends.link.fill(link);
  await expect(invited.friends.preview).toContainText(inviting.name);
  await invited.friends.confirm();
  await invited.chats.conversation(inviting.name).waitFor();
  await expect(inviting.chats.entry(invited.name)).toBeVisible();
}
