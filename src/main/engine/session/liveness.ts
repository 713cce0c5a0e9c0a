/** Whether the other side is there, by what is heard from it: echoes, round trips, silence, restarts. */
import { equalBytes } from '../wire/bytes.ts';
import { encodeRequest, encodeResponse, decodeFrame } from '../wire/frame.ts';
import { decodeEchoResponse, encodeEchoResponse } from '../wire/responses.ts';
import { echoAfterMs, hintPauseMs, keepaliveMs, keepaliveSpread, rekeyAfterMs, rekeyAfterPackets, responderIdleMs, silentAfterMs } from './constants.ts';
import { socketAddressKey, type Instant, type SocketAddress } from '../wire/types.ts';
import type { Dialer } from './dialer.ts';
import type { Link } from './link.ts';
import type { SessionTable } from './sessions.ts';

const verbs = { echo: 1, challenge: 2, close: 3 };

export class Liveness {
  readonly #table: SessionTable;
  readonly #dialer: Dialer;

  constructor(table: SessionTable, dialer: Dialer) {
    this.#table = table;
    this.#dialer = dialer;
  }

  heard(link: Link, now: Instant): void {
    link.lastHeardMs = now.monotonicMs;
    link.expectingSinceMs = undefined;
    link.echoesUnanswered = 0;
    link.doubted = false;
    if (link.silent && link.keys !== undefined) {
      // The old path works again before a handshake succeeded.
      link.silent = false;
      this.#dialer.abandon(link);
      const session = this.#table.view(link.id);
      if (session !== undefined) this.#table.output({ kind: 'established', session });
    }
    this.#armKeepalive(link, now);
  }

  /** New keys: everything is fresh. */
  revived(link: Link, now: Instant): void {
    link.silent = false;
    link.doubted = false;
    link.dialAttempts = 0;
    link.wrongIdentities = 0;
    link.expectingSinceMs = undefined;
    link.echoesUnanswered = 0;
    link.echo = undefined;
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
    if (link.echo !== undefined) this.#table.recordRoundTrip(link, undefined);
    const requestId = this.#table.configuration.random(16);
    link.echo = { requestId, sentMs: now.monotonicMs };
    this.#table.sendFrame(link, encodeRequest(requestId, { verb: 'echo' }), now);
    if (link.expectingSinceMs === undefined) link.expectingSinceMs = now.monotonicMs;
    link.nextEchoMs = now.monotonicMs + echoAfterMs * 2 ** Math.min(link.echoesUnanswered, 2);
    link.echoesUnanswered += 1;
    this.#table.arm(link, link.nextEchoMs);
  }

