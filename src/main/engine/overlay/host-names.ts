/**
 * Host names of relays become addresses by asking the host: the engine never resolves by itself. Literal addresses pass through.
 * Answers are remembered for a minute, failures for a few seconds, so that a retry loop does not become a DNS storm.
 */
import type { Instant, SocketAddress } from '../wire/types.ts';

const answerLifetimeMs = 60_000;
const failureLifetimeMs = 3_000;
const cacheMaximum = 64;

const literal = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)$/i;

export class HostNames {
  readonly #ask: (ticket: number, host: string) => void;
  readonly #waiting = new Map<string, ((address: string | undefined, now: Instant) => void)[]>();
  readonly #tickets = new Map<number, string>();
  readonly #answers = new Map<string, { readonly address: string | undefined; readonly untilMs: number }>();
  #nextTicket = 1;

  constructor(ask: (ticket: number, host: string) => void) { this.#ask = ask; }

  resolve(host: string, port: number, now: Instant, found: (address: SocketAddress | undefined, now: Instant) => void): void {
    if (literal.test(host)) { found({ host: host.replace(/^\[|\]$/g, ''), port }, now); return; }
    const deliver = (address: string | undefined, at: Instant): void => { found(address === undefined ? undefined : { host: address, port }, at); };
    const known = this.#answers.get(host);
    if (known !== undefined && known.untilMs > now.monotonicMs) { deliver(known.address, now); return; }
    const waiting = this.#waiting.get(host);
    if (waiting !== undefined) { waiting.push(deliver); return; }
    this.#waiting.set(host, [deliver]);
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#tickets.set(ticket, host);
    this.#ask(ticket, host);
  }

  handleResolved(ticket: number, addresses: readonly string[], now: Instant): void {
    const host = this.#tickets.get(ticket);
    if (host === undefined) return;
    this.#tickets.delete(ticket);
    const address = addresses.find((candidate) => literal.test(candidate));
    if (this.#answers.size >= cacheMaximum) this.#answers.clear();
    this.#answers.set(host, { address, untilMs: now.monotonicMs + (address === undefined ? failureLifetimeMs : answerLifetimeMs) });
    const waiting = this.#waiting.get(host) ?? [];
    this.#waiting.delete(host);
    for (const deliver of waiting) deliver(address, now);
  }

  /** A network change may change every answer. */
  forget(): void { this.#answers.clear(); }
}
