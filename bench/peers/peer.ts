/**
 * What every peer implements, whatever carries its bytes: one side that serves and one that dials, asks and receives. The workloads
 * (client.ts) know nothing else of a peer, so that all are measured by the same code. Everything flows to the side that dialled, as in a download.
 */

/** One echoed message. */
export const echoSizeBytes = 200;
/** One of many small transfers. */
export const transferSizeBytes = 1_024;
/** What a bulk sender hands to its transport at once, where the transport does not prescribe it. */
export const bulkChunkBytes = 65_536;
/** Small transfers that are under way at the same time; every transport here allows as many streams or requests on one connection. */
export const transfersUnderWay = 64;
/** All in one run, on one connection. */
export const transfersTotal = 10_000;

/** The address that an end binds to; another one in a network namespace (bench/lossy-links.ts). */
export const ownHost = process.env['WAYPOST_BENCH_HOST'] ?? '127.0.0.1';

export interface Peer {
  /** Serves on its own host until the process ends. Resolves, once others can dial, to what a dialler has to know: one line of text. */
  serve(): Promise<string>;
  /** Everything that a program does once at its start and not for each connection: loading, binding, making keys, joining a network. */
  prepare(address: string): Promise<Dialler>;
}

export interface Dialler {
  /** A new connection, usable when it resolves. */
  dial(): Promise<Connection>;
}

/** One workload is run on a connection: some transports have a single stream, and the first thing said on it says what it is for. */
export interface Connection {
  /** Asks for bytes without end; `received` is told how many came, each time some do. Resolves as soon as it is asked. */
  bulk(received: (sizeBytes: number) => void): Promise<void>;
  /** Resolves when as many bytes have come back; called again only then. */
  echo(message: Uint8Array): Promise<void>;
  /** Asks for one small content and resolves when all of it has come; undefined for what has no notion of a whole. */
  readonly transfer: ((index: number) => Promise<void>) | undefined;
  /** Takes no more of what `bulk` asked for, though more is there; echoes go on. Undefined where both would have to share one stream. */
  readonly stopReading: (() => void) | undefined;
}
