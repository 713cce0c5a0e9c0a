import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBuildFresh } from './fresh-build.ts';

const products = ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/index.html'];
let root = '';

function put(name: string, seconds: number): void {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '');
  utimesSync(file, seconds, seconds);
  for (let folder = path.dirname(file); folder !== root; folder = path.dirname(folder)) utimesSync(folder, 50, 50);
}

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'waypost-fresh-'));
  put('src/main/index.ts', 100);
  for (const product of products) put(product, 200);
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('whether the last build can be used', () => {
  it('says yes when it is complete and newer than the sources', () => {
    expect(isBuildFresh(root)).toBe(true);
  });

  it.each(products)('says no without %s', (product) => {
    rmSync(path.join(root, product));
    expect(isBuildFresh(root)).toBe(false);
  });

  it('says no after a change of a source or the configuration, but not of a test', () => {
    put('src/main/index.test.ts', 300);
    expect(isBuildFresh(root)).toBe(true);
    put('src/renderer/a.tsx', 300);
    expect(isBuildFresh(root)).toBe(false);
    rmSync(path.join(root, 'src/renderer/a.tsx'));
    utimesSync(path.join(root, 'src/renderer'), 50, 50);
    expect(isBuildFresh(root)).toBe(true);
    put('package.json', 300);
    expect(isBuildFresh(root)).toBe(false);
  });
});
