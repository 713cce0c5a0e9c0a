/** Files: those in the conversation, those about to be sent, and the picture shown large. */
import type { Locator, Page } from '@playwright/test';

export interface DroppedFile {
  readonly name: string;
  readonly content?: string;
  /** Said to be as long as this, without the bytes. */
  readonly pretendedBytes?: number;
}

export class FilesScreen {
  readonly page: Page;
  readonly attachButton: Locator;
  readonly sendButton: Locator;
  /** Chosen and not sent yet. */
  readonly chips: Locator;
  readonly dropTarget: Locator;
  readonly news: Locator;

  constructor(page: Page) {
    this.page = page;
    this.attachButton = page.getByRole('button', { name: 'Attach files' });
    this.sendButton = page.getByRole('button', { name: 'Send', exact: true });
    this.chips = page.getByRole('list', { name: 'Files to send' }).getByRole('listitem');
    this.dropTarget = page.getByRole('status').filter({ hasText: 'Drop to attach' });
    this.news = page.getByRole('status', { name: 'News of files' });
  }

  get list(): Locator {
    return this.page.getByRole('list', { name: /^Messages with / });
  }

  /** The message that carries the file; scrolled to, since only what is near is drawn. */
  async message(name: string): Promise<Locator> {
    const found = this.list.getByRole('listitem').filter({ has: this.page.getByText(name, { exact: true }).or(this.page.getByRole('img', { name, exact: true })) });
    await this.list.hover();
    for (const deltaY of [-700, 700]) {
      for (let turn = 0; turn < 20 && (await found.count()) === 0; turn += 1) {
        await this.page.mouse.wheel(0, deltaY);
        await this.page.waitForTimeout(60);
      }
    }
    await found.last().scrollIntoViewIfNeeded();
    return found.last();
  }

  action(message: Locator, name: string | RegExp): Locator {
    return message.getByRole('button', { name });
  }

  chip(name: string): Locator {
    return this.chips.filter({ hasText: name });
  }

  async remove(name: string): Promise<void> {
    await this.page.getByRole('button', { name: `Remove ${name}` }).click();
  }

  async choose(...files: readonly { readonly name: string; readonly content: string }[]): Promise<void> {
    const chooser = this.page.waitForEvent('filechooser');
    await this.attachButton.click();
    await (await chooser).setFiles(files.map(({ name, content }) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) })));
  }

  /** What a person does with a mouse between a file manager and the conversation; `drop: false` stays hanging over it. */
  async drag(files: readonly DroppedFile[], { drop = true }: { readonly drop?: boolean } = {}): Promise<void> {
    const transfer = await this.#transferOf(files);
    const conversation = this.page.getByRole('region', { name: /^Conversation with / });
    for (const type of ['dragenter', 'dragover', ...(drop ? ['drop'] : [])]) await conversation.dispatchEvent(type, { dataTransfer: transfer });
  }

  /** Drops a file of the disk, as a file manager hands it over: the page gets a File that has a path, and does not see it. */
  async dropFromDisk(...filePaths: readonly string[]): Promise<void> {
    await this.page.evaluate(() => {
      const input = document.createElement('input');
      input.type = 'file';
      input.multiple = true;
      input.hidden = true;
      input.id = 'file-manager';
      document.body.append(input);
    });
    const input = this.page.locator('#file-manager');
    await input.setInputFiles([...filePaths]);
    const transfer = await input.evaluateHandle((element: HTMLInputElement) => {
      const transfer = new DataTransfer();
      for (const file of element.files ?? []) transfer.items.add(file);
      return transfer;
    });
    const conversation = this.page.getByRole('region', { name: /^Conversation with / });
    for (const type of ['dragenter', 'dragover', 'drop']) await conversation.dispatchEvent(type, { dataTransfer: transfer });
    await input.evaluate((element) => { element.remove(); });
  }

  /** The file of a message: its card, or its picture with what stands below it. */
  progress(message: Locator): Locator {
    return message.getByRole('progressbar');
  }

  async paste(files: readonly DroppedFile[], text: Readonly<Record<string, string>> = {}): Promise<void> {
    const transfer = await this.#transferOf(files);
    await this.page.getByRole('textbox', { name: /^Message to / }).evaluate((element, { data, texts }) => {
      for (const [type, value] of Object.entries(texts)) data.setData(type, value);
      element.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }, { data: transfer, texts: text });
  }

  async enlarge(name: string): Promise<Locator> {
    const message = await this.message(name);
    await message.getByRole('button', { name: `Enlarge ${name}` }).click();
    return this.page.getByRole('dialog', { name });
  }

  #transferOf(files: readonly DroppedFile[]) {
    return this.page.evaluateHandle((list) => {
      const transfer = new DataTransfer();
      for (const { name, content } of list) transfer.items.add(new File([content ?? name], name, { type: 'application/octet-stream' }));
      // A list of files gives new objects of the same file: the length is kept by name.
      const lengths = new Map(list.map(({ name, pretendedBytes }) => [name, pretendedBytes]));
      const sizeOf = Object.getOwnPropertyDescriptor(Blob.prototype, 'size');
      Object.defineProperty(File.prototype, 'size', { configurable: true, get(this: File) { return lengths.get(this.name) ?? (sizeOf?.get?.call(this) as number); } });
      return transfer;
    }, files);
  }
}
