/** Conversations in the window: writing, drafts, long histories, the hop log, requests. */
import { expect, test } from './fixture.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FrameScreen } from '../screens/frame.ts';
import { HopLogScreen } from '../screens/hop-log.ts';
import { SettingsScreen } from '../screens/settings.ts';

test.describe('conversations', () => {
  test('a draft survives leaving the conversation and is marked in the list', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await chats.open('Anna Lindqvist');
    await chats.composer.fill('Half a thought');
    await chats.open('Echo');
    await expect(chats.entry('Anna Lindqvist')).toContainText('Draft:Half a thought');
    await chats.open('Anna Lindqvist');
    await expect(chats.composer).toHaveValue('Half a thought');
    await chats.composer.press('Enter');
    await expect(chats.composer).toHaveValue('');
    await expect(chats.message('Half a thought')).toBeVisible();
  });

  test('Shift+Enter starts a new line and Enter sends', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await chats.open('Echo');
    await chats.composer.pressSequentially('one');
    await chats.composer.press('Shift+Enter');
    await chats.composer.pressSequentially('two');
    await chats.composer.press('Enter');
    await expect(chats.message(/one\ntwo/).first()).toBeVisible();
  });

  test('a text over the limit is not sent, and the window says by how much', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await chats.open('Anna Lindqvist');
    await chats.composer.fill('ä'.repeat(32_768));
    await expect(page.getByText('0 bytes left')).toBeVisible();
    await chats.composer.fill('ä'.repeat(32_769));
    await expect(page.getByText('This is 2 bytes longer than a message may be.')).toBeVisible();
    await expect(chats.sendButton).toBeDisabled();
    await expect(chats.composer).toHaveAttribute('aria-invalid', 'true');
  });

  test('a text too long to be saved survives a look at another conversation, until it fits', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    const text = `Chapter one ${'ä'.repeat(40_000)}`;
    await chats.open('Anna Lindqvist');
    await chats.composer.fill(text);
    await expect(page.getByText('Until then it is not saved and stays only while this window is open.')).toBeVisible();
    await chats.open('Echo');
    await expect(chats.composer).toHaveValue('');
    await expect(page.getByText('Until then it is not saved')).toBeHidden();
    await expect(chats.entry('Anna Lindqvist')).toContainText('Draft:Chapter one');
    await chats.open('Anna Lindqvist');
    await expect(chats.composer).toHaveValue(text);
    await expect(chats.sendButton).toBeDisabled();
    await chats.composer.fill('Chapter one');
    await chats.open('Echo');
    await chats.open('Anna Lindqvist');
    await expect(chats.composer).toHaveValue('Chapter one');
  });

  test('opening a conversation clears its unread mark', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await expect(chats.entry('Workshop')).toContainText('2 unread messages');
    await chats.open('Workshop');
    await expect(chats.entry('Workshop')).not.toContainText('unread');
  });

  test('two thousand messages cost as much as a screenful, and older ones keep the place', async ({ open }) => {
    const page = await open('long');
    const chats = new ChatsScreen(page);
    await chats.open('Anna Lindqvist');
    await expect(chats.message('Message number 2000')).toBeInViewport();
    const list = page.getByRole('list', { name: /^Messages with/ });
    await list.evaluate((element) => { element.scrollTop = 0; });
    await expect.poll(() => list.evaluate((element) => element.scrollTop)).toBeGreaterThan(1_000);
    await expect(chats.message('Message number 1951')).toBeInViewport();
    await list.hover();
    for (let turn = 0; turn < 60 && (await chats.message(/Message number 1[0-8]\d\d(?!\d)/).count()) === 0; turn += 1) {
      await page.mouse.wheel(0, -900);
      await page.waitForTimeout(40);
    }
    await expect(chats.message(/Message number 1[0-8]\d\d(?!\d)/).first()).toBeAttached();
    expect(await chats.messages('Anna Lindqvist').count()).toBeLessThan(60);
    await page.getByRole('button', { name: 'Newest' }).click();
    await expect(chats.message('Message number 2000')).toBeInViewport();
  });

  test('the hop log tells where a message has been, dotted where it is still going', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    const hops = new HopLogScreen(page);
    await chats.open('Anna Lindqvist');
    await hops.openFor('I have put the tide table');
    expect(await hops.past()).toEqual(['Saved on this computer', 'Sealed for their device', 'Held by relay.harbour.example', 'Handed to mill.example', 'Held by mill.example']);
    await expect(hops.rows.filter({ hasText: 'Expires' })).toContainText('Still to come');
    await page.keyboard.press('Escape');
    await expect(hops.drawer).toBeHidden();
    await expect(page.getByRole('button', { name: /^Held by .*Show where this message has been$/ }).last()).toBeFocused();
  });

  test('beside the conversation the hop log covers nothing of it; in a narrow window it lies over it and can be closed', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    const hops = new HopLogScreen(page);
    const text = 'I have put the tide table';
    await page.setViewportSize({ width: 1100, height: 720 });
    await chats.open('Anna Lindqvist');
    await hops.openFor(text);
    await expect(hops.rows).not.toHaveCount(0);
    const drawer = await hops.drawer.boundingBox();
    const own = page.locator('.message--own .bubble');
    await expect.poll(async () => {
      const rights = await own.evaluateAll((bubbles) => bubbles.map((bubble) => bubble.getBoundingClientRect().right));
      return rights.length > 0 && rights.every((right) => right <= (drawer?.x ?? 0));
    }).toBe(true);
    // The message that was asked about stays in sight, though its lines break elsewhere now, and so does the place to write.
    await expect(chats.message(text)).toBeInViewport({ ratio: 1 });
    expect((await chats.sendButton.boundingBox())?.x).toBeLessThan(drawer?.x ?? 0);
    await hops.close();
    await expect(hops.drawer).toBeHidden();
    await expect(chats.stateOf(text)).toBeFocused();

    await page.setViewportSize({ width: 720, height: 560 });
    const widthBefore = (await chats.conversation('Anna Lindqvist').boundingBox())?.width;
    await hops.openFor(text);
    expect((await chats.conversation('Anna Lindqvist').boundingBox())?.width).toBe(widthBefore);
    await expect(hops.drawer).toBeInViewport({ ratio: 1 });
    await page.keyboard.press('Escape');
    await expect(hops.drawer).toBeHidden();
    await expect(chats.stateOf(text)).toBeFocused();
  });

  test('the newest message stays in sight when the window or the draft takes its room', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await chats.open('Anna Lindqvist');
    const newest = chats.message('I have put the tide table');
    await expect(newest).toBeInViewport({ ratio: 1 });
    await page.setViewportSize({ width: 720, height: 560 });
    await expect(newest).toBeInViewport({ ratio: 1 });
    await chats.composer.fill('one\ntwo\nthree\nfour\nfive');
    await expect(newest).toBeInViewport({ ratio: 1 });
  });

  test('a message just sent has the fourteen days ahead that it was given', async ({ open }) => {
    const page = await open('offline');
    const chats = new ChatsScreen(page);
    const hops = new HopLogScreen(page);
    await chats.open('Anna Lindqvist');
    await chats.write('Just now');
    await hops.openFor('Just now');
    await expect(hops.rows.filter({ hasText: 'Expires' })).toContainText('in 14 days');
  });

  test('a request is accepted, or blocked and unblocked in Settings', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await chats.open('Unknown visitor');
    await expect(chats.composer).toBeHidden();
    await chats.blockRequest();
    await expect(chats.entry('Unknown visitor')).toBeHidden();
    await new FrameScreen(page).open('Settings');
    await new SettingsScreen(page).unblock('Unknown visitor');
    await new FrameScreen(page).open('Chats');
    await chats.open('Unknown visitor');
    await expect(chats.composer).toBeVisible();
  });

  test('a message that waits is cancelled where it stands', async ({ open }) => {
    const page = await open('full');
    const chats = new ChatsScreen(page);
    await chats.open('Anna Lindqvist');
    await chats.cancelLast();
    await expect(chats.lastState).toHaveText('Cancelled');
  });
});
