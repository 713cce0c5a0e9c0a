/**
 * Following the other side to a new address, without being led to a victim's. Only an authentic packet with the highest counter so far can
 * name a candidate; replays and guesses cannot. Until the candidate has answered a challenge it gets no more bytes than came from it,
 * and only answers: everything we say on our own goes to the proven address.
 */
import { equalBytes } from '../wire/bytes.ts';
import { transportOverheadBytes } from '../wire/frame.ts';
import type { SocketAddress } from '../wire/types.ts';
import { candidateLifeMs, challengeBytes, challengeRepeatMs } from './constants.ts';
import type { SessionContext } from './context.ts';
import { isRequest } from './control-frames.ts';
import type { Candidate, Session } from './session.ts';

export const sameAddress = (left: SocketAddress, right: SocketAddress): boolean => left.port === right.port && left.host === right.host;

/** After each authentic packet of `sizeBytes`; `isHighest` when its counter is the highest under the current keys. */
export function heardFrom(context: SessionContext, session: Session, from: SocketAddress, sizeBytes: number, isHighest: boolean, nowMs: number): void {
  if (sameAddress(from, session.address)) return;
  let candidate = session.candidate;
  if (candidate === undefined || !sameAddress(candidate.address, from)) {
    if (!isHighest) return;
    candidate = {
      address: from, challenge: context.random(challengeBytes), requestId: context.control.requestId(), expiresMs: nowMs + candidateLifeMs,
      receivedBytes: 0, sentBytes: 0, challengedMs: -Infinity,
    };
    session.candidate = candidate;
  }
  candidate.receivedBytes += sizeBytes;
  if (nowMs - candidate.challengedMs >= challengeRepeatMs) challenge(context, session, candidate, nowMs);
}

/** Where a frame goes: answers follow their requests to a candidate as far as its bytes pay for them. */
export function destination(session: Session, frame: Uint8Array): SocketAddress {
  const candidate = session.candidate;
  // Before the challenge is out, answers would only use up the bytes that it needs.
  if (candidate === undefined || isRequest(frame) || candidate.challengedMs === -Infinity) return session.address;
  return spend(candidate, frame.length + transportOverheadBytes) ? candidate.address : session.address;
}

/** True when the answer was to our challenge, whatever came of it. */
export function acceptChallengeAnswer(context: SessionContext, session: Session, from: SocketAddress, requestId: Uint8Array, payload: Uint8Array): boolean {
  const candidate = session.candidate;
  if (candidate === undefined || !equalBytes(requestId, candidate.requestId)) return false;
  if (!sameAddress(from, candidate.address) || !equalBytes(payload, candidate.challenge)) return true;
  session.candidate = undefined;
  session.address = candidate.address;
  context.emit({ kind: 'moved', sessionId: session.id, address: candidate.address });
  return true;
}

function challenge(context: SessionContext, session: Session, candidate: Candidate, nowMs: number): void {
  const frame = context.control.challenge(candidate.requestId, candidate.challenge);
  if (session.keys === undefined || !spend(candidate, frame.length + transportOverheadBytes)) return;
  candidate.challengedMs = nowMs;
  const datagram = session.keys.seal(frame);
  session.sentBytes += datagram.length;
  context.transmit(candidate.address, datagram);
}

function spend(candidate: Candidate, sizeBytes: number): boolean {
  if (candidate.sentBytes + sizeBytes > candidate.receivedBytes) return false;
  candidate.sentBytes += sizeBytes;
  return true;
}
