/** The hop log: where one message has been and what is still to come. */
import type { Locator, Page } from '@playwright/test';

export class HopLogScreen {
  readonly page: Page;
  readonly drawer: Locator;
  readonly rows: Locator;
  /** Rows of what has not happened yet, drawn dotted. */
  readonly future: Locator;

  constructor(page: Page) {
    this.page = page;
    this.drawer = page.getByRole('complementary', { name: 'Where this message is' });
    this.rows = this.drawer.getByRole('list', { name: 'Hop log' }).getByRole('listitem');
    this.future = this.rows.filter({ hasText: 'Still to come' });
  }

  /** Opens it by clicking on the state of the message. */
  async openFor(text: string | RegExp): Promise<void> {
    await this.page.getByRole('listitem').filter({ hasText: text }).getByRole('button', { name: /Show where this message has been$/ }).click();
    await this.drawer.waitFor();
  }

  /** What has happened, as titles of rows, without what is still to come. */
  async past(): Promise<readonly string[]> {
    await this.rows.first().waitFor();
    const titles = await this.rows.filter({ hasNotText: 'Still to come' }).locator('.hop__title').allTextContents();
    return titles;
  }

  async close(): Promise<void> {
    await this.drawer.getByRole('button', { name: 'Close details' }).click();
  }
}
