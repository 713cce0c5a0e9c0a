/** A relay that dies under letters: what waits says why and until when, can be pushed and taken back, and nothing that was accepted is lost. */
import { beginWithRelay } from './friends.ts';
import { expect, test } from './story.ts';

test('letters outlive a killed relay; those that wait say why, and go by themselves', async ({ person, withoutWindow, relay }) => {
  const ada = person('Ada');
  await beginWithRelay(relay, ada);
  const ben = await withoutWindow('Ben', relay.hint);
  await ben.start();
  await ada.friends.addByLink(await ben.invite());
  await ada.chats.write('While you are here');
  await expect(ada.chats.lastState).toHaveText('Delivered');
  await ben.quit();

  // Stored before the relay dies.
  await ada.chats.write('Stored one');
  await expect(ada.chats.lastState).toHaveText(/^Held by /);
  await ada.chats.write('Stored two');
  await expect(ada.chats.lastState).toHaveText(/^Held by /);
  await relay.kill();

  // Its absence is seen without anybody asking.
  await ada.frame.open('Relays');
  await expect(ada.relays.row(relay.name)).toContainText('Does not answer');
  await ada.frame.open('Chats');
  await ada.chats.open('Ben');
  await ada.chats.write('Waiting one');
  await ada.chats.write('Taken back');
  await expect(ada.chats.message('Taken back')).toContainText('Saved here. Their relay does not answer. Waypost keeps trying.');
  await ada.frame.open('Outbox');
  const waiting = ada.outbox.row('Waiting one');
  await expect(waiting).toContainText('Their relay does not answer.');
  await expect.poll(() => ada.outbox.cell('Waiting one', 'Next try')).toMatch(/^\d+:\d\d$/);
  const triesBefore = await ada.outbox.tries('Waiting one');
  await ada.outbox.retryNow('Waiting one');
  await expect.poll(() => ada.outbox.tries('Waiting one')).toBeGreaterThan(triesBefore);
  await ada.outbox.cancel('Taken back');
  await expect(ada.outbox.row('Taken back')).toHaveCount(0);
  await ada.frame.open('Chats');
  await ada.chats.open('Ben');
  await expect(ada.chats.lastState).toHaveText('Cancelled');
  await expect(ada.chats.message('Taken back')).toContainText('Cancelled');

  await relay.startAgain();
  await ada.frame.open('Relays');
  await expect(ada.relays.row(relay.name)).toContainText('Connected');
  await ada.frame.open('Outbox');
  await expect(waiting).toContainText('Held by');
  await ben.start();
  await expect(ada.outbox.empty.or(ada.outbox.row('Introduction'))).toBeVisible();
  await ada.frame.open('Chats');
  await ada.chats.open('Ben');
  for (const text of ['Stored one', 'Stored two', 'Waiting one']) await expect(ada.chats.stateOf(text)).toHaveAccessibleName(/^Delivered/);
  expect(await ben.inbox()).toEqual(['While you are here', 'Stored one', 'Stored two', 'Waiting one']);
});
