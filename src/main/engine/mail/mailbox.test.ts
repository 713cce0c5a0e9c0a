import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { decodeLetterState, decodeListFragment, decodeRegisterResponse, decodeStatusResponse } from '../wire/responses.ts';
import { requestHeaderBytes } from '../wire/frame.ts';
import { mailboxQuota } from './mailbox-context.ts';
import { RelayWorld, depositOf, device, letter, recordOf, type Device } from './mailbox-testing.ts';
import type { PullOutcome, RequestOutcome } from '../directed/types.ts';
import type { LetterState, ListEntry, ListFragment, RequestBody } from '../wire/types.ts';

const alice = device(1);
const register = { verb: 'register', tokensVersion: 0 } as const;
const epoch = new Uint8Array(8).fill(9);
const token = new Uint8Array(16).fill(8);
const day = 86_400_000;

const list = (afterSequence = 0, mostFragments = 16, of = epoch): RequestBody => ({ verb: 'list', epoch: of, afterSequence, mostFragments });
const first = (outcome: RequestOutcome): Uint8Array => (outcome.kind === 'answered' ? outcome.payloads[0] : undefined) ?? new Uint8Array(0);
const fragmentsOf = (outcome: RequestOutcome): readonly ListFragment[] =>
  outcome.kind === 'answered' ? outcome.payloads.flatMap((payload) => decodeListFragment(payload) ?? []) : [];
const stateOf = (world: RelayWorld, session: number, number: number): LetterState | undefined =>
  decodeStatusResponse(first(world.ask(session, { verb: 'status', mailbox: alice.mailbox, letterIds: [letter(number).letterId] })))?.[0]?.state;

function publish(world: RelayWorld, ...devices: readonly Device[]): void {
  expect(world.verdict(world.connect(), { verb: 'publish', kind: 'identity', object: recordOf(devices, 1_800_000_000).bytes })).toBe('ok');
}

function withMail(count: number): { readonly world: RelayWorld; readonly owner: number; readonly depositor: number } {
  const world = new RelayWorld();
  const owner = world.connect(alice);
  world.verdict(owner, register);
  world.verdict(owner, { verb: 'tokens', version: 1, reset: true, tokens: [{ granted: true, hash: nobleCrypto.blake3(token) }] });
  const depositor = world.connect();
  for (let number = 0; number < count; number += 1) world.start(depositor, depositOf(alice.mailbox, letter(number), { token }), () => undefined);
  world.pair.run(500);
  return { world, owner, depositor };
}

/** Counts what the owner's visor is told. */
function doorbell(world: RelayWorld): { readonly session: number; readonly sequence: number }[] {
  const rung: { readonly session: number; readonly sequence: number }[] = [];
  world.pair.left.handle('notify', (session, body, answer, now) => {
    if (body.verb === 'notify') rung.push({ session, sequence: body.highestSequence });
    answer.respond(new Uint8Array(0), now);
  });
  return rung;
}

