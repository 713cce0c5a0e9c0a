import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Routes, announcedMaximum, announcedPerSessionMaximum, announcementLifetimeMs } from './routes.ts';

const announcedBy = (...sessions: readonly number[]): Routes => {
  const routes = new Routes();
  for (const session of sessions) routes.announced(session, 'name', 0);
  return routes;
};
const turns = (routes: Routes, count: number, except: readonly number[] = []): (number | undefined)[] => Array.from({ length: count }, () => routes.next('name', except));

describe('routes', () => {
  it('ask holders in turn', () => {
    const routes = announcedBy(1, 2, 3);
    expect(turns(routes, 5)).toEqual([1, 2, 3, 1, 2]);
    expect(turns(routes, 3, [1])).toEqual([3, 2, 3]);
    expect(routes.next('name', [1, 2, 3])).toBeUndefined();
    expect(routes.next('another')).toBeUndefined();
  });

  it('do not lead back to the one that asks', () => {
    const routes = announcedBy(1);
    expect([routes.leadsOn('name', 1), routes.leadsOn('name', 2), routes.leadsOn('another', 2)]).toEqual([false, true, false]);
    routes.announced(2, 'name', 0);
    expect(routes.leadsOn('name', 1)).toBe(true);
  });

  it('skip who refused, lied or was silent while there is another', () => {
    const routes = announcedBy(1, 2, 3, 4);
    routes.refused('name', 1);
    routes.blame('name', 2);
    routes.timedOut('name', 3, 10);
    expect(turns(routes, 3)).toEqual([4, 4, 4]);
    expect(turns(routes, 4, [4])).toEqual([1, 2, 3, 1]);
    expect(routes.holders('name').map(({ session, failed, negatives, timeouts, lies }) => [session, failed, negatives, timeouts, lies])).toEqual([
      [4, false, 0, 0, 0], [2, true, 0, 0, 1], [3, true, 0, 1, 0], [1, true, 1, 0, 0],
    ]);
    expect(routes.counters).toEqual({ 'holder-refused': 1, 'holder-lied': 1, 'holder-timed-out': 1 });
  });

  it('ask the one first whose failure is longest ago, when all have failed', () => {
    const routes = announcedBy(1, 2, 3);
    for (const session of [2, 3, 1]) routes.refused('name', session);
    expect(routes.next('name')).toBe(2);
  });

  it('trust who answers again, unless it has lied', () => {
    const routes = announcedBy(1, 2, 3);
    routes.refused('name', 1);
    routes.blame('name', 2);
    for (const session of [1, 2]) routes.answered('name', session, 5);
    expect(turns(routes, 4)).toEqual([3, 1, 3, 1]);
    routes.announced(2, 'name', 6);
    expect(turns(routes, 2)).toEqual([3, 1]);
    // What it announces anew begins as failed.
    routes.withdrawn(2, 'name');
    routes.announced(2, 'name', 7);
    expect(turns(routes, 2)).toEqual([3, 1]);
    expect(routes.next('name', [1, 3])).toBe(2);
    routes.sessionLost(2);
    routes.announced(2, 'name', 8);
    expect(turns(routes, 3)).toContain(2);
  });

  it('do not hold a lost packet against who has answered since', () => {
    const routes = announcedBy(1, 2);
    routes.answered('name', 1, 100);
    routes.timedOut('name', 1, 90);
    routes.timedOut('name', 2, 90);
    expect(turns(routes, 2)).toEqual([1, 1]);
    routes.timedOut('name', 1, 101);
    expect(turns(routes, 1)).toEqual([2]);
  });

  it('know nothing of strangers', () => {
    const routes = announcedBy(1);
    routes.refused('name', 9);
    routes.blame('name', 9);
    routes.timedOut('another', 1, 0);
    routes.answered('another', 1, 0);
    routes.withdrawn(9, 'name');
    routes.sessionLost(9);
    expect([routes.size, routes.counters]).toEqual([1, {}]);
  });

  it('end with withdrawal, session and lifetime', () => {
    const routes = announcedBy(1, 2, 3);
    routes.withdrawn(1, 'name');
    routes.sessionLost(2);
    expect(turns(routes, 2)).toEqual([3, 3]);
    routes.announced(4, 'name', 1_000);
    expect(routes.pollTimeout()?.atMs).toBe(announcementLifetimeMs);
    routes.handleTimeout(announcementLifetimeMs);
    expect(turns(routes, 2)).toEqual([4, 4]);
    routes.announced(4, 'name', announcementLifetimeMs);
    routes.handleTimeout(announcementLifetimeMs + 1_000);
    expect(routes.size).toBe(1);
    routes.handleTimeout(2 * announcementLifetimeMs);
    expect([routes.size, routes.nameCount, routes.pollTimeout()]).toEqual([0, 0, undefined]);
  });

  it('have a bound for each session, which costs others nothing, and one for all', () => {
    const routes = announcedBy(1);
    for (let count = 0; count < 100_000; count += 1) routes.announced(2, `name ${String(count)}`, 1);
    expect([routes.announcedBy(2), routes.announcedBy(1), routes.size]).toEqual([announcedPerSessionMaximum, 1, announcedPerSessionMaximum + 1]);
    expect(routes.counters['announcement-evicted-own']).toBe(100_000 - announcedPerSessionMaximum);
    for (let session = 10; session < 80; session += 1) {
      for (let count = 0; count < announcedPerSessionMaximum; count += 1) routes.announced(session, `${String(session)}/${String(count)}`, session);
    }
    expect(routes.size).toBe(announcedMaximum);
    expect(routes.next('79/0')).toBe(79);
    expect(routes.next('name')).toBeUndefined();
  });
});

