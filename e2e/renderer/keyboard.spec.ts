/** The window without a mouse, and its theme. */
import { expect, test } from './fixture.ts';
import { AddFriendScreen } from '../screens/add-friend.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FrameScreen } from '../screens/frame.ts';
import { HopLogScreen } from '../screens/hop-log.ts';
import { SettingsScreen } from '../screens/settings.ts';

test.describe('keyboard', () => {
  test('finds, moves, lists and closes without a mouse', async ({ open }) => {
    const page = await open('full');
    const frame = new FrameScreen(page);
    const chats = new ChatsScreen(page);
    await frame.findAndOpen('tomas');
    await chats.conversation('Tomás Ferreira').waitFor();
    await expect(chats.composer).toBeFocused();
    await page.keyboard.press('Alt+ArrowDown');
    await chats.conversation('Anna Lindqvist').waitFor();
    await page.keyboard.press('Control+/');
    await expect(frame.dialog('Keyboard shortcuts')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(frame.dialog('Keyboard shortcuts')).toBeHidden();
    await expect(chats.composer).toBeFocused();
    await page.keyboard.press('Control+n');
    await expect(frame.dialog('Add a friend')).toBeVisible();
    await expect(new AddFriendScreen(page).link).toBeFocused();
  });

  test('what is typed before the search is there goes into it, and not into the message behind', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await chats.open('Anna Lindqvist');
    await chats.composer.fill('Half a thought');
    // All in one turn, as fast as no hand and as slow as no machine: the window has had no time to draw.
    await page.evaluate(() => {
      const press = (key: string, ctrlKey = false): void => { (document.activeElement ?? window).dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true })); };
      press('k', true);
      for (const key of ['t', 'o', 'm', 'x', 'Backspace', 'Enter']) press(key);
    });
    await chats.conversation('Tomás Ferreira').waitFor();
    await chats.open('Anna Lindqvist');
    await expect(chats.composer).toHaveValue('Half a thought');
  });

  test('Escape takes back a dialog that is not there yet', async ({ open }) => {
    const page = await open('full');
    const frame = new FrameScreen(page);
    await new ChatsScreen(page).open('Anna Lindqvist');
    await page.evaluate(() => {
      const press = (key: string, ctrlKey = false): void => { (document.activeElement ?? window).dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true })); };
      press('k', true);
      press('Escape');
    });
    await expect(frame.dialog('Find anything')).toHaveCount(0);
    await expect(new ChatsScreen(page).composer).toBeFocused();
  });

  test('F6 goes round the panes, arrows through the messages, Enter opens the hop log', async ({ open }) => {
    const page = await open('full');
    await new ChatsScreen(page).open('Anna Lindqvist');
    const panes: (string | null)[] = [];
    for (let turn = 0; turn < 4; turn += 1) {
      await page.keyboard.press('F6');
      panes.push(await page.evaluate(() => document.activeElement?.closest('[data-pane]')?.getAttribute('data-pane') ?? null));
    }
    expect(panes).toEqual(['rail', 'list', 'conversation', 'composer']);
    await page.keyboard.press('Shift+F6');
    await page.keyboard.press('ArrowUp');
    await expect(page.getByRole('listitem').filter({ hasText: 'The shed is fine' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(new HopLogScreen(page).drawer).toContainText('The shed is fine');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('listitem').filter({ hasText: 'The shed is fine' })).toBeFocused();
  });

  test('the theme follows the system until a person chooses', async ({ open }) => {
    const page = await open('full');
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await background();
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await background()).not.toBe(dark);
    await new FrameScreen(page).open('Settings');
    await new SettingsScreen(page).chooseTheme('Dark');
    await expect.poll(background).toBe(dark);
  });
});
