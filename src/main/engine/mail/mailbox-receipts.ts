/** Storage receipts of one group commit: gathered while its results come back, signed once, sent. A receipt is a promise, so it exists only after the commit. */
import { encodeStorageReceipt, signReceipts } from '../wire/receipt.ts';
import type { Answer } from '../directed/types.ts';
import type { Instant, StorageReceipt } from '../wire/types.ts';
import type { MailboxContext } from './mailbox-context.ts';

/** Under one signature; keeps a proof at 12 siblings. */
const receiptsPerSignature = 4_096;

export class ReceiptBatch {
  readonly #context: MailboxContext;
  #waiting: { readonly encoded: Uint8Array; readonly answer: Answer }[] = [];

  constructor(context: MailboxContext) { this.#context = context; }

  get size(): number { return this.#waiting.length; }

  add(receipt: StorageReceipt, answer: Answer): void {
    this.#waiting.push({ encoded: encodeStorageReceipt(receipt), answer });
  }

  flush(now: Instant): void {
    const { crypto, ed25519Seed } = this.#context.environment;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, receiptsPerSignature);
      const signed = signReceipts(crypto, batch.map(({ encoded }) => encoded), ed25519Seed);
      this.#context.counters.count('signatures');
      for (const [index, { answer }] of batch.entries()) {
        const payload = signed[index];
        if (payload !== undefined) answer.respond(payload, now);
      }
    }
  }
}