describe('the owner’s verbs', () => {
  const all: readonly RequestBody[] = [register, list(), { verb: 'refusals' }, { verb: 'ack', letters: [] }, { verb: 'tokens', version: 1, reset: false, tokens: [] }];

  it('need a certificate, and an identity that the operator admits', () => {
    const open = new RelayWorld();
    for (const body of all) expect(open.verdict(open.connect(), body)).toBe('unauthenticated');
    for (const body of all) expect(open.verdict(open.connect(alice), body)).toBe('ok');
    const closed = new RelayWorld({ registration: { list: [device(2).mailbox.identity] } });
    for (const body of all) expect(closed.verdict(closed.connect(alice), body)).toBe('refused');
    publish(closed, device(2));
    expect(closed.verdict(closed.connect(device(2)), register)).toBe('ok');
  });

  it('are for the devices of the record where the operator admits some: nobody has a mailbox for each that they make up', () => {
    const world = new RelayWorld({ registration: { list: [alice.mailbox.identity] } });
    const made = Array.from({ length: 20 }, (_, index) => device(1, index + 1));
    const verdicts = made.map((one) => world.verdict(world.connect(one), register));
    expect(new Set(verdicts)).toEqual(new Set(['not-yet']));
    publish(world, ...made.slice(0, 3));
    expect(made.map((one) => world.verdict(world.connect(one), register)).filter((verdict) => verdict === 'ok').length).toBe(3);
  });

  it('register one mailbox a session, whichever certificates it shows', () => {
    const world = new RelayWorld();
    const session = world.connect(alice);
    const other = device(1, 2);
    expect(world.verdict(session, register)).toBe('ok');
    const view = world.views.get(session);
    if (view !== undefined) world.views.set(session, { ...view, remoteCertificate: other.certificate });
    expect(world.verdict(session, register)).toBe('ok');
    expect([world.role.sessionsOf(alice.mailbox), world.role.sessionsOf(other.mailbox)]).toEqual([[], [session]]);
    world.close(session);
    expect(world.role.sessionsOf(other.mailbox)).toEqual([]);
  });

  it('have room for fewer receipts where there is room for less', () => {
    const world = new RelayWorld({ registration: 'open', mailbox: { letters: 2, bytes: 4_096 } });
    expect(world.verdict(world.connect(alice), register)).toBe('ok');
    world.verdict(world.connect(alice), { verb: 'tokens', version: 1, reset: true, tokens: [{ granted: true, hash: nobleCrypto.blake3(token) }] });
    const depositor = world.connect();
    const verdicts = Array.from({ length: 6 }, (_, index) => world.verdict(depositor, depositOf(alice.mailbox, letter(100 + index), { token, lane: 'receipt' })));
    expect(verdicts).toEqual(['ok', 'ok', 'ok', 'ok', 'quota', 'quota']);
  });

  it('follow a list that changes: who is on it no longer is refused, hears no doorbell, and nobody may write to them', () => {
    const world = new RelayWorld({ registration: { list: [alice.mailbox.identity] }, mailbox: { letters: 2, bytes: 4_096 } });
    const owner = world.connect(alice);
    publish(world, alice);
    const answered = world.ask(owner, register);
    expect(decodeRegisterResponse(first(answered))).toMatchObject({ quotaLetters: 2, quotaBytes: 4_096 });
    const rung = doorbell(world);
    const depositor = world.connect();
    world.verdict(owner, { verb: 'tokens', version: 1, reset: true, tokens: [{ granted: true, hash: nobleCrypto.blake3(token) }] });
    expect(world.verdict(depositor, depositOf(alice.mailbox, letter(1), { token }))).toBe('ok');
    expect(rung.length).toBe(1);
    world.role.setMembers([device(2).mailbox.identity]);
    expect(world.role.sessionsOf(alice.mailbox)).toEqual([]);
    for (const body of all) expect(world.verdict(owner, body)).toBe('refused');
    expect(world.verdict(depositor, depositOf(alice.mailbox, letter(2), { token }))).toBe('no-mailbox');
    publish(world, device(2));
    expect(world.verdict(world.connect(device(2)), register)).toBe('ok');
    world.role.setMembers([alice.mailbox.identity]);
    expect(world.verdict(owner, register)).toBe('ok');
    expect(fragmentsOf(world.ask(owner, list())).flatMap(({ entries }) => entries).length).toBe(1);
  });

  it('register answers epoch, token version, quota and what waits', () => {
    const { world, owner } = withMail(3);
    expect(decodeRegisterResponse(first(world.ask(owner, register)))).toEqual({
      epoch, tokensVersion: 1, quotaLetters: mailboxQuota.letters, quotaBytes: mailboxQuota.bytes, letters: 3, bytes: 3 * (453 + 256),
    });
  });

  it('list gives letters in order, as many as fit, and says how many remain', () => {
    const { world, owner } = withMail(20);
    const found: number[] = [];
    let after = 0;
    for (let passes = 0; passes < 10; passes += 1) {
      const fragments = fragmentsOf(world.ask(owner, list(after, 4)));
      expect(fragments.length).toBeLessThanOrEqual(4);
      for (const fragment of fragments) for (const entry of fragment.entries) { found.push(entry.sequence); after = entry.sequence; }
      if (fragments.at(-1)?.remaining === 0) break;
    }
    expect(found).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(fragmentsOf(world.ask(owner, list(20)))).toEqual([{ epoch, remaining: 0, entries: [] }]);
  });

  it('list with the cursor of another epoch begins anew', () => {
    const { world, owner } = withMail(2);
    expect(fragmentsOf(world.ask(owner, list(2, 16, new Uint8Array(8)))).flatMap(({ entries }) => entries.map(({ sequence }) => sequence))).toEqual([1, 2]);
    expect(fragmentsOf(world.ask(owner, list(2, 16, new Uint8Array(8))))[0]?.epoch).toEqual(epoch);
  });

  it('ack ends letters as acked or unopenable, again without harm', () => {
    const { world, owner, depositor } = withMail(3);
    const ack: RequestBody = { verb: 'ack', letters: [{ letterId: letter(0).letterId, verdict: 'committed' }, { letterId: letter(1).letterId, verdict: 'unopenable' }] };
    expect(world.verdict(owner, ack)).toBe('ok');
    expect(world.verdict(owner, ack)).toBe('ok');
    expect([0, 1, 2, 9].map((number) => stateOf(world, depositor, number))).toEqual(['acked', 'unopenable', 'held', 'unknown']);
    expect(fragmentsOf(world.ask(owner, list())).flatMap(({ entries }) => entries.map(({ sequence }) => sequence))).toEqual([3]);
  });

  it('of one owner do not touch the mailbox of another', () => {
    const { world, depositor } = withMail(1);
    const other = world.connect(device(2));
    world.verdict(other, register);
    expect(fragmentsOf(world.ask(other, list()))).toEqual([{ epoch, remaining: 0, entries: [] }]);
    world.ask(other, { verb: 'ack', letters: [{ letterId: letter(0).letterId, verdict: 'committed' }] });
    expect(stateOf(world, depositor, 0)).toBe('held');
  });
});

