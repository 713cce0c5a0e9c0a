import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { encodeAnswer, sealSight } from './observe-codec.ts';
import { patienceMs, pendingMaximum, sparesMaximum } from './observing.ts';
import { secondPort, TestPaths, type TestRelay } from './path-testing.ts';
import type { Probe } from './observation-port.ts';

function twoRelays(): { readonly world: TestPaths; readonly first: TestRelay; readonly second: TestRelay } {
  const world = new TestPaths();
  const [first, second] = [world.relay('192.0.2.1'), world.relay('198.51.100.2')];
  world.prepare(first, 8);
  world.prepare(second, 8);
  return { world, first, second };
}
const ask = (relay: TestRelay, change: Partial<Probe> = {}): Probe => ({ socket: 'main', relay: relay.host, port: 'main', answerFrom: 'asked', ...change });

describe('a visor that asks how it is seen', () => {
  it('hears it from the port that it asked, from the other one, and from another relay', () => {
    const { world, first, second } = twoRelays();
    const probes = [
      ask(first), ask(first, { port: 'second' }), ask(first, { answerFrom: 'other-port' }), ask(first, { port: 'second', answerFrom: 'other-port' }),
      ask(first, { answerFrom: 'other-relay', otherRelay: second.host }),
    ];
    for (const probe of probes) {
      expect(world.observing.probe(probe, world.now)).toBe('sent');
      world.ms += 30;
      world.run();
    }
    const [main, other] = [first.address, { host: first.host, port: secondPort }];
    expect(world.check.observations.map(({ asked, from, answerFrom }) => ({ asked, from, answerFrom }))).toEqual([
      { asked: main, from: main, answerFrom: 'asked' }, { asked: other, from: other, answerFrom: 'asked' },
      { asked: main, from: other, answerFrom: 'other-port' }, { asked: other, from: main, answerFrom: 'other-port' },
      { asked: main, from: second.address, answerFrom: 'other-relay' },
    ]);
    for (const { seen, roundTripMs, socket } of world.check.observations) expect([seen, roundTripMs, socket]).toEqual([world.visorAddress('main'), 30, 'main']);
    expect([world.count('observed'), world.observing.pendingCount, second.count('passed-on')]).toEqual([5, 0, 1]);
  });

  it('asks from spare sockets, which are seen from elsewhere', () => {
    const { world, first } = twoRelays();
    const spare = world.spare(41_234);
    expect(world.observing.probe(ask(first, { socket: spare }), world.now)).toBe('sent');
    world.run();
    expect(world.check.observations).toMatchObject([{ socket: spare, seen: { host: '203.0.113.5', port: 41_234 } }]);
    expect(world.check.bindings).toEqual([[spare, 41_234]]);
  });

  it('has at most 16 spare sockets, never two of one name, and none that is not bound', () => {
    const { world, first } = twoRelays();
    const names = Array.from({ length: sparesMaximum }, () => world.observing.bindSpare());
    expect([new Set(names).size, world.observing.bindSpare()]).toEqual([sparesMaximum, undefined]);
    const [one, two] = names;
    if (one === undefined || two === undefined) throw new Error('no sockets');
    expect(world.observing.probe(ask(first, { socket: one }), world.now)).toBe('not-bound');
    world.observing.handleBound(one, undefined, world.now);
    expect(world.check.bindings).toEqual([[one, undefined]]);
    world.observing.unbindSpare(two);
    world.observing.unbindSpare(two);
    world.observing.handleBound(two, 5, world.now);
    expect([world.observing.bindSpare(), world.observing.bindSpare(), world.observing.bindSpare()]).toEqual(['spare-17', 'spare-18', undefined]);
    expect(world.asks.filter((text) => text.startsWith('unbind'))).toEqual(['unbind spare-2']);
  });

  it('is told the same once, however often the answer comes', () => {
    const { world, first } = twoRelays();
    world.hook = (sent) => [sent, sent, sent];
    world.observing.probe(ask(first), world.now);
    world.run();
    expect([world.check.observations.length, world.count('drop.unknown-probe'), first.count('drop.used')]).toEqual([1, 2, 2]);
  });

  it('believes nothing that is forged, changed, or from elsewhere', () => {
    const { world, first, second } = twoRelays();
    world.hook = (sent) => (sent.from.host === first.host ? [{ ...sent, datagram: sent.datagram.with(20, (sent.datagram[20] ?? 0) ^ 1) }] : [sent]);
    world.observing.probe(ask(first), world.now);
    world.run();
    expect([world.check.observations.length, world.count('drop.unauthentic')]).toEqual([0, 1]);
    // What another relay sends, or the same one from the wrong port, is no answer to this question.
    for (const from of [second.address, { host: first.host, port: secondPort }]) {
      world.hook = (sent) => (sent.from.host === first.host ? [{ ...sent, from }] : [sent]);
      world.observing.probe(ask(first), world.now);
      world.run();
    }
    expect([world.check.observations.length, world.count('drop.elsewhere')]).toEqual([0, 2]);
    // Nor what comes to another socket than the one that asked.
    const spare = world.spare(41_000);
    world.hook = (sent) => (sent.from.host === first.host ? [{ ...sent, to: world.visorAddress(spare) }] : [sent]);
    world.observing.probe(ask(first), world.now);
    world.run();
    expect([world.check.observations.length, world.count('drop.elsewhere')]).toEqual([0, 3]);
    // A made-up ticket names no probe of ours.
    const made = { ticket: new Uint8Array(8), number: 1 };
    const sight = sealSight(nobleCrypto, new Uint8Array(32), made, { host: '192.0.2.7', port: 7 });
    if (sight === undefined) throw new Error('no address');
    world.deliver(first.address, world.visorAddress('main'), encodeAnswer(sight));
    expect([world.check.observations.length, world.count('drop.unknown-probe')]).toEqual([0, 1]);
  });

  it('does not take the word of the second relay alone, nor that of the first for the second', () => {
    const { world, first, second } = twoRelays();
    // The first relay answers itself, where another was asked for.
    const probe = ask(first, { answerFrom: 'other-relay', otherRelay: second.host });
    world.hook = (sent) => (sent.to.host === second.host ? [] : [sent]);
    world.observing.probe(probe, world.now);
    world.run();
    world.hook = (sent) => [sent];
    world.observing.probe(ask(first), world.now);
    world.run();
    const direct = world.log.at(-1);
    expect(world.check.observations).toHaveLength(1);
    // An answer of its own to another probe, told again as if it were for this one.
    if (direct !== undefined) world.deliver(second.address, world.visorAddress('main'), direct.datagram);
    expect([world.check.observations.length, world.count('drop.unknown-probe')]).toEqual([1, 1]);
  });

  it('asks again for a ticket when that is over or used up, and not before', () => {
    const { world, first } = twoRelays();
    expect(world.prepare(first, 24)).toMatchObject({ kind: 'ready', observer: { probesLeft: 24, seen: world.visorAddress('main'), address: first.address, secondAddress: { host: first.host, port: secondPort } } });
    expect(first.count('ticket')).toBe(1);
    for (let count = 0; count < 24; count += 1) expect(world.observing.probe(ask(first), world.now)).toBe('sent');
    expect(world.observing.probe(ask(first), world.now)).toBe('no-ticket');
    expect(world.prepare(first)).toMatchObject({ kind: 'ready', observer: { probesLeft: 24 } });
    world.ms += 59_000;
    expect(world.observing.probe(ask(first), world.now)).toBe('no-ticket');
    expect([world.prepare(first).kind, first.count('ticket')]).toEqual(['ready', 3]);
    expect(world.observing.probe(ask(first), world.now)).toBe('sent');
    world.run();
    // The relay's ticket lasts a second longer than it is used.
    expect([first.count('drop.expired'), first.count('answered')]).toEqual([0, 25]);
  });

  it('says why a relay cannot be asked', () => {
    const world = new TestPaths();
    const [first, second] = [world.relay('192.0.2.1'), world.relay('198.51.100.2')];
    second.capabilities = ['store'];
    expect(world.observing.observers()).toEqual([first.host]);
    expect(world.prepare(second)).toEqual({ kind: 'failed', reason: 'not-observing', retryAfterSeconds: 0 });
    world.observing.prepare('nobody', 1, world.now, (outcome) => { expect(outcome).toMatchObject({ reason: 'not-connected' }); });
    world.outcome = { kind: 'timed-out' };
    expect(world.prepare(first)).toMatchObject({ reason: 'no-answer' });
    world.outcome = { kind: 'answered', payloads: [new Uint8Array(64)] };
    expect(world.prepare(first)).toMatchObject({ reason: 'refused' });
    world.outcome = undefined;
    for (let count = 0; count < 4; count += 1) {
      world.observing.forgetTicket(first.host);
      expect(world.prepare(first).kind).toBe('ready');
    }
    world.observing.forgetTicket(first.host);
    expect(world.prepare(first)).toEqual({ kind: 'failed', reason: 'busy', retryAfterSeconds: 15 });
  });

  it('asks once for all who wait for the same ticket', () => {
    const world = new TestPaths();
    const first = world.relay('192.0.2.1');
    world.holdRequests = true;
    const outcomes: string[] = [];
    for (let count = 0; count < 3; count += 1) world.observing.prepare(first.host, 1, world.now, (outcome) => { outcomes.push(outcome.kind); });
    world.answerRequests();
    expect([world.asks, outcomes]).toEqual([['observe'], ['ready', 'ready', 'ready']]);
  });

  it('asks nothing that cannot be answered', () => {
    const { world, first, second } = twoRelays();
    first.observer.secondPort = undefined;
    world.observing.forgetTicket(first.host);
    world.prepare(first);
    expect(world.observing.probe(ask(first, { port: 'second' }), world.now)).toBe('no-second-port');
    expect(world.observing.probe(ask(first, { answerFrom: 'other-port' }), world.now)).toBe('no-second-port');
    expect(world.observing.probe(ask(first, { answerFrom: 'other-relay' }), world.now)).toBe('no-other-relay');
    expect(world.observing.probe(ask(first, { answerFrom: 'other-relay', otherRelay: first.host }), world.now)).toBe('no-other-relay');
    expect(world.observing.probe(ask(first, { answerFrom: 'asked', otherRelay: second.host }), world.now)).toBe('no-other-relay');
    world.observing.forgetTicket(second.host);
    expect(world.observing.probe(ask(first, { answerFrom: 'other-relay', otherRelay: second.host }), world.now)).toBe('no-ticket');
    expect(world.wire).toEqual([]);
  });

  it('waits for a bounded number of answers, and not for ever', () => {
    const { world, first, second } = twoRelays();
    for (let round = 0; round < 20; round += 1) {
      for (const relay of [first, second]) {
        world.ms += 8_000;
        world.prepare(relay, 24);
        for (let count = 0; count < 24; count += 1) world.observing.probe(ask(relay), world.now);
        expect(world.observing.pendingCount).toBeLessThanOrEqual(pendingMaximum);
      }
    }
    world.wire.length = 0;
    world.observing.networkChanged(world.now);
    world.prepare(first);
    world.observing.probe(ask(first), world.now);
    world.ms += patienceMs;
    world.run();
    expect([world.check.observations.length, world.observing.pendingCount, world.count('drop.unknown-probe')]).toEqual([0, 0, 1]);
  });

  it('forgets in another network what it asked in the one before', () => {
    const { world, first } = twoRelays();
    world.observing.probe(ask(first), world.now);
    world.observing.networkChanged(world.now);
    world.run();
    expect([world.check.observations, world.check.changes, world.observing.probe(ask(first), world.now)]).toEqual([[], ['network'], 'no-ticket']);
    world.holdRequests = true;
    const outcomes: unknown[] = [];
    world.observing.prepare(first.host, 1, world.now, (outcome) => { outcomes.push(outcome); });
    world.observing.networkChanged(world.now);
    world.answerRequests();
    expect(outcomes).toEqual([{ kind: 'failed', reason: 'network-changed', retryAfterSeconds: 0 }]);
  });

  it('does not hear answers for a socket that was given up', () => {
    const { world, first } = twoRelays();
    const spare = world.spare(41_000);
    world.observing.probe(ask(first, { socket: spare }), world.now);
    world.observing.unbindSpare(spare);
    world.run();
    expect([world.check.observations.length, world.count('drop.unknown-probe')]).toEqual([0, 1]);
  });
});
