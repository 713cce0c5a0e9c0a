/** The command line an Electron executable takes, as far as playwright, electron-vite and our own start use it. Pure. */

export interface HostArguments {
  /** Modules to load before the application (`-r file`). */
  readonly requires: readonly string[];
  /** Port for the Node inspector; 0 lets the system choose. */
  readonly inspectPort?: number;
  /** Port for Chromium's DevTools; 0 lets the system choose. */
  readonly debuggingPort?: number;
  /** Folder or file of the application: the first argument that is no switch. */
  readonly application?: string;
}

const defaultInspectPort = 9229;

function portOf(text: string | undefined, fallback: number): number {
  // The inspector's switch may name a host too: `--inspect=127.0.0.1:0`.
  const port = Number(text?.split(':').at(-1) ?? fallback);
  return Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : fallback;
}

export function parseHostArguments(commandLine: readonly string[]): HostArguments {
  const requires: string[] = [];
  let inspectPort: number | undefined;
  let debuggingPort: number | undefined;
  let application: string | undefined;
  for (let index = 0; index < commandLine.length; index += 1) {
    const word = commandLine[index] ?? '';
    const [name, value] = word.split('=', 2);
    if (word === '-r' || word === '--require') {
      index += 1;
      const file = commandLine[index];
      if (file !== undefined) requires.push(file);
    } else if (name === '--inspect' || name === '--inspect-brk') inspectPort = portOf(value, defaultInspectPort);
    else if (name === '--remote-debugging-port') debuggingPort = portOf(value, 0);
    else if (!word.startsWith('-')) application ??= word;
  }
  return {
    requires,
    ...(inspectPort !== undefined && { inspectPort }),
    ...(debuggingPort !== undefined && { debuggingPort }),
    ...(application !== undefined && { application }),
  };
}

/** The value of `--name=value`; the empty text for `--name`, undefined where it is absent. The last one wins, as in Chromium. */
export function switchValue(commandLine: readonly string[], name: string): string | undefined {
  const found = commandLine.findLast((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  return found?.slice(name.length + 3);
}
