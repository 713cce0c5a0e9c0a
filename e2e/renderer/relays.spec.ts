/** Relays: their order by buttons and keys, pins and bans, a test step by step, what they can do, and all that is rare. */
import AxeBuilder from '@axe-core/playwright';
import { expect, place, test, type Page } from './fixture.ts';
import { RelaysScreen } from '../screens/relays.ts';
import { longRelayName } from '../../src/renderer/dev/relay-samples.ts';

/** Its place is no choice: it comes after the own ones that are in use. */
const friendsName = 'Anna Lindqvist’s Waypost';

const openRelays = async (page: Page): Promise<RelaysScreen> => {
  await place('Relays')(page);
  return new RelaysScreen(page);
};

test('a relay is moved by its buttons, which keep the focus, and by keys', async ({ open }) => {
  const relays = await openRelays(await open('full'));
  await expect.poll(() => relays.names()).toEqual(['relay.harbour.example', 'mill.example', '203.0.113.9', friendsName, 'former.example']);
  await relays.move('mill.example', 'up').press('Enter');
  await expect.poll(() => relays.names()).toEqual(['mill.example', 'relay.harbour.example', '203.0.113.9', friendsName, 'former.example']);
  await expect(relays.move('mill.example', 'up')).toBeFocused();
  await expect(relays.move('mill.example', 'up')).toHaveAttribute('aria-disabled', 'true');
  await expect(relays.page.getByRole('status').filter({ hasText: 'mill.example is now before relay.harbour.example.' })).toHaveCount(1);
  await relays.page.keyboard.press('Control+ArrowDown');
  await relays.page.keyboard.press('Control+ArrowDown');
  await expect.poll(() => relays.names()).toEqual(['relay.harbour.example', '203.0.113.9', 'mill.example', friendsName, 'former.example']);
  await expect(relays.row('mill.example').getByLabel('Place 3')).toBeVisible();
  await relays.move('mill.example', 'down').click({ force: true });
  await expect(relays.page.getByRole('status').filter({ hasText: 'It is the last already.' })).toHaveCount(0);
});

test('a pinned relay is the first, and others do not pass it', async ({ open }) => {
  const relays = await openRelays(await open('full'));
  await relays.pin('203.0.113.9').click();
  await expect.poll(() => relays.names()).toEqual(['203.0.113.9', 'relay.harbour.example', 'mill.example', friendsName, 'former.example']);
  await expect(relays.pin('203.0.113.9')).toHaveAttribute('aria-pressed', 'true');
  await expect(relays.row('203.0.113.9')).toContainText('pinned');
  await expect(relays.move('relay.harbour.example', 'up')).toHaveAttribute('title', 'Pinned relays come first');
  await relays.pin('203.0.113.9').click();
  await expect(relays.pin('203.0.113.9')).toHaveAttribute('aria-pressed', 'false');
});

test('a ban is asked for, keeps the relay in the list, and can be taken back', async ({ open }) => {
  const relays = await openRelays(await open('full'));
  const dialog = await relays.askToBan('mill.example');
  await expect(dialog).toContainText('mail that waits there is not fetched');
  await expect(dialog).not.toContainText('last relay');
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await dialog.getByRole('button', { name: 'Ban' }).click();
  await expect.poll(() => relays.names()).toEqual(['relay.harbour.example', '203.0.113.9', friendsName, 'former.example', 'mill.example']);
  await expect(relays.row('mill.example')).toContainText('Banned. Nothing is sent there');
  await relays.ban('203.0.113.9');
  await expect(await relays.askToBan('relay.harbour.example')).toContainText('This is your last relay.');
  await relays.page.getByRole('button', { name: 'Cancel' }).click();
  await relays.useAgain('mill.example');
  await expect(relays.row('mill.example').getByLabel('Place 2')).toBeVisible();
});

test('a test shows each step as it passes, and what the whole says', async ({ open }) => {
  const relays = await openRelays(await open('full'));
  await relays.test('mill.example');
  await expect(relays.row('mill.example').getByRole('button', { name: 'Testing mill.example' })).toBeFocused();
  await expect(relays.steps('mill.example')).toHaveCount(7);
  await expect(relays.row('mill.example').getByRole('status')).toHaveText('Everything works: a letter left there came back.');
  await expect(relays.steps('mill.example')).toHaveText([/Its address was found.*passed/, /A packet came back.*passed in 24 ms/, /handshake.*passed/, /proved to be the relay.*passed/, /mailbox is registered.*passed in 51 ms/, /left there.*passed in 26 ms/, /came back.*passed in 44 ms/]);
  await relays.row('mill.example').getByRole('button', { name: 'Hide the test of mill.example' }).click();
  await expect(relays.steps('mill.example')).toHaveCount(0);
  await relays.test('203.0.113.9');
  await expect(relays.row('203.0.113.9').getByRole('status')).toHaveText(/No packet came back\. The relay may be down/);
  await expect(relays.steps('203.0.113.9').nth(1)).toHaveText(/Get a packet back.*failed after 8\.0 s/);
  await expect(relays.steps('203.0.113.9').nth(2)).toHaveText(/not yet/);
});

test('what a relay can do, and how full the mailbox is, is said in words', async ({ open }) => {
  const relays = await openRelays(await open('relays'));
  await relays.about('pinned.example').press('Enter');
  await expect(relays.about('pinned.example')).toHaveAttribute('aria-expanded', 'true');
  for (const words of ['It speaks Waypost 1', 'keeps letters and files for you', 'connects you with friends who are here too', 'Of files it holds 268 MB for you at most.', 'Your first choice']) await expect(relays.row('pinned.example')).toContainText(words);
  await expect(relays.row('pinned.example')).toContainText('Your mailbox there: 0 of 1,000 letters, nothing of 34 MB.');
  await expect(relays.row('pinned-liar.example')).toContainText('Your mailbox there is nearly full: 860 of 1,000 letters, 25 MB of 34 MB.');
  await relays.about(longRelayName).click();
  await expect(relays.row(longRelayName)).toContainText('2 more things that this Waypost does not know');
  await expect(relays.row('this computer').getByRole('button', { name: /^(Pin|Ban|Move)/ })).toHaveCount(0);
});

test('with everything on it the page is accessible in both themes and whole in every window', async ({ open }) => {
  const page = await open('relays');
  const relays = await openRelays(page);
  for (const name of ['pinned.example', longRelayName]) await relays.about(name).click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([]);
  }
  for (const [width, height] of [[1600, 1000], [1200, 800], [900, 700], [720, 520], [360, 260]] as const) {
    await page.setViewportSize({ width, height });
    const inside = await page.evaluate(() => [...document.querySelectorAll('.relay')].every((card) => card.scrollWidth <= card.clientWidth) && document.documentElement.scrollWidth <= window.innerWidth);
    expect(inside, `${String(width)} x ${String(height)}`).toBe(true);
  }
});
