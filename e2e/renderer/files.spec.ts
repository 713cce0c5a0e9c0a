/** Files in conversations: their states, attaching and sending, coming and saving. */
import { expect, test, type Fixtures, type Page } from './fixture.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FilesScreen } from '../screens/files.ts';
import { FrameScreen } from '../screens/frame.ts';

test.describe('files', () => {
  const openFiles = async (open: Fixtures['open'], scenario = 'files'): Promise<{ readonly page: Page; readonly files: FilesScreen; readonly chats: ChatsScreen }> => {
    const page = await open(scenario);
    const chats = new ChatsScreen(page);
    await chats.open('Anna Lindqvist');
    return { page, files: new FilesScreen(page), chats };
  };

  test('each state says where the file is and offers what can be done', async ({ open }) => {
    const { files } = await openFiles(open);
    const expected: readonly (readonly [name: string, words: string, actions: readonly string[]])[] = [
      ['from the jetty.jpg', 'High water this morning.', ['Enlarge from the jetty.jpg']],
      ['chart of the inner harbour.png', 'Nobody who has it is online.', ['Cancel']],
      ['Regatta film.mp4', 'It comes when you ask for it.', ['Download 312 MB']],
      ['drone flight.mp4', 'From its sender through relay.harbour.example', ['Pause', 'Cancel']],
      ['songs.zip', 'Paused. What is here is kept.', ['Resume', 'Cancel']],
      ['backup of the old site.zip', 'This disk is full.', ['Try again', 'Cancel']],
      ['list of berths.txt', 'The message comes first', ['Cancel']],
      ['berths.pdf', '410 kB', ['Save as…']],
      ['invoice.pdf', 'It arrived damaged', ['Try again']],
      ['draft.txt', 'Cancelled.', ['Try again']],
      ['last summer.jpg', 'Nobody has it any more.', ['Try again']],
      ['old plan.pdf', 'Expired.', []],
      ['notes.txt', 'It could not be read on this disk.', ['Try again']],
      ['wrong list.txt', 'They took it back.', []],
      ['sail plan.pdf', 'relay.harbour.example holds it.', ['Cancel', 'Show where']],
      ['raw pictures.zip', 'Their mailbox has no room for it.', ['Cancel', 'Show where']],
      ['logbook.pdf', 'Waiting for 9 other files.', ['Cancel', 'Show where']],
      ['whole archive.zip', 'Their relays hold 268 MB at most.', ['Cancel', 'Show where']],
      ['old letter.txt', 'It was not fetched in time.', ['Show where']],
      ['scan.pdf', 'relay.harbour.example is taking it:', ['Cancel', 'Show where']],
    ];
    for (const [name, words, actions] of expected) {
      const message = await files.message(name);
      await expect(message, name).toContainText(words);
      const names = (): Promise<string[]> => message.getByRole('button').evaluateAll((buttons) => buttons.map((button) => button.getAttribute('aria-label') ?? button.textContent));
      await expect.poll(async () => (await names()).map((one) => (one.includes('Show where') ? 'Show where' : one)), name).toEqual(actions);
    }
  });

  test('a file that was asked for comes, can be paused, and is said to be here', async ({ open }) => {
    const { page, files } = await openFiles(open);
    const message = await files.message('Regatta film.mp4');
    await files.action(message, 'Download 312 MB').click();
    const bar = message.getByRole('progressbar', { name: 'Progress of Regatta film.mp4' });
    await expect(bar).toHaveAttribute('aria-valuetext', /^[1-9]\d? %\. .+ of 312 MB, .+\/s, .+ left\. From relay\.harbour\.example$/);
    await files.action(message, 'Pause').click();
    await expect(message).toContainText('Paused.');
    await files.action(message, 'Resume').click();
    await expect(files.action(message, 'Save as…')).toBeVisible({ timeout: 20_000 });
    await expect(files.news).toHaveText('Regatta film.mp4 is here.');
    await files.action(message, 'Save as…').click();
    await expect(new FrameScreen(page).notes).toContainText('Saved to /home/mats/Downloads/Regatta film.mp4');
  });

  test('a picture keeps its place in the list while it comes', async ({ open }) => {
    const { files } = await openFiles(open);
    const message = await files.message('mast.webp');
    const height = (): Promise<number | undefined> => message.locator('.bubble').boundingBox().then((box) => box?.height);
    const before = await height();
    await expect(message.getByRole('img', { name: 'mast.webp' })).toBeVisible({ timeout: 20_000 });
    expect(await height()).toBe(before);
  });

  test('a picture is shown large and saved from there, and the focus comes back', async ({ open }) => {
    const { page, files } = await openFiles(open);
    const dialog = await files.enlarge('sunset.jpg');
    await expect(dialog.getByRole('img', { name: 'sunset.jpg' })).toBeInViewport({ ratio: 1 });
    await dialog.getByRole('button', { name: 'Save as…' }).click();
    await expect(new FrameScreen(page).notes).toContainText('Saved to');
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(page.getByRole('button', { name: 'Enlarge sunset.jpg' })).toBeFocused();
  });

  test('from the keyboard, Tab leads from the message to what can be done with its file', async ({ open }) => {
    const { page, files } = await openFiles(open);
    const message = await files.message('berths.pdf');
    await message.focus();
    await page.keyboard.press('Tab');
    await expect(files.action(message, 'Save as…')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(new FrameScreen(page).notes).toContainText('Saved to');
  });

  test('chosen files wait above the text, which goes with the first of them', async ({ open }) => {
    const { files, chats } = await openFiles(open, 'full');
    await files.choose({ name: 'one.txt', content: 'first' }, { name: 'two.txt', content: 'second' }, { name: 'three.txt', content: 'third' });
    await expect(files.chips).toHaveCount(3);
    await expect(files.chip('one.txt')).toContainText('5 bytes');
    await files.remove('two.txt');
    await expect(chats.composer).toBeFocused();
    await chats.write('Both of them');
    await expect(files.chips).toHaveCount(0);
    await expect(chats.composer).toHaveValue('');
    const sent = chats.messages('Anna Lindqvist').filter({ hasText: /one\.txt|three\.txt/ });
    await expect(sent).toHaveCount(2);
    await expect(sent.first()).toContainText('Both of them');
    await expect(sent.last()).toContainText('three.txt');
    await expect(sent.last()).not.toContainText('Both of them');
    await expect(sent.last()).toContainText('relay.harbour.example holds it.', { timeout: 20_000 });
  });

  test('what will happen to a large file is said before it is sent, and one too large keeps the rest from going', async ({ open }) => {
    const { files } = await openFiles(open, 'full');
    await files.drag([{ name: 'film.mp4', pretendedBytes: 3e8 }, { name: 'disk image.iso', pretendedBytes: 7e10 }]);
    await expect(files.chip('film.mp4')).toContainText('Larger than 268 MB, the most that their relays hold: it arrives only while you are both online.');
    await expect(files.chip('disk image.iso')).toContainText('Larger than 69 GB, the most Waypost sends.');
    await expect(files.sendButton).toBeDisabled();
    await files.remove('disk image.iso');
    await files.sendButton.click();
    await expect(files.chip('film.mp4')).toContainText('Being sealed.');
    await expect(files.list).toContainText('Their relays hold 268 MB at most. It goes while you are both online.');
  });

  test('sealing goes on behind another conversation, and neither file nor text is lost on the way', async ({ open }) => {
    const { files, chats } = await openFiles(open, 'full');
    await files.drag([{ name: 'long film.mp4', pretendedBytes: 5e8 }]);
    await chats.write('Have fun');
    await expect(files.chip('long film.mp4')).toContainText('Being sealed.');
    await chats.open('Echo');
    await expect(files.chips).toHaveCount(0);
    await chats.open('Anna Lindqvist');
    await expect(files.chip('long film.mp4')).toContainText('Being sealed.');
    await expect(chats.composer).toHaveValue('Have fun');
    await expect(chats.message('long film.mp4')).toContainText('Have fun');
    await expect(files.chips).toHaveCount(0);
    await expect(chats.composer).toHaveValue('');
  });

  test('what could not be sent keeps its file and its text, with the reason', async ({ open }) => {
    const { files, chats } = await openFiles(open, 'full');
    await files.drag([{ name: 'unreadable.txt' }, { name: 'next.txt' }]);
    await chats.write('Please read');
    await expect(files.chip('unreadable.txt')).toContainText('can not be read. Check that it is still there');
    await expect(files.chips).toHaveCount(2);
    await expect(chats.composer).toHaveValue('Please read');
    await files.remove('unreadable.txt');
    await files.sendButton.click();
    await expect(chats.message('next.txt')).toContainText('Please read');
  });

  test('a drop is announced while it hangs over the conversation, and pictures are pasted', async ({ open }) => {
    const { page, files, chats } = await openFiles(open, 'full');
    await files.drag([{ name: 'a.txt' }], { drop: false });
    await expect(files.dropTarget).toContainText('Drop to attach for Anna Lindqvist');
    await chats.conversation('Anna Lindqvist').dispatchEvent('dragleave', { dataTransfer: await page.evaluateHandle(() => { const transfer = new DataTransfer(); transfer.items.add(new File(['x'], 'x')); return transfer; }) });
    await expect(files.dropTarget).toBeHidden();
    await files.paste([{ name: 'image.png' }]);
    await expect(files.chip('image.png')).toBeVisible();
    await files.paste([{ name: 'table as a picture.png' }], { 'text/plain': 'a table', 'text/html': '<table>' });
    await expect(files.chips).toHaveCount(1);
  });

  test('whoever looks at the newest keeps looking at it when the window becomes smaller, pictures or not', async ({ open }) => {
    const page = await open('files');
    await page.setViewportSize({ width: 1180, height: 820 });
    await new ChatsScreen(page).open('Anna Lindqvist');
    const list = new FilesScreen(page).list;
    const belowPixels = (): Promise<number> => list.evaluate((element) => Math.round(element.scrollHeight - element.scrollTop - element.clientHeight));
    await expect.poll(belowPixels).toBeLessThan(2);
    for (const [width, height] of [[720, 520], [1180, 820], [900, 600]] as const) {
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(300);
      expect(await belowPixels(), `${String(width)} x ${String(height)}`).toBeLessThan(2);
    }
  });

  test('what is said about a saved file leaves the text and its buttons free', async ({ open }) => {
    const { page, files, chats } = await openFiles(open);
    const message = await files.message('berths.pdf');
    await files.action(message, 'Save as…').click();
    const toast = page.locator('.toast').last();
    await expect(toast).toContainText('Saved to');
    const [toastBox, composerBox] = [await toast.boundingBox(), await page.locator('.composer').boundingBox()];
    expect((toastBox?.y ?? 0) + (toastBox?.height ?? 0)).toBeLessThanOrEqual(composerBox?.y ?? 0);
    await expect(chats.composer).toBeVisible();
  });

  test('several files say that they become several messages', async ({ open }) => {
    const { page, files } = await openFiles(open, 'full');
    await files.choose({ name: 'one.txt', content: 'first' });
    await expect(page.getByText('become')).toHaveCount(0);
    await files.choose({ name: 'two.txt', content: 'second' });
    await expect(page.getByText('2 files become 2 messages, in this order. A text goes with the first.')).toBeVisible();
  });

  test('the shortcut and the palette attach too', async ({ open }) => {
    const { page, files } = await openFiles(open, 'full');
    for (const [index, press] of [() => page.keyboard.press('Control+u'), () => new FrameScreen(page).findAndOpen('attach')].entries()) {
      const chooser = page.waitForEvent('filechooser');
      await press();
      await (await chooser).setFiles([{ name: 'by key.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
      await expect(files.chips).toHaveCount(index + 1);
    }
  });
});
