/** The window opens, remembers its place, and belongs to one process for each profile. Also the acceptance test of the stand-in host. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { ElectronApplication } from '@playwright/test';
import { findElectron } from '../scripts/electron-binary.ts';
import { expect, hostKind, launchApplication, mainWindow, projectRoot, standInDirectory, test } from './fixture.ts';

function inFirstWindow(application: ElectronApplication, question: 'isVisible' | 'isMinimized'): Promise<boolean | undefined> {
  return application.evaluate(({ BrowserWindow }, name) => BrowserWindow.getAllWindows()[0]?.[name](), question);
}

test('the window opens with the page of the build', async ({ application, window }) => {
  await expect(window).toHaveTitle('Waypost');
  expect(await window.evaluate(() => [isSecureContext, document.querySelector('#root') !== null])).toEqual([true, true]);
  const shown = await application.evaluate(({ app, BrowserWindow }) => ({ isPackaged: app.isPackaged, urls: BrowserWindow.getAllWindows().map((each) => each.webContents.getURL()) }));
  expect(shown).toEqual({ isPackaged: false, urls: ['app://bundle/index.html'] });
  await expect.poll(() => inFirstWindow(application, 'isVisible')).toBe(true);
  expect(await application.browserWindow(window)).toBeDefined();
});

test('the window comes back where it was', async ({ userDataDirectory }) => {
  const bounds = { x: 40, y: 30, width: 900, height: 640 };
  const first = await launchApplication({ userDataDirectory });
  await mainWindow(first);
  const closed = first.waitForEvent('close');
  await first
    .evaluate(({ BrowserWindow }, place) => {
      const [each] = BrowserWindow.getAllWindows();
      each?.setBounds(place);
      each?.close();
    }, bounds)
    // The application may end before it has answered.
    .catch(() => undefined);
  await closed;
  const second = await launchApplication({ userDataDirectory });
  await mainWindow(second);
  expect(await second.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getNormalBounds())).toEqual(bounds);
  await second.close();
});

test('a second start of the same profile ends and brings the first window forward', async ({ application, window, userDataDirectory }) => {
  await expect(window).toHaveTitle('Waypost');
  await expect.poll(() => inFirstWindow(application, 'isVisible')).toBe(true);
  await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.minimize());
  expect(await inFirstWindow(application, 'isMinimized')).toBe(true);
  const executable = hostKind === 'electron' ? findElectron() : path.join(standInDirectory, 'electron');
  const later = spawn(executable ?? '', [projectRoot, `--user-data-dir=${userDataDirectory}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])], { stdio: 'ignore' });
  expect(await once(later, 'exit')).toEqual([0, null]);
  await expect.poll(() => inFirstWindow(application, 'isMinimized')).toBe(false);
  expect(application.windows()).toHaveLength(1);
});

test('the page follows the theme the application chooses', async ({ application, window }) => {
  const isDark = (): Promise<boolean> => window.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches);
  await application.evaluate(({ nativeTheme }) => {
    nativeTheme.themeSource = 'dark';
  });
  await expect.poll(isDark).toBe(true);
  await application.evaluate(({ nativeTheme }) => {
    nativeTheme.themeSource = 'light';
  });
  await expect.poll(isDark).toBe(false);
});
