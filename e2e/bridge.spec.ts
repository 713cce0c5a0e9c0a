/** The bridge between a page and the main process, on a sample application of its own. What passes on the stand-in has to pass on Electron. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { expect, hostKind, standInDirectory, test as base } from './fixture.ts';

interface Sample {
  readonly refused: string;
  readonly invoke: (channel: string, ...values: readonly unknown[]) => Promise<unknown>;
  readonly addOne: (number: number) => number;
  readonly callBack: (listener: (text: string) => string) => string;
  readonly later: (value: unknown) => Promise<unknown>;
  readonly pathOf: (file: File) => Promise<string>;
  readonly textOf: (file: File) => Promise<string>;
  readonly ping: (value: number) => void;
  readonly onPong: (listener: (value: number) => void) => void;
}
declare global {
  interface Window {
    readonly sample: Sample;
  }
}

const sampleDirectory = path.join(standInDirectory, 'sample-application');

const test = base.extend<{ sampleApplication: ElectronApplication; page: Page }>({
  sampleApplication: async ({ userDataDirectory }, use) => {
    const application = await _electron.launch({ args: [sampleDirectory, `--user-data-dir=${userDataDirectory}`] });
    await use(application);
    await application.close();
  },
  page: async ({ sampleApplication }, use) => {
    const page = await sampleApplication.firstWindow();
    await page.getByRole('heading', { name: 'Sample' }).waitFor();
    await use(page);
  },
});

test('values keep their kind on the way to the main process and back', async ({ page }) => {
  const kinds = await page.evaluate(async () => {
    const sent = { date: new Date(5), bytes: new Uint8Array([1, 2, 255]), map: new Map([['a', 1n]]), nothing: undefined, list: [null, NaN, -0], text: '\u2028✓\0' };
    const back = (await window.sample.invoke('echo', sent)) as typeof sent;
    return [back.date instanceof Date && back.date.getTime(), back.bytes instanceof Uint8Array && [...back.bytes], back.map instanceof Map && String(back.map.get('a')), 'nothing' in back, back.list, Object.is(back.list[2], -0), back.text];
  });
  expect(kinds).toEqual([5, [1, 2, 255], '1', true, [null, NaN, -0], true, '\u2028✓\0']);
});

test('errors arrive with the text of Electron', async ({ page }) => {
  const failure = (channel: string): Promise<string> => page.evaluate((name) => window.sample.invoke(name).then(() => 'no error', (error: unknown) => (error instanceof Error ? error.message : '')), channel);
  expect(await failure('fail')).toBe("Error invoking remote method 'fail': TypeError: no such thing");
  expect(await failure('nobody')).toBe("Error invoking remote method 'nobody': Error: No handler registered for 'nobody'");
});

test('functions and promises cross the bridge, and the world of the preload stays closed', async ({ page }) => {
  expect(await page.evaluate(() => window.sample.addOne(1))).toBe(2);
  expect(await page.evaluate(() => window.sample.callBack((text) => `${text}, seen by the page`))).toBe('from the preload, seen by the page');
  expect(await page.evaluate(() => window.sample.later({ a: [1] }))).toEqual({ a: [1] });
  expect(await page.evaluate(() => window.sample.refused)).toBe('module not found: node:fs');
  expect(await page.evaluate(() => ['onlyInPreload', 'require', 'process'].filter((name) => name in globalThis))).toEqual([]);
  expect(await page.evaluate(() => [Object.isFrozen(window.sample), Reflect.deleteProperty(window, 'sample')])).toEqual([true, false]);
});

test('files cross the bridge as such: those of the disk with their path, others without one', async ({ page, userDataDirectory }) => {
  const file = path.join(userDataDirectory, 'tide täble.txt');
  writeFileSync(file, 'high water');
  await page.evaluate(() => {
    const input = document.createElement('input');
    input.type = 'file';
    document.body.append(input);
  });
  await page.locator('input').setInputFiles(file);
  const given = await page.evaluate(async () => {
    const chosen = document.querySelector('input')?.files?.[0] ?? new File([], 'none');
    const made = new File(['made here'], 'made.txt');
    return [await window.sample.pathOf(chosen), await window.sample.textOf(chosen), await window.sample.pathOf(made), await window.sample.textOf(made)];
  });
  expect(given).toEqual([file, 'high water', '', 'made here']);
});

test('the main process sees who asks, answers messages, and seals with the key store', async ({ page }) => {
  expect(await page.evaluate(() => window.sample.invoke('sender'))).toBe('sample://host/');
  expect(
    await page.evaluate(() => {
      const { promise, resolve } = Promise.withResolvers<number>();
      window.sample.onPong(resolve);
      window.sample.ping(41);
      return promise;
    }),
  ).toBe(42);
  test.skip(hostKind === 'electron', 'a real machine may have no keyring');
  expect(await page.evaluate(() => window.sample.invoke('seal', 'sécret'))).toBe('sécret');
});

test('a window drawn without a screen has exactly the size it was asked for', async ({ page }) => {
  test.skip(hostKind === 'electron', 'a real window has a frame');
  expect(await page.evaluate(() => [innerWidth, innerHeight])).toEqual([640, 480]);
});

/** Ids of the processes whose command line mentions a text. */
function processesMentioning(text: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && Number(name) !== process.pid && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

base('a killed host leaves no browser behind', async ({ userDataDirectory }) => {
  base.skip(hostKind === 'electron' || !existsSync('/proc/self/cmdline'), 'about the stand-in host on Linux');
  const host = spawn(path.join(standInDirectory, 'electron'), [sampleDirectory, `--user-data-dir=${userDataDirectory}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  host.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await expect.poll(() => log, { timeout: 30_000 }).toContain('DevTools listening on');
  expect(processesMentioning(userDataDirectory).length).toBeGreaterThan(1);
  host.kill('SIGKILL');
  await expect.poll(() => processesMentioning(userDataDirectory), { timeout: 20_000 }).toEqual([]);
});
