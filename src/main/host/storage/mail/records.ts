/** Signed records that the relay serves: identity records and prekey bundles. The engine has checked the signatures; here only the order counts. */
import type { MailRequest, MailResults } from '../../../engine/mail/mail-store.ts';
import { RowReader, bytesOfHex, sameBytes } from '../row.ts';
import type { Statements } from '../statements.ts';

interface StoredRecord { readonly sequence: number; readonly bytes: Uint8Array }

export class Records {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Two different records with one sequence: the first stays (`stale`), else a record could be swapped for ever. */
  put(request: Extract<MailRequest, { op: 'put-record' }>): MailResults['put-record'] {
    const { kind, sequence, notAfterSeconds, bytes } = request;
    const stored = this.#find(request);
    if (stored !== undefined && sequence <= stored.sequence) {
      return { outcome: sequence === stored.sequence && sameBytes(stored.bytes, bytes) ? 'unchanged' : 'stale' };
    }
    this.#statements
      .get('INSERT OR REPLACE INTO record (kind, identity, device, sequence, not_after_seconds, bytes) VALUES (?, ?, ?, ?, ?, ?)')
      .run(kind, bytesOfHex(request.identity), bytesOfHex(request.deviceId), sequence, notAfterSeconds, bytes);
    return { outcome: 'stored' };
  }

  get(request: Extract<MailRequest, { op: 'get-record' }>): MailResults['get-record'] {
    return this.#find(request) ?? { bytes: undefined, sequence: 0 };
  }

  #find({ kind, identity, deviceId }: Pick<Extract<MailRequest, { op: 'get-record' }>, 'kind' | 'identity' | 'deviceId'>): StoredRecord | undefined {
    const row = this.#statements.get('SELECT sequence, bytes FROM record WHERE kind = ? AND identity = ? AND device = ?').get(kind, bytesOfHex(identity), bytesOfHex(deviceId));
    if (row === undefined) return undefined;
    const reader = new RowReader('record', row);
    return { sequence: reader.integer('sequence'), bytes: reader.bytes('bytes') };
  }
}
