/**
 * The workloads over a channel: any duplex flow of bytes with backpressure (a TLS socket, a stream of libp2p, a secret stream of HyperDHT).
 * The first byte that the dialling side sends says what the channel is for.
 */
import { bulkChunkBytes, transferSizeBytes, type Connection } from './peer.ts';

export interface Channel {
  /** False: enough for now, wait for `drained`. */
  send(bytes: Uint8Array): boolean;
  /** Resolves when more may be sent; rejects when the channel ended. */
  drained(): Promise<void>;
  onData(handler: (bytes: Uint8Array) => void): void;
  /** No more data from now on: what comes fills the windows, and holds the other side back. */
  pause?(): void;
  /** Nothing more will be sent from here. */
  end(): void;
}

const purposeBulk = 1;
const purposeEcho = 2;
/** Many transfers on one channel, each asked for by four bytes, its number. */
const purposeTransfers = 3;
/** One transfer, after which the channel ends. */
const purposeTransfer = 4;
const numberBytes = 4;
/** An answer on a shared channel: the number of the transfer and its content. */
const answerBytes = numberBytes + transferSizeBytes;

/** The serving side of one channel. What fails here failed because the other side went away, which ends every workload. */
export function serveChannel(channel: Channel): void {
  let purpose: number | undefined;
  const numbers = new Records(numberBytes, (request) => {
    const answer = new Uint8Array(answerBytes).fill(7);
    answer.set(request);
    channel.send(answer);
  });
  channel.onData((bytes) => {
    let rest = bytes;
    if (purpose === undefined) {
      purpose = bytes[0];
      rest = bytes.subarray(1);
      if (purpose === purposeBulk) sendWithoutEnd(channel).catch(() => undefined);
      if (purpose === purposeTransfer) {
        channel.send(new Uint8Array(transferSizeBytes).fill(7));
        channel.end();
      }
    }
    if (rest.length === 0) return;
    if (purpose === purposeEcho) channel.send(rest);
    if (purpose === purposeTransfers) numbers.take(rest);
  });
}

async function sendWithoutEnd(channel: Channel): Promise<never> {
  const chunk = new Uint8Array(bulkChunkBytes).fill(7);
  for (;;) if (!channel.send(chunk)) await channel.drained();
}

/** The dialling side. `open` gives the only channel of a connection, or a new one each time where streams are cheap. */
export function connectionOver(open: () => Channel | Promise<Channel>, transfers: 'on-one-channel' | 'a-channel-each'): Connection {
  let echo: EchoChannel | undefined;
  let shared: TransferChannel | undefined;
  let reading: Channel | undefined;
  return {
    async bulk(received) {
      const channel = await open();
      reading = channel;
      channel.onData((bytes) => { received(bytes.length); });
      channel.send(Uint8Array.of(purposeBulk));
    },
    async echo(message) {
      echo ??= new EchoChannel(await open());
      await echo.ask(message);
    },
    async transfer(index) {
      if (transfers === 'a-channel-each') { await transferAlone(await open()); return; }
      shared ??= new TransferChannel(open);
      await shared.ask(index);
    },
    stopReading: transfers === 'a-channel-each' ? () => { reading?.pause?.(); } : undefined,
  };
}

function transferAlone(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    let missing = transferSizeBytes;
    channel.onData((bytes) => {
      missing -= bytes.length;
      if (missing === 0) resolve();
    });
    channel.send(Uint8Array.of(purposeTransfer));
    channel.end();
  });
}

class EchoChannel {
  readonly #channel: Channel;
  #missing = 0;
  #done: (() => void) | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onData((bytes) => {
      this.#missing -= bytes.length;
      if (this.#missing === 0) this.#done?.();
    });
    channel.send(Uint8Array.of(purposeEcho));
  }

  ask(message: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#missing = message.length;
      this.#done = resolve;
      this.#channel.send(message);
    });
  }
}

class TransferChannel {
  readonly #channel: Promise<Channel>;
  readonly #pending = new Map<number, () => void>();

  constructor(open: () => Channel | Promise<Channel>) {
    const answers = new Records(answerBytes, (answer) => {
      const index = numberOf(answer);
      this.#pending.get(index)?.();
      this.#pending.delete(index);
    });
    this.#channel = Promise.resolve(open()).then((channel) => {
      channel.onData((bytes) => { answers.take(bytes); });
      channel.send(Uint8Array.of(purposeTransfers));
      return channel;
    });
  }

  async ask(index: number): Promise<void> {
    const channel = await this.#channel;
    const request = new Uint8Array(numberBytes);
    new DataView(request.buffer).setUint32(0, index);
    await new Promise<void>((resolve) => {
      this.#pending.set(index, resolve);
      channel.send(request);
    });
  }
}

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);

/** Cuts a flow of bytes into records of one size. */
class Records {
  readonly #sizeBytes: number;
  readonly #take: (record: Uint8Array) => void;
  #rest = new Uint8Array(0);

  constructor(sizeBytes: number, take: (record: Uint8Array) => void) {
    this.#sizeBytes = sizeBytes;
    this.#take = take;
  }

  take(bytes: Uint8Array): void {
    let all = bytes;
    if (this.#rest.length > 0) {
      all = new Uint8Array(this.#rest.length + bytes.length);
      all.set(this.#rest);
      all.set(bytes, this.#rest.length);
    }
    let offset = 0;
    for (; all.length - offset >= this.#sizeBytes; offset += this.#sizeBytes) this.#take(all.subarray(offset, offset + this.#sizeBytes));
    this.#rest = all.slice(offset);
  }
}
