/** Letters between two people who are here at the same time: handed over by themselves, with relays for whatever comes in between. */
import { readWithoutPower, writeWithoutPower } from './story-power-cuts-testing.ts';
import { describe, expect, it } from 'vitest';
import { sealLetter } from '../engine/mail/letter.ts';
import { encodeContent } from '../engine/wire/content.ts';
import { decodePrekeyBundle } from '../engine/wire/record.ts';
import type { RequestOutcome } from '../engine/directed/types.ts';
import type { SealedLetter } from '../engine/wire/types.ts';
import { befriend, crypto, hourMs, minuteMs, secondMs, seeded, type StoryNode } from './engine-stories-testing.ts';
import { acquaintances, type Meeting } from './story-peers-testing.ts';

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
      const all = acquaintances();
      all.meet();
      readWithoutPower(all, all.bob, { moment, mode }, { offForMs: 2 * minuteMs, backForMs: 3 * minuteMs });
      expect(all.ada.disk().outbox).toEqual([]);
    });

    it.each([0, 1, 2])(`the sender may lose power at commit %i (${mode}): an accepted letter arrives once`, (moment) => {
      const all = acquaintances();
      all.meet();
      writeWithoutPower(all, { moment, mode });
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

  it.each(['told', 'not told'] as const)('an answer that is lost with the session (%s that it ended) is made good by a receipt, also when the time of the letter is over by then', (how) => {
    const { world, ada, bob, ofBob, meet } = acquaintances();
    meet();
    world.passes = (_from, to) => to !== ada;
    const id = ada.send(bob, 'hello', 60);
    world.run(200);
    expect(bob.inbox()).toEqual(['hello']);
    ada.cutOff = true;
    if (how === 'told') ofBob.part(ada.publicKey, bob.now);
    else ofBob.here.delete(ada.publicKey);
    world.run(2 * minuteMs);
    expect(ada.state(id)).toBe('unconfirmed');
    ada.cutOff = false;
    world.passes = () => true;
    world.run(2 * minuteMs);
    expect(ada.state(id)).toBe('delivered');
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });

  it('what was answered is confirmed once more when they part, which is not told twice, whatever their clocks say', () => {
    const { world, ada, bob, relay, meet, part } = acquaintances();
    meet();
    bob.clockErrorMs = -5_000;
    const id = ada.send(bob, 'hello');
    world.run(secondMs);
    const before = relay.mailCount('deposit');
    part();
    world.run(5 * secondMs);
    expect(relay.mailCount('deposit')).toBe(before + 1);
    expect(ada.hops(id)).toEqual(['saved', 'sealed', 'delivered']);
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });

  it('a letter that they may have is not called expired before that is known', () => {
    const { world, ada, bob, relay, meet } = acquaintances();
    relay.off = true;
    world.run(5 * minuteMs);
    meet();
    world.passes = (_from, to) => to !== ada;
    const id = ada.send(bob, 'hello', 60);
    world.run(2 * minuteMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('unconfirmed');
  });

  it('a letter that was handed over without an answer is called expired when a receipt that was kept back would have come', () => {
    const { world, ada, bob, meet } = acquaintances();
    meet();
    world.passes = (_from, to) => to !== bob;
    const id = ada.send(bob, 'hello', 60);
    world.run(70 * secondMs);
    expect(ada.state(id)).toBe('unconfirmed');
    world.run(75 * secondMs);
    expect(ada.state(id)).toBe('unconfirmed');
    world.run(10 * secondMs);
    expect(ada.state(id)).toBe('expired');
    expect(ada.disk().outbox).toEqual([]);
  });

  it('a copy whose storage was not confirmed is taken back as well', () => {
    const { world, ada, bob, relay, meet } = acquaintances();
    meet();
    let deaf = true;
    world.passes = (from, to) => !(to === ada && (deaf || from === relay)) && !(from === relay && to === bob);
    const id = ada.send(bob, 'hello');
    world.run(2 * secondMs);
    deaf = false;
    world.run(5 * secondMs);
    expect(ada.hops(id)).toEqual(['saved', 'sealed', 'delivered']);
    expect(relay.mail.some(({ request, result }) => request.op === 'withdraw' && 'state' in result && result.state === 'withdrawn')).toBe(true);
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

  it('a letter that was taken back while the answer was lost, and the session not, is delivered after all', () => {
    const { world, ada, bob, relay, meet } = acquaintances();
    meet();
    world.passes = (from, to) => !(from === bob && to === ada);
    const id = ada.send(bob, 'hello');
    world.run(200);
    expect(bob.inbox()).toEqual(['hello']);
    relay.cutOff = true;
    ada.command({ name: 'cancel', messageId: id });
    // She stops waiting for the answer, and no copy of the letter is anywhere.
    world.run(5 * secondMs);
    world.passes = () => true;
    relay.cutOff = false;
    expect(ada.state(id)).toBe('cancelled');
    world.run(2 * minuteMs);
    expect(ada.state(id)).toBe('delivered');
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
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

/** A letter to somebody by whoever's keys these are. */
function sealedBy(from: StoryNode, to: StoryNode, text: string): SealedLetter {
  const { device } = from.disk();
  const theirs = to.disk();
  const bundle = decodePrekeyBundle(theirs.prekeys.at(-1)?.bundle ?? new Uint8Array(0));
  if (device === undefined || theirs.device === undefined || bundle === undefined) throw new Error('nothing to seal with');
  const sealed = sealLetter({
    crypto, random: seeded(`by hand ${text}`), senderStatic: { secretKey: device.x25519Secret, publicKey: crypto.x25519PublicKey(device.x25519Secret) }, senderCertificate: device.certificate,
    recipient: { identity: to.publicKey, deviceId: theirs.device.deviceId }, bundle, messageId: from.world.forgedId(), destinationPort: 1, sourcePort: 1, sequence: 1,
    sentAtMs: from.now.wallMs, ttlSeconds: 86_400, content: encodeContent({ kind: 'text', text }),
  });
  if (sealed === 'too-large') throw new Error('too large');
  return sealed;
}

/** Ada's device gives Bob's that letter, and hears this. */
function handed({ world, ada, bob, ofAda }: Meeting, { header, body, bodyRoot }: SealedLetter, bodyLength = body.length): RequestOutcome | undefined {
  let heard: RequestOutcome | undefined;
  const sessionId = ofAda.context.sessions.findByIdentity(bob.publicKey)?.id;
  if (sessionId === undefined) throw new Error('no session');
  ofAda.context.directed.request(sessionId, { verb: 'letter', header, bodyRoot, bodyLength, inlineBody: body }, { deadlineMs: 4_000, done: (outcome) => { heard = outcome; } }, ada.now);
  ada.engine.handleTimeout(ada.now);
  ada.drain();
  world.run(secondMs);
  return heard;
}

const code = (outcome: RequestOutcome | undefined): string | undefined => (outcome?.kind === 'negative' ? outcome.negative.code : outcome?.kind);

describe('what a contact may hand over', () => {
  it('is what they have written: a letter of somebody else is refused, however good it is', () => {
    const meeting = acquaintances();
    const { world, ada, bob, relay, meet } = meeting;
    const eve = world.add('eve');
    eve.addRelay(relay);
    befriend(eve, bob);
    meet();
    expect(code(handed(meeting, sealedBy(eve, bob, 'by eve')))).toBe('refused');
    expect(bob.count('inbox.letter-of-another')).toBe(1);
    expect(handed(meeting, sealedBy(ada, bob, 'by ada'))).toMatchObject({ kind: 'answered', payloads: [Uint8Array.of(1)] });
    expect(bob.inbox()).toEqual(['by ada']);
  });

  it('is answered with committed again when it comes again, and shown once', () => {
    const meeting = acquaintances();
    const { ada, bob, meet } = meeting;
    meet();
    const letter = sealedBy(ada, bob, 'hello');
    expect([handed(meeting, letter), handed(meeting, letter)]).toEqual([{ kind: 'answered', payloads: [Uint8Array.of(1)] }, { kind: 'answered', payloads: [Uint8Array.of(1)] }]);
    expect(bob.inbox()).toEqual(['hello']);
  });

  it('is told what cannot be opened, and what is no letter', () => {
    const meeting = acquaintances();
    const { ada, bob, meet } = meeting;
    meet();
    const letter = sealedBy(ada, bob, 'hello');
    const spoilt = letter.header.slice();
    spoilt[100] = (spoilt[100] ?? 0) ^ 1;
    expect(handed(meeting, { ...letter, header: spoilt })).toMatchObject({ kind: 'answered', payloads: [Uint8Array.of(2)] });
    expect(code(handed(meeting, { ...letter, header: letter.header.subarray(1) }))).toBe('malformed');
    expect(code(handed(meeting, letter, 66_561))).toBe('too-large');
    expect(code(handed(meeting, { ...letter, bodyRoot: new Uint8Array(32) }))).toBe('malformed');
    expect(bob.inbox()).toEqual([]);
  });

  it('ends when they are blocked: their letter is refused, and goes to a relay that says no more than that it holds it', () => {
    const { world, ada, bob, ofAda, meet } = acquaintances();
    meet();
    bob.command({ name: 'block', publicKey: ada.publicKey });
    const id = ada.send(bob, 'hello');
    world.run(5 * secondMs);
    expect(bob.inbox()).toEqual([]);
    expect(['queued', 'stored']).toContain(ada.state(id));
    expect(ofAda.session(bob.publicKey)).toBeDefined();
  });
});

describe('letters that need more than one attempt', () => {
  it('are sealed again to the keys that their recipient has now', () => {
    const { world, ada, bob, ofBob, deposits, meet } = acquaintances();
    const known = ofBob.context.memory.prekeys;
    known.clear();
    world.run(2 * hourMs);
    expect(known.size).toBe(1);
    meet();
    const before = deposits();
    const id = ada.send(bob, 'hello');
    world.run(5 * secondMs);
    expect(bob.inbox()).toEqual(['hello']);
    expect(ada.state(id)).toBe('delivered');
    expect(ada.hops(id)).toEqual(['saved', 'sealed', 'tried', 'sealed', 'delivered']);
    expect(deposits()).toBe(before);
  });

  it('that can never be opened there go to relays', () => {
    const { world, ada, bob, ofBob, deposits, meet } = acquaintances();
    meet();
    ofBob.context.memory.prekeys.clear();
    const before = deposits();
    ada.send(bob, 'hello');
    world.run(20 * secondMs);
    expect(deposits()).toBeGreaterThan(before);
    expect(deposits()).toBeLessThan(before + 4);
  });

  it('wait together for one who does not answer, and not one after the other', () => {
    const { world, ada, bob, deposits, meet } = acquaintances();
    meet();
    world.passes = (from, to) => !(from === ada && to === bob);
    const before = deposits();
    for (let number = 0; number < 50; number += 1) ada.ask({ name: 'send', to: bob.publicKey, port: 1, text: `number ${String(number)}`, ttlSeconds: undefined });
    world.run(1_400);
    expect(deposits()).toBe(before);
    world.run(600);
    expect(deposits()).toBe(before + 50);
    world.run(20 * secondMs);
    expect(bob.inbox()).toHaveLength(50);
    expect(ada.disk().outbox).toEqual([]);
  });

  it('may be long, and more than go at a time', () => {
    const { world, ada, bob, deposits, meet } = acquaintances();
    meet();
    const before = deposits();
    const texts = Array.from({ length: 40 }, (_, index) => `${String(index)} ${'long '.repeat(4_000)}`);
    for (const text of texts) ada.ask({ name: 'send', to: bob.publicKey, port: 1, text, ttlSeconds: undefined });
    world.run(10 * secondMs);
    expect(bob.inbox()).toEqual(texts);
    expect(deposits()).toBe(before);
  });

  it.each(['direct', 'relay'] as const)('carry files, from their sender where the path is direct, by a relay where it is none (%s)', (kind) => {
    const { world, ada, bob, relay, ofAda, ofBob, meet } = acquaintances();
    for (const sessions of [ofAda, ofBob]) sessions.path = { kind, relay: kind === 'relay' ? relay.publicKey : undefined };
    meet();
    let [direct, byRelay] = [0, 0];
    world.passes = (from, to) => {
      if (from === ada && to === bob) direct += 1;
      if (from === ada && to === relay) byRelay += 1;
      return true;
    };
    const [key, content] = [new Uint8Array(32).fill(7), seeded('a file')(300_000)];
    const { root, blobBytes } = ada.ownBlobs.addFile(key, content);
    ada.command({ name: 'send-file', to: bob.publicKey, port: 1, text: 'look', ttlSeconds: undefined, file: { name: 'photo.png', mediaType: 'image/png', sizeBytes: content.length, key, root, blobBytes } });
    world.runUntil(() => bob.files()[0]?.stage === 'ready', minuteMs);
    world.run(30 * secondMs);
    expect(ada.files()[0]?.stage).toBe('ready');
    // 293 leaves of 1 KiB or 10 of 32.
    if (kind === 'direct') expect(direct).toBeGreaterThanOrEqual(10);
    else expect(direct).toBeLessThan(10);
    if (kind === 'relay') expect(byRelay).toBeGreaterThanOrEqual(10);
    world.run(5 * minuteMs);
    expect([ada.disk().outbox, bob.disk().outbox]).toEqual([[], []]);
  });

  it('go on by a relay with a file that was begun directly, when the sender is out of reach', () => {
    const { world, ada, bob, meet, part } = acquaintances();
    meet();
    let direct = 0;
    world.passes = (from, to) => {
      if (from === ada && to === bob) direct += 1;
      return direct < 60 || !((from === ada && to === bob) || (from === bob && to === ada));
    };
    const [key, content] = [new Uint8Array(32).fill(8), seeded('a large file')(4_000_000)];
    const { root, blobBytes } = ada.ownBlobs.addFile(key, content);
    ada.command({ name: 'send-file', to: bob.publicKey, port: 1, text: 'look', ttlSeconds: undefined, file: { name: 'film.mp4', mediaType: 'video/mp4', sizeBytes: content.length, key, root, blobBytes } });
    world.run(20 * secondMs);
    part();
    world.runUntil(() => bob.files()[0]?.stage === 'ready', 5 * minuteMs);
    world.run(2 * minuteMs);
    expect(ada.files()[0]?.stage).toBe('ready');
  });
});
