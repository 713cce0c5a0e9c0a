import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bbr } from './bbr.ts';
import { Cubic } from './cubic.ts';
import { noNumber } from './flight.ts';
import { probeTimeoutMaximumMs } from './ledger.ts';
import { maximumWindowBytes } from './limits.ts';
import { packetThresholdInitial } from './loss-detector.ts';
import { CongestedPath, urgentReserveDatagrams } from './path.ts';
import { trafficClasses } from './types.ts';
import type { Transfer } from './scheduler.ts';
import type { CongestionController, ControllerFactory } from './types.ts';

const datagramBytes = 1_200;
const cubic: ControllerFactory = (bytes) => new Cubic(bytes);
const bbr: ControllerFactory = (bytes) => new Bbr(bytes);

function pathWith(controller: ControllerFactory = cubic, roundTripMs?: number): CongestedPath {
  return new CongestedPath({ controller, datagramBytes, ...(roundTripMs === undefined ? {} : { roundTripMs }) });
}

/** Asks for so many fragments one by one, each a millisecond later. */
function ask(path: CongestedPath, transfer: Transfer, count: number, fromMs: number): number[] {
  return Array.from({ length: count }, (_, index) => path.asked(transfer, index, datagramBytes, fromMs + index));
}

const lostTags = (path: CongestedPath): readonly number[] => {
  const tags: number[] = [];
  for (let lost = path.pollLost(); lost !== undefined; lost = path.pollLost()) tags.push(lost.tag);
  return tags;
};

