/**
 * A relay with a store in memory and clients of it, for tests: requests over the request layer on a simulated clock, commits in
 * batches, restarts that lose what was under way. Not part of the product.
 */
import { BlobShelf } from '../files/blob-shelf.ts';
import { MemoryBlobs } from '../files/memory-blobs.ts';
import { Pair, seededRandom } from '../directed/testing.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { createCertificate } from '../wire/certificate.ts';
import { identityPublicKey } from '../wire/identity.ts';
import { createIdentityRecord, createPrekeyBundle } from '../wire/record.ts';
import { toHex } from '../wire/bytes.ts';
import { letterIdOf } from './letter.ts';
import { MemoryMailStore } from './mailbox-memory-store.ts';
import { createMailboxRole } from './mailbox.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { RelayPolicy } from '../engine-types.ts';
import type { SessionId, SessionView } from '../session/types.ts';
import type { DeviceCertificate, IdentityRecord, Instant, Mailbox, PrekeyBundle, RequestBody, SealedLetter } from '../wire/types.ts';
import type { MailOperation, MailRequest, MailResults, MailStore } from './mail-store.ts';
import type { MailboxRole } from './mailbox-types.ts';

export const relaySeed = new Uint8Array(32).fill(42);
const yearSeconds = 365 * 86_400;
/** How long a group commit takes. */
export const commitMs = 4;

export interface Device { readonly certificate: DeviceCertificate; readonly mailbox: Mailbox; readonly ed25519Seed: Uint8Array; readonly secret: Uint8Array }

/** Different devices of one identity share `identityNumber`. */
export function device(identityNumber: number, deviceNumber = 1): Device {
  const secret = new Uint8Array(32).fill(identityNumber);
  const key = new Uint8Array(32).fill(identityNumber * 7 + deviceNumber);
  const deviceId = toHex(new Uint8Array(16).fill(deviceNumber));
  const certificate = createCertificate({
    identitySecret: secret, deviceId, x25519: nobleCrypto.x25519PublicKey(key), ed25519: nobleCrypto.ed25519PublicKey(key),
    notBeforeSeconds: 1_799_000_000, notAfterSeconds: 1_799_000_000 + yearSeconds,
  });
  return { certificate, mailbox: { identity: identityPublicKey(secret), deviceId }, ed25519Seed: key, secret };
}

export const recordOf = (devices: readonly Device[], sequence: number): IdentityRecord => createIdentityRecord({
  identitySecret: devices[0]?.secret ?? new Uint8Array(32), sequence, notAfterSeconds: sequence + yearSeconds, devices: devices.map(({ certificate }) => certificate), relays: [],
});

export const bundleOf = (owner: Device, createdSeconds: number, seed = owner.ed25519Seed): PrekeyBundle => createPrekeyBundle(nobleCrypto, {
  identity: owner.mailbox.identity, deviceId: owner.mailbox.deviceId, prekeyId: 1, prekey: owner.certificate.x25519, createdSeconds, ed25519Seed: seed,
});

/** To a relay, a letter is bytes of certain lengths. */
export function letter(number: number, bodyBytes = 256): SealedLetter {
  const random = seededRandom(number + 1_000);
  const [header, body, purgeKey] = [random(453), random(bodyBytes), random(32)];
  const bodyRoot = nobleCrypto.blake3(body);
  return { letterId: letterIdOf(nobleCrypto, header, bodyRoot, body.length), header, body, bodyRoot, purgeKey, purgeHash: nobleCrypto.blake3(purgeKey) };
}

type DepositBody = Extract<RequestBody, { verb: 'deposit' }>;
/** Inline where it fits a frame. */
export function depositOf(to: Mailbox, sealed: SealedLetter, changes: Partial<DepositBody> = {}): DepositBody {
  return {
    verb: 'deposit', mailbox: to, token: undefined, lane: 'letter', ttlSeconds: 86_400, purgeHash: sealed.purgeHash, bodyRoot: sealed.bodyRoot,
    bodyLength: sealed.body.length, header: sealed.header, inlineBody: sealed.body.length <= 500 ? sealed.body : undefined, ...changes,
  };
}

interface Waiting { readonly apply: () => (now: Instant) => void; readonly dueMs: number }

export class RelayWorld {
  readonly policy: RelayPolicy;
  readonly store: MailStore;
  readonly blobs = new MemoryBlobs(nobleCrypto);
  readonly views = new Map<SessionId, SessionView>();
  readonly operations: MailOperation[] = [];
  readonly logged: string[] = [];
  pair: Pair;
  role: MailboxRole;
  #waiting: Waiting[] = [];
  #nextSession = 1;
  #wallOffsetMs = 0;

