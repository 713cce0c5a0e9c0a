/** The relays: how each is doing, adding, removing. */
import type { Locator, Page } from '@playwright/test';

export class RelaysScreen {
  readonly page: Page;
  readonly rows: Locator;
  readonly addDialog: Locator;

  constructor(page: Page) {
    this.page = page;
    this.rows = page.getByRole('list', { name: 'Relays' }).getByRole('listitem');
    this.addDialog = page.getByRole('dialog', { name: 'Add a relay' });
  }

  row(name: string): Locator {
    return this.rows.filter({ has: this.page.getByRole('heading', { name }) });
  }

  /** `hint` is `key@host:port`. Leaves the dialog open when the link is refused. */
  async add(hint: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Add a relay' }).first().click();
    await this.addDialog.getByLabel('Relay link').fill(hint);
    await this.addDialog.getByRole('button', { name: 'Add relay' }).click();
  }

  /** Asks to remove; the returned dialog still has to be answered. */
  async askToRemove(name: string): Promise<Locator> {
    await this.row(name).getByRole('button', { name: /^Remove / }).click();
    return this.page.getByRole('dialog', { name: `Remove ${name}?` });
  }

  /** One that was removed, and is still being emptied. */
  async forget(name: string): Promise<void> {
    await this.row(name).getByRole('button', { name: /^Forget / }).click();
    await this.page.getByRole('dialog', { name: `Forget ${name} now?` }).getByRole('button', { name: 'Forget' }).click();
  }

  async remove(name: string): Promise<void> {
    const dialog = await this.askToRemove(name);
    await dialog.getByRole('button', { name: 'Remove' }).click();
  }
}
