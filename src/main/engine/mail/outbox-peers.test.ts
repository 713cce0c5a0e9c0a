/** What becomes of letters that are handed to their recipients themselves, by what these answer, and when they answer nothing. */
import { describe, expect, it } from 'vitest';
import { encodeRequest, transportOverheadBytes } from '../wire/frame.ts';
import { headStartMaximumMs, headStartMinimumMs } from './answer-times.ts';
import { doubtMs, OutboxPeers, peerRequestMaximumBytes } from './outbox-peers.ts';
import { createLive, type Live } from './outbox-live.ts';
import type { RequestOptions, RequestOutcome } from '../directed/types.ts';
import type { PeerSessions } from '../overlay/peer-sessions.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, NegativeCode, RequestBody } from '../wire/types.ts';
import type { OutboxRow } from './visor-store.ts';

const recipient = `02${'11'.repeat(32)}`;
const sessionId = 7;

interface Asked { readonly body: Extract<RequestBody, { verb: 'letter' }>; readonly options: RequestOptions }

/** One contact and what is handed to them. */
class Desk {
  nowMs = 1_000;
  here = true;
  standing = 'contact';
  readonly asked: Asked[] = [];
  readonly offered = new Set<Uint8Array>();
  readonly timers = new Map<string, number>();
  readonly log: string[] = [];
  readonly rows = new Map<string, OutboxRow>();
  readonly lives = new Map<string, Live>();
  readonly peers: OutboxPeers;

  constructor() {
    const context = {
      memory: { outbox: this.rows, contacts: new Map([[recipient, { standing: this.standing }]]) },
      directed: {
        publisher: { offer: (_name: unknown, bytes: Uint8Array) => { this.offered.add(bytes); }, withdraw: () => { this.offered.clear(); } },
        request: (_session: number, body: Asked['body'], options: RequestOptions) => { this.asked.push({ body, options }); },
      },
    } as unknown as VisorContext;
    const sessions: PeerSessions = { session: () => (this.here ? sessionId : undefined), contactOf: () => undefined, want: () => undefined, pathOf: () => undefined };
    this.peers = new OutboxPeers(context, sessions, { arm: (id, atMs) => { this.timers.set(id, atMs); }, clear: (id) => { this.timers.delete(id); } });
  }

  get now(): Instant { return { monotonicMs: this.nowMs, wallMs: this.nowMs }; }

  /** False when it may not be tried. */
  hand(id: string, bodyBytes = 256): boolean {
    const row: OutboxRow = {
      id, recipient, destinationPort: 1, sourcePort: 1, kind: 'message', content: new Uint8Array(1), sequence: 1, queuedAtMs: 0, expiresAtMs: 60_000, ttlSeconds: 60,
      attempts: 0, lastReason: undefined, facts: {}, stage: 'deposit',
      sealed: {
        letterId: new Uint8Array(32), header: new Uint8Array(453), body: new Uint8Array(bodyBytes), bodyRoot: new Uint8Array(32), purgeHash: new Uint8Array(32),
        purgeKey: new Uint8Array(32), deviceId: '33'.repeat(16), bundleCreatedSeconds: 0, sealedAtMs: 0,
      },
    };
    const live = this.lives.get(id) ?? createLive(row, { ownMs: 0, correctedMs: 0, relayMs: undefined }, this.now);
    this.rows.set(id, row);
    this.lives.set(id, live);
    if (!this.peers.mayTry(row, live, this.now)) return false;
    this.peers.start(row, live, {
      relays: () => { this.log.push(`relays ${id}`); },
      sending: (by) => { this.log.push(`${by > 0 ? 'out' : 'back'} ${id}`); },
      ended: (outcome, besideRelays) => { this.log.push(`${outcome} ${id}${besideRelays ? ', relays too' : ''}`); },
    }, this.now);
    return true;
  }

