import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WaypostError } from '../../../shared/errors.ts';
import type { MailOperation, MailRequest, MailResults } from '../../engine/mail/mail-store.ts';
import type { VisorOperation, VisorRequest, VisorResults } from '../../engine/mail/visor-store.ts';
import { StorageClient } from './client.ts';
import type { Outcome } from './group-commit.ts';
import { letterOf, mailboxOf } from './mail/test-letters.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import type { StorageConfiguration } from './worker-protocol.ts';

const entry = new URL('../storage-worker.ts', import.meta.url);
const localKey = new Uint8Array(32).fill(1);

function start(configuration: Omit<StorageConfiguration, 'localKey'>, key = localKey) {
  const quarantined: string[] = [];
  const client = new StorageClient({ entry, configuration: { ...configuration, localKey: key }, quarantined: (store, path) => { quarantined.push(`${store} ${path}`); } });
  onTestFinished(() => client.close());
  const mail = (request: MailRequest) => new Promise<Outcome<MailResults[MailOperation]>>((resolve) => { client.submit('mail', request, resolve); });
  const visor = (request: VisorRequest) => new Promise<Outcome<VisorResults[VisorOperation]>>((resolve) => { client.submit('visor', request, resolve); });
  return { client, mail, visor, quarantined };
}

const row = {
  id: 'm1', conversationId: 'c', direction: 'in', text: 'hello', sentAtMs: 1, receivedAtMs: 2, expiresAtMs: 3, senderDevice: 'd', sequence: 1, facts: { readAtMs: 4 },
} as const;

describe('the storage worker', () => {
  it('serves both stores, and a query sees what was submitted before it', async () => {
    const directory = temporaryDirectory();
    const { client, mail, visor } = start({ visorPath: join(directory, 'visor.db'), mailPath: join(directory, 'mail.db') });
    await client.opened();
    const registered = mail({ op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 });
    // Cut from a larger buffer, as a datagram's fields are.
    const letter = letterOf(1, { tokenHash: undefined, body: new Uint8Array(5_000).fill(7).subarray(100, 372) });
    const deposited = mail({ op: 'deposit', ...letter });
    const committed = visor({ op: 'commit', changes: [{ kind: 'put-message', row }, { kind: 'put-value', key: 'name', value: 'Ada' }] });
    const found = client.query<'message'>({ query: 'message', messageId: 'm1' });
    expect(client.pending).toBe(4);
    expect(await found).toEqual({ message: { ...row, row: 1, missingBefore: 0 } });
    expect([await registered, await deposited, await committed]).toMatchObject([{ ok: true }, { ok: true, result: { outcome: 'stored' } }, { ok: true, result: { applied: true } }]);
    expect(await mail({ op: 'body', root: letter.bodyRoot, length: 272 })).toEqual({ ok: true, result: { body: new Uint8Array(272).fill(7) } });
    const loaded = await visor({ op: 'load' });
    expect(loaded).toMatchObject({ ok: true, result: { values: new Map([['name', 'Ada']]) } });
    expect(client.pending).toBe(0);
  });

  it('commits and answers what was submitted before an orderly close, and refuses what comes after', async () => {
    const visorPath = join(temporaryDirectory(), 'visor.db');
    const one = start({ visorPath });
    const last = one.visor({ op: 'commit', changes: [{ kind: 'put-value', key: 'last', value: 'words' }] });
    await one.client.close();
    expect(await last).toEqual({ ok: true, result: { applied: true } });
    expect(await one.visor({ op: 'load' })).toMatchObject({ ok: false, failure: { code: 'internal' } });
    const two = start({ visorPath });
    expect(await two.visor({ op: 'load' })).toMatchObject({ ok: true, result: { values: new Map([['last', 'words']]) } });
  });

  it('says why it cannot open', async () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    const { client, visor } = start({ visorPath: join(file, 'visor.db') });
    const failure: unknown = await client.opened().catch((error: unknown) => error);
    expect(failure instanceof WaypostError ? failure.code : failure).toBe('profile-unwritable');
    expect(await visor({ op: 'load' })).toMatchObject({ ok: false, failure: { code: 'profile-unwritable' } });
  });

  it('tells where a damaged database went', async () => {
    const visorPath = join(temporaryDirectory(), 'visor.db');
    writeFileSync(visorPath, 'not a database at all, but long enough to be looked at as one'.repeat(20));
    const { client, visor, quarantined } = start({ visorPath });
    await client.opened();
    expect(quarantined).toHaveLength(1);
    expect(quarantined[0]).toContain(`visor ${visorPath}.corrupt-`);
    expect(await visor({ op: 'load' })).toMatchObject({ ok: true });
  });

  it('reports a wrong local key as damage and refuses a store that is not configured', async () => {
    const visorPath = join(temporaryDirectory(), 'visor.db');
    const one = start({ visorPath });
    await one.visor({ op: 'commit', changes: [{ kind: 'put-message', row }] });
    expect(await one.mail({ op: 'refusals', mailbox: mailboxOf(1) })).toMatchObject({ ok: false, failure: { code: 'internal' } });
    await one.client.close();
    const two = start({ visorPath }, new Uint8Array(32).fill(2));
    await expect(two.client.query<'message'>({ query: 'message', messageId: 'm1' })).rejects.toMatchObject({ code: 'database-corrupt' });
  });

  it('fails everything pending when the thread cannot start', async () => {
    const client = new StorageClient({ entry: new URL('./no-such-worker.ts', import.meta.url), configuration: { localKey } });
    const outcome = new Promise((resolve) => { client.submit('visor', { op: 'load' }, resolve); });
    await expect(client.opened()).rejects.toMatchObject({ code: 'internal' });
    expect(await outcome).toMatchObject({ ok: false, failure: { code: 'internal' } });
    await client.close();
  });
});
