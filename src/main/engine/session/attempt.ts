/** One handshake that we began: its Noise state, the datagram that is repeated, and, in XX after the answer, the keys that wait for proof. */
import type { HandshakeState } from '../noise/index.ts';
import type { HandshakePatternName } from './datagram.ts';
import type { Session, Peer } from './session.ts';
import type { SessionKeys } from './session-keys.ts';

export class Attempt {
  readonly kind = 'attempt';
  readonly session: Session;
  readonly pattern: HandshakePatternName;
  readonly localIndex: number;
  readonly noise: HandshakeState;
  /** After this a repetition begins anew. */
  expiresMs: number;
  /** handshake-1 with a zero cookie, or handshake-3 once answered. */
  datagram: Uint8Array;
  /** XX, answered: usable once the responder has shown that it has finished. */
  finished: { readonly keys: SessionKeys; readonly peer: Peer } | undefined = undefined;
  /** One immediate repetition for each transmission: a forged cookie may not make us send without end. */
  mayUseCookie = true;

  constructor(session: Session, pattern: HandshakePatternName, localIndex: number, noise: HandshakeState, datagram: Uint8Array, expiresMs: number) {
    this.session = session;
    this.pattern = pattern;
    this.localIndex = localIndex;
    this.noise = noise;
    this.datagram = datagram;
    this.expiresMs = expiresMs;
  }
}
