/** Strangers who know an address and nothing else: they ask first, and the answer is one click. */
import { beginWithRelay } from './friends.ts';
import { expect, test } from './story.ts';

test('strangers land among the requests; one is accepted and answered, one is blocked and silent', async ({ person, withoutWindow, relay }) => {
  const ada = person('Ada');
  await beginWithRelay(relay, ada);
  await ada.frame.open('Settings');
  const address = await ada.settings.ownAddress();
  await ada.frame.open('Chats');

  const [cora, mallory] = [await withoutWindow('Cora', relay.hint), await withoutWindow('Mallory', relay.hint)];
  for (const stranger of [cora, mallory]) {
    await stranger.start();
    await stranger.run('add', address);
  }
  await cora.send(address, 'We met at the market', '--wait', 'stored', '--timeout', '40');
  await mallory.send(address, 'Buy this now', '--wait', 'stored', '--timeout', '40');
  await expect(ada.chats.requests).toHaveCount(2);

  const coraName = await ada.chats.requestNamed('We met at the market');
  const malloryName = await ada.chats.requestNamed('Buy this now');
  await ada.chats.open(coraName);
  await expect(ada.chats.message('We met at the market')).toHaveCount(1);
  await expect(ada.chats.composer).toBeHidden();
  await expect(ada.chats.requestBar).toContainText('is not among your friends');
  await ada.chats.acceptRequest();
  await expect(ada.chats.composer).toBeVisible();
  await ada.chats.write('I remember you');
  await expect(ada.chats.lastState).toHaveText(/^(Delivered|Read)$/);
  expect(await cora.inbox()).toEqual(['I remember you']);

  await ada.chats.open(malloryName);
  await ada.chats.blockRequest();
  await expect(ada.chats.entry(malloryName)).toHaveCount(0);
  await expect(ada.chats.requests).toHaveCount(0);
  await mallory.send(address, 'Did you see my offer?', '--linger', '4');
  // Cora's letter takes the same way later: when it is there, Mallory's had its chance.
  await cora.send(address, 'Thank you', '--wait', 'delivered', '--timeout', '40');
  await ada.chats.open('Cora');
  await expect(ada.chats.message('Thank you')).toHaveCount(1);
  await expect(ada.chats.requests).toHaveCount(0);
  await expect(ada.chats.list).not.toContainText('offer');
  await ada.frame.open('Settings');
  await expect(ada.settings.blocked(malloryName)).toBeVisible();
  await ada.settings.unblock(malloryName);
  await expect(ada.settings.blocked(malloryName)).toBeHidden();
});
