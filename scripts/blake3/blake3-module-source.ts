/** The text of blake3-module.ts for a program: base64, so that no file has to be read, shipped or found at run time. */
import { base64 } from '@scure/base';

const columns = 140;

export function blake3ModuleSource(program: Uint8Array): string {
  const lines = base64.encode(program).match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
  return [
    '/**',
    ' * The BLAKE3 program as WebAssembly, written by scripts/blake3/build-blake3-wasm.ts from blake3-program.ts beside it. Do not edit: build it again.',
    ' */',
    "import { base64 } from '@scure/base';",
    '',
    'const text = `',
    ...lines,
    '`;',
    '',
    '/** The bytes of the module, for `createWasmBlake3`. */',
    "export const blake3Module = (): Uint8Array<ArrayBuffer> => Uint8Array.from(base64.decode(text.replaceAll('\\n', '')));",
    '',
  ].join('\n');
}
