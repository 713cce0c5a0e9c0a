/** Every screen of the window is checked for accessibility in both themes and for fitting small windows. */
import AxeBuilder from '@axe-core/playwright';
import { chat, expect, friendKey, place, test, type Page } from './fixture.ts';
import { AddFriendScreen } from '../screens/add-friend.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FilesScreen } from '../screens/files.ts';
import { HopLogScreen } from '../screens/hop-log.ts';
import { NetworkScreen } from '../screens/network.ts';
import { RelaysScreen } from '../screens/relays.ts';
import { WelcomeScreen } from '../screens/welcome.ts';

interface Scene {
  readonly name: string;
  readonly scenario: string;
  readonly arrange?: (page: Page) => Promise<void>;
}
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
  { name: 'Peers offline', scenario: 'offline', arrange: place('Peers') },
  { name: 'Relays', scenario: 'full', arrange: place('Relays') },
  { name: 'Relays that did not keep their word', scenario: 'unreliable', arrange: place('Relays') },
  { name: 'Relays with all that is rare', scenario: 'relays', arrange: place('Relays') },
  { name: 'banning a relay', scenario: 'full', arrange: async (page) => {
    await place('Relays')(page);
    await new RelaysScreen(page).askToBan('mill.example');
  } },
  { name: 'no relay', scenario: 'empty', arrange: place('Relays') },
  { name: 'removing a relay', scenario: 'full', arrange: async (page) => {
    await place('Relays')(page);
    await new RelaysScreen(page).askToRemove('mill.example');
  } },
  { name: 'Outbox', scenario: 'full', arrange: place('Outbox') },
  { name: 'an empty Outbox', scenario: 'empty', arrange: place('Outbox') },
  { name: 'Network in trouble', scenario: 'troubled', arrange: place('Network') },
  { name: 'Network offline', scenario: 'offline', arrange: place('Network') },
  { name: 'Network with what was found out', scenario: 'network', arrange: async (page) => {
    await place('Network')(page);
    await new NetworkScreen(page).showPlaces();
  } },
  { name: 'Network while it is checked', scenario: 'network', arrange: async (page) => {
    await place('Network')(page);
    await new NetworkScreen(page).check.click();
  } },
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
