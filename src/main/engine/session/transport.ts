/** Transport datagrams: opened where they lie and told to whoever they concern, made in memory that is used again. */
import { leafFrameMaximumBytes, transportOverheadBytes } from '../wire/frame.ts';
import { encodeShort, tagBytes, transportHeaderBytes, writeTransportHeader, type Datagram } from './datagram.ts';
import { DatagramPool } from './datagram-pool.ts';
import { UnknownSessionLimit } from './guards.ts';
import type { Instant, SocketAddress } from '../wire/types.ts';
import type { Link, TransportKeys } from './link.ts';
import type { LinkTable } from './link-table.ts';
import type { Liveness } from './liveness.ts';
import { isBeat } from './beat.ts';
import type { Responder } from './responder.ts';
import { isCircuitAddress, tunnelledMaximumBytes } from '../circuits/tunnel.ts';
import type { Paths } from './paths.ts';
import type { Roaming } from './roaming.ts';
import type { SessionTable } from './sessions.ts';

const noBytes = new Uint8Array(0);
/** Kind and request id: less is no frame. */
const frameMinimumBytes = 18;

/** A view of the ciphertext, whose memory then holds the plaintext: the datagram is ours, and another 32 KiB for each would keep the garbage collector busy. */
function openInPlace(keys: TransportKeys, counter: number, ciphertext: Uint8Array): Uint8Array | undefined {
  const plaintext = ciphertext.subarray(0, ciphertext.length - tagBytes);
  return keys.receive.decryptInto(counter, noBytes, ciphertext, plaintext) ? plaintext : undefined;
}

export class Transport {
  readonly #sessions: SessionTable;
  readonly #table: LinkTable;
  readonly #responder: Responder;
  readonly #liveness: Liveness;
  readonly #roaming: Roaming;
  readonly #paths: Paths;
  readonly #datagrams = new DatagramPool();
  readonly #unknownSessions = new UnknownSessionLimit();
  #frame: Uint8Array | undefined;

  constructor(sessions: SessionTable, table: LinkTable, responder: Responder, liveness: Liveness, roaming: Roaming, paths: Paths) {
    this.#sessions = sessions;
    this.#table = table;
    this.#responder = responder;
    this.#liveness = liveness;
    this.#roaming = roaming;
    this.#paths = paths;
  }

  frameRoom(sizeBytes: number): Uint8Array {
    if (sizeBytes > leafFrameMaximumBytes) throw new RangeError(`a frame has at most ${String(leafFrameMaximumBytes)} bytes, asked for are ${String(sizeBytes)}`);
    this.#frame ??= new Uint8Array(leafFrameMaximumBytes);
    return this.#frame.subarray(0, sizeBytes);
  }

  recycle(datagram: Uint8Array): void { this.#datagrams.giveBack(datagram); }

  receive(from: SocketAddress, datagram: Extract<Datagram, { type: 'transport' }>, sizeBytes: number, now: Instant): void {
    const found = this.#table.keysAt(datagram.receiverIndex);
    if (found === undefined) {
      const promoted = this.#responder.firstTransport(from, datagram, sizeBytes, now);
      if (promoted === 'unknown') { this.#answerUnknown(from, datagram.receiverIndex, sizeBytes, now); return; }
      if (promoted === undefined) return;
      promoted.link.receivedBytes += sizeBytes;
      this.#handlePlaintext(promoted.link, from, promoted.plaintext, now);
      return;
    }
    const { link, keys } = found;
    if (!keys.window.isFresh(datagram.counter)) { this.#sessions.drop('replayed'); return; }
    const plaintext = openInPlace(keys, datagram.counter, datagram.ciphertext);
    if (plaintext === undefined) { this.#sessions.drop('unauthentic'); return; }
    const newest = datagram.counter > keys.window.highest;
    keys.window.accept(datagram.counter);
    keys.confirmed = true;
    link.receivedBytes += sizeBytes;
    if (link.paths !== undefined) this.#paths.heardFrom(link, link.paths, from, sizeBytes, now, plaintext);
    else if (newest && keys === link.keys) this.#roaming.heardFrom(link, from, sizeBytes, now);
    this.#liveness.heard(link, keys, newest, now);
    this.#handlePlaintext(link, from, plaintext, now);
    if (link.paths !== undefined && this.#table.links.get(link.id) === link) this.#paths.handled(link, link.paths, from, now, plaintext);
  }

  /** Under the current keys, to the candidate address as far as its bytes reach, else to the validated one. */
  send(link: Link, frame: Uint8Array, now: Instant): boolean {
    const { keys } = link;
    if (keys === undefined) return false;
    if (link.paths !== undefined) {
      const { to, copyTo } = this.#paths.destination(link, link.paths, now);
      if (isCircuitAddress(to) && frame.length + transportOverheadBytes > tunnelledMaximumBytes) return false;
      this.#seal(link, keys, to, frame, copyTo);
      return true;
    }
    const to = this.#roaming.destination(link, frame.length + transportOverheadBytes, now);
    this.#seal(link, keys, to, frame);
    return true;
  }

  sendTo(link: Link, to: SocketAddress, frame: Uint8Array): void {
    if (link.keys !== undefined) this.#seal(link, link.keys, to, frame);
  }

  #handlePlaintext(link: Link, from: SocketAddress, frame: Uint8Array, now: Instant): void {
    if (isBeat(frame)) { this.#liveness.handleBeat(link, frame, now); return; }
    if (frame.length < frameMinimumBytes) { this.#sessions.drop('bad-frame'); return; }
    if (link.paths !== undefined && this.#paths.handleFrame(link, link.paths, from, frame, now)) return;
    if (this.#liveness.handleFrame(link, frame, now) || this.#roaming.handleFrame(link, from, frame)) return;
    // A close was handled by liveness and the link may be gone.
    if (this.#table.links.get(link.id) === link && link.announced) this.#sessions.output({ kind: 'frame', sessionId: link.id, frame });
  }

  #seal(link: Link, keys: TransportKeys, to: SocketAddress, frame: Uint8Array, copyTo?: SocketAddress): void {
    const counter = keys.sendCounter;
    keys.sendCounter += 1;
    const datagram = this.#datagrams.take(frame.length + transportOverheadBytes);
    writeTransportHeader(datagram, keys.remoteIndex, counter);
    keys.send.encryptInto(counter, noBytes, frame, datagram.subarray(transportHeaderBytes));
    link.sentBytes += datagram.length;
    // The very same datagram: whichever comes second is dropped as replayed. Memory of its own, since each is given back once.
    if (copyTo !== undefined && (datagram.length <= tunnelledMaximumBytes || !isCircuitAddress(copyTo))) this.#sessions.transmit(copyTo, datagram.slice());
    this.#sessions.transmit(to, datagram);
  }

  #answerUnknown(from: SocketAddress, index: number, sizeBytes: number, now: Instant): void {
    this.#sessions.drop('unknown-session');
    const answer = encodeShort(6, index, this.#sessions.resetTokenFor(index));
    if (sizeBytes < transportOverheadBytes || answer.length > sizeBytes || !this.#unknownSessions.allows(now)) return;
    this.#sessions.transmit(from, answer);
  }
}
