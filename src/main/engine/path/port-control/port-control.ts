/**
 * Asks the gateway of a home network to let datagrams from outside through to one UDP port of ours, as a machine without sockets and clocks: PCP (RFC 6887), and
 * NAT-PMP (RFC 6886) where the gateway has only that.
 *
 * WHY. Behind most routers nobody gets in who was not spoken to before. Where the router grants a port, peers reach us directly whatever kind of NAT it is, and no
 * datagrams are needed to keep a mapping alive. UPnP IGD, the third way, is not checked: it is HTTP and XML from whoever answers a multicast, and no library for it
 * bounds what it reads, whom it believes and whom it then talks to. A report says "not checked" about it, never "no".
 *
 * WHAT A CALLER DOES. `start` with the gateway, our address towards it (the socket must send from there: PCP refuses otherwise) and the port to be mapped, which is that
 * of the main socket and need not be the one that asks. What comes in goes to `handleDatagram`; when the time of `pollTimeout` has come, `handleTimeout`. After each
 * call: send all of `pollTransmit`, take all of `pollChange`. `networkChanged` after sleep and whenever routes or addresses changed (`start` when they are others).
 * `stop` deletes the mapping; go on until `isIdle`.
 *
 * HOW IT ASKS. In rounds. A round begins with PCP, at 0, 250 and 750 ms; from the second sending on NAT-PMP's question for the external address goes along, which makes
 * no mapping, for old gateways that keep silent about versions they do not know. A gateway that has only NAT-PMP says so (section 9 of RFC 6887, 3.5 of RFC 6886); one
 * that has PCP but not this use of it is asked by NAT-PMP too. After 2 s without an end a report gets `none`, and what is still under way may overrule that. Later
 * rounds are rare: after silence some 4, 9 and then every 17 minutes, after a refusal as long as the gateway says, between 30 s and half an hour.
 *
 * A MAPPING is renewed after half of its life and up to an eighth more, then after half of what is left, calmly and by the method that made it; when it runs out the
 * state is `none` and everything begins again. What the gateway does not grant for at least 30 s counts as refused. Renewing names the external address of before, so
 * that a gateway that has lost everything gives it again. Whether it has lost everything is told by its epoch (epoch.ts).
 *
 * WHAT IS BELIEVED. Only datagrams from the gateway's address and port; of PCP only answers with our nonce, for our port. A mapping is only ever taken from an answer to
 * a question that is open. What comes unasked (an announcement, an epoch that jumped, another external address) at most makes us ask again, no sooner than 30 s after
 * the last time.
 *
 * A HOSTILE GATEWAY, or a neighbour who forges its address (against NAT-PMP, which has no nonce, and for its "I have no PCP" that is easy), can make us believe in an
 * external address that is not ours: a candidate that does not work, since whoever tries it does so with a handshake which only we can answer. So candidates are tried
 * sparingly and with small datagrams, lest they be the address of a victim; and a gateway that wants to keep us from being reached can do that anyway. It cannot make us
 * crash (all reading is typed and bounded), nor flood or amplify: a datagram calls for at most one of ours of 60 bytes, and not more than four in a round are called for
 * at all; everything else goes by the clock, with waits that no answer shortens below those in schedule.ts. Nothing that it says is kept beyond the state.
 */
import { decodeNatPmp, natPmpVersion } from './nat-pmp-codec.ts';
import { decodePcp } from './pcp-codec.ts';
import { natPmpAnswered } from './nat-pmp-answers.ts';
import { pcpAnswered } from './pcp-answers.ts';
import { Rounds } from './rounds.ts';
import { makeTarget } from './target.ts';
import { portControlPort, type PortControlDatagram, type PortControlState } from './port-control-types.ts';
import { waitMs } from './schedule.ts';
import type { RandomBytes } from '../../crypto.ts';
import type { SocketAddress } from '../../wire/types.ts';

export type { PortControlDatagram, PortControlMethod, PortControlState, RefusalReason } from './port-control-types.ts';
export { portControlPort } from './port-control-types.ts';

/** No clock shows more, in ms. */
const clockMaximumMs = Number.MAX_SAFE_INTEGER;

export class PortControl {
  readonly #random: RandomBytes;
  readonly #rounds: Rounds;
  #nowMs = -Infinity;

