/** Builds the application when the last build is missing or older than a source. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { projectRoot, runProcess } from './project.ts';

const products = ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/index.html'];
const sources = ['src', 'electron.vite.config.ts', 'package.json', 'package-lock.json'];
const isTest = (name: string): boolean => /\.test\.tsx?$/.test(name);

function modifiedMs(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

function newestMs(file: string): number {
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.mtimeMs;
  const inside = readdirSync(file).filter((name) => !isTest(name)).map((name) => newestMs(path.join(file, name)));
  // The folder's own time counts too: removing a file changes nothing else.
  return Math.max(status.mtimeMs, ...inside);
}

/** Whether everything of the build exists and is newer than every source. */
export function isBuildFresh(root: string = projectRoot): boolean {
  const built = products.map((file) => modifiedMs(path.join(root, file)));
  if (built.some((time) => time === undefined)) return false;
  const oldest = Math.min(...built.filter((time) => time !== undefined));
  return sources.every((source) => newestMs(path.join(root, source)) <= oldest);
}

/** Returns the exit code of the build, 0 where none was needed. */
export async function ensureFreshBuild(): Promise<number> {
  if (isBuildFresh()) return 0;
  process.stdout.write('Building Waypost.\n');
  return runProcess(['--bin', 'electron-vite', 'build', '--logLevel', 'warn']);
}
