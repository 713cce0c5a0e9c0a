/**
 * Relay mail in SQLite: dispatches each request to the file that knows it. Applied inside a transaction that the caller opened.
 *
 * A letter passes `held`, `fetched`, then one of `acked`, `unopenable`, `expired`, `withdrawn`. Its bytes (table `letter`) are deleted
 * at the end of that; its row in `seen` stays until a day after the letter's own expiry. Counters of what waits stand in the
 * mailbox and token rows, changed in the same transaction as the letters they count. After a rolled-back transaction the object is to be
 * thrown away with its caches, which `StoreFile` does.
 */
import type Database from 'better-sqlite3';
import type { MailOperation, MailRequest, MailResults, MailStore } from '../../../engine/mail/mail-store.ts';
import { Statements } from '../statements.ts';
import { Blobs } from './blobs.ts';
import { Deposits } from './deposits.ts';
import { Letters } from './letters.ts';
import { Listing } from './listing.ts';
import { MailClock } from './mail-clock.ts';
import { Mailboxes } from './mailboxes.ts';
import { Records } from './records.ts';
import { SeenLetters } from './seen.ts';
import { Settling } from './settling.ts';
import { Tokens } from './tokens.ts';

type Handlers = { readonly [Op in MailOperation]: (request: Extract<MailRequest, { op: Op }>) => MailResults[Op] };

export class SqliteMailStore implements MailStore {
  readonly #clock: MailClock;
  readonly #handlers: Handlers;

  /** `database`: opened and migrated with `mailMigrations`. */
  constructor(database: Database.Database) {
    const statements = new Statements(database);
    const clock = new MailClock(statements);
    const mailboxes = new Mailboxes(statements);
    const tokens = new Tokens(statements, mailboxes);
    const seen = new SeenLetters(statements);
    const letters = new Letters(statements, mailboxes, tokens);
    const deposits = new Deposits(mailboxes, tokens, seen, letters);
    const listing = new Listing(statements, mailboxes, letters, seen);
    const blobs = new Blobs(statements, mailboxes, tokens);
    const settling = new Settling(mailboxes, letters, seen, tokens, blobs);
    const records = new Records(statements);
    this.#clock = clock;
    this.#handlers = {
      'open': (request) => clock.open(request),
      'tick': (request) => clock.tick(request),
      'register': (request) => mailboxes.register(request.mailbox, request.elapsedMs),
      'tokens': (request) => tokens.update(request),
      'deposit': (request) => deposits.deposit(request),
      'check-deposit': (request) => deposits.check(request),
      'list': (request) => listing.list(request),
      'shown': (request) => listing.shown(request),
      'body': (request) => listing.body(request, clock.latestMs()),
      'ack': (request) => settling.ack(request),
      'withdraw': (request) => settling.withdraw(request),
      'status': (request) => settling.status(request),
      'refusals': (request) => tokens.takeRefusals(request),
      'expire': (request) => settling.expire(request),
      'revoke-device': (request) => settling.revokeDevice(request),
      'hold-blob': (request) => blobs.hold(request),
      'blob-complete': (request) => blobs.complete(request),
      'drop-blob': (request) => blobs.drop(request),
      'blobs': () => blobs.all(),
      'expire-blobs': (request) => blobs.expire(request),
      'put-record': (request) => records.put(request),
      'get-record': (request) => records.get(request),
      'expire-records': (request) => records.expire(request),
    };
  }

  apply<Op extends MailOperation>(request: Extract<MailRequest, { op: Op }>): MailResults[Op] {
    if ('elapsedMs' in request && typeof request.elapsedMs === 'number') this.#clock.noteTime(request.elapsedMs);
    const handler: Handlers[Op] = this.#handlers[request.op];
    return handler(request);
  }
}
