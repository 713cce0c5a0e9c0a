/** The heart of it: the other side is away, the message waits where everybody can see it, and it arrives once. */
import { expect, test } from './story.ts';

test('a message waits for Echo over a restart of everything, and arrives exactly once', async ({ person }) => {
  const ada = person('Ada');
  await ada.start();
  await ada.welcome.tryWithEcho('Ada');
  await ada.chats.conversation('Echo').waitFor();
  await ada.chats.write('First, while you are here');
  await expect(ada.chats.message('Echo: First, while you are here')).toHaveCount(1);

  await ada.chats.takeEchoOffline();
  await ada.chats.write('Can you hear me?');
  await expect(ada.chats.lastState).toHaveText(/^Held by this computer until /);
  await ada.hops.openFor('Can you hear me?');
  await expect.poll(() => ada.hops.past()).toEqual(expect.arrayContaining(['Saved on this computer', 'Sealed for their device', 'Held by this computer']));
  await expect(ada.hops.future.filter({ hasText: 'Expires' })).toHaveCount(1);
  await expect(ada.hops.drawer).toContainText(/Held by this computer until .*1 of 1 relay has a copy/);
  await ada.quit();

  await ada.start();
  await ada.chats.open('Echo');
  await expect(ada.chats.lastState).toHaveText(/^Held by this computer until /);
  await expect(ada.chats.message('Can you hear me?')).toHaveCount(1);
  await expect(ada.page.getByRole('button', { name: 'Bring back' })).toBeVisible();

  await ada.chats.bringEchoBack();
  await expect(ada.chats.lastState).toHaveText(/^(Delivered|Read)$/);
  await expect(ada.chats.message('Echo: Can you hear me?')).toHaveCount(1);
  // Whatever would come twice comes before the answer to a later message: a lane keeps its order.
  await ada.chats.write('And now?');
  await expect(ada.chats.message('Echo: And now?')).toHaveCount(1);
  await expect(ada.chats.messages('Echo')).toHaveCount(6);
  await expect(ada.chats.message('Can you hear me?')).toHaveCount(2);
  await ada.hops.openFor(/^(?!.*Echo: ).*Can you hear me\?/);
  await expect.poll(() => ada.hops.past()).toEqual(expect.arrayContaining(['Saved on this computer', 'Held by this computer', 'Delivered to their device']));
  await expect(ada.hops.future).toHaveCount(0);
});
