/** Files of any size from a seed, written and read again in pieces: no case has a gigabyte in memory. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { SeededRandom } from '../../sim/random.ts';

const blockBytes = 1_048_576;
const chunkBytes = 1_024;

/** Block `index` of the content: random bytes, in which each KiB carries its own number, so that no two are the same. */
export class SeededContent {
  readonly #block: Buffer;

  constructor(seed: string) {
    this.#block = Buffer.from(new SeededRandom(`content ${seed}`).bytes(blockBytes));
  }

  /** Valid until the next one is asked for. */
  block(index: number, sizeBytes = blockBytes): Uint8Array {
    for (let chunk = 0; chunk < blockBytes / chunkBytes; chunk += 1) this.#block.writeUIntBE(index * (blockBytes / chunkBytes) + chunk, chunk * chunkBytes, 6);
    return this.#block.subarray(0, sizeBytes);
  }
}

/** Writes the file and gives its SHA-256 in hex. */
export async function writeContent(path: string, seed: string, sizeBytes: number): Promise<string> {
  const content = new SeededContent(seed);
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for (let index = 0; index * blockBytes < sizeBytes; index += 1) {
      const block = content.block(index, Math.min(blockBytes, sizeBytes - index * blockBytes));
      hash.update(block);
      await file.write(block);
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** SHA-256 in hex of a file. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: blockBytes })) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}
