/** The whole way from the first start to a message that was taken back, with the keyboard alone. */
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './story.ts';

/** More stops than any screen has: a control that Tab does not reach in one round is not reached at all. */
const stopsMaximum = 80;

/** Tabs to a control; fails when Tab goes round without coming to it. */
async function tabTo(page: Page, control: Locator): Promise<void> {
  await control.waitFor();
  for (let stop = 0; stop < stopsMaximum; stop += 1) {
    if (await control.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  await expect(control).toBeFocused();
}

async function activate(page: Page, control: Locator): Promise<void> {
  await tabTo(page, control);
  await page.keyboard.press('Enter');
}

test('an identity, a message to Echo, its way and its cancellation: no mouse', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  const { page, keyboard } = { page: ada.page, keyboard: ada.page.keyboard };
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });

  await activate(page, button('Create an identity'));
  await tabTo(page, page.getByLabel('Name', { exact: true }));
  await keyboard.type('Ada');
  await keyboard.press('Enter');
  await ada.welcome.readWords();
  await activate(page, button('Later'));
  await expect(ada.frame.places).toBeVisible();

  await activate(page, button('Try it with Echo'));
  await ada.chats.conversation('Echo').waitFor();
  await expect(ada.chats.composer).toBeFocused();
  await keyboard.type('Hello');
  await keyboard.press('Enter');
  await expect(ada.chats.message('Echo: Hello')).toHaveCount(1);
  await expect(ada.chats.composer).toBeFocused();

  await activate(page, button('Take offline'));
  await expect(button('Bring back')).toBeVisible();
  await tabTo(page, ada.chats.composer);
  await keyboard.type('One line');
  await keyboard.press('Shift+Enter');
  await keyboard.type('and another');
  await keyboard.press('Enter');
  await expect(ada.chats.lastState).toHaveText(/^Held by /);
  await keyboard.press('Control+d');
  await expect(ada.hops.drawer).toBeVisible();
  await activate(page, ada.hops.drawer.getByRole('button', { name: 'Cancel message' }));
  await expect(ada.chats.lastState).toHaveText('Cancelled');
  await keyboard.press('Escape');
  await expect(ada.hops.drawer).toBeHidden();

  await tabTo(page, ada.chats.composer);
  await keyboard.type('This one from the Outbox');
  await keyboard.press('Enter');
  await expect(ada.chats.lastState).toHaveText(/^Held by /);
  await keyboard.press('Control+Shift+Q');
  await expect(ada.outbox.row('This one from the Outbox')).toBeVisible();
  await activate(page, ada.outbox.row('This one from the Outbox').getByRole('button', { name: /^Cancel/ }));
  await expect(ada.outbox.row('This one from the Outbox')).toHaveCount(0);

  await keyboard.press('Control+k');
  await keyboard.type('Echo');
  await keyboard.press('Enter');
  await ada.chats.conversation('Echo').waitFor();
  await expect(ada.chats.lastState).toHaveText('Cancelled');
  await activate(page, button('Bring back'));
  await tabTo(page, ada.chats.composer);
  await keyboard.type('Still there?');
  await keyboard.press('Enter');
  await expect(ada.chats.message('Echo: Still there?')).toHaveCount(1);
  await expect(ada.chats.message('Echo: One line')).toHaveCount(0);
  await expect(ada.chats.message('Echo: This one from the Outbox')).toHaveCount(0);
});
