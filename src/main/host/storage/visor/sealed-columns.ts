/** Seals and opens columns. What does not authenticate makes its row damaged: it is reported and left as it is, never overwritten. */
import type { FieldCipher } from '../../../engine/mail/visor-store.ts';
import type { RowReader } from '../row.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class SealedColumns {
  readonly #cipher: FieldCipher;

  constructor(cipher: FieldCipher) {
    this.#cipher = cipher;
  }

  seal(plaintext: Uint8Array): Uint8Array {
    return this.#cipher.seal(plaintext);
  }

  sealOptional(plaintext: Uint8Array | undefined): Uint8Array | null {
    return plaintext === undefined ? null : this.#cipher.seal(plaintext);
  }

  sealText(text: string): Uint8Array {
    return this.#cipher.seal(encoder.encode(text));
  }

  open(reader: RowReader, column: string): Uint8Array {
    const plaintext = this.#cipher.open(reader.bytes(column));
    if (plaintext === undefined) throw reader.damaged(column);
    return plaintext;
  }

  openOptional(reader: RowReader, column: string): Uint8Array | undefined {
    return reader.optionalBytes(column) === undefined ? undefined : this.open(reader, column);
  }

  openText(reader: RowReader, column: string): string {
    return decoder.decode(this.open(reader, column));
  }
}
