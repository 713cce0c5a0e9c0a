/**
 * The DevTools protocol over Chromium's debugging pipe: JSON messages ended by a NUL byte. The pipe also ties the two lives together:
 * Chromium exits when its end closes, so a killed host leaves no orphans.
 */
import type { Readable, Writable } from 'node:stream';
import { field, isRecord, numberField, textField, type Json } from './json.ts';

export type CdpListener = (method: string, parameters: Json) => void;

interface Pending {
  readonly method: string;
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

export class CdpConnection {
  readonly #output: Writable;
  readonly #pending = new Map<number, Pending>();
  readonly #sessions = new Map<string, CdpListener>();
  readonly #onBrowserEvent: CdpListener;
  #nextId = 1;
  #rest = '';
  #isClosed = false;

  constructor(input: Readable, output: Writable, onBrowserEvent: CdpListener) {
    this.#output = output;
    this.#onBrowserEvent = onBrowserEvent;
    input.setEncoding('utf8');
    input.on('data', (text: string) => {
      this.#receive(text);
    });
    input.on('close', () => {
      this.#close();
    });
    // A write to a browser that has just ended fails; the close event tells everyone.
    output.on('error', () => undefined);
    input.on('error', () => undefined);
  }

  /** Events of one attached target. */
  listen(sessionId: string, listener: CdpListener): void {
    this.#sessions.set(sessionId, listener);
  }

  send(method: string, parameters: Json = {}, sessionId?: string): Promise<Json> {
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    if (this.#isClosed) {
      reject(new Error(`${method}: the browser has ended`));
      return promise;
    }
    const id = this.#nextId++;
    this.#pending.set(id, { method, resolve, reject });
    this.#output.write(`${JSON.stringify({ id, method, params: parameters, ...(sessionId !== undefined && { sessionId }) })}\0`);
    return promise;
  }

  #receive(text: string): void {
    const messages = (this.#rest + text).split('\0');
    this.#rest = messages.pop() ?? '';
    for (const message of messages) this.#dispatch(JSON.parse(message));
  }

  #dispatch(message: unknown): void {
    const id = numberField(message, 'id');
    const pending = this.#pending.get(id);
    if (pending !== undefined) {
      this.#pending.delete(id);
      const error = field(message, 'error');
      const result = field(message, 'result');
      if (error === undefined) pending.resolve(isRecord(result) ? result : {});
      else pending.reject(new Error(`${pending.method}: ${textField(error, 'message')}`));
      return;
    }
    const method = textField(message, 'method');
    const parameters = field(message, 'params');
    const sessionId = textField(message, 'sessionId');
    const listener = sessionId === '' ? this.#onBrowserEvent : this.#sessions.get(sessionId);
    listener?.(method, isRecord(parameters) ? parameters : {});
  }

  #close(): void {
    this.#isClosed = true;
    for (const { method, reject } of this.#pending.values()) reject(new Error(`${method}: the browser has ended`));
    this.#pending.clear();
  }
}
