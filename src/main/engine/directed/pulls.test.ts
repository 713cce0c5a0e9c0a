import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tree } from '../lockstep/testing.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { equalBytes } from '../wire/bytes.ts';
import { decodeFrame, encodeNegative, encodeResponse } from '../wire/frame.ts';
import { createDirected } from './directed.ts';
import { pullsMaximum } from './memory-pulls.ts';
import { contentMaximumBytes } from './publisher.ts';
import { Pair, seededRandom, wallStartMs } from './testing.ts';
import type { Crypto } from '../crypto.ts';
import type { Directed, PullOutcome } from './types.ts';
import type { ContentName, Frame, Instant } from '../wire/types.ts';

const crypto: Crypto = { ...nobleCrypto, tree, blake3: (data) => tree.hash(data) };
const nameOf = (bytes: Uint8Array): ContentName => ({ root: crypto.blake3(bytes), length: bytes.length });
const at = (monotonicMs: number): Instant => ({ monotonicMs, wallMs: wallStartMs + monotonicMs });
const content = (sizeBytes: number, fill = 1): Uint8Array => Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 31 + fill) & 0xff);

/** One side alone, with everything it sends decoded. */
function alone(): { readonly directed: Directed; readonly sent: Frame[] } {
  const sent: Frame[] = [];
  const directed = createDirected({
    send: (_, bytes) => { const frame = decodeFrame(bytes); if (frame !== undefined) sent.push(frame); return true; },
    smoothedRoundTripMs: () => 20,
    datagramLimitBytes: () => 1_200,
  }, crypto, seededRandom(7));
  return { directed, sent };
}

function idOf(frame: Frame | undefined): Uint8Array {
  if (frame === undefined) throw new Error('nothing was sent');
  return frame.requestId;
}

const bits = (bitmap: Uint8Array): number => bitmap.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
const askedIn = (frame: Frame | undefined): number => frame?.type === 'request' && (frame.body.verb === 'pull' || frame.body.verb === 'more') ? bits(frame.body.bitmap) : 0;

