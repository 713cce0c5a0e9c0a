/** `app.getPath`: where an application keeps its files, as Electron places them on Linux. */
import os from 'node:os';
import path from 'node:path';
import { switchValue } from './argv.ts';
import { applicationName, hostContext } from './context.ts';

/** Throws Electron's text for a name it does not know. */
export function standardPath(name: string): string {
  const home = os.homedir();
  const appData = process.env['XDG_CONFIG_HOME'] ?? path.join(home, '.config');
  const chosen = switchValue(process.argv, 'user-data-dir');
  const userData = chosen === undefined || chosen === '' ? path.join(appData, applicationName(hostContext().manifest)) : path.resolve(chosen);
  const executable = process.argv[0] ?? process.execPath;
  switch (name) {
    case 'home':
      return home;
    case 'appData':
      return appData;
    case 'userData':
    case 'sessionData':
      return userData;
    case 'temp':
      return os.tmpdir();
    case 'exe':
    case 'module':
      return executable;
    case 'logs':
      return path.join(userData, 'logs');
    case 'crashDumps':
      return path.join(userData, 'Crashpad');
    case 'desktop':
    case 'documents':
    case 'downloads':
    case 'music':
    case 'pictures':
    case 'videos':
      return path.join(home, name.charAt(0).toUpperCase() + name.slice(1));
    default:
      throw new Error(`Failed to get '${name}' path`);
  }
}
