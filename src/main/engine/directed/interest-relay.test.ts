/** Contents that come through a relay that does not have them: a requester, relays and holders in a row, over a network that does what it is told. */
import { describe, expect, it } from 'vitest';
import { tree } from '../lockstep/testing.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { equalBytes } from '../wire/bytes.ts';
import { createDirected } from './directed.ts';
import { seededRandom, wallStartMs } from './testing.ts';
import type { Crypto } from '../crypto.ts';
import type { ContentName, Instant } from '../wire/types.ts';
import type { Directed, SourceEnd } from './types.ts';

const crypto: Crypto = { ...nobleCrypto, tree, blake3: (data) => tree.hash(data) };
const content = (sizeBytes: number, seed = 5): Uint8Array => seededRandom(seed)(sizeBytes);
const nameOf = (bytes: Uint8Array): ContentName => ({ root: crypto.blake3(bytes), length: bytes.length });

/** Machines joined by lines; the session's number at either end is the line's. */
class Row {
  readonly machines: Directed[] = [];
  tamper: (frame: Uint8Array, from: number, to: number) => Uint8Array | undefined = (frame) => frame;
  nowMs = 1_000;
  #lines: (readonly [number, number])[] = [];
  #wire: { readonly to: number; readonly line: number; readonly frame: Uint8Array; readonly atMs: number }[] = [];

  constructor(count: number, lines: readonly (readonly [number, number])[]) {
    this.#lines = [...lines];
    for (let machine = 0; machine < count; machine += 1) {
      this.machines.push(createDirected({
        send: (line, frame) => this.#send(machine, line, frame),
        smoothedRoundTripMs: () => 20,
        datagramLimitBytes: () => 1_200,
      }, crypto, seededRandom(machine + 1)));
    }
  }

  get now(): Instant { return { monotonicMs: this.nowMs, wallMs: wallStartMs + this.nowMs }; }
  at(machine: number): Directed { return this.machines[machine] ?? expect.fail('no such machine'); }

  run(forMs: number): void {
    const endMs = this.nowMs + forMs;
    for (let steps = 0; steps < 500_000; steps += 1) {
      const [next] = this.#wire;
      const timerMs = Math.min(...this.machines.map((machine) => machine.pollTimeout()?.atMs ?? Infinity));
      const atMs = Math.min(next?.atMs ?? Infinity, timerMs);
      if (atMs > endMs) { this.nowMs = endMs; return; }
      this.nowMs = Math.max(this.nowMs, atMs);
      if (next !== undefined && next.atMs <= timerMs) {
        this.#wire.shift();
        this.at(next.to).handleFrame(next.line, next.frame, this.now);
      } else for (const machine of this.machines) machine.handleTimeout(this.now);
    }
    throw new Error('it does not come to rest');
  }

  #send(from: number, line: number, frame: Uint8Array): boolean {
    const ends = this.#lines[line];
    if (ends === undefined) return false;
    const to = ends[0] === from ? ends[1] : ends[0];
    const sent = this.tamper(frame.slice(), from, to);
    if (sent !== undefined) this.#wire.push({ to, line, frame: sent, atMs: this.nowMs + 10 });
    return true;
  }
}

function fetch(row: Row, machine: number, line: number, bytes: Uint8Array): { readonly ended: SourceEnd[]; readonly refused: string[]; get whole(): boolean; again(): void } {
  const received = new Uint8Array(bytes.length);
  const ended: SourceEnd[] = [];
  const refused: string[] = [];
  let complete = false;
  const handle = row.at(machine).download(nameOf(bytes), {
    trafficClass: 'bulk', keptMaximumBytes: 1_048_576,
    verified: (offset, part) => { received.set(part, offset); },
    completed: () => { complete = true; },
    sourceEnded: (_, reason) => { ended.push(reason); },
    refused: (_, reason) => { refused.push(reason); },
  }, row.now);
  const again = (): void => { handle?.addSource(line, row.now); };
  again();
  return { ended, refused, again, get whole() { return complete && equalBytes(received, bytes); } };
}

