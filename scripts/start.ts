/**
 * `npm start`: builds what is out of date and opens Waypost in Electron. Where Electron's executable cannot be had, the same build runs
 * on the stand-in host with an installed Chromium; where there is no display either, the demonstration runs and leaves screenshots.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ensureChromium, isRoot } from './chromium.ts';
import { downloadElectron, findElectron } from './electron-binary.ts';
import { ensureFreshBuild } from './fresh-build.ts';
import { exitCode, projectRoot, runProcess, startProcess } from './project.ts';

const hostEntry = 'e2e/host/run.ts';
const demoEntry = 'scripts/demo.ts';

function hasDisplay(): boolean {
  if (process.platform !== 'linux') return true;
  return ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => (process.env[name] ?? '') !== '');
}

/** Without a display nobody could see a window, so nothing is downloaded for one. */
async function demonstrate(): Promise<number> {
  process.stdout.write('There is no display: running the demonstration on the stand-in host instead of opening a window.\n');
  if (ensureChromium() === undefined) return 1;
  if (!existsSync(path.join(projectRoot, demoEntry))) {
    process.stderr.write('This checkout has no demonstration: start Waypost on a machine with a display.\n');
    return 1;
  }
  return runProcess([demoEntry, '--screenshots', ...process.argv.slice(2)]);
}

async function openInElectron(executable: string): Promise<number> {
  const switches = process.platform === 'linux' && isRoot ? ['--no-sandbox'] : [];
  if (switches.length > 0) process.stderr.write('Running as root: Chromium works there only without its sandbox. Start Waypost as a normal user for everyday use.\n');
  return exitCode(spawn(executable, [...switches, projectRoot, ...process.argv.slice(2)], { cwd: projectRoot, stdio: 'inherit' }));
}

async function openOnStandIn(reason: string): Promise<number> {
  process.stdout.write(`Electron is not available (${reason}); opening the same build on the stand-in host with Chromium.\n`);
  if (ensureChromium() === undefined) return 1;
  return exitCode(startProcess([hostEntry, projectRoot, ...process.argv.slice(2)], 'inherit', { ...process.env, WAYPOST_HOST_HEADED: '1' }));
}

async function start(): Promise<number> {
  const built = await ensureFreshBuild();
  if (built !== 0) return built;
  if (!hasDisplay()) return demonstrate();
  const installed = findElectron();
  if (installed !== undefined) return openInElectron(installed);
  const download = downloadElectron();
  return download.kind === 'ready' ? openInElectron(download.executable) : openOnStandIn(download.reason);
}

process.exitCode = await start();
