/** That V8 frees no code which threads share, once a thread takes the types out of its sources: only V8 itself tells, in a process that asks it to. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const program = path.join(import.meta.dirname, 'thread-testing.ts');
/** Frees at once what it would free some time, and tells of it; a call out of WebAssembly gets code of its own the second time. */
const flags = ['--expose-gc', '--trace-wasm-code-gc', '--stress-wasm-code-gc', '--wasm-wrapper-tiering-budget=1'];
const freed = /\[wasm-gc\] Freeing \d+ wrapper/;

function tracesAfterThread(entry: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, program, entry], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe('a thread', () => {
  it('that runs TypeScript makes V8 keep the code which threads share', () => {
    expect(tracesAfterThread(new URL('thread-testing.ts', import.meta.url).href)).not.toMatch(freed);
  });

  it('that runs JavaScript, as in the built app, leaves V8 as it is', () => {
    expect(tracesAfterThread('data:text/javascript,')).toMatch(freed);
  });
});
