/** The launcher is what every command goes through, so its failures must be sentences and its exit codes those of what it ran. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from './project.ts';

const launcher = path.join(projectRoot, 'bin', 'launch.mjs');
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'waypost-launch-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function script(name: string, source: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, source);
  return file;
}

const launch = (...commandLine: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
  spawnSync(process.execPath, [launcher, ...commandLine], { encoding: 'utf8', cwd: directory });

describe('the launcher', () => {
  it('runs a TypeScript file with its arguments and ends with its exit code', () => {
    const file = script('a.ts', 'const code: number = 3; console.log(process.argv.slice(2).join()); process.exitCode = code;');
    expect(launch(file, 'x', '--y')).toMatchObject({ status: 3, stdout: 'x,--y\n', stderr: '' });
  });

  it('gives children the same Node first', () => {
    const file = script('b.ts', "import { execSync } from 'node:child_process'; console.log(process.version === execSync('node --version').toString().trim());");
    expect(launch(file).stdout).toBe('true\n');
  });

  it('keeps what Node made of the files, for itself and for children, or where it is told to', () => {
    const kept = path.join(directory, 'kept');
    const file = script('d.ts', "import { execFileSync } from 'node:child_process'; import module from 'node:module'; const own = module.getCompileCacheDir() ?? ''; console.log(own.startsWith(process.env['NODE_COMPILE_CACHE'] ?? '?'), execFileSync(process.execPath, ['-p', 'require(\"node:module\").getCompileCacheDir()']).toString().trim() === own);");
    const started = (environment: NodeJS.ProcessEnv): string => spawnSync(process.execPath, [launcher, file], { encoding: 'utf8', env: { ...process.env, ...environment } }).stdout;
    expect(started({ NODE_COMPILE_CACHE: kept })).toBe('true true\n');
    expect(readdirSync(kept)).not.toEqual([]);
    expect(started({ NODE_COMPILE_CACHE: undefined })).toBe('true true\n');
    // A file stands where the folder would be: nothing is kept, and nothing else changes.
    writeFileSync(path.join(directory, 'blocked'), '');
    expect(spawnSync(process.execPath, [launcher, script('e.ts', 'console.log(1 as number);')], { encoding: 'utf8', env: { ...process.env, NODE_COMPILE_CACHE: path.join(directory, 'blocked', 'deeper') } })).toMatchObject({ status: 0, stdout: '1\n', stderr: '' });
  });

  it('runs the program of a package', () => {
    expect(launch('--bin', 'tsc', '--version').stdout).toMatch(/^Version \d/);
  });

  it.each([[[]], [['missing.ts']], [['--bin']], [['--bin', 'missing-program']]])('answers %j with one sentence', (commandLine) => {
    const result = launch(...commandLine);
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^[^\n]+\.\n$/);
  });

  it('starts a child where it runs on another Node, forwards signals to it and ends with what it made of them', async ({ skip }) => {
    // The same executable under another path counts as another Node. A hard link costs nothing, but needs the same file system.
    const folder = mkdtempSync(path.join(projectRoot, 'node_modules', '.waypost-launch-'));
    try {
      const otherNode = path.join(folder, path.basename(process.execPath));
      try {
        linkSync(process.execPath, otherNode);
      } catch {
        skip('the file system has no hard links');
      }
      const file = script('c.mjs', "setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(7)); console.log(process.ppid);");
      const launcherProcess = spawn(otherNode, [launcher, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(launcherProcess.stdout, 'data')) as [Buffer];
      expect(Number(line.toString())).toBe(launcherProcess.pid);
      launcherProcess.kill('SIGTERM');
      expect(await once(launcherProcess, 'exit')).toEqual([7, null]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
