/**
 * Somebody whom the relay has no reason to refuse: a real session with real keys, certified or anonymous, through which anything at all can be
 * said. Keeps no rule but that of the handshake.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { SeededRandom } from '../../sim/random.ts';
import type { CipherState, HandshakeState } from '../../src/main/engine/noise/index.ts';
import { generateKeyPair } from '../../src/main/engine/noise/index.ts';
import { toHex } from '../../src/main/engine/wire/bytes.ts';
import { createCertificate } from '../../src/main/engine/wire/certificate.ts';
import { decodeFrame, encodeRequest } from '../../src/main/engine/wire/frame.ts';
import { identityPublicKey } from '../../src/main/engine/wire/identity.ts';
import { decodeTicket, type Ticket } from '../../src/main/engine/path/ticket.ts';
import type { Crypto, KeyPair, RandomBytes } from '../../src/main/engine/crypto.ts';
import { until } from '../processes/waiting.ts';
import { signedRecords } from './hostile-records.ts';
import { cookieBytes, genuinePayload, handshake1, handshake3, newHandshake, transport, withCookie, type Pattern } from './handshake-bytes.ts';

const host = '127.0.0.1';
const nothing = new Uint8Array(0);
const dialDeadlineMs = 30_000;
/** Under a flood the first answers may be lost or a cookie. */
const repeatMs = 200;
const daySeconds = 86_400;
/** As often as the relay gives a session tickets: it gives no more than 4 a minute. */
const ticketPauseMs = 15_000;
/** The latest ones; older ones are over, which is worth showing too. */
const ticketsKept = 4;
/** Type, receiver index; then the counter, and the ciphertext. */
const counterOffset = 5;
const ciphertextOffset = 13;

interface Dialling {
  readonly pattern: Pattern;
  readonly state: HandshakeState;
  readonly index: number;
  datagram: Uint8Array;
}

export interface PeerTools {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly relayPort: number;
}

export class HostilePeer {
  readonly #tools: PeerTools;
  readonly #certificate: Uint8Array;
  readonly #keys: KeyPair;
  readonly identity: string;
  readonly deviceId: string;
  readonly isCertified: boolean;
  readonly records: readonly Uint8Array[];
  readonly socket: Socket = createSocket('udp4');
  #dialling: Dialling | undefined;
  #send: CipherState | undefined;
  #receiving: CipherState | undefined;
  #tickets: readonly Ticket[] = [];
  #askedMs = Number.NEGATIVE_INFINITY;
  #remoteIndex = 0;
  #counter = 0;
  #relayStatic: Uint8Array | undefined;
  /** Handshakes of ours that were answered although nobody waits for the answer. */
  answeredHandshakes = 0;

