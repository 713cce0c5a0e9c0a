import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProfileDirectory, defaultProfileDirectory, lockProfile, profileAt, type Profile } from './profile.ts';

let directory: string;
let profile: Profile;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'waypost-profile-'));
  profile = profileAt(path.join(directory, 'p'));
});
afterEach(() => { rmSync(directory, { recursive: true, force: true }); });

/** Another process that takes the lock and keeps it until it is killed. */
async function holdInAnotherProcess(): Promise<ChildProcess> {
  const script = `import { lockProfile, profileAt } from ${JSON.stringify(path.join(import.meta.dirname, 'profile.ts'))};
    await lockProfile(profileAt(${JSON.stringify(profile.directory)})); console.log('locked'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

describe('a profile', () => {
  it('is where the desktop app keeps it on each platform, unless the environment says otherwise', () => {
    expect(defaultProfileDirectory('linux', {}, '/home/ann')).toBe('/home/ann/.config/waypost/profile');
    expect(defaultProfileDirectory('linux', { XDG_CONFIG_HOME: '/cfg' }, '/home/ann')).toBe('/cfg/waypost/profile');
    expect(defaultProfileDirectory('darwin', {}, '/Users/ann')).toBe('/Users/ann/Library/Application Support/waypost/profile');
    expect(defaultProfileDirectory('linux', { WAYPOST_PROFILE: '/elsewhere' }, '/home/ann')).toBe('/elsewhere');
  });

  it.skipIf(process.platform === 'win32')('is open to its owner alone', () => {
    createProfileDirectory(profile);
    expect(statSync(profile.directory).mode & 0o777).toBe(0o700);
  });

  it.skipIf(process.platform === 'win32')('gets a socket elsewhere when its own path is too long for one', () => {
    const deep = profileAt(path.join(directory, 'x'.repeat(120)));
    createProfileDirectory(deep);
    expect(Buffer.byteLength(deep.controlAddress)).toBeLessThanOrEqual(103);
    expect(deep.controlAddress.startsWith(deep.directory)).toBe(false);
    expect(profileAt(deep.directory).controlAddress).toBe(deep.controlAddress);
    expect(statSync(path.dirname(deep.controlAddress)).mode & 0o777).toBe(0o700);
  });
});

describe('the lock of a profile', () => {
  it('refuses a second owner in the same process until the first lets go', async () => {
    const lock = await lockProfile(profile);
    await expect(lockProfile(profile)).rejects.toMatchObject({ code: 'profile-in-use' });
    lock.release();
    (await lockProfile(profile)).release();
  });

  it('refuses a second process, names the first, and is free again after that was killed', async () => {
    const holder = await holdInAnotherProcess();
    const exited = new Promise((resolve) => holder.once('exit', resolve));
    await expect(lockProfile(profile)).rejects.toMatchObject({ code: 'profile-in-use', message: expect.stringContaining(`process ${String(holder.pid)}`) as string });
    holder.kill('SIGKILL');
    await exited;
    (await lockProfile(profile)).release();
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('says when the folder cannot be written', async () => {
    await expect(lockProfile(profileAt('/proc/waypost'))).rejects.toMatchObject({ code: 'profile-unwritable' });
  });
});
