/** What holds for the search whatever the path does and whatever is called in whatever order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelPath, largestThatFits } from './path-mtu-testing.ts';
import { PathMtu, probesMaximum, raiseAfterMs } from './path-mtu.ts';
import { defaultProbeSizes, udpPayloadMaximumBytes } from './sizes.ts';

const base = defaultProbeSizes[0] ?? 0;
const limits = fc.oneof(fc.integer({ min: base, max: udpPayloadMaximumBytes }), fc.constantFrom(...defaultProbeSizes), fc.constantFrom(...defaultProbeSizes.slice(1).map((size) => size - 1)));
const tables = fc.uniqueArray(fc.integer({ min: base + 1, max: udpPayloadMaximumBytes }), { maxLength: 12 }).map((sizes) => [base, ...sizes.sort((left, right) => left - right)]);
/** Of one search: the jump, and every other size at most so often. */
const probesOfOneSearch = (sizes: readonly number[]): number => 1 + probesMaximum * (sizes.length - 1);

const paths = fc.record({
  sizes: fc.oneof(fc.constant(defaultProbeSizes), tables), outBytes: limits, backBytes: limits, probing: fc.constantFrom('padded' as const, 'response' as const),
  roundTripMs: fc.double({ min: 0.05, max: 800, noNaN: true }), repeats: fc.constantFrom(0, 0.3), jitterMs: fc.constantFrom(0, 50), kernelRefuses: fc.boolean(), seed: fc.nat(),
});

describe('on any path', () => {
  it('the search finds the largest size that fits, with a bounded number of probes, and rests then', () => {
    fc.assert(fc.property(paths, (options) => {
      const path = new ModelPath(options).start().run(raiseAfterMs / 2);
      expect(path.search.bytesConfirmed).toBe(largestThatFits(options.sizes, path.limitBytes));
      expect(path.search.phase).toBe('complete');
      expect(path.probes.length).toBeLessThanOrEqual(probesOfOneSearch(options.sizes));
      // What failed may pass later, and only the next larger size is asked about.
      const count = path.probes.length;
      path.run(raiseAfterMs);
      expect(path.probes.length - count).toBeLessThanOrEqual(probesMaximum);
      expect(path.search.bytesConfirmed).toBe(largestThatFits(options.sizes, path.limitBytes));
    }), { numRuns: 300 });
  });

  it('it never confirms more than the path carried when the probe crossed it, with losses and while limits change', () => {
    const changes = fc.array(fc.record({ outBytes: limits, backBytes: limits, isDown: fc.boolean(), ms: fc.integer({ min: 1, max: 20_000 }), change: fc.boolean() }), { maxLength: 12 });
    fc.assert(fc.property(paths, changes, fc.double({ min: 0, max: 0.6, noNaN: true }), (options, steps, loss) => {
      const path = new ModelPath({ ...options, loss }).start();
      for (const step of steps) {
        Object.assign(path, { outBytes: step.outBytes, backBytes: step.backBytes, isDown: step.isDown });
        if (step.change) { path.search.pathChanged(path.nowMs); path.carriedAtConfirmation = Infinity; }
        for (let turn = 0; turn < 8; turn += 1) {
          path.run(step.ms / 8);
          expect(path.search.bytesConfirmed).toBeLessThanOrEqual(Math.max(base, path.carriedAtConfirmation));
        }
      }
    }), { numRuns: 300 });
  });

  it('bulk gets through again when the limit falls in silence, and the search ends where it should', () => {
    fc.assert(fc.property(limits, limits, fc.constantFrom(0, 4), fc.nat(), (first, second, smallEvery, seed) => {
      const path = new ModelPath({ outBytes: first, seed }).start().run(30_000);
      path.outBytes = second;
      path.bulk(60_000, 100, smallEvery);
      expect(path.search.bytesConfirmed).toBeLessThanOrEqual(second);
      // A limit that grew is found when the raise timer ends, at the latest; a ceiling set meanwhile holds as long.
      path.bulk(2 * raiseAfterMs + 60_000, 2_000, smallEvery);
      expect(path.search.bytesConfirmed).toBe(largestThatFits(defaultProbeSizes, second));
    }), { numRuns: 60 });
  });

  it('losses at random delay the search and do not break it', () => {
    fc.assert(fc.property(limits, fc.double({ min: 0, max: 0.2, noNaN: true }), fc.nat(), (outBytes, loss, seed) => {
      const path = new ModelPath({ outBytes, loss, seed }).start().run(30_000);
      path.loss = 0;
      path.run(raiseAfterMs + 30_000);
      expect(path.search.bytesConfirmed).toBe(largestThatFits(defaultProbeSizes, outBytes));
    }), { numRuns: 100 });
  });
});

