/**
 * The visor's data in SQLite: dispatches requests, changes and queries to the files that know them. Applied inside a transaction that
 * the caller opened; queries run between transactions. A row that does not parse or open fails the request that needs it with
 * `database-corrupt` and is left as it is: a wrong local key must never look like an empty profile.
 */
import type Database from 'better-sqlite3';
import type {
  FieldCipher, VisorChange, VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults, VisorState, VisorStore,
} from '../../../engine/mail/visor-store.ts';
import { Statements } from '../statements.ts';
import { Contacts } from './contacts.ts';
import { Files } from './files.ts';
import { Hops } from './hops.ts';
import { Keys } from './keys.ts';
import { MessageQueries } from './message-queries.ts';
import { Messages } from './messages.ts';
import { Outbox } from './outbox.ts';
import { OwnRows } from './own-rows.ts';
import { Published } from './published.ts';
import { SealedColumns } from './sealed-columns.ts';

type RequestHandlers = { readonly [Op in VisorOperation]: (request: Extract<VisorRequest, { op: Op }>) => VisorResults[Op] };
type QueryHandlers = { readonly [Name in VisorQuery['query']]: (query: Extract<VisorQuery, { query: Name }>) => VisorQueryResults[Name] };

export class SqliteVisorStore implements VisorStore {
  readonly #messages: Messages;
  readonly #hops: Hops;
  readonly #files: Files;
  readonly #published: Published;
  readonly #outbox: Outbox;
  readonly #contacts: Contacts;
  readonly #own: OwnRows;
  readonly #keys: Keys;
  readonly #requests: RequestHandlers;
  readonly #queries: QueryHandlers;

  /** `database`: opened and migrated with `visorMigrations`. `wallMs`: now, for what need not be loaded any more. */
  constructor(database: Database.Database, cipher: FieldCipher, wallMs: () => number) {
    const statements = new Statements(database);
    const sealed = new SealedColumns(cipher);
    this.#files = new Files(statements, sealed, wallMs);
    this.#published = new Published(statements);
    const queries = new MessageQueries(statements, sealed, this.#files);
    this.#messages = new Messages(statements, sealed);
    this.#hops = new Hops(statements);
    this.#outbox = new Outbox(statements, sealed);
    this.#contacts = new Contacts(statements, sealed);
    this.#own = new OwnRows(statements);
    this.#keys = new Keys(statements, sealed);
    this.#requests = {
      load: () => this.#load(),
      commit: (request) => this.#commit(request),
      facts: ({ messageId }) => this.#messages.facts(messageId),
      received: ({ root, length }) => this.#files.received(root, length),
    };
    this.#queries = {
      page: (query) => queries.page(query),
      inbox: (query) => queries.inbox(query),
      message: (query) => queries.message(query),
      hops: ({ messageId }) => ({ hops: this.#hops.of(messageId) }),
      summaries: (query) => queries.summaries(query),
    };
  }

  apply<Op extends VisorOperation>(request: Extract<VisorRequest, { op: Op }>): VisorResults[Op] {
    const handler: RequestHandlers[Op] = this.#requests[request.op];
    return handler(request);
  }

  query<Name extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Name }>): VisorQueryResults[Name] {
    const handler: QueryHandlers[Name] = this.#queries[query.query];
    return handler(query);
  }

  #load(): VisorState {
    return {
      device: this.#keys.device(),
      contacts: this.#contacts.contacts(),
      conversations: this.#contacts.conversations(),
      outbox: this.#outbox.all(),
      files: this.#files.unfinished(),
      published: this.#published.all(),
      relays: this.#own.relays(),
      invites: this.#own.invites(),
      prekeys: this.#keys.prekeys(),
      peerKeys: this.#contacts.peerKeys(),
      values: this.#own.values(),
    };
  }

  #commit({ changes, unlessSeen }: Extract<VisorRequest, { op: 'commit' }>): VisorResults['commit'] {
    if (unlessSeen !== undefined && !this.#keys.rememberSeen(unlessSeen)) return { applied: false };
    for (const change of changes) this.#change(change);
    return { applied: true };
  }

  #change(change: VisorChange): void {
    switch (change.kind) {
      case 'put-message': this.#messages.put(change.row); return;
      case 'set-facts': this.#messages.setFacts(change.messageId, change.facts); return;
      case 'add-hop': this.#hops.add(change.messageId, change.hop); return;
      case 'put-file': this.#files.put(change.row); return;
      case 'put-published': this.#published.put(change.row); return;
      case 'delete-published': this.#published.delete(change.path); return;
      case 'put-outbox': this.#outbox.put(change.row); return;
      case 'delete-outbox': this.#outbox.delete(change.id); return;
      case 'put-contact': this.#contacts.putContact(change.row); return;
      case 'put-conversation': this.#contacts.putConversation(change.row); return;
      case 'put-relay': this.#own.putRelay(change.row); return;
      case 'delete-relay': this.#own.deleteRelay(change.publicKey); return;
      case 'put-invite': this.#own.putInvite(change.row); return;
      case 'put-prekey': this.#keys.putPrekey(change.row); return;
      case 'delete-prekey': this.#keys.deletePrekey(change.prekeyId); return;
      case 'put-device': this.#keys.putDevice(change.row); return;
      case 'put-peer-key': this.#contacts.putPeerKey(change.row); return;
      case 'put-value': this.#own.putValue(change.key, change.value); return;
    }
  }
}
