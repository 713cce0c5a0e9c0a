/**
 * A process for the crash tests: commits to both stores as fast as it can and writes a line `mail N` or `visor N` for each answer, until it is
 * killed. Arguments: directory, first number.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { letterOf, mailboxOf } from './mail/test-letters.ts';
import { StorageService } from './storage-service.ts';
import type { FromWorker, StoreRequest } from './worker-protocol.ts';

const [directory = '', firstNumber = '0'] = process.argv.slice(2);
const inFlight = 40;
const quota = { letters: 1e9, bytes: 1e12, lettersPerToken: 1e9, strangerLetters: 1e9, receipts: 1e9 };
const names = new Map<number, string>();
let next = Number(firstNumber);
let ticket = 0;

const requestOf = (store: 'mail' | 'visor', number: number): StoreRequest => {
  ticket += 1;
  names.set(ticket, `${store} ${String(number)}`);
  if (store === 'mail') return { ticket, store, request: { op: 'deposit', ...letterOf(number, { tokenHash: undefined, quota, body: new Uint8Array(1_040) }) } };
  const row = {
    id: `m${String(number)}`, conversationId: 'c', direction: 'in', text: `text ${String(number)}`, sentAtMs: 0, receivedAtMs: 0, expiresAtMs: 0, senderDevice: 'd', sequence: number, facts: {},
  } as const;
  return { ticket, store, request: { op: 'commit', changes: [{ kind: 'put-message', row }], unlessSeen: { sender: 's', messageId: row.id, prekeyId: 1 } } };
};

const refill = (): void => {
  const requests: StoreRequest[] = [];
  while (names.size < inFlight) {
    next += 1;
    requests.push(requestOf('mail', next), requestOf('visor', next));
  }
  service.take(requests);
};

const receive = (message: FromWorker): void => {
  if (message.kind !== 'replies') return;
  const lines = message.replies.flatMap((reply) => {
    const name = names.get(reply.ticket);
    names.delete(reply.ticket);
    if (!reply.ok) throw new Error(reply.failure.message);
    return name === undefined ? [] : [`${name}\n`];
  });
  writeSync(1, lines.join(''));
  setImmediate(refill);
};

const service = new StorageService(
  { visorPath: join(directory, 'visor.db'), mailPath: join(directory, 'mail.db'), localKey: new Uint8Array(32).fill(3) }, receive, (flush) => { setImmediate(flush); },
);
service.open();
service.take([
  { ticket: -1, store: 'mail', request: { op: 'open', freshEpoch: new Uint8Array(8).fill(next % 256), wallMs: 0 } },
  { ticket: -2, store: 'mail', request: { op: 'register', mailbox: mailboxOf(1), elapsedMs: 0 } },
]);
refill();
