/** What lowers the size: black holes, and the own kernel. */
import { describe, expect, it } from 'vitest';
import { suspicionLosses, verdictArrivals, verdictLosses } from './black-hole.ts';
import { ModelPath, atTop, nextProbe, rtt, sizesOf, wanted } from './path-mtu-testing.ts';
import { probeTimerMinimumMs, probesMaximum, raiseAfterMs } from './path-mtu.ts';

const settleMs = 60_000;

describe('a black hole', () => {
  it('that appears later is noticed within some round trips while small ones come, and the search ends below it', () => {
    const path = new ModelPath({ outBytes: 9_000 }).start().run(settleMs);
    path.outBytes = 1_500;
    path.bulk(12 * rtt);
    expect(path.search.bytesConfirmed).toBeLessThanOrEqual(1_452);
    const count = path.probes.length;
    path.bulk(settleMs, 50);
    expect(path.search.bytesConfirmed).toBe(1_452);
    expect(sizesOf(path).slice(count).every((size) => size < 8_307)).toBe(true);
    path.outBytes = 9_000;
    path.run(raiseAfterMs);
    expect(path.search.bytesConfirmed).toBe(8_307);
  });

  it('is noticed by three probes where nothing small flows', () => {
    const path = new ModelPath({ outBytes: 9_000 }).start().run(settleMs);
    const count = path.probes.length;
    path.outBytes = 1_500;
    path.bulk(3 * probeTimerMinimumMs + 10 * rtt, 5, 0);
    expect(sizesOf(path).slice(count, count + 3)).toEqual([8_307, 8_307, 8_307]);
    expect(path.search.bytesConfirmed).toBeLessThan(8_307);
    expect(path.bulk(settleMs, 50, 0).search.bytesConfirmed).toBe(1_452);
  });

  it('is not what random loss is', () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const path = new ModelPath({ seed }).start().run(settleMs);
      path.loss = 0.3;
      path.bulk(20_000);
      expect(path.search.bytesConfirmed).toBe(32_883);
    }
  });

  it('is not a burst of losses: a probe of the present size that is answered ends the suspicion', () => {
    const search = atTop();
    for (let count = 0; count < suspicionLosses; count += 1) search.fullSizedLost(32_883, 100 + count);
    expect(search.phase).toBe('doubting');
    const probe = search.pollProbe(110, rtt);
    expect(probe?.sizeBytes).toBe(32_883);
    search.probeAnswered(probe?.probeId ?? 0, 130);
    expect(search.phase).toBe('complete');
    expect(search.bytesConfirmed).toBe(32_883);
  });

  it('is not a short outage, although the first small one after it makes all that was sent count as lost', () => {
    const search = atTop();
    search.fullSizedArrived(100, 2_000);
    for (let count = 0; count < 2 * verdictLosses; count += 1) search.fullSizedLost(32_883, 2_000);
    for (let count = 0; count < 2 * verdictArrivals; count += 1) search.fullSizedArrived(100, 2_001 + count);
    search.fullSizedLost(32_883, 2_010);
    expect(search.bytesConfirmed).toBe(32_883);
    search.fullSizedArrived(32_883, 2_020);
    expect(search.phase).toBe('complete');
  });

  it('is not shown by losses of datagrams up to the base, of larger ones than asked for, or of no size', () => {
    const search = atTop();
    search.tooLong(9_000, 50);
    expect(search.bytesConfirmed).toBe(8_307);
    for (let count = 0; count < 50; count += 1) {
      for (const size of [1_200, 100, 0, -1, Number.NaN, 8_308, 32_883, Infinity]) search.fullSizedLost(size, 100 + count * rtt);
      search.fullSizedArrived(100, 100 + count * rtt);
    }
    expect(search.phase).toBe('complete');
    expect(search.bytesConfirmed).toBe(8_307);
  });

  it('of a middling size counts too: what is smaller than the smallest lost is no proof', () => {
    const search = atTop();
    for (let count = 0; count < 20; count += 1) {
      search.fullSizedLost(4_211, 100 + count * rtt);
      search.fullSizedArrived(1_400, 110 + count * rtt);
    }
    expect(search.bytesConfirmed).toBe(1_200);
  });

  it('is not shown by a single straggler, nor by arrivals of no size', () => {
    for (const stray of [[100], Array.from({ length: 20 }, () => Number.NaN), Array.from({ length: 20 }, () => -1)]) {
      const search = atTop();
      search.fullSizedLost(32_883, 100);
      for (const size of stray) search.fullSizedArrived(size, 110);
      for (let count = 0; count < 20; count += 1) search.fullSizedLost(32_883, 1_000 + count * rtt);
      expect(search.bytesConfirmed).toBe(32_883);
    }
  });

  it('is judged by the present row alone', () => {
    const search = atTop();
    search.fullSizedLost(1_300, 100);
    for (let count = 0; count < verdictArrivals; count += 1) search.fullSizedArrived(100, 101);
    search.fullSizedArrived(1_400, 110);
    // Small ones came in the last row, none in this one.
    for (let count = 0; count < verdictLosses; count += 1) search.fullSizedLost(32_883, 1_000 + count);
    expect(search.bytesConfirmed).toBe(32_883);
    // What is larger than the smallest lost one of the last row is small in this one.
    for (let count = 0; count < verdictArrivals; count += 1) search.fullSizedArrived(1_400, 1_100);
    search.fullSizedLost(32_883, 3_000);
    expect(search.bytesConfirmed).toBe(1_200);
  });

  it('is shown by three unanswered probes of one row', () => {
    const search = atTop();
    const doubt = (atMs: number): void => { for (let count = 0; count < suspicionLosses; count += 1) search.fullSizedLost(32_883, atMs); };
    doubt(100);
    const third = [nextProbe(search), nextProbe(search), nextProbe(search)][2];
    search.fullSizedArrived(32_883, (third?.atMs ?? 0) + 1);
    search.handleTimeout((third?.atMs ?? 0) + probeTimerMinimumMs);
    doubt((third?.atMs ?? 0) + probeTimerMinimumMs);
    for (let count = 0; count < probesMaximum; count += 1) {
      expect(nextProbe(search).sizeBytes).toBe(32_883);
      expect(search.bytesConfirmed).toBe(32_883);
    }
    search.handleTimeout(search.pollTimeout()?.atMs ?? 0);
    expect(search.bytesConfirmed).toBe(1_200);
  });

  it('leaves the sizes below it their three probes each', () => {
    const search = atTop();
    search.tooLong(9_000, 30);
    const raised = [nextProbe(search), nextProbe(search)];
    expect(raised.map((probe) => probe.sizeBytes)).toEqual([16_499, 16_499]);
    search.handleTimeout(search.pollTimeout()?.atMs ?? 0);
    const sinceMs = (raised[1]?.atMs ?? 0) + probeTimerMinimumMs;
    for (let count = 0; count < 20; count += 1) {
      search.fullSizedLost(8_307, sinceMs + count * rtt);
      search.fullSizedArrived(100, sinceMs + count * rtt);
    }
    expect(search.bytesConfirmed).toBe(1_200);
    const next = Array.from({ length: probesMaximum }, () => nextProbe(search));
    expect(next.map((probe) => probe.sizeBytes)).toEqual([1_452, 1_452, 1_452]);
    expect((next.at(-1)?.atMs ?? Infinity) - sinceMs).toBeLessThan(raiseAfterMs);
  });

  it('leaves no answer behind that could take it back', () => {
    const search = atTop();
    const ids: number[] = [];
    for (let count = 0; count < suspicionLosses; count += 1) search.fullSizedLost(32_883, 100);
    for (let count = 0; count < probesMaximum; count += 1) ids.push(nextProbe(search).probeId);
    const atMs = search.pollTimeout()?.atMs ?? 0;
    search.handleTimeout(atMs);
    expect(search.bytesConfirmed).toBe(1_200);
    for (const id of ids) expect(search.probeAnswered(id, atMs)).toBe('unknown');
    expect(search.bytesConfirmed).toBe(1_200);
  });
});

