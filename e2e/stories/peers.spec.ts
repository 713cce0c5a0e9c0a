/** How two people reach each other: the page of peers says by which path, and the log of a message says by which way it went. */
import { PeersScreen } from '../screens/peers.ts';
import { beginAsFriends } from './friends.ts';
import { keepPictures } from './pictures.ts';
import { expect, test } from './story.ts';

test('two people who are here see the path between them, its traffic, and the way of each message', async ({ person, relay }) => {
  const ada = person('Ada');
  const ben = person('Ben');
  await beginAsFriends(relay, ada, ben);
  await ben.chats.write('Which way does this go?');
  await expect(ben.chats.lastState).toHaveText(/^(Delivered|Read)/);

  await ben.frame.open('Peers');
  const peers = new PeersScreen(ben.page);
  await expect(peers.card('Ada')).toContainText(/Local network|Direct|Through /);
  await expect(peers.card('Ada')).toContainText(/Sent\s*[\d.]+ (bytes|kB)/);
  await expect(peers.card('Ada').getByRole('img')).toHaveAccessibleName(/^Last [\d,]+ round trip/);
  await peers.fold('Ada').click();
  await expect(peers.paths('Ada').first()).toContainText('In use');
  await keepPictures(ben, 'peers');

  await ben.frame.open('Chats');
  await ben.chats.open('Ada');
  await ben.chats.write('And this one, now that you are here?');
  await expect(ben.chats.lastState).toHaveText(/^(Delivered|Read)/);
  await ben.hops.openFor('And this one, now that you are here?');
  // By themselves, or by a relay that names itself: each row says when.
  expect((await ben.hops.past()).join('; ')).toMatch(/Delivered (directly|to their device)/);
  for (const row of await ben.hops.rows.all()) await expect(row.locator('time')).toHaveAttribute('datetime', /^\d{4}-/);
  await keepPictures(ben, 'hop-log');

  await ada.quit();
  await ben.frame.open('Peers');
  await expect(peers.card('Ada')).toContainText(/Not connected|not answering|Last heard/i);
});
