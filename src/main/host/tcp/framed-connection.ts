/**
 * One connection that carries datagrams, whichever side made it. It is to the engine what a UDP socket is: what cannot be taken in time is dropped and counted, nothing waits without a bound,
 * and a connection that breaks loses what was under way and nothing else.
 */
import type { TLSSocket } from 'node:tls';
import { encodeFrame, FrameReader } from './framing.ts';

/** What may wait for the other side to read, in bytes: a fifth of a second at 10 Mbit/s. Beyond it datagrams are dropped, as a router would. */
const queueMaximumBytes = 256 * 1024;

export interface TcpCounters {
  sentDatagrams: number;
  sentBytes: number;
  receivedDatagrams: number;
  receivedBytes: number;
  /** The other side does not read fast enough, or all connections together wait for too much. */
  dropped: number;
  /** No datagram for this way: empty or too long. */
  refused: number;
  /** Ended because what came was no stream of datagrams. */
  malformed: number;
}

export const newTcpCounters = (): TcpCounters => ({ sentDatagrams: 0, sentBytes: 0, receivedDatagrams: 0, receivedBytes: 0, dropped: 0, refused: 0, malformed: 0 });

/** What all connections of one kind may have waiting together. */
export class WriteBudget {
  readonly #maximumBytes: number;
  #waitingBytes = 0;

  constructor(maximumBytes: number) { this.#maximumBytes = maximumBytes; }

  get waitingBytes(): number { return this.#waitingBytes; }

  take(sizeBytes: number): boolean {
    if (this.#waitingBytes + sizeBytes > this.#maximumBytes) return false;
    this.#waitingBytes += sizeBytes;
    return true;
  }

  giveBack(sizeBytes: number): void { this.#waitingBytes -= sizeBytes; }
}

export interface FramedConnectionOptions {
  readonly socket: TLSSocket;
  readonly budget: WriteBudget;
  readonly counters: TcpCounters;
  readonly onDatagram: (datagram: Uint8Array) => void;
}

export class FramedConnection {
  readonly #options: FramedConnectionOptions;
  readonly #reader = new FrameReader();
  #isCorked = false;

  constructor(options: FramedConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    socket.setNoDelay(true);
    // As a plain array: slices of a Buffer share its memory, and the engine is promised memory of its own.
    socket.on('data', (chunk: Buffer) => { this.#receive(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)); });
    // Whoever has this connection hears of its end by 'close'.
    socket.on('error', () => undefined);
  }

  send(datagram: Uint8Array): void {
    const { socket, budget, counters } = this.#options;
    const frame = encodeFrame(datagram);
    if (frame === undefined) { counters.refused += 1; return; }
    if (socket.destroyed || socket.writableEnded) return;
    if (socket.writableLength + frame.length > queueMaximumBytes || !budget.take(frame.length)) { counters.dropped += 1; return; }
    // What is sent in one turn goes out in one record: an encryption and a call of the kernel for each would cost more than the datagrams.
    if (!this.#isCorked) {
      this.#isCorked = true;
      socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    counters.sentDatagrams += 1;
    counters.sentBytes += datagram.length;
    socket.write(frame, () => { budget.giveBack(frame.length); });
  }

  #receive(chunk: Uint8Array): void {
    const { socket, counters, onDatagram } = this.#options;
    const isSound = this.#reader.push(chunk, (datagram) => {
      if (socket.destroyed) return;
      counters.receivedDatagrams += 1;
      counters.receivedBytes += datagram.length;
      onDatagram(datagram);
    });
    if (isSound) return;
    counters.malformed += 1;
    socket.destroy();
  }
}
