/**
 * Stands between genuine visors and the relay, passes everything on, and keeps what passed: the corpus that inputs are made from. Through it
 * inputs can also be sent from the address of a genuine visor, as whoever sits on the path could.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const host = '127.0.0.1';
/** Kept for each direction and type byte; later ones replace earlier ones in turn, so that counters and indices stay fresh. */
const keptPerKind = 400;

export interface Corpus {
  readonly fromVisors: readonly Uint8Array[];
  readonly fromRelay: readonly Uint8Array[];
}

class Kept {
  readonly #byType = new Map<number, { readonly datagrams: Uint8Array[]; next: number }>();

  add(datagram: Uint8Array): void {
    const kind = this.#byType.get(datagram[0] ?? 0) ?? { datagrams: [], next: 0 };
    this.#byType.set(datagram[0] ?? 0, kind);
    kind.datagrams[kind.next % keptPerKind] = datagram;
    kind.next += 1;
  }

  get all(): readonly Uint8Array[] { return [...this.#byType.values()].flatMap(({ datagrams }) => datagrams); }
}

export class RecordingProxy {
  readonly #front = createSocket('udp4');
  readonly #relayPort: number;
  readonly #upstream = new Map<number, Socket>();
  readonly #fromVisors = new Kept();
  readonly #fromRelay = new Kept();

  constructor(relayPort: number) {
    this.#relayPort = relayPort;
  }

  /** The port that visors take for the relay's. */
  async listen(): Promise<number> {
    this.#front.on('message', (bytes, from) => {
      this.#fromVisors.add(Uint8Array.from(bytes));
      this.#socketFor(from.port).send(bytes, this.#relayPort, host);
    });
    this.#front.bind(0, host);
    await once(this.#front, 'listening');
    return this.#front.address().port;
  }

  get corpus(): Corpus { return { fromVisors: this.#fromVisors.all, fromRelay: this.#fromRelay.all }; }

  /** Sockets whose address the relay knows as that of a genuine visor. */
  get genuineSockets(): readonly Socket[] { return [...this.#upstream.values()]; }

  close(): void {
    this.#front.close();
    for (const socket of this.#upstream.values()) socket.close();
  }

  #socketFor(visorPort: number): Socket {
    const known = this.#upstream.get(visorPort);
    if (known !== undefined) return known;
    const socket = createSocket('udp4');
    socket.on('message', (bytes) => {
      this.#fromRelay.add(Uint8Array.from(bytes));
      this.#front.send(bytes, visorPort, host);
    });
    this.#upstream.set(visorPort, socket);
    return socket;
  }
}
