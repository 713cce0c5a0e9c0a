/** Two people, two computers, one relay between them, and a message between them while one is away. */
import { beginWithRelay } from './friends.ts';
import { expect, test } from './story.ts';

test('friends become friends by a link, and a message crosses while the other one is away', async ({ person, relay }) => {
  const ada = person('Ada');
  const ben = person('Ben');
  await beginWithRelay(relay, ada, ben);
  const link = await ada.friends.shareOwnLink();
  const fingerprint = await ada.page.getByRole('dialog').locator('.fingerprint').innerText();
  await ada.frame.closeDialog();
  await ben.friends.open();
  await ben.friends.link.fill(link);
  await expect(ben.friends.preview).toContainText('Ada');
  await expect(ben.friends.preview.locator('.fingerprint')).toHaveText(fingerprint, { useInnerText: true });
  expect(fingerprint.match(/[a-z]+/g)).toHaveLength(6);
  await ben.friends.confirm();
  await ben.chats.conversation('Ada').waitFor();
  await expect(ada.chats.entry('Ben')).toBeVisible();
  await ada.quit();

  await ben.chats.write('Are you there? I have news.');
  await expect(ben.chats.lastState).toHaveText(new RegExp(`^Held by ${relay.name}( and .*)? until `));
  await ben.quit();

  await ada.start();
  await ada.chats.open('Ben');
  await expect(ada.chats.message('Are you there? I have news.')).toHaveCount(1);
  await expect(ada.chats.entry('Ben')).not.toContainText('unread');
  await ben.start();
  await ben.chats.open('Ada');
  // Her word that she read it is held back for up to 20 s on purpose.
  await expect(ben.chats.lastState).toHaveText('Read', { timeout: 40_000 });
  await ben.hops.openFor('Are you there? I have news.');
  expect(await ben.hops.past()).toEqual(expect.arrayContaining(['Saved on this computer', `Held by ${relay.name}`, 'Delivered to their device', 'Read']));
  await expect(ben.chats.messages('Ada')).toHaveCount(1);

  await ada.quit();
  await ada.start();
  await ada.chats.open('Ben');
  await expect(ada.chats.messages('Ben')).toHaveCount(1);
});
