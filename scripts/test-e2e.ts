/** `npm run test:e2e`: the end-to-end specs on the real Electron where its executable is installed, else on the stand-in host. */
import { ensureChromium } from './chromium.ts';
import { findElectron } from './electron-binary.ts';
import { ensureFreshBuild } from './fresh-build.ts';
import { runProcess } from './project.ts';

async function test(): Promise<number> {
  const needsStandIn = findElectron() === undefined || process.env['WAYPOST_E2E_HOST'] === 'stand-in';
  if (needsStandIn && ensureChromium() === undefined) return 1;
  const built = await ensureFreshBuild();
  return built === 0 ? runProcess(['--bin', 'playwright', 'test', ...process.argv.slice(2)]) : built;
}

process.exitCode = await test();
