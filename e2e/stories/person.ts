/**
 * One person at one computer: a profile that stays, the application while it runs, and every screen of it. A story with two people has two
 * of these, each with a real application; who needs no window is a {@link WaypostProcess}.
 */
import type { ElectronApplication, Page } from '@playwright/test';
import { launchApplication, mainWindow } from '../fixture.ts';
import { AddFriendScreen } from '../screens/add-friend.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FrameScreen } from '../screens/frame.ts';
import { HopLogScreen } from '../screens/hop-log.ts';
import { OutboxScreen } from '../screens/outbox.ts';
import { RelaysScreen } from '../screens/relays.ts';
import { SettingsScreen } from '../screens/settings.ts';
import { storyPassphrase, WelcomeScreen } from '../screens/welcome.ts';

interface Running {
  readonly application: ElectronApplication;
  readonly page: Page;
  readonly welcome: WelcomeScreen;
  readonly frame: FrameScreen;
  readonly chats: ChatsScreen;
  readonly friends: AddFriendScreen;
  readonly hops: HopLogScreen;
  readonly outbox: OutboxScreen;
  readonly relays: RelaysScreen;
  readonly settings: SettingsScreen;
}

export class Person {
  readonly name: string;
  readonly userDataDirectory: string;
  #running: Running | undefined;

  constructor(name: string, userDataDirectory: string) {
    this.name = name;
    this.userDataDirectory = userDataDirectory;
  }

  /** Starts the application on this person's profile; resolves when it shows the welcome or the chats. */
  async start(): Promise<void> {
    const application = await launchApplication({ userDataDirectory: this.userDataDirectory });
    const page = await mainWindow(application);
    this.#running = {
      application, page, welcome: new WelcomeScreen(page), frame: new FrameScreen(page), chats: new ChatsScreen(page), friends: new AddFriendScreen(page),
      hops: new HopLogScreen(page), outbox: new OutboxScreen(page), relays: new RelaysScreen(page), settings: new SettingsScreen(page),
    };
    const locked = page.getByRole('button', { name: 'Unlock' });
    await this.welcome.title.or(this.frame.places).or(locked).waitFor();
    // Where the system has no key store, the identity lies under a passphrase.
    if (await locked.isVisible()) {
      await this.welcome.unlock(storyPassphrase);
      await this.frame.places.waitFor();
    }
  }

  /** First start with a new identity, its words put off. */
  async begin(): Promise<void> {
    await this.start();
    await this.welcome.createIdentity(this.name);
    await this.welcome.readWords();
    await this.welcome.saveWordsLater();
    await this.frame.places.waitFor();
  }

  /** Ends the application as a person does. */
  async quit(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.application.close();
  }

  get isRunning(): boolean { return this.#running !== undefined; }
  get page(): Page { return this.#here.page; }
  get welcome(): WelcomeScreen { return this.#here.welcome; }
  get frame(): FrameScreen { return this.#here.frame; }
  get chats(): ChatsScreen { return this.#here.chats; }
  get friends(): AddFriendScreen { return this.#here.friends; }
  get hops(): HopLogScreen { return this.#here.hops; }
  get outbox(): OutboxScreen { return this.#here.outbox; }
  get relays(): RelaysScreen { return this.#here.relays; }
  get settings(): SettingsScreen { return this.#here.settings; }

  get #here(): Running {
    if (this.#running === undefined) throw new Error(`The application of ${this.name} is not running.`);
    return this.#running;
  }
}
