/** Letters between two people who are here at the same time: handed over by themselves, with relays for whatever comes in between. */
import { describe, expect, it } from 'vitest';
import { minuteMs, secondMs } from './engine-stories-testing.ts';
import { acquaintances } from './story-peers-testing.ts';

const long = 'a long text, '.repeat(800);

describe('letters between two who are here', () => {
  it.each(['hello', long])('go without a relay, are shown as they went, and need no receipt', (text) => {
    const { world, ada, bob, relay, deposits, meet } = acquaintances();
    meet();
    const [before, ofAda] = [deposits(), relay.mailCount('deposit')];
    const id = ada.send(bob, text);
    world.run(secondMs);
    expect(bob.inbox()).toEqual([text]);
    expect(ada.state(id)).toBe('delivered');
    const hops = ada.stores.query({ query: 'hops', messageId: id }).hops;
    expect(hops.map((hop) => hop.kind)).toEqual(['saved', 'sealed', 'delivered']);
    expect(hops.at(-1)).toMatchObject({ path: 'peer-direct' });
    const [message] = bob.stores.query({ query: 'inbox', afterRow: 0, limit: 1 }).messages;
    expect(bob.stores.query({ query: 'hops', messageId: message?.id ?? '' }).hops).toEqual([expect.objectContaining({ kind: 'received', path: 'peer-direct' })]);
    world.run(2 * minuteMs);
    expect([deposits(), relay.mailCount('deposit')]).toEqual([before, ofAda]);
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
    expect(ada.hops(id).filter((kind) => kind === 'delivered')).toHaveLength(1);
  });

  it('name the relay of a circuit, in both logs', () => {
    const { world, ada, bob, relay, ofAda, ofBob, meet } = acquaintances();
    meet();
    ofAda.path = { kind: 'relay', relay: relay.publicKey };
    ofBob.path = { kind: 'lan', relay: undefined };
    const id = ada.send(bob, 'hello');
    world.run(secondMs);
    expect(ada.stores.query({ query: 'hops', messageId: id }).hops.at(-1)).toMatchObject({ kind: 'delivered', path: 'peer-relay', relay: relay.publicKey });
    const [message] = bob.stores.query({ query: 'inbox', afterRow: 0, limit: 1 }).messages;
    const hop = bob.stores.query({ query: 'hops', messageId: message?.id ?? '' }).hops.at(0);
    expect([hop?.path, hop?.relay]).toEqual(['peer-lan', undefined]);
  });

  it('go while no relay can be reached', () => {
    const { world, ada, bob, relay, meet } = acquaintances();
    meet();
    relay.off = true;
    world.run(7 * 60 * minuteMs);
    const [one, other] = [ada.send(bob, 'one'), bob.send(ada, 'other')];
    world.run(secondMs);
    expect([ada.inbox(), bob.inbox()]).toEqual([['other'], ['one']]);
    expect([ada.state(one), bob.state(other)]).toEqual(['delivered', 'delivered']);
    world.run(2 * minuteMs);
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });

  it('arrive in the order in which they were written, many at a time', () => {
    const { world, ada, bob, relay, meet } = acquaintances();
    relay.off = true;
    const texts = Array.from({ length: 60 }, (_, index) => `number ${String(index)}`);
    for (const text of texts) ada.ask({ name: 'send', to: bob.publicKey, port: 1, text, ttlSeconds: undefined });
    world.run(secondMs);
    expect(bob.inbox()).toEqual([]);
    meet();
    world.run(secondMs);
    expect(bob.inbox()).toEqual(texts);
    expect(bob.stores.query({ query: 'page', conversationId: `${ada.publicKey}:1`, beforeRow: undefined, limit: 100 }).messages.map((message) => message.text)).toEqual(texts);
  });

  it('are wanted a session for by those who write and those who read', () => {
    const { world, ada, bob, ofAda, ofBob } = acquaintances();
    ofAda.wanted.length = 0;
    ofBob.wanted.length = 0;
    ada.send(bob, 'hello');
    world.run(2 * secondMs);
    expect([ofAda.wanted[0], ofBob.wanted[0]]).toEqual([bob.publicKey, ada.publicKey]);
  });
});

