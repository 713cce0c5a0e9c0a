/** The frame of a script that checks promises with real processes: a temporary folder, no process and no file left behind, an exit code. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checks } from './checks.ts';
import { killAll } from './waypost-process.ts';

/** Runs `story` in a folder that is removed afterwards. A thrown error counts as a failed promise. Gives the exit code. */
export async function runScript(name: string, story: (checks: Checks, directory: string) => Promise<void>): Promise<number> {
  const checks = new Checks();
  const directory = mkdtempSync(path.join(tmpdir(), `waypost-${name}-`));
  const interrupted = (): void => { void killAll().finally(() => { rmSync(directory, { recursive: true, force: true }); process.exit(1); }); };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  try {
    await story(checks, directory);
  } catch (error) {
    checks.check(`the ${name} comes to its end`, false, error instanceof Error ? error.message : String(error));
    if (process.env['WAYPOST_DEBUG'] !== undefined) console.error(error);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupted);
    await killAll();
    if (process.env['WAYPOST_KEEP'] === undefined) rmSync(directory, { recursive: true, force: true });
    else console.error(`kept: ${directory}`);
  }
  return checks.finish();
}
