/** The page about the connection, and its part about the network around. */
import type { Locator, Page } from '@playwright/test';

export class NetworkScreen {
  readonly section: Locator;
  readonly localNetwork: Locator;
  readonly facts: Locator;
  readonly check: Locator;
  readonly progress: Locator;
  readonly places: Locator;

  constructor(page: Page) {
    this.section = page.getByRole('region', { name: 'Your network' });
    this.localNetwork = page.getByRole('region', { name: 'Local network' });
    this.facts = this.section.getByRole('list', { name: 'What was found out about your network' }).getByRole('listitem');
    this.check = this.section.getByRole('button');
    this.progress = this.section.getByRole('status');
    this.places = this.section.getByRole('group').getByRole('listitem');
  }

  fact(promise: string): Locator { return this.facts.filter({ hasText: promise }); }
  async showPlaces(): Promise<void> { await this.section.getByText('Where others may reach this computer').click(); }
}