describe('a relay that has not got a content', () => {
  it('forwards what is asked of it to a session that announced it, and the answers back', () => {
    const row = new Row(3, [[0, 1], [1, 2]]);
    const bytes = content(200_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    const fetched = fetch(row, 0, 0, bytes);
    row.run(20_000);
    expect(fetched.whole).toBe(true);
    expect(row.at(1).dropCounters['responses-forwarded']).toBeGreaterThan(195);
  });

  it('says so when nobody announced it, or the one that did has gone', () => {
    const row = new Row(3, [[0, 1], [1, 2]]);
    const bytes = content(50_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    const fetched = fetch(row, 0, 0, bytes);
    row.run(1_000);
    expect(fetched.ended).toEqual(['absent']);
    row.at(1).announce(1, nameOf(bytes), row.now);
    row.at(1).sessionLost(1, row.now);
    fetched.again();
    row.run(1_000);
    expect(fetched.ended).toEqual(['absent', 'absent']);
    row.at(1).announce(1, nameOf(bytes), row.now);
    fetched.again();
    row.run(10_000);
    expect(fetched.whole).toBe(true);
  });

  it('asks once for what two want', () => {
    const row = new Row(4, [[0, 1], [1, 2], [3, 1]]);
    const bytes = content(100_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    let fromHolder = 0;
    row.tamper = (frame, from) => { if (from === 2 && frame.length > 1_000) fromHolder += 1; return frame; };
    const one = fetch(row, 0, 0, bytes);
    const other = fetch(row, 3, 2, bytes);
    row.run(20_000);
    expect([one.whole, other.whole]).toEqual([true, true]);
    expect(fromHolder).toBeLessThan(150);
  });

  it('answers repeats of a small one from what it has verified, also when its holder has gone', () => {
    const row = new Row(4, [[0, 1], [1, 2], [3, 1]]);
    const bytes = content(100_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    const first = fetch(row, 0, 0, bytes);
    row.run(10_000);
    expect(first.whole).toBe(true);
    row.at(1).sessionLost(1, row.now);
    const second = fetch(row, 3, 2, bytes);
    row.run(10_000);
    expect(second.whole).toBe(true);
    expect(row.at(1).dropCounters['responses-from-cache']).toBeGreaterThan(98);
    // It forgets.
    row.run(60_000);
    const third = fetch(row, 0, 0, bytes);
    row.run(10_000);
    expect([third.whole, third.ended]).toEqual([false, ['absent']]);
  });

  it('answers nothing from memory that it was told to forget', () => {
    const row = new Row(3, [[0, 1], [1, 2]]);
    const bytes = content(50_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    const first = fetch(row, 0, 0, bytes);
    row.run(5_000);
    row.at(1).sessionLost(1, row.now);
    row.at(1).publisher.forget(nameOf(bytes));
    const again = fetch(row, 0, 0, bytes);
    row.run(5_000);
    expect([first.whole, again.whole, again.ended]).toEqual([true, false, ['absent']]);
  });

  it('keeps nothing of a large one', () => {
    const row = new Row(3, [[0, 1], [1, 2]]);
    const bytes = content(1_100_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    expect(fetch(row, 0, 0, bytes)).toBeDefined();
    row.run(60_000);
    const again = fetch(row, 0, 0, bytes);
    row.run(60_000);
    expect(again.whole).toBe(true);
    expect(row.at(1).dropCounters['responses-from-cache']).toBeUndefined();
  });

  it('asks another holder for what one has forged, and hands on only what came too early to be judged', () => {
    for (const place of [30, 60, 600]) {
      const row = new Row(4, [[0, 1], [1, 2], [1, 3]]);
      const bytes = content(100_000);
      for (const holder of [2, 3]) row.at(holder).publisher.offer(nameOf(bytes), bytes);
      for (const line of [1, 2]) row.at(1).announce(line, nameOf(bytes), row.now);
      let forged = 0;
      row.tamper = (frame, from, to) => {
        if (from !== 2 || to !== 1 || frame.length <= place || frame[0] !== 2) return frame;
        forged += 1;
        return frame.with(place, (frame[place] ?? 0) ^ 1);
      };
      const fetched = fetch(row, 0, 0, bytes);
      row.run(60_000);
      const found = row.at(1).dropCounters['responses-untrue'] ?? 0;
      expect([fetched.whole, fetched.ended]).toEqual([true, []]);
      expect(found).toBeGreaterThan(0);
      expect(fetched.refused.length).toBeLessThanOrEqual(forged - found);
    }
  });

  it('goes on to another holder when one has not got it any more', () => {
    const row = new Row(4, [[0, 1], [1, 2], [1, 3]]);
    const bytes = content(100_000);
    row.at(3).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    row.at(1).announce(2, nameOf(bytes), row.now);
    const fetched = fetch(row, 0, 0, bytes);
    row.run(60_000);
    expect(fetched.whole).toBe(true);
  });

  it('lets no request go round in a circle', () => {
    const row = new Row(3, [[0, 1], [1, 2]]);
    const bytes = content(20_000);
    row.at(1).announce(1, nameOf(bytes), row.now);
    row.at(2).announce(1, nameOf(bytes), row.now);
    let sent = 0;
    row.tamper = (frame) => { sent += 1; return frame; };
    const fetched = fetch(row, 0, 0, bytes);
    row.run(60_000);
    expect(fetched.whole).toBe(false);
    expect(sent).toBeLessThan(2_000);
  });

  const places = { 'a leaf': [600, 0, 'wrong-leaf'], 'a pair': [30, 0, 'wrong-pair'], 'a proof': [60, 4, 'wrong-path'] } as const;
  it.each(Object.entries(places))('that flips a byte of %s is found out at that packet, and the transfer goes on', (_, [place, flags, reason]) => {
    const row = new Row(3, [[0, 1], [1, 2]]);
    const bytes = content(100_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    let flipped = 0;
    row.tamper = (frame, from, to) => {
      const leaf = new DataView(frame.buffer, frame.byteOffset).getUint32(17);
      // The second leaf is the first with a pair before it.
      if (from !== 1 || to !== 0 || frame[0] !== 2 || frame[21] !== flags || (flags === 0 && leaf !== 1) || flipped > 0) return frame;
      flipped += 1;
      return frame.with(place, (frame[place] ?? 0) ^ 1);
    };
    const fetched = fetch(row, 0, 0, bytes);
    row.run(30_000);
    expect(flipped).toBe(1);
    expect(fetched.whole).toBe(true);
    expect(fetched.refused).toEqual([reason]);
    expect(fetched.ended).toEqual([]);
  });

  it('that flips bytes of requests, headers and negative answers costs retries and nothing else', () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const row = new Row(3, [[0, 1], [1, 2]]);
      const bytes = content(60_000, seed);
      row.at(2).publisher.offer(nameOf(bytes), bytes);
      row.at(1).announce(1, nameOf(bytes), row.now);
      const random = seededRandom(seed);
      const draw = (): number => (random(1)[0] ?? 0) / 256;
      row.tamper = (frame, from) => {
        if (from === 0 || draw() > 0.03) return frame;
        const place = Math.floor(draw() * Math.min(frame.length, 60));
        return frame.with(place, (frame[place] ?? 0) ^ (1 << Math.floor(draw() * 8)));
      };
      const fetched = fetch(row, 0, 0, bytes);
      for (let round = 0; round < 60 && !fetched.whole; round += 1) {
        row.run(2_000);
        // What a refusal that was none ends is asked again, as its owner does.
        if (fetched.ended.length > 0) { row.at(1).announce(1, nameOf(bytes), row.now); fetched.again(); }
      }
      expect(fetched.whole, `seed ${String(seed)}`).toBe(true);
    }
  });

  it('asked 100,000 times for names that do not exist stays as it is, and serves others', () => {
    const row = new Row(4, [[0, 1], [1, 2], [3, 1]]);
    const bytes = content(60_000);
    row.at(2).publisher.offer(nameOf(bytes), bytes);
    row.at(1).announce(1, nameOf(bytes), row.now);
    const none = seededRandom(77);
    let refused = 0;
    row.tamper = (frame, from, to) => { if (from === 1 && to === 3) refused += 1; return frame; };
    const fetched = fetch(row, 0, 0, bytes);
    for (let round = 0; round < 100; round += 1) {
      for (let each = 0; each < 1_000; each += 1) {
        row.at(3).pull(2, { root: none(32), length: 1_000 }, () => undefined, row.now);
        if (each % 100 === 0) row.run(25);
      }
    }
    row.run(5_000);
    expect(fetched.whole).toBe(true);
    expect(refused).toBeGreaterThan(1_000);
    expect(row.at(1).dropCounters['requests-forwarded']).toBeLessThan(200);
  });
});
