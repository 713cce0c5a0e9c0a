/**
 * Alive means heard, never sent: a send into UDP always succeeds. Every request opens a deadline that any authentic inbound packet closes;
 * while it is open, echoes ask more and more plainly, and after 6.5 s the session is called silent, once. Echoes also measure round
 * trips and the clock of the other side, and carry its boot id.
 */
import { equalBytes } from '../wire/bytes.ts';
import type { Instant } from '../wire/types.ts';
import { firstProbesMs, keepaliveJitter, keepaliveMs, laterProbesMs, outstandingEchoesMaximum, silentAfterMs } from './constants.ts';
import type { SessionContext } from './context.ts';
import { isRequest, readEchoAnswer } from './control-frames.ts';
import { destination } from './path-validation.ts';
import { jittered } from './jitter.ts';
import { RoundTrips } from './round-trips.ts';
import type { Session } from './session.ts';

/** Seals and transmits on an established session; does not open a deadline. */
export function transmitFrame(context: SessionContext, session: Session, frame: Uint8Array): void {
  if (session.keys === undefined) return;
  const to = destination(session, frame);
  const datagram = session.keys.seal(frame);
  session.sentBytes += datagram.length;
  context.transmit(to, datagram);
}

/** As `transmitFrame`, for frames of which a request deserves an answer. */
export function transmitExpecting(context: SessionContext, session: Session, frame: Uint8Array, nowMs: number): void {
  transmitFrame(context, session, frame);
  if (isRequest(frame)) expectAnswer(session, nowMs);
}

export function sendEcho(context: SessionContext, session: Session, nowMs: number): void {
  const echo = { requestId: context.control.requestId(), sentMs: nowMs };
  const echoes = session.echoes ?? [];
  session.echoes = echoes;
  echoes.push(echo);
  if (echoes.length > outstandingEchoesMaximum) {
    echoes.shift();
    lose(context, session);
  }
  if (session.dial !== undefined) session.keepaliveAtMs = nowMs + jittered(context.random, keepaliveMs, keepaliveJitter);
  transmitExpecting(context, session, context.control.echo(echo.requestId), nowMs);
}

function expectAnswer(session: Session, nowMs: number): void {
  if (session.silent || session.expectingSinceMs !== Infinity) return;
  session.expectingSinceMs = nowMs;
  session.nextProbeMs = nowMs + firstProbesMs;
  session.probes = 0;
}

/** An authentic packet came. True when that ended a silence. */
export function heard(session: Session, nowMs: number): boolean {
  session.lastHeardMs = nowMs;
  session.expectingSinceMs = Infinity;
  session.nextProbeMs = Infinity;
  const ended = session.silent;
  session.silent = false;
  return ended;
}

/** What the passing of time does to an established session; true when it has just fallen silent. */
export function runLiveness(context: SessionContext, session: Session, nowMs: number): boolean {
  if (session.silent) return false;
  if (session.expectingSinceMs + silentAfterMs <= nowMs) {
    session.silent = true;
    session.expectingSinceMs = Infinity;
    session.nextProbeMs = Infinity;
    forgetEchoes(context, session);
    context.emit({ kind: 'silent', sessionId: session.id });
    return true;
  }
  if (session.nextProbeMs <= nowMs) {
    session.probes += 1;
    session.nextProbeMs = nowMs + (session.probes === 1 ? firstProbesMs : laterProbesMs);
    sendEcho(context, session, nowMs);
  } else if (session.keepaliveAtMs <= nowMs) {
    sendEcho(context, session, nowMs);
  }
  return false;
}

/** Echoes that can no longer be answered, because their keys are gone or nobody answers. */
export function forgetEchoes(context: SessionContext, session: Session): void {
  for (let count = session.echoes?.length ?? 0; count > 0; count -= 1) lose(context, session);
  session.echoes = undefined;
}

/** True when the other side has another boot id than it had. */
export function acceptEchoAnswer(context: SessionContext, session: Session, requestId: Uint8Array, payload: Uint8Array, now: Instant): boolean {
  const index = session.echoes?.findIndex((echo) => equalBytes(echo.requestId, requestId)) ?? -1;
  const answer = readEchoAnswer(payload);
  if (session.echoes === undefined || index < 0 || answer === undefined) return false;
  // Answers that are overtaken count as lost: the display wants a gap where there was one.
  for (let count = 0; count < index; count += 1) lose(context, session);
  const sentMs = session.echoes[index]?.sentMs ?? now.monotonicMs;
  session.echoes = index + 1 < session.echoes.length ? session.echoes.slice(index + 1) : undefined;
  const roundTripMs = Math.max(0, now.monotonicMs - sentMs);
  measure(session).add(roundTripMs);
  session.clockOffsetMs = answer.wallMs + roundTripMs / 2 - now.wallMs;
  context.emit({ kind: 'measured', sessionId: session.id });
  if (session.peer === undefined || equalBytes(session.peer.bootId, answer.bootId)) return false;
  session.peer = { ...session.peer, bootId: answer.bootId };
  return true;
}

function lose(context: SessionContext, session: Session): void {
  measure(session).add(undefined);
  context.emit({ kind: 'measured', sessionId: session.id });
}

function measure(session: Session): RoundTrips {
  session.roundTrips ??= new RoundTrips();
  return session.roundTrips;
}