  constructor(tools: PeerTools, isCertified: boolean, wallMs: number) {
    const { crypto, random } = tools;
    this.#tools = tools;
    this.isCertified = isCertified;
    this.#keys = generateKeyPair(crypto, random);
    const identitySecret = random(32);
    this.identity = identityPublicKey(identitySecret);
    this.deviceId = toHex(random(16));
    const nowSeconds = Math.floor(wallMs / 1000);
    const drawn = new SeededRandom(`records of ${this.deviceId}`);
    this.records = [...signedRecords(drawn, identitySecret, nowSeconds), ...signedRecords(drawn, random(32), nowSeconds).slice(0, 8)];
    this.#certificate = !isCertified ? nothing : createCertificate({
      identitySecret, deviceId: this.deviceId, x25519: this.#keys.publicKey, ed25519: crypto.ed25519PublicKey(random(32)),
      notBeforeSeconds: nowSeconds - daySeconds, notAfterSeconds: nowSeconds + daySeconds,
    }).bytes;
    this.socket.on('message', (bytes) => { this.#receive(Uint8Array.from(bytes)); });
  }

  get isUp(): boolean { return this.#send !== undefined; }
  get relayStatic(): Uint8Array | undefined { return this.#relayStatic; }
  /** The index that the relay chose for this session. */
  get remoteIndex(): number { return this.#remoteIndex; }
  get counter(): number { return this.#counter; }
  get certificate(): Uint8Array { return this.#certificate; }
  /** For probes outside of the session. */
  get tickets(): readonly Ticket[] { return this.#tickets; }

  async open(): Promise<void> {
    this.socket.bind(0, host);
    await once(this.socket, 'listening');
  }

  /** XX the first time, IK as soon as the relay's key is known. */
  async dial(): Promise<void> {
    const { crypto, random } = this.#tools;
    this.#send = undefined;
    this.#counter = 0;
    const pattern: Pattern = this.#relayStatic === undefined ? 'XX' : 'IK';
    const state = newHandshake(crypto, random, pattern, this.#keys, this.#relayStatic);
    const index = new DataView(random(4).buffer).getUint32(0);
    // In XX the certificate travels in message 3, where only the relay can read it.
    this.#dialling = { pattern, state, index, datagram: handshake1(state, pattern, index, genuinePayload(random, pattern === 'IK' ? this.#certificate : nothing)) };
    let sentMs = Number.NEGATIVE_INFINITY;
    await until('a session with the relay', dialDeadlineMs, () => {
      if (this.#send !== undefined) return true;
      if (performance.now() - sentMs > repeatMs && this.#dialling !== undefined) {
        this.transmit(this.#dialling.datagram);
        sentMs = performance.now();
      }
      return undefined;
    });
  }

  /** Now and then; the answer comes by itself. */
  askForTicket(): void {
    if (this.#send === undefined || performance.now() - this.#askedMs < ticketPauseMs) return;
    this.#askedMs = performance.now();
    this.transmit(this.seal(encodeRequest(this.#tools.random(16), { verb: 'observe' })));
  }

  /** Forgets the session, as after a message that ended it. */
  hangUp(): void { this.#send = undefined; }

  /** A genuine transport datagram with this frame, authentic for the relay. */
  seal(frame: Uint8Array, skip = 0): Uint8Array {
    if (this.#send === undefined) throw new Error('there is no session');
    this.#counter += skip;
    const datagram = transport(this.#remoteIndex, this.#counter, this.#send.encryptAt(this.#counter, nothing, frame));
    this.#counter += 1;
    return datagram;
  }

  /** A handshake with a payload of one's choice, under keys that the relay will accept. */
  handshakeWith(payload: Uint8Array, pattern: Pattern): Uint8Array {
    const { crypto, random } = this.#tools;
    const state = newHandshake(crypto, random, pattern, this.#keys, this.#relayStatic);
    const datagram = handshake1(state, pattern, new DataView(random(4).buffer).getUint32(0), payload);
    state.destroy();
    return datagram;
  }

  transmit(datagram: Uint8Array): void { this.socket.send(datagram, this.#tools.relayPort, host); }

  close(): void { this.socket.close(); }

  #receive(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer);
    const dialling = this.#dialling;
    switch (bytes[0]) {
      case 2: {
        if (bytes.length < 9) return;
        if (dialling === undefined || view.getUint32(5) !== dialling.index) { this.answeredHandshakes += 1; return; }
        const payload = dialling.state.tryReadMessage(bytes.subarray(9));
        if (payload === undefined) return;
        this.#relayStatic = dialling.state.remoteStaticKey ?? this.#relayStatic;
        this.#remoteIndex = view.getUint32(1);
        if (dialling.pattern === 'XX') this.transmit(handshake3(dialling.index, this.#remoteIndex, dialling.state.writeMessage(genuinePayload(this.#tools.random, this.#certificate))));
        const { send, receive } = dialling.state.split();
        [this.#send, this.#receiving] = [send, receive];
        this.#dialling = undefined;
        return;
      }
      case 4: {
        if (this.#receiving === undefined || bytes.length < ciphertextOffset) return;
        const plaintext = this.#receiving.decryptAt(Number(view.getBigUint64(counterOffset)), nothing, bytes.subarray(ciphertextOffset));
        const frame = plaintext === undefined ? undefined : decodeFrame(plaintext);
        const ticket = frame?.type === 'response' ? decodeTicket(frame.payload) : undefined;
        if (ticket !== undefined) this.#tickets = [...this.#tickets, ticket].slice(-ticketsKept);
        return;
      }
      case 5:
        if (dialling !== undefined && bytes.length === 5 + cookieBytes && view.getUint32(1) === dialling.index) dialling.datagram = withCookie(dialling.datagram, bytes.subarray(5));
        return;
      default:
    }
  }
}