describe('whatever is called', () => {
  const hostileNumber = fc.oneof(fc.integer({ min: -10, max: 70_000 }), fc.constantFrom(...defaultProbeSizes), fc.double());
  const step = fc.record({
    action: fc.constantFrom(
      'poll', 'poll', 'poll', 'timeout', 'timeout', 'answer', 'answer-any', 'answer-old', 'arrived', 'lost', 'lost', 'lost-now', 'too-long', 'path', 'wanted', 'wait', 'wait',
      'hostile-clock',
    ),
    number: hostileNumber, roundTripMs: fc.oneof(fc.constant(20), fc.double()), waitMs: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: -100_000, max: 1_300_000 })),
  });

  it('sizes are of the table, one probe flies at a time, never two in one round trip, and every number is one', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const search = new PathMtu();
      search.setWanted(true);
      let nowMs = 0;
      let latestMs = 0;
      let wanted = true;
      let nextAllowedMs = -Infinity;
      const ids: number[] = [];
      for (const { action, number, roundTripMs, waitMs } of steps) {
        const before = search.bytesConfirmed;
        let answered = false;
        if (action === 'wait') { nowMs += waitMs; continue; }
        // Where no time is told, the search knows of none.
        if (action !== 'wanted' && action !== 'hostile-clock') latestMs = Math.max(latestMs, nowMs);
        if (action === 'poll') {
          const flying = search.pollTimeout()?.reason === 'answer';
          const probe = search.pollProbe(nowMs, roundTripMs);
          if (probe !== undefined) {
            expect(wanted && !flying).toBe(true);
            expect(latestMs).toBeGreaterThanOrEqual(nextAllowedMs);
            expect(defaultProbeSizes).toContain(probe.sizeBytes);
            expect(ids).not.toContain(probe.probeId);
            expect(search.pollTimeout()?.reason).toBe('answer');
            ids.push(probe.probeId);
            nextAllowedMs = latestMs + (roundTripMs <= 10_000 ? Math.max(roundTripMs, 1) : 1);
          }
        } else if (action === 'timeout') {
          nowMs = Math.max(nowMs, Math.min(search.pollTimeout()?.atMs ?? nowMs, nowMs + 20_000));
          latestMs = Math.max(latestMs, nowMs);
          search.handleTimeout(nowMs);
        } else if (action === 'answer') answered = search.probeAnswered(ids.at(-1) ?? 0, nowMs) !== 'unknown';
        else if (action === 'answer-old') answered = search.probeAnswered(ids.at(-3) ?? 0, nowMs) !== 'unknown';
        else if (action === 'answer-any') answered = search.probeAnswered(number, nowMs) !== 'unknown';
        else if (action === 'arrived') search.fullSizedArrived(number, nowMs);
        else if (action === 'lost') search.fullSizedLost(number, nowMs);
        else if (action === 'lost-now') search.fullSizedLost(search.bytesConfirmed, nowMs);
        else if (action === 'too-long') search.tooLong(number, nowMs);
        else if (action === 'path') search.pathChanged(nowMs);
        else if (action === 'wanted') search.setWanted(wanted = !wanted);
        else { for (const bad of [Number.NaN, Infinity, -Infinity, 1e300]) { search.handleTimeout(bad); search.fullSizedArrived(number, bad); } }
        expect(defaultProbeSizes).toContain(search.bytesConfirmed);
        if (search.bytesConfirmed > before) expect(answered).toBe(true);
        if (search.blocked) expect(search.bytesConfirmed).toBe(base);
        const timeout = search.pollTimeout();
        if (timeout !== undefined) expect(Number.isFinite(timeout.atMs)).toBe(true);
        expect(search.probesSent).toBe(ids.length);
      }
    }), { numRuns: 500 });
  });

  it('a peer that answers nothing gets no more probes than a search has, each ten minutes', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 10 }), (periods) => {
      const path = new ModelPath({ outBytes: 0 }).start().run(periods * raiseAfterMs - 1);
      expect(path.search.bytesConfirmed).toBe(base);
      expect(path.probes.length).toBeLessThanOrEqual(1 + periods * probesMaximum);
    }));
  });

  it('the caller who does what the timer says never turns in place', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('answer', 'ignore', 'too-long', 'lost'), fc.double({ min: 0, max: 200, noNaN: true })), { minLength: 1, maxLength: 100 }), (turns) => {
      const search = new PathMtu();
      search.setWanted(true);
      let nowMs = 0;
      for (const [what, roundTripMs] of turns) {
        const timeout = search.pollTimeout();
        if (timeout === undefined) break;
        nowMs = Math.max(nowMs, timeout.atMs);
        search.handleTimeout(nowMs);
        const probe = search.pollProbe(nowMs, roundTripMs);
        if (timeout.reason !== 'answer') expect(probe).toBeDefined();
        if (probe !== undefined && what === 'answer') search.probeAnswered(probe.probeId, nowMs);
        if (probe !== undefined && what === 'too-long') search.tooLong(probe.sizeBytes, nowMs);
        if (what === 'lost') search.fullSizedLost(search.bytesConfirmed, nowMs);
        const next = search.pollTimeout();
        if (next !== undefined) expect(next.atMs > nowMs || (timeout.reason === 'answer' && next.reason !== 'answer')).toBe(true);
      }
      expect(search.probesSent).toBeGreaterThan(0);
    }), { numRuns: 300 });
  });
});
