/**
 * The local API: the contract over a Unix socket in the profile (a named pipe on Windows), for the command line and for programs of the
 * same user. Who may open the socket may read and send this profile's messages, so it lies in a folder of the owner alone; secrets are
 * not served here even so.
 *
 * A client that does not read is cut off rather than buffered for; one that asks too much at once is read from no further until it has its answers.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Contract } from '../../shared/contract.ts';
import type { ClientPipe, Reply } from '../../shared/transport.ts';
import { fileError } from './atomic-file.ts';
import { answerMaximumBytes, encodeLine, fromClientSchema, JsonLineDecoder, type FromServer } from './json-lines.ts';

const connectionsMaximum = 64;
const callsInFlightMaximum = 32;
/** Twice the largest message: a reader this far behind is not reading. */
const backlogMaximumBytes = 2 * answerMaximumBytes;
const listenersMaximum = 16;
const ownerOnly = 0o600;

/** Neither the identity's secrets (`account`) nor the app's own helper (`echo`). */
const servedGroups: ReadonlySet<string> = new Set<keyof Contract>(['state', 'messages', 'files', 'names', 'contacts', 'invites', 'relays', 'peers', 'network', 'settings', 'visor']);

export interface ControlSocket {
  close(): Promise<void>;
}

export const isServedLocally = (path: string): boolean => servedGroups.has(path.split('.')[0] ?? '');

const notServed: Reply = { ok: false, error: { code: 'invalid-argument', message: 'That call is not served to other programs.' } };
const tooLarge: Reply = { ok: false, error: { code: 'message-too-large', message: 'The answer is larger than one message may be. Ask for fewer messages at a time.' } };

class Connection {
  readonly #socket: Socket;
  readonly #pipe: ClientPipe;
  readonly #decoder = new JsonLineDecoder();
  readonly #unsubscribe = new Map<string, () => void>();
  #callsInFlight = 0;

  constructor(socket: Socket, pipe: ClientPipe) {
    this.#socket = socket;
    this.#pipe = pipe;
    socket.on('data', (chunk: Buffer) => { this.#receive(chunk); });
    socket.on('error', () => { socket.destroy(); });
    socket.on('close', () => {
      for (const unsubscribe of this.#unsubscribe.values()) unsubscribe();
      this.#unsubscribe.clear();
    });
  }

  #receive(chunk: Uint8Array): void {
    const result = this.#decoder.push(chunk);
    if (!result.ok) {
      this.#socket.destroy();
      return;
    }
    for (const value of result.values) {
      const message = fromClientSchema.safeParse(value);
      if (!message.success) {
        this.#socket.destroy();
        return;
      }
      if ('listen' in message.data) this.#listen(message.data.listen);
      else void this.#call(message.data.id, message.data.path, message.data.argument);
    }
  }

  #listen(path: string): void {
    if (!isServedLocally(path) || this.#unsubscribe.has(path) || this.#unsubscribe.size >= listenersMaximum) return;
    this.#unsubscribe.set(path, this.#pipe.listen(path, (payload) => { this.#send({ event: path, payload }); }));
  }

  async #call(id: number, path: string, argument: unknown): Promise<void> {
    this.#callsInFlight += 1;
    if (this.#callsInFlight >= callsInFlightMaximum) this.#socket.pause();
    const reply = isServedLocally(path) ? await this.#pipe.invoke(path, argument) : notServed;
    this.#callsInFlight -= 1;
    if (this.#callsInFlight < callsInFlightMaximum) this.#socket.resume();
    this.#send({ id, reply });
  }

  #send(message: FromServer): void {
    if (this.#socket.destroyed) return;
    let line = encodeLine(message);
    if (Buffer.byteLength(line) > answerMaximumBytes) {
      if (!('id' in message)) {
        this.#socket.destroy();
        return;
      }
      line = encodeLine({ id: message.id, reply: tooLarge });
    }
    this.#socket.write(line);
    if (this.#socket.writableLength > backlogMaximumBytes) this.#socket.destroy();
  }
}

/** Call it only while holding the profile's lock: a socket file that is found is then left over, and is removed. */
export function serveControlSocket(address: string, pipe: ClientPipe): Promise<ControlSocket> {
  const isFile = process.platform !== 'win32';
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    new Connection(socket, pipe);
  });
  server.maxConnections = connectionsMaximum;
  return new Promise((resolve, reject) => {
    if (isFile) rmSync(address, { force: true });
    server.once('error', (error) => { reject(fileError(error, address)); });
    server.listen(address, () => {
      if (isFile) chmodSync(address, ownerOnly);
      resolve({
        close: () => new Promise((closed) => {
          server.close(() => { closed(); });
          // Replies already written still leave; whoever keeps the connection open longer does not hold us up.
          for (const socket of sockets) socket.end();
          setTimeout(() => { for (const socket of sockets) socket.destroy(); }, 200).unref();
        }),
      });
    });
  });
}
