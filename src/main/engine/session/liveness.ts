/** Whether the other side is there, by what is heard from it: echoes, round trips, silence, restarts. */
import { equalBytes } from '../wire/bytes.ts';
import { encodeRequest, encodeResponse, decodeFrame } from '../wire/frame.ts';
import { decodeEchoResponse, encodeEchoResponse } from '../wire/responses.ts';
import { encodeBeat, encodeBeatAnswer, readBeat } from './beat.ts';
import {
  beatCapability, clockSetMs, echoAfterMs, echoInsteadOfBeatMs, goodbyeAttempts, goodbyeSpreadMs, hintPauseMs, keepaliveMs, keepaliveSpread, learnedPauseMaximumMs, learnedPauseMinimumMs, learnedPauseShare, learnedPauseSpread, mappingLostWithinMs, rekeyAfterMs, rekeyAfterPackets, responderIdleMs, silentAfterMs,
} from './constants.ts';
import { sameAddress, type Instant, type SocketAddress } from '../wire/types.ts';
import type { Detours } from './detour.ts';
import { randomFraction } from '../random.ts';
import type { Dialer } from './dialer.ts';
import { Knocking } from './knocking.ts';
import { noLongerAwaited, type Link, type TransportKeys } from './link.ts';
import type { SessionTable } from './sessions.ts';

const verbs = { echo: 1, challenge: 2, close: 3 };
const responseIdOffset = 1;

/** Whether a response carries this id: asked of every response, so without a view of the frame. */
function answers(response: Uint8Array, requestId: Uint8Array): boolean {
  for (let position = 0; position < requestId.length; position += 1) if (response[responseIdOffset + position] !== requestId[position]) return false;
  return true;
}

function isLateAnswer({ unanswered }: Link, response: Uint8Array): boolean {
  if (unanswered === undefined) return false;
  for (const requestId of unanswered) if (answers(response, requestId)) return true;
  return false;
}

export class Liveness {
  readonly #table: SessionTable;
  readonly #dialer: Dialer;
  readonly #detours: Detours;
  readonly #knocking: Knocking;

  constructor(table: SessionTable, dialer: Dialer, detours: Detours) {
    this.#table = table;
    this.#dialer = dialer;
    this.#detours = detours;
    this.#knocking = new Knocking(table);
  }

  /** Something authentic came, under `keys`; `newest` unless others overtook it. */
  heard(link: Link, keys: TransportKeys, newest: boolean, now: Instant): void {
    link.lastHeardMs = now.monotonicMs;
    const isCurrent = keys === link.keys;
    if (isCurrent) link.forgotten = false;
    // What the other side still sends under old keys does not tell that it has the new ones (message 3 may be lost).
    if (!isCurrent && link.keys?.confirmed === false) return;
    // After a change of network a packet from before it proves nothing: only the echo asked since does.
    if (link.doubted) return;
    this.#detours.heard(link);
    this.#settled(link);
    // A late packet from before the other side closed does not bring it back.
    if (isCurrent && newest) this.#cameBack(link);
    this.#armKeepalive(link, now);
  }

