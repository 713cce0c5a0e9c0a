/** Whole engines: a visor learns from its relays from where they see it, from where their answers reach it, and what a lost relay or a restart makes of that. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { NetworkCheck, ObservationPort, PrepareOutcome, Probe, SpareSocket } from '../engine/path/observation-port.ts';
import type { Observation } from '../engine/path/types.ts';
import type { Instant } from '../engine/wire/types.ts';
import { secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';

/** Does what a test tells it. */
class FakeCheck implements NetworkCheck {
  readonly port: ObservationPort;
  readonly observations: Observation[] = [];
  readonly bindings: [SpareSocket, number | undefined][] = [];
  relayChanges = 0;
  networkChanges = 0;
  timeouts = 0;
  dueMs: number | undefined;
  constructor(port: ObservationPort) { this.port = port; }
  observed(observation: Observation): void { this.observations.push(observation); }
  bound(socket: SpareSocket, port: number | undefined): void { this.bindings.push([socket, port]); }
  marks: SpareSocket[] = [];
  readonly last = undefined;
  marked(at: SpareSocket): void { this.marks.push(at); }
  answered(): void { /* it asks nothing */ }
  run(): void { /* a test asks itself */ }
  relaysChanged(): void { this.relayChanges += 1; }
  networkChanged(): void { this.networkChanges += 1; }
  handleTimeout(now: Instant): void {
    if (this.dueMs === undefined || now.monotonicMs < this.dueMs) return;
    this.timeouts += 1;
    this.dueMs = undefined;
  }
  pollTimeout(): { atMs: number; reason: string } | undefined { return this.dueMs === undefined ? undefined : { atMs: this.dueMs, reason: 'check the network' }; }
}

const host = '127.0.0.1';
let world: StoryWorld;
let first: StoryNode;
let second: StoryNode;
let ada: StoryNode;
let check: FakeCheck;

function prepare(relay: StoryNode): PrepareOutcome | undefined {
  let result: PrepareOutcome | undefined;
  check.port.prepare(relay.publicKey, 4, ada.now, (outcome) => { result = outcome; });
  ada.drain();
  world.run(100);
  return result;
}

function probe(change: Partial<Probe> = {}): string {
  const outcome = check.port.probe({ socket: 'main', relay: first.publicKey, port: 'main', answerFrom: 'asked', ...change }, ada.now);
  ada.drain();
  world.run(100);
  return outcome;
}

beforeEach(() => {
  world = new StoryWorld();
  first = world.relay('first', { second: true });
  second = world.relay('second');
  ada = world.add('ada', { createNetworkCheck: (port) => { check = new FakeCheck(port); return check; } });
  ada.addRelay(first, second);
  world.run(2 * secondMs);
});

