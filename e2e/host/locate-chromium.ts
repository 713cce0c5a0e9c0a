/** Finds an installed Chromium or Chrome. Nothing is downloaded here. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const linuxPaths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable', '/snap/bin/chromium'];
const macPaths = ['/Applications/Chromium.app/Contents/MacOS/Chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
const windowsFolders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'];

function candidates(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv): readonly string[] {
  if (platform === 'darwin') return macPaths;
  if (platform === 'win32') {
    return windowsFolders
      .map((name) => environment[name])
      .filter((folder) => folder !== undefined)
      .map((folder) => path.join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'));
  }
  return linuxPaths;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Path of the browser: `WAYPOST_CHROMIUM` if set (even if wrong, so that the mistake shows), else the first known place that has one. */
export function locateChromium(environment: NodeJS.ProcessEnv = process.env, exists: (file: string) => boolean = isExecutable, platform: NodeJS.Platform = process.platform): string | undefined {
  const chosen = environment['WAYPOST_CHROMIUM'];
  if (chosen !== undefined && chosen !== '') return chosen;
  return candidates(platform, environment).find(exists);
}
