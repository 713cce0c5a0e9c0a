/** What the window says of the network: nothing that was not checked is told as a no. */
import { expect, place, test } from './fixture.ts';
import { NetworkScreen } from '../screens/network.ts';

test('before the first check nothing is claimed, and a check shows that it is under way', async ({ open }) => {
  const page = await open('full');
  await place('Network')(page);
  const network = new NetworkScreen(page);
  await expect(network.section).toContainText('Not checked yet');
  await expect(network.facts).toHaveCount(0);
  await network.check.click();
  await expect(network.check).toBeDisabled();
  await expect(network.progress).toContainText('Asking your relays');
  await expect(network.fact('UDP gets through')).toContainText('Yes');
  await expect(network.check).toHaveText('Check again');
  await expect(network.progress).toHaveText('');
});

test('another check takes the place of what was found before, with the reasons for what is not known', async ({ open }) => {
  const page = await open('network');
  await place('Network')(page);
  const network = new NetworkScreen(page);
  await expect(network.section).toContainText('so direct connections work with nearly everybody');
  await expect(network.section).toContainText('12 minutes ago');
  await expect(network.fact('Direct connections work with nearly everybody')).toContainText('Yes');
  await network.check.click();
  await expect(network.section).toContainText('gives every conversation its own port');
  await expect(network.fact('Direct connections work with nearly everybody')).toContainText('No');
  await expect(network.fact('Anybody gets in once Waypost has sent something')).toContainText('Not checked');
  await expect(network.fact('Anybody gets in once Waypost has sent something')).toContainText('Too many packets were lost to be sure.');
  await expect(network.fact('(UPnP)')).toContainText('Not checked');
  await expect(network.section).toContainText('21 ms');
  await expect(network.section).toContainText('nothing answered');
});

test('addresses are folded away until somebody wants them', async ({ open }) => {
  const page = await open('network');
  await place('Network')(page);
  const network = new NetworkScreen(page);
  await expect(page.getByText('192.168.1.34:50611')).toBeHidden();
  await network.showPlaces();
  await expect(network.places).toHaveText(['192.168.1.34:50611 this computer', '198.51.100.24:50611 opened by the router']);
});

test('the network can be marked as one in which friends are not looked for, and trusted again', async ({ open }) => {
  const page = await open('full');
  await place('Network')(page);
  const { localNetwork } = new NetworkScreen(page);
  await expect(localNetwork).toContainText('1 friend was seen in it lately.');
  await localNetwork.getByRole('button', { name: 'Do not trust this network' }).click();
  await expect(localNetwork).toContainText('because you do not trust it');
  await localNetwork.getByRole('button', { name: 'Trust this network' }).click();
  await expect(localNetwork).toContainText('Friends are looked for in this network.');
});
