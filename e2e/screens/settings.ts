/** Settings. */
import type { Locator, Page } from '@playwright/test';

export class SettingsScreen {
  readonly page: Page;
  readonly name: Locator;
  readonly readReceipts: Locator;
  readonly guessPorts: Locator;
  readonly echoOnline: Locator;
  readonly fingerprint: Locator;

  constructor(page: Page) {
    this.page = page;
    this.name = page.getByLabel('Name', { exact: true });
    this.readReceipts = page.getByRole('switch', { name: 'Read receipts' });
    this.guessPorts = page.getByRole('switch', { name: 'Guess ports for direct paths' });
    this.echoOnline = page.getByRole('switch', { name: 'Echo is online' });
    this.fingerprint = page.getByRole('region', { name: 'You' }).locator('.fingerprint');
  }

  /** The address as it is copied, not as it is shortened on screen. */
  async ownAddress(): Promise<string> {
    return (await this.page.getByRole('region', { name: 'You' }).locator('.mono').getAttribute('title')) ?? '';
  }

  blocked(name: string): Locator {
    return this.page.getByRole('list', { name: 'Blocked people' }).getByRole('listitem').filter({ hasText: name });
  }

  async rename(name: string): Promise<void> {
    await this.name.fill(name);
    await this.page.getByRole('button', { name: 'Save name' }).click();
  }

  async chooseTheme(theme: 'System' | 'Light' | 'Dark'): Promise<void> {
    await this.page.getByRole('radio', { name: theme }).check();
  }

  async startEcho(): Promise<void> {
    await this.page.getByRole('button', { name: 'Start Echo' }).click();
  }

  async showWords(): Promise<void> {
    await this.page.getByRole('button', { name: 'Show words' }).click();
  }

  async unblock(name: string): Promise<void> {
    await this.page.getByRole('button', { name: `Unblock ${name}` }).click();
  }
}
