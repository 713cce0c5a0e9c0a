/** Files between two people with windows and a relay: seen, saved, waited for, paused over a restart, taken back. Bytes are compared on the disk. */
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { beginAsFriends } from './friends.ts';
import { makeNoise, makePicture } from './made-files.ts';
import type { Person } from './person.ts';
import { expect, test, type RelayProcess } from './story.ts';

const megabyte = 1_000_000;
/** Bytes take their time on a machine that does other things too. */
const transferMs = 120_000;
const themes = ['light', 'dark'] as const;
const wide = { width: 1_180, height: 820 } as const;
/** The smallest window there is. */
const narrow = { width: 720, height: 520 } as const;

const friendsOf = async (ada: Person, bob: Person, relay: RelayProcess): Promise<void> => {
  await beginAsFriends(relay, ada, bob);
  // Both know each other as soon as both have heard: only then is anything fetched unasked.
  await bob.chats.write('Hello');
  await ada.chats.open('Bob');
  await expect(bob.chats.lastState).toHaveText(/^(Delivered|Read)/);
};

const textOf = async (locator: Locator): Promise<string> => (await locator.innerText()).replaceAll(/\s+/g, ' ');

/** "12.4 MB of 40 MB" as a number of bytes; undefined where it is not written. */
async function doneBytesOf(message: Locator): Promise<number | undefined> {
  const found = /([\d.,]+) (bytes|kB|MB|GB) of /.exec(await textOf(message));
  const units: Readonly<Record<string, number>> = { bytes: 1, kB: 1_000, MB: megabyte, GB: 1_000 * megabyte };
  return found === null ? undefined : Number((found[1] ?? '').replaceAll(',', '')) * (units[found[2] ?? ''] ?? 0);
}

async function saveAs(one: Person, message: Locator, target: string): Promise<readonly string[]> {
  const offered = await one.savesTo(target);
  await one.files.action(message, 'Save as…').click();
  await expect.poll(() => existsSync(target)).toBe(true);
  await expect(one.page.getByText(`Saved to ${target}`)).toBeVisible();
  return (await offered()).map((file) => path.basename(file));
}

const naturalWidth = (image: Locator): Promise<number> => image.evaluate((element) => (element instanceof HTMLImageElement ? element.naturalWidth : 0));

async function takePictures(page: Page, name: string): Promise<void> {
  for (const [size, label] of [[wide, 'wide'], [narrow, 'narrow']] as const) {
    await page.setViewportSize(size);
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: test.info().outputPath(`${name}-${label}-${colorScheme}.png`) });
    }
  }
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

