import { describe, expect, it } from 'vitest';
import { Cubic } from './cubic.ts';
import { Flight, capacityMaximum, noNumber } from './flight.ts';
import { HyStart, conservativeRounds, samplesToJudge } from './hystart.ts';
import { Pacer } from './pacer.ts';
import { WindowedMaximum } from './rate-sampler.ts';
import { RttEstimator, initialRttMs } from './rtt-estimator.ts';
import { PathScheduler, Transfer, lowestClassShare, quantumBytes } from './scheduler.ts';
import type { Arrival } from './types.ts';

const arrivalOf = (fields: Partial<Arrival>): Arrival => ({
  nowMs: 0, bytes: 1_200, number: 0, nextNumber: 1, inFlightBytes: 0, rttMs: 100, smoothedRttMs: 100, minimumRttMs: 100, rateBytesPerMs: undefined,
  applicationLimited: false, windowLimited: true, inRecovery: false, ...fields,
});

describe('round trips', () => {
  it('start at 333 ms with a probe timeout of three times that, and the first sample replaces them', () => {
    const rtt = new RttEstimator(undefined);
    expect(rtt.smoothedMs).toBe(initialRttMs);
    expect(rtt.probeTimeoutMs).toBe(initialRttMs * 3);
    rtt.update(40, 1_000);
    expect([rtt.smoothedMs, rtt.variationMs, rtt.minimumMs, rtt.probeTimeoutMs]).toEqual([40, 20, 40, 120]);
  });

  it('are smoothed as RFC 9002 section 5.3 says', () => {
    const rtt = new RttEstimator(undefined);
    rtt.update(40, 0);
    rtt.update(80, 1);
    expect(rtt.variationMs).toBe(0.75 * 20 + 0.25 * 40);
    expect(rtt.smoothedMs).toBe(0.875 * 40 + 0.125 * 80);
    expect(rtt.minimumMs).toBe(40);
    rtt.forgetMinimum();
    rtt.update(90, 2);
    expect(rtt.minimumMs).toBe(90);
  });

  it('take no sample that is none', () => {
    const rtt = new RttEstimator(Number.NaN);
    expect([Number.NaN, -1].map((sample) => rtt.update(sample, 0))).toEqual([false, false]);
    expect(rtt.smoothedMs).toBe(initialRttMs);
    rtt.update(0, 0);
    expect(rtt.smoothedMs).toBeGreaterThan(0);
  });
});

describe('the flight', () => {
  const asked = { deliveredBytes: 0, deliveredAtMs: 0, firstAskedAtMs: 0, applicationLimited: false };

  it('remembers what ended until its place is needed, and grows while it is crowded, to its bound', () => {
    const flight = new Flight<string>();
    for (let count = 0; count < 2_000; count += 1) flight.end(flight.add('a', count, 100, count, noNumber, asked), 'lost');
    expect([flight.state(0), flight.state(1_990), flight.bytesInFlight, flight.count]).toEqual(['unknown', 'lost', 0, 0]);
    for (let count = 0; count < capacityMaximum; count += 1) flight.add('b', count, 1, count, noNumber, asked);
    expect(flight.full).toBe(true);
    expect(() => flight.add('b', 0, 1, 0, noNumber, asked)).toThrow(RangeError);
    expect([flight.oldestFlying, flight.tag(2_000), flight.tag(2_000 + capacityMaximum - 1), flight.bytesInFlight]).toEqual([2_000, 0, capacityMaximum - 1, capacityMaximum]);
    expect(flight.end(2_000, 'arrived')).toBe('b');
    expect(flight.end(2_000, 'arrived')).toBeUndefined();
    expect(flight.full).toBe(false);
  });
});

