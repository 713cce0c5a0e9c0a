/**
 * Letters that contacts hand over themselves (verb `letter`), in a session in which they have shown who they are. They are taken in like those from relays, and answered once
 * they are committed: the answer is the receipt (receipts.ts). A letter must be of the one whose session it is: sealed letters of others are no business of theirs.
 *
 * What a contact can make us do is bounded: one letter costs the opening of a header of fixed size, and of bodies that are pulled there are few at a time.
 */
import { contentMaximumBytes } from '../directed/publisher.ts';
import { equalBytes, toHex } from '../wire/bytes.ts';
import { encodeLetterVerdict } from '../wire/responses.ts';
import { letterHeaderBytes, letterIdOf } from './letter.ts';
import type { Answer, PullOutcome } from '../directed/types.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, Negative, NegativeCode, PublicKeyHex, RequestBody } from '../wire/types.ts';
import type { LetterTaker, OpenedLetter, Taken } from './letter-taker.ts';

/** Bodies being pulled, of 66,560 bytes at most: 4 MiB in all. */
const bodiesMaximum = 64;
const bodiesPerPeerMaximum = 16;
const busyRetrySeconds = 5;

type LetterBody = Extract<RequestBody, { verb: 'letter' }>;

interface Handed {
  readonly sessionId: SessionId;
  readonly peer: PublicKeyHex;
  /** Of all requests that are about it: a second one may come while the first is under way. */
  readonly answers: Answer[];
  readonly key: string;
}

export class LettersFromPeers {
  readonly #context: VisorContext;
  readonly #peers: PeerSessions;
  readonly #taker: Pick<LetterTaker, 'open' | 'take'>;
  /** By session and letter. */
  readonly #underWay = new Map<string, Handed>();
  readonly #bodiesOf = new Map<PublicKeyHex, number>();
  #bodies = 0;

  constructor(context: VisorContext, peers: PeerSessions, taker: Pick<LetterTaker, 'open' | 'take'>) {
    this.#context = context;
    this.#peers = peers;
    this.#taker = taker;
    context.directed.handle('letter', (sessionId, body, answer, now) => {
      if (body.verb === 'letter') this.#handed(sessionId, body, answer, now);
    });
  }

  #handed(sessionId: SessionId, body: LetterBody, answer: Answer, now: Instant): void {
    const peer = this.#peers.contactOf(sessionId);
    if (peer === undefined) { this.#refuse([answer], 'refused', now); return; }
    if (body.bodyLength > contentMaximumBytes) { this.#refuse([answer], 'too-large', now); return; }
    if (!this.#isWellFormed(body)) { this.#refuse([answer], 'malformed', now); return; }
    const key = `${String(sessionId)} ${toHex(letterIdOf(this.#context.crypto, body.header, body.bodyRoot, body.bodyLength))}`;
    const known = this.#underWay.get(key);
    if (known !== undefined) { known.answers.push(answer); return; }
    const opened = this.#taker.open(body.header, now);
    if (opened === undefined) { answer.respond(encodeLetterVerdict('unopenable'), now); return; }
    const { header } = opened;
    if (header.certificate.identity !== peer) {
      this.#context.count('inbox.letter-of-another');
      this.#refuse([answer], 'refused', now);
      return;
    }
    if (header.bodyLength !== body.bodyLength || !equalBytes(header.bodyRoot, body.bodyRoot)) { this.#refuse([answer], 'malformed', now); return; }
    const handed: Handed = { sessionId, peer, answers: [answer], key };
    if (body.inlineBody !== undefined) {
      this.#underWay.set(key, handed);
      this.#take(handed, opened, body.inlineBody, now);
    } else this.#pull(handed, opened, now);
  }

  #pull(handed: Handed, opened: OpenedLetter, now: Instant): void {
    const { sessionId, peer, key } = handed;
    if (this.#bodies >= bodiesMaximum || (this.#bodiesOf.get(peer) ?? 0) >= bodiesPerPeerMaximum) { this.#refuse(handed.answers, 'busy', now); return; }
    this.#underWay.set(key, handed);
    this.#countBody(peer, 1);
    this.#context.directed.pull(sessionId, { root: opened.header.bodyRoot, length: opened.header.bodyLength }, (outcome, at) => {
      this.#countBody(peer, -1);
      if (outcome.kind === 'pulled') this.#take(handed, opened, outcome.bytes, at);
      else this.#noBody(handed, outcome.reason, at);
    }, now);
  }

  #noBody(handed: Handed, reason: Extract<PullOutcome, { kind: 'failed' }>['reason'], now: Instant): void {
    this.#underWay.delete(handed.key);
    switch (reason) {
      case 'absent': this.#refuse(handed.answers, 'not-found', now); return;
      case 'wrong-root': this.#refuse(handed.answers, 'malformed', now); return;
      case 'too-large': this.#refuse(handed.answers, 'too-large', now); return;
      case 'timed-out': case 'session-lost': this.#refuse(handed.answers, 'busy', now); return;
      default: reason satisfies never;
    }
  }

  #take(handed: Handed, opened: OpenedLetter, body: Uint8Array, now: Instant): void {
    this.#taker.take(opened, body, { kind: 'peer', sessionId: handed.sessionId, path: this.#peers.pathOf(handed.peer) }, now, (taken, at) => { this.#taken(handed, taken, at); });
  }

  #taken({ key, answers }: Handed, taken: Taken, now: Instant): void {
    this.#underWay.delete(key);
    // To say that it is here would be untrue, and nothing more will be done about it: for us they are nobody now.
    if (taken === 'dropped') { this.#refuse(answers, 'refused', now); return; }
    if (taken === 'committed') this.#context.count('inbox.from-peer');
    for (const answer of answers) answer.respond(encodeLetterVerdict(taken), now);
  }

  #refuse(answers: readonly Answer[], code: NegativeCode, now: Instant): void {
    const negative: Negative = { code, retryAfterSeconds: code === 'busy' ? busyRetrySeconds : 0, detail: 0 };
    for (const answer of answers) answer.refuse(negative, now);
  }

  #isWellFormed(body: LetterBody): boolean {
    if (body.header.length !== letterHeaderBytes || body.bodyLength === 0) return false;
    return body.inlineBody === undefined || (body.inlineBody.length === body.bodyLength && equalBytes(this.#context.crypto.blake3(body.inlineBody), body.bodyRoot));
  }

  #countBody(peer: PublicKeyHex, by: 1 | -1): void {
    this.#bodies += by;
    const own = (this.#bodiesOf.get(peer) ?? 0) + by;
    if (own > 0) this.#bodiesOf.set(peer, own);
    else this.#bodiesOf.delete(peer);
  }
}