const session = fc.integer({ min: 1, max: 4 });
const name = fc.constantFrom('a', 'b', 'c');
const stepOf = fc.oneof(
  fc.record({ do: fc.constantFrom('announced' as const, 'withdrawn' as const, 'refused' as const, 'blame' as const, 'answered' as const, 'next' as const), session, name }),
  fc.record({ do: fc.constant('timedOut' as const), session, name, agoMs: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ do: fc.constant('lost' as const), session }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60 }) }),
);

interface ModelHolder { session: number; name: string; renewed: number; atMs: number; turn: number; failed: boolean; lies: number; answeredAtMs: number }

describe('beside a list that is searched from end to end', () => {
  it('routes hold the same and ask the same', () => {
    fc.assert(fc.property(fc.array(stepOf, { maxLength: 120, size: 'max' }), (steps) => {
      const limits = { lifetimeMs: 100, perSession: 2, total: 6 };
      const routes = new Routes(limits);
      const liars = new Set<number>();
      let model: ModelHolder[] = [];
      let nowMs = 0;
      let order = 0;
      const drop = (holder: ModelHolder | undefined): void => { model = model.filter((entry) => entry !== holder); };
      const oldest = (entries: readonly ModelHolder[]): ModelHolder | undefined => [...entries].sort((left, right) => left.renewed - right.renewed)[0];
      for (const step of steps) {
        order += 1;
        const known = 'name' in step ? model.find((entry) => entry.session === step.session && entry.name === step.name) : undefined;
        switch (step.do) {
          case 'announced': {
            routes.announced(step.session, step.name, nowMs);
            if (known !== undefined) { known.renewed = order; known.atMs = nowMs; break; }
            const own = model.filter((entry) => entry.session === step.session);
            if (own.length >= limits.perSession) drop(oldest(own));
            if (model.length >= limits.total) drop(oldest(model));
            model.push({ session: step.session, name: step.name, renewed: order, atMs: nowMs, turn: order, failed: liars.has(step.session), lies: 0, answeredAtMs: -1 });
            break;
          }
          case 'withdrawn': routes.withdrawn(step.session, step.name); drop(known); break;
          case 'refused':
          case 'blame':
            routes[step.do](step.name, step.session);
            if (known === undefined) break;
            known.failed = true;
            known.turn = order;
            if (step.do === 'blame') { known.lies += 1; liars.add(step.session); }
            break;
          case 'timedOut':
            routes.timedOut(step.name, step.session, nowMs - step.agoMs);
            if (known !== undefined && known.answeredAtMs < nowMs - step.agoMs) { known.failed = true; known.turn = order; }
            break;
          case 'answered':
            routes.answered(step.name, step.session, nowMs);
            if (known === undefined) break;
            known.answeredAtMs = nowMs;
            if (known.failed && known.lies === 0) { known.failed = false; known.turn = order; }
            break;
          case 'next': {
            const candidates = model.filter((entry) => entry.name === step.name && entry.session !== step.session)
              .sort((left, right) => Number(left.failed) - Number(right.failed) || left.turn - right.turn);
            expect(routes.leadsOn(step.name, step.session)).toBe(candidates.length > 0);
            expect(routes.next(step.name, [step.session])).toBe(candidates[0]?.session);
            if (candidates[0] !== undefined) candidates[0].turn = order;
            break;
          }
          case 'lost': routes.sessionLost(step.session); liars.delete(step.session); model = model.filter((entry) => entry.session !== step.session); break;
          case 'wait':
            nowMs += step.ms;
            routes.handleTimeout(nowMs);
            model = model.filter((entry) => entry.atMs + limits.lifetimeMs > nowMs);
            break;
        }
        expect(routes.size).toBe(model.length);
        expect(routes.nameCount).toBe(new Set(model.map((entry) => entry.name)).size);
      }
    }));
  });
});
