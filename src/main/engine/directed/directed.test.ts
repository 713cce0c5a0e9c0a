import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { decodeFrame, decodeNegative, encodeRequest, encodeResponse, pullRequestId } from '../wire/frame.ts';
import { bitmapOf } from '../wire/verbs.ts';
import { createDirected } from './directed.ts';
import { requestsMaximum } from './request-table.ts';
import { pendingPerSessionMaximum, rememberedPerSessionMaximum } from './responder.ts';
import { Pair, seededRandom, wallStartMs } from './testing.ts';
import type { Answer, Directed, RequestOutcome } from './types.ts';
import type { ContentName, Frame, Instant } from '../wire/types.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const nameOf = (bytes: Uint8Array): ContentName => ({ root: nobleCrypto.blake3(bytes), length: bytes.length });
const statusBody = { verb: 'refusals' } as const;
const at = (monotonicMs: number): Instant => ({ monotonicMs, wallMs: wallStartMs + monotonicMs });

/** One side alone, with everything it sends decoded. */
function alone(roundTripMs: number | undefined = 20): { readonly directed: Directed; readonly sent: Frame[] } {
  const sent: Frame[] = [];
  const directed = createDirected({
    send: (_, bytes) => { const frame = decodeFrame(bytes); if (frame !== undefined) sent.push(frame); return true; },
    smoothedRoundTripMs: () => roundTripMs,
    datagramLimitBytes: () => 1_200,
  }, nobleCrypto, seededRandom(7));
  return { directed, sent };
}

function idOf(frame: Frame | undefined): Uint8Array {
  if (frame === undefined) throw new Error('nothing was sent');
  return frame.requestId;
}

