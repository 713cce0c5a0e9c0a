/** Peers: paths and what they mean, why there is no direct one, who is looked for, and asking for somebody by hand. */
import AxeBuilder from '@axe-core/playwright';
import { expect, place, test, type Page } from './fixture.ts';
import { PeersScreen } from '../screens/peers.ts';
import { SettingsScreen } from '../screens/settings.ts';

const openPeers = async (page: Page): Promise<PeersScreen> => {
  await place('Peers')(page);
  return new PeersScreen(page);
};

test('what a path means is said on focus, belongs to it for those who do not see it, and goes with Escape', async ({ open }) => {
  const peers = await openPeers(await open('peers'));
  const path = peers.path('Bao Tran', 'Direct');
  await expect(path).toHaveAccessibleDescription(/Straight to their computer\. No relay is in between/);
  await path.focus();
  const tip = peers.card('Bao Tran').getByRole('tooltip');
  await expect(tip).toBeVisible();
  await peers.page.keyboard.press('Escape');
  await expect(tip).toBeHidden();
  await peers.path('Anna Lindqvist', 'Local network').hover();
  await expect(peers.card('Anna Lindqvist').getByRole('tooltip')).toBeVisible();
});

test('openings on both sides, a friend in between, or a relay over TCP are named, and mean something', async ({ open }) => {
  const peers = await openPeers(await open('peers'));
  await expect(peers.path('Fjord', 'Through Bao Tran, a friend')).toHaveAccessibleDescription(/lasts as long as that computer is on/);
  await expect(peers.path('Hotel', 'Through relay.harbour.example, over TCP')).toHaveAccessibleDescription(/one packet that is lost holds up all after it/);
  await expect(peers.path('Garden', 'Direct, punched')).toHaveAccessibleDescription(/openings that both your networks keep as long as packets pass/);
  await expect(peers.card('Gone')).toContainText('Last heard 2 minutes ago');
});

test('the reserve is folded away, and comes with a key', async ({ open }) => {
  const peers = await openPeers(await open('peers'));
  const fold = peers.fold('Anna Lindqvist');
  await expect(fold).toHaveAttribute('aria-expanded', 'false');
  await expect(peers.paths('Anna Lindqvist')).toHaveCount(0);
  await fold.focus();
  await peers.page.keyboard.press('Enter');
  await expect(fold).toHaveAttribute('aria-expanded', 'true');
  await expect(peers.paths('Anna Lindqvist')).toHaveText([/Local network.*192\.168\.1\.61:50611.*2 ms.*In use/, /Direct.*198\.51\.100\.7:50611.*21 ms.*Not answering/, /Through relay\.harbour\.example.*61 ms.*In reserve/]);
  await expect(peers.card('Anna Lindqvist')).toContainText('Direct, then Local network');
  await expect(peers.card('Anna Lindqvist').getByRole('img')).toHaveAccessibleName(/2 lost; the path changed 2 times$/);
});

test('the list is in the order of nearness, and relays come last', async ({ open }) => {
  const peers = await openPeers(await open('full'));
  await expect(peers.connected).toHaveText([/^Anna Lindqvist.*Local network/, /^Echo.*Local network/]);
  await expect(peers.sought).toHaveText([/^Tomás Ferreira.*Not connected/]);
  await expect(peers.relays.getByRole('row')).toHaveCount(3);
});

test('why there is no direct path is said, and another attempt can be asked for where this side begins it', async ({ open }) => {
  const peers = await openPeers(await open('peers'));
  const card = peers.card('Failing');
  await expect(card).toContainText('none of the 3 addresses of theirs that can be tried answered in 4 attempts. Your router gives each conversation a port of its own, which may be the reason. Of their network nothing is known.');
  await card.getByRole('button', { name: 'Try direct now: Failing' }).press('Enter');
  await expect(card).toContainText('Looking for a direct path now');
  await expect(card.getByRole('button', { name: 'Trying: Failing' })).toBeFocused();
  await expect(peers.card('Elsewhere')).toContainText('Their computer begins the next attempt.');
  await expect(peers.card('Elsewhere').getByRole('button', { name: /direct now/ })).toHaveCount(0);
});

test('a guess says what its chance is and how long it may take; Settings can forbid it', async ({ open }) => {
  const peers = await openPeers(await open('peers'));
  await expect(peers.card('Guess')).toContainText(/Trying to guess the port their router opens: about 98 % chance, up to 1[5-8] seconds\./);
  await expect(peers.card('Guess').getByRole('button', { name: 'Trying: Guess' })).toBeVisible();
  await place('Settings')(peers.page);
  const guessing = new SettingsScreen(peers.page).guessPorts;
  await expect(guessing).toBeChecked();
  await guessing.press('Space');
  await expect(guessing).not.toBeChecked();
});

test('somebody who is not connected is asked for by hand, with the keyboard, and keeps the focus', async ({ open }) => {
  const peers = await openPeers(await open('nobody'));
  await expect(peers.page.getByRole('heading', { name: 'Nobody is in contact with this computer' })).toBeVisible();
  await peers.others.press('Enter');
  await expect(peers.othersTable.getByRole('row')).toHaveCount(5);
  await peers.othersTable.getByRole('button', { name: 'Reach now: Echo' }).press('Enter');
  await expect(peers.card('Echo')).toContainText('Asking their relays for them now.');
  await expect(peers.card('Echo')).toBeFocused();
  await expect(peers.othersTable.getByRole('row')).toHaveCount(4);
});

test('with everything on it the page is accessible in both themes and whole in every window', async ({ open }) => {
  const page = await open('peers');
  const peers = await openPeers(page);
  await peers.fold('Anna Lindqvist').click();
  await peers.fold('Failing').click();
  await peers.others.click();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([]);
  }
  for (const [width, height] of [[1200, 800], [900, 700], [720, 520], [360, 260]] as const) {
    await page.setViewportSize({ width, height });
    const inside = await page.evaluate(() => [...document.querySelectorAll('.peer')].every((card) => card.scrollWidth <= card.clientWidth) && document.documentElement.scrollWidth <= window.innerWidth);
    expect(inside, `${String(width)} x ${String(height)}`).toBe(true);
  }
});

test('names and numbers that are too long stay in their card', async ({ open }) => {
  const page = await open('many-peers');
  const peers = await openPeers(page);
  await expect(peers.connected).toHaveCount(64);
  for (const width of [1200, 760, 360]) {
    await page.setViewportSize({ width, height: 700 });
    expect(await peers.connected.last().evaluate((card) => card.scrollWidth <= card.clientWidth), String(width)).toBe(true);
  }
});
