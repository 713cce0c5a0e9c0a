/** Sends letters to one visor at about 1,000 a second, in a process of its own. */
import { fromHex } from '../src/main/engine/wire/bytes.ts';
import { depositLetters } from './letters-for.ts';
import type { FloodTask } from './main-thread-delay.ts';

/** 32 under way, each after a pause of 30 ms: about 1,000 a second. */
const pauseMs = 30;

process.once('message', (message) => {
  const task = message as FloodTask;
  const tokens = task.tokens.map((token) => fromHex(token)).filter((token) => token !== undefined);
  void depositLetters(task.relay, task.recipient, tokens, Array.from({ length: task.letters }, (_, index) => `flood ${String(index)}`), pauseMs).then(() => { process.exit(0); }, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
});