describe('requests', () => {
  it('are answered with the payload that the handler gave', () => {
    const pair = new Pair(nobleCrypto);
    pair.right.handle('refusals', (_, __, answer, now) => { answer.respond(text('yes'), now); });
    const outcomes: RequestOutcome[] = [];
    pair.left.request(1, statusBody, { deadlineMs: 1_000, done: (outcome) => outcomes.push(outcome) }, pair.now);
    pair.run();
    expect(outcomes).toEqual([{ kind: 'answered', payloads: [text('yes')] }]);
    expect(pair.left.pollTimeout()).toBeUndefined();
  });

  it('end as negative with code, retry-after and detail', () => {
    const pair = new Pair(nobleCrypto);
    pair.right.handle('refusals', (_, __, answer, now) => { answer.refuse({ code: 'quota', retryAfterSeconds: 300, detail: 2 }, now); });
    const outcomes: RequestOutcome[] = [];
    pair.left.request(1, statusBody, { deadlineMs: 1_000, done: (outcome) => outcomes.push(outcome) }, pair.now);
    pair.run();
    expect(outcomes).toEqual([{ kind: 'negative', negative: { code: 'quota', retryAfterSeconds: 300, detail: 2 } }]);
  });

  it('of a verb without handler, and of an unknown verb, are refused as malformed', () => {
    const pair = new Pair(nobleCrypto);
    const outcomes: RequestOutcome[] = [];
    pair.left.request(1, statusBody, { deadlineMs: 1_000, done: (outcome) => outcomes.push(outcome) }, pair.now);
    pair.run();
    expect(outcomes).toEqual([{ kind: 'negative', negative: { code: 'malformed', retryAfterSeconds: 0, detail: 0 } }]);
    const { directed, sent } = alone();
    directed.handleFrame(1, Uint8Array.of(0x01, 200, ...new Uint8Array(16).fill(9), 1, 2, 3), at(0));
    expect(sent.map((frame) => frame.type === 'response' && frame.negative && decodeNegative(frame.payload)?.code)).toEqual(['malformed']);
    expect(idOf(sent[0])).toEqual(new Uint8Array(16).fill(9));
    directed.handleFrame(1, Uint8Array.of(0x01, 200, 1), at(0));
    directed.handleFrame(1, Uint8Array.of(0x07), at(0));
    directed.handleFrame(1, new Uint8Array(0), at(0));
    expect(sent).toHaveLength(1);
    expect(directed.dropCounters['bad-frame']).toBe(4);
  });

  it('are repeated after twice the round trip, doubling to three seconds, until the deadline', () => {
    const times = (roundTripMs: number | undefined, deadlineMs: number): readonly number[] => {
      const pair = new Pair(nobleCrypto);
      pair.smoothedRoundTripMs = roundTripMs;
      pair.fate = () => [];
      let ended: RequestOutcome | undefined;
      pair.left.request(1, statusBody, { deadlineMs, done: (outcome) => { ended = outcome; } }, pair.now);
      pair.run(deadlineMs);
      expect(ended).toEqual({ kind: 'timed-out' });
      return pair.sent.map(({ atMs }) => atMs - 1_000);
    };
    expect(times(100, 10_000)).toEqual([0, 200, 600, 1_400, 3_000, 6_000, 9_000]);
    expect(times(5, 200)).toEqual([0, 50, 150]);
    expect(times(undefined, 1_000)).toEqual([0, 300, 900]);
  });

  it('collect the fragments of a long answer in any order', () => {
    const pair = new Pair(nobleCrypto);
    const payloads = Array.from({ length: 16 }, (_, index) => text(`part ${String(index)}`));
    pair.right.handle('refusals', (_, __, answer, now) => { answer.respondMany(payloads, now); });
    let delay = 40;
    pair.fate = (_, from) => from === 'left' ? [0] : [(delay -= 2)];
    let ended: RequestOutcome | undefined;
    pair.left.request(1, statusBody, { deadlineMs: 5_000, done: (outcome) => { ended = outcome; } }, pair.now);
    pair.run();
    expect(ended).toEqual({ kind: 'answered', payloads });
  });

  it('run their handler once, and end once, whatever the network does', () => {
    const fates = fc.array(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 3 }), { maxLength: 60 });
    fc.assert(fc.property(fates, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 700 }), (plan, parts, handlerMs) => {
      const pair = new Pair(nobleCrypto);
      const waiting: { answer: Answer; dueMs: number }[] = [];
      const payloads = Array.from({ length: parts }, (_, index) => Uint8Array.of(index));
      let runs = 0;
      pair.right.handle('refusals', (_, __, answer, now) => { runs += 1; waiting.push({ answer, dueMs: now.monotonicMs + handlerMs }); });
      pair.driven.push({
        pollTimeout: () => waiting[0] === undefined ? undefined : { atMs: waiting[0].dueMs },
        handleTimeout: (now) => { if (waiting[0] !== undefined && waiting[0].dueMs <= now.monotonicMs) waiting.shift()?.answer.respondMany(payloads, now); },
      });
      pair.fate = () => plan.shift() ?? [0];
      const outcomes: RequestOutcome[] = [];
      pair.left.request(1, statusBody, { deadlineMs: 200_000, done: (outcome) => outcomes.push(outcome) }, pair.now);
      pair.run(400_000);
      expect(runs).toBe(1);
      expect(outcomes).toEqual([{ kind: 'answered', payloads }]);
      expect(pair.left.pollTimeout()).toBeUndefined();
    }), { numRuns: 100 });
  });

  it('beyond the table bound end at once as timed out', () => {
    const { directed } = alone();
    let early = 0;
    for (let index = 0; index <= requestsMaximum; index += 1) directed.request(index, statusBody, { deadlineMs: 1_000, done: () => { early += 1; } }, at(0));
    expect(early).toBe(1);
    expect(directed.dropCounters['request-table-full']).toBe(1);
    directed.handleTimeout(at(1_000));
    expect(early).toBe(requestsMaximum + 1);
  });

  it('end as session-lost with their session; one made in the callback is not lost', () => {
    const { directed } = alone();
    const seen: string[] = [];
    const again = (outcome: RequestOutcome, now: Instant): void => {
      seen.push(outcome.kind);
      if (seen.length === 1) directed.request(1, statusBody, { deadlineMs: 1_000, done: again }, now);
    };
    directed.request(1, statusBody, { deadlineMs: 1_000, done: again }, at(0));
    directed.request(2, statusBody, { deadlineMs: 1_000, done: again }, at(0));
    directed.sessionLost(1, at(10));
    expect(seen).toEqual(['session-lost']);
    expect(directed.pollTimeout()?.atMs).toBe(50);
  });

  it('do not mix the fragments of two different answers', () => {
    const { directed, sent } = alone();
    let ended: RequestOutcome | undefined;
    directed.request(1, statusBody, { deadlineMs: 1_000, done: (outcome) => { ended = outcome; } }, at(0));
    const id = idOf(sent[0]);
    directed.handleFrame(1, encodeResponse(id, 0, false, text('old 0')), at(1));
    directed.handleFrame(1, encodeResponse(id, 0, false, text('new 0')), at(2));
    directed.handleFrame(1, encodeResponse(id, 1, true, text('new 1')), at(3));
    expect(ended).toEqual({ kind: 'answered', payloads: [text('new 0'), text('new 1')] });
    expect(directed.dropCounters['answer-changed']).toBe(1);
  });

  it('drop fragments out of range, answers of other sessions, and answers nobody asked for', () => {
    const { directed, sent } = alone();
    let ended: RequestOutcome | undefined;
    directed.request(1, statusBody, { deadlineMs: 1_000, done: (outcome) => { ended = outcome; } }, at(0));
    const id = idOf(sent[0]);
    directed.handleFrame(1, encodeResponse(id, 0xffff_ffff, true, text('x')), at(1));
    directed.handleFrame(1, encodeResponse(id, 1, true, text('b')), at(1));
    directed.handleFrame(1, encodeResponse(id, 2, false, text('beyond the final one')), at(1));
    directed.handleFrame(1, encodeResponse(id, 0, true, text('a second final one')), at(1));
    directed.handleFrame(2, encodeResponse(id, 0, true, text('x')), at(1));
    directed.handleFrame(1, encodeResponse(new Uint8Array(16), 0, true, text('x')), at(1));
    expect(ended).toBeUndefined();
    expect(directed.dropCounters).toMatchObject({ 'bad-fragment': 3, 'unmatched-response': 2 });
    directed.handleFrame(1, encodeResponse(id, 0, false, text('a')), at(1));
    expect(ended).toEqual({ kind: 'answered', payloads: [text('a'), text('b')] });
  });
});

