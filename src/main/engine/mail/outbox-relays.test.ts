/** What a relay may answer to a deposit, and what is believed of it. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { encodeStorageReceipt, signReceipts } from '../wire/receipt.ts';
import { OutboxRelays, type DepositOutcome } from './outbox-relays.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { RelayLink, RelayLinks } from '../overlay/relay-links.ts';
import type { VisorContext } from '../visor-context.ts';
import type { NegativeCode, StorageReceipt } from '../wire/types.ts';
import type { OutboxRow } from './visor-store.ts';

const now = { monotonicMs: 0, wallMs: 1_000_000 };
const seed = new Uint8Array(32).fill(7);
const otherSeed = new Uint8Array(32).fill(8);
const recipient = `02${'11'.repeat(32)}`;
const hint = { publicKey: `03${'22'.repeat(32)}`, host: '127.0.0.1', port: 1 };
const deviceId = '33'.repeat(16);

const row: OutboxRow = {
  id: 'aa'.repeat(16), recipient, destinationPort: 1, sourcePort: 1, kind: 'message', content: new Uint8Array(1), sequence: 1, queuedAtMs: 0, expiresAtMs: 60_000, ttlSeconds: 60,
  attempts: 0, lastReason: undefined, facts: {}, stage: 'deposit',
  sealed: {
    letterId: new Uint8Array(32).fill(1), header: new Uint8Array(453), body: new Uint8Array(256), bodyRoot: new Uint8Array(32), purgeHash: new Uint8Array(32),
    purgeKey: new Uint8Array(32), deviceId, bundleCreatedSeconds: 0, sealedAtMs: 0,
  },
};
const honest: StorageReceipt = { letterId: new Uint8Array(32).fill(1), recipient, deviceId, state: 'held', expiresInSeconds: 60, storedAtMs: 0, epoch: new Uint8Array(8) };

/** The outcome of a deposit that is answered so. */
function outcomeOf(answer: RequestOutcome, memory: readonly OutboxRow[] = [row], relayHost = '192.0.2.1'): DepositOutcome | undefined {
  const link = { key: 'deposit/x', hint, purpose: 'deposit', state: 'connected', sessionId: 1 } as unknown as RelayLink;
  const links = {
    deposit: () => link, all: [link], session: () => ({ remoteCertificate: { ed25519: crypto.ed25519PublicKey(seed) } }),
    whenUp: (_link: RelayLink, _deadlineMs: number, at: typeof now, run: (up: boolean, at: typeof now) => void) => { run(true, at); },
  } as unknown as RelayLinks;
  const context = {
    crypto, sessions: { view: () => ({ address: { host: relayHost, port: 4430 } }) }, memory: { outbox: new Map(memory.map((one) => [one.id, one])) }, count: () => undefined,
    directed: { publisher: { offer: () => undefined, withdraw: () => undefined }, request: (_session: number, _body: unknown, options: { done: (outcome: RequestOutcome, at: typeof now) => void }) => { options.done(answer, now); } },
  } as unknown as VisorContext;
  let outcome: DepositOutcome | undefined;
  new OutboxRelays(context, links).deposit(row, hint, undefined, 60, now, { sending: () => undefined, done: (result) => { outcome = result; } });
  return outcome;
}

const signed = (receipt: Partial<StorageReceipt>, by = seed): RequestOutcome => ({ kind: 'answered', payloads: signReceipts(crypto, [encodeStorageReceipt({ ...honest, ...receipt })], by) });
const refusedWith = (code: NegativeCode): RequestOutcome => ({ kind: 'negative', negative: { code, retryAfterSeconds: 9, detail: 0 } });

describe('deposits', () => {
  it('a receipt that the relay signed for this letter is believed', () => {
    expect(outcomeOf(signed({}))).toEqual({ kind: 'held', relay: hint.publicKey, isOverTcp: false, expiresInMs: 60_000, fetched: false });
    expect(outcomeOf(signed({ state: 'acked' }))).toMatchObject({ kind: 'held', fetched: true });
  });

  it('what a relay took over TCP is told as that', () => {
    expect(outcomeOf(signed({}), [row], 'tcp/192.0.2.1')).toMatchObject({ kind: 'held', isOverTcp: true });
  });

  it.each([
    ['another letter', signed({ letterId: new Uint8Array(32).fill(2) })],
    ['another recipient', signed({ recipient: `02${'12'.repeat(32)}` })],
    ['another device', signed({ deviceId: '34'.repeat(16) })],
    ['another signer', signed({}, otherSeed)],
    ['nothing that parses', { kind: 'answered', payloads: [new Uint8Array(300)] } as const],
    ['nothing at all', { kind: 'answered', payloads: [] } as const],
  ])('a receipt for %s is not', (_what, answer) => {
    expect(outcomeOf(answer)).toEqual({ kind: 'refused', reason: 'relay-unreachable', retryAfterMs: 0, cause: 'none' });
  });

  it.each(['unknown', 'unopenable', 'expired', 'withdrawn'] as const)('a signed receipt in state %s asks for another sealing', (state) => {
    expect(outcomeOf(signed({ state }))).toMatchObject({ kind: 'refused', cause: 'seal-again' });
  });

  it.each([
    ['quota', 'relay-full', 'none'], ['busy', 'rate-limited', 'none'], ['no-mailbox', 'recipient-unknown', 'records-stale'], ['revoked', 'relay-refused', 'token-revoked'],
    ['malformed', 'relay-refused', 'none'],
  ] as const)('a refusal with %s reads %s', (code, reason, cause) => {
    expect(outcomeOf(refusedWith(code))).toEqual({ kind: 'refused', reason, retryAfterMs: 9_000, cause });
  });

  it('a letter that has ended, or was sealed anew, is not sent any more', () => {
    expect(outcomeOf(signed({}), [])).toMatchObject({ kind: 'refused', retryAfterMs: 0 });
    expect(outcomeOf(signed({}), [{ ...row, sealed: undefined }])).toMatchObject({ kind: 'refused' });
  });
});
