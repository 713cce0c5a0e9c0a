/**
 * Hashes content of any length over the tree functions, a window at a time, as it comes. The state is one window of bytes and one chaining
 * value for each full subtree on the left edge.
 */
import { hashBytes } from './blake3-layout.ts';
import type { Blake3Tree } from './blake3-tree.ts';

/** 2^53 bytes, the largest exact length in JavaScript, hold fewer subtrees on their left edge. */
const subtreesMaximum = 53;
const chunkShiftBits = 10;

export class Blake3Content {
  readonly #tree: Blake3Tree;
  readonly #windowBytes: number;
  readonly #subtrees = new Uint8Array(subtreesMaximum * hashBytes);
  readonly #value = new Uint8Array(hashBytes);
  /** Made when bytes have to wait: content that is handed over whole never needs it. */
  #pending: Uint8Array | undefined;
  #pendingBytes = 0;
  #subtreeCount = 0;
  #windowsDone = 0;

  constructor(tree: Blake3Tree) {
    this.#tree = tree;
    this.#windowBytes = tree.windowBytes;
  }

  /** Takes the next bytes of the content, any number. */
  update(bytes: Uint8Array): this {
    let offset = 0;
    while (offset < bytes.length) {
      // A full window is the tree's last one until another byte comes, and the last one is finished differently.
      if (this.#pending !== undefined && this.#pendingBytes === this.#windowBytes) {
        this.#add(this.#pending);
        this.#pendingBytes = 0;
      }
      const rest = bytes.length - offset;
      if (this.#pendingBytes === 0 && rest > this.#windowBytes) {
        this.#add(bytes.subarray(offset, offset + this.#windowBytes));
        offset += this.#windowBytes;
        continue;
      }
      const taken = Math.min(rest, this.#windowBytes - this.#pendingBytes);
      this.#pending ??= new Uint8Array(this.#windowBytes);
      this.#pending.set(bytes.subarray(offset, offset + taken), this.#pendingBytes);
      this.#pendingBytes += taken;
      offset += taken;
    }
    return this;
  }

  /** The hash of everything so far; 32 bytes. More may follow. */
  digest(): Uint8Array {
    return this.#finish((this.#pending ?? this.#value).subarray(0, this.#pendingBytes));
  }

  /** The hash of everything so far and these last bytes, without holding a copy of them. */
  digestWith(bytes: Uint8Array): Uint8Array {
    if (this.#pendingBytes > 0) return this.update(bytes).digest();
    let offset = 0;
    for (; bytes.length - offset > this.#windowBytes; offset += this.#windowBytes) this.#add(bytes.subarray(offset, offset + this.#windowBytes));
    return this.#finish(bytes.subarray(offset));
  }

  #finish(last: Uint8Array): Uint8Array {
    const value = new Uint8Array(hashBytes);
    let left = this.#subtreeCount;
    this.#tree.group(last, this.#firstIndex(), left === 0 ? 'root' : 'inner', value);
    while (left > 0) {
      left -= 1;
      this.#tree.parent(this.#subtree(left), value, left === 0 ? 'root' : 'inner', value);
    }
    return value;
  }

  /** A full window that is not the last: joined with every full subtree of its size, as in counting with carry. */
  #add(window: Uint8Array): void {
    this.#tree.group(window, this.#firstIndex(), 'inner', this.#value);
    this.#windowsDone += 1;
    for (let windows = this.#windowsDone; windows % 2 === 0; windows /= 2) {
      this.#subtreeCount -= 1;
      this.#tree.parent(this.#subtree(this.#subtreeCount), this.#value, 'inner', this.#value);
    }
    this.#subtrees.set(this.#value, this.#subtreeCount * hashBytes);
    this.#subtreeCount += 1;
  }

  #firstIndex(): number {
    return this.#windowsDone * (this.#windowBytes / (1 << chunkShiftBits));
  }

  #subtree(index: number): Uint8Array {
    return this.#subtrees.subarray(index * hashBytes, (index + 1) * hashBytes);
  }
}
