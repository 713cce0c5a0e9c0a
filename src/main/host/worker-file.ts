/**
 * Where the entry of a worker or child process is: beside this file as TypeScript when Node runs the sources, and at the top of the main
 * bundle (which may have put this module into a chunk of its own) when the app was built.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const chunkFolder = 'chunks';

/** `name` without extension, for example `engine-worker`. `moduleUrl` is replaced in tests. */
export function workerFile(name: string, moduleUrl: string = import.meta.url): string {
  const file = fileURLToPath(moduleUrl);
  const directory = path.dirname(file);
  if (file.endsWith('.ts')) return path.join(directory, `${name}.ts`);
  return path.join(path.basename(directory) === chunkFolder ? path.dirname(directory) : directory, `${name}.js`);
}
