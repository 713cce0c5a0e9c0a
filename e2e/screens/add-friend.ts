/** Adding a friend by link or picture, and sharing the own link. */
import type { Locator, Page } from '@playwright/test';

export class AddFriendScreen {
  readonly page: Page;
  readonly dialog: Locator;
  readonly link: Locator;
  readonly preview: Locator;
  readonly addButton: Locator;
  readonly ownLink: Locator;
  readonly ownQrCode: Locator;

  constructor(page: Page) {
    this.page = page;
    this.dialog = page.getByRole('dialog', { name: 'Add a friend' });
    this.link = this.dialog.getByLabel('Link or address');
    this.addButton = this.dialog.getByRole('button', { name: 'Add friend' });
    this.preview = this.dialog.getByRole('group', { name: 'Preview' });
    this.ownLink = page.getByRole('group', { name: 'Your invite link' });
    this.ownQrCode = page.getByRole('img', { name: 'Your invite link as a QR code' });
  }

  async open(): Promise<void> {
    await this.page.getByRole('button', { name: 'Add a friend' }).first().click();
  }

  /** Pastes a link, waits for the preview, and adds. */
  async addByLink(link: string, name?: string): Promise<void> {
    await this.open();
    await this.link.fill(link);
    await this.preview.waitFor();
    if (name !== undefined) await this.dialog.getByLabel('What you call them').fill(name);
    await this.confirm();
  }

  /** Adds who the preview shows. */
  async confirm(): Promise<void> {
    await this.addButton.click();
    await this.dialog.waitFor({ state: 'hidden' });
  }

  async chooseQrPicture(picture: Buffer): Promise<void> {
    await this.dialog.locator('input[type=file]').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: picture });
  }

  /** Makes a link of one's own and returns it. */
  async shareOwnLink(): Promise<string> {
    await this.page.getByRole('button', { name: 'Share your link' }).first().click();
    return (await this.ownLink.innerText()).trim();
  }
}
