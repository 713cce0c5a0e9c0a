/** The first steps: a new identity with its words, one brought along, a locked one, and Echo. */
import { expect, test } from './fixture.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FrameScreen } from '../screens/frame.ts';
import { WelcomeScreen } from '../screens/welcome.ts';

test.describe('first run', () => {
  test('a new identity asks three words back, and then nothing reminds of them', async ({ open }) => {
    const page = await open('welcome');
    const welcome = new WelcomeScreen(page);
    await welcome.createIdentity('Mats');
    await welcome.confirmWords(await welcome.readWords());
    await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible();
    await expect(new FrameScreen(page).wordsReminder).toBeHidden();
  });

  test('words put off leave a reminder that stays until they are confirmed', async ({ open }) => {
    const page = await open('welcome');
    const welcome = new WelcomeScreen(page);
    const frame = new FrameScreen(page);
    await welcome.createIdentity('Mats');
    const words = await welcome.readWords();
    await welcome.saveWordsLater();
    await frame.open('Relays');
    await expect(frame.wordsReminder).toBeVisible();
    await page.getByRole('button', { name: 'Confirm now' }).click();
    await welcome.confirmWords(words.map(() => 'wrong'));
    await expect(page.getByRole('alert')).toContainText('not the word you were shown');
    await page.getByRole('button', { name: 'Show the words again' }).click();
    await welcome.confirmWords(words);
    await expect(frame.wordsReminder).toBeHidden();
  });

  test('an identity is brought along with its words, and wrong ones are explained', async ({ open }) => {
    const page = await open('welcome');
    await new WelcomeScreen(page).restoreIdentity('Mats', 'only three words');
    await expect(page.getByText('Enter all 24 words')).toBeVisible();
    await page.getByLabel('24 words or secret key').fill('ab'.repeat(32));
    await page.getByRole('button', { name: 'Restore' }).click();
    await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible();
  });

  test('the passphrase opens a locked account and a wrong one is said to be wrong', async ({ open }) => {
    const page = await open('locked');
    const welcome = new WelcomeScreen(page);
    await welcome.unlock('guess');
    await expect(page.getByText('This is not the passphrase')).toBeVisible();
    await welcome.unlock('open');
    await expect(page.getByRole('heading', { name: 'Chats' })).toBeVisible();
  });

  test('Echo: take it offline, write, bring it back', async ({ open }) => {
    const page = await open('welcome');
    await new WelcomeScreen(page).tryWithEcho('Mats');
    const chats = new ChatsScreen(page);
    await chats.conversation('Echo').waitFor();
    await chats.takeEchoOffline();
    await chats.write('Can you hear me?');
    await expect(chats.lastState).toHaveText(/^Held by .+ until /);
    await chats.bringEchoBack();
    await expect(chats.lastState).toHaveText('Read');
    await expect(chats.message('Echo: Can you hear me?')).toBeVisible();
  });
});
