/**
 * Whether the way to a silent side is there again. The handshakes that would find out come ever seldomer, at last every eight seconds: each is 1,200 bytes, and costs the other side a
 * signature. A question under the keys that both sides still have is a tenth of that and asks for no more; so between handshakes one goes out each second, and its answer is
 * all that a link needs that was only cut. Who has forgotten the session says so, and is dialled at once.
 *
 * Over UDP alone (each could begin a connection), and of links with one address: sessions with several paths ask by each of them (paths.ts).
 */
import { encodeRequest } from '../wire/frame.ts';
import { isTcpAddress } from '../wire/tcp-address.ts';
import type { Instant } from '../wire/types.ts';
import { knockForMs, knockMs, knockOftenForMs, knockSeldomMs } from './constants.ts';
import { noLongerAwaited, type Link } from './link.ts';
import { randomFraction } from '../random.ts';
import type { SessionTable } from './sessions.ts';

export class Knocking {
  readonly #table: SessionTable;

  constructor(table: SessionTable) { this.#table = table; }

  /** It is silent from now on, or the network is another one. */
  began(link: Link, now: Instant): void {
    if (link.keys === undefined || link.paths !== undefined || link.dial === undefined) return;
    link.knocking = { sinceMs: now.monotonicMs, nextMs: 0 };
    this.#knockLater(link, link.knocking, now);
  }

  /** Heard, or given up. */
  over(link: Link): void { link.knocking = undefined; }

  /** The link's deadline came. Arms the next one. */
  wake(link: Link, now: Instant): void {
    const { knocking } = link;
    if (knocking === undefined) return;
    if (now.monotonicMs - knocking.sinceMs >= knockForMs) { link.knocking = undefined; return; }
    if (now.monotonicMs < knocking.nextMs) { this.#table.arm(link, knocking.nextMs); return; }
    if (!isTcpAddress(link.address)) {
      // One that is not answered is no lost round trip of its own: the silence is known.
      if (link.echo !== undefined) noLongerAwaited(link, link.echo.requestId);
      const requestId = this.#table.configuration.random(16);
      link.echo = { requestId, sentMs: now.monotonicMs };
      this.#table.sendFrame(link, encodeRequest(requestId, { verb: 'echo' }), now);
    }
    this.#knockLater(link, knocking, now);
  }

  #knockLater(link: Link, knocking: NonNullable<Link['knocking']>, now: Instant): void {
    const pauseMs = now.monotonicMs - knocking.sinceMs < knockOftenForMs ? knockMs : knockSeldomMs;
    knocking.nextMs = now.monotonicMs + pauseMs * (0.75 + 0.5 * randomFraction(this.#table.configuration.random));
    this.#table.arm(link, knocking.nextMs);
  }
}