  answer(index: number, outcome: RequestOutcome): void { this.asked[index]?.options.done(outcome, this.now); }
  verdict(index: number, value: number): void { this.answer(index, { kind: 'answered', payloads: [Uint8Array.of(value)] }); }
  refuse(index: number, code: NegativeCode, retryAfterSeconds = 0): void { this.answer(index, { kind: 'negative', negative: { code, retryAfterSeconds, detail: 0 } }); }
}

describe('handing letters to recipients themselves', () => {
  it('keeps its requests within a datagram of a circuit, and offers the body where that is too long', () => {
    expect(peerRequestMaximumBytes).toBe(1_137);
    const desk = new Desk();
    desk.hand('a');
    desk.hand('b', 1_024);
    for (const { body } of desk.asked) expect(encodeRequest(new Uint8Array(16), body).length + transportOverheadBytes).toBeLessThanOrEqual(1_166);
    expect(desk.asked.map(({ body }) => body.inlineBody?.length)).toEqual([256, undefined]);
    expect(desk.offered.size).toBe(1);
    desk.verdict(1, 1);
    expect(desk.offered.size).toBe(0);
  });

  it('says that it is there when they say so, and leaves it to relays when they refuse it', () => {
    const desk = new Desk();
    desk.hand('a');
    desk.hand('b');
    desk.verdict(0, 1);
    desk.refuse(1, 'refused');
    expect(desk.log).toEqual(['out a', 'out b', 'committed a', 'back b', 'not-taken b', 'relays b']);
    expect(desk.timers.size).toBe(0);
  });

  it.each([new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(3), Uint8Array.of(1, 1)])('takes an answer that means nothing for none: %s', (payload) => {
    const desk = new Desk();
    desk.hand('a');
    desk.answer(0, { kind: 'answered', payloads: [payload] });
    expect(desk.log).toEqual(['out a', 'back a', 'not-taken a', 'relays a']);
  });

  it('uses relays as well after the head start, once, and believes a late answer', () => {
    const desk = new Desk();
    desk.hand('a');
    expect(desk.timers.get('a')).toBe(desk.nowMs + headStartMaximumMs);
    desk.nowMs += headStartMaximumMs;
    desk.peers.handleTimeout('a', desk.now);
    desk.peers.handleTimeout('a', desk.now);
    expect(desk.log).toEqual(['out a', 'relays a']);
    expect(desk.hand('b')).toBe(false);
    desk.verdict(0, 1);
    expect(desk.log.at(-1)).toBe('committed a, relays too');
    expect(desk.hand('b')).toBe(true);
  });

  it('waits as long as the recipient lets it expect, until their session ends', () => {
    const desk = new Desk();
    const headStartOf = (id: string, sizeBytes = 256): number => {
      desk.hand(id, sizeBytes);
      return (desk.timers.get(id) ?? 0) - desk.nowMs;
    };
    const answeredAfter = (index: number, tookMs: number): void => {
      desk.nowMs += tookMs;
      desk.verdict(index, 1);
    };
    expect(headStartOf('a')).toBe(headStartMaximumMs);
    answeredAfter(0, 10);
    expect(headStartOf('b')).toBe(headStartMinimumMs);
    answeredAfter(1, 250);
    expect(headStartOf('c')).toBe(750);
    answeredAfter(2, 10);
    expect(headStartOf('d')).toBeCloseTo(675);
    answeredAfter(3, 900);
    expect(headStartOf('e')).toBe(headStartMaximumMs);
    for (let index = 4; index < 30; index += 1) { answeredAfter(index, 10); headStartOf(`f${String(index)}`); }
    expect(headStartOf('long', 1_024)).toBe(headStartMaximumMs);
    expect(headStartOf('g')).toBe(headStartMinimumMs);
    desk.peers.peerDown(recipient, 1, desk.now);
    expect(headStartOf('h')).toBe(headStartMaximumMs);
  });

  it('does not wait for one who did not answer, until some time has passed or there is a new session', () => {
    for (const ends of ['time', 'session'] as const) {
      const desk = new Desk();
      desk.hand('a');
      desk.nowMs += headStartMaximumMs;
      desk.peers.handleTimeout('a', desk.now);
      desk.nowMs += 2_500;
      desk.answer(0, { kind: 'timed-out' });
      expect(desk.hand('b')).toBe(false);
      if (ends === 'time') desk.nowMs += doubtMs;
      else desk.peers.peerUp(recipient);
      expect(desk.hand('b')).toBe(true);
      expect(desk.log).toEqual(['out a', 'relays a', 'back a', 'not-taken a, relays too', 'out b']);
    }
  });

  it('has a few under way at a time, in order, and lets go of those that wait when there is no answer', () => {
    const desk = new Desk();
    for (let number = 0; number < 20; number += 1) desk.hand(`letter ${String(number)}`);
    expect(desk.asked).toHaveLength(16);
    desk.verdict(3, 1);
    expect(desk.log.at(-1)).toBe('out letter 16');
    desk.nowMs += headStartMaximumMs;
    desk.peers.handleTimeout('letter 0', desk.now);
    expect(desk.log.slice(-4)).toEqual(['relays letter 17', 'relays letter 18', 'relays letter 19', 'relays letter 0']);
    expect(desk.asked).toHaveLength(17);
  });

  it('has few long ones under way at a time, and any single one', () => {
    const desk = new Desk();
    for (let number = 0; number < 3; number += 1) desk.hand(`letter ${String(number)}`, 66_560);
    expect(desk.asked).toHaveLength(1);
    desk.verdict(0, 1);
    expect(desk.asked).toHaveLength(2);
  });

  it('does not send what ended, was taken back or was sealed anew while it waited', () => {
    const desk = new Desk();
    for (const id of ['first', 'gone', 'taken back', 'sealed anew', 'last']) desk.hand(id, 66_560);
    desk.rows.delete('gone');
    for (const id of ['taken back', 'sealed anew']) {
      const row = desk.rows.get(id);
      if (row?.sealed === undefined) throw new Error('no row');
      desk.rows.set(id, id === 'taken back' ? { ...row, stage: 'withdraw' } : { ...row, sealed: { ...row.sealed, letterId: new Uint8Array(32) } });
    }
    desk.verdict(0, 1);
    expect(desk.log).toEqual(['out first', 'committed first', 'relays gone', 'relays taken back', 'relays sealed anew', 'out last']);
  });

  it('leaves what waits for an answer to relays when the session is gone', () => {
    const desk = new Desk();
    desk.hand('a', 66_560);
    desk.hand('b', 66_560);
    desk.here = false;
    desk.peers.peerDown(recipient, sessionId + 1, desk.now);
    expect(desk.log).toEqual(['out a']);
    desk.peers.peerDown(recipient, sessionId, desk.now);
    expect(desk.log).toEqual(['out a', 'relays a']);
    desk.answer(0, { kind: 'session-lost' });
    expect(desk.log).toEqual(['out a', 'relays a', 'back a', 'not-taken a, relays too', 'relays b']);
    desk.here = true;
    expect(desk.hand('c')).toBe(true);
  });

  it('comes again when one who is busy said, and to one who cannot open a letter later each time', () => {
    const busy = new Desk();
    busy.hand('a');
    busy.refuse(0, 'busy', 5);
    expect(busy.hand('b')).toBe(false);
    busy.nowMs += 5_000;
    expect(busy.hand('b')).toBe(true);
    const desk = new Desk();
    for (let time = 0; time < 2; time += 1) {
      expect(desk.hand('a')).toBe(true);
      desk.verdict(time, 2);
    }
    expect(desk.log).toEqual(['out a', 'back a', 'unopenable a', 'out a', 'back a', 'unopenable a']);
    expect([desk.hand('a'), desk.hand('b')]).toEqual([false, true]);
    desk.nowMs += 60_000;
    expect(desk.hand('a')).toBe(true);
  });
});
