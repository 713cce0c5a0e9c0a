/** The peers: who is connected how, who is looked for, and the contacts who are neither. */
import type { Locator, Page } from '@playwright/test';

export class PeersScreen {
  readonly page: Page;
  readonly connected: Locator;
  readonly sought: Locator;
  readonly relays: Locator;
  /** Folds the contacts who are neither in and out. */
  readonly others: Locator;
  readonly othersTable: Locator;

  constructor(page: Page) {
    this.page = page;
    this.connected = page.getByRole('list', { name: 'Connected' }).locator('> li');
    this.sought = page.getByRole('list', { name: 'Looking for' }).locator('> li');
    this.relays = page.getByRole('table', { name: 'Relays in use' });
    this.others = page.getByRole('button', { name: /not connected$/ });
    this.othersTable = page.getByRole('table', { name: 'Not connected' });
  }

  card(name: string): Locator {
    return this.page.getByRole('listitem', { name, exact: true });
  }

  fold(name: string): Locator {
    return this.page.getByRole('button', { name: `Paths to ${name}`, exact: true });
  }

  paths(name: string): Locator {
    return this.page.getByRole('list', { name: `Paths to ${name}` }).getByRole('listitem');
  }

  /** The words of the path in use; what they mean is in their tooltip. */
  path(name: string, words: string): Locator {
    return this.card(name).getByRole('button', { name: words });
  }
}
