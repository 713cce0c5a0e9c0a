import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Forwarder, ShownName, hopLimitMaximum } from './forwarding.ts';
import { waitingPerSessionMaximum } from './pending-interests.ts';
import { ModelNetwork, hopMs, payloadOf } from './testing.ts';
import type { ForwarderRequest } from './forwarding.ts';

const [alice, bob] = [1, 2];
const [A, B, C, D] = [10, 11, 12, 13];
const [holder, second, third] = [90, 91, 92];
const noCache = { cache: { sizeBytes: 0, lifetimeMs: 1 } };

function shownOf(nameId: string): ShownName {
  const shown = ShownName.from(nameId, nameId, (id) => id);
  if (shown === undefined) throw new Error('a name has its own id');
  return shown;
}

/** Everything that expires has expired. */
function expectNothingLeft(network: ModelNetwork): void {
  network.wait(30_000);
  for (const { pending } of network.forwarders.values()) expect([pending.size, pending.nameCount, pending.nonceCount, pending.pollTimeout()]).toEqual([0, 0, 0, undefined]);
}

describe('a forwarder', () => {
  it('asks the holder once for what two want at the same time, and serves a third from what came through', () => {
    const network = new ModelNetwork();
    const forwarder = network.forwarder(A);
    network.holders.set(holder, 'honest');
    forwarder.routes.announced(holder, 'name', 0);
    network.ask(alice, A, 'name', [0, 1]);
    network.ask(bob, A, 'name', [1, 2]);
    network.settle();
    expect(network.payloadsFor(alice)).toEqual(['name/0', 'name/1']);
    expect(network.payloadsFor(bob)).toEqual(['name/1', 'name/2']);
    expect(network.requests).toBe(4);
    network.ask(3, A, 'name', [0, 1, 2]);
    network.settle();
    expect(network.payloadsFor(3)).toEqual(['name/0', 'name/1', 'name/2']);
    expect(network.requests).toBe(5);
    expectNothingLeft(network);
    expect(forwarder.cache.count).toBe(3);
    network.wait(60_000);
    expect([forwarder.cache.count, forwarder.cache.sizeBytes]).toEqual([0, 0]);
  });

  it('carries proofs that come in two parts, over several hops', () => {
    const network = new ModelNetwork();
    network.holders.set(holder, 'honest');
    network.forwarder(A).routes.announced(B, 'name', 0);
    network.forwarder(B).routes.announced(holder, 'name', 0);
    network.ask(alice, A, 'name', [7], 'proof');
    network.ask(bob, A, 'name', [7], 'proof');
    network.settle();
    expect(network.received.map((message) => [message.to, message.type === 'response' ? message.part : message.type])).toEqual([[alice, 'path'], [bob, 'path'], [alice, 'ahead'], [bob, 'ahead']]);
    network.ask(3, B, 'name', [7], 'proof');
    network.settle();
    expect(network.payloadsFor(3)).toEqual(['name/7', 'name/7']);
    expectNothingLeft(network);
  });

  it('does not cache what the caller has not verified', () => {
    const network = new ModelNetwork();
    network.verifying = false;
    network.holders.set(holder, 'honest');
    const forwarder = network.forwarder(A);
    forwarder.routes.announced(holder, 'name', 0);
    network.ask(alice, A, 'name', [0]);
    network.settle();
    expect([network.payloadsFor(alice), forwarder.cache.count]).toEqual([['name/0'], 0]);
  });

  it('caches nothing that nobody asked for, and serves nothing that was purged', () => {
    const forwarder = new Forwarder();
    const response = { from: holder, nameId: 'name', part: 'fragment' as const, item: 0, payload: payloadOf('name', 0), verified: true };
    expect(forwarder.response(response, 0)).toEqual([]);
    expect(forwarder.cache.count).toBe(0);
    const request: ForwarderRequest = { from: alice, name: shownOf('name'), kind: 'fragment', items: [0], nonce: 'n', hopLimit: 4 };
    forwarder.routes.announced(holder, 'name', 0);
    expect(forwarder.request(request, 0).forward).toMatchObject({ to: holder, items: [0], hopLimit: 3 });
    expect(forwarder.response(response, 1)).toEqual([alice]);
    expect(forwarder.request({ ...request, from: bob, nonce: 'm' }, 2)).toMatchObject({ cached: [{ item: 0 }], forward: undefined });
    forwarder.purge('name');
    expect(forwarder.request({ ...request, from: bob, nonce: 'o' }, 3)).toMatchObject({ cached: [], forward: { to: holder } });
  });

  it('asks another holder when one has nothing, lies or is lost, and the requester does not notice', () => {
    for (const trouble of ['empty', 'liar', 'silent'] as const) {
      const network = new ModelNetwork();
      network.holders.set(holder, trouble);
      network.holders.set(second, 'honest');
      const forwarder = network.forwarder(A);
      for (const session of [holder, second]) forwarder.routes.announced(session, 'name', 0);
      network.ask(alice, A, 'name', [0, 1, 2]);
      network.settle();
      if (trouble === 'silent') network.apply(A, forwarder.sessionLost(holder, network.nowMs));
      network.settle();
      expect(network.payloadsFor(alice)).toEqual(['name/0', 'name/1', 'name/2']);
      expect(network.negativesFor(alice)).toBe(0);
      expect(forwarder.routes.holders('name').find(({ failed }) => failed)?.session).toBe(trouble === 'silent' ? undefined : holder);
      expectNothingLeft(network);
    }
  });

  it('tells its requesters when nobody has it, after four tries at most', () => {
    const network = new ModelNetwork();
    const forwarder = network.forwarder(A);
    for (let session = 90; session < 97; session += 1) {
      network.holders.set(session, 'empty');
      forwarder.routes.announced(session, 'name', 0);
    }
    network.ask(alice, A, 'name', [0, 1]);
    network.ask(bob, A, 'name', [1]);
    network.settle();
    expect([network.negativesFor(alice), network.negativesFor(bob), network.requests]).toEqual([1, 1, 2 + 4]);
    expect(forwarder.routes.counters['holder-refused']).toBe(4);
    expectNothingLeft(network);
  });

  it('blames nobody for bytes that it was not asked for', () => {
    const forwarder = new Forwarder();
    forwarder.routes.announced(holder, 'name', 0);
    expect(forwarder.lied(holder, 'name', 'fragment', 0, 0)).toEqual({ forwards: [], refusals: [] });
    expect(forwarder.negative(second, 'name', undefined, 0)).toEqual({ forwards: [], refusals: [] });
    expect(forwarder.routes.holders('name')).toMatchObject([{ failed: false, lies: 0 }]);
  });

  it('notices a liar although another was asked for the same item', () => {
    const forwarder = new Forwarder();
    for (const session of [holder, second]) forwarder.routes.announced(session, 'name', 0);
    const request: ForwarderRequest = { from: alice, name: shownOf('name'), kind: 'fragment', items: [0], nonce: 'n', hopLimit: 4 };
    expect(forwarder.request(request, 0).forward?.to).toBe(holder);
    expect(forwarder.request(request, 20).forward?.to).toBe(second);
    expect(forwarder.lied(holder, 'name', 'fragment', 0, 21)).toEqual({ forwards: [], refusals: [] });
    expect(forwarder.routes.holders('name').find(({ session }) => session === holder)).toMatchObject({ failed: true, lies: 1 });
    expect(forwarder.response({ from: second, nameId: 'name', part: 'fragment', item: 0, payload: payloadOf('name', 0), verified: true }, 22)).toEqual([alice]);
  });

  it('leaves a silent holder after one repeat, and asks it last from then on', () => {
    const network = new ModelNetwork();
    network.holders.set(holder, 'silent');
    network.holders.set(second, 'honest');
    const forwarder = network.forwarder(A, noCache);
    for (const session of [holder, second]) forwarder.routes.announced(session, 'name', 0);
    network.ask(alice, A, 'name', [0]);
    network.settle();
    network.wait(100);
    network.ask(alice, A, 'name', [0]);
    network.settle();
    expect(network.payloadsFor(alice)).toEqual(['name/0']);
    network.wait(1);
    for (let item = 1; item <= 20; item += 1) {
      network.ask(alice, A, 'name', [item]);
      network.settle();
    }
    expect(network.payloadsFor(alice)).toHaveLength(21);
    expect(forwarder.routes.holders('name').find(({ failed }) => failed)).toMatchObject({ session: holder, timeouts: 1 });
  });

  it('brings everything through a network that loses a third of all messages, when its requesters repeat', () => {
    const network = new ModelNetwork();
    network.holders.set(holder, 'honest');
    network.forwarder(A, noCache).routes.announced(B, 'name', 0);
    network.forwarder(B, noCache).routes.announced(holder, 'name', 0);
    // A linear congruential generator: loss at regular distances would always hit the same.
    let state = 1;
    network.passes = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >= 2 ** 32 / 3;
    };
    const items = Array.from({ length: 64 }, (_, item) => item);
    for (let round = 0; round < 60; round += 1) {
      for (const requester of [alice, bob]) {
        const missing = items.filter((item) => !network.payloadsFor(requester).includes(`name/${String(item)}`));
        if (missing.length > 0) network.ask(requester, A, 'name', missing);
      }
      network.settle();
      network.wait(700);
    }
    for (const requester of [alice, bob]) expect(new Set(network.payloadsFor(requester)).size).toBe(64);
    expectNothingLeft(network);
  });
});

