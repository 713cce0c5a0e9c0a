/** What people get wrong: every mistake is answered by a sentence that helps, and what they wrote stays. */
import { expect, test } from './story.ts';

test('wrong words are told apart from missing ones, and stay in the field', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.restoreIdentity('Ada', 'only three words');
  await expect(ada.welcome.secret).toHaveAccessibleDescription(/Enter all 24 words/);
  await ada.welcome.secret.fill(`${'abandon '.repeat(23)}abandon`);
  await ada.page.getByRole('button', { name: 'Restore' }).click();
  await expect(ada.page.getByRole('alert')).toContainText(/word/);
  await ada.welcome.secret.fill(`${'abandon '.repeat(23)}waypost`);
  await ada.page.getByRole('button', { name: 'Restore' }).click();
  await expect(ada.page.getByRole('alert')).toContainText(/word/);
  await expect(ada.welcome.secret).toHaveValue(/abandon .*waypost/);
  await ada.welcome.secret.fill('0'.repeat(64));
  await ada.page.getByRole('button', { name: 'Restore' }).click();
  await expect(ada.page.getByRole('alert')).toContainText(/key/);
});

test('a broken link, a cut one and one\'s own are refused with what to do, before anything is added', async ({ person }) => {
  const ada = person('Ada');
  await ada.begin();
  const own = await ada.friends.shareOwnLink();
  await ada.frame.closeDialog();
  const changed = `${own.slice(0, 40)}${own[40] === 'a' ? 'b' : 'a'}${own.slice(41)}`;
  const wrong = [
    ['nonsense', 'This is neither an invite link nor an address.'],
    [changed, 'This link was changed on its way.'],
    [own.slice(0, -12), /changed on its way|end of this link is missing/],
    [own, 'This is your own link.'],
    [`02${'f'.repeat(64)}`, 'The key in this address does not exist.'],
  ] as const;
  await ada.friends.open();
  for (const [link, sentence] of wrong) {
    await ada.friends.link.fill(link);
    await expect(ada.friends.link).toHaveAccessibleDescription(typeof sentence === 'string' ? new RegExp(sentence.replaceAll('.', '\\.')) : sentence);
    await expect(ada.friends.link).toHaveValue(link);
    await expect(ada.friends.preview).toBeHidden();
    await expect(ada.friends.addButton).toBeDisabled();
  }
  await ada.frame.closeDialog();
  await expect(ada.page.getByText('No friends yet', { exact: true })).toBeVisible();
});

test('a text of more than 64 KiB is not sent and not lost; a draft outlives the application', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.tryWithEcho('Ada');
  await ada.chats.conversation('Echo').waitFor();
  const tooLong = 'ä'.repeat(32_769);
  await ada.chats.composer.fill(tooLong);
  await expect(ada.page.getByText('This is 2 bytes longer than a message may be. Shorten it or send it in parts.')).toBeVisible();
  await ada.chats.composer.press('Enter');
  await expect(ada.chats.composer).toHaveValue(tooLong);
  await expect(ada.chats.sendButton).toBeDisabled();
  await ada.chats.composer.press('Backspace');
  await ada.chats.composer.press('Enter');
  await expect(ada.chats.composer).toHaveValue('');
  await expect(ada.chats.lastState).toHaveText(/^(Delivered|Read)$/);

  await ada.chats.composer.fill('Half a thought');
  await ada.frame.open('Outbox');
  await ada.quit();
  await ada.start();
  await expect(ada.chats.entry('Echo')).toContainText('Half a thought');
  await ada.chats.open('Echo');
  await expect(ada.chats.composer).toHaveValue('Half a thought');
});