describe('a check of the network', () => {
  it('hears how it is seen: from the port that was asked, another one, and another relay', () => {
    expect(new Set(check.port.observers())).toEqual(new Set([first.publicKey, second.publicKey]));
    const seen = { host, port: ada.port };
    const [main, other] = [{ host, port: first.port }, { host, port: first.ports.get('second') }];
    expect(prepare(first)).toMatchObject({ kind: 'ready', observer: { relay: first.publicKey, address: main, secondAddress: other, seen, probesLeft: 24 } });
    expect(prepare(second)).toMatchObject({ kind: 'ready', observer: { secondAddress: undefined, seen } });
    expect([probe(), probe({ port: 'second' }), probe({ answerFrom: 'other-port' }), probe({ answerFrom: 'other-relay', otherRelay: second.publicKey })]).toEqual(['sent', 'sent', 'sent', 'sent']);
    expect(check.observations).toEqual([
      { socket: 'main', asked: main, answerFrom: 'asked', from: main, seen, roundTripMs: 0 },
      { socket: 'main', asked: other, answerFrom: 'asked', from: other, seen, roundTripMs: 0 },
      { socket: 'main', asked: main, answerFrom: 'other-port', from: other, seen, roundTripMs: 0 },
      { socket: 'main', asked: main, answerFrom: 'other-relay', from: { host, port: second.port }, seen, roundTripMs: 0 },
    ]);
    expect([ada.count('observe.observed'), first.count('observe.answered'), first.count('observe.asked-other'), second.count('observe.passed-on')]).toEqual([4, 3, 1, 1]);
    expect(probe({ relay: second.publicKey, answerFrom: 'other-port' })).toBe('no-second-port');
  });

  it('uses sockets of its own, which are closed when it has done with them', () => {
    prepare(first);
    const spare = check.port.bindSpare();
    if (spare === undefined) throw new Error('no socket');
    ada.drain();
    world.run(100);
    const port = ada.ports.get(spare);
    expect(check.bindings).toEqual([[spare, port]]);
    expect(probe({ socket: spare })).toBe('sent');
    expect(check.observations).toMatchObject([{ socket: spare, seen: { host, port } }]);
    check.port.unbindSpare(spare);
    ada.drain();
    expect([ada.ports.has(spare), probe({ socket: spare })]).toEqual([false, 'not-bound']);
  });

  it('takes nothing of a session at another socket, and says that it did not', () => {
    prepare(first);
    const spare = check.port.bindSpare();
    ada.drain();
    world.run(100);
    const before = ada.engine.inspect.counters['session.drop.unknown-session'];
    for (const type of [1, 2, 4, 6]) ada.engine.handleDatagram({ host, port: first.port }, new Uint8Array(1_200).fill(type, 0, 1), ada.now, spare);
    ada.drain();
    expect([ada.count('observe.drop.wrong-socket'), ada.engine.inspect.counters['session.drop.unknown-session']]).toEqual([4, before]);
    // A socket for guesses is for the session that it was bound for: one that nobody bound is for nobody, whatever comes to it.
    for (let type = 0; type < 10; type += 1) ada.engine.handleDatagram({ host, port: first.port }, new Uint8Array(1_200).fill(type, 0, 1), ada.now, 'guess-1');
    for (const port of [5_000, undefined]) ada.engine.handleBound?.('guess-1', port, ada.now);
    ada.drain();
    expect([ada.count('observe.drop.wrong-socket'), ada.engine.inspect.counters['session.drop.unknown-session']]).toEqual([14, before]);
    // Nor does a visor answer probes, or a relay believe answers.
    ada.engine.handleDatagram({ host, port: 9 }, new Uint8Array(128).fill(7, 0, 1).fill(1, 1, 11), ada.now);
    first.engine.handleDatagram({ host, port: 9 }, new Uint8Array(46).fill(8, 0, 1).fill(1, 1, 11), first.now);
    first.engine.handleDatagram({ host, port: 9 }, new Uint8Array(47).fill(8, 0, 1), first.now, 'second');
    ada.drain();
    first.drain();
    expect([ada.count('observe.drop.not-observing'), first.count('observe.drop.unknown-probe'), first.count('observe.drop.malformed')]).toEqual([1, 1, 1]);
  });

  it('hears nothing of what a network keeps from it', () => {
    prepare(first);
    prepare(second);
    // A filter that lets in only what was asked: nothing of the second relay's.
    world.passes = (from, to) => !(from === second && to === ada);
    expect(probe({ answerFrom: 'other-relay', otherRelay: second.publicKey })).toBe('sent');
    expect([check.observations.length, second.count('observe.passed-on')]).toEqual([0, 1]);
  });

  it('asks a relay that started anew for another ticket', () => {
    prepare(first);
    const changes = check.relayChanges;
    first.restart();
    world.runUntil(() => check.relayChanges > changes, 60 * secondMs);
    world.run(5 * secondMs);
    expect(probe()).toBe('no-ticket');
    expect(prepare(first)).toMatchObject({ kind: 'ready' });
    expect([probe(), check.observations.length]).toEqual(['sent', 1]);
  });

  it('learns of its relays, of another network, and of its own time', () => {
    expect(check.relayChanges).toBeGreaterThan(0);
    prepare(first);
    ada.engine.networkChanged(ada.now);
    ada.drain();
    expect([check.networkChanges, probe()]).toEqual([1, 'no-ticket']);
    check.dueMs = world.timeMs + 700;
    ada.drain();
    world.run(secondMs);
    expect(check.timeouts).toBe(1);
    const changes = check.relayChanges;
    second.powerOff();
    world.runUntil(() => check.relayChanges > changes, 120 * secondMs);
    expect(prepare(second)).toMatchObject({ kind: 'failed', reason: 'not-connected' });
    expect(check.port.observers()).toEqual([first.publicKey]);
  });

  it('is not made where nobody wants one, and relays are no less for it', () => {
    const bob = world.add('bob');
    bob.addRelay(first);
    world.run(2 * secondMs);
    expect([bob.engine.inspect.connection.kind, Object.keys(bob.engine.inspect.counters).filter((name) => name.startsWith('observe.'))]).toEqual(['online', []]);
  });
});
