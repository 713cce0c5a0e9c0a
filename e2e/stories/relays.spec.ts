/** Choosing who keeps one's mail: links that are wrong, links that lead nowhere, the last relay; testing, preferring and banning. */
import path from 'node:path';
import { useRelay } from './friends.ts';
import { keepPictures } from './pictures.ts';
import { expect, RelayProcess, test } from './story.ts';

test('a relay comes by a link that is checked, and the last one goes only after a warning', async ({ person, relay }) => {
  const ada = person('Ada');
  await ada.begin();
  await ada.frame.open('Relays');
  await expect(ada.relays.row('this computer')).toContainText('Connected');

  const [key = '', address = ''] = relay.hint.split('@');
  const broken = {
    'not a link': 'nonsense',
    'a key that misses its end': `${key.slice(0, -2)}@${address}`,
    'no port': `${key}@127.0.0.1`,
    'a port that is none': `${key}@127.0.0.1:99999`,
    'a key that is no point of the curve': `02${'f'.repeat(64)}@${address}`,
  };
  for (const [what, hint] of Object.entries(broken)) {
    await ada.relays.add(hint);
    await expect(ada.relays.addDialog.getByLabel('Relay link'), what).toHaveAccessibleDescription(/relay.*\.$/i);
    await expect(ada.relays.addDialog.getByLabel('Relay link'), what).toHaveValue(hint);
    await ada.frame.closeDialog();
  }
  await expect(ada.relays.rows).toHaveCount(1);

  await ada.relays.add(`  ${relay.hint}\n`);
  await expect(ada.relays.row(relay.name)).toContainText('Connected');
  await expect(ada.frame.connectionLine).toContainText('Connected: 2 relays');

  const notTheLast = await ada.relays.askToRemove('this computer');
  await expect(notTheLast).not.toContainText('last relay');
  await notTheLast.getByRole('button', { name: 'Remove' }).click();
  await expect(ada.relays.row('this computer')).toHaveCount(0);

  const warning = await ada.relays.askToRemove(relay.name);
  await expect(warning).toContainText('This is your last relay. Without one nobody can leave a message for you while you are away');
  await warning.getByRole('button', { name: 'Cancel' }).click();
  await expect(ada.relays.row(relay.name)).toContainText('Connected');
  await ada.relays.remove(relay.name);
  await expect(ada.page.getByText('No relay yet', { exact: true })).toBeVisible();
  await expect(ada.frame.connectionLine).toContainText('No relay yet: add one to send and receive');
});

test('a relay that nobody runs is shown as one that does not answer, and comes by itself when it is there', async ({ person, relay }) => {
  const ada = person('Ada');
  await ada.begin();
  await relay.kill();
  await ada.frame.open('Relays');
  await ada.relays.add(relay.hint);
  await expect(ada.relays.row(relay.name)).toContainText('Does not answer');
  await expect(ada.frame.connectionLine).toContainText('Online through one relay');
  await relay.startAgain();
  await expect(ada.relays.row(relay.name)).toContainText('Connected');
  await expect(ada.frame.connectionLine).toContainText('Connected: 2 relays');
});

test('a relay that was removed is still emptied, says so, and is forgotten when it is told', async ({ person, relay }) => {
  const ada = person('Ada');
  await ada.begin();
  await useRelay(ada, relay);
  // The only relay would be gone at once, and the one inside the application may come later.
  await expect.poll(() => ada.relays.names()).toEqual([relay.name, 'this computer']);
  await ada.relays.remove(relay.name);
  await expect(ada.relays.row(relay.name)).toContainText('Removed. Messages that wait or arrive there are still fetched, for 30 days at most.');
  await expect(ada.frame.connectionLine).toContainText('Connected: 1 relay');
  await ada.relays.forget(relay.name);
  await expect(ada.relays.row(relay.name)).toHaveCount(0);
});

test('relays are tested step by step, pinned, banned and used again, and stay so over a restart', async ({ person, relay, folder }) => {
  const second = new RelayProcess(path.join(folder, 'second relay'));
  await second.ready();
  const ada = person('Ada');
  await ada.begin();
  for (const one of [relay, second]) await useRelay(ada, one);
  await expect.poll(() => ada.relays.names()).toEqual([relay.name, second.name, 'this computer']);

  await ada.relays.test(relay.name);
  await expect(ada.relays.row(relay.name).getByRole('status')).toHaveText('Everything works: a letter left there came back.');
  await expect(ada.relays.steps(relay.name)).toHaveText([/Its address was found.*passed/, /A packet came back.*passed/, /handshake was made.*passed/, /proved.*passed/, /mailbox is registered.*passed/, /was left there.*passed/, /came back.*passed/]);
  await expect(ada.relays.row(relay.name)).toContainText('Your mailbox there: 0 of 1,000 letters');
  await ada.relays.about(relay.name).click();
  await expect(ada.relays.row(relay.name)).toContainText('It speaks Waypost 1');

  await ada.relays.move(second.name, 'up').click();
  await expect.poll(() => ada.relays.names()).toEqual([second.name, relay.name, 'this computer']);
  await ada.relays.pin(relay.name).click();
  await expect.poll(() => ada.relays.names()).toEqual([relay.name, second.name, 'this computer']);

  await second.kill();
  await ada.relays.test(second.name);
  await expect(ada.relays.row(second.name).getByRole('status')).toContainText('No packet came back.');
  await expect(ada.relays.steps(second.name).nth(1)).toContainText('failed after');
  await keepPictures(ada, 'relays');
  await ada.relays.ban(second.name);
  await expect(ada.relays.row(second.name)).toContainText('Banned. Nothing is sent there');

  await second.startAgain();
  await ada.quit();
  await ada.start();
  await ada.frame.open('Relays');
  await expect(ada.relays.row(relay.name)).toContainText('Connected');
  await expect.poll(() => ada.relays.names()).toEqual([relay.name, 'this computer', second.name]);
  await expect(ada.relays.pin(relay.name)).toHaveAttribute('aria-pressed', 'true');
  await expect(ada.relays.row(second.name)).toContainText('Banned.');
  await ada.relays.useAgain(second.name);
  await expect(ada.relays.row(second.name)).toContainText('Connected');
});
