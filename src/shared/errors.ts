/**
 * The one error that crosses process boundaries: a stable code for programs, a sentence for people.
 * The code is what is persisted, sent and tested; the sentence says what is wrong and what to do.
 */
export const errorCodes = [
  'internal', 'invalid-argument', 'not-found', 'no-identity', 'identity-exists', 'identity-locked', 'wrong-passphrase',
  'wrong-words', 'wrong-secret-key', 'bad-address', 'bad-link', 'bad-relay', 'own-address', 'already-contact', 'message-empty',
  'message-too-large', 'ttl-out-of-range', 'not-cancellable', 'not-retryable', 'profile-in-use', 'profile-unwritable',
  'disk-full', 'database-corrupt', 'database-newer', 'port-taken', 'not-running', 'refused', 'timeout', 'device-revoked', 'blocked',
  'file-unreadable', 'file-too-large', 'file-exists', 'file-not-here', 'file-damaged', 'bad-name',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export class WaypostError extends Error {
  override readonly name = 'WaypostError';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface ErrorView {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What crosses a boundary for any thrown value: unknown ones keep their text out, since it may hold anything. */
export function toErrorView(thrown: unknown): ErrorView {
  if (thrown instanceof WaypostError) return { code: thrown.code, message: thrown.message };
  return { code: 'internal', message: 'Something went wrong inside Waypost. The log has the details.' };
}
