/** The hop log: what happened to a message, in order. Bounded, since a letter may be tried for weeks. */
import type { HopRow } from '../../../engine/mail/visor-store.ts';
import { RowReader, integerOf } from '../row.ts';
import type { Statements } from '../statements.ts';
import { hopKinds } from './codecs.ts';

/** Per message; beyond it the oldest try goes. 30 days of a try every 6 hours and every change of state fit several times. */
const mostHopsPerMessage = 500;

export class Hops {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  add(messageId: string, hop: HopRow): void {
    this.#statements
      .get('INSERT INTO hop (message_id, kind, at_ms, relay, path, reason, until_ms) VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(messageId, hop.kind, hop.atMs, hop.relay ?? null, hop.path ?? null, hop.reason ?? null, hop.untilMs ?? null);
    const count = integerOf(this.#statements.pluck('SELECT count(*) FROM hop WHERE message_id = ?').get(messageId), 'hop', 'count');
    if (count <= mostHopsPerMessage) return;
    this.#statements
      .get(`DELETE FROM hop WHERE number = (SELECT number FROM hop WHERE message_id = ? ORDER BY kind = 'tried' DESC, number LIMIT 1)`)
      .run(messageId);
  }

  of(messageId: string): readonly HopRow[] {
    return this.#statements.get('SELECT kind, at_ms, relay, path, reason, until_ms FROM hop WHERE message_id = ? ORDER BY number').all(messageId).map(toHop);
  }
}

function toHop(row: unknown): HopRow {
  const reader = new RowReader('hop', row);
  const relay = reader.optionalText('relay');
  const path = reader.optionalText('path');
  const reason = reader.optionalText('reason');
  const untilMs = reader.optionalInteger('until_ms');
  return {
    kind: reader.oneOf('kind', hopKinds),
    atMs: reader.integer('at_ms'),
    ...(relay === undefined ? {} : { relay }),
    ...(path === undefined ? {} : { path }),
    ...(reason === undefined ? {} : { reason }),
    ...(untilMs === undefined ? {} : { untilMs }),
  };
}
