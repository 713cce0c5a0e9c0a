/**
 * Finding somebody by their bare key: what a relay does for those who ask it. (Whom a visor asks, and in which order, is in overlay/recipients.ts.)
 *
 * A relay answers `resolve` with the signed records that it holds. Where its operator has named peers, it asks these as well: the other relays of
 * the operator, and directory relays that many publish to. It asks once and only them (a relay that asks for others says so by leaving `onward` out, and is
 * answered from what is held): no question ever goes round, and one that comes in is at most eight small ones that go out, to
 * machines that the operator chose.
 *
 * NOBODY IS BELIEVED. Records are signed by the identity and bundles by its device, so a peer that lies can do no more than say nothing. Of several answers the
 * highest sequence counts, and what peers said is kept for an hour at most (known-records.ts): served to those who ask us, never to relays that ask for others, or
 * it would grow older from relay to relay.
 *
 * WHAT IT COSTS. Whatever goes to peers is work for others, and so is bounded per neighbourhood of the network and in all; whoever asks for what is being asked
 * already waits with the first (peer-questions.ts). A record says where somebody's mail goes. It is never read as presence: it says nothing of whether they are there.
 *
 * FILES. This one decides who is answered with what. relay-peers.ts keeps the sessions with peers, peer-questions.ts asks all of them at once and gathers. What visors need
 * for their own questions as well: ask-relay.ts, one question to one relay, also where that does not know `resolve`; found-records.ts, what makes an answer believed.
 */
import { encodeResolved } from '../wire/resolved.ts';
import { PrefixRate } from '../mail/mailbox-rate.ts';
import { newerRecords, type FoundRecords } from './found-records.ts';
import { PeerQuestions, type PeerAnswers, type QuestionResult } from './peer-questions.ts';
import type { Crypto } from '../crypto.ts';
import type { Answer, Directed } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, NegativeCode, PublicKeyHex } from '../wire/types.ts';

/** Questions that go to peers, for one /24 or /56: a person adds few friends a minute, and what was found is kept. */
const perPrefixPerMinute = 30;
/** For everybody: what each peer is asked by us at most. */
const inAllPerMinute = 1_200;
const everybody = 'everybody';
const busyMs = 5_000;

export interface DirectoryEnvironment {
  readonly crypto: Crypto;
  readonly directed: Pick<Directed, 'handle'>;
  readonly peers: PeerAnswers;
  /** What is held here. */
  held(identity: PublicKeyHex, now: Instant, then: (found: FoundRecords | undefined, now: Instant) => void): void;
  addressOf(sessionId: SessionId): { readonly host: string } | undefined;
  count(counter: string): void;
}

export class DirectoryRole {
  readonly #environment: DirectoryEnvironment;
  readonly #questions: PeerQuestions;
  readonly #perPrefix = new PrefixRate(perPrefixPerMinute);
  readonly #inAll = new PrefixRate(inAllPerMinute);

  constructor(environment: DirectoryEnvironment) {
    this.#environment = environment;
    this.#questions = new PeerQuestions(environment.crypto, environment.peers, (counter) => { environment.count(counter); });
    environment.directed.handle('resolve', (sessionId, body, answer, now) => {
      if (body.verb === 'resolve') this.#wanted(sessionId, body.identity, body.onward, answer, now);
    });
  }

  handleTimeout(now: Instant): void { this.#questions.handleTimeout(now); }
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined { return this.#questions.pollTimeout(); }

  #wanted(sessionId: SessionId, identity: PublicKeyHex, onward: boolean, answer: Answer, now: Instant): void {
    this.#environment.held(identity, now, (held, at) => {
      // One that is over says nothing any more; whoever it is about may have moved.
      const own = held !== undefined && held.record.notAfterSeconds * 1_000 > at.wallMs ? held : undefined;
      if (!onward || this.#environment.peers.count === 0) { this.#answer(answer, own, 0, at); return; }
      const best = newerRecords(own, this.#questions.known.get(identity, at));
      if (best?.bundle !== undefined) { this.#answer(answer, best, 0, at); return; }
      const absentMs = this.#questions.known.absentMs(identity, at);
      if (absentMs !== undefined) { this.#answer(answer, best, absentMs, at); return; }
      this.#askPeers(sessionId, identity, best, answer, at);
    });
  }

  #askPeers(sessionId: SessionId, identity: PublicKeyHex, own: FoundRecords | undefined, answer: Answer, now: Instant): void {
    const done = ({ found, retryMs }: QuestionResult, at: Instant): void => { this.#answer(answer, newerRecords(own, found), retryMs, at); };
    if (this.#questions.join(identity, done)) { this.#environment.count('directory.joined'); return; }
    const wait = this.#questions.isFull || this.#questions.isAsking(identity) ? busyMs / 1_000
      : this.#perPrefix.take(this.#environment.addressOf(sessionId)?.host ?? '', now.monotonicMs) ?? this.#inAll.take(everybody, now.monotonicMs);
    if (wait === undefined) { this.#questions.ask(identity, now, done); return; }
    this.#environment.count('directory.busy');
    // What is held is better than nothing.
    if (own !== undefined) this.#answer(answer, own, 0, now);
    else this.#refuse(answer, 'busy', wait, now);
  }

  #answer(answer: Answer, found: FoundRecords | undefined, retryMs: number, now: Instant): void {
    this.#environment.count(found === undefined ? 'directory.not-found' : 'directory.answered');
    if (found === undefined) this.#refuse(answer, 'not-found', Math.ceil(retryMs / 1_000), now);
    else answer.respondMany(encodeResolved({ record: found.record.bytes, bundle: found.bundle?.bytes }), now);
  }

  #refuse(answer: Answer, code: NegativeCode, retryAfterSeconds: number, now: Instant): void { answer.refuse({ code, retryAfterSeconds, detail: 0 }, now); }
}
