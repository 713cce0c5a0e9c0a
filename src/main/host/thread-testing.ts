/**
 * A process of its own for the test of `thread.ts`: starts a thread with the entry that it is given, and then uses WebAssembly whose code V8
 * would free. Wants `--expose-gc` and the flags that make V8 free code at once and say so.
 */
import { once } from 'node:events';
import { isMainThread } from 'node:worker_threads';
import { startThread } from './thread.ts';

/** `(module (import "m" "f" (func $f)) (func (export "h") (call $f)))`: calls out, which the code that V8 keeps for the process is for. */
const callsOut = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, 7, 1, 1, 0x6d, 1, 0x66, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x68, 0, 1, 10, 6, 1, 4, 0, 0x10, 0, 0x0b,
);
const rounds = 5;

function callOutAndForget(): void {
  const { h } = new WebAssembly.Instance(new WebAssembly.Module(callsOut), { m: { f: () => undefined } }).exports;
  if (typeof h !== 'function') throw new Error('the module exports no function');
  for (let call = 0; call < rounds; call += 1) Reflect.apply(h, undefined, []);
}

const [, , entry] = process.argv;
// The thread may have this very file as its entry, and ends at once.
if (isMainThread && entry !== undefined) {
  await once(startThread(new URL(entry)), 'exit');
  for (let round = 0; round < rounds; round += 1) {
    callOutAndForget();
    await globalThis.gc?.({ execution: 'async', type: 'major' });
  }
}
