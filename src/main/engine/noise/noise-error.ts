/** The one error of this folder: thrown for wrong use by our own code, never for what a message from outside contains. */

export type NoiseErrorCode =
  | 'unsupported_protocol'
  | 'wrong_key_material'
  | 'unusable_public_key'
  | 'wrong_turn'
  | 'handshake_dead'
  | 'handshake_incomplete'
  | 'handshake_split'
  | 'message_too_long'
  | 'counter_exhausted'
  | 'key_destroyed';

/** `code` is stable; the message names what is wrong and never contains key material. */
export class NoiseError extends Error {
  readonly code: NoiseErrorCode;

  constructor(code: NoiseErrorCode, message: string) {
    super(message);
    this.name = 'NoiseError';
    this.code = code;
  }
}
