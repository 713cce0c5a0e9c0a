/**
 * `npm run demo`: plays the whole story by itself with separate processes and prints it as a timeline. The last line is
 * `N passed, N failed`; the exit code is 0 only when each message was shown exactly once and every other promise held.
 * `npm run demo -- --screenshots` plays a short story in the built app instead and leaves pictures in `demo/`.
 */
import { playStory } from './demo/story.ts';
import { Timeline } from './demo/timeline.ts';
import { runScript } from './processes/script.ts';

const print = (line: string): void => { process.stdout.write(`${line}\n`); };

async function main(commandLine: readonly string[]): Promise<number> {
  if (commandLine.length === 0) return runScript('demo', (checks, directory) => playStory(checks, new Timeline(print), directory));
  if (commandLine[0] === '--screenshots') {
    // Loaded when it is wanted: it brings a browser driver along.
    const { takeScreenshots } = await import('./demo/screenshots.ts');
    return takeScreenshots(print);
  }
  console.error('usage: npm run demo [-- --screenshots]');
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