  /** The network changed under us: two echoes at once, the first pays for the challenge that the other side owes a new address. */
  networkChanged(link: Link, now: Instant): void {
    link.dialAttempts = 0;
    if (link.keys === undefined || link.silent) { this.#dialer.attempt(link, now); return; }
    link.doubted = true;
    this.echo(link, now);
    this.echo(link, now);
  }

  doubt(link: Link, now: Instant): void {
    link.doubted = true;
    this.echo(link, now);
  }

  /** The link's deadline came: whatever of it is due. */
  wake(link: Link, now: Instant): void {
    const keys = link.keys;
    if (keys === undefined || link.silent || link.dialling !== undefined) {
      if (link.dial !== undefined && now.monotonicMs >= link.nextDialMs) this.#dialer.attempt(link, now);
      else if (link.dial !== undefined) this.#table.arm(link, link.nextDialMs);
    }
    if (keys === undefined || link.silent) return;
    const expecting = link.expectingSinceMs;
    if (expecting !== undefined) {
      const waitedMs = now.monotonicMs - expecting;
      if (link.dial !== undefined && waitedMs >= silentAfterMs) { this.#becomeSilent(link, now); return; }
      if (now.monotonicMs >= link.nextEchoMs && (link.dial !== undefined || waitedMs < silentAfterMs)) {
        if (!keys.confirmed && keys.handshake3 !== undefined) this.#table.transmit(link.address, keys.handshake3);
        this.echo(link, now);
        if (link.doubted && link.dial !== undefined && link.dialling === undefined) this.#dialer.attempt(link, now);
      }
      if (link.dial !== undefined) this.#table.arm(link, Math.min(Math.max(link.nextEchoMs, now.monotonicMs + 1), expecting + silentAfterMs));
    } else if (link.dial !== undefined && now.monotonicMs >= link.nextEchoMs) {
      const old = now.monotonicMs - keys.establishedMs > rekeyAfterMs || keys.sendCounter > rekeyAfterPackets;
      if (old && keys.initiator && link.dialling === undefined) this.#dialer.attempt(link, now);
      this.echo(link, now);
    } else if (link.dial !== undefined) this.#table.arm(link, link.nextEchoMs);
    if (link.dial === undefined) this.#table.arm(link, link.lastHeardMs + responderIdleMs);
  }

  /** True for echo, challenge and close, which end here. */
  handleFrame(link: Link, frame: Uint8Array, now: Instant): boolean {
    if (frame[0] === 1) {
      const verb = frame[1];
      if (verb !== verbs.echo && verb !== verbs.challenge && verb !== verbs.close) return false;
      const request = decodeFrame(frame);
      if (request?.type !== 'request') { this.#table.drop('bad-frame'); return true; }
      const { configuration } = this.#table;
      if (request.body.verb === 'echo') this.#table.sendFrame(link, encodeResponse(request.requestId, 0, true, encodeEchoResponse({ bootId: configuration.bootId, wallMs: Math.max(0, Math.floor(now.wallMs)) })), now);
      else if (request.body.verb === 'challenge') this.#table.sendFrame(link, encodeResponse(request.requestId, 0, true, request.body.random), now);
      else if (request.body.verb === 'close') this.#closedByPeer(link, now);
      return true;
    }
    if (frame[0] !== 2 || link.echo === undefined || !equalBytes(frame.subarray(1, 17), link.echo.requestId)) return false;
    const answer = decodeEchoResponse(frame.subarray(22));
    if (answer === undefined) { this.#table.drop('bad-frame'); return true; }
    const roundTripMs = now.monotonicMs - link.echo.sentMs;
    link.echo = undefined;
    link.clockOffsetMs = answer.wallMs + roundTripMs / 2 - now.wallMs;
    this.#table.recordRoundTrip(link, roundTripMs);
    return true;
  }

  /** Somebody says that the session which we address is unknown: surely with the token of the handshake, else perhaps. */
  unknownSession(from: SocketAddress, link: Link | undefined, remoteIndex: number, token: Uint8Array, now: Instant): void {
    if (link?.dial === undefined || link.keys?.remoteIndex !== remoteIndex || socketAddressKey(from) !== socketAddressKey(link.address)) { this.#table.drop('unexpected'); return; }
    if (link.dialling !== undefined) return;
    if (!equalBytes(token, link.keys.resetToken)) {
      this.#table.drop('bad-reset-token');
      if (now.monotonicMs - link.lastHintMs < hintPauseMs) return;
      link.lastHintMs = now.monotonicMs;
    }
    this.#dialer.attempt(link, now);
  }

  #becomeSilent(link: Link, now: Instant): void {
    link.silent = true;
    if (link.echo !== undefined) { link.echo = undefined; this.#table.recordRoundTrip(link, undefined); }
    this.#table.output({ kind: 'silent', sessionId: link.id });
    if (link.dialling === undefined) { link.dialAttempts = 0; this.#dialer.attempt(link, now); }
  }

  #closedByPeer(link: Link, now: Instant): void {
    // A dialled link is wanted: the other side stopped, and may be back soon. It is told apart from silence by coming at once.
    if (link.dial === undefined) { this.#table.end(link, 'closed-by-peer'); return; }
    this.#becomeSilent(link, now);
  }

  #armKeepalive(link: Link, now: Instant): void {
    if (link.dial === undefined) { this.#table.arm(link, now.monotonicMs + responderIdleMs); return; }
    link.nextEchoMs = now.monotonicMs + keepaliveMs * (1 - keepaliveSpread + 2 * keepaliveSpread * link.jitter);
    this.#table.arm(link, link.nextEchoMs);
  }
}