  /** @param store empty; another implementation of the contract can be driven by the same worlds. */
  constructor(policy: RelayPolicy = { registration: 'open' }, store: MailStore = new MemoryMailStore()) {
    this.policy = policy;
    this.store = store;
    this.pair = this.#newPair(1_000);
    this.role = this.#newRole();
  }

  get now(): Instant { return { monotonicMs: this.pair.now.monotonicMs, wallMs: this.pair.now.wallMs + this.#wallOffsetMs }; }
  get waitingRequests(): number { return this.#waiting.length; }

  shiftWall(byMs: number): void { this.#wallOffsetMs += byMs; }

  /** A session of a client at the relay; without device it is anonymous. */
  connect(owner?: Device, host = '192.0.2.1'): SessionId {
    const id = this.#nextSession;
    this.#nextSession += 1;
    this.views.set(id, {
      id, address: { host, port: 4_000 + id }, initiator: false, anonymous: owner === undefined, remoteCertificate: owner?.certificate,
      remoteStatic: owner?.certificate.x25519 ?? new Uint8Array(32), remoteCapabilities: [], remoteBootId: new Uint8Array(8), establishedMs: 0, lastHeardMs: 0,
      roundTripsMs: [], smoothedRoundTripMs: 20, clockOffsetMs: undefined, clockToldAheadMs: 0, sentBytes: 0, receivedBytes: 0,
    });
    return id;
  }

  close(sessionId: SessionId): void {
    this.views.delete(sessionId);
    this.pair.right.sessionLost(sessionId, this.now);
    this.role.sessionClosed(sessionId);
  }

  start(sessionId: SessionId, body: RequestBody, done: (outcome: RequestOutcome) => void): void {
    this.pair.left.request(sessionId, body, { deadlineMs: 30_000, done }, this.now);
  }

  /** Asks and runs until the answer is there. */
  ask(sessionId: SessionId, body: RequestBody): RequestOutcome {
    let ended: RequestOutcome | undefined;
    this.start(sessionId, body, (outcome) => { ended = outcome; });
    for (let waited = 0; ended === undefined && waited < 40_000; waited += 100) this.pair.run(100);
    return ended ?? { kind: 'timed-out' };
  }

  /** The code of a refusal, `ok` for an answer. */
  verdict(sessionId: SessionId, body: RequestBody): string {
    const outcome = this.ask(sessionId, body);
    return outcome.kind === 'negative' ? outcome.negative.code : outcome.kind === 'answered' ? 'ok' : outcome.kind;
  }

  /** Stops and starts the relay's process: `keep` = what waited for the commit had reached the disk. Sessions and tables are new. */
  restart(pending: 'keep' | 'drop', downMs = 0): void {
    if (pending === 'keep') for (const { apply } of this.#waiting) apply();
    this.#waiting = [];
    this.views.clear();
    this.pair = this.#newPair(this.pair.nowMs + downMs);
    this.role = this.#newRole();
  }

  #newPair(nowMs: number): Pair {
    const pair = new Pair(nobleCrypto, nowMs);
    pair.nowMs = nowMs;
    return pair;
  }

  #newRole(): MailboxRole {
    const opened = this.store.apply<'open'>({ op: 'open', freshEpoch: new Uint8Array(8).fill(9), wallMs: this.now.wallMs });
    const role = createMailboxRole({
      crypto: nobleCrypto, random: seededRandom(99), directed: this.pair.right, policy: this.policy, ed25519Seed: relaySeed,
      store: (request, done) => { this.#submit(request, done); },
      shelf: new BlobShelf((request, done) => { done(this.blobs.apply(request) as Parameters<typeof done>[0], this.now); }, this.blobs.all),
      session: (sessionId) => this.views.get(sessionId),
      log: (_, event) => { this.logged.push(event); },
    }, opened, this.now);
    this.pair.driven.push(
      { handleTimeout: () => { role.handleTimeout(this.now); }, pollTimeout: () => role.pollTimeout() },
      { handleTimeout: () => { this.#commit(role); }, pollTimeout: () => this.#waiting[0] === undefined ? undefined : { atMs: this.#waiting[0].dueMs } },
    );
    return role;
  }

  #submit<Op extends MailOperation>(request: Extract<MailRequest, { op: Op }>, done: (result: MailResults[Op], now: Instant) => void): void {
    this.#waiting.push({
      dueMs: this.pair.nowMs + commitMs,
      apply: () => {
        this.operations.push(request.op);
        const result = this.store.apply<Op>(request);
        return (now) => { done(result, now); };
      },
    });
  }

  #commit(role: MailboxRole): void {
    const first = this.#waiting[0];
    if (first === undefined || first.dueMs > this.pair.nowMs) return;
    const batch = this.#waiting;
    this.#waiting = [];
    const callbacks = batch.map(({ apply }) => apply());
    for (const callback of callbacks) callback(this.now);
    role.flush(this.now);
  }
}
