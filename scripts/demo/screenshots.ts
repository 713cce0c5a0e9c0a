/**
 * `npm run demo -- --screenshots`: a short story in the built app, with a picture of each step in light and dark in `demo/`: a new identity
 * with Echo, Echo offline and a message that waits, Echo back and the answer, and the way of the message.
 * The app runs as in the end-to-end specs: on Electron where that is installed, else on the stand-in host.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { launchApplication, mainWindow, makeProfile, removeProfile } from '../../e2e/fixture.ts';
import { ChatsScreen } from '../../e2e/screens/chats.ts';
import { FrameScreen } from '../../e2e/screens/frame.ts';
import { HopLogScreen } from '../../e2e/screens/hop-log.ts';
import { WelcomeScreen } from '../../e2e/screens/welcome.ts';
import { ensureFreshBuild } from '../fresh-build.ts';
import { projectRoot } from '../project.ts';

const pictureDirectory = path.join(projectRoot, 'demo');
const themes = ['light', 'dark'] as const;
/** Echo is a process that starts, registers and is met first. */
const stepTimeoutMs = 60_000;
/** Wide enough that a drawer stands beside the conversation. */
const pictureSize = { width: 1_360, height: 850 } as const;
const text = 'Are you there? No hurry, this can wait.';

/** Asked for where the machine has no key store. */
const passphrase = 'a passphrase for the pictures';

/** Gives the exit code; each picture's path is printed as soon as it exists. */
export async function takeScreenshots(print: (line: string) => void): Promise<number> {
  const built = await ensureFreshBuild();
  if (built !== 0) return built;
  mkdirSync(pictureDirectory, { recursive: true });
  const userDataDirectory = makeProfile();
  const application = await launchApplication({ userDataDirectory });
  try {
    const page = await mainWindow(application);
    page.setDefaultTimeout(stepTimeoutMs);
    await page.setViewportSize(pictureSize);
    await play(page, (name) => takeBoth(page, name, print));
    return 0;
  } catch (error) {
    process.stderr.write(`The story in the app did not come to its end: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await application.close();
    removeProfile(userDataDirectory);
  }
}

async function play(page: Page, take: (name: string) => Promise<void>): Promise<void> {
  const welcome = new WelcomeScreen(page);
  const chats = new ChatsScreen(page);
  await welcome.title.waitFor();
  await take('1-welcome');

  await page.getByRole('button', { name: 'Try it with Echo' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Ada');
  const secret = page.getByLabel('Passphrase', { exact: true });
  if (await secret.isVisible()) {
    await secret.fill(passphrase);
    await page.getByLabel('Passphrase again').fill(passphrase);
  }
  await page.getByRole('button', { name: 'Start with Echo', exact: true }).click();
  await chats.conversation('Echo').waitFor();
  await chats.write('Hello!');
  await chats.message('Echo: Hello!').waitFor();
  await take('2-echo-answers');

  await chats.takeEchoOffline();
  await chats.write(text);
  await reaches(chats, /^Held by .+ until /);
  await take('3-held-while-echo-is-away');
  await new FrameScreen(page).open('Outbox');
  await page.getByRole('table', { name: 'Outbox' }).getByText(text.slice(0, 13)).first().waitFor();
  await take('4-outbox');

  await new FrameScreen(page).open('Chats');
  await chats.open('Echo');
  await chats.bringEchoBack();
  await chats.message(`Echo: ${text}`).waitFor();
  await reaches(chats, /^(Delivered|Read)/);
  await take('5-delivered');

  const hopLog = new HopLogScreen(page);
  await hopLog.openFor(text);
  await hopLog.rows.first().waitFor();
  await take('6-hop-log');
}

async function reaches(chats: ChatsScreen, state: RegExp): Promise<void> {
  await chats.lastState.filter({ hasText: state }).waitFor({ state: 'attached' });
}

async function takeBoth(page: Page, name: string, print: (line: string) => void): Promise<void> {
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const file = path.join(pictureDirectory, `${name}-${colorScheme}.png`);
    await page.screenshot({ path: file });
    print(path.relative(process.cwd(), file));
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
