/**
 * The window by itself, in a plain browser, against its in-memory double: every screen is checked for accessibility in both themes and for
 * fitting small windows, and the stories a person goes through are walked. The page is the built one, under the policy of the application.
 */
import AxeBuilder from '@axe-core/playwright';
import { chromium, expect, test as base, type Browser, type Page } from '@playwright/test';
import { locateChromium } from './host/locate-chromium.ts';
import { AddFriendScreen } from './screens/add-friend.ts';
import { ChatsScreen } from './screens/chats.ts';
import { FilesScreen } from './screens/files.ts';
import { FrameScreen, type PlaceName } from './screens/frame.ts';
import { HopLogScreen } from './screens/hop-log.ts';
import { OutboxScreen } from './screens/outbox.ts';
import { RelaysScreen } from './screens/relays.ts';
import { serveDouble, type ServedDouble } from './screens/serve-double.ts';
import { SettingsScreen } from './screens/settings.ts';
import { WelcomeScreen } from './screens/welcome.ts';

interface WorkerFixtures {
  readonly served: ServedDouble;
  readonly chromiumBrowser: Browser;
}
interface Fixtures {
  /** Opens a scenario of the double in a new window; `prepare` comes before the page is there. */
  readonly open: (scenario: string, prepare?: (page: Page) => Promise<void>) => Promise<Page>;
}

const test = base.extend<Fixtures, WorkerFixtures>({
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

const friendKey = `02${'ab'.repeat(32)}`;

interface Scene {
  readonly name: string;
  readonly scenario: string;
  readonly arrange?: (page: Page) => Promise<void>;
}
const chat = (name: string) => (page: Page) => new ChatsScreen(page).open(name);
const place = (name: PlaceName) => (page: Page) => new FrameScreen(page).open(name);

const scenes: readonly Scene[] = [
  { name: 'welcome', scenario: 'welcome' },
  { name: 'a new identity with its mistakes', scenario: 'welcome-no-keystore', arrange: async (page) => {
    await page.getByRole('button', { name: 'Create an identity' }).click();
    await page.getByRole('button', { name: 'Create', exact: true }).click();
  } },
  { name: 'restoring', scenario: 'welcome', arrange: (page) => page.getByRole('button', { name: 'I have an identity' }).click() },
  { name: 'the words', scenario: 'welcome', arrange: async (page) => {
    await new WelcomeScreen(page).createIdentity('Mats');
    await new WelcomeScreen(page).readWords();
  } },
  { name: 'words asked back', scenario: 'welcome', arrange: async (page) => {
    await new WelcomeScreen(page).createIdentity('Mats');
    await page.getByRole('button', { name: 'I have written them down' }).click();
  } },
  { name: 'unlock', scenario: 'locked' },
  { name: 'no friends yet', scenario: 'empty' },
  { name: 'no conversation open', scenario: 'full' },
  { name: 'a conversation', scenario: 'full', arrange: chat('Anna Lindqvist') },
  { name: 'a conversation with every bad ending', scenario: 'full', arrange: chat('Tomás Ferreira') },
  { name: 'a conversation with files: the end', scenario: 'files', arrange: chat('Anna Lindqvist') },
  { name: 'a conversation with files: the beginning', scenario: 'files', arrange: async (page) => {
    await chat('Anna Lindqvist')(page);
    await new FilesScreen(page).message('from the jetty.jpg');
  } },
  { name: 'files about to be sent', scenario: 'full', arrange: async (page) => {
    await chat('Anna Lindqvist')(page);
    await new FilesScreen(page).drag([{ name: 'tide table.pdf' }, { name: 'film.mp4', pretendedBytes: 3e8 }, { name: 'disk image.iso', pretendedBytes: 7e10 }]);
    await expect(new FilesScreen(page).chips).toHaveCount(3);
  } },
  { name: 'files dragged over a conversation', scenario: 'full', arrange: async (page) => {
    await chat('Anna Lindqvist')(page);
    await new FilesScreen(page).drag([{ name: 'tide table.pdf' }], { drop: false });
  } },
  { name: 'an enlarged picture', scenario: 'files', arrange: async (page) => {
    await chat('Anna Lindqvist')(page);
    await new FilesScreen(page).enlarge('sunset.jpg');
  } },
  { name: 'a request', scenario: 'full', arrange: chat('Unknown visitor') },
  { name: 'Echo offline with reminders', scenario: 'troubled', arrange: chat('Echo') },
  { name: 'the hop log', scenario: 'full', arrange: async (page) => {
    await chat('Anna Lindqvist')(page);
    await new HopLogScreen(page).openFor('I have put the tide table');
  } },
  { name: 'contact details', scenario: 'full', arrange: async (page) => {
    await chat('Anna Lindqvist')(page);
    await new ChatsScreen(page).openContactDetails();
  } },
  { name: 'Peers', scenario: 'full', arrange: place('Peers') },
  { name: 'no peers', scenario: 'empty', arrange: place('Peers') },
  { name: 'Relays', scenario: 'full', arrange: place('Relays') },
  { name: 'no relay', scenario: 'empty', arrange: place('Relays') },
  { name: 'removing a relay', scenario: 'full', arrange: async (page) => {
    await place('Relays')(page);
    await new RelaysScreen(page).askToRemove('mill.example');
  } },
  { name: 'Outbox', scenario: 'full', arrange: place('Outbox') },
  { name: 'an empty Outbox', scenario: 'empty', arrange: place('Outbox') },
  { name: 'Network in trouble', scenario: 'troubled', arrange: place('Network') },
  { name: 'Network offline', scenario: 'offline', arrange: place('Network') },
  { name: 'Settings', scenario: 'full', arrange: place('Settings') },
  { name: 'adding a friend', scenario: 'full', arrange: async (page) => {
    await new AddFriendScreen(page).open();
    await page.getByLabel('Link or address').fill(`waypost:invite/${friendKey}`);
    await page.getByRole('group', { name: 'Preview' }).waitFor();
  } },
  { name: 'the own link', scenario: 'full', arrange: async (page) => { await new AddFriendScreen(page).shareOwnLink(); } },
  { name: 'the palette', scenario: 'full', arrange: (page) => page.keyboard.press('Control+k') },
  { name: 'the keyboard shortcuts', scenario: 'full', arrange: (page) => page.keyboard.press('Control+/') },
];

for (const scene of scenes) {
  test(`${scene.name}: accessible in both themes and whole in small windows`, async ({ open }) => {
    const page = await open(scene.scenario);
    await scene.arrange?.(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(grave.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`)).toEqual([]);
    }
    // The smallest window, and the default and smallest ones at 200 % zoom.
    for (const [width, height] of [[720, 520], [600, 400], [360, 260]] as const) {
      await page.setViewportSize({ width, height });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${String(width)} x ${String(height)}`).toBeLessThanOrEqual(0);
    }
  });
}

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
    for (const press of [() => page.keyboard.press('Control+u'), () => new FrameScreen(page).findAndOpen('attach')]) {
      const chooser = page.waitForEvent('filechooser');
      await press();
      await (await chooser).setFiles([{ name: 'by key.txt', mimeType: 'text/plain', buffer: Buffer.from('x') }]);
    }
    await expect(files.chips).toHaveCount(2);
  });
});