describe('withdraw', () => {
  it('works for whoever shows the purge key, and for nobody else', () => {
    const { world, depositor } = withMail(1);
    const withdraw = (purgeKey: Uint8Array): LetterState | undefined =>
      decodeLetterState(first(world.ask(depositor, { verb: 'withdraw', mailbox: alice.mailbox, letterId: letter(0).letterId, purgeKey })));
    expect(withdraw(new Uint8Array(32))).toBe('held');
    expect(withdraw(letter(0).purgeHash)).toBe('held');
    expect(withdraw(letter(0).purgeKey)).toBe('withdrawn');
    expect(stateOf(world, depositor, 0)).toBe('withdrawn');
  });
});

describe('bodies', () => {
  it('are given to any session that knows the name, also an anonymous one', () => {
    const { world, depositor, owner } = withMail(0);
    const sealed = letter(1, 16_384);
    const name = { root: sealed.bodyRoot, length: 16_384 };
    world.pair.left.publisher.offer(name, sealed.body);
    expect(world.verdict(depositor, depositOf(alice.mailbox, sealed, { token }))).toBe('ok');
    for (const session of [owner, world.connect()]) {
      let outcome: PullOutcome | undefined;
      world.pair.left.pull(session, name, (ended) => { outcome = ended; }, world.now);
      world.pair.run(500);
      expect(outcome?.kind === 'pulled' && nobleCrypto.blake3(outcome.bytes)).toEqual(sealed.bodyRoot);
    }
    let outcome: PullOutcome | undefined;
    world.pair.left.pull(owner, { root: new Uint8Array(32), length: 256 }, (ended) => { outcome = ended; }, world.now);
    world.pair.run(500);
    expect(outcome).toEqual({ kind: 'failed', reason: 'absent' });
  });
});

