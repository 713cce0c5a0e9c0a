import { describe, expect, it } from 'vitest';
import { ModelPath, atTop, largestThatFits, nextProbe, rtt, sizesOf, wanted } from './path-mtu-testing.ts';
import { PathMtu, lateAnswerMs, probeTimerMaximumMs, probeTimerMinimumMs, probesMaximum, raiseAfterMs } from './path-mtu.ts';
import { defaultProbeSizes } from './sizes.ts';

const settleMs = 60_000;
const modes = ['padded', 'response'] as const;

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
    // Where only one size is left, a jump would be a probe too many.
    expect(sizesOf(new ModelPath({ sizes: [1_200, 2_163], outBytes: 1_500 }).start().run(settleMs))).toEqual([2_163, 2_163, 2_163]);
    expect(() => new PathMtu({ sizes: [2, 1] })).toThrow(RangeError);
  });

  it('stands still while time runs backwards', () => {
    const search = wanted();
    expect(search.pollProbe(5_000, rtt)?.sizeBytes).toBe(32_883);
    search.handleTimeout(5_000 + probeTimerMinimumMs);
    expect(search.pollProbe(1_000, rtt)?.sizeBytes).toBe(1_452);
    expect(search.pollTimeout()).toEqual({ atMs: 5_000 + 2 * probeTimerMinimumMs, reason: 'answer' });
    for (const bad of [Number.NaN, Infinity, 1e300, -Infinity, -1]) search.handleTimeout(bad);
    expect(search.pollTimeout()?.reason).toBe('answer');
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

  it('that come late leave the next size its three probes', () => {
    const search = wanted();
    nextProbe(search);
    const first = nextProbe(search);
    nextProbe(search);
    const third = nextProbe(search);
    expect(search.probeAnswered(first.probeId, third.atMs + 1)).toBe('late');
    const next = Array.from({ length: probesMaximum }, () => nextProbe(search));
    expect(next.map((probe) => probe.sizeBytes)).toEqual([2_163, 2_163, 2_163]);
    expect(next.at(-1)?.atMs).toBeLessThan(raiseAfterMs);
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
