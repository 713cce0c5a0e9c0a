/**
 * Takes a laboratory down when the program that built it ends, however it ends: `guard-process.ts LAB`, started by guard.ts, waits in a session of its own for its
 * standard input, which nobody writes to, to close. The kernel closes it with the program's last breath, also after SIGKILL.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { extendPath, Lab } from './lab.ts';

const lateMs = 2_000;

const [lab = ''] = process.argv.slice(2);
// Whoever ends it by hand would leave the laboratory behind.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.stdin.resume();
await once(process.stdin, 'close');
extendPath();
await new Lab(lab).down();
// A command that the program had started a moment before its end may have built something since.
await pause(lateMs);
await new Lab(lab).down();