describe('the doorbell', () => {
  it('rings once for a batch, with the highest sequence', () => {
    const { world, depositor, owner } = withMail(0);
    const rung = doorbell(world);
    for (let number = 0; number < 40; number += 1) world.start(depositor, depositOf(alice.mailbox, letter(number), { token }), () => undefined);
    world.pair.run(500);
    expect(rung).toEqual([{ session: owner, sequence: 40 }]);
    world.verdict(depositor, depositOf(alice.mailbox, letter(0), { token }));
    world.pair.run(500);
    expect(rung).toHaveLength(1);
  });

  it('shows a short letter, which is fetched once the owner has answered', () => {
    const { world, depositor } = withMail(0);
    const shown: (ListEntry | undefined)[] = [];
    let held = true;
    world.pair.fate = (frame, from) => (from === 'right' && frame[1] === 14 && held ? [] : [0]);
    world.pair.left.handle('notify', (_session, body, answer, now) => {
      if (body.verb === 'notify') shown.push(body.entry);
      answer.respond(new Uint8Array(0), now);
    });
    world.verdict(depositor, depositOf(alice.mailbox, letter(1), { token }));
    expect(stateOf(world, depositor, 1)).toBe('held');
    held = false;
    world.pair.run(5_000);
    expect(shown).toEqual([{
      sequence: 1, letterId: letter(1).letterId, lane: 'letter', remainingSeconds: expect.any(Number) as number, heldForSeconds: 0,
      bodyRoot: letter(1).bodyRoot, bodyLength: letter(1).body.length, header: letter(1).header, inlineBody: letter(1).body,
    }]);
    expect(stateOf(world, depositor, 1)).toBe('fetched');
  });

  it('only says that there is something when the owner did not take what was shown', () => {
    const { world, depositor } = withMail(0);
    const shown: boolean[] = [];
    let held = true;
    world.pair.fate = (frame, from) => (from === 'right' && frame[1] === 14 && held ? [] : [0]);
    world.pair.left.handle('notify', (_session, body, answer, now) => {
      if (body.verb === 'notify') shown.push(body.entry !== undefined);
      answer.respond(new Uint8Array(0), now);
    });
    world.verdict(depositor, depositOf(alice.mailbox, letter(1), { token }));
    world.pair.run(11_000);
    held = false;
    world.pair.run(10_000);
    expect(shown).toEqual([false]);
    expect(stateOf(world, depositor, 1)).toBe('held');
  });

  it('rings again for what came while it rang', () => {
    const { world, depositor } = withMail(0);
    const rung = doorbell(world);
    let held = true;
    world.pair.fate = (frame, from) => (from === 'right' && frame[1] === 14 && held ? [] : [0]);
    world.verdict(depositor, depositOf(alice.mailbox, letter(1), { token }));
    world.verdict(depositor, depositOf(alice.mailbox, letter(2), { token }));
    expect(rung).toEqual([]);
    held = false;
    world.pair.run(10_000);
    expect(rung.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  it('rings all live sessions of the owner and none that closed', () => {
    const { world, depositor, owner } = withMail(0);
    const rung = doorbell(world);
    const second = world.connect(alice);
    world.verdict(second, register);
    world.verdict(depositor, depositOf(alice.mailbox, letter(1), { token }));
    world.pair.run(500);
    expect(rung.map(({ session }) => session)).toEqual([owner, second]);
    world.close(owner);
    world.verdict(depositor, depositOf(alice.mailbox, letter(2), { token }));
    world.pair.run(500);
    expect(rung.map(({ session }) => session)).toEqual([owner, second, second]);
  });

  it('rings when a visor registers and letters wait', () => {
    const { world } = withMail(2);
    world.restart('drop');
    const rung = doorbell(world);
    const owner = world.connect(alice);
    world.verdict(owner, register);
    world.pair.run(500);
    expect(rung).toEqual([{ session: owner, sequence: 2 }]);
  });
});

describe('expiry', () => {
  it('follows elapsed time and is seen by depositors', () => {
    const { world, depositor, owner } = withMail(0);
    world.verdict(depositor, depositOf(alice.mailbox, letter(0), { token, ttlSeconds: 120 }));
    world.pair.run(100_000);
    expect(stateOf(world, depositor, 0)).toBe('held');
    world.pair.run(90_000);
    expect(stateOf(world, depositor, 0)).toBe('expired');
    expect(world.role.counters['expired']).toBe(1);
    expect(fragmentsOf(world.ask(owner, list()))[0]?.entries).toEqual([]);
  });

  it('counts the time that the relay was off, when that is under a day', () => {
    const { world, depositor } = withMail(0);
    world.verdict(depositor, depositOf(alice.mailbox, letter(0), { token, ttlSeconds: 7_200 }));
    world.pair.run(20_000);
    world.restart('drop', 3 * 3_600_000);
    world.pair.run(70_000);
    expect(stateOf(world, world.connect(), 0)).toBe('expired');
  });

  it('stops after a start more than a day off, until the clock is confirmed', () => {
    const { world, depositor } = withMail(0);
    world.verdict(depositor, depositOf(alice.mailbox, letter(0), { token, ttlSeconds: 2.5 * 86_400 }));
    world.pair.run(20_000);
    world.shiftWall(3 * day);
    world.restart('drop');
    expect(world.role.expirySuspended).toBe(true);
    expect(world.logged).toContain('mailbox.expiry-suspended');
    world.pair.run(120_000);
    const session = world.connect();
    expect(stateOf(world, session, 0)).toBe('held');
    world.restart('drop');
    expect(world.role.expirySuspended).toBe(true);
    world.role.confirmClock(world.now);
    world.pair.run(1_000);
    expect(world.role.expirySuspended).toBe(false);
    expect(stateOf(world, world.connect(), 0)).toBe('expired');
    world.restart('drop');
    expect(world.role.expirySuspended).toBe(false);
  });

  it('stops when the wall clock jumps by more than a day while running', () => {
    const { world, depositor } = withMail(0);
    world.verdict(depositor, depositOf(alice.mailbox, letter(0), { token, ttlSeconds: 7_200 }));
    world.shiftWall(-2 * day);
    world.pair.run(60_000);
    expect(world.role.expirySuspended).toBe(true);
    const before = world.operations.length;
    world.pair.run(200_000);
    expect(world.operations.slice(before)).not.toContain('expire');
    world.role.confirmClock(world.now);
    world.pair.run(1_000);
    expect(world.operations.slice(before)).toContain('expire');
    expect(stateOf(world, depositor, 0)).toBe('held');
  });

  it('goes in batches until nothing is due', () => {
    const world = new RelayWorld();
    world.verdict(world.connect(alice), register);
    for (let number = 0; number < 1_200; number += 1) {
      const { header, body, bodyRoot, letterId, purgeHash } = { ...letter(1), letterId: nobleCrypto.blake3(Uint8Array.of(number >> 8, number & 255)) };
      world.store.apply<'deposit'>({
        op: 'deposit', mailbox: alice.mailbox, tokenHash: undefined, lane: 'letter', letterId, header, body, bodyRoot, purgeHash, ttlSeconds: 60, elapsedMs: 0, wallMs: 0,
        quota: { ...mailboxQuota, letters: 5_000, bytes: 64 * 1_048_576, strangerLetters: 5_000 },
      });
    }
    world.pair.run(130_000);
    expect(world.role.counters['expired']).toBe(1_200);
  });

  it('ticks every ten seconds with activity and every minute without', () => {
    const { world, depositor } = withMail(0);
    world.pair.run(60_000);
    const ticks = (): number => world.operations.filter((op) => op === 'tick').length;
    const idle = ticks();
    world.pair.run(600_000);
    expect(ticks() - idle).toBe(10);
    const busy = ticks();
    for (let round = 0; round < 60; round += 1) {
      stateOf(world, depositor, 0);
      world.pair.run(10_000 - 100);
    }
    expect(ticks() - busy).toBeGreaterThanOrEqual(55);
  });
});

describe('hostile requests', () => {
  it('with any body are answered or dropped, and the relay still works', () => {
    fc.assert(fc.property(fc.array(fc.record({ verb: fc.integer({ min: 0, max: 17 }), body: fc.uint8Array({ maxLength: 1_153 }) }), { maxLength: 25 }), (requests) => {
      const { world, owner, depositor } = withMail(0);
      for (const [index, { verb, body }] of requests.entries()) {
        const frame = new Uint8Array(requestHeaderBytes + body.length);
        frame.set([0x01, verb, index]);
        frame.set(body, requestHeaderBytes);
        world.pair.right.handleFrame(index % 2 === 0 ? owner : depositor, frame, world.now);
      }
      world.pair.run(200);
      expect(world.verdict(owner, register)).toBe('ok');
    }), { numRuns: 25 });
  });

  it('of a session that closed meanwhile leave nothing behind', () => {
    const { world } = withMail(0);
    const rung = doorbell(world);
    const late = world.connect(device(2));
    world.start(late, register, () => undefined);
    world.pair.run(11);
    world.close(late);
    world.pair.run(500);
    expect(world.verdict(world.connect(), depositOf(device(2).mailbox, letter(1)))).toBe('ok');
    world.pair.run(500);
    expect(rung).toEqual([]);
  });
});
