/** The relays: how each is doing, adding, removing. */
import type { Locator, Page } from '@playwright/test';

export class RelaysScreen {
  readonly page: Page;
  readonly rows: Locator;
  readonly addDialog: Locator;

  constructor(page: Page) {
    this.page = page;
    this.rows = page.getByRole('list', { name: 'Relays', exact: true }).locator('> li');
    this.addDialog = page.getByRole('dialog', { name: 'Add a relay' });
  }

  row(name: string): Locator {
    return this.rows.filter({ has: this.page.getByRole('heading', { name }) });
  }

  /** In the order of the list. */
  names(): Promise<string[]> { return this.page.getByRole('list', { name: 'Relays' }).getByRole('heading', { level: 2 }).allTextContents(); }

  /** The steps of its test, in order. */
  steps(name: string): Locator { return this.page.getByRole('list', { name: `Steps of the test of ${name}` }).getByRole('listitem'); }

  async test(name: string): Promise<void> { await this.row(name).getByRole('button', { name: `Test ${name} now` }).click(); }

  pin(name: string): Locator { return this.row(name).getByRole('button', { name: `Pin ${name}` }); }

  move(name: string, direction: 'up' | 'down'): Locator { return this.row(name).getByRole('button', { name: `Move ${name} ${direction}` }); }

  about(name: string): Locator { return this.row(name).getByRole('button', { name: `About ${name}` }); }

  /** Asks to ban; the returned dialog still has to be answered. */
  async askToBan(name: string): Promise<Locator> {
    await this.row(name).getByRole('button', { name: `Ban ${name}` }).click();
    return this.page.getByRole('dialog', { name: `Ban ${name}?` });
  }

  async ban(name: string): Promise<void> { await (await this.askToBan(name)).getByRole('button', { name: 'Ban' }).click(); }

  async useAgain(name: string): Promise<void> { await this.row(name).getByRole('button', { name: `Use ${name} again` }).click(); }

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
