/** Chats: the list, the open conversation, writing, requests, and Echo's switch. */
import type { Locator, Page } from '@playwright/test';

export class ChatsScreen {
  readonly page: Page;
  readonly list: Locator;
  readonly composer: Locator;
  readonly sendButton: Locator;
  /** What is read out about the newest message that was sent: "Saved here", "Held by ... until ...", "Delivered", "Read". */
  readonly lastState: Locator;
  readonly requestBar: Locator;
  /** Entries of strangers who wrote. */
  readonly requests: Locator;

  constructor(page: Page) {
    this.page = page;
    this.list = page.getByRole('region', { name: 'Conversations' });
    this.composer = page.getByRole('textbox', { name: /^Message to / });
    this.sendButton = page.getByRole('button', { name: 'Send', exact: true });
    this.lastState = page.getByRole('status', { name: 'State of your last message' });
    this.requests = this.list.getByRole('list', { name: 'Requests' }).getByRole('listitem');
    this.requestBar = page.getByRole('group', { name: 'Request' });
  }

  entry(name: string): Locator {
    return this.list.getByRole('button', { name: new RegExp(name) });
  }

  async open(name: string): Promise<void> {
    await this.entry(name).click();
    await this.conversation(name).waitFor();
  }

  conversation(name: string): Locator {
    return this.page.getByRole('region', { name: `Conversation with ${name}` });
  }

  messages(name: string): Locator {
    return this.page.getByRole('list', { name: `Messages with ${name}` }).getByRole('listitem');
  }

  message(text: string | RegExp): Locator {
    return this.page.getByRole('list', { name: /^Messages with / }).getByRole('listitem').filter({ hasText: text });
  }

  /** The button with the state of a message of ours; its name begins with the state in words. */
  stateOf(text: string | RegExp): Locator {
    return this.message(text).getByRole('button', { name: /Show where this message has been$/ });
  }

  async write(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** What the window calls the stranger who wrote this. */
  async requestNamed(text: string): Promise<string> {
    return this.requests.filter({ hasText: text }).locator('.entry__name').innerText();
  }

  async acceptRequest(): Promise<void> {
    await this.requestBar.getByRole('button', { name: 'Accept' }).click();
  }

  async blockRequest(): Promise<void> {
    await this.requestBar.getByRole('button', { name: 'Block' }).click();
  }

  /** Cancels the newest message of ours from the line under it. */
  async cancelLast(): Promise<void> {
    await this.page.getByRole('list', { name: /^Messages with / }).getByRole('button', { name: 'Cancel', exact: true }).last().click();
  }

  async takeEchoOffline(): Promise<void> {
    await this.page.getByRole('button', { name: 'Take offline' }).click();
    await this.page.getByRole('button', { name: 'Bring back' }).waitFor();
  }

  async bringEchoBack(): Promise<void> {
    await this.page.getByRole('button', { name: 'Bring back' }).click();
    await this.page.getByRole('button', { name: 'Take offline' }).waitFor();
  }

  async openContactDetails(): Promise<Locator> {
    await this.page.getByRole('button', { name: 'Contact details', exact: true }).click();
    return this.page.getByRole('complementary', { name: 'Contact details' });
  }
}
