/**
 * The three verbs that belong to the session: echo, challenge and close. Their request ids begin with a tag that is random for each
 * process, so that an answer which comes late or twice is known as one of ours and never reaches the layers above.
 */
import type { RandomBytes } from '../crypto.ts';
import { encodeRequest, encodeResponse, requestHeaderBytes, requestIdBytes, responseHeaderBytes } from '../wire/frame.ts';
import { equalBytes, Reader, Writer } from '../wire/bytes.ts';
import { bootIdBytes, challengeBytes, echoFrameBytes } from './constants.ts';

const tagBytes = 8;
const requestKind = 0x01;
const responseKind = 0x02;
const echoVerb = 1;
const challengeVerb = 2;
const closeVerb = 3;
/** There is one reason so far: the other side does not want the session any more. */
const closeReason = 0;

export type SessionFrame =
  | { readonly kind: 'echo'; readonly requestId: Uint8Array }
  | { readonly kind: 'challenge'; readonly requestId: Uint8Array; readonly random: Uint8Array }
  | { readonly kind: 'close' }
  | { readonly kind: 'own-answer'; readonly requestId: Uint8Array; readonly payload: Uint8Array }
  /** For the layers above. */
  | { readonly kind: 'other' }
  | { readonly kind: 'bad' };

export class ControlFrames {
  readonly #random: RandomBytes;
  readonly #tag: Uint8Array;

  constructor(random: RandomBytes) {
    this.#random = random;
    this.#tag = random(tagBytes);
  }

  requestId(): Uint8Array {
    return new Writer(requestIdBytes).bytes(this.#tag).bytes(this.#random(requestIdBytes - tagBytes)).finish();
  }

  /** Zeros after the header pay, at a new address, for the answer and a challenge. */
  echo(requestId: Uint8Array): Uint8Array {
    return new Writer(echoFrameBytes).u8(requestKind).u8(echoVerb).bytes(requestId, requestIdBytes).zeros(echoFrameBytes - requestHeaderBytes).finish();
  }

  challenge(requestId: Uint8Array, random: Uint8Array): Uint8Array { return encodeRequest(requestId, { verb: 'challenge', random }); }
  close(): Uint8Array { return encodeRequest(this.requestId(), { verb: 'close', reason: closeReason }); }

  echoAnswer(requestId: Uint8Array, bootId: Uint8Array, wallMs: number): Uint8Array {
    return encodeResponse(requestId, 0, true, new Writer(bootIdBytes + 8).bytes(bootId, bootIdBytes).u64(Math.max(0, Math.floor(wallMs))).finish());
  }

  challengeAnswer(requestId: Uint8Array, random: Uint8Array): Uint8Array { return encodeResponse(requestId, 0, true, random); }

  /** Looks no further than the session has to: the bodies of other verbs are for their layers. */
  read(frame: Uint8Array): SessionFrame {
    if (frame[0] === requestKind && frame.length >= requestHeaderBytes) {
      const requestId = frame.subarray(2, requestHeaderBytes);
      switch (frame[1]) {
        case echoVerb: return { kind: 'echo', requestId };
        case challengeVerb: return frame.length === requestHeaderBytes + challengeBytes ? { kind: 'challenge', requestId, random: frame.subarray(requestHeaderBytes) } : { kind: 'bad' };
        case closeVerb: return frame.length === requestHeaderBytes + 1 ? { kind: 'close' } : { kind: 'bad' };
        default: return { kind: 'other' };
      }
    }
    if (frame[0] === responseKind && frame.length >= responseHeaderBytes) {
      const requestId = frame.subarray(1, 1 + requestIdBytes);
      if (!equalBytes(requestId.subarray(0, tagBytes), this.#tag)) return { kind: 'other' };
      return { kind: 'own-answer', requestId, payload: frame.subarray(responseHeaderBytes) };
    }
    return { kind: 'bad' };
  }
}

/** Boot id and wall clock of an answered echo. */
export function readEchoAnswer(payload: Uint8Array): { readonly bootId: Uint8Array; readonly wallMs: number } | undefined {
  const reader = new Reader(payload);
  const bootId = reader.bytes(bootIdBytes).slice();
  const wallMs = reader.u64();
  return reader.atEnd ? { bootId, wallMs } : undefined;
}

export const isRequest = (frame: Uint8Array): boolean => frame[0] === requestKind;
