import { describe, expect, it } from 'vitest';
import { blake3Module } from '../blake3/blake3-module.ts';
import { createWasmBlake3 } from '../blake3/blake3-wasm.ts';
import { tree } from '../lockstep/testing.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { decodeFrame } from '../wire/frame.ts';
import { createDirected } from './directed.ts';
import { seededRandom, wallStartMs } from './testing.ts';
import type { Crypto } from '../crypto.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { Directed, DownloadHandle, DownloadOptions, MemoryUse } from './types.ts';

const leafBytes = 1_024;
const at = (monotonicMs: number): Instant => ({ monotonicMs, wallMs: wallStartMs + monotonicMs });

/** One who downloads and one who holds, joined by hand: what the holder answers waits until a test hands it over. */
class Desk {
  /** How many chunks were hashed together, each time. */
  readonly together: number[] = [];
  readonly reader: Directed;
  readonly holder: Directed;
  requests = 0;
  #toHolder: Uint8Array[] = [];
  answers: Uint8Array[] = [];
  nowMs = 0;

  constructor() {
    const own = createWasmBlake3(blake3Module());
    const chunksAt = own.chunksAt.bind(own);
    own.chunksAt = (input, indexes, output, outputOffset) => {
      this.together.push(indexes.length);
      return chunksAt(input, indexes, output, outputOffset);
    };
    const crypto: Crypto = { ...nobleCrypto, tree: own, blake3: (data) => own.hash(data) };
    const sender = (send: (frame: Uint8Array) => void): Parameters<typeof createDirected>[0] => ({
      send: (_sessionId, frame) => { send(frame.slice()); return true; }, smoothedRoundTripMs: () => 20, datagramLimitBytes: () => 1_200,
    });
    this.reader = createDirected(sender((frame) => { this.requests += 1; this.#toHolder.push(frame); }), crypto, seededRandom(1));
    this.holder = createDirected(sender((frame) => { this.answers.push(frame); }), crypto, seededRandom(2));
  }

  offer(sizeBytes: number, fill: number): ContentName {
    const bytes = new Uint8Array(sizeBytes).map((_, position) => (position * 31 + fill) & 255);
    const name = { root: tree.hash(bytes), length: sizeBytes };
    this.holder.publisher.offer(name, bytes);
    return name;
  }

  download(name: ContentName, options: Partial<DownloadOptions> = {}): DownloadHandle {
    const handle = this.reader.download(name, { trafficClass: 'bulk', keptMaximumBytes: 1_048_576, verified: () => undefined, completed: () => undefined, sourceEnded: () => undefined, ...options }, at(0));
    if (handle === undefined) throw new Error('a length that no content has');
    handle.addSource(1, at(0));
    return handle;
  }

  /** A round trip later: what the holder answers to what it was asked meanwhile. */
  answer(): { readonly leaves: readonly Uint8Array[]; readonly proofs: readonly Uint8Array[] } {
    this.nowMs += 20;
    this.reader.handleTimeout(at(this.nowMs));
    for (const frame of this.#toHolder.splice(0)) this.holder.handleFrame(1, frame, at(this.nowMs));
    const isProof = (bytes: Uint8Array): boolean => { const frame = decodeFrame(bytes); return frame?.type === 'response' && frame.proof; };
    const answers = this.answers.splice(0);
    return { leaves: answers.filter((frame) => !isProof(frame)), proofs: answers.filter(isProof) };
  }

  /** The answers to the first requests, the proof taken. */
  firstLeaves(): readonly Uint8Array[] {
    const { leaves, proofs } = this.answer();
    this.hand(proofs);
    return leaves;
  }

  hand(frames: readonly Uint8Array[]): MemoryUse[] { return frames.map((frame) => this.reader.handleFrame(1, frame, at(this.nowMs))); }

  flush(): void { this.reader.flush(at(this.nowMs)); }
}

const spoiled = (frame: Uint8Array): Uint8Array => frame.with(500, (frame[500] ?? 0) ^ 1);
const leafOf = (bytes: Uint8Array): number => {
  const frame = decodeFrame(bytes);
  return frame?.type === 'response' ? frame.fragment : -1;
};

describe('leaves that came in one turn', () => {
  it('are hashed together, and what is missing next is asked for once', () => {
    const desk = new Desk();
    const handle = desk.download(desk.offer(400 * leafBytes, 1));
    const leaves = desk.firstLeaves();
    expect(leaves.length).toBeGreaterThanOrEqual(8);
    const before = desk.requests;
    expect(new Set(desk.hand(leaves))).toEqual(new Set(['until-flush']));
    expect([handle.verifiedBytes, desk.together, desk.requests]).toEqual([0, [], before]);
    desk.flush();
    expect(handle.verifiedBytes).toBe(leaves.length * leafBytes);
    expect(desk.together).toEqual([leaves.length]);
    expect(desk.requests).toBeLessThanOrEqual(before + 2);
    expect(desk.answer().leaves.length).toBeGreaterThan(leaves.length);
  });

  it('are verified without waiting for the turn to end when they have become many', () => {
    const desk = new Desk();
    const handle = desk.download(desk.offer(400 * leafBytes, 2));
    const uses: MemoryUse[] = [];
    desk.hand(desk.firstLeaves());
    for (let round = 0; round < 6; round += 1) {
      desk.flush();
      uses.push(...desk.hand(desk.answer().leaves));
    }
    expect(uses).toContain('none');
    expect(Math.max(...desk.together)).toBe(32);
    expect(handle.verifiedBytes).toBeGreaterThan(32 * leafBytes);
  });

  it('cost their holder only those that do not prove', () => {
    const desk = new Desk();
    const handle = desk.download(desk.offer(400 * leafBytes, 3));
    const leaves = desk.firstLeaves();
    desk.hand(leaves.map((frame, position) => position === 5 ? spoiled(frame) : frame));
    desk.flush();
    // What came behind the bad one is kept until it comes.
    expect(handle.verifiedBytes).toBe(5 * leafBytes);
    expect(handle.sources[0]?.badFragments).toBe(1);
    desk.hand(desk.answer().leaves);
    desk.flush();
    expect(handle.verifiedBytes).toBeGreaterThanOrEqual(leaves.length * leafBytes);
    expect(desk.reader.dropCounters).toMatchObject({ 'bad-pull-fragment': 1 });
  });

  it('are asked for again at once when they are kept and found bad in the same turn', () => {
    const desk = new Desk();
    const handle = desk.download(desk.offer(400 * leafBytes, 7));
    const leaves = desk.firstLeaves();
    const [fourth, fifth] = [leaves[4], leaves[5]];
    if (fourth === undefined || fifth === undefined) throw new Error('too few leaves');
    desk.hand(leaves.with(4, spoiled(fifth)).with(5, fourth));
    desk.flush();
    expect(handle.sources[0]?.badFragments).toBe(1);
    expect(desk.answer().leaves.map(leafOf)).toContain(leafOf(fifth));
  });

  it('end their holder when too many in a row are bad, also when a good one follows', () => {
    const desk = new Desk();
    const ends: string[] = [];
    desk.download(desk.offer(400 * leafBytes, 8), { sourceEnded: (_, reason) => { ends.push(reason); } });
    desk.hand(desk.firstLeaves());
    desk.flush();
    const [first, ...others] = desk.answer().leaves;
    if (first === undefined) throw new Error('no leaves');
    expect(others.length).toBeGreaterThan(8);
    desk.hand([...others.map((frame) => frame.subarray(0, frame.length - 1)), first]);
    desk.flush();
    expect(ends).toEqual(['lying']);
  });

  it('may make their owner hold the download that is being let go', () => {
    const desk = new Desk();
    const handles: DownloadHandle[] = [];
    handles.push(desk.download(desk.offer(400 * leafBytes, 9), { verified: () => { handles[0]?.hold(true, at(desk.nowMs)); } }));
    desk.hand(desk.firstLeaves());
    const before = desk.requests;
    handles[0]?.hold(false, at(desk.nowMs));
    expect(handles[0]?.verifiedBytes).toBeGreaterThan(0);
    for (let waitedMs = 1; waitedMs < 1_000; waitedMs += 1) desk.reader.handleTimeout(at(desk.nowMs + waitedMs));
    expect(desk.requests).toBe(before);
  });

  it('are nobody\'s when their owner cancels while another\'s are verified', () => {
    const desk = new Desk();
    const handles: DownloadHandle[] = [];
    let told = 0;
    handles.push(desk.download(desk.offer(6 * leafBytes, 4), { verified: () => { handles[1]?.cancel(at(20)); } }));
    handles.push(desk.download(desk.offer(6 * leafBytes, 5), { verified: () => { told += 1; } }));
    desk.hand(desk.firstLeaves());
    desk.flush();
    expect([told, handles[1]?.verifiedBytes, handles[1]?.sources]).toEqual([0, 0, []]);
  });

  it.each([
    ['its session is lost', (desk: Desk) => { desk.reader.sessionLost(1, at(20)); }],
    ['a timer fires', (desk: Desk) => { desk.reader.handleTimeout(at(20)); }],
    ['its path changes', (desk: Desk) => { desk.reader.pathChanged(1, at(20)); }],
  ])('are not lost when %s first', (_, happens) => {
    const desk = new Desk();
    const handle = desk.download(desk.offer(400 * leafBytes, 6));
    const leaves = desk.firstLeaves();
    desk.hand(leaves);
    happens(desk);
    expect(handle.verifiedBytes).toBe(leaves.length * leafBytes);
  });
});
