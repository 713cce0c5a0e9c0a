/** The keys that one handshake made: two ciphers, two indices, counters and the replay window. A session has one or, in the overlap of a rekey, two. */
import type { TransportCiphers } from '../noise/index.ts';
import { encodeTransport, transportCiphertext } from './datagram.ts';
import { ReplayWindow } from './replay-window.ts';
import type { PendingHandshake } from './responder.ts';
import type { Session } from './session.ts';

const noAssociatedData = new Uint8Array(0);

export class SessionKeys {
  readonly kind = 'keys';
  readonly localIndex: number;
  readonly remoteIndex: number;
  /** What the other side would show after a restart; undefined when it gave none. */
  readonly remoteResetToken: Uint8Array | undefined;
  readonly window = new ReplayWindow();
  readonly #ciphers: TransportCiphers;
  /** The session, or the handshake that still waits for the initiator's first packet. */
  owner: Session | PendingHandshake;
  sentPackets = 0;

  constructor(ciphers: TransportCiphers, localIndex: number, remoteIndex: number, remoteResetToken: Uint8Array | undefined, owner: Session | PendingHandshake) {
    this.#ciphers = ciphers;
    this.localIndex = localIndex;
    this.remoteIndex = remoteIndex;
    this.remoteResetToken = remoteResetToken;
    this.owner = owner;
  }

  /** A whole transport datagram under the next counter. */
  seal(frame: Uint8Array): Uint8Array {
    const counter = this.sentPackets;
    this.sentPackets += 1;
    return encodeTransport(this.remoteIndex, counter, this.#ciphers.send.encryptAt(counter, noAssociatedData, frame));
  }

  /** Does not mark the counter. */
  open(counter: number, datagram: Uint8Array): Uint8Array | undefined {
    return this.#ciphers.receive.decryptAt(counter, noAssociatedData, transportCiphertext(datagram));
  }

  destroy(): void {
    this.#ciphers.send.destroy();
    this.#ciphers.receive.destroy();
  }
}

/** More packets in one direction than one key should carry. */
export const hasWornOut = (keys: SessionKeys, packets: number): boolean => keys.sentPackets >= packets || keys.window.highest >= packets;
