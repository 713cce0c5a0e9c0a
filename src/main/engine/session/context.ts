/** What the machines of one session core share: configuration, counters, the table of indices, the timers, the outputs. */
import type { Crypto, KeyPair, RandomBytes } from '../crypto.ts';
import { generateKeyPair } from '../noise/index.ts';
import { decodeCertificate } from '../wire/certificate.ts';
import type { DeviceIdHex, PublicKeyHex, SocketAddress } from '../wire/types.ts';
import type { Attempt } from './attempt.ts';
import { CertificateCache } from './certificate-cache.ts';
import { bootIdBytes, defaultLimits, payloadMaximumBytes, resetTokenBytes } from './constants.ts';
import { ControlFrames } from './control-frames.ts';
import { createDropCounters } from './counters.ts';
import type { DropCounters } from './counters.ts';
import { encodePayload } from './handshake-payload.ts';
import type { HandshakePayload } from './handshake-payload.ts';
import type { PendingHandshake } from './responder.ts';
import type { Session } from './session.ts';
import type { SessionKeys } from './session-keys.ts';
import { Timers } from './timers.ts';
import type { DropReason, SessionConfiguration, SessionLimits, SessionOutput } from './types.ts';

export type IndexOwner = SessionKeys | Attempt | PendingHandshake;

const resetSecretBytes = 32;
const compactAfterOutputs = 1_024;

export class SessionContext {
  readonly configuration: SessionConfiguration;
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly limits: SessionLimits;
  readonly ownIdentity: PublicKeyHex;
  readonly ownDeviceId: DeviceIdHex;
  readonly drops: DropCounters = createDropCounters();
  readonly indices = new Map<number, IndexOwner>();
  readonly timers = new Timers<Session | PendingHandshake>();
  readonly certificates: CertificateCache;
  readonly control: ControlFrames;
  #outputs: SessionOutput[] = [];
  #read = 0;

  /** @throws RangeError for a configuration that could never shake hands. */
  constructor(configuration: SessionConfiguration) {
    this.configuration = configuration;
    this.crypto = configuration.crypto;
    this.random = configuration.random;
    this.limits = { ...defaultLimits, ...configuration.limits };
    const certificate = decodeCertificate(configuration.certificate);
    if (certificate === undefined) throw new RangeError('the own device certificate is malformed');
    if (configuration.bootId.length !== bootIdBytes) throw new RangeError(`a boot id has ${String(bootIdBytes)} bytes, got ${String(configuration.bootId.length)}`);
    if (configuration.resetSecret.length !== resetSecretBytes) throw new RangeError(`a reset secret has ${String(resetSecretBytes)} bytes, got ${String(configuration.resetSecret.length)}`);
    this.ownIdentity = certificate.identity;
    this.ownDeviceId = certificate.deviceId;
    this.certificates = new CertificateCache(this.crypto, Math.max(256, this.limits.sessions));
    this.control = new ControlFrames(this.random);
    // Capabilities that do not fit must fail here, not in the middle of somebody's handshake.
    encodePayload(this.ownPayload(0, false, new Uint8Array(resetTokenBytes)), payloadMaximumBytes);
  }

  ownPayload(version: number, anonymous: boolean, resetToken: Uint8Array): HandshakePayload {
    const { certificate, capabilities, bootId } = this.configuration;
    return { version, bootId, resetToken, certificate: anonymous ? new Uint8Array(0) : certificate, capabilities };
  }

  newKeyPair = (): KeyPair => generateKeyPair(this.crypto, this.random);

  /** Random, so that nobody off the path can guess where to aim; never zero, never taken. */
  freshIndex(): number {
    for (;;) {
      const bytes = this.random(4);
      const index = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
      if (index !== 0 && !this.indices.has(index)) return index;
    }
  }

  forgetKeys(keys: SessionKeys): void {
    if (this.indices.get(keys.localIndex) === keys) this.indices.delete(keys.localIndex);
    keys.destroy();
  }

  drop(reason: DropReason): void { this.drops[reason] += 1; }

  transmit(to: SocketAddress, datagram: Uint8Array): void { this.emit({ kind: 'transmit', to, datagram }); }

  emit(output: SessionOutput): void { this.#outputs.push(output); }

  takeOutput(): SessionOutput | undefined {
    const output = this.#outputs[this.#read];
    if (output === undefined) {
      if (this.#read > 0) this.#outputs = [];
      this.#read = 0;
      return undefined;
    }
    this.#read += 1;
    // A caller that feeds input before it has drained everything must not make the list grow for ever.
    if (this.#read >= compactAfterOutputs) {
      this.#outputs.splice(0, this.#read);
      this.#read = 0;
    }
    return output;
  }

  /** After anything in a session that moves a deadline. */
  reschedule(session: Session): void {
    session.wakeAtMs = session.closed ? Infinity : session.earliestDeadline();
    this.timers.update(session);
  }
}
