/** The project's lint rules must fire on bad snippets and stay quiet on good ones, else they protect nothing. */
import { Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { projectRules } from './lint-rules.js';

const parser = tseslint.parser as unknown as Linter.Parser;

function problems(file: string, code: string): readonly string[] {
  const configuration: Linter.Config[] = [{ files: ['**/*.{ts,tsx}'], languageOptions: { parser } }, ...(projectRules as Linter.Config[])];
  return new Linter().verify(code, configuration, { filename: file }).map((problem) => problem.ruleId ?? problem.message);
}

const bad: readonly (readonly [file: string, code: string, rule: string])[] = [
  ['src/shared/a.ts', "import '../main/engine/b.ts';", 'no-restricted-imports'],
  ['src/shared/a.ts', "import 'node:fs';", 'no-restricted-imports'],
  ['src/shared/a.ts', "import 'react';", 'no-restricted-imports'],
  ['src/main/engine/mail/a.ts', "import 'node:crypto';", 'no-restricted-imports'],
  ['src/main/engine/mail/a.ts', "import 'crypto';", 'no-restricted-imports'],
  ['src/main/engine/mail/a.ts', "import 'sodium-native';", 'no-restricted-imports'],
  ['src/main/engine/mail/a.ts', "import '../../host/udp.ts';", 'no-restricted-imports'],
  ['src/main/engine/mail/a.ts', "import '../wire/codec';", 'no-restricted-imports'],
  ['src/main/engine/mail/a.test.ts', "import '../../host/udp.ts';", 'no-restricted-imports'],
  ['src/main/engine/a.ts', 'export const now = Date.now();', 'no-restricted-properties'],
  ['src/main/engine/a.ts', 'export const now = new Date();', 'no-restricted-syntax'],
  ['src/main/engine/a.ts', 'export const random = Math.random();', 'no-restricted-properties'],
  ['src/main/engine/a.ts', 'setTimeout(() => {}, 1);', 'no-restricted-globals'],
  ['src/main/engine/a.ts', 'export const now = performance.now();', 'no-restricted-globals'],
  ['src/main/engine/a.ts', 'export const text = Buffer.from([1]);', 'no-restricted-globals'],
  ['src/main/host/a.ts', "import { app } from 'electron';", 'no-restricted-imports'],
  ['src/main/host/a.ts', "import '../ipc/register.ts';", 'no-restricted-imports'],
  ['src/main/cli/a.ts', "import 'electron';", 'no-restricted-imports'],
  ['src/main/app/menu.ts', "import { BrowserWindow } from 'electron'; new BrowserWindow();", 'no-restricted-syntax'],
  ['src/main/app/menu.ts', "import * as electron from 'electron'; new electron.BrowserWindow();", 'no-restricted-syntax'],
  ['src/main/app/menu.ts', "import { ipcMain } from 'electron';", 'no-restricted-syntax'],
  ['src/main/app/window.ts', "import { ipcMain } from 'electron';", 'no-restricted-syntax'],
  ['src/main/app/menu.ts', "import '../../renderer/ui/button.tsx';", 'no-restricted-imports'],
  ['src/renderer/a.tsx', "import '../main/engine/engine.ts';", 'no-restricted-imports'],
  ['src/renderer/a.tsx', "import 'node:fs';", 'no-restricted-imports'],
  ['src/renderer/a.tsx', "import 'electron';", 'no-restricted-imports'],
  ['src/preload/index.ts', "import '../main/host/udp.ts';", 'no-restricted-imports'],
];

const good: readonly (readonly [file: string, code: string])[] = [
  ['src/shared/a.ts', "import { z } from 'zod'; import './b.ts';"],
  ['src/main/engine/mail/a.ts', "import { sha256 } from '@noble/hashes/sha2.js'; import '../wire/codec.ts'; import '../../../shared/errors.ts';"],
  ['src/main/engine/session/a.ts', "import './host.ts'; import '../app.ts';"],
  ['src/main/engine/mail/a.test.ts', "import { readFileSync } from 'node:fs'; import { expect } from 'vitest'; expect(Date.now(), readFileSync);"],
  ['src/main/host/a.ts', "import 'node:dgram'; import 'better-sqlite3'; import '../engine/engine.ts'; setTimeout(() => {}, 1);"],
  ['src/main/app/window.ts', "import { BrowserWindow } from 'electron'; new BrowserWindow();"],
  ['src/main/ipc/register.ts', "import { ipcMain } from 'electron'; ipcMain.handle('x', () => 1);"],
  ['src/main/index.ts', "import { app } from 'electron'; import './app/window.ts'; import './host/driver.ts';"],
  ['src/preload/index.ts', "import { contextBridge } from 'electron'; import '../shared/contract.ts';"],
  ['src/renderer/a.tsx', "import 'react'; import './style.css'; import '../shared/views.ts';"],
];

describe('the project lint rules', () => {
  it.each(bad)('in %s refuse %s', (file, code, rule) => {
    expect(problems(file, code)).toContain(rule);
  });

  it.each(good)('in %s accept %s', (file, code) => {
    expect(problems(file, code)).toEqual([]);
  });
});
