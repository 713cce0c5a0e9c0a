/**
 * The opener's side of a guess (guessing.ts): which sockets are bound, and what each sends so that the own router gives it a port and lets the prober in by it.
 *
 * The first datagram of each socket is to open the own router and to get no farther: on the far side it would come unasked, and 256 of them from one host look like a scan to
 * some routers, which then shut that host out. So it has 5 hops to go, as HyperDHT's: a home router and a carrier's are among the first five, the other end seldom is. Where a carrier's
 * translation lies farther out nothing is open after that; so each socket sends again, with all its hops, 7 and 14 seconds later: the prober's router knows by then that we are
 * written to, and what it does not want it drops. The same datagrams keep the ports open of routers that forget a conversation without an answer after ten or twenty seconds.
 *
 * Sockets are bound a few at a time: 256 at once would hold off everything else that the process does.
 */
import type { GuessSocket } from '../wire/types.ts';
import { guessMs } from './guessing.ts';

/** As far as the first datagram of a socket goes (notes on peers, section 3: HyperDHT). */
export const firstHops = 5;
const bindGapMs = 20;
const bindsAtOnce = 8;
const roundsMs: readonly number[] = [0, 7_000, 14_000];
/** Between two datagrams of a later round. */
const roundGapMs = 3;
/** The prober may begin and end later than we reckon. */
const graceMs = 2_000;

interface Opened { readonly socket: GuessSocket; sent: number }

export class GuessOpener {
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #opened: Opened[] = [];
  #wanted: number;
  #nextBindMs: number;
  #nextSendMs: number;
  #isHeard = false;

  constructor(sockets: number, probes: number, startMs: number) {
    this.#wanted = sockets;
    this.#startMs = startMs;
    this.#endMs = startMs + guessMs(probes) + graceMs;
    this.#nextBindMs = startMs;
    this.#nextSendMs = startMs;
  }

  isOver(nowMs: number): boolean { return nowMs >= this.#endMs; }

  /** How many sockets are to be asked for now. */
  pollBinds(nowMs: number): number {
    if (this.#wanted === 0 || this.#isHeard || nowMs < this.#nextBindMs) return 0;
    const binds = Math.min(bindsAtOnce, this.#wanted);
    this.#wanted -= binds;
    this.#nextBindMs = nowMs + bindGapMs;
    return binds;
  }

  bound(socket: GuessSocket): void { this.#opened.push({ socket, sent: 0 }); }

  gone(socket: GuessSocket): void {
    const index = this.#opened.findIndex((one) => one.socket === socket);
    if (index >= 0) this.#opened.splice(index, 1);
  }

  /** Something authentic came in by one of them: no more of them are needed, and nothing is to be opened any more. */
  heard(): void { this.#isHeard = true; }

  /** A socket that sends to the prober now. */
  pollSend(nowMs: number): GuessSocket | undefined {
    if (this.#isHeard) return undefined;
    const fresh = this.#opened.find(({ sent }) => sent === 0);
    if (fresh !== undefined) { fresh.sent = 1; return fresh.socket; }
    if (nowMs < this.#nextSendMs) return undefined;
    const again = this.#opened.find(({ sent }) => sent < roundsMs.length && nowMs >= this.#roundMs(sent));
    if (again === undefined) return undefined;
    again.sent += 1;
    this.#nextSendMs = nowMs + roundGapMs;
    return again.socket;
  }

  pollTimeout(): number {
    if (this.#isHeard) return this.#endMs;
    const times = [this.#endMs];
    if (this.#wanted > 0) times.push(this.#nextBindMs);
    const fewest = this.#opened.reduce((least, { sent }) => Math.min(least, sent), roundsMs.length);
    if (fewest < roundsMs.length) times.push(Math.max(this.#nextSendMs, this.#roundMs(fewest)));
    return Math.min(...times);
  }

  #roundMs(sent: number): number { return this.#startMs + (roundsMs[sent] ?? Infinity); }
}