  /** @param random from the system's source: the nonce must not be guessed. */
  constructor({ random }: { readonly random: RandomBytes }) {
    this.#random = random;
    this.#rounds = new Rounds(random);
  }

  get state(): PortControlState { return this.#rounds.state; }
  /** Nothing is under way and nothing will be, until `start`. */
  get isIdle(): boolean { return this.#rounds.target === undefined && this.#rounds.outgoing.length === 0; }

  /**
   * @param gateway the text that datagrams of it come with as `host`
   * @param localAddress a literal address, from which the datagrams leave
   * @throws RangeError for an address or a port that is none
   */
  start(gateway: string, localAddress: string, localPort: number, nowMs: number): void {
    const now = this.#clock(nowMs);
    const before = this.#rounds.step?.kind === 'delete' ? undefined : this.#rounds.target;
    const isSamePath = before !== undefined && before.gateway === gateway && before.localAddress === localAddress;
    if (isSamePath && before.localPort === localPort) {
      this.networkChanged(now);
      return;
    }
    const target = makeTarget(gateway, localAddress, localPort, this.#random);
    if (isSamePath) this.#rounds.sendDeletions(before);
    this.#rounds.setTarget(target);
    this.#rounds.beginAfresh(now);
  }

  networkChanged(nowMs: number): void {
    const now = this.#clock(nowMs);
    if (this.#rounds.target !== undefined && this.#rounds.step?.kind !== 'delete') this.#rounds.beginAfresh(now);
  }

  /** Sends the deletion of what there is, a few times until it is answered. */
  stop(nowMs: number): void {
    const now = this.#clock(nowMs);
    if (this.#rounds.target === undefined || this.#rounds.step?.kind === 'delete') return;
    this.#rounds.change({ kind: 'idle' });
    this.#rounds.nextRoundMs = Infinity;
    this.#rounds.settleAtMs = Infinity;
    if (this.#rounds.hasAnswered && this.#rounds.held.size > 0) this.#rounds.ask('delete', 'leaving', now);
    else this.#rounds.end();
  }

  handleDatagram(from: SocketAddress, bytes: Uint8Array, nowMs: number): void {
    const now = this.#clock(nowMs);
    const { target } = this.#rounds;
    if (target === undefined || from.host !== target.gateway || from.port !== portControlPort) return;
    if (bytes[0] === natPmpVersion) natPmpAnswered(this.#rounds, decodeNatPmp(bytes), target, now);
    else pcpAnswered(this.#rounds, decodePcp(bytes), target, now);
  }

  handleTimeout(nowMs: number): void {
    const now = this.#clock(nowMs);
    if (this.#rounds.target === undefined) return;
    if (this.#rounds.state.kind === 'mapped' && now >= this.#rounds.state.expiresAtMs) this.#rounds.expired(now);
    if (this.#rounds.state.kind === 'checking' && now >= this.#rounds.settleAtMs) this.#rounds.change({ kind: 'none' });
    const step = this.#rounds.step;
    if (step === undefined) {
      if (now >= this.#rounds.nextRoundMs) this.#rounds.beginRound(now);
    } else if (now >= step.dueMs) {
      const attempt = step.attempt + 1;
      const wait = waitMs(step.pace, attempt);
      if (wait === undefined) this.#rounds.silent(now);
      else this.#rounds.send({ ...step, attempt, dueMs: now + wait });
    }
  }

  /** Monotonic ms; undefined: nothing changes by time alone. */
  pollTimeout(): number | undefined {
    if (this.#rounds.target === undefined) return undefined;
    const atMs = Math.min(
      this.#rounds.step?.dueMs ?? this.#rounds.nextRoundMs,
      this.#rounds.state.kind === 'checking' ? this.#rounds.settleAtMs : Infinity,
      this.#rounds.state.kind === 'mapped' ? this.#rounds.state.expiresAtMs : Infinity,
    );
    return atMs === Infinity ? undefined : atMs;
  }

  pollTransmit(): PortControlDatagram | undefined { return this.#rounds.outgoing.shift(); }

  /** The states since the last call, one by one. A renewal is one too, for it moves the end. */
  pollChange(): PortControlState | undefined { return this.#rounds.changes.shift(); }

  #clock(nowMs: number): number {
    if (nowMs > this.#nowMs && nowMs <= clockMaximumMs) this.#nowMs = nowMs;
    return this.#nowMs === -Infinity ? 0 : this.#nowMs;
  }
}
