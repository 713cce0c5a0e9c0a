/** How files enter and leave the window: by what the person drops, pastes and chooses, and never by a path that a page names. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from './fixture.ts';

interface Reply {
  readonly ok: boolean;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}
interface Bridge {
  readonly invoke: (call: string, argument: unknown) => Promise<Reply>;
  readonly grantFile: (file: File) => Promise<Reply>;
  readonly pickFiles: () => Promise<Reply>;
  readonly releaseGrant: (grant: string) => void;
}

const bridge = (window: Page) => window.evaluateHandle(() => Reflect.get(globalThis, 'waypost') as Bridge);
const to = `02${'ab'.repeat(32)}:1`;
const grantShape = /^[0-9a-f]{32}$/;

test('a file of the disk is granted by name and size, and the page learns no path', async ({ window, userDataDirectory }) => {
  const file = path.join(userDataDirectory, 'tide table.txt');
  writeFileSync(file, 'high water');
  await window.evaluate(() => {
    const input = document.createElement('input');
    input.type = 'file';
    input.id = 'given';
    document.body.append(input);
  });
  await window.locator('#given').setInputFiles(file);
  const reply = await (await bridge(window)).evaluate((waypost) => {
    const file = document.querySelector<HTMLInputElement>('#given')?.files?.[0];
    return file === undefined ? undefined : waypost.grantFile(file);
  });
  expect(reply).toEqual({ ok: true, value: { grant: expect.stringMatching(grantShape), name: 'tide table.txt', sizeBytes: 10 } });
});

test('what was pasted lies in the profile for its owner alone, until it is let go or the application ends', async ({ application, window, userDataDirectory }) => {
  const waypost = await bridge(window);
  const pasted = path.join(userDataDirectory, 'profile', 'pasted');
  const paste = (): Promise<Reply> => waypost.evaluate((target) => target.grantFile(new File([new Uint8Array([1, 2, 3])], '../image.png')));
  const { value } = (await paste()) as { readonly value: { readonly grant: string; readonly name: string } };
  expect(value.name).toBe('_image.png');
  const [folder = ''] = readdirSync(pasted);
  const file = path.join(pasted, folder, '_image.png');
  expect([...readFileSync(file)]).toEqual([1, 2, 3]);
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  await waypost.evaluate((target, grant) => { target.releaseGrant(grant); }, value.grant);
  await expect.poll(() => readdirSync(pasted)).toEqual([]);
  await paste();
  await application.close();
  expect(existsSync(pasted)).toBe(false);
});

test('files are chosen in the dialog of the system, and what is none is named', async ({ application, window, userDataDirectory }) => {
  const file = path.join(userDataDirectory, 'a.txt');
  const folder = path.join(userDataDirectory, 'photos');
  writeFileSync(file, 'abc');
  mkdirSync(folder);
  const waypost = await bridge(window);
  expect(await waypost.evaluate((target) => target.pickFiles())).toMatchObject({ ok: true, value: { files: [], problems: [] } });
  await application.evaluate(({ dialog }, filePaths) => {
    dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths });
  }, [file, folder]);
  expect(await waypost.evaluate((target) => target.pickFiles())).toEqual({
    ok: true, value: { files: [{ grant: expect.stringMatching(grantShape), name: 'a.txt', sizeBytes: 3 }], problems: [expect.stringContaining('"photos" is a folder')] },
  });
});

test('a page that names paths is refused', async ({ window }) => {
  const waypost = await bridge(window);
  const codeOf = (call: string, argument: unknown): Promise<string | undefined> => waypost.evaluate(async (target, given) => (await target.invoke(given.call, given.argument)).error?.code, { call, argument });
  expect(await codeOf('files.send', { to, file: { by: 'path', path: '/etc/hostname' }, text: '' })).toBe('refused');
  expect(await codeOf('files.send', { to, file: { by: 'grant', grant: 'ab'.repeat(16) }, text: '' })).toBe('file-unreadable');
  expect(await codeOf('files.save', { messageId: 'ab'.repeat(16), path: '/tmp/x' })).toBe('refused');
});