describe('the word of the kernel', () => {
  it('lowers the size at once, and the search ends without a lost probe', () => {
    const path = new ModelPath({ outBytes: 9_216, kernelRefuses: true }).start().run(1_000);
    expect(path.search.bytesConfirmed).toBe(8_307);
    expect(sizesOf(path)).toEqual([32_883, 1_452, 2_163, 4_211, 8_307, 16_499]);
    const search = atTop();
    search.tooLong(2_000, 30);
    expect(search.bytesConfirmed).toBe(1_452);
    expect(search.phase).toBe('complete');
    expect(search.pollTimeout()).toEqual({ atMs: 30 + raiseAfterMs, reason: 'raise' });
  });

  it('drops the probe that it is about, and lets two refused probes not follow each other at once', () => {
    const search = wanted();
    expect(search.pollProbe(0, rtt)?.sizeBytes).toBe(32_883);
    search.tooLong(32_883, 0);
    expect(search.pollProbe(0, rtt)).toBeUndefined();
    expect(search.probeAnswered(1, 5)).toBe('unknown');
    expect(search.pollProbe(rtt, rtt)?.sizeBytes).toBe(1_452);
  });

  it('may refuse the base: that is told, the base holds, and it is probed after ten minutes', () => {
    const search = atTop();
    search.tooLong(1_000, 30);
    expect([search.blocked, search.bytesConfirmed, search.phase]).toEqual([true, 1_200, 'blocked']);
    expect(search.pollProbe(31_000, rtt)).toBeUndefined();
    const probe = nextProbe(search);
    expect([probe.sizeBytes, probe.atMs]).toEqual([1_200, 30 + raiseAfterMs]);
    search.probeAnswered(probe.probeId, probe.atMs + 5);
    expect(search.blocked).toBe(false);
    expect(nextProbe(search).sizeBytes).toBe(1_452);
    search.tooLong(1_200, probe.atMs + 6);
    expect(search.blocked).toBe(true);
    search.pathChanged(probe.atMs + 7);
    expect(search.blocked).toBe(false);
  });

  it('stands against a late answer, ends a suspicion, and never opens what is closed', () => {
    const late = wanted();
    const jump = nextProbe(late);
    nextProbe(late);
    late.tooLong(32_883, 1_100);
    expect(late.probeAnswered(jump.probeId, 1_200)).toBe('unknown');
    const search = atTop();
    for (let count = 0; count < suspicionLosses; count += 1) search.fullSizedLost(32_883, 100);
    search.tooLong(2_000, 110);
    expect([search.phase, search.bytesConfirmed]).toEqual(['complete', 1_452]);
    search.tooLong(16_499, 120);
    expect([search.phase, search.bytesConfirmed]).toEqual(['complete', 1_452]);
    expect(search.pollTimeout()).toEqual({ atMs: 110 + raiseAfterMs, reason: 'raise' });
  });

  it('is followed by a look at the next larger size, not at the largest', () => {
    const search = wanted();
    search.tooLong(1_300, 0);
    const probe = nextProbe(search);
    expect([probe.sizeBytes, probe.atMs]).toEqual([1_452, raiseAfterMs]);
  });

  it('is doubted again no sooner than a round trip after another probe', () => {
    const search = atTop();
    search.tooLong(9_000, 30);
    const raiseMs = 30 + raiseAfterMs;
    for (let count = 0; count < suspicionLosses; count += 1) search.fullSizedLost(8_307, raiseMs - 5);
    const probe = search.pollProbe(raiseMs - 5, 50);
    search.probeAnswered(probe?.probeId ?? 0, raiseMs - 4);
    expect(search.pollTimeout()).toEqual({ atMs: raiseMs + 45, reason: 'raise' });
    expect(search.pollProbe(raiseMs + 45, 50)?.sizeBytes).toBe(16_499);
  });

  it('is ignored when it names no size, or one above the table', () => {
    const search = atTop();
    for (const size of [Number.NaN, 0, -1, 40_000, Infinity]) search.tooLong(size, 30);
    expect(search.bytesConfirmed).toBe(32_883);
    expect(search.blocked).toBe(false);
  });
});
