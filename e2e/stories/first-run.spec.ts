/** The first minutes with Waypost: an identity, its words, and somebody who answers. */
import { expect, test } from './story.ts';

test('an identity is made, three of its words are asked back, and nothing reminds of them afterwards', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.createIdentity('Ada');
  const words = await ada.welcome.readWords();
  expect(new Set(words.filter((word) => /^[a-z]+$/.test(word))).size).toBeGreaterThan(18);
  await ada.welcome.confirmWords(words);
  await expect(ada.frame.places).toBeVisible();
  await expect(ada.frame.wordsReminder).toBeHidden();
  await ada.frame.open('Settings');
  await expect(ada.settings.name).toHaveValue('Ada');
  await expect(ada.page.getByText('You have confirmed them.')).toBeVisible();
});

test('words put off are asked for until they are confirmed, over restarts and wrong answers', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.createIdentity('Ada');
  const words = await ada.welcome.readWords();
  await ada.welcome.saveWordsLater();
  await expect(ada.frame.wordsReminder).toBeVisible();
  await ada.quit();

  await ada.start();
  await ada.frame.open('Relays');
  await expect(ada.frame.wordsReminder).toBeVisible();
  await ada.page.getByRole('button', { name: 'Confirm now' }).click();
  expect(await ada.welcome.readWords()).toEqual(words);
  await ada.welcome.confirmWords(words.map(() => 'wrong'));
  await expect(ada.page.getByRole('alert')).toContainText('not the word you were shown');
  await ada.page.getByRole('button', { name: 'Show the words again' }).click();
  await ada.welcome.confirmWords(words);
  await expect(ada.frame.wordsReminder).toBeHidden();
  await ada.quit();

  await ada.start();
  await expect(ada.chats.list).toBeVisible();
  await expect(ada.frame.wordsReminder).toBeHidden();
});

test('Echo answers, and what was written to it is delivered', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.tryWithEcho('Ada');
  await ada.chats.conversation('Echo').waitFor();
  await ada.chats.write('Is anybody there?');
  await expect(ada.chats.message('Echo: Is anybody there?')).toHaveCount(1);
  await expect(ada.chats.lastState).toHaveText(/^(Delivered|Read)$/);
  await expect(ada.chats.messages('Echo')).toHaveCount(2);
  await ada.frame.open('Outbox');
  await expect(ada.outbox.row('Is anybody there?')).toHaveCount(0);
});
