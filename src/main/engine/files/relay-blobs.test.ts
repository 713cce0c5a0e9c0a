import { describe, expect, it } from 'vitest';
import { fileHeldMaximumBytes } from '../../../shared/file-views.ts';
import { RelayWorld, device } from '../mail/mailbox-testing.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import type { RelayPolicy } from '../engine-types.ts';

const alice = device(1);
const token = new Uint8Array(16).fill(8);

/** What a relay with this policy says to a contact of Alice's who wants so many bytes held for her. */
function verdictOn(policy: RelayPolicy, lengthBytes: number): string {
  const world = new RelayWorld(policy);
  const owner = world.connect(alice);
  world.verdict(owner, { verb: 'register', tokensVersion: 0 });
  world.verdict(owner, { verb: 'tokens', version: 1, reset: false, tokens: [{ granted: true, hash: nobleCrypto.blake3(token) }] });
  return world.verdict(world.connect(), { verb: 'hold', mailbox: alice.mailbox, token, ttlSeconds: 3_600, name: { root: new Uint8Array(32).fill(1), length: lengthBytes } });
}

describe('the room of a relay for files', () => {
  it('is what people are told where its operator says nothing', () => {
    expect(verdictOn({ registration: 'open' }, fileHeldMaximumBytes)).toBe('ok');
    expect(verdictOn({ registration: 'open' }, fileHeldMaximumBytes + 1)).toBe('quota');
  });

  it('is more or less where its operator says so', () => {
    expect(verdictOn({ registration: 'open', heldPerRecipientBytes: 2 ** 31 }, 2 ** 31)).toBe('ok');
    expect(verdictOn({ registration: 'open', heldPerRecipientBytes: 2 ** 31 }, 2 ** 31 + 1)).toBe('quota');
    expect(verdictOn({ registration: 'open', heldPerRecipientBytes: 2 ** 20 }, 2 ** 20 + 1)).toBe('quota');
  });
});
