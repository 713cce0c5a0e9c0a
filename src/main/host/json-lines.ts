/**
 * Newline-delimited JSON over a byte stream: one message a line, bounded in size. What comes in is hostile until its schema accepted it;
 * a line that is too long or no JSON ends the connection, because nothing after it can be trusted to be a boundary.
 */
import { z } from 'zod';

/** What a client may send in one line: the longest text is 64 KiB, six times that with every character escaped. */
export const lineMaximumBytes = 1024 * 1024;
/** What it may be answered: a page of 200 texts of the longest kind, or the snapshot of a big profile. */
export const answerMaximumBytes = 16 * 1024 * 1024;
const newline = 0x0a;

const path = z.string().max(128);
const callId = z.number().int().nonnegative();

export const fromClientSchema = z.union([
  z.strictObject({ id: callId, path, argument: z.unknown().optional() }),
  /** Events are sent only for the notifications asked for. */
  z.strictObject({ listen: path }),
]);
export type FromClient = z.infer<typeof fromClientSchema>;

export const fromServerSchema = z.union([
  z.strictObject({
    id: callId,
    reply: z.union([
      z.object({ ok: z.literal(true), value: z.unknown().optional() }),
      z.object({ ok: z.literal(false), error: z.object({ code: z.string().max(64), message: z.string() }) }),
    ]),
  }),
  z.strictObject({ event: path, payload: z.unknown() }),
]);
export type FromServer = z.infer<typeof fromServerSchema>;

export type LineResult = { readonly ok: true; readonly values: readonly unknown[] } | { readonly ok: false; readonly reason: 'too-long' | 'not-json' };

/** Cuts a stream into parsed lines; keeps at most one unfinished line of the maximum size. */
export class JsonLineDecoder {
  readonly #mostBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #parts: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(mostBytes: number = lineMaximumBytes) {
    this.#mostBytes = mostBytes;
  }

  push(chunk: Uint8Array): LineResult {
    const values: unknown[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      const piece = chunk.subarray(start, end < 0 ? chunk.length : end);
      this.#sizeBytes += piece.length;
      if (this.#sizeBytes > this.#mostBytes) return { ok: false, reason: 'too-long' };
      if (piece.length > 0) this.#parts.push(piece.slice());
      if (end < 0) return { ok: true, values };
      start = end + 1;
      const line = this.#takeLine();
      if (line.length === 0) continue;
      try {
        values.push(JSON.parse(this.#decoder.decode(line)));
      } catch {
        return { ok: false, reason: 'not-json' };
      }
    }
  }

  #takeLine(): Uint8Array {
    const line = new Uint8Array(this.#sizeBytes);
    let offset = 0;
    for (const part of this.#parts) {
      line.set(part, offset);
      offset += part.length;
    }
    this.#parts = [];
    this.#sizeBytes = 0;
    return line;
  }
}

export function encodeLine(message: FromClient | FromServer): string {
  return `${JSON.stringify(message)}\n`;
}
