/**
 * Bytes of blobs that were read lately, in pieces. All blobs that are served share it: a relay with a thousand of them under way keeps no more in
 * memory than one with two. Nothing rests on it but speed.
 */

/** Larger than any leaf group and any block of a record (128 KiB), so that neither ever lies across two pieces. */
export const pieceBytes = 262_144;
const piecesMaximum = 192;

export class PieceCache {
  /** Least recently used first. */
  readonly #pieces = new Map<string, Uint8Array>();
  readonly #maximum: number;

  constructor(maximum = piecesMaximum) { this.#maximum = maximum; }

  get size(): number { return this.#pieces.size; }

  get(key: string): Uint8Array | undefined {
    const piece = this.#pieces.get(key);
    if (piece === undefined) return undefined;
    this.#pieces.delete(key);
    this.#pieces.set(key, piece);
    return piece;
  }

  put(key: string, piece: Uint8Array): void {
    this.#pieces.delete(key);
    this.#pieces.set(key, piece);
    if (this.#pieces.size <= this.#maximum) return;
    const oldest = this.#pieces.keys().next();
    if (oldest.done !== true) this.#pieces.delete(oldest.value);
  }

  delete(key: string): void { this.#pieces.delete(key); }
}