test.describe('friends and relays', () => {
  test('a friend is added from a link after a look at who it is', async ({ open }) => {
    const page = await open('full');
    const friends = new AddFriendScreen(page);
    await friends.open();
    await friends.link.fill('nonsense');
    await expect(page.getByText('This is neither an invite link nor an address.')).toBeVisible();
    await new FrameScreen(page).closeDialog();
    await friends.addByLink(`waypost:invite/${friendKey}`, 'Solveig from the harbour');
    await new ChatsScreen(page).conversation('Solveig from the harbour').waitFor();
  });

  test('the QR code of the own link can be read back from a picture of it', async ({ open }) => {
    const page = await open('full');
    const friends = new AddFriendScreen(page);
    const link = await friends.shareOwnLink();
    const picture = await friends.ownQrCode.screenshot();
    await new FrameScreen(page).closeDialog();
    await friends.open();
    await friends.chooseQrPicture(picture);
    await expect(friends.link).toHaveValue(link);
    await expect(page.getByText('This is your own address.')).toBeVisible();
  });

  test('a picture without a code is refused with a sentence', async ({ open }) => {
    const page = await open('full');
    const friends = new AddFriendScreen(page);
    await friends.open();
    await friends.chooseQrPicture(await page.screenshot());
    await expect(page.getByText('There is no QR code in this picture')).toBeVisible();
    await friends.chooseQrPicture(Buffer.from('not a picture'));
    await expect(page.getByText('not a picture that can be read')).toBeVisible();
  });

  test('a relay is added by its link, and the last one goes only after a warning', async ({ open }) => {
    const page = await open('full');
    const relays = new RelaysScreen(page);
    await new FrameScreen(page).open('Relays');
    await relays.add('nonsense');
    await expect(relays.addDialog.getByText('A relay is written as key@host:port.')).toBeVisible();
    await new FrameScreen(page).closeDialog();
    await relays.add(`${friendKey}@new.example:4430`);
    await expect(relays.row('new.example')).toContainText('Connecting');
    for (const name of ['relay.harbour.example', 'mill.example', '203.0.113.9']) await relays.remove(name);
    await expect(await relays.askToRemove('new.example')).toContainText('This is your last relay.');
  });

  test('the outbox needs no scrolling sideways, and its titles stand over their cells', async ({ open }) => {
    const page = await open('full');
    const outbox = new OutboxScreen(page);
    await page.setViewportSize({ width: 1100, height: 720 });
    await new FrameScreen(page).open('Outbox');
    await expect(outbox.rows).toHaveCount(5);
    expect(await outbox.sidewaysScroll()).toBe(0);
    expect(await outbox.misalignedTitles()).toEqual([]);
    await outbox.sortBy('Size');
    expect(await outbox.misalignedTitles()).toEqual([]);
    // Narrower, each row is a card with all there is to know, and can still be sorted.
    await page.setViewportSize({ width: 720, height: 720 });
    expect(await outbox.sidewaysScroll()).toBe(0);
    const row = outbox.row('Written on the train');
    for (const name of [/^Retry now/, /^Cancel/]) await expect(row.getByRole('button', { name })).toBeInViewport();
    for (const words of ['Tomás Ferreira', 'Their mailbox is full.', '96 bytes', 'in 14 days']) await expect(row.getByText(words)).toBeInViewport();
    expect(await outbox.tries('Written on the train')).toBe(4);
    await outbox.sortBy('Size');
    await expect(outbox.rows.first()).toContainText('12 kB');
  });

  test('the outbox sorts, retries and cancels', async ({ open }) => {
    const page = await open('full');
    const outbox = new OutboxScreen(page);
    await new FrameScreen(page).open('Outbox');
    await expect(outbox.rows).toHaveCount(5);
    await outbox.sortBy('Size');
    await expect(outbox.rows.first()).toContainText('64 bytes');
    await outbox.sortBy('Size');
    await expect(outbox.rows.first()).toContainText('12 kB');
    await outbox.cancel('Written on the train');
    await expect(outbox.rows).toHaveCount(4);
    await outbox.retryAll();
    await expect(new FrameScreen(page).notes).toContainText('Trying 4 messages again.');
  });
});

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
