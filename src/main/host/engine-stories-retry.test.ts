/** Retries: bounded while nothing answers, prompt when something changes. */
import { describe, expect, it } from 'vitest';
import { befriend, friends, hourMs, minuteMs, secondMs, StoryWorld } from './engine-stories-testing.ts';

describe('a conversation', () => {
  it('needs no listing: the doorbell brings each letter and each receipt', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    ada.send(bob, 'first');
    world.run(5 * secondMs);
    const before = relay.mailCount('list');
    const ids: string[] = [];
    for (let number = 0; number < 5; number += 1) {
      ids.push(ada.send(bob, `letter ${String(number)}`));
      world.run(2 * secondMs);
    }
    expect(ids.map((id) => ada.state(id))).toEqual(ids.map(() => 'delivered'));
    expect(bob.inbox()).toHaveLength(6);
    expect(relay.mailCount('list')).toBe(before);
    // Several at once: the first is shown, the others are listed.
    const burst = Array.from({ length: 4 }, (_, number) => ada.send(bob, `burst ${String(number)}`));
    world.run(5 * secondMs);
    expect(burst.map((id) => ada.state(id))).toEqual(burst.map(() => 'delivered'));
    expect(bob.inbox()).toHaveLength(10);
  });
});

describe('retries', () => {
  it('a dead relay is tried with full jitter between a second and five minutes, for one letter and for ten', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    relay.off = true;
    world.run(3 * minuteMs);
    const ids = Array.from({ length: 10 }, (_, index) => ada.send(bob, `letter ${String(index)}`));
    world.run(10 * minuteMs);
    const attempts = (): number => ada.disk().outbox.reduce((sum, row) => sum + row.attempts, 0);
    const [beforeAttempts, beforeSent] = [attempts(), ada.sent];
    world.run(4 * hourMs);
    const perLetterAndHour = (attempts() - beforeAttempts) / 4 / ids.length;
    // The mean pause is two and a half minutes and the wait for the link.
    expect(perLetterAndHour).toBeGreaterThan(10);
    expect(perLetterAndHour).toBeLessThan(45);
    // Handshakes of the one link with backoff of eight seconds, and the keepalives of our own relay.
    expect((ada.sent - beforeSent) / 4).toBeLessThan(1_500);
    relay.restart();
    world.run(6 * minuteMs);
    expect(bob.inbox()).toHaveLength(10);
    expect(ids.map((id) => ada.state(id))).toEqual(ids.map(() => 'delivered'));
  });

  it('asking what became of a letter slows down to twice an hour, though the link is dialled anew each time', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    bob.powerOff();
    const id = ada.send(bob, 'hello');
    world.run(2 * hourMs);
    const before = relay.mailCount('status');
    world.run(6 * hourMs);
    expect(relay.mailCount('status') - before).toBeLessThanOrEqual(13);
    expect(relay.mailCount('status') - before).toBeGreaterThanOrEqual(10);
    expect(ada.state(id)).toBe('stored');
  });

  it('a change of network, a retry by hand and a first registration end the pauses at once', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    relay.off = true;
    world.run(3 * minuteMs);
    const id = ada.send(bob, 'hello');
    world.run(2 * hourMs);
    relay.restart();
    ada.engine.networkChanged(ada.now);
    ada.drain();
    world.run(10 * secondMs);
    expect(ada.state(id)).toBe('delivered');
    relay.off = true;
    world.run(3 * minuteMs);
    const second = ada.send(bob, 'again');
    world.run(2 * hourMs);
    relay.restart();
    ada.command({ name: 'retry', messageId: second });
    world.run(10 * secondMs);
    expect(ada.state(second)).toBe('delivered');
    expect(bob.inbox()).toEqual(['hello', 'again']);
  });

  it('after a change of network the first new failure waits a second, not five minutes', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    relay.off = true;
    world.run(3 * minuteMs);
    const id = ada.send(bob, 'hello');
    world.run(2 * hourMs);
    ada.engine.networkChanged(ada.now);
    ada.drain();
    world.run(5 * secondMs + 100);
    const next = ada.engine.inspect.outboxItem(id)?.nextTryWallMs ?? 0;
    expect(next - ada.now.wallMs).toBeLessThan(1_100);
  });

  it('a relay that refuses to register us is asked again slowly and accepts us later', () => {
    const world = new StoryWorld();
    const relay = world.relay('relay');
    relay.tamper = (request, result) => (request.op === 'put-record' ? { outcome: 'stale' } : result);
    const bob = world.add('bob');
    bob.addRelay(relay);
    world.run(10 * minuteMs);
    const before = relay.mailCount('put-record');
    world.run(2 * hourMs);
    expect(relay.mailCount('put-record') - before).toBeLessThan(240);
    relay.tamper = undefined;
    world.run(6 * minuteMs);
    expect(bob.engine.inspect.relays.map((status) => status.state)).toEqual(['connected']);
  });

  it('letters to one unreachable person do not hold up another', () => {
    const { world, ada, bob, bobsRelays: [relay] } = friends();
    const carla = world.add('carla');
    carla.addRelay(world.relay('relay of carla'));
    world.run(2 * secondMs);
    befriend(ada, carla);
    relay.off = true;
    world.run(3 * minuteMs);
    for (let number = 0; number < 300; number += 1) ada.ask({ name: 'send', to: bob.publicKey, port: 1, text: `letter ${String(number)}`, ttlSeconds: undefined });
    const id = ada.send(carla, 'hello');
    world.run(30 * secondMs);
    expect(ada.state(id)).toBe('delivered');
    relay.restart();
    world.run(6 * minuteMs);
    expect(bob.inbox()).toHaveLength(300);
  });
});
