/**
 * The relay role: mailboxes for people who are not always online.
 *
 * WHAT A RELAY IS. A cache of sealed, immutable data with content names, and a queue per mailbox of what is new for its owner. It cannot
 * read a letter, does not know who deposits (deposit sessions carry no certificate), and knows contacts only as hashes of tokens. All it
 * decides is how long and how much.
 *
 * WHO MAY DO WHAT. Anybody may fetch a record, publish one (its signatures speak for it; named ones only for oneself, mailbox-names.ts), deposit, and ask about or withdraw a letter
 * whose id or purge key they know. Registering, listing, acknowledging, tokens and refusals belong to the owner of the mailbox: a session whose
 * certificate is of that identity and device, unless the newest identity record held here has dropped the device (`revoked`), or the
 * operator's list lacks the identity (`refused`). `mailbox-owners.ts` decides; `mailbox-verbs.ts` and `mailbox-records.ts` act.
 *
 * BODIES are given to any session that names root and length, registered or not. The name is a hash of ciphertext under a random key: who
 * knows it has been told by the sender or has listed the letter. A check of ownership would protect nothing beyond that, cost a read of the
 * database for each pull, and keep a friend's visor or a second relay from fetching a body on the owner's behalf.
 *
 * FILES that are too large for letters are held beside them (engine/files, relay-blobs.ts), within a quota of their own.
 *
 * A PROMISE COMES AFTER THE COMMIT. Every answer that says something about stored state is sent from the store's callback. Storage
 * receipts gather during one batch of results; `flush` signs them under one Merkle root and sends them (`mailbox-receipts.ts`), and
 * rings each owner's doorbell once (`mailbox-doorbell.ts`). When the relay dies between commit and answer, the depositor repeats, the store
 * recognises the letter id, and the same letter gets its receipt without being stored twice.
 *
 * TIME. Letters live by the mail clock (`mail-clock.ts`), not by the wall clock; `mailbox-upkeep.ts` persists it and lets letters expire,
 * unless the wall clock has jumped by more than a day: then nothing is deleted until the operator has confirmed it.
 */
import { RelayBlobs } from '../files/relay-blobs.ts';
import { contentMaximumBytes } from '../directed/publisher.ts';
import { MailboxContext } from './mailbox-context.ts';
import { MailboxDeposits } from './mailbox-deposit.ts';
import { Doorbell } from './mailbox-doorbell.ts';
import { MailboxOwners } from './mailbox-owners.ts';
import { ReceiptBatch } from './mailbox-receipts.ts';
import { MailboxRecords } from './mailbox-records.ts';
import { MailboxUpkeep } from './mailbox-upkeep.ts';
import { MailboxVerbs } from './mailbox-verbs.ts';
import type { Answer, Directed } from '../directed/types.ts';
import type { SessionId } from '../session/types.ts';
import type { FoundRecords } from '../directory/found-records.ts';
import type { Instant, Mailbox, PublicKeyHex, RequestBody, Verb } from '../wire/types.ts';
import type { MailResults } from './mail-store.ts';
import type { CreateMailboxRole, MailboxEnvironment, MailboxRole } from './mailbox-types.ts';

export const createMailboxRole: CreateMailboxRole = (environment, opened, now) => new Mailboxes(environment, opened, now);

class Mailboxes implements MailboxRole {
  readonly #context: MailboxContext;
  readonly #owners: MailboxOwners;
  readonly #records: MailboxRecords;
  readonly #receipts: ReceiptBatch;
  readonly #doorbell: Doorbell;
  readonly #upkeep: MailboxUpkeep;
  readonly #blobs: RelayBlobs;
  #latestMs: number;

  constructor(environment: MailboxEnvironment, opened: MailResults['open'], now: Instant) {
    this.#context = new MailboxContext(environment, opened, now);
    this.#owners = new MailboxOwners(this.#context);
    this.#records = new MailboxRecords(this.#context, this.#owners);
    this.#receipts = new ReceiptBatch(this.#context);
    this.#doorbell = new Doorbell(this.#context, this.#owners);
    this.#upkeep = new MailboxUpkeep(this.#context, now);
    this.#blobs = new RelayBlobs(this.#context, this.#owners, environment.shelf, now);
    this.#latestMs = now.monotonicMs;
    this.#registerHandlers(environment.directed);
  }

