/** Every screen of the real application with real content, in both themes, under axe: nothing serious may be found. */
import AxeBuilder from '@axe-core/playwright';
import { placeNames } from '../screens/frame.ts';
import { useRelay } from './friends.ts';
import type { Person } from './person.ts';
import { expect, test } from './story.ts';

async function expectAccessible(one: Person, screen: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await one.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Otherwise axe opens a page of its own for its report, which an application has no place for.
    const { violations } = await new AxeBuilder({ page: one.page }).setLegacyMode(true).analyze();
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect.soft(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary ?? ''}`).join(' | ')}`), `${screen}, ${colorScheme}`).toEqual([]);
  }
}

test('the first run is accessible in both themes', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  await expectAccessible(ada, 'welcome');
  await ada.page.getByRole('button', { name: 'I have an identity' }).click();
  await ada.page.getByRole('button', { name: 'Restore' }).click();
  await expectAccessible(ada, 'restoring, with its mistakes');
  await ada.page.getByRole('button', { name: 'Back' }).click();
  await ada.welcome.createIdentity('Ada');
  await ada.welcome.readWords();
  await expectAccessible(ada, 'the words');
  await ada.page.getByRole('button', { name: 'I have written them down' }).click();
  await expectAccessible(ada, 'words asked back');
  await ada.page.getByRole('button', { name: 'Show the words again' }).click();
  await ada.welcome.saveWordsLater();
  await ada.page.getByText('No friends yet', { exact: true }).waitFor();
  await expectAccessible(ada, 'no friends yet, with the reminder');
});

test('every place, drawer and dialog is accessible in both themes', async ({ person, relay, withoutWindow }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.tryWithEcho('Ada');
  await ada.chats.conversation('Echo').waitFor();
  await ada.chats.write('Hello');
  await expect(ada.chats.message('Echo: Hello')).toHaveCount(1);
  await ada.chats.takeEchoOffline();
  await ada.chats.write('This one waits');
  await expect(ada.chats.lastState).toHaveText(/^Held by /);
  await useRelay(ada, relay);
  await ada.frame.open('Settings');
  const address = await ada.settings.ownAddress();
  const stranger = await withoutWindow('Stranger', relay.hint);
  await stranger.start();
  await stranger.run('add', address);
  await stranger.send(address, 'You do not know me', '--wait', 'stored', '--timeout', '40');
  await ada.frame.open('Chats');
  await expect(ada.chats.requests).toHaveCount(1);

  await ada.chats.open('Echo');
  await expectAccessible(ada, 'a conversation');
  await ada.hops.openFor('This one waits');
  await expectAccessible(ada, 'the hop log');
  await ada.hops.close();
  await ada.chats.openContactDetails();
  await expectAccessible(ada, 'contact details');
  await ada.chats.open(await ada.chats.requestNamed('You do not know me'));
  await expectAccessible(ada, 'a request');
  for (const place of placeNames) {
    await ada.frame.open(place);
    await expectAccessible(ada, place);
  }

  await ada.frame.open('Relays');
  await ada.relays.add('nonsense');
  await expectAccessible(ada, 'adding a relay, with its mistake');
  await ada.frame.closeDialog();
  await ada.relays.askToRemove(relay.name);
  await expectAccessible(ada, 'removing a relay');
  await ada.frame.closeDialog();
  await ada.frame.open('Chats');
  await ada.friends.open();
  await ada.friends.link.fill(await stranger.invite());
  await ada.friends.preview.waitFor();
  await expectAccessible(ada, 'adding a friend');
  await ada.frame.closeDialog();
  await ada.friends.shareOwnLink();
  await expectAccessible(ada, 'the own link');
  await ada.frame.closeDialog();
  await ada.page.keyboard.press('Control+k');
  await ada.page.getByRole('combobox').waitFor();
  await expectAccessible(ada, 'the palette');
  await ada.page.keyboard.press('Escape');
  await ada.page.keyboard.press('Control+/');
  await ada.frame.dialog('Keyboard shortcuts').waitFor();
  await expectAccessible(ada, 'the keyboard shortcuts');
});