describe('requests in circles', () => {
  it('of two forwarders that point at each other die at the second', () => {
    const network = new ModelNetwork();
    network.forwarder(A).routes.announced(B, 'name', 0);
    network.forwarder(B).routes.announced(A, 'name', 0);
    network.ask(alice, A, 'name', [0]);
    network.ask(bob, B, 'name', [0]);
    network.settle();
    expect([network.payloadsFor(alice), network.payloadsFor(bob)]).toEqual([[], []]);
    expect([network.negativesFor(alice), network.negativesFor(bob)]).toEqual([1, 1]);
    expect(network.requests).toBeLessThanOrEqual(4);
    expectNothingLeft(network);
  });

  it('of three are recognised by the nonce, and go out of the circle where there is a holder', () => {
    const network = new ModelNetwork();
    const forwarders = [A, B, C].map((number) => network.forwarder(number));
    [B, C, A].forEach((next, index) => forwarders[index]?.routes.announced(next, 'name', 0));
    network.ask(alice, A, 'name', [0]);
    network.settle();
    expect([network.negativesFor(alice), network.requests]).toEqual([1, 4]);
    expect(forwarders[0]?.pending.counters['interest-refused-loop']).toBe(1);
    network.holders.set(holder, 'honest');
    forwarders[2]?.routes.announced(holder, 'name', 0);
    network.ask(alice, A, 'name', [0]);
    network.settle();
    expect(network.payloadsFor(alice)).toEqual(['name/0']);
    expectNothingLeft(network);
  });

  it('that wait for each other around a circle end with their lifetime', () => {
    const network = new ModelNetwork();
    const forwarders = [A, B, C].map((number) => network.forwarder(number));
    [B, C, A].forEach((next, index) => forwarders[index]?.routes.announced(next, 'name', 0));
    // Each is aggregated with the one that came before it from its own requester.
    [A, B, C].forEach((number, index) => { network.ask(index + 1, number, 'name', [0]); });
    network.settle();
    expect(network.requests).toBeLessThanOrEqual(6 + 3);
    network.wait(4_000);
    for (const { pending } of forwarders) expect(pending.size).toBe(0);
    expectNothingLeft(network);
  });

  it('end by the hop limit where nonces are forgotten at once', () => {
    const forgetful = { ...noCache, pending: { lifetimeMs: 4_000, perSession: 1, total: 1, nonces: { lifetimeMs: 1, perSession: 0, total: 0 } } };
    const network = new ModelNetwork();
    const count = 20;
    for (let number = 0; number < count; number += 1) network.forwarder(100 + number, forgetful).routes.announced(100 + (number + 1) % count, 'name', 0);
    network.ask(alice, 100, 'name', [0], 'fragment', 255);
    network.settle();
    expect(network.requests).toBe(1 + hopLimitMaximum);
    expect(network.negativesFor(alice)).toBe(1);
    expect(network.forwarders.get(100 + hopLimitMaximum)?.pending.counters['interest-refused-hop-limit']).toBe(1);
    expectNothingLeft(network);
  });

  it('always die and end, whoever claims to hold, refuses, lies or is silent', () => {
    const forwarderCount = 5;
    const node = fc.integer({ min: 0, max: forwarderCount + 3 });
    const edges = fc.array(fc.tuple(fc.integer({ min: 0, max: forwarderCount - 1 }), node), { maxLength: 20, size: 'max' });
    const asks = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: forwarderCount - 1 }), fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 30 })), { minLength: 1, maxLength: 10, size: 'max' });
    fc.assert(fc.property(edges, asks, fc.boolean(), fc.integer({ min: 2, max: 9 }), (pairs, questions, verifying, lossEvery) => {
      const network = new ModelNetwork();
      network.verifying = verifying;
      for (let number = 0; number < forwarderCount; number += 1) network.forwarder(10 + number, noCache);
      (['empty', 'silent', 'liar', 'honest'] as const).forEach((manner, index) => network.holders.set(10 + forwarderCount + index, manner));
      for (const [at, to] of pairs) if (at !== to) network.forwarders.get(10 + at)?.routes.announced(10 + to, 'name', 0);
      let messages = 0;
      network.passes = () => { messages += 1; return lossEvery > 5 || messages % lossEvery !== 0; };
      for (const [requester, at, item, pauseMs] of questions) {
        network.ask(requester, 10 + at, 'name', [item]);
        network.settle(5_000);
        network.wait(pauseMs);
      }
      // Each request enters each forwarder once, which asks four at most; each asking has one answer, handed on to a few.
      expect(network.requests).toBeLessThanOrEqual(questions.length * (1 + forwarderCount * 4));
      for (const payload of network.received) if (verifying && payload.type === 'response') expect(new TextDecoder().decode(payload.payload)).toMatch(/^name\//u);
      expectNothingLeft(network);
    }), { numRuns: 300 });
  });
});