describe('when something comes in between', () => {
  it('a contact who does not answer costs a second and a half, once', () => {
    const { world, ada, bob, deposits, meet } = acquaintances();
    meet();
    world.passes = (from, to) => !(from === ada && to === bob) && !(from === bob && to === ada);
    const before = deposits();
    const first = ada.send(bob, 'one');
    world.run(1_200);
    expect([deposits(), ada.state(first)]).toEqual([before, 'sending']);
    world.run(400);
    expect(deposits()).toBe(before + 1);
    const second = ada.send(bob, 'two');
    world.run(200);
    expect(deposits()).toBe(before + 2);
    expect(bob.inbox()).toEqual(['one', 'two']);
    world.run(10 * secondMs);
    expect([ada.state(first), ada.state(second)]).toEqual(['delivered', 'delivered']);
    world.run(2 * minuteMs);
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });

  it('a session that ends leaves its letters to relays at once', () => {
    const { world, ada, bob, deposits, meet, part } = acquaintances();
    meet();
    world.passes = (from, to) => !(from === ada && to === bob);
    const before = deposits();
    ada.send(bob, 'one');
    world.run(200);
    expect(deposits()).toBe(before);
    part();
    world.run(200);
    expect(deposits()).toBe(before + 1);
    expect(bob.inbox()).toEqual(['one']);
  });

  it('a letter that comes both ways is one message, and copies at relays are taken back', () => {
    const { world, ada, bob, relay, deposits, meet } = acquaintances();
    meet();
    // Bob has it and cannot say so, until the relay has been asked too.
    let deaf = true;
    world.passes = (from, to) => !(deaf && from === bob && to === ada) && !(from === relay && to === bob);
    const before = deposits();
    const id = ada.send(bob, 'hello');
    world.run(2 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(deposits()).toBe(before + 1);
    expect(ada.state(id)).toBe('stored');
    deaf = false;
    world.run(5 * secondMs);
    expect(ada.state(id)).toBe('delivered');
    expect(relay.mail.some(({ request, result }) => request.op === 'withdraw' && 'state' in result && result.state === 'withdrawn')).toBe(true);
    world.passes = () => true;
    world.run(2 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.hops(id).filter((kind) => kind === 'delivered')).toHaveLength(1);
  });

  it('a copy that lies at a relay is the same message', () => {
    const { world, ada, bob, meet } = acquaintances();
    meet();
    world.passes = (from, to) => !(from === bob && to === ada);
    const id = ada.send(bob, 'hello');
    world.run(30 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    world.passes = () => true;
    world.run(2 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });

  for (const mode of ['drop', 'keep'] as const) {
    it.each([0, 1, 2])(`the recipient may lose power at commit %i (${mode}): the letter is shown once and confirmed`, (moment) => {
      const { world, ada, bob, meet } = acquaintances();
      meet();
      bob.commitsBeforeCrash = moment;
      bob.crashMode = mode;
      const id = ada.send(bob, 'hello');
      world.run(2 * minuteMs);
      if (bob.off) bob.restart();
      world.run(3 * minuteMs);
      expect(bob.inbox()).toEqual(['hello']);
      expect(ada.state(id)).toBe('delivered');
      expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
    });

    it.each([0, 1, 2])(`the sender may lose power at commit %i (${mode}): an accepted letter arrives once`, (moment) => {
      const { world, ada, bob, meet } = acquaintances();
      meet();
      ada.commitsBeforeCrash = moment;
      ada.crashMode = mode;
      const ticket = ada.ask({ name: 'send', to: bob.publicKey, port: 1, text: 'hello', ttlSeconds: undefined });
      world.run(5 * secondMs);
      const accepted = ada.replies.get(ticket)?.ok === true;
      if (ada.off) ada.restart();
      world.run(2 * minuteMs);
      const shown = bob.inbox().length;
      expect(shown).toBeLessThanOrEqual(1);
      if (accepted || mode === 'keep') expect(shown).toBe(1);
      const [own] = ada.stores.query({ query: 'page', conversationId: `${bob.publicKey}:1`, beforeRow: undefined, limit: 10 }).messages;
      expect(own === undefined ? 'nothing' : ada.state(own.id)).toBe(shown === 1 ? 'delivered' : 'nothing');
    });
  }

  it('nothing is answered before letter and receipt are on the disk, and a receipt outlives the loss of power', () => {
    const { world, ada, bob, meet } = acquaintances();
    meet();
    bob.holdCommits = true;
    const id = ada.send(bob, 'hello', 60);
    world.run(secondMs);
    expect(ada.state(id)).toBe('sending');
    // What he had was on the disk; she does not know, and its time is over before he is back.
    bob.powerOff('keep');
    bob.holdCommits = false;
    world.run(2 * minuteMs);
    expect(['unconfirmed', 'expired']).toContain(ada.state(id));
    bob.restart();
    world.run(minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });

  it('a letter that relays hold and nobody fetches is handed over when they meet', () => {
    const { world, ada, bob, relay, meet } = acquaintances();
    world.passes = (from, to) => !(from === relay && to === bob);
    const id = ada.send(bob, 'hello');
    world.run(30 * secondMs);
    expect([ada.state(id), bob.inbox()]).toEqual(['stored', []]);
    meet();
    world.run(12 * secondMs);
    expect([ada.state(id), bob.inbox()]).toEqual(['delivered', ['hello']]);
  });

  it('a cancelled letter that they have after all is delivered', () => {
    const { world, ada, bob, meet } = acquaintances();
    meet();
    world.passes = (from, to) => !(from === bob && to === ada);
    const id = ada.send(bob, 'hello');
    ada.command({ name: 'cancel', messageId: id });
    world.run(secondMs);
    expect(ada.state(id)).toBe('cancelled');
    world.passes = () => true;
    world.run(3 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
  });
});
