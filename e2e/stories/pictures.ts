/** Pictures of what a person sees, in both themes and in a wide and the smallest window, and axe on each. */
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import type { Person } from './person.ts';

const sizes = [['wide', 1280, 900], ['narrow', 720, 900]] as const;

export async function keepPictures(one: Person, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await one.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [label, width, height] of sizes) {
      await one.page.setViewportSize({ width, height });
      await one.page.screenshot({ path: test.info().outputPath(`${name}-${label}-${colorScheme}.png`) });
    }
    // Otherwise axe opens a page of its own for its report, which an application has no place for.
    const { violations } = await new AxeBuilder({ page: one.page }).setLegacyMode(true).analyze();
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    expect.soft(grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`), `${name}, ${colorScheme}`).toEqual([]);
  }
  await one.page.setViewportSize({ width: 1280, height: 900 });
}