  get expirySuspended(): boolean { return this.#context.clock.suspended; }
  get counters(): Readonly<Record<string, number>> { return this.#context.counters.all; }

  flush(now: Instant): void {
    this.#latestMs = now.monotonicMs;
    this.#receipts.flush(now);
    this.#doorbell.flush(now);
  }

  sessionClosed(sessionId: SessionId): void {
    this.#owners.sessionClosed(sessionId);
    this.#doorbell.sessionClosed(sessionId);
  }

  handleTimeout(now: Instant): void {
    this.#upkeep.handleTimeout(now);
    this.#blobs.handleTimeout(now);
    this.flush(now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } {
    // A host that forgets `flush` must not keep receipts for ever.
    if (this.#receipts.size > 0 || this.#doorbell.hasNews) return { atMs: this.#latestMs, reason: 'send storage receipts' };
    return { atMs: Math.min(this.#upkeep.nextAtMs(), this.#blobs.nextAtMs), reason: 'mail clock' };
  }

  confirmClock(now: Instant): void { this.#upkeep.confirmClock(now); }

  sessionsOf(mailbox: Mailbox): readonly SessionId[] { return this.#owners.sessionsOf(mailbox); }

  held(identity: PublicKeyHex, now: Instant, then: (found: FoundRecords | undefined, now: Instant) => void): void { this.#records.held(identity, now, then); }

  setMembers(members: readonly PublicKeyHex[]): void { this.#owners.setMembers(members); }

  #registerHandlers(directed: Directed): void {
    const records = this.#records;
    const deposits = new MailboxDeposits(this.#context, this.#owners, this.#receipts, this.#doorbell);
    const verbs = new MailboxVerbs(this.#context, this.#owners, this.#doorbell);
    on(directed, 'record', (_, body, answer, now) => { records.record(body, answer, now); });
    on(directed, 'publish', (sessionId, body, answer, now) => { records.publish(sessionId, body, answer, now); });
    on(directed, 'register', (sessionId, _, answer, now) => { verbs.register(sessionId, answer, now); });
    on(directed, 'tokens', (sessionId, body, answer, now) => { verbs.tokens(sessionId, body, answer, now); });
    on(directed, 'deposit', (sessionId, body, answer, now) => { deposits.deposit(sessionId, body, answer, now); });
    on(directed, 'list', (sessionId, body, answer, now) => { verbs.list(sessionId, body, answer, now); });
    on(directed, 'ack', (sessionId, body, answer, now) => { verbs.ack(sessionId, body, answer, now); });
    on(directed, 'withdraw', (_, body, answer, now) => { verbs.withdraw(body, answer, now); });
    on(directed, 'status', (_, body, answer, now) => { verbs.status(body, answer, now); });
    on(directed, 'refusals', (sessionId, _, answer, now) => { verbs.refusals(sessionId, answer, now); });
    on(directed, 'hold', (sessionId, body, answer, now) => { this.#blobs.hold(sessionId, body, answer, now); });
    on(directed, 'drop', (sessionId, body, answer) => { this.#blobs.drop(sessionId, body, answer); });
    directed.publisher.setFallback((_, name, found, now) => {
      if (name.length > contentMaximumBytes) { this.#blobs.find(name, found, now); return; }
      this.#context.store<'body'>({ op: 'body', root: name.root, length: name.length }, ({ body }, at) => {
        if (body === undefined) this.#blobs.find(name, found, at);
        else found(body, at);
      });
    });
  }
}

type BodyOf<Name extends Verb> = Extract<RequestBody, { verb: Name }>;

/** `handle` with the body narrowed to the verb. */
function on<Name extends Verb>(directed: Directed, verb: Name, handler: (sessionId: SessionId, body: BodyOf<Name>, answer: Answer, now: Instant) => void): void {
  const isOurs = (body: RequestBody): body is BodyOf<Name> => body.verb === verb;
  directed.handle(verb, (sessionId, body, answer, now) => { if (isOurs(body)) handler(sessionId, body, answer, now); });
}