describe('a hundred thousand requests for what does not exist', () => {
  it('take no place at all where nobody claims to hold the names', () => {
    const forwarder = new Forwarder();
    forwarder.routes.announced(holder, 'name', 0);
    let served = 0;
    for (let count = 0; count < 100_000; count += 1) {
      const name = shownOf(`no such name ${String(count)}`);
      const step = forwarder.request({ from: alice, name, kind: 'fragment', items: [0], nonce: `n${String(count)}`, hopLimit: 4 }, count / 100);
      if (step.refused !== 'no-holder' || step.forward !== undefined) throw new Error('it was forwarded');
      if (count % 1_000 !== 0) continue;
      const request: ForwarderRequest = { from: bob, name: shownOf('name'), kind: 'fragment', items: [count], nonce: `good ${String(count)}`, hopLimit: 4 };
      if (forwarder.request(request, count / 100).forward?.to !== holder) continue;
      served += forwarder.response({ from: holder, nameId: 'name', part: 'fragment', item: count, payload: payloadOf('name', count), verified: true }, count / 100).length;
    }
    expect(served).toBe(100);
    expect([forwarder.pending.size, forwarder.pending.nonceCount, forwarder.pending.nameCount, forwarder.routes.nameCount]).toEqual([0, 100, 0, 1]);
  });

  it('hurt only their sender where an accomplice claims to hold them', () => {
    const network = new ModelNetwork();
    const forwarder = network.forwarder(A, noCache);
    network.holders.set(holder, 'honest');
    network.holders.set(second, 'silent');
    forwarder.routes.announced(holder, 'name', 0);
    for (let count = 0; count < 1_024; count += 1) forwarder.routes.announced(second, `false ${String(count)}`, 0);
    let largest = 0;
    for (let count = 0; count < 100_000; count += 1) {
      const request: ForwarderRequest = { from: alice, name: shownOf(`false ${String(count % 1_024)}`), kind: 'fragment', items: [count], nonce: `n${String(count)}`, hopLimit: 4 };
      if (forwarder.request(request, network.nowMs).forward?.to !== second) throw new Error('it was not forwarded');
      largest = Math.max(largest, forwarder.pending.size);
      if (count % 1_000 !== 0) continue;
      network.ask(bob, A, 'name', Array.from({ length: 64 }, (_, index) => count + index));
      network.settle();
      network.wait(hopMs);
    }
    expect(new Set(network.payloadsFor(bob)).size).toBe(6_400);
    expect(network.negativesFor(bob)).toBe(0);
    expect(largest).toBeLessThanOrEqual(waitingPerSessionMaximum + 64);
    expect(forwarder.pending.counters['interest-evicted-own']).toBeGreaterThan(90_000);
    expect(forwarder.pending.counters['interest-evicted']).toBeUndefined();
    expect(forwarder.pending.nonceCount).toBeLessThanOrEqual(1_024 + 100);
    expectNothingLeft(network);
    expect(forwarder.routes.counters['holder-timed-out']).toBe(waitingPerSessionMaximum);
  });
});

