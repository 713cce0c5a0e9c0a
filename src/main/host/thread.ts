/**
 * Starts every worker thread of the host, so that what threads need of the process is in one place.
 *
 * When Node runs the sources, each thread takes the types out of them with a program in WebAssembly that Node brings along (Amaro). V8 keeps
 * the code of calls out of WebAssembly once for the whole process and frees it when no thread uses it any more. In V8 13.6, which is Node 24,
 * a thread that looks such code up while another is about to free it makes it be freed twice (`WasmImportWrapperCache::MaybeGet` counts a
 * reference on code that is dying already; later versions have `AddRefIfNotDying`). The process ends then without a word, most often while
 * several threads start on a busy machine. So where threads run TypeScript, V8 frees no such code. The built app takes no types out, and its
 * own WebAssembly (BLAKE3) calls nothing outside, so nothing changes there.
 */
import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Costs some hundred bytes for each kind of call, what V8 compiled anew while a module lives, and the code cache of Node's own modules, since
 * V8 refuses one that was made under other flags: 10 ms for each start of a thread, of the 600 that taking the types out takes.
 */
const keepCodeFlag = '--no-wasm-code-gc';
let keepsCode = false;

/** `entry`: a file, by its path or its URL. */
export function startThread(entry: string | URL, options?: WorkerOptions): Worker {
  if (!keepsCode && (entry instanceof URL ? entry.pathname : entry).endsWith('.ts')) {
    // Before the first of them: it is the second thread that makes it dangerous.
    setFlagsFromString(keepCodeFlag);
    keepsCode = true;
  }
  return new Worker(entry, options);
}