describe('a path', () => {
  it('asks for ten datagrams before anything is known, and for nothing more', () => {
    const path = pathWith();
    const transfer = path.join('bulk');
    path.setWanting(transfer, true);
    let asked = 0;
    while (path.next(0) === transfer) { path.asked(transfer, asked, datagramBytes, 0); asked += 1; }
    expect(asked).toBe(10);
    expect(path.inFlightBytes).toBe(10 * datagramBytes);
  });

  it('never waits for a moment that has come, whatever fractions rate and time have', () => {
    fc.assert(fc.property(fc.double({ min: 19_800, max: 60_000, noNaN: true }), fc.double({ min: 1_000, max: 1e9, noNaN: true }), fc.array(fc.integer({ min: 100, max: 1_139 }), { minLength: 30, maxLength: 60 }), (rate, startMs, sizes) => {
      const controller: CongestionController = {
        name: 'even', windowBytes: 10_000_000, pacingRateBytesPerMs: rate, startingUp: false,
        handleArrival: () => undefined, handleLoss: () => undefined, undo: () => undefined, handleIdle: () => undefined, setDatagramBytes: () => undefined,
      };
      const path = pathWith(() => controller);
      const transfer = path.join('bulk');
      path.setWanting(transfer, true);
      let nowMs = startMs;
      for (const [index, size] of sizes.entries()) {
        while (path.next(nowMs) !== undefined) path.asked(transfer, index, size, nowMs);
        const atMs = path.pollTimeout()?.atMs ?? Infinity;
        expect(atMs).toBeGreaterThan(nowMs);
        nowMs = atMs;
      }
    }), { numRuns: 300 });
  });

  it('learns a round trip that has become longer than what it waits for', () => {
    const path = pathWith(cubic, 20);
    const transfer = path.join('bulk');
    let nowMs = 0;
    for (let index = 0; index < 20; index += 1) {
      const number = path.asked(transfer, index, datagramBytes, nowMs);
      nowMs += 20;
      path.arrived(number, nowMs);
    }
    expect(path.smoothedRttMs).toBe(20);
    let lost = 0;
    let lostBefore = 0;
    for (let index = 0; index < 60; index += 1) {
      const arrivesMs = nowMs + 500;
      let number = path.asked(transfer, 100 + index, datagramBytes, nowMs);
      for (let timer = path.pollTimeout(); timer !== undefined && timer.atMs < arrivesMs; timer = path.pollTimeout()) {
        nowMs = timer.atMs;
        path.handleTimeout(nowMs);
        for (let again = path.pollLost(); again !== undefined; again = path.pollLost()) {
          lost += 1;
          number = path.asked(transfer, again.tag, datagramBytes, nowMs, again.number);
        }
      }
      nowMs = arrivesMs;
      path.arrived(number, nowMs);
      // Every asking is answered, and all but one answer come to what is here already.
      for (let repeated = lost - lostBefore; repeated > 0; repeated -= 1) path.noteRepeated();
      lostBefore = lost;
    }
    expect(path.smoothedRttMs).toBeGreaterThan(400);
    expect(path.inFlightBytes).toBe(0);
    expect(lost).toBeLessThan(80);
  });

  it('counts a request as lost when one three numbers later was answered', () => {
    const path = pathWith();
    const numbers = ask(path, path.join('bulk'), 5, 0);
    path.arrived(numbers[1] ?? noNumber, 50);
    path.arrived(numbers[2] ?? noNumber, 51);
    expect(lostTags(path)).toEqual([]);
    path.arrived(numbers[packetThresholdInitial] ?? noNumber, 52);
    expect(lostTags(path)).toEqual([0]);
    expect(path.windowBytes).toBeCloseTo(10 * datagramBytes * 0.7);
  });

  it('counts a request as lost when a later one was answered and nine eighths of a round trip have passed', () => {
    const path = pathWith();
    const numbers = ask(path, path.join('bulk'), 2, 0);
    path.arrived(numbers[1] ?? noNumber, 81);
    expect(path.pollTimeout()).toEqual({ atMs: 90, reason: 'loss' });
    path.handleTimeout(89.9);
    expect(lostTags(path)).toEqual([]);
    path.handleTimeout(90);
    expect(lostTags(path)).toEqual([0]);
  });

  it('takes no sample from a fragment that was asked for twice', () => {
    const path = pathWith();
    const transfer = path.join('bulk');
    const numbers = ask(path, transfer, 5, 0);
    path.arrived(numbers[4] ?? noNumber, 54);
    expect(path.smoothedRttMs).toBe(50);
    const again = path.asked(transfer, 0, datagramBytes, 60, numbers[0]);
    path.arrived(again, 900);
    expect(path.smoothedRttMs).toBe(50);
  });

  it('hands out the two oldest requests after a probe timeout, later and later, and leaves the window alone', () => {
    const path = pathWith(cubic, 100);
    const transfer = path.join('bulk');
    let numbers = ask(path, transfer, 10, 0);
    path.setWanting(transfer, true);
    expect(path.next(9)).toBeUndefined();
    expect(path.pollTimeout()).toEqual({ atMs: 309, reason: 'probe' });
    const waits: number[] = [];
    let sinceMs = 9;
    for (let probe = 0; probe < 6; probe += 1) {
      const atMs = path.pollTimeout()?.atMs ?? 0;
      waits.push(atMs - sinceMs);
      sinceMs = atMs;
      path.handleTimeout(atMs);
      expect(path.next(atMs)).toBe(transfer);
      numbers = [];
      for (let lost = path.pollLost(); lost !== undefined; lost = path.pollLost()) numbers.push(path.asked(transfer, lost.tag, datagramBytes, atMs, lost.number));
      expect(numbers).toHaveLength(2);
      expect(path.next(atMs)).toBeUndefined();
      expect(path.windowBytes).toBe(10 * datagramBytes);
    }
    expect(waits).toEqual([300, 600, 1_200, 2_400, probeTimeoutMaximumMs, probeTimeoutMaximumMs]);
    // The answer to a probe shows what was lost.
    path.arrived(numbers[1] ?? noNumber, sinceMs + 100);
    expect(path.windowBytes).toBeLessThan(10 * datagramBytes);
  });

  it('takes a reduction back when everything that counted as lost has come', () => {
    const path = pathWith();
    const numbers = ask(path, path.join('bulk'), 8, 0);
    path.arrived(numbers[4] ?? noNumber, 50);
    expect(path.windowBytes).toBeLessThan(10 * datagramBytes);
    expect(path.arrived(numbers[0] ?? noNumber, 51)).toBe('late');
    expect(path.windowBytes).toBeLessThan(10 * datagramBytes);
    expect(path.arrived(numbers[1] ?? noNumber, 51)).toBe('late');
    expect(path.windowBytes).toBe(10 * datagramBytes);
    // What came is not asked for again, and from now on the path is known to reorder by four.
    expect(lostTags(path)).toEqual([]);
    path.arrived(numbers[6] ?? noNumber, 52);
    expect(lostTags(path)).toEqual([]);
  });

  it('recognises the answer to the first asking by its coming too soon for the second, or twice', () => {
    for (const twice of [false, true]) {
      const path = pathWith();
      const transfer = path.join('bulk');
      const numbers = ask(path, transfer, 4, 0);
      for (const index of [1, 2, 3]) path.arrived(numbers[index] ?? noNumber, 50 + index);
      const again = path.asked(transfer, 0, datagramBytes, 60, numbers[0]);
      expect(path.arrived(again, twice ? 115 : 65)).toBe(twice ? 'answered' : 'late');
      if (twice) expect(path.arrived(again, 116)).toBe('repeated');
      expect(path.foundCount).toBe(1);
      expect(path.windowBytes).toBeGreaterThanOrEqual(10 * datagramBytes);
    }
  });

  it('falls to two datagrams when everything was lost for three probe timeouts', () => {
    const path = pathWith();
    const transfer = path.join('bulk');
    path.arrived(path.asked(transfer, 0, datagramBytes, 0), 50);
    const timeoutMs = path.probeTimeoutMs;
    for (let step = 0; step <= 4; step += 1) path.asked(transfer, 1 + step, datagramBytes, 60 + step * timeoutMs);
    const last = path.asked(transfer, 9, datagramBytes, 70 + 4 * timeoutMs);
    path.arrived(last, 120 + 4 * timeoutMs);
    expect(path.windowBytes).toBe(2 * datagramBytes);
  });

  it('asks for a letter at once when bulk has used window and pace up, within a reserve', () => {
    const path = pathWith();
    const bulk = path.join('bulk');
    const letter = path.join('chat');
    path.setWanting(bulk, true);
    while (path.next(0) === bulk) path.asked(bulk, 0, datagramBytes, 0);
    path.setWanting(letter, true);
    let asked = 0;
    while (path.next(0) === letter) { path.asked(letter, asked, datagramBytes, 0); asked += 1; }
    expect(asked).toBe(urgentReserveDatagrams);
  });

  it('forgets what a transfer asked for when it leaves, and takes that for no loss', () => {
    const path = pathWith();
    const leaving = path.join('bulk');
    const staying = path.join('bulk');
    const numbers = ask(path, leaving, 4, 0);
    const last = path.asked(staying, 0, datagramBytes, 5);
    path.leave(leaving);
    expect(path.inFlightBytes).toBe(datagramBytes);
    expect(path.arrived(numbers[0] ?? noNumber, 50)).toBe('unknown');
    expect(path.arrived(last, 55)).toBe('answered');
    expect(path.lostCount).toBe(0);
    expect(path.pollTimeout()).toBeUndefined();
  });

  it('lets the window decay while nothing is asked for', () => {
    const path = pathWith();
    const transfer = path.join('bulk');
    path.setWanting(transfer, true);
    let nowMs = 0;
    for (let round = 0; round < 4; round += 1) {
      const numbers: number[] = [];
      for (let step = 0; step < 50; step += 1) while (path.next(nowMs + step) === transfer) numbers.push(path.asked(transfer, 0, datagramBytes, nowMs + step));
      nowMs += 100;
      for (const number of numbers) path.arrived(number, nowMs);
    }
    expect(path.windowBytes).toBeGreaterThan(20 * datagramBytes);
    path.next(nowMs + 60_000);
    expect(path.windowBytes).toBe(10 * datagramBytes);
  });

  it('refuses datagrams that are none', () => {
    for (const bytes of [0, -1, Number.NaN, Infinity, 10]) expect(() => new CongestedPath({ controller: cubic, datagramBytes: bytes })).toThrow(RangeError);
  });
});

