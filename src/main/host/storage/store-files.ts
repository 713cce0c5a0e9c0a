/** The two stores as files (or in memory): which migrations, which store object, and how large a request is. */
import type { MailOperation, MailRequest, MailResults } from '../../engine/mail/mail-store.ts';
import type { FieldCipher, VisorChange, VisorOperation, VisorQuery, VisorQueryResults, VisorRequest, VisorResults } from '../../engine/mail/visor-store.ts';
import { Generation } from './generation.ts';
import { mailMigrations } from './mail/migrations/index.ts';
import { SqliteMailStore } from './mail/sqlite-mail-store.ts';
import { StoreFile } from './store-file.ts';
import { visorMigrations } from './visor/migrations/index.ts';
import { SqliteVisorStore } from './visor/sqlite-visor-store.ts';

/** What any request costs beside its large fields: rows of indexes, counters. */
const requestOverheadBytes = 256;

export interface StoreOptions {
  /** `:memory:` for the simulated world. */
  readonly path: string;
  readonly wallMs: () => number;
  readonly quarantined?: (path: string) => void;
}

export class MailFile extends StoreFile<SqliteMailStore, MailRequest, MailResults[MailOperation]> {
  constructor(options: StoreOptions) {
    super({
      ...options,
      migrations: mailMigrations,
      createStore: (database) => new SqliteMailStore(database),
      guard: (database, path) => new Generation(database, path, options.wallMs),
    });
  }

  protected override applyTo(store: SqliteMailStore, request: MailRequest): MailResults[MailOperation] {
    return store.apply(request);
  }

  override sizeOf(request: MailRequest): number {
    return requestOverheadBytes + (request.op === 'deposit' ? request.header.length + request.body.length : 0);
  }
}

export class VisorFile extends StoreFile<SqliteVisorStore, VisorRequest, VisorResults[VisorOperation]> {
  constructor(options: StoreOptions & { readonly cipher: FieldCipher }) {
    const { cipher, ...rest } = options;
    super({ ...rest, migrations: visorMigrations, createStore: (database) => new SqliteVisorStore(database, cipher, rest.wallMs) });
  }

  protected override applyTo(store: SqliteVisorStore, request: VisorRequest): VisorResults[VisorOperation] {
    return store.apply(request);
  }

  override sizeOf(request: VisorRequest): number {
    if (request.op !== 'commit') return requestOverheadBytes;
    return request.changes.reduce((bytes, change) => bytes + requestOverheadBytes + largeFieldBytes(change), requestOverheadBytes);
  }

  query<Name extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Name }>): VisorQueryResults[Name] {
    return this.read((store) => store.query(query));
  }
}

function largeFieldBytes(change: VisorChange): number {
  switch (change.kind) {
    case 'put-message': return change.row.text.length;
    case 'put-outbox': return change.row.content.length + (change.row.sealed?.body.length ?? 0);
    default: return 0;
  }
}
