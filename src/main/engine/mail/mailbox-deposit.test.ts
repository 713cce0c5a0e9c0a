import { describe, expect, it } from 'vitest';
import { nobleCrypto } from '../noble-crypto.ts';
import { decodeNegative, decodeFrame, encodeRequest } from '../wire/frame.ts';
import { verifySignedReceipt } from '../wire/receipt.ts';
import { strangersPerMinute } from './mailbox-deposit.ts';
import { mailboxQuota } from './mailbox-context.ts';
import { RelayWorld, commitMs, depositOf, device, letter, relaySeed } from './mailbox-testing.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { SealedLetter, StorageReceipt } from '../wire/types.ts';

const alice = device(1);
const register = { verb: 'register', tokensVersion: 0 } as const;
const token = new Uint8Array(16).fill(8);
const relayKey = nobleCrypto.ed25519PublicKey(relaySeed);

function receiptOf(outcome: RequestOutcome | undefined): StorageReceipt {
  const payload = outcome?.kind === 'answered' ? outcome.payloads[0] : undefined;
  const receipt = payload === undefined ? undefined : verifySignedReceipt(nobleCrypto, payload, relayKey);
  if (receipt === undefined) throw new Error(`no receipt but ${JSON.stringify(outcome)}`);
  return receipt;
}

function registered(): { readonly world: RelayWorld; readonly owner: number; readonly depositor: number } {
  const world = new RelayWorld();
  const owner = world.connect(alice);
  world.verdict(owner, register);
  return { world, owner, depositor: world.connect() };
}

const grant = (world: RelayWorld, owner: number, granted = true): string =>
  world.verdict(owner, { verb: 'tokens', version: 1, reset: false, tokens: [{ granted, hash: nobleCrypto.blake3(token) }] });

function offer(world: RelayWorld, sealed: SealedLetter): void {
  world.pair.left.publisher.offer({ root: sealed.bodyRoot, length: sealed.body.length }, sealed.body);
}

