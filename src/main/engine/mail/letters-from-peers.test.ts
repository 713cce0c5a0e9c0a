/** What is done with letters that contacts hand over, and how much of it at a time. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { Pair } from '../directed/testing.ts';
import { LettersFromPeers } from './letters-from-peers.ts';
import { letter } from './mailbox-testing.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, SealedLetter } from '../wire/types.ts';
import type { LetterTaker, OpenedLetter, Taken } from './letter-taker.ts';

const contact = `02${'11'.repeat(32)}`;
const stranger = `02${'22'.repeat(32)}`;

/** The left side hands letters to the right one. In these, a header's last byte 1 is a letter by somebody else, 2 one that does not open. */
class Visit {
  readonly pair = new Pair(crypto);
  readonly heard: RequestOutcome[] = [];
  readonly taken: { readonly body: Uint8Array; readonly done: (taken: Taken, now: Instant) => void }[] = [];
  readonly counted: string[] = [];
  readonly contacts = new Map([[1, contact], [2, contact]]);

  constructor() {
    const context = { crypto, directed: this.pair.right, count: (counter: string) => { this.counted.push(counter); } } as unknown as VisorContext;
    const sessions: PeerSessions = { session: () => undefined, contactOf: (sessionId) => this.contacts.get(sessionId), want: () => undefined, pathOf: () => undefined };
    const taker: Pick<LetterTaker, 'open' | 'take'> = {
      open: (header) => {
        const kind = header.at(-1);
        const sealed = this.letters.find((one) => one.header.length === header.length && one.header.every((byte, index) => byte === header[index]));
        const identity = kind === 1 ? stranger : contact;
        if (kind === 2 || sealed === undefined) return undefined;
        return { header: { certificate: { identity }, bodyRoot: sealed.bodyRoot, bodyLength: sealed.body.length }, prekey: {} } as unknown as OpenedLetter;
      },
      take: (_opened, body, _way, _now, done) => { this.taken.push({ body: body.slice(), done }); },
    };
    new LettersFromPeers(context, sessions, taker);
  }

  readonly letters: SealedLetter[] = [];

  /** @param kind the header's last byte. */
  make(number: number, bodyBytes = 256, kind = 0): SealedLetter {
    const made = letter(number, bodyBytes);
    const header = made.header.slice();
    header[header.length - 1] = kind;
    const sealed = { ...made, header };
    this.letters.push(sealed);
    return sealed;
  }

  hand(sealed: SealedLetter, sessionId = 1, offered = true): void {
    const inline = sealed.body.length <= 256;
    if (!inline && offered) this.pair.left.publisher.offer({ root: sealed.bodyRoot, length: sealed.body.length }, sealed.body);
    this.pair.left.request(sessionId, { verb: 'letter', header: sealed.header, bodyRoot: sealed.bodyRoot, bodyLength: sealed.body.length, inlineBody: inline ? sealed.body : undefined }, {
      deadlineMs: 4_000, done: (outcome) => { this.heard.push(outcome); },
    }, this.pair.now);
  }

  get codes(): readonly string[] { return this.heard.map((outcome) => (outcome.kind === 'negative' ? outcome.negative.code : outcome.kind === 'answered' ? String(outcome.payloads[0]?.[0]) : outcome.kind)); }
}

describe('letters from contacts', () => {
  it('are answered when they are committed, and not before', () => {
    const visit = new Visit();
    visit.hand(visit.make(1));
    visit.hand(visit.make(2, 4_096));
    visit.pair.run(1_000);
    expect(visit.taken.map(({ body }) => body.length)).toEqual([256, 4_096]);
    expect(visit.heard).toEqual([]);
    for (const { done } of visit.taken) done('committed', visit.pair.now);
    visit.pair.run(1_000);
    expect(visit.codes).toEqual(['1', '1']);
    expect(visit.counted).toEqual(['inbox.from-peer', 'inbox.from-peer']);
  });

  it('are refused from sessions that are no contact\'s, when they are by somebody else, and when the rules keep nothing of them', () => {
    const visit = new Visit();
    visit.hand(visit.make(1), 9);
    visit.hand(visit.make(2, 256, 1));
    visit.hand(visit.make(3));
    visit.pair.run(100);
    visit.taken[0]?.done('dropped', visit.pair.now);
    visit.pair.run(100);
    expect(visit.codes).toEqual(['refused', 'refused', 'refused']);
    expect(visit.taken).toHaveLength(1);
  });

  it('are told apart: what does not open, and what is not what it says', () => {
    const visit = new Visit();
    visit.hand(visit.make(1, 256, 2));
    visit.hand({ ...visit.make(2), body: new Uint8Array(256) });
    visit.hand({ ...visit.make(3), header: new Uint8Array(452) });
    visit.hand({ ...visit.make(4), body: new Uint8Array(66_561) }, 1, false);
    // A body that the header does not name, whole as it is.
    const [one, other] = [visit.make(5), visit.make(6)];
    visit.hand({ ...one, body: other.body, bodyRoot: other.bodyRoot });
    visit.hand(visit.make(7, 1_024), 1, false);
    visit.pair.run(10_000);
    expect([...visit.codes].sort()).toEqual(['2', 'malformed', 'malformed', 'malformed', 'not-found', 'too-large']);
    expect(visit.taken).toEqual([]);
  });

  it('have sixteen bodies pulled from one contact at a time, however many sessions they have', () => {
    const visit = new Visit();
    // Nothing that is pulled comes.
    visit.pair.fate = (_frame, from) => (from === 'left' && visit.pair.nowMs > 1_100 ? [] : [0]);
    for (let number = 0; number < 20; number += 1) visit.hand(visit.make(number, 66_560), number % 2 === 0 ? 1 : 2);
    visit.hand(visit.make(30), 1);
    visit.pair.run(100);
    expect(visit.codes).toEqual(['busy', 'busy', 'busy', 'busy']);
    expect(visit.taken).toHaveLength(1);
  });

  it('that are handed over twice at once are taken once, and answered twice', () => {
    const visit = new Visit();
    const sealed = visit.make(1, 4_096);
    visit.hand(sealed);
    visit.hand(sealed);
    visit.pair.run(1_000);
    expect(visit.taken).toHaveLength(1);
    visit.taken[0]?.done('committed', visit.pair.now);
    visit.pair.run(100);
    expect(visit.codes).toEqual(['1', '1']);
    // And when it comes again later it is looked at again.
    visit.hand(sealed);
    visit.pair.run(1_000);
    expect(visit.taken).toHaveLength(2);
  });
});