  /** The old path works again before a handshake succeeded. */
  #cameBack(link: Link): void {
    if (!link.silent) return;
    link.silent = false;
    this.#knocking.over(link);
    this.#dialer.abandon(link);
    const session = this.#table.view(link.id);
    if (session !== undefined) this.#table.output({ kind: 'established', session });
  }

  #settled(link: Link): void {
    link.doubted = false;
    link.expectingSinceMs = undefined;
    link.echoesUnanswered = 0;
  }

  /** New keys: everything is fresh. */
  revived(link: Link, now: Instant): void {
    link.silent = false;
    this.#knocking.over(link);
    link.dialAttempts = 0;
    link.wrongIdentities = 0;
    this.#settled(link);
    if (link.echo !== undefined) noLongerAwaited(link, link.echo.requestId);
    link.echo = undefined;
    link.beat = undefined;
    link.lastHeardMs = now.monotonicMs;
    this.#dialer.abandon(link);
    this.#armKeepalive(link, now);
  }

  expectAnswer(link: Link, now: Instant): void {
    if (link.expectingSinceMs !== undefined) return;
    link.expectingSinceMs = now.monotonicMs;
    link.nextEchoMs = now.monotonicMs + echoAfterMs;
    this.#table.arm(link, link.nextEchoMs);
  }

  echo(link: Link, now: Instant): void {
    this.#missEcho(link);
    const requestId = this.#table.configuration.random(16);
    link.echo = { requestId, sentMs: now.monotonicMs };
    this.#table.sendFrame(link, encodeRequest(requestId, { verb: 'echo' }), now);
    if (link.expectingSinceMs === undefined) link.expectingSinceMs = now.monotonicMs;
    link.nextEchoMs = now.monotonicMs + echoAfterMs * 2 ** Math.min(link.echoesUnanswered, 2);
    link.echoesUnanswered += 1;
    this.#table.arm(link, link.nextEchoMs);
  }

  /** Nothing was said for a while: whatever keeps the mapping and shows that the other side is there, in the fewest bytes. Unanswered, it is followed by echoes. */
  #keepAlive(link: Link, now: Instant): void {
    if (link.isLearnedPause) link.pauseEndedMs = now.monotonicMs;
    const isClockKnown = now.monotonicMs - link.clockToldMs < echoInsteadOfBeatMs && Math.abs(now.wallMs - now.monotonicMs - link.clockToldAheadMs) < clockSetMs;
    const isBeatEnough = isClockKnown && link.remoteCapabilities.includes(beatCapability) && link.paths === undefined && link.keys?.confirmed === true && !link.doubted && link.echo === undefined;
    if (!isBeatEnough) { this.echo(link, now); return; }
    const [number = 0] = this.#table.configuration.random(1);
    link.beat = { number, sentMs: now.monotonicMs };
    this.#table.sendFrame(link, encodeBeat(number), now);
    this.expectAnswer(link, now);
  }

  handleBeat(link: Link, frame: Uint8Array, now: Instant): void {
    const { isAnswer, number } = readBeat(frame);
    if (!isAnswer) {
      // From where nothing proved yet that it receives, an echo is to follow: only its bytes pay for the challenge.
      if (link.candidate === undefined) this.#table.sendFrame(link, encodeBeatAnswer(number), now);
      return;
    }
    if (link.beat?.number !== number) return;
    const roundTripMs = now.monotonicMs - link.beat.sentMs;
    link.beat = undefined;
    this.#table.recordRoundTrip(link, roundTripMs);
  }

  /** The network changed under us: two echoes at once, the first pays for the challenge that the other side owes a new address. */
  networkChanged(link: Link, now: Instant): void {
    link.dialAttempts = 0;
    this.#detours.networkChanged(link, now);
    if (link.keys === undefined || link.silent) {
      this.#knocking.began(link, now);
      this.#dialer.attempt(link, now);
      return;
    }
    link.doubted = true;
    this.echo(link, now);
    this.echo(link, now);
  }

  doubt(link: Link, now: Instant): void {
    link.doubted = true;
    this.echo(link, now);
  }

  /** The link's deadline came: whatever of it is due. Arms all that is left, because this wake was the earliest of them. */
  wake(link: Link, now: Instant): void {
    this.#detours.wake(link, now);
    if (link.dial !== undefined && (link.keys === undefined || link.silent || link.dialling !== undefined)) {
      if (now.monotonicMs >= link.nextDialMs) this.#dialer.attempt(link, now);
      else if (link.nextDialMs < Infinity) this.#table.arm(link, link.nextDialMs);
    }
    if (!this.#table.links.has(link.id)) return;
    this.#knocking.wake(link, now);
    const { keys } = link;
    if (keys === undefined || link.silent) return;
    if (link.dial === undefined) this.#table.arm(link, link.lastHeardMs + responderIdleMs);
    else this.#rekeyWhenOld(link, keys, now);
    const expecting = link.expectingSinceMs;
    if (expecting === undefined) {
      if (link.dial === undefined) return;
      if (now.monotonicMs >= link.nextEchoMs) this.#keepAlive(link, now);
      else this.#table.arm(link, link.nextEchoMs);
      return;
    }
    const silentMs = expecting + silentAfterMs;
    if (now.monotonicMs >= silentMs) {
      // The side that was dialled does not dial: it waits until the session has been idle for long.
      if (link.dial !== undefined) this.#becomeSilent(link, now);
      return;
    }
    if (now.monotonicMs >= link.nextEchoMs) {
      if (!keys.confirmed && keys.handshake3 !== undefined) this.#table.transmit(link.address, keys.handshake3);
      this.echo(link, now);
      if (link.doubted && link.dial !== undefined && link.dialling === undefined) {
        // After a sleep the other side may have closed the session as idle: what was built on it there is built again.
        link.forgotten = true;
        this.#dialer.attempt(link, now);
      }
    }
    this.#table.arm(link, Math.min(link.nextEchoMs, silentMs));
  }

  /** By time and volume, whatever the traffic; the side that made the keys makes the next. */
  #rekeyWhenOld(link: Link, keys: TransportKeys, now: Instant): void {
    if (!keys.initiator) return;
    const dueMs = keys.establishedMs + rekeyAfterMs;
    if (dueMs > now.monotonicMs) this.#table.arm(link, dueMs);
    if ((dueMs <= now.monotonicMs || keys.sendCounter > rekeyAfterPackets) && link.dialling === undefined) { this.#detours.rekey(link, now); this.#dialer.attempt(link, now); }
  }

  /** True for echo, challenge and close, which end here. */
  handleFrame(link: Link, frame: Uint8Array, now: Instant): boolean {
    if (frame[0] === 1) {
      const verb = frame[1];
      if (verb !== verbs.echo && verb !== verbs.challenge && verb !== verbs.close) return false;
      const request = decodeFrame(frame);
      if (request?.type !== 'request') { this.#table.drop('bad-frame'); return true; }
      if (request.body.verb === 'echo') this.#table.sendFrame(link, encodeResponse(request.requestId, 0, true, encodeEchoResponse({ bootId: link.ownBootId, wallMs: Math.max(0, Math.floor(now.wallMs)) })), now);
      else if (request.body.verb === 'challenge') {
        this.#table.sendFrame(link, encodeResponse(request.requestId, 0, true, request.body.random), now);
        this.#challenged(link, now);
      }
      else if (request.body.verb === 'close') this.#closedByPeer(link, now);
      return true;
    }
    if (frame[0] !== 2) return false;
    if (link.echo === undefined || !answers(frame, link.echo.requestId)) return isLateAnswer(link, frame);
    const answer = decodeEchoResponse(frame.subarray(22));
    if (answer === undefined) { this.#table.drop('bad-frame'); return true; }
    const roundTripMs = now.monotonicMs - link.echo.sentMs;
    link.echo = undefined;
    if (link.doubted) {
      this.#detours.heard(link);
      this.#settled(link);
      this.#cameBack(link);
      this.#armKeepalive(link, now);
    }
    link.clockToldMs = now.monotonicMs;
    link.clockToldAheadMs = now.wallMs - now.monotonicMs;
    link.clockOffsetMs = answer.wallMs + roundTripMs / 2 - now.wallMs;
    this.#table.recordRoundTrip(link, roundTripMs);
    return true;
  }

  /** Somebody says that the session which we address is unknown: surely with the token of the handshake, else perhaps. */
  unknownSession(from: SocketAddress, link: Link | undefined, remoteIndex: number, token: Uint8Array, now: Instant): void {
    if (link?.dial === undefined || link.keys?.remoteIndex !== remoteIndex || !sameAddress(from, link.address)) { this.#table.drop('unexpected'); return; }
    // Without the token anybody could have said it, and nobody is to be told that the other side restarted.
    const isNews = !link.forgotten && equalBytes(token, link.keys.resetToken);
    if (isNews) link.forgotten = true;
    // Who says so is there: a silent side that is dialled ever seldomer is dialled at once.
    if (link.dialling !== undefined && !(link.silent && isNews)) return;
    if (!link.forgotten) {
      this.#table.drop('bad-reset-token');
      if (now.monotonicMs - link.lastHintMs < hintPauseMs) return;
      link.lastHintMs = now.monotonicMs;
    }
    this.#dialer.attempt(link, now);
  }

  /** Somebody who follows us asks whether we are where our keepalive came from: the router gave it another place, for it had forgotten the one before. */
  #challenged(link: Link, now: Instant): void {
    if (now.monotonicMs - link.pauseEndedMs > mappingLostWithinMs) return;
    link.pauseEndedMs = Number.NEGATIVE_INFINITY;
    this.#table.configuration.pauseWasTooLong?.(link.address, now);
  }

  #missEcho(link: Link): void {
    if (link.beat !== undefined) {
      link.beat = undefined;
      this.#table.recordRoundTrip(link, undefined);
    }
    if (link.echo === undefined) return;
    noLongerAwaited(link, link.echo.requestId);
    link.echo = undefined;
    this.#table.recordRoundTrip(link, undefined);
  }

  /** @param isGoodbye others were told the same at this moment */
  #becomeSilent(link: Link, now: Instant, isGoodbye = false): void {
    link.silent = true;
    this.#missEcho(link);
    this.#table.output({ kind: 'silent', sessionId: link.id });
    // Who says goodbye was reached the usual way.
    if (!isGoodbye) {
      this.#detours.silent(link, now);
      this.#knocking.began(link, now);
    }
    if (link.dialling !== undefined) return;
    link.dialAttempts = isGoodbye ? goodbyeAttempts : 0;
    if (!isGoodbye) { this.#dialer.attempt(link, now); return; }
    link.nextDialMs = now.monotonicMs + goodbyeSpreadMs * randomFraction(this.#table.configuration.random);
    this.#table.arm(link, link.nextDialMs);
  }

  #closedByPeer(link: Link, now: Instant): void {
    // A dialled link is wanted: the other side stopped, and may be back soon. It is told apart from silence by coming at once.
    if (link.dial === undefined) { this.#table.end(link, 'closed-by-peer'); return; }
    this.#becomeSilent(link, now, link.paths === undefined);
  }

  #armKeepalive(link: Link, now: Instant): void {
    if (link.dial === undefined) { this.#table.arm(link, now.monotonicMs + responderIdleMs); return; }
    link.nextEchoMs = now.monotonicMs + this.#pauseMs(link);
    this.#table.arm(link, link.nextEchoMs);
  }

  /** Links with several paths are in use, or kept ready for it: theirs stays as it is. */
  #pauseMs(link: Link): number {
    const learnedMs = link.paths === undefined ? this.#table.configuration.learnedPauseMs?.(link.address) : undefined;
    link.isLearnedPause = learnedMs !== undefined;
    if (learnedMs === undefined) return keepaliveMs * (1 - keepaliveSpread + 2 * keepaliveSpread * link.jitter);
    return Math.min(learnedPauseMaximumMs, Math.max(learnedPauseMinimumMs, learnedMs * learnedPauseShare)) * (1 - learnedPauseSpread * link.jitter);
  }
}