describe('a deposit', () => {
  it('with the body inline is answered with a signed receipt of what was stored', () => {
    const { world, depositor } = registered();
    const sealed = letter(1);
    const receipt = receiptOf(world.ask(depositor, depositOf(alice.mailbox, sealed)));
    expect(receipt).toMatchObject({ letterId: sealed.letterId, recipient: alice.mailbox.identity, deviceId: alice.mailbox.deviceId, state: 'held', expiresInSeconds: 86_400, epoch: new Uint8Array(8).fill(9) });
  });

  it('with a larger body has it pulled from the depositor', () => {
    const { world, depositor } = registered();
    for (const [index, sizeBytes] of [1_024, 4_096, 66_560].entries()) {
      const sealed = letter(index, sizeBytes);
      offer(world, sealed);
      expect(receiptOf(world.ask(depositor, depositOf(alice.mailbox, sealed))).letterId).toEqual(sealed.letterId);
      expect(world.store.apply<'body'>({ op: 'body', root: sealed.bodyRoot, length: sizeBytes }).body).toEqual(new Uint8Array(sealed.body));
    }
  });

  it('is not pulled, and not stored, when there is no room or no mailbox', () => {
    const { world, depositor } = registered();
    const sealed = letter(1, 4_096);
    const before = world.pair.sent.length;
    expect(world.verdict(depositor, depositOf(device(2).mailbox, sealed))).toBe('no-mailbox');
    const asked = world.pair.sent.slice(before).filter(({ from, frame }) => from === 'right' && decodeFrame(frame)?.type === 'request');
    expect(asked).toEqual([]);
    expect(world.operations.filter((op) => op === 'deposit')).toEqual([]);
  });

  it('whose body the depositor does not have, or gives wrongly, is refused', () => {
    const { world, depositor } = registered();
    const sealed = letter(1, 1_024);
    expect(world.verdict(depositor, depositOf(alice.mailbox, sealed))).toBe('not-found');
    world.pair.left.publisher.offer({ root: sealed.bodyRoot, length: 1_024 }, new Uint8Array(1_024));
    expect(world.verdict(depositor, depositOf(alice.mailbox, sealed))).toBe('malformed');
    expect(world.operations.filter((op) => op === 'deposit')).toEqual([]);
  });

  it('that is malformed is refused before the store is asked', () => {
    const { world, depositor } = registered();
    const sealed = letter(1);
    const before = world.operations.length;
    for (const changes of [{ header: sealed.header.subarray(1) }, { header: new Uint8Array(454) }, { header: new Uint8Array(0) }, { ttlSeconds: 30 * 86_400 + 1 }, { ttlSeconds: 0xffff_ffff },
      { bodyLength: 0 }, { bodyLength: 255 }, { inlineBody: sealed.body.subarray(1) }, { bodyRoot: new Uint8Array(32) }, { bodyLength: 0, inlineBody: undefined }]) {
      expect(world.verdict(depositor, depositOf(alice.mailbox, sealed, changes))).toBe('malformed');
    }
    expect(world.verdict(depositor, depositOf(alice.mailbox, sealed, { bodyLength: 66_561, inlineBody: undefined }))).toBe('too-large');
    expect(world.verdict(depositor, depositOf(alice.mailbox, sealed, { bodyLength: 0xffff_ffff, inlineBody: undefined }))).toBe('too-large');
    expect(world.operations.slice(before).filter((op) => op !== 'tick' && op !== 'expire')).toEqual([]);
  });

  it('lives for at least a minute and at most thirty days', () => {
    const { world, depositor } = registered();
    expect(receiptOf(world.ask(depositor, depositOf(alice.mailbox, letter(1), { ttlSeconds: 0 }))).expiresInSeconds).toBe(60);
    expect(receiptOf(world.ask(depositor, depositOf(alice.mailbox, letter(2), { ttlSeconds: 30 * 86_400 }))).expiresInSeconds).toBe(30 * 86_400);
  });

  it('is not acknowledged before its commit', () => {
    const { world, depositor } = registered();
    let ended: RequestOutcome | undefined;
    world.start(depositor, depositOf(alice.mailbox, letter(1)), (outcome) => { ended = outcome; });
    world.pair.run(10);
    expect(world.waitingRequests).toBe(1);
    const before = world.pair.sent.length;
    world.pair.run(commitMs - 1);
    expect(world.pair.sent.slice(before).filter(({ from }) => from === 'right')).toEqual([]);
    world.pair.run(100);
    expect(receiptOf(ended).state).toBe('held');
  });

  it('many in one commit share one signature', () => {
    const { world, depositor, owner } = registered();
    grant(world, owner);
    const outcomes: RequestOutcome[] = [];
    const before = world.role.counters['signatures'] ?? 0;
    for (let index = 0; index < 50; index += 1) world.start(depositor, depositOf(alice.mailbox, letter(index), { token }), (outcome) => outcomes.push(outcome));
    world.pair.run(1_000);
    expect(outcomes.map((outcome) => receiptOf(outcome).letterId)).toEqual(Array.from({ length: 50 }, (_, index) => letter(index).letterId));
    expect((world.role.counters['signatures'] ?? 0) - before).toBe(1);
  });

  it('repeated under another request says what became of the letter, and stores nothing', () => {
    const { world, depositor, owner } = registered();
    world.ask(depositor, depositOf(alice.mailbox, letter(1)));
    expect(receiptOf(world.ask(depositor, depositOf(alice.mailbox, letter(1)))).state).toBe('held');
    world.ask(owner, { verb: 'ack', letters: [{ letterId: letter(1).letterId, verdict: 'committed' }] });
    expect(receiptOf(world.ask(depositor, depositOf(alice.mailbox, letter(1)))).state).toBe('acked');
    expect(world.role.counters['stored']).toBe(1);
    expect(world.role.counters['duplicates']).toBe(2);
  });

  it('answered by a restart between commit and answer gets its receipt at the next try, and is stored once', () => {
    for (const pending of ['keep', 'drop'] as const) {
      const { world, depositor } = registered();
      let ended: RequestOutcome | undefined;
      world.start(depositor, depositOf(alice.mailbox, letter(1)), (outcome) => { ended = outcome; });
      world.pair.run(11);
      expect(world.waitingRequests).toBe(1);
      world.restart(pending, 1_000);
      expect(ended).toBeUndefined();
      const receipt = receiptOf(world.ask(world.connect(), depositOf(alice.mailbox, letter(1))));
      expect(receipt.letterId).toEqual(letter(1).letterId);
      expect(receipt.state).toBe('held');
      const listed = world.store.apply<'list'>({ op: 'list', mailbox: alice.mailbox, afterSequence: 0, mostBytes: 10_000, elapsedMs: 0 });
      expect(listed.entries).toHaveLength(1);
      expect(world.role.counters['duplicates'] ?? 0).toBe(pending === 'keep' ? 1 : 0);
    }
  });

  it('under a token counts against that token; over it, retry-after is five minutes and the owner is told', () => {
    const { world, depositor, owner } = registered();
    expect(grant(world, owner)).toBe('ok');
    for (let index = 0; index < mailboxQuota.lettersPerToken; index += 1) expect(world.verdict(depositor, depositOf(alice.mailbox, letter(index), { token }))).toBe('ok');
    expect(world.ask(depositor, depositOf(alice.mailbox, letter(500), { token }))).toEqual({ kind: 'negative', negative: { code: 'quota', retryAfterSeconds: 300, detail: 1 } });
    expect(world.verdict(depositor, depositOf(alice.mailbox, letter(501), { token, lane: 'receipt' }))).toBe('ok');
    expect(world.ask(owner, { verb: 'refusals' })).toEqual({ kind: 'answered', payloads: [Uint8Array.of(1, ...nobleCrypto.blake3(token))] });
    expect(world.ask(owner, { verb: 'refusals' })).toEqual({ kind: 'answered', payloads: [Uint8Array.of(0)] });
  });

  it('under a revoked token is refused', () => {
    const { world, depositor, owner } = registered();
    grant(world, owner);
    grant(world, owner, false);
    expect(world.verdict(depositor, depositOf(alice.mailbox, letter(1), { token }))).toBe('revoked');
  });

  it('with a token that the mailbox was not told of is rated like a stranger\'s', () => {
    const { world, owner } = registered();
    grant(world, owner);
    const invented = (index: number): Uint8Array => new Uint8Array(16).fill(200 - index);
    const verdicts: string[] = [];
    for (let index = 0; index < strangersPerMinute + 5; index += 1) {
      verdicts.push(world.verdict(world.connect(undefined, `203.0.113.${String(index)}`), depositOf(alice.mailbox, letter(index), { token: invented(index) })));
    }
    expect(verdicts.filter((verdict) => verdict === 'ok').length).toBeLessThanOrEqual(strangersPerMinute + 1);
    expect(verdicts.at(-1)).toBe('busy');
    expect(world.verdict(world.connect(undefined, '203.0.113.99'), depositOf(alice.mailbox, letter(100), { token }))).toBe('ok');
    expect(world.verdict(world.connect(undefined, '198.51.100.1'), depositOf(alice.mailbox, letter(101), { token: invented(101) }))).toBe('ok');
  });

  it('with invented tokens keeps to the rate of strangers also when all come at once, and to many mailboxes', () => {
    const world = new RelayWorld();
    const owners = [1, 2, 3, 4].map((number) => device(number));
    for (const owner of owners) world.verdict(world.connect(owner), { verb: 'register', tokensVersion: 0 });
    let stored = 0;
    owners.forEach((owner, column) => {
      const depositor = world.connect(undefined, '198.51.100.7');
      for (let row = 0; row < 45; row += 1) {
        const invented = new Uint8Array(16).fill(1).with(0, column).with(1, row);
        world.start(depositor, depositOf(owner.mailbox, letter(column * 100 + row), { token: invented }), (outcome) => { if (outcome.kind === 'answered') stored += 1; });
      }
    });
    world.pair.run(1_000);
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThanOrEqual(strangersPerMinute + 1);
  });

  it('finds a place for its body though others offer bodies for mailboxes that do not exist', () => {
    const world = new RelayWorld();
    const owner = device(1);
    world.verdict(world.connect(owner), { verb: 'register', tokensVersion: 0 });
    for (let column = 0; column < 8; column += 1) {
      const attacker = world.connect(undefined, '198.51.100.7');
      for (let row = 0; row < 32; row += 1) {
        world.start(attacker, depositOf(device(99).mailbox, letter(10_000 + column * 100 + row, 1_024), { token: new Uint8Array(16).fill(1).with(0, column).with(1, row) }), () => undefined);
      }
    }
    const honest = letter(1, 1_024);
    world.pair.left.publisher.offer({ root: honest.bodyRoot, length: honest.body.length }, honest.body);
    let told = '';
    world.start(world.connect(undefined, '203.0.113.1'), depositOf(owner.mailbox, honest), (outcome) => { told = outcome.kind; });
    world.pair.run(2_000);
    expect(told).toBe('answered');
  });

  it('of a stranger is rated by address prefix, with the wait in the answer; tokens are not', () => {
    const { world, owner } = registered();
    grant(world, owner);
    const outcomes: RequestOutcome[] = [];
    for (let index = 0; index < 35; index += 1) {
      world.start(world.connect(undefined, `203.0.113.${String(index)}`), depositOf(alice.mailbox, letter(index)), (outcome) => outcomes.push(outcome));
    }
    world.pair.run(500);
    const refused = outcomes.filter((outcome) => outcome.kind === 'negative');
    expect(refused).toEqual(Array.from({ length: 5 }, () => ({ kind: 'negative', negative: { code: 'busy', retryAfterSeconds: 2, detail: 0 } })));
    expect(world.verdict(world.connect(undefined, '203.0.113.99'), depositOf(alice.mailbox, letter(100), { token }))).toBe('ok');
    expect(world.verdict(world.connect(undefined, '198.51.100.1'), depositOf(alice.mailbox, letter(101)))).toBe('ok');
    world.pair.run(60_000);
    expect(world.verdict(world.connect(undefined, '203.0.113.99'), depositOf(alice.mailbox, letter(102)))).toBe('ok');
  });

  it('cannot take all the room for bodies under way', () => {
    const { world, owner, depositor } = registered();
    grant(world, owner);
    world.pair.left.publisher.setFallback(() => undefined);
    const codes: string[] = [];
    for (let index = 0; index < 40; index += 1) {
      world.start(depositor, depositOf(alice.mailbox, letter(index, 1_024), { token }), (outcome) => codes.push(outcome.kind === 'negative' ? outcome.negative.code : outcome.kind));
    }
    world.pair.run(1_000);
    expect(codes).toEqual(Array.from({ length: 8 }, () => 'busy'));
    world.close(depositor);
    const next = world.connect();
    const sealed = letter(99, 1_024);
    offer(world, sealed);
    expect(world.verdict(next, depositOf(alice.mailbox, sealed, { token }))).toBe('ok');
  });

  it('with bytes after its end, or cut short, is malformed', () => {
    const { world, depositor } = registered();
    const frame = encodeRequest(new Uint8Array(16).fill(1), depositOf(alice.mailbox, letter(1)));
    const before = world.pair.sent.length;
    for (const bytes of [frame.subarray(0, 200), frame.subarray(0, frame.length - 257)]) world.pair.right.handleFrame(depositor, bytes, world.now);
    world.pair.run(100);
    const codes = world.pair.sent.slice(before).map(({ frame: sent }) => { const decoded = decodeFrame(sent); return decoded?.type === 'response' && decoded.negative ? decodeNegative(decoded.payload)?.code : undefined; });
    expect(codes).toEqual(['malformed', 'malformed']);
  });
});
