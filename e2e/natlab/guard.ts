/** Starts what takes a laboratory down when this process has ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import path from 'node:path';

const program = path.join(import.meta.dirname, 'guard-process.ts');

/** Returns what calls the guard off; it has ended then. */
export function startGuard(lab: string): () => Promise<void> {
  const child = spawn(process.execPath, [program, lab], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  const ended = once(child, 'exit');
  return async () => {
    child.ref();
    child.kill('SIGKILL');
    await ended;
  };
}
