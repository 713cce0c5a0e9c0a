/** Friends by link and QR code, relays, and the outbox. */
import { expect, friendKey, test } from './fixture.ts';
import { AddFriendScreen } from '../screens/add-friend.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FrameScreen } from '../screens/frame.ts';
import { OutboxScreen } from '../screens/outbox.ts';
import { RelaysScreen } from '../screens/relays.ts';

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

  test('friends who carry are told apart, and carrying for them is switched on with what it costs', async ({ open }) => {
    const page = await open('full');
    const relays = new RelaysScreen(page);
    await new FrameScreen(page).open('Relays');
    await expect(relays.row('Anna Lindqvist’s Waypost')).toContainText('carried by Anna Lindqvist');
    await expect(await relays.askToRemove('Anna Lindqvist’s Waypost')).toContainText('It is not used any more');
    await new FrameScreen(page).closeDialog();
    await new FrameScreen(page).open('Settings');
    await page.getByRole('switch', { name: 'Carry mail for friends' }).click();
    await expect(page.getByRole('region', { name: 'Friends’ computers' })).toContainText('Carries for 3 friends. In the last hour: 4.3 MB of at most 268 MB. It has taken 12 messages for them since it began.');
    await page.getByRole('switch', { name: 'Hide my network address' }).click();
    await expect(page.getByRole('region', { name: 'Friends’ computers' })).toContainText('Your network address is hidden, so this computer carries for nobody.');
  });

  test('each relay says how many test letters came back, and which step failed last', async ({ open }) => {
    const page = await open('unreliable');
    const relays = new RelaysScreen(page);
    await new FrameScreen(page).open('Relays');
    await expect(relays.row('relay.harbour.example')).toContainText('9 of 12 test letters came back in the last day, most within 140 ms.');
    await expect(relays.row('relay.harbour.example')).toContainText('26 minutes ago it confirmed a test letter and never handed it over. It counts as unreliable until it works again.');
    await expect(relays.row('mill.example')).toContainText('29 of 30 test letters came back in the last day, most within 1 minute.');
    await expect(relays.row('mill.example')).toContainText('1 hour ago it held a test letter back when asked for it. It works again and is on trial.');
    await expect(relays.row('203.0.113.9')).toContainText('0 of 4 test letters came back in the last day.');
    await expect(relays.row('203.0.113.9')).toContainText('26 minutes ago it did not answer.');
    await expect(relays.row('former.example')).not.toContainText('test letter');
    await new FrameScreen(page).open('Network');
    await expect(page.getByText('The relay relay.harbour.example confirmed a test letter and never handed it over. Waypost prefers your other relays')).toBeVisible();
  });

  test('a relay that always kept its word says so, and a failure of yesterday does not alarm', async ({ open }) => {
    const page = await open('full');
    const relays = new RelaysScreen(page);
    await new FrameScreen(page).open('Relays');
    await expect(relays.row('relay.harbour.example')).toContainText('All 64 test letters of the last day came back, most within 118 ms.');
    await expect(relays.row('mill.example')).toContainText('7 hours ago it did not answer.');
    await expect(relays.row('mill.example')).not.toContainText('preferred');
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
