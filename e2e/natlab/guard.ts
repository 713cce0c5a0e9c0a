/**
 * Takes laboratories down when the program that built them ends, however it ends: `guard.ts LAB` waits in a session of its own for its standard input, which nobody
 * writes to, to close. The kernel closes it with the program's last breath, also after SIGKILL.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { extendPath } from './requirements.ts';

const ownFile = fileURLToPath(import.meta.url);

/** Returns what calls the guard off; it has ended then. */
export function startGuard(lab: string): () => Promise<void> {
  const child = spawn(process.execPath, [ownFile, lab], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  const ended = once(child, 'exit');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

if (process.argv[1] === ownFile) {
  const [lab = ''] = process.argv.slice(2);
  // Whoever ends it by hand would leave the laboratory behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.stdin.resume();
  await once(process.stdin, 'close');
  extendPath();
  const { Lab } = await import('./lab.ts');
  await new Lab(lab).down();
}
