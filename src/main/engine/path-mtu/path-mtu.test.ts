import { describe, expect, it } from 'vitest';
import { suspicionLosses, verdictArrivals, verdictLosses } from './black-hole.ts';
import { ModelPath, largestThatFits } from './path-mtu-testing.ts';
import { PathMtu, lateAnswerMs, probeTimerMaximumMs, probeTimerMinimumMs, probesMaximum, raiseAfterMs } from './path-mtu.ts';
import { defaultProbeSizes } from './sizes.ts';
import type { Probe } from './path-mtu.ts';

const rtt = 20;
const settleMs = 60_000;
const sizesOf = (path: ModelPath): readonly number[] => path.probes.map((probe) => probe.sizeBytes);
const modes = ['padded', 'response'] as const;

function wanted(sizes?: readonly number[]): PathMtu {
  const search = new PathMtu(sizes === undefined ? {} : { sizes });
  search.setWanted(true);
  return search;
}

/** The next probe, however long it takes until the last one counts as lost. */
function nextProbe(search: PathMtu, roundTripMs = rtt): Probe & { readonly atMs: number } {
  for (let step = 0; step < 4; step += 1) {
    const atMs = search.pollTimeout()?.atMs ?? 0;
    search.handleTimeout(atMs);
    const probe = search.pollProbe(atMs, roundTripMs);
    if (probe !== undefined) return { ...probe, atMs };
  }
  throw new Error('no probe came');
}

/** A search that has found the top, at 20 ms. */
function atTop(): PathMtu {
  const search = wanted();
  const probe = search.pollProbe(0, rtt);
  search.probeAnswered(probe?.probeId ?? 0, rtt);
  expect(search.bytesConfirmed).toBe(32_883);
  return search;
}

describe('the search', () => {
  it.each(modes)('reaches the top of loopback with one probe (%s)', (probing) => {
    const path = new ModelPath({ probing, roundTripMs: 0.2 }).start().run(1);
    expect(path.search.bytesConfirmed).toBe(32_883);
    expect(sizesOf(path)).toEqual([32_883]);
    expect(path.search.phase).toBe('complete');
    expect(path.search.pollTimeout()).toBeUndefined();
  });

  it('jumps once, then goes step by step, and gives a size up after three probes', () => {
    const path = new ModelPath({ outBytes: 8_952 }).start().run(settleMs);
    expect(sizesOf(path)).toEqual([32_883, 1_452, 2_163, 4_211, 8_307, 16_499, 16_499, 16_499]);
    expect(path.search.bytesConfirmed).toBe(8_307);
    expect(path.search.phase).toBe('complete');
  });

  it.each(modes)('finds the largest size that fits whatever the limit (%s)', (probing) => {
    for (const limit of [1_200, 1_280, 1_452, 1_500, 2_162, 2_163, 4_211, 9_000, 16_498, 16_499, 32_882]) {
      const path = new ModelPath({ probing, [probing === 'padded' ? 'outBytes' : 'backBytes']: limit }).start().run(settleMs);
      expect(path.search.bytesConfirmed).toBe(largestThatFits(defaultProbeSizes, limit));
    }
  });

  it('is about one direction: a narrow way back does not hold small answers up', () => {
    expect(new ModelPath({ probing: 'padded', backBytes: 1_200 }).start().run(settleMs).search.bytesConfirmed).toBe(32_883);
    expect(new ModelPath({ probing: 'response', outBytes: 1_200 }).start().run(settleMs).search.bytesConfirmed).toBe(32_883);
    expect(new ModelPath({ probing: 'response', backBytes: 1_200 }).start().run(settleMs).search.bytesConfirmed).toBe(1_200);
  });

  it('does not probe an idle path, keeps what it knows, and goes on where it was', () => {
    const path = new ModelPath({ outBytes: 2_163 });
    path.run(settleMs);
    expect(path.probes).toEqual([]);
    expect(path.search.pollTimeout()).toBeUndefined();
    path.start().run(probeTimerMinimumMs + rtt + 1);
    expect(path.search.bytesConfirmed).toBe(1_452);
    path.search.setWanted(false);
    path.run(raiseAfterMs);
    const count = path.probes.length;
    expect(path.search.bytesConfirmed).toBeGreaterThanOrEqual(1_452);
    path.run(raiseAfterMs);
    expect(path.probes).toHaveLength(count);
    path.start().run(settleMs);
    expect(path.search.bytesConfirmed).toBe(2_163);
  });

  it('tries the next larger size again every ten minutes', () => {
    const path = new ModelPath({ outBytes: 1_500 }).start().run(settleMs);
    const count = path.probes.length;
    path.run(raiseAfterMs);
    expect(sizesOf(path).slice(count)).toEqual([2_163, 2_163, 2_163]);
    path.outBytes = 9_000;
    path.run(raiseAfterMs);
    expect(path.search.bytesConfirmed).toBe(8_307);
    expect(sizesOf(path).slice(count + 3)).toEqual([2_163, 4_211, 8_307, 16_499, 16_499, 16_499]);
  });

  it('waits for an answer three round trips, within bounds, and asks for nothing meanwhile', () => {
    for (const [roundTripMs, timerMs] of [[0, probeTimerMinimumMs], [20, probeTimerMinimumMs], [1_000, 3_000], [8_000, probeTimerMaximumMs], [Number.NaN, probeTimerMinimumMs]] as const) {
      const search = wanted();
      expect(search.pollProbe(1_000, roundTripMs)?.sizeBytes).toBe(32_883);
      const atMs = search.pollTimeout()?.atMs ?? 0;
      expect(atMs - 1_000).toBe(timerMs);
      search.handleTimeout(atMs - 0.01);
      expect(search.pollProbe(atMs - 0.01, roundTripMs)).toBeUndefined();
      search.handleTimeout(atMs);
      expect(search.pollProbe(atMs, roundTripMs)?.sizeBytes).toBe(1_452);
    }
  });

  it('takes a table of its caller, and one size needs no search', () => {
    expect(wanted([1_200]).pollProbe(0, rtt)).toBeUndefined();
    const path = new ModelPath({ sizes: [1_200, 1_400, 4_211], outBytes: 3_000 }).start().run(settleMs);
    expect(sizesOf(path)).toEqual([4_211, 1_400, 4_211, 4_211, 4_211]);
    expect(() => new PathMtu({ sizes: [2, 1] })).toThrow(RangeError);
  });

  it('begins at the base when the path changes, but not sooner than a round trip after the last probe', () => {
    const search = atTop();
    search.pathChanged(30);
    expect(search.bytesConfirmed).toBe(1_200);
    expect(search.pollProbe(30, 50)?.sizeBytes).toBe(32_883);
    search.pathChanged(35);
    expect(search.pollProbe(35, 50)).toBeUndefined();
    expect(search.pollTimeout()).toEqual({ atMs: 80, reason: 'probe' });
    expect(search.probeAnswered(2, 60)).toBe('unknown');
    expect(search.bytesConfirmed).toBe(1_200);
    expect(search.pollProbe(80, 50)?.sizeBytes).toBe(32_883);
  });
});