async function expectAccessible(page: Page, screen: string): Promise<void> {
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Otherwise axe opens a page of its own for its report, which an application has no place for.
    const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect.soft(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`), `${screen}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

test('pictures are chosen and dropped, seen before they go, and seen, enlarged and saved where they arrive', async ({ person, relay, folder }) => {
  const [ada, bob] = [person('Ada'), person('Bob')];
  await friendsOf(ada, bob, relay);
  const evening = makePicture(folder, 'evening at the lake.png');
  const tall = makePicture(folder, 'tower.png', 420, 700);

  await ada.choosesFiles(evening.path);
  await ada.files.attachButton.click();
  await ada.files.dropFromDisk(tall.path);
  await expect(ada.files.chips).toHaveCount(2);
  await expect(ada.files.chip(evening.name)).toContainText(/\d+ kB/);
  await expect(ada.page.getByText('2 files become 2 messages, in this order. A text goes with the first.')).toBeVisible();
  // Nothing goes before it is sent.
  await expect(ada.chats.messages('Bob')).toHaveCount(1);
  await takePictures(ada.page, 'about-to-be-sent');
  await expectAccessible(ada.page, 'files about to be sent');
  await ada.chats.composer.fill('From yesterday');
  await ada.files.sendButton.click();
  await expect(ada.files.chips).toHaveCount(0);
  await expect(ada.chats.composer).toHaveValue('');

  for (const { name } of [evening, tall]) {
    const picture = (await bob.files.message(name)).getByRole('img', { name });
    await expect(picture).toBeVisible({ timeout: transferMs });
    expect(await naturalWidth(picture)).toBe(name === evening.name ? 640 : 420);
  }
  await expect(await bob.files.message(evening.name)).toContainText('From yesterday');
  await expect(await bob.files.message(tall.name)).not.toContainText('From yesterday');
  await takePictures(bob.page, 'pictures-here');
  await expectAccessible(bob.page, 'pictures that came');

  const enlarged = await bob.files.enlarge(evening.name);
  await expect.poll(() => naturalWidth(enlarged.getByRole('img', { name: evening.name }))).toBe(640);
  await takePictures(bob.page, 'enlarged');
  await expectAccessible(bob.page, 'a picture enlarged');
  const target = path.join(folder, 'saved.png');
  expect(await saveAs(bob, enlarged, target)).toEqual([evening.name]);
  expect(readFileSync(target).equals(evening.bytes)).toBe(true);
  await bob.frame.closeDialog();

  for (const { name } of [evening, tall]) await expect(await ada.files.message(name)).toContainText('They have it.');
  await expect(await ada.files.message(tall.name)).not.toContainText('Cancel');
  await takePictures(ada.page, 'pictures-there');
});

test('a file is a card with its name, size and state; it is saved under a safe name and never opened', async ({ person, relay, folder }) => {
  const [ada, bob] = [person('Ada'), person('Bob')];
  await friendsOf(ada, bob, relay);
  const opened = await bob.watchOpening();
  const plan = makeNoise(folder, 'floor plan, second draft.zip', 5 * megabyte);
  await ada.choosesFiles(plan.path);
  await ada.files.attachButton.click();
  await ada.files.sendButton.click();

  const card = await bob.files.message(plan.name);
  await expect(bob.files.progress(card).or(bob.files.action(card, 'Save as…'))).toBeVisible({ timeout: transferMs });
  await expect(bob.files.action(card, 'Save as…')).toBeVisible({ timeout: transferMs });
  await expect(card).toContainText('5.0 MB');
  const target = path.join(folder, 'plan.zip');
  expect(await saveAs(bob, card, target)).toEqual([plan.name]);
  expect(readFileSync(target).equals(plan.bytes)).toBe(true);
  await expect(await ada.files.message(plan.name)).toContainText('They have it.');

  // A name that climbs, hides its kind by turning the text round, and names a program.
  await ada.files.drag([{ name: '../../evil\u202egnp.exe', content: 'MZ' }]);
  await ada.files.sendButton.click();
  const safeName = '_.._evilgnp.exe';
  const evil = await bob.files.message(safeName);
  await expect(bob.files.action(evil, 'Save as…')).toBeVisible({ timeout: transferMs });
  expect(await bob.page.locator('body').innerText()).not.toContain('\u202e');
  const inner = path.join(folder, 'inner', 'most');
  mkdirSync(inner, { recursive: true });
  expect(await saveAs(bob, evil, path.join(inner, safeName))).toEqual([safeName]);
  expect(readdirSync(inner)).toEqual([safeName]);
  expect(readFileSync(path.join(inner, safeName), 'utf8')).toBe('MZ');
  await takePictures(bob.page, 'cards-here');
  await takePictures(ada.page, 'cards-there');
  await expectAccessible(bob.page, 'cards');
  expect(await opened()).toEqual([]);
});

test('a file waits at the relay while both are away in turn', async ({ person, relay, folder }) => {
  const [ada, bob] = [person('Ada'), person('Bob')];
  await friendsOf(ada, bob, relay);
  await bob.quit();
  const film = makeNoise(folder, 'short film.mp4', 12 * megabyte);
  await ada.choosesFiles(film.path);
  await ada.files.attachButton.click();
  await ada.files.sendButton.click();
  const sent = await ada.files.message(film.name);
  const seen = new Set<string>();
  await expect.poll(async () => {
    const text = await textOf(sent);
    seen.add(text);
    return text;
  }, { timeout: transferMs, intervals: [100] }).toContain(`${relay.name} holds it.`);
  expect([...seen].some((text) => /is taking it: \d+ %/.test(text)), [...seen].join('\n')).toBe(true);
  await takePictures(ada.page, 'held');
  await expect(ada.chats.lastState).toHaveText(new RegExp(`^Held by ${relay.name}`));
  await ada.quit();

  await bob.start();
  await bob.chats.open('Ada');
  const came = await bob.files.message(film.name);
  await expect(bob.files.action(came, 'Save as…')).toBeVisible({ timeout: transferMs });
  const target = path.join(folder, 'film.mp4');
  await saveAs(bob, came, target);
  expect(readFileSync(target).equals(film.bytes)).toBe(true);

  await ada.start();
  await ada.chats.open('Bob');
  await expect(await ada.files.message(film.name)).toContainText('They have it.');
});

test('a large file is offered with its size, and goes on after a pause and a restart where it was', async ({ person, relay, folder }) => {
  const [ada, bob] = [person('Ada'), person('Bob')];
  await friendsOf(ada, bob, relay);
  const archive = makeNoise(folder, 'archive.tar', 240 * megabyte);
  await ada.choosesFiles(archive.path);
  await ada.files.attachButton.click();
  await ada.files.sendButton.click();
  const offered = await bob.files.message(archive.name);
  await expect(bob.files.action(offered, 'Download 240 MB')).toBeVisible({ timeout: transferMs });
  await expect(offered).toContainText('It comes when you ask for it.');
  // All of it lies at the relay, which is quick.
  await expect(await ada.files.message(archive.name)).toContainText(`${relay.name} holds it.`, { timeout: transferMs });
  await takePictures(bob.page, 'offered');

  await bob.files.action(offered, 'Download 240 MB').click();
  await expect.poll(async () => (await doneBytesOf(offered)) ?? 0, { timeout: transferMs, intervals: [50] }).toBeGreaterThan(megabyte);
  // At once: all of it takes hardly more than a second.
  await bob.files.action(offered, 'Pause').click();
  await expect(offered).toContainText('Paused. What is here is kept.');
  await takePictures(bob.page, 'paused');
  await expectAccessible(bob.page, 'a paused file');
  const pausedBytes = (await doneBytesOf(offered)) ?? 0;
  expect(pausedBytes).toBeGreaterThan(megabyte);
  expect(pausedBytes).toBeLessThan(archive.bytes.length);
  await bob.quit();

  await bob.start();
  await bob.chats.open('Ada');
  const kept = await bob.files.message(archive.name);
  await expect(kept).toContainText('Paused. What is here is kept.');
  expect(await doneBytesOf(kept)).toBe(pausedBytes);
  const shown: number[] = [];
  await bob.files.action(kept, 'Resume').click();
  await expect.poll(async () => {
    const doneBytes = await doneBytesOf(kept);
    if (doneBytes !== undefined) shown.push(doneBytes);
    return bob.files.action(kept, 'Save as…').isVisible();
  }, { timeout: transferMs, intervals: [50] }).toBe(true);
  expect(shown.length).toBeGreaterThan(0);
  // Rounded to what is shown.
  expect(Math.min(...shown)).toBeGreaterThanOrEqual(pausedBytes);
  const target = path.join(folder, 'archive again.tar');
  await saveAs(bob, kept, target);
  expect(readFileSync(target).equals(archive.bytes)).toBe(true);
  await expect(await ada.files.message(archive.name)).toContainText('They have it.');
});

test('what its sender cancels is gone from the relay, and nobody waits for it in silence', async ({ person, relay, folder }) => {
  const [ada, bob] = [person('Ada'), person('Bob')];
  await friendsOf(ada, bob, relay);
  await bob.quit();
  const wrong = makeNoise(folder, 'wrong file.bin', 3 * megabyte);
  await ada.choosesFiles(wrong.path);
  await ada.files.attachButton.click();
  await ada.files.sendButton.click();
  const sent = await ada.files.message(wrong.name);
  await expect(sent).toContainText(`${relay.name} holds it.`, { timeout: transferMs });
  await ada.files.action(sent, /^Cancel$/).click();
  await expect(sent).toContainText('Cancelled. Nobody can fetch it any more.');
  await expect(ada.files.action(sent, /^Cancel$/)).toHaveCount(0);
  await expect(ada.chats.lastState).toHaveText('Cancelled');
  await takePictures(ada.page, 'cancelled');
  await ada.chats.write('That was the wrong one');
  await expect(ada.chats.lastState).toHaveText(/^Held by /);

  await bob.start();
  await bob.chats.open('Ada');
  await expect(bob.chats.message('That was the wrong one')).toHaveCount(1);
  await expect(bob.chats.messages('Ada').filter({ hasText: wrong.name })).toHaveCount(0);
  await ada.quit();
  await ada.start();
  await ada.chats.open('Bob');
  await expect(await ada.files.message(wrong.name)).toContainText('Cancelled. Nobody can fetch it any more.');
});
