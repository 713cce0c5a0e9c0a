/** The screens before the frame: first run, the words, the passphrase. */
import type { Locator, Page } from '@playwright/test';

/** Given where the system keeps no keys and the form asks for a passphrase by itself. */
export const storyPassphrase = 'a story of two people';

export class WelcomeScreen {
  readonly page: Page;
  readonly title: Locator;
  readonly words: Locator;
  /** 24 words or a Skywire secret key. */
  readonly secret: Locator;

  constructor(page: Page) {
    this.page = page;
    this.title = page.getByRole('heading', { name: 'Messages to people who are not always online.' });
    this.secret = page.getByLabel('24 words or secret key');
    this.words = page.getByRole('list', { name: 'Your 24 words' });
  }

  async createIdentity(name: string, passphrase?: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Create an identity' }).click();
    await this.#submit(name, passphrase, 'Create');
  }

  /** `secret` is 24 words or a Skywire secret key. */
  async restoreIdentity(name: string, secret: string, passphrase?: string): Promise<void> {
    await this.page.getByRole('button', { name: 'I have an identity' }).click();
    await this.secret.fill(secret);
    await this.#submit(name, passphrase, 'Restore');
  }

  async tryWithEcho(name: string, passphrase?: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Try it with Echo' }).click();
    await this.#submit(name, passphrase, 'Start with Echo');
  }

  async #submit(name: string, passphrase: string | undefined, action: string): Promise<void> {
    await this.page.getByLabel('Name', { exact: true }).fill(name);
    const isAsked = await this.page.getByLabel('Passphrase', { exact: true }).isVisible();
    if (passphrase !== undefined || isAsked) {
      await this.page.getByLabel('Passphrase', { exact: true }).fill(passphrase ?? storyPassphrase);
      await this.page.getByLabel('Passphrase again').fill(passphrase ?? storyPassphrase);
    }
    await this.page.getByRole('button', { name: action, exact: true }).click();
  }

  /** The words as they are shown, in order. */
  async readWords(): Promise<readonly string[]> {
    await this.words.getByRole('listitem').nth(23).waitFor();
    const shown = await this.words.getByRole('listitem').allTextContents();
    return shown.map((text) => text.replace(/^\d+/, ''));
  }

  async saveWordsLater(): Promise<void> {
    await this.page.getByRole('button', { name: 'Later' }).click();
  }

  /** Says that they are written down and answers what is asked back. */
  async confirmWords(words: readonly string[]): Promise<void> {
    await this.page.getByRole('button', { name: 'I have written them down' }).click();
    const fields = this.page.getByLabel(/^Word \d+$/);
    await fields.nth(2).waitFor();
    const labels = await this.page.getByText(/^Word \d+$/).allTextContents();
    for (const label of labels) await this.page.getByLabel(label, { exact: true }).fill(words[Number(label.slice(5)) - 1] ?? '');
    await this.page.getByRole('button', { name: 'Confirm', exact: true }).click();
  }

  async unlock(passphrase: string): Promise<void> {
    await this.page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
    await this.page.getByRole('button', { name: 'Unlock' }).click();
  }
}
