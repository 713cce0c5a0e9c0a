/** Where the project is, and how its scripts start each other: always through the launcher, so always on the same Node. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import path from 'node:path';

export const projectRoot = path.resolve(import.meta.dirname, '..');
const launcher = path.join(projectRoot, 'bin', 'launch.mjs');

/** Arguments for the launcher: a script with its arguments, or `--bin`, a program and its arguments. */
export type CommandLine = readonly string[];

export function startProcess(commandLine: CommandLine, stdio: StdioOptions = 'inherit', environment: NodeJS.ProcessEnv = process.env): ChildProcess {
  return spawn(process.execPath, [launcher, ...commandLine], { cwd: projectRoot, stdio, env: environment });
}

/** The exit code of a child that has been started; a signal counts as a failure. */
export function exitCode(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('exit', (code, signal) => {
    resolve(signal === null ? (code ?? 1) : 1);
  });
  return promise;
}

export function runProcess(commandLine: CommandLine): Promise<number> {
  return exitCode(startProcess(commandLine));
}