describe('HyStart++', () => {
  /** One round of responses with the same round trip. */
  const round = (hystart: HyStart, index: number, rttMs: number): void => {
    for (let sample = 0; sample < samplesToJudge; sample += 1) hystart.handleArrival(arrivalOf({ number: index * samplesToJudge + sample, nextNumber: (index + 1) * samplesToJudge, rttMs }));
  };

  it('grows by a quarter from a growth of an eighth on, and is done after five rounds of that', () => {
    const hystart = new HyStart();
    round(hystart, 0, 100);
    round(hystart, 1, 112);
    expect(hystart.growth(1_000)).toBe(1_000);
    round(hystart, 2, 126.1);
    expect(hystart.growth(1_000)).toBe(250);
    for (let index = 3; index < 3 + conservativeRounds; index += 1) {
      expect(hystart.done).toBe(false);
      round(hystart, index, 130);
    }
    round(hystart, 3 + conservativeRounds, 130);
    expect(hystart.done).toBe(true);
  });

  it('goes on when the growth was jitter', () => {
    const hystart = new HyStart();
    round(hystart, 0, 100);
    round(hystart, 1, 150);
    expect(hystart.conservative).toBe(true);
    round(hystart, 2, 101);
    expect(hystart.conservative).toBe(false);
    expect(hystart.done).toBe(false);
  });
});

describe('CUBIC', () => {
  const lossOf = (persistent = false): Parameters<Cubic['handleLoss']>[0] => ({ nowMs: 0, bytes: 1_200, inFlightBytes: 0, nextNumber: 0, newEvent: true, persistent, droppedBytes: 1_200 });

  it('is back at its former window after K seconds (RFC 9438 section 4.2), flat there and faster after it', () => {
    const datagramBytes = 1_000;
    const cubic = new Cubic(datagramBytes);
    for (let count = 0; count < 190; count += 1) cubic.handleArrival(arrivalOf({ bytes: datagramBytes, number: count, nextNumber: 1_000, rttMs: undefined }));
    expect(cubic.windowBytes).toBe(200 * datagramBytes);
    cubic.handleLoss(lossOf());
    expect(cubic.windowBytes).toBeCloseTo(140 * datagramBytes);
    const kMs = Math.cbrt(200 * 0.3 / 0.4) * 1_000;
    const windows: number[] = [];
    // A window of responses each round trip of 100 ms.
    for (let nowMs = 0; nowMs <= kMs + 2_000; nowMs += 100) {
      for (let left = cubic.windowBytes; left > 0; left -= datagramBytes) cubic.handleArrival(arrivalOf({ nowMs, bytes: datagramBytes, rttMs: undefined }));
      windows.push(cubic.windowBytes / datagramBytes);
    }
    const at = (ms: number): number => windows[Math.floor(ms / 100)] ?? 0;
    expect(at(kMs)).toBeGreaterThan(198);
    expect(at(kMs)).toBeLessThan(202);
    expect(at(1_000) - at(0)).toBeGreaterThan(at(kMs) - at(kMs - 1_000));
    expect(at(kMs + 2_000)).toBeGreaterThan(at(kMs) + 2);
  });

  it('makes room for a newcomer when it lost before it was back (section 4.7)', () => {
    const cubic = new Cubic(1_000);
    cubic.handleLoss(lossOf());
    cubic.handleLoss(lossOf());
    expect(cubic.windowBytes).toBeCloseTo(4_900);
    cubic.undo();
    expect(cubic.windowBytes).toBeCloseTo(7_000);
    cubic.undo();
    expect(cubic.windowBytes).toBeCloseTo(7_000);
  });

  it('does not grow while it is not used, nor in recovery, nor beyond what the receive rate can use', () => {
    const cubic = new Cubic(1_000);
    cubic.handleArrival(arrivalOf({ windowLimited: false }));
    cubic.handleArrival(arrivalOf({ inRecovery: true }));
    expect(cubic.windowBytes).toBe(10_000);
    for (let count = 0; count < 1_000; count += 1) cubic.handleArrival(arrivalOf({ number: count, nextNumber: 2_000, rttMs: undefined, rateBytesPerMs: 100 }));
    expect(cubic.windowBytes).toBe(30_000);
  });
});