describe('whatever happens', () => {
  const step = fc.record({
    action: fc.constantFrom('ask', 'ask', 'ask', 'arrive', 'arrive', 'arrive', 'arrive-any', 'withdraw', 'timeout', 'leave', 'resize', 'wait'),
    pick: fc.nat(10_000),
    waitMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5, noNaN: true }), fc.double({ min: -1_000, max: 200_000, noNaN: true })),
  });

  function check(path: CongestedPath, smallestBytes: number): void {
    const controller: CongestionController = path.controller;
    expect(path.windowBytes).toBeGreaterThanOrEqual(smallestBytes);
    expect(path.windowBytes).toBeLessThanOrEqual(maximumWindowBytes);
    expect(path.inFlightBytes).toBeGreaterThanOrEqual(0);
    for (const value of [path.smoothedRttMs, path.minimumRttMs, path.probeTimeoutMs, controller.pacingRateBytesPerMs ?? 1]) {
      expect(Number.isFinite(value)).toBe(true);
      expect(value).toBeGreaterThan(0);
    }
    const timeout = path.pollTimeout();
    if (timeout !== undefined) expect(Number.isFinite(timeout.atMs)).toBe(true);
  }

  it.each([['cubic', cubic], ['bbr', bbr]])('%s keeps to its bounds, and every number is one', (_, controller) => {
    fc.assert(fc.property(fc.array(step, { maxLength: 250 }), (steps) => {
      const path = pathWith(controller);
      const transfers = trafficClasses.map((trafficClass) => path.join(trafficClass));
      for (const transfer of transfers) path.setWanting(transfer, true);
      const numbers: number[] = [];
      let nowMs = 0;
      let bytes = datagramBytes;
      for (const { action, pick, waitMs } of steps) {
        if (action === 'wait') nowMs += waitMs;
        else if (action === 'ask') {
          const transfer = path.next(nowMs);
          if (transfer === undefined) continue;
          const room = path.roomBytes(transfer, nowMs);
          expect(room).toBeGreaterThanOrEqual(bytes);
          for (let count = Math.min(64, Math.floor(room / bytes)); count > 0; count -= 1) {
            const lost = path.pollLost();
            numbers.push(path.asked(lost?.transfer ?? transfer, lost?.tag ?? pick, bytes, nowMs, lost?.number));
          }
        } else if (action === 'arrive') path.arrived(numbers.splice(pick % Math.max(1, Math.min(numbers.length, 5)), 1)[0] ?? noNumber, nowMs += Math.min(Math.abs(waitMs), 50));
        else if (action === 'arrive-any') path.arrived(pick - 10, nowMs);
        else if (action === 'withdraw') path.withdrawn(pick);
        else if (action === 'timeout') path.handleTimeout(nowMs = Math.max(nowMs, path.pollTimeout()?.atMs ?? nowMs));
        else if (action === 'resize') path.setDatagramBytes(bytes = 500 + pick % 60_000);
        else {
          const index = pick % transfers.length;
          const leaving = transfers[index];
          if (leaving !== undefined) path.leave(leaving);
          transfers[index] = path.join(trafficClasses[index] ?? 'bulk');
          path.setWanting(transfers[index], true);
        }
        check(path, 2 * bytes);
      }
      for (const transfer of transfers) path.leave(transfer);
    }), { numRuns: 300 });
  });
});
