/** Prepares each statement once, at its first use: a store that serves one request in a simulation does not pay for all the others. */
import type Database from 'better-sqlite3';

export type Statement = Database.Statement;

export class Statements {
  readonly #database: Database.Database;
  readonly #prepared = new Map<string, Statement>();
  readonly #plucked = new Map<string, Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Rows as objects. `sql` is a constant: it is the key. */
  get(sql: string): Statement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }

  /** First column of each row only. */
  pluck(sql: string): Statement {
    const known = this.#plucked.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql).pluck();
    this.#plucked.set(sql, statement);
    return statement;
  }
}
