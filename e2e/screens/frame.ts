/** The frame around everything: places, connection line, reminders, dialogs that open from anywhere. */
import type { Locator, Page } from '@playwright/test';

export const placeNames = ['Chats', 'Peers', 'Relays', 'Outbox', 'Network', 'Settings'] as const;
export type PlaceName = (typeof placeNames)[number];

export class FrameScreen {
  readonly page: Page;
  readonly places: Locator;
  readonly connectionLine: Locator;
  readonly wordsReminder: Locator;
  readonly notes: Locator;
  /** What must not be overlooked, above everything. */
  readonly reminders: Locator;

  constructor(page: Page) {
    this.page = page;
    this.places = page.getByRole('navigation', { name: 'Places' });
    this.connectionLine = page.getByRole('button', { name: /Open Network$/ });
    this.wordsReminder = page.getByText('Your 24 words are not confirmed yet');
    this.reminders = page.getByRole('region', { name: 'Reminders' });
    this.notes = page.getByRole('status', { name: 'Notes' });
  }

  place(name: PlaceName): Locator {
    return this.places.getByRole('button', { name: new RegExp(`^${name}`) });
  }

  async open(name: PlaceName): Promise<void> {
    await this.place(name).click();
  }

  dialog(name: string): Locator {
    return this.page.getByRole('dialog', { name });
  }

  async closeDialog(): Promise<void> {
    await this.page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).click();
  }

  /** Opens the palette, types, and takes the first hit. */
  async findAndOpen(text: string): Promise<void> {
    await this.page.keyboard.press('Control+k');
    await this.page.getByRole('combobox', { name: 'Find a conversation or an action' }).fill(text);
    await this.page.keyboard.press('Enter');
  }
}