describe('pulls', () => {
  it('bring the largest body over a clean path without asking twice, the name being shown until it is known', () => {
    const pair = new Pair(crypto);
    const bytes = content(contentMaximumBytes);
    pair.right.publisher.offer(nameOf(bytes), bytes);
    let outcome: PullOutcome | undefined;
    pair.left.pull(1, nameOf(bytes), (ended) => { outcome = ended; }, pair.now);
    pair.run();
    expect(outcome?.kind === 'pulled' && equalBytes(outcome.bytes, bytes)).toBe(true);
    const requests = pair.sent.filter(({ from }) => from === 'left').map(({ frame }) => decodeFrame(frame));
    expect(requests.reduce((sum, frame) => sum + askedIn(frame), 0)).toBe(65);
    const verbs = requests.map((frame) => frame?.type === 'request' ? frame.body.verb : '');
    expect([verbs[0], verbs.at(-1)]).toEqual(['pull', 'more']);
    expect(pair.left.dropCounters['fragments-presumed-lost']).toBeUndefined();
  });

  it('come through whatever the network does, several at once', () => {
    const fates = fc.array(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 2 }), { minLength: 20, maxLength: 150 });
    const sizes = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(fates, sizes, (plan, lengths) => {
      const pair = new Pair(crypto);
      const fate = [...plan];
      pair.fate = () => fate.shift() ?? [0];
      const outcomes: boolean[] = [];
      for (const [index, length] of lengths.entries()) {
        const bytes = content(length, index);
        pair.right.publisher.offer(nameOf(bytes), bytes);
        pair.left.pull(1, nameOf(bytes), (ended) => outcomes.push(ended.kind === 'pulled' && equalBytes(ended.bytes, bytes)), pair.now);
      }
      pair.run(400_000);
      expect(outcomes).toEqual(lengths.map(() => true));
      expect(pair.left.pollTimeout()).toBeUndefined();
    }), { numRuns: 60 });
  });

  it('of one name on one session are joined', () => {
    const pair = new Pair(crypto);
    const bytes = content(2_000);
    pair.right.publisher.offer(nameOf(bytes), bytes);
    const ended: string[] = [];
    pair.left.pull(1, nameOf(bytes), (outcome) => ended.push(outcome.kind), pair.now);
    pair.left.pull(1, nameOf(bytes), (outcome) => ended.push(outcome.kind), pair.now);
    pair.run();
    expect(ended).toEqual(['pulled', 'pulled']);
    expect(pair.sent.filter(({ from }) => from === 'left')).toHaveLength(1);
  });

  it('run in hundreds on one session, the window shared', () => {
    const pair = new Pair(crypto);
    let pulled = 0;
    for (let index = 0; index < 300; index += 1) {
      const bytes = content(1_500, index);
      bytes[0] = index & 0xff;
      bytes[1] = index >> 8;
      pair.right.publisher.offer(nameOf(bytes), bytes);
      pair.left.pull(1, nameOf(bytes), (outcome) => { if (outcome.kind === 'pulled') pulled += 1; }, pair.now);
    }
    const asked = pair.sent.reduce((sum, { frame }) => sum + askedIn(decodeFrame(frame)), 0);
    // The initial window of 10 datagrams of 1,200 bytes, and the reserve of 4 for letters: of them, half are of 476 bytes only.
    expect(asked).toBeLessThanOrEqual(2 * 14);
    pair.run();
    expect(pulled).toBe(300);
  });

  it('refuse a name that is too long before anything is asked, and check an empty one without asking', () => {
    const { directed, sent } = alone();
    const ended: PullOutcome[] = [];
    directed.pull(1, { root: new Uint8Array(32), length: 0xffff_ffff }, (outcome) => ended.push(outcome), at(0));
    directed.pull(1, { root: new Uint8Array(32), length: 0 }, (outcome) => ended.push(outcome), at(0));
    directed.pull(1, nameOf(new Uint8Array(0)), (outcome) => ended.push(outcome), at(0));
    expect(ended.map((outcome) => outcome.kind === 'failed' ? outcome.reason : outcome.kind)).toEqual(['too-large', 'wrong-root', 'pulled']);
    expect(sent).toHaveLength(0);
  });

  it('ask again for what does not prove, and end as wrong-root when a holder sends nothing else', () => {
    const { directed, sent } = alone();
    let ended: PullOutcome | undefined;
    const bytes = content(700);
    directed.pull(1, nameOf(bytes), (outcome) => { ended = outcome; }, at(0));
    const id = idOf(sent[0]);
    for (let round = 1; round < 8; round += 1) {
      directed.handleFrame(1, encodeResponse(id, 0, false, bytes.with(5, round)), at(round));
      expect(ended).toBeUndefined();
      expect(sent).toHaveLength(round + 1);
    }
    directed.handleFrame(1, encodeResponse(id, 0, false, new Uint8Array(700)), at(9));
    expect(ended).toEqual({ kind: 'failed', reason: 'wrong-root' });
    expect(directed.dropCounters).toMatchObject({ 'bad-pull-fragment': 8, 'source-lying': 1 });
  });

  it('survive a bad fragment for the price of asking again', () => {
    const pair = new Pair(crypto);
    const bytes = content(30_000);
    pair.right.publisher.offer(nameOf(bytes), bytes);
    let spoiled = 0;
    pair.tamper = (frame, from) => {
      if (from === 'left' || spoiled >= 5 || frame.length < 500) return frame;
      spoiled += 1;
      return frame.with(200 * spoiled % frame.length, 77);
    };
    let outcome: PullOutcome | undefined;
    pair.left.pull(1, nameOf(bytes), (ended) => { outcome = ended; }, pair.now);
    pair.run();
    expect(outcome?.kind === 'pulled' && equalBytes(outcome.bytes, bytes)).toBe(true);
    expect(spoiled).toBe(5);
  });

  it('drop and count fragments of a wrong length, a wrong number or another session', () => {
    const { directed, sent } = alone();
    let ended: PullOutcome | undefined;
    const bytes = content(900);
    directed.pull(1, nameOf(bytes), (outcome) => { ended = outcome; }, at(0));
    const id = idOf(sent[0]);
    directed.handleFrame(1, encodeResponse(id, 0, false, new Uint8Array(899)), at(1));
    directed.handleFrame(1, encodeResponse(id, 2, true, new Uint8Array(1)), at(1));
    directed.handleFrame(1, encodeResponse(id, 0xffff_ffff, true, new Uint8Array(900)), at(1));
    directed.handleFrame(2, encodeResponse(id, 0, false, bytes), at(1));
    expect(directed.dropCounters).toMatchObject({ 'bad-pull-fragment': 1, 'unasked-fragment': 2, 'unmatched-response': 1 });
    directed.handleFrame(1, encodeResponse(id, 0, false, bytes), at(2));
    expect(ended?.kind).toBe('pulled');
  });

  it('end by what the holder says: absent, too large, or later', () => {
    const { directed, sent } = alone();
    const ended: PullOutcome[] = [];
    const bytes = content(100);
    const refuse = (code: 'not-found' | 'too-large' | 'busy', now: Instant): void => {
      directed.pull(1, nameOf(bytes), (outcome) => ended.push(outcome), now);
      directed.handleFrame(1, encodeNegative(idOf(sent.at(-1)), { code, retryAfterSeconds: 1, detail: 0 }), now);
    };
    refuse('not-found', at(0));
    refuse('too-large', at(0));
    refuse('busy', at(0));
    expect(ended).toEqual([{ kind: 'failed', reason: 'absent' }, { kind: 'failed', reason: 'too-large' }]);
    const before = sent.length;
    directed.handleTimeout(at(999));
    expect(sent).toHaveLength(before);
    directed.handleTimeout(at(1_000));
    expect(sent).toHaveLength(before + 1);
    directed.handleFrame(1, encodeResponse(idOf(sent.at(-1)), 0, true, bytes), at(1_001));
    expect(ended[2]?.kind).toBe('pulled');
  });

  it('show the name again to a holder that has forgotten it', () => {
    const pair = new Pair(crypto);
    const bytes = content(60_000);
    pair.right.publisher.offer(nameOf(bytes), bytes);
    let forgotten = false;
    pair.fate = (frame, from) => {
      const decoded = decodeFrame(frame);
      if (from === 'left' && !forgotten && decoded?.type === 'request' && decoded.body.verb === 'more') {
        forgotten = true;
        pair.right.sessionLost(1, pair.now);
      }
      return [0];
    };
    let outcome: PullOutcome | undefined;
    pair.left.pull(1, nameOf(bytes), (ended) => { outcome = ended; }, pair.now);
    pair.run(10_000);
    expect(forgotten).toBe(true);
    expect(outcome?.kind).toBe('pulled');
  });

  it('end as timed out when the holder is silent, and as session-lost with the session', () => {
    const pair = new Pair(crypto);
    pair.fate = () => [];
    const ended: PullOutcome[] = [];
    for (let index = 0; index < 50; index += 1) pair.left.pull(1, nameOf(content(3_000, index)), (outcome) => ended.push(outcome), pair.now);
    pair.left.pull(2, nameOf(content(10)), (outcome) => ended.push(outcome), pair.now);
    pair.left.sessionLost(2, pair.now);
    expect(ended).toEqual([{ kind: 'failed', reason: 'session-lost' }]);
    pair.run(60_000);
    expect(ended.slice(1)).toEqual(Array.from({ length: 50 }, () => ({ kind: 'failed', reason: 'timed-out' })));
    expect(pair.left.pollTimeout()).toBeUndefined();
  });

  it('a holder that drips one fragment at a time is given up in the end', () => {
    const pair = new Pair(crypto);
    const bytes = content(contentMaximumBytes);
    pair.right.publisher.offer(nameOf(bytes), bytes);
    let next = 0;
    pair.fate = (_, from) => {
      if (from === 'left') return [0];
      next += 15_000;
      return [Math.max(0, next - pair.nowMs)];
    };
    let ended: PullOutcome | undefined;
    pair.left.pull(1, nameOf(bytes), (outcome) => { ended = outcome; }, pair.now);
    pair.run(330_000);
    expect(ended).toEqual({ kind: 'failed', reason: 'timed-out' });
  });

  it('beyond the bound end at once', () => {
    const { directed } = alone();
    let early = 0;
    const name = nameOf(content(10));
    for (let index = 0; index <= pullsMaximum; index += 1) directed.pull(1, name, () => { early += 1; }, at(0));
    expect(early).toBe(1);
    expect(directed.dropCounters['pulls-full']).toBe(1);
  });

  it('survive any bytes as frames', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 1_300 }), { maxLength: 20 }), (frames) => {
      const { directed } = alone();
      directed.publisher.offer(nameOf(content(1)), content(1));
      directed.pull(1, nameOf(content(5_000)), () => undefined, at(0));
      for (const frame of frames) directed.handleFrame(1, frame, at(1));
      expect(directed.pollTimeout()).toBeDefined();
    }));
  });
});