describe('the responder', () => {
  const request = (number: number): Uint8Array => encodeRequest(nobleCrypto.blake3(text(String(number))).slice(0, 16), statusBody);

  it('answers a repetition from memory, and forgets with the session', () => {
    const { directed, sent } = alone();
    let runs = 0;
    directed.handle('refusals', (_, __, answer, now) => { runs += 1; answer.respond(text(String(runs)), now); });
    directed.handleFrame(1, request(1), at(0));
    directed.handleFrame(1, request(1), at(1));
    expect(runs).toBe(1);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toEqual(sent[0]);
    directed.handleFrame(2, request(1), at(2));
    expect(runs).toBe(2);
    directed.sessionLost(1, at(3));
    directed.handleFrame(1, request(1), at(4));
    expect(runs).toBe(3);
  });

  it('sends one answer only, and none to a session that was lost meanwhile', () => {
    const { directed, sent } = alone();
    const answers: Answer[] = [];
    directed.handle('refusals', (_, __, answer) => { answers.push(answer); });
    directed.handleFrame(1, request(1), at(0));
    answers[0]?.respond(text('first'), at(1));
    answers[0]?.refuse({ code: 'busy', retryAfterSeconds: 0, detail: 0 }, at(1));
    expect(sent).toHaveLength(1);
    directed.handleFrame(1, request(2), at(2));
    directed.sessionLost(1, at(3));
    directed.handleFrame(1, request(2), at(4));
    answers[1]?.respond(text('for the old session'), at(5));
    expect(sent).toHaveLength(1);
    answers[2]?.respond(text('for the new one'), at(6));
    expect(sent).toHaveLength(2);
  });

  it('refuses as busy what a session has pending beyond its bound', () => {
    const { directed, sent } = alone();
    directed.handle('refusals', () => undefined);
    for (let number = 0; number <= pendingPerSessionMaximum; number += 1) directed.handleFrame(1, request(number), at(0));
    expect(sent).toHaveLength(1);
    expect(sent[0]?.type === 'response' && decodeNegative(sent[0].payload)?.code).toBe('busy');
    directed.handleFrame(2, request(0), at(0));
    expect(sent).toHaveLength(1);
  });

  it('remembers a bounded number of answers per session, the latest ones', () => {
    const { directed } = alone();
    let runs = 0;
    directed.handle('refusals', (_, __, answer, now) => { runs += 1; answer.respond(new Uint8Array(0), now); });
    for (let number = 0; number <= rememberedPerSessionMaximum; number += 1) directed.handleFrame(1, request(number), at(0));
    const before = runs;
    directed.handleFrame(1, request(rememberedPerSessionMaximum), at(0));
    expect(runs).toBe(before);
    directed.handleFrame(1, request(0), at(0));
    expect(runs).toBe(before + 1);
  });

  it('bounds the bytes of what it remembers over all sessions', () => {
    const { directed } = alone();
    let runs = 0;
    const payloads = Array.from({ length: 16 }, () => new Uint8Array(1_100));
    directed.handle('refusals', (_, __, answer, now) => { runs += 1; answer.respondMany(payloads, now); });
    for (let session = 0; session < 600; session += 1) directed.handleFrame(session, request(0), at(0));
    expect(runs).toBe(600);
    directed.handleFrame(599, request(0), at(0));
    expect(runs).toBe(600);
    directed.handleFrame(0, request(0), at(0));
    expect(runs).toBe(601);
  });

  it('leaves pulls to the publisher', () => {
    expect(() => { alone().directed.handle('pull', () => undefined); }).toThrow(RangeError);
  });
});