describe('the pacer', () => {
  it('lets a burst through, then the rate', () => {
    const pacer = new Pacer();
    pacer.fill(0, 100, 1_000);
    expect(pacer.availableBytes).toBe(10_000);
    pacer.take(10_000);
    expect(pacer.readyAtMs(1_000, 0)).toBe(10);
    pacer.fill(5, 100, 1_000);
    expect(pacer.availableBytes).toBe(500);
    pacer.fill(60_000, 100, 1_000);
    expect(pacer.availableBytes).toBe(10_000);
  });

  it('gives a late wake-up what it could have asked for in time, up to 20 ms of it, and forgets', () => {
    const pacer = new Pacer();
    const drained = (nowMs: number): void => { pacer.fill(nowMs, 1_000, 1_000); pacer.take(pacer.availableBytes); };
    const wake = (atMs: number, lateMs: number): number => {
      drained(atMs);
      pacer.awaitedAt(atMs + 1);
      pacer.fill(atMs + 1 + lateMs, 1_000, 1_000);
      return pacer.availableBytes;
    };
    expect(wake(100, 0)).toBe(1_000);
    expect(wake(200, 15)).toBe(16_000);
    expect(wake(300, 500)).toBe(22_000);
    // Without anybody waiting, a pause is no lateness.
    drained(2_000);
    pacer.awaitedAt(undefined);
    pacer.fill(9_000, 1_000, 1_000);
    expect(pacer.availableBytes).toBe(22_000);
    for (let count = 0; count < 100; count += 1) wake(10_000 + count * 10, 0);
    pacer.fill(20_000, 1_000, 1_000);
    expect(pacer.availableBytes).toBe(10_000);
  });

  it('goes into debt for what is urgent, by a burst at most', () => {
    const pacer = new Pacer();
    pacer.fill(0, 100, 1_000);
    pacer.take(1_000_000);
    expect(pacer.readyAtMs(1_000, 0)).toBe(110);
  });
});

describe('the scheduler', () => {
  const serve = (scheduler: PathScheduler, bytes: number, sizeOf: (transfer: Transfer) => number): Map<Transfer, number> => {
    const served = new Map<Transfer, number>();
    for (let sum = 0; sum < bytes;) {
      const transfer = scheduler.next();
      if (transfer === undefined) break;
      const size = sizeOf(transfer);
      scheduler.charge(transfer, size);
      served.set(transfer, (served.get(transfer) ?? 0) + size);
      sum += size;
    }
    return served;
  };
  const joined = (scheduler: PathScheduler, trafficClass: ConstructorParameters<typeof Transfer>[0]): Transfer => {
    const transfer = new Transfer(trafficClass);
    scheduler.setWanting(transfer, true);
    return transfer;
  };

  it('is fair by bytes, not by requests', () => {
    const scheduler = new PathScheduler();
    const [large, small, third] = [joined(scheduler, 'bulk'), joined(scheduler, 'bulk'), joined(scheduler, 'bulk')];
    const served = serve(scheduler, 3_000_000, (transfer) => transfer === large ? 8_000 : 1_200);
    for (const transfer of [large, small, third]) expect(Math.abs((served.get(transfer) ?? 0) - 1_000_000)).toBeLessThan(2 * quantumBytes);
  });

  it('serves receipts before chat before bulk, but for an eighth', () => {
    const scheduler = new PathScheduler();
    const bulk = joined(scheduler, 'bulk');
    const chat = joined(scheduler, 'chat');
    const receipt = joined(scheduler, 'receipt');
    expect(scheduler.next()).toBe(receipt);
    scheduler.setWanting(receipt, false);
    expect(scheduler.next()).toBe(chat);
    const served = serve(scheduler, 1_000_000, () => 1_200);
    expect(served.get(bulk) ?? 0).toBeGreaterThan(0.9 * 1_000_000 / lowestClassShare);
    expect(served.get(bulk) ?? 0).toBeLessThan(1.1 * 1_000_000 / lowestClassShare);
    scheduler.setWanting(chat, false);
    expect(scheduler.next()).toBe(bulk);
    scheduler.setWanting(bulk, false);
    expect(scheduler.next()).toBeUndefined();
  });
});

describe('the windowed maximum', () => {
  it('forgets a value after so many rounds', () => {
    const maximum = new WindowedMaximum(3);
    maximum.update(9, 1);
    maximum.update(5, 2);
    maximum.update(4, 3);
    expect(maximum.value).toBe(9);
    maximum.update(3, 4);
    expect(maximum.value).toBe(5);
    maximum.update(1, 40);
    expect(maximum.value).toBe(1);
  });
});
