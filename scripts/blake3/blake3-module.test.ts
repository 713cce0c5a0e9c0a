/** The checked-in module is the one that the sources beside this test build. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { blake3Module } from '../../src/main/engine/blake3/blake3-module.ts';
import { blake3ModuleSource } from './blake3-module-source.ts';
import { blake3Program } from './blake3-program.ts';

it('the checked-in module has the bytes that its source builds', () => {
  expect(blake3Module()).toEqual(blake3Program());
});

it('the checked-in file is the text that the script writes', () => {
  expect(readFileSync(new URL('../../src/main/engine/blake3/blake3-module.ts', import.meta.url), 'utf8')).toBe(blake3ModuleSource(blake3Program()));
});
