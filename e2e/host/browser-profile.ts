/**
 * The profile folder of Chromium itself: fresh for every process of the host and named after it, since a second instance starts a browser
 * too before it learns that it is the second.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const prefix = 'stand-in-chromium-';

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

/** Removes what killed processes have left in the application's profile, and names a folder for this one. */
export function freshBrowserProfile(userDataDirectory: string, processId: number = process.pid): string {
  mkdirSync(userDataDirectory, { recursive: true });
  const owned = readdirSync(userDataDirectory).filter((name) => name.startsWith(prefix));
  for (const name of owned) {
    const owner = Number(name.slice(prefix.length));
    if (owner === processId || !isRunning(owner)) rmSync(path.join(userDataDirectory, name), { recursive: true, force: true, maxRetries: 3 });
  }
  return path.join(userDataDirectory, `${prefix}${processId}`);
}
