/**
 * Handing letters to their recipients themselves, in sessions that exist while both are here (verb `letter`). What was answered with `committed` has arrived. Whatever else
 * comes of it, relays are used as ever: at once when there is a negative answer or the session ends, and beside it when there was no answer for a while (answer-times.ts) - a letter may
 * then go both ways, and its recipient shows it once.
 *
 * A session that did not answer in time is doubted: for a while letters do not wait for it, so that a contact who has just gone costs one such wait and not one for each letter.
 * An answer that comes after all, or a new session, ends the doubt.
 *
 * The letter is sealed as for a relay, with the same bytes. It begins in the order in which letters were queued, a few at a time for each recipient.
 */
import { AnswerTimes, headStartMaximumMs } from './answer-times.ts';
import { decodeLetterVerdict } from '../wire/responses.ts';
import { datagramMaximumBytes, requestHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';
import type { Live } from './outbox-live.ts';
import type { OutboxRow } from './visor-store.ts';

const answerDeadlineMs = 4_000;
/** For so long after that, or after a refusal, letters go by relays alone. */
export const doubtMs = 30_000;
/** Their side pulls 16 bodies at a time. */
const lettersPerPeer = 16;
/** Bodies under way to one recipient, unless a single one is longer: a circuit carries 64 KiB a second, and all of them should be there in time. */
const bodyBytesPerPeer = 65_536;
/** The first letter that could not be opened is sealed again and goes at once; one that cannot be opened either waits. */
const unopenableBaseMs = 60_000;
const unopenableCapMs = 3_600_000;

/** A whole datagram of a session in a circuit: kind and circuit of the tunnel frame, and what the session around it adds (protocol section 6). */
const circuitOverheadBytes = transportOverheadBytes + 5;
/** Of a request: 1,137. */
export const peerRequestMaximumBytes = datagramMaximumBytes - circuitOverheadBytes - transportOverheadBytes;
/** A request's bytes before header and inline body: frame, body root 32, body length 4, header length 2. */
const letterFixedBytes = requestHeaderBytes + 38;

export type PeerOutcome =
  /** It is on their disk. */
  | 'committed'
  /** Sealed to what they have no key for: to be sealed again. */
  | 'unopenable'
  | 'not-taken';

export interface PeerTry {
  /** Nothing has come of it, or not in time: it should go by relays. Called once at most, and never after `committed`. */
  readonly relays: (now: Instant) => void;
  /** The request goes out (1), and nothing has come of it (-1). */
  readonly sending: (by: 1 | -1) => void;
  /** @param besideRelays `relays` was called before. */
  readonly ended: (outcome: PeerOutcome, besideRelays: boolean, now: Instant) => void;
}

interface Trying {
  readonly row: OutboxRow;
  readonly live: Live;
  readonly hooks: PeerTry;
  sessionId: SessionId | undefined;
  besideRelays: boolean;
}

interface Peer {
  running: number;
  runningBytes: number;
  readonly waiting: Trying[];
  doubtedUntilMs: number;
}

/** What the outbox does for it: a timer for each letter that is under way. */
export interface PeerTimers {
  arm(id: string, atMs: number): void;
  clear(id: string): void;
}

export class OutboxPeers {
  readonly #context: VisorContext;
  readonly #sessions: PeerSessions;
  readonly #timers: PeerTimers;
  readonly #peers = new Map<PublicKeyHex, Peer>();
  /** By letter. */
  readonly #trying = new Map<string, Trying>();
  readonly #answerTimes = new AnswerTimes();

  constructor(context: VisorContext, sessions: PeerSessions, timers: PeerTimers) {
    this.#context = context;
    this.#sessions = sessions;
    this.#timers = timers;
  }

  /** Whether it is worth beginning now. */
  mayTry(row: OutboxRow, live: Live, now: Instant): boolean {
    return this.#context.memory.contacts.get(row.recipient)?.standing === 'contact' && this.#sessions.session(row.recipient) !== undefined
      && (this.#peers.get(row.recipient)?.doubtedUntilMs ?? 0) <= now.monotonicMs && live.notToPeerUntilMs <= now.monotonicMs && !this.#trying.has(row.id);
  }

  /** Only when it may be tried, and is sealed. */
  start(row: OutboxRow, live: Live, hooks: PeerTry, now: Instant): void {
    const trying: Trying = { row, live, hooks, sessionId: undefined, besideRelays: false };
    const peer = this.#peers.get(row.recipient) ?? { running: 0, runningBytes: 0, waiting: [], doubtedUntilMs: 0 };
    this.#peers.set(row.recipient, peer);
    this.#trying.set(row.id, trying);
    peer.waiting.push(trying);
    this.#next(peer, now);
  }

  /** The head start of that letter is over. */
  handleTimeout(id: string, now: Instant): void {
    const trying = this.#trying.get(id);
    if (trying?.sessionId === undefined || trying.besideRelays) return;
    this.#doubt(trying.row.recipient, doubtMs, now);
    this.#useRelays(trying, now);
  }

  /** A session with them is there. */
  peerUp(publicKey: PublicKeyHex): void {
    const peer = this.#peers.get(publicKey);
    if (peer !== undefined) peer.doubtedUntilMs = 0;
    this.#forgetIdle(publicKey);
  }

  /** That session is none any more: what waits for an answer in it waits no longer. */
  peerDown(publicKey: PublicKeyHex, sessionId: SessionId, now: Instant): void {
    this.#answerTimes.forget(publicKey);
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    for (const trying of [...this.#trying.values()]) if (trying.row.recipient === publicKey && trying.sessionId === sessionId) this.#useRelays(trying, now);
    this.#next(peer, now);
    this.#forgetIdle(publicKey);
  }

  #next(peer: Peer, now: Instant): void {
    for (let trying = peer.waiting[0]; trying !== undefined; trying = peer.waiting[0]) {
      const bytes = trying.row.sealed?.body.length ?? 0;
      if (peer.running > 0 && (peer.running >= lettersPerPeer || peer.runningBytes + bytes > bodyBytesPerPeer)) return;
      peer.waiting.shift();
      this.#begin(peer, trying, now);
    }
  }

  #begin(peer: Peer, trying: Trying, now: Instant): void {
    const { row, live, hooks } = trying;
    const { sealed } = row;
    const current = this.#context.memory.outbox.get(row.id);
    const sessionId = this.#sessions.session(row.recipient);
    // It may have ended, been taken back, or been sealed anew while it waited for its turn.
    const isCurrent = current !== undefined && current.stage !== 'withdraw' && current.sealed?.letterId === sealed?.letterId && live.endedMs === undefined;
    if (sealed === undefined || sessionId === undefined || !isCurrent || peer.doubtedUntilMs > now.monotonicMs) {
      this.#trying.delete(row.id);
      this.#useRelays(trying, now);
      return;
    }
    trying.sessionId = sessionId;
    peer.running += 1;
    peer.runningBytes += sealed.body.length;
    live.mayBeThere = true;
    live.handedOver = true;
    const name = { root: sealed.bodyRoot, length: sealed.body.length };
    const inline = letterFixedBytes + sealed.header.length + sealed.body.length <= peerRequestMaximumBytes;
    if (!inline) this.#context.directed.publisher.offer(name, sealed.body);
    // What is long takes long.
    this.#timers.arm(row.id, now.monotonicMs + (inline ? this.#answerTimes.headStartMs(row.recipient) : headStartMaximumMs));
    hooks.sending(1);
    this.#context.directed.request(sessionId, {
      verb: 'letter', bodyRoot: sealed.bodyRoot, bodyLength: sealed.body.length, header: sealed.header, inlineBody: inline ? sealed.body : undefined,
    }, {
      deadlineMs: answerDeadlineMs,
      done: (outcome, at) => {
        if (!inline) this.#context.directed.publisher.withdraw(name);
        peer.running -= 1;
        peer.runningBytes -= sealed.body.length;
        this.#timers.clear(row.id);
        this.#trying.delete(row.id);
        if (inline && outcome.kind === 'answered') this.#answerTimes.answered(row.recipient, at.monotonicMs - now.monotonicMs);
        this.#judge(peer, trying, outcome, at);
        this.#next(peer, at);
        this.#forgetIdle(row.recipient);
      },
    }, now);
  }

  #judge(peer: Peer, trying: Trying, outcome: RequestOutcome, now: Instant): void {
    const { live, hooks, row } = trying;
    const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
    const verdict = payload === undefined ? undefined : decodeLetterVerdict(payload);
    if (verdict !== 'committed') hooks.sending(-1);
    if (verdict === undefined) {
      if (outcome.kind === 'negative') this.#doubt(row.recipient, outcome.negative.code === 'busy' ? Math.min(doubtMs, outcome.negative.retryAfterSeconds * 1_000) : doubtMs, now);
      else if (outcome.kind !== 'session-lost') this.#doubt(row.recipient, doubtMs, now);
      hooks.ended('not-taken', trying.besideRelays, now);
      this.#useRelays(trying, now);
      return;
    }
    peer.doubtedUntilMs = 0;
    if (verdict === 'unopenable') {
      live.notToPeerUntilMs = live.unopenableByPeer === 0 ? 0 : now.monotonicMs + Math.min(unopenableCapMs, unopenableBaseMs * 2 ** Math.min(live.unopenableByPeer - 1, 10));
      live.unopenableByPeer += 1;
    }
    hooks.ended(verdict, trying.besideRelays, now);
  }

  #doubt(publicKey: PublicKeyHex, forMs: number, now: Instant): void {
    const peer = this.#peers.get(publicKey);
    if (peer === undefined) return;
    peer.doubtedUntilMs = Math.max(peer.doubtedUntilMs, now.monotonicMs + forMs);
    for (const trying of peer.waiting.splice(0)) {
      this.#trying.delete(trying.row.id);
      this.#useRelays(trying, now);
    }
  }

  #useRelays(trying: Trying, now: Instant): void {
    if (trying.besideRelays) return;
    trying.besideRelays = true;
    this.#timers.clear(trying.row.id);
    trying.hooks.relays(now);
  }

  /** A doubt that is over is no reason to remember somebody. */
  #forgetIdle(publicKey: PublicKeyHex): void {
    const peer = this.#peers.get(publicKey);
    if (peer !== undefined && peer.running === 0 && peer.waiting.length === 0 && peer.doubtedUntilMs === 0) this.#peers.delete(publicKey);
  }
}
