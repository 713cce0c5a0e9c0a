/** Pages that are fetched when they are asked for, and pages with nothing in them. */
import { expect, friendKey, place, test, type Page } from './fixture.ts';
import { AddFriendScreen } from '../screens/add-friend.ts';
import { FrameScreen } from '../screens/frame.ts';
import { OutboxScreen } from '../screens/outbox.ts';

test.describe('pages that are fetched when they are asked for', () => {
  test('the page before stays until the next is here, and nothing is empty in between', async ({ open, served }) => {
    const page = await open('full', async (fresh) => {
      await fresh.route(`${served.url}/assets/outbox-page-*`, async (route) => {
        await fresh.locator('[aria-current=page]').filter({ hasText: 'Outbox' }).waitFor();
        await expect(fresh.getByRole('heading', { name: 'Chats' })).toBeVisible();
        await expect(fresh.getByRole('heading', { name: 'Outbox' })).toBeHidden();
        await route.continue();
      });
    });
    await new FrameScreen(page).open('Outbox');
    await expect(new OutboxScreen(page).rows).toHaveCount(5);
    await expect(page.getByRole('heading', { name: 'Chats' })).toBeHidden();
  });

  test('a page whose file is gone says so and leaves the rest as it was', async ({ served, chromiumBrowser }) => {
    const page = await chromiumBrowser.newPage();
    await page.route(`${served.url}/assets/relays-page-*`, (route) => route.abort());
    await page.goto(`${served.url}/?scenario=full`);
    const frame = new FrameScreen(page);
    await frame.open('Relays');
    await expect(page.getByRole('alert')).toContainText('This page could not be shown');
    await frame.open('Peers');
    await expect(page.getByRole('heading', { name: 'Peers' })).toBeVisible();
    await expect(page.getByRole('alert')).toBeHidden();
    await page.close();
  });
});

test.describe('empty states', () => {
  const titles: readonly (readonly [title: string, level: number, arrange: (page: Page) => Promise<void>])[] = [
    ['No friends yet', 2, () => Promise.resolve()],
    ['Your conversations appear here', 2, () => Promise.resolve()],
    ['Nobody is in contact with this computer', 2, place('Peers')],
    ['No relay yet', 2, place('Relays')],
    ['Nothing is waiting', 2, place('Outbox')],
    ['Nothing written to Solveig yet', 3, (page) => new AddFriendScreen(page).addByLink(`waypost:invite/${friendKey}`)],
  ];
  for (const [title, level, arrange] of titles) {
    test(`"${title}" is a heading one level below what it stands in`, async ({ open }) => {
      const page = await open('empty');
      await arrange(page);
      await expect(page.getByRole('heading', { name: title, level })).toBeVisible();
      const levels = await page.locator('h1, h2, h3').evaluateAll((headings) => headings.map((heading) => Number(heading.tagName.slice(1))));
      expect(levels[0]).toBe(1);
      expect(levels.every((one, index) => one - (levels[index - 1] ?? 0) <= 1)).toBe(true);
    });
  }
});
