/** The relays that are asked where somebody is: named in the settings, few, and taken out again. */
import AxeBuilder from '@axe-core/playwright';
import { expect, place, test } from './fixture.ts';

const hintOf = (number: number): string => `02${String(number).repeat(64)}@index-${String(number)}.example.org:4740`;

test('directory relays are added and removed in the settings, four at most', async ({ open }) => {
  const page = await open('full');
  await place('Settings')(page);
  const section = page.getByRole('region', { name: 'Finding people' });
  await expect(section).toContainText('when you have only their address');
  const field = section.getByLabel('Directory relay', { exact: true });
  const add = section.getByRole('button', { name: 'Add directory relay' });
  await expect(add).toBeDisabled();
  for (const number of [1, 2, 3, 4]) {
    await field.fill(`  ${hintOf(number)} `);
    await add.click();
    await expect(section.getByRole('listitem')).toHaveCount(number);
  }
  await expect(field).toHaveCount(0);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await section.getByRole('button', { name: 'Remove index-2.example.org:4740' }).click();
  await expect(section.getByRole('listitem')).toHaveCount(3);
  await expect(section).not.toContainText('index-2.example.org');
  await expect(field).toHaveValue('');
});
