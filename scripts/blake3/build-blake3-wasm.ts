/**
 * `node scripts/blake3/build-blake3-wasm.ts` writes src/main/engine/blake3/blake3-module.ts, the WebAssembly program as text. The program
 * depends on nothing but the sources here: every machine writes the same bytes, and blake3-module.test.ts says whether they are checked in.
 */
import { writeFileSync } from 'node:fs';
import { blake3Program } from './blake3-program.ts';
import { blake3ModuleSource } from './blake3-module-source.ts';

const program = blake3Program();
writeFileSync(new URL('../../src/main/engine/blake3/blake3-module.ts', import.meta.url), blake3ModuleSource(program));
console.log(`blake3-module.ts written: a program of ${program.length} bytes.`);
