/** Another computer, the same identity: 24 words bring it there, letters follow, and the old installation says what happened. */
import { useRelay } from './friends.ts';
import { expect, test } from './story.ts';

test('words restore an identity elsewhere: letters for the old device are sealed again and reach the new one', async ({ person, withoutWindow, relay }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.createIdentity('Ada');
  const words = await ada.welcome.readWords();
  await ada.welcome.confirmWords(words);
  await ada.frame.open('Settings');
  const key = await ada.settings.ownAddress();
  await useRelay(ada, relay);

  const ben = await withoutWindow('Ben', relay.hint);
  await ben.start();
  await ada.frame.open('Chats');
  await ada.friends.addByLink(await ben.invite(), 'Ben');
  await ada.chats.write('Hello Ben');
  await expect(ada.chats.lastState).toHaveText('Delivered');
  await ada.quit();

  // Sealed for the computer that is off, and kept by the relay.
  const letter = await ben.send(key, 'For the old computer', '--wait', 'stored', '--timeout', '40');
  expect(letter.headline.state).toBe('stored');

  const newAda = person('Ada');
  await newAda.start();
  await newAda.welcome.restoreIdentity('Ada', words.join(' '));
  await expect(newAda.frame.places).toBeVisible();
  await expect(newAda.frame.wordsReminder).toBeHidden();
  await useRelay(newAda, relay);
  // He would ask the relay how the letter is within a minute; trying again asks now.
  await ben.run('retry', 'all');
  await newAda.frame.open('Chats');
  // Words bring the key and nothing else: friends are strangers there until they are accepted again.
  await expect(newAda.chats.requests).toHaveCount(1);
  await newAda.chats.open(await newAda.chats.requestNamed('For the old computer'));
  await expect(newAda.chats.message('For the old computer')).toHaveCount(1);
  await newAda.chats.acceptRequest();
  await newAda.chats.write('I am on a new computer');
  await expect(newAda.chats.lastState).toHaveText(/^(Delivered|Read)$/);
  expect(await ben.inbox()).toEqual(['Hello Ben', 'I am on a new computer']);

  await ada.start();
  await expect(ada.frame.reminders).toContainText('A newer installation of yours has replaced this one.');
  await expect(ada.frame.connectionLine).toContainText('Replaced by a newer installation of yours');
  await ada.chats.open('Ben');
  await expect(ada.chats.message('Hello Ben')).toHaveCount(1);

  await ben.send(key, 'And this is for the new one', '--wait', 'delivered', '--timeout', '40');
  await expect(newAda.chats.message('And this is for the new one')).toHaveCount(1);
  await expect(ada.chats.message('And this is for the new one')).toHaveCount(0);
});
