/**
 * The frame of a story: people with windows, people and relays without, all of them real and each with a profile of its own. Whatever
 * happens, nothing of it stays behind; when a story fails, what every open window showed is kept.
 */
import path from 'node:path';
import { expect as baseExpect, test as base } from '@playwright/test';
import { z } from 'zod';
import { killAll, runVerb, WaypostProcess } from '../../scripts/processes/waypost-process.ts';
import { messageSchema, type MessageView } from '../../src/shared/views.ts';
import { makeProfile, removeProfile } from '../fixture.ts';
import { Person } from './person.ts';

/** Everything takes milliseconds on an idle machine; noticing that somebody is gone takes up to 20 seconds on a busy one. */
const screenDeadlineMs = 40_000;
const storyDeadlineMs = 240_000;
/** Without a running Waypost: how long a verb stays online after its work, so that the relay has all of it. */
const lingerSeconds = '4';

const relayLine = z.object({ hint: z.string(), port: z.number().int() });
const identityLine = z.object({ publicKey: z.string() });
const linkLine = z.object({ link: z.string() });

/** A relay as its operator runs it: a process that can be killed and started again on the same profile and port. */
export class RelayProcess {
  readonly #directory: string;
  #process: WaypostProcess;
  #hint = '';
  #port = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.#process = this.#spawn();
  }

  /** `key@host:port`. */
  get hint(): string { return this.#hint; }
  /** What the window calls it. */
  get name(): string { return this.#hint.slice(this.#hint.indexOf('@') + 1); }

  async ready(): Promise<void> {
    const { hint, port } = relayLine.parse(JSON.parse(await this.#process.firstLine()));
    this.#hint = hint;
    this.#port = port;
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    await this.#process.killHard();
  }

  async startAgain(): Promise<void> {
    this.#process = this.#spawn();
    await this.ready();
  }

  #spawn(): WaypostProcess {
    return new WaypostProcess(this.#directory, ['relay', '--listen', `127.0.0.1:${String(this.#port)}`, '--json']);
  }
}

/** Somebody who uses the command line alone. */
export class HeadlessPerson {
  readonly name: string;
  readonly directory: string;
  readonly publicKey: string;
  #process: WaypostProcess | undefined;

  constructor(name: string, directory: string, publicKey: string) {
    this.name = name;
    this.directory = directory;
    this.publicKey = publicKey;
  }

  /** Goes online and stays. */
  async start(): Promise<void> {
    this.#process = new WaypostProcess(this.directory, ['run', '--listen', '127.0.0.1:0', '--json']);
    await this.#process.firstLine();
  }

  async quit(): Promise<void> {
    await this.#process?.stop();
    this.#process = undefined;
  }

  async run(...commandLine: readonly string[]): Promise<readonly unknown[]> {
    return runVerb(this.directory, ...commandLine, '--linger', lingerSeconds);
  }

  async invite(): Promise<string> {
    const [line] = await this.run('invite');
    return linkLine.parse(line).link;
  }

  async send(to: string, text: string, ...options: readonly string[]): Promise<MessageView> {
    const [line] = await this.run('send', text, '--to', to, ...options);
    return messageSchema.parse(line);
  }

  /** Texts of all that came, oldest first. */
  async inbox(): Promise<readonly string[]> {
    return (await this.run('inbox')).map((line) => messageSchema.parse(line).text);
  }
}

interface Fixtures {
  /** A person with a profile of their own; the application is not started yet. */
  readonly person: (name: string) => Person;
  /** A person without a window, with an identity and this relay. */
  readonly withoutWindow: (name: string, relayHint: string) => Promise<HeadlessPerson>;
  readonly relay: RelayProcess;
}

/** Spaces are fine in a folder, but not in a file that a person opens from a terminal. */
const fileName = (text: string): string => text.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();

export const test = base.extend<Fixtures & { readonly folder: string }>({
  // eslint-disable-next-line no-empty-pattern -- playwright reads the needed fixtures from this pattern
  folder: async ({}, use, info) => {
    info.setTimeout(storyDeadlineMs);
    const folder = makeProfile();
    await use(folder);
    await killAll();
    removeProfile(folder);
  },
  person: [async ({ folder }, use, info) => {
    const people: Person[] = [];
    await use((name) => {
      const made = new Person(name, path.join(folder, `${fileName(name)}-${String(people.length)}`));
      people.push(made);
      return made;
    });
    for (const one of people) {
      if (one.isRunning && info.status !== info.expectedStatus) await one.page.screenshot({ path: info.outputPath(`${fileName(one.name)}.png`) }).catch(() => undefined);
      await one.quit().catch(() => undefined);
    }
  }, { timeout: 60_000 }],
  withoutWindow: async ({ folder }, use) => {
    let count = 0;
    await use(async (name, relayHint) => {
      count += 1;
      const directory = path.join(folder, `headless-${String(count)}`);
      const [line] = await runVerb(directory, 'init', '--name', name);
      const made = new HeadlessPerson(name, directory, identityLine.parse(line).publicKey);
      await made.run('relays', 'add', relayHint);
      return made;
    });
  },
  relay: async ({ folder }, use) => {
    const relay = new RelayProcess(path.join(folder, 'relay'));
    await relay.ready();
    await use(relay);
  },
});

export const expect = baseExpect.configure({ timeout: screenDeadlineMs });
