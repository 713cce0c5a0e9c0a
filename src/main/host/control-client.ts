/** The other end of the local API: connects to a running visor of a profile and speaks the contract with it. */
import { connect, type Socket } from 'node:net';
import { errorCodes, type ErrorCode } from '../../shared/errors.ts';
import type { ClientPipe, Reply } from '../../shared/transport.ts';
import { answerMaximumBytes, encodeLine, fromServerSchema, JsonLineDecoder, lineMaximumBytes } from './json-lines.ts';

const connectTimeoutMs = 2_000;

export interface ControlClient extends ClientPipe {
  close(): void;
  /** Settles when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
}

const gone: Reply = { ok: false, error: { code: 'not-running', message: 'The running Waypost ended the connection. Start it again and repeat the command.' } };
const requestTooLarge: Reply = { ok: false, error: { code: 'message-too-large', message: 'That is more than one call may carry. Send a shorter text.' } };

function isErrorCode(code: string): code is ErrorCode {
  return errorCodes.some((known) => known === code);
}

/** Undefined when no visor answers there. */
export function connectControlSocket(address: string): Promise<ControlClient | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const failed = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(connectTimeoutMs, failed);
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', failed);
      resolve(createClientPipe(socket));
    });
  });
}

function createClientPipe(socket: Socket): ControlClient {
  const waiting = new Map<number, (reply: Reply) => void>();
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  const decoder = new JsonLineDecoder(answerMaximumBytes);
  let nextId = 1;

  const receive = (value: unknown): void => {
    const parsed = fromServerSchema.safeParse(value);
    if (!parsed.success) {
      socket.destroy();
      return;
    }
    const message = parsed.data;
    if ('event' in message) {
      for (const listener of listeners.get(message.event) ?? []) listener(message.payload);
      return;
    }
    const settle = waiting.get(message.id);
    waiting.delete(message.id);
    const { reply } = message;
    if (reply.ok) settle?.({ ok: true, value: reply.value });
    else settle?.({ ok: false, error: { code: isErrorCode(reply.error.code) ? reply.error.code : 'internal', message: reply.error.message } });
  };

  socket.on('data', (chunk: Buffer) => {
    const result = decoder.push(chunk);
    if (!result.ok) socket.destroy();
    else result.values.forEach(receive);
  });
  socket.on('error', () => { socket.destroy(); });
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      for (const settle of waiting.values()) settle(gone);
      waiting.clear();
      resolve();
    });
  });

  return {
    closed,
    invoke(path, argument) {
      if (socket.destroyed || !socket.writable) return Promise.resolve(gone);
      const id = nextId;
      nextId += 1;
      const line = encodeLine(argument === undefined ? { id, path } : { id, path, argument });
      if (Buffer.byteLength(line) > lineMaximumBytes) return Promise.resolve(requestTooLarge);
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        socket.write(line);
      });
    },
    listen(path, listener) {
      const known = listeners.get(path) ?? new Set();
      if (known.size === 0 && socket.writable) socket.write(encodeLine({ listen: path }));
      known.add(listener);
      listeners.set(path, known);
      return () => { known.delete(listener); };
    },
    close() { socket.end(); socket.unref(); },
  };
}