describe('answers', () => {
  it('to what was never sent, or twice, change nothing', () => {
    const search = wanted();
    for (const id of [0, 1, -1, 2 ** 53, Number.NaN, Infinity]) expect(search.probeAnswered(id, 1)).toBe('unknown');
    const probe = search.pollProbe(2, rtt);
    expect(search.probeAnswered((probe?.probeId ?? 0) + 1, 3)).toBe('unknown');
    expect(search.bytesConfirmed).toBe(1_200);
    expect(search.probeAnswered(probe?.probeId ?? 0, 4)).toBe('answered');
    expect(search.probeAnswered(probe?.probeId ?? 0, 5)).toBe('unknown');
    expect(search.bytesConfirmed).toBe(32_883);
  });

  it('that come after the timer count still, once, and forget the ceiling', () => {
    const search = wanted();
    nextProbe(search);
    const tries = [nextProbe(search), nextProbe(search), nextProbe(search)];
    expect(tries.map((probe) => probe.sizeBytes)).toEqual([1_452, 1_452, 1_452]);
    search.handleTimeout(search.pollTimeout()?.atMs ?? 0);
    expect(search.phase).toBe('complete');
    const last = tries[2];
    expect(search.probeAnswered(last?.probeId ?? 0, (last?.atMs ?? 0) + 3_000)).toBe('late');
    expect(search.bytesConfirmed).toBe(1_452);
    expect(search.probeAnswered(last?.probeId ?? 0, (last?.atMs ?? 0) + 3_000)).toBe('unknown');
    expect(search.phase).toBe('searching');
    expect(nextProbe(search).sizeBytes).toBe(2_163);
  });

  it('of the jump that come late end the search at the top', () => {
    const search = wanted();
    const jump = nextProbe(search);
    nextProbe(search);
    expect(search.probeAnswered(jump.probeId, 1_500)).toBe('late');
    expect(search.bytesConfirmed).toBe(32_883);
    // The step that is in flight has become pointless, answered or not.
    expect(search.probeAnswered(2, 1_510)).toBe('answered');
    expect(search.bytesConfirmed).toBe(32_883);
    expect(search.phase).toBe('complete');
  });

  it('that come very late do not count', () => {
    const search = wanted();
    const jump = nextProbe(search);
    nextProbe(search);
    expect(search.probeAnswered(jump.probeId, jump.atMs + lateAnswerMs + 1)).toBe('unknown');
    expect(search.bytesConfirmed).toBe(1_200);
  });

  it('are late and out of order on a path that is slower than believed, and the search ends right', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const path = new ModelPath({ outBytes: 9_000, roundTripMs: 1_500, assumedRoundTripMs: 10, jitterMs: 2_500, repeats: 0.5, seed }).start().run(120_000);
      expect(path.search.bytesConfirmed).toBe(8_307);
    }
  });
});

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

  it('is ignored when it names no size, or one above the table', () => {
    const search = atTop();
    for (const size of [Number.NaN, 0, -1, 40_000, Infinity]) search.tooLong(size, 30);
    expect(search.bytesConfirmed).toBe(32_883);
    expect(search.blocked).toBe(false);
  });
});
