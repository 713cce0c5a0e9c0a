/** Opens the window by itself, in a plain browser, against its in-memory double. The page is the built one, under the policy of the application, and must not complain. */
import { chromium, expect, test as base, type Browser, type Page } from '@playwright/test';
import { locateChromium } from '../host/locate-chromium.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FrameScreen, type PlaceName } from '../screens/frame.ts';
import { serveDouble, type ServedDouble } from '../screens/serve-double.ts';

export { expect, type Page } from '@playwright/test';

interface WorkerFixtures {
  readonly served: ServedDouble;
  readonly chromiumBrowser: Browser;
}
export interface Fixtures {
  /** Opens a scenario of the double in a new window; `prepare` comes before the page is there. */
  readonly open: (scenario: string, prepare?: (page: Page) => Promise<void>) => Promise<Page>;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of fixtures from this pattern
  served: [async ({}, use) => {
    const served = await serveDouble();
    await use(served);
    await served.close();
  }, { scope: 'worker', timeout: 120_000 }],
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the names of fixtures from this pattern
  chromiumBrowser: [async ({}, use) => {
    const executablePath = locateChromium();
    const browser = await chromium.launch({ ...(executablePath === undefined ? {} : { executablePath }), args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
    await use(browser);
    await browser.close();
  }, { scope: 'worker' }],
  open: async ({ served, chromiumBrowser }, use) => {
    const context = await chromiumBrowser.newContext({ viewport: { width: 1200, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'] });
    const complaints: string[] = [];
    await use(async (scenario, prepare) => {
      const page = await context.newPage();
      await prepare?.(page);
      // A refused style, script or evaluation is reported here, as is every error of the page itself.
      page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text()); });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`${served.url}/?scenario=${scenario}`);
      await page.getByRole('heading', { level: 1 }).and(page.locator(':not(:text("Starting"))')).first().waitFor();
      return page;
    });
    await context.close();
    expect(complaints).toEqual([]);
  },
});

export const friendKey = `02${'ab'.repeat(32)}`;

/** Ways to go before a look is taken. */
export const chat = (name: string) => (page: Page) => new ChatsScreen(page).open(name);
export const place = (name: PlaceName) => (page: Page) => new FrameScreen(page).open(name);
