/**
 * One person at one computer: a profile that stays, the application while it runs, and every screen of it. A story with two people has two
 * of these, each with a real application; who needs no window is a {@link WaypostProcess}.
 */
import type { ElectronApplication, Page } from '@playwright/test';
import { launchApplication, mainWindow } from '../fixture.ts';
import { AddFriendScreen } from '../screens/add-friend.ts';
import { ChatsScreen } from '../screens/chats.ts';
import { FilesScreen } from '../screens/files.ts';
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
  readonly files: FilesScreen;
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
      files: new FilesScreen(page), hops: new HopLogScreen(page), outbox: new OutboxScreen(page), relays: new RelaysScreen(page), settings: new SettingsScreen(page),
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

  /** Answers every later question of the system which files to attach. */
  async choosesFiles(...filePaths: readonly string[]): Promise<void> {
    await this.#here.application.evaluate(({ dialog }, chosen) => {
      dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [...chosen] });
    }, filePaths);
  }

  /** Answers every later question of the system where to save; resolves with the names that were offered so far. */
  async savesTo(filePath: string): Promise<() => Promise<readonly string[]>> {
    const { application } = this.#here;
    await application.evaluate(({ dialog }, chosen) => {
      const offered: string[] = [];
      Reflect.set(globalThis, 'offeredNames', offered);
      dialog.showSaveDialog = (...given: readonly unknown[]) => {
        const options = given.at(-1);
        if (typeof options === 'object' && options !== null && 'defaultPath' in options) offered.push(String(options.defaultPath));
        return Promise.resolve({ canceled: false, filePath: chosen });
      };
    }, filePath);
    return () => application.evaluate(() => [...(Reflect.get(globalThis, 'offeredNames') as readonly string[])]);
  }

  /** What the application has asked the system to open: nothing that came from others may be among it. */
  async watchOpening(): Promise<() => Promise<readonly string[]>> {
    const { application } = this.#here;
    await application.evaluate(({ shell }) => {
      const opened: string[] = [];
      Reflect.set(globalThis, 'openedBySystem', opened);
      const note = (what: string): Promise<string> => { opened.push(what); return Promise.resolve(''); };
      shell.openPath = note;
      shell.openExternal = async (url) => { await note(url); };
      shell.showItemInFolder = (file) => { void note(file); };
    });
    return () => application.evaluate(() => [...(Reflect.get(globalThis, 'openedBySystem') as readonly string[])]);
  }

  get isRunning(): boolean { return this.#running !== undefined; }
  get page(): Page { return this.#here.page; }
  get welcome(): WelcomeScreen { return this.#here.welcome; }
  get frame(): FrameScreen { return this.#here.frame; }
  get chats(): ChatsScreen { return this.#here.chats; }
  get files(): FilesScreen { return this.#here.files; }
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