describe('the publisher', () => {
  const bytes = new Uint8Array(3_000).fill(5);
  const name = nameOf(bytes);
  const pull = (first: number, wanted: readonly number[], count = 8, of = name): Uint8Array =>
    encodeRequest(pullRequestId(nobleCrypto, of, 0), { verb: 'pull', name: of, groupShift: 0, first, count, bitmap: bitmapOf(wanted), proof: false, nonce: new Uint8Array(8), hopLimit: 8 });
  const numbers = (sent: readonly Frame[]): readonly (number | string)[] =>
    sent.map((frame) => frame.type !== 'response' ? 'request' : frame.negative ? (decodeNegative(frame.payload)?.code ?? '') : frame.fragment);

  it('answers the named fragments from offered bytes, until as many withdrawals as offers', () => {
    const { directed, sent } = alone();
    directed.publisher.offer(name, bytes);
    directed.publisher.offer(name, bytes);
    directed.handleFrame(1, pull(0, [0, 2]), at(0));
    directed.handleFrame(1, pull(1, [0, 1, 5]), at(0));
    directed.handleFrame(1, pull(3, [0]), at(0));
    directed.handleFrame(1, pull(0xffff_ffff, [0, 7]), at(0));
    directed.publisher.withdraw(name);
    directed.handleFrame(1, pull(0, [0]), at(0));
    directed.publisher.withdraw(name);
    directed.handleFrame(1, pull(0, [0]), at(0));
    expect(numbers(sent)).toEqual([0, 2, 1, 2, 0, 'not-found']);
  });

  it('asks the fallback once for a name that several requests want, and keeps what it found for seconds only', () => {
    const { directed, sent } = alone();
    const found: ((bytes: Uint8Array | undefined, now: Instant) => void)[] = [];
    directed.publisher.setFallback((_, __, done) => { found.push(done); });
    directed.handleFrame(1, pull(0, [0]), at(0));
    directed.handleFrame(1, pull(0, [1]), at(0));
    expect(found).toHaveLength(1);
    found[0]?.(bytes, at(10));
    directed.handleFrame(1, pull(0, [2]), at(20));
    expect(numbers(sent)).toEqual([0, 1, 2]);
    directed.handleFrame(1, pull(0, [2]), at(6_000));
    directed.handleFrame(2, pull(0, [2]), at(20));
    expect(found).toHaveLength(3);
    found[1]?.(undefined, at(6_001));
    found[2]?.(bytes.subarray(1), at(6_002));
    expect(numbers(sent)).toEqual([0, 1, 2, 'not-found', 'not-found']);
    directed.handleFrame(3, pull(0, [0]), at(7_000));
    directed.sessionLost(3, at(7_001));
    found[3]?.(bytes, at(7_002));
    expect(sent).toHaveLength(5);
  });

  it('bounds lookups per session', () => {
    const { directed, sent } = alone();
    directed.publisher.setFallback(() => undefined);
    for (let number = 0; number < 70; number += 1) directed.handleFrame(1, pull(0, [0], 8, { root: new Uint8Array(32).fill(number), length: 1 }), at(0));
    expect(numbers(sent)).toEqual(Array.from({ length: 6 }, () => 'busy'));
    expect(() => { directed.publisher.offer({ root: name.root, length: 1 }, bytes); }).toThrow(RangeError);
  });
});