describe('a lost session', () => {
  it('of a requester ends what it alone waited for; a late response goes to nobody', () => {
    const network = new ModelNetwork();
    const forwarder = network.forwarder(A, noCache);
    network.holders.set(holder, 'honest');
    forwarder.routes.announced(holder, 'name', 0);
    network.ask(alice, A, 'name', [0]);
    network.passes = (message) => {
      if (message.type === 'response' && message.to === A) network.apply(A, forwarder.sessionLost(alice, network.nowMs));
      return true;
    };
    network.settle();
    expect([network.received, forwarder.pending.size, forwarder.pending.counters['answer-unasked']]).toEqual([[], 0, 1]);
  });

  it('of the only holder is told to those that wait', () => {
    const network = new ModelNetwork();
    network.holders.set(holder, 'silent');
    network.holders.set(third, 'silent');
    const forwarder = network.forwarder(D);
    forwarder.routes.announced(holder, 'name', 0);
    forwarder.routes.announced(third, 'another', 0);
    network.ask(alice, D, 'name', [0, 1, 2]);
    network.ask(alice, D, 'another', [0]);
    network.settle();
    network.apply(D, forwarder.sessionLost(holder, network.nowMs));
    network.settle();
    expect([network.negativesFor(alice), forwarder.pending.size]).toEqual([1, 1]);
    expect(forwarder.request({ from: alice, name: shownOf('name'), kind: 'fragment', items: [0], nonce: 'x', hopLimit: 4 }, network.nowMs).refused).toBe('no-holder');
    expectNothingLeft(network);
  });
});
