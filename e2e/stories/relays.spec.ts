/** Choosing who keeps one's mail: links that are wrong, links that lead nowhere, and the last relay. */
import { expect, test } from './story.ts';

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
  await ada.frame.open('Relays');
  await ada.relays.add(relay.hint);
  await expect(ada.relays.row(relay.name)).toContainText('Connected');
  await ada.relays.remove(relay.name);
  await expect(ada.relays.row(relay.name)).toContainText('Removed. Messages that wait or arrive there are still fetched, for 30 days at most.');
  await expect(ada.frame.connectionLine).toContainText('Connected: 1 relay');
  await ada.relays.forget(relay.name);
  await expect(ada.relays.row(relay.name)).toHaveCount(0);
});
