/**
 * Dials that may go around: where a network does not let UDP pass, the same datagrams go over TCP to the same relay.
 *
 * A session belongs to two devices and not to addresses, and a handshake makes new keys for it at whatever address it was completed. So a handshake is what finds out whether a way works,
 * and completing one is what changes the way: the session goes on with its number, and what was sealed before is read for a while. Nothing else is sent by a way that has not proved itself.
 *
 * - A dial sends its handshake over UDP, and after a head start the very same one over TCP; the first that is answered wins. The head start depends on what is known of the network
 *   (`DetourKnowledge`): nothing where UDP is known not to pass, a moment where nothing is known, and long where it is known to pass, so that a lost packet leads nobody astray.
 * - A session over UDP that owes an answer for two seconds asks over both; hearing the other side ends that.
 * - A session over TCP asks over UDP again and again, and moves back with the first answer.
 * - What one session finds out, the others look into at once: they are in the same network.
 *
 * This has nothing to do with the several paths of sessions between visors (paths.ts): those are all UDP or inside of a session like these, and are found by other means.
 */
import { detourDoubtMs, directAskAgainMs, directAskMs, directAskRepeatMs, directAskSoonMs, refusedDetourMs } from './constants.ts';
import { isTcpAddress } from '../wire/tcp-address.ts';
import { sameAddress, type Instant, type SocketAddress } from '../wire/types.ts';
import type { Dialer } from './dialer.ts';
import type { Link } from './link.ts';
import type { SessionTable } from './sessions.ts';

/** Of a link that may go around. */
export interface Detour {
  /** Where the other side takes TCP. */
  address: SocketAddress;
  /** The present attempts go there too from then on. */
  joinsAtMs: number;
  /** Why they are made: `direct` asks whether UDP passes by now, `doubt` whether anything does. */
  reason: 'wanted' | 'doubt' | 'direct';
  /** Over TCP: when UDP is asked next; while it is being asked, when that is given up. */
  directAtMs: number;
  /** Somebody else answers there. */
  refusedUntilMs: number;
}

export const createDetour = (address: SocketAddress, joinsAtMs: number): Detour => ({ address, joinsAtMs, reason: 'wanted', directAtMs: Infinity, refusedUntilMs: -Infinity });

/** Where a dial begins: never around alone. */
export const directAddress = (link: Link): SocketAddress => (isTcpAddress(link.address) ? link.home : link.address);

/** Whether the present attempt goes around too: always where the session already does, except to ask for more. */
export function goesAround({ address, detour }: Link, now: Instant): boolean {
  if (detour === undefined || detour.reason === 'direct' || now.monotonicMs < detour.refusedUntilMs) return false;
  return now.monotonicMs >= detour.joinsAtMs || isTcpAddress(address);
}

export class Detours {
  readonly #table: SessionTable;
  readonly #dialer: Dialer;

  constructor(table: SessionTable, dialer: Dialer) {
    this.#table = table;
    this.#dialer = dialer;
  }

  /** A new dial, or one at another address. */
  wanted(link: Link, now: Instant): void {
    if (link.detour === undefined) return;
    this.#stopAsking(link, link.detour);
    link.detour.joinsAtMs = now.monotonicMs + (this.#table.configuration.detour?.headStartMs() ?? 0);
  }

  /** Nothing was heard although it should have been, or cannot be. */
  silent(link: Link, now: Instant): void {
    if (link.detour === undefined) return;
    this.#stopAsking(link, link.detour);
    link.detour.joinsAtMs = Math.min(link.detour.joinsAtMs, now.monotonicMs);
  }

  /** New keys are due: by the way that is in use, and by the other one only where that is silent. */
  rekey(link: Link, now: Instant): void {
    if (link.detour === undefined) return;
    link.detour.reason = 'wanted';
    link.detour.joinsAtMs = isTcpAddress(link.address) ? now.monotonicMs : now.monotonicMs + detourDoubtMs;
  }

  /** What proved itself in another network has to do so again. */
  networkChanged(link: Link, now: Instant): void {
    const { detour } = link;
    if (detour === undefined) return;
    this.wanted(link, now);
    detour.refusedUntilMs = -Infinity;
    if (link.keys === undefined || link.silent) return;
    if (isTcpAddress(link.address)) {
      detour.directAtMs = now.monotonicMs;
      this.#askDirectly(link, detour, now);
    } else if (this.#table.configuration.detour?.headStartMs() === 0) {
      // Known to let no UDP pass: that is not waited for.
      this.#askBoth(link, now);
    }
  }

  /** Something authentic came: what was asked only because nothing did is not wanted any more. */
  heard(link: Link): void {
    if (link.detour?.reason !== 'doubt') return;
    this.#dialer.abandon(link);
    link.detour.reason = 'wanted';
    link.detour.joinsAtMs = Infinity;
  }

  /** A handshake was completed at that address; `hasMoved`: the session was elsewhere before. */
  established(link: Link, address: SocketAddress, hasMoved: boolean, now: Instant): void {
    const { detour } = link;
    if (detour === undefined) return;
    const wasDirect = detour.reason === 'direct';
    detour.reason = 'wanted';
    detour.joinsAtMs = Infinity;
    if (!isTcpAddress(address)) {
      detour.directAtMs = Infinity;
      this.#table.configuration.detour?.passed();
      if (hasMoved) this.#tellOthers(link, 'passes', now);
      return;
    }
    // What had a head start may have been lost; soon it is known.
    if (!wasDirect) detour.directAtMs = now.monotonicMs + directAskSoonMs;
    this.#table.arm(link, detour.directAtMs);
    if (hasMoved) this.#tellOthers(link, 'does not pass', now);
  }

  /** They might notice only with their next keepalive, or ask half a minute later. */
  #tellOthers(link: Link, udp: 'passes' | 'does not pass', now: Instant): void {
    for (const other of this.#table.dialled) {
      if (other === link || other.detour === undefined || other.keys === undefined || other.silent) continue;
      const isOverTcp = isTcpAddress(other.address);
      if (udp === 'passes' && isOverTcp && other.detour.reason !== 'direct') {
        other.detour.directAtMs = now.monotonicMs;
        this.#table.arm(other, now.monotonicMs);
      } else if (udp === 'does not pass' && !isOverTcp && other.expectingSinceMs === undefined) this.#table.greet(other, now);
    }
  }

  /** Whoever answered around is not the one who is dialled: another relay behind the same address, or a machine in between. Nobody is told of it, since the dial itself is sound. */
  refused(link: Link, from: SocketAddress, now: Instant): boolean {
    const { detour } = link;
    if (detour === undefined || !sameAddress(from, detour.address)) return false;
    detour.refusedUntilMs = now.monotonicMs + refusedDetourMs;
    return true;
  }

  /** What is due of all this, and arming of what will be. */
  wake(link: Link, now: Instant): void {
    const { detour, dialling } = link;
    if (detour === undefined) return;
    if (dialling !== undefined && !dialling.wentAround && goesAround(link, now)) this.#dialer.goAround(link, now);
    if (detour.joinsAtMs > now.monotonicMs && detour.joinsAtMs < Infinity && dialling !== undefined) this.#table.arm(link, detour.joinsAtMs);
    if (link.keys === undefined || link.silent) return;
    if (!isTcpAddress(link.address)) this.#doubt(link, detour, now);
    else this.#askDirectly(link, detour, now);
  }

  /** Its attempts are few: what is wanted for other reasons begins anew. */
  #stopAsking(link: Link, detour: Detour): void {
    if (detour.reason === 'direct') this.#dialer.abandon(link);
    detour.reason = 'wanted';
  }

  #doubt(link: Link, detour: Detour, now: Instant): void {
    if (link.expectingSinceMs === undefined || link.dialling !== undefined) return;
    const dueMs = link.expectingSinceMs + detourDoubtMs;
    if (now.monotonicMs < dueMs) { this.#table.arm(link, dueMs); return; }
    if (now.monotonicMs >= detour.refusedUntilMs) this.#askBoth(link, now);
  }

  #askBoth(link: Link, now: Instant): void {
    const { detour } = link;
    if (detour === undefined || link.dialling !== undefined) return;
    detour.reason = 'doubt';
    detour.joinsAtMs = now.monotonicMs;
    link.dialAttempts = 0;
    this.#dialer.attempt(link, now);
  }

  #askDirectly(link: Link, detour: Detour, now: Instant): void {
    if (now.monotonicMs < detour.directAtMs) { this.#table.arm(link, detour.directAtMs); return; }
    if (detour.reason === 'direct') {
      this.#stopAsking(link, detour);
      detour.directAtMs = now.monotonicMs + directAskAgainMs;
      if (!this.#isDirectSomewhere(now)) this.#table.configuration.detour?.didNotPass();
    } else if (link.dialling !== undefined) detour.directAtMs = now.monotonicMs + directAskSoonMs;
    else {
      detour.reason = 'direct';
      detour.directAtMs = now.monotonicMs + directAskMs;
      link.dialAttempts = 0;
      this.#dialer.attempt(link, now);
    }
    this.#table.arm(link, detour.directAtMs);
  }

  /** One relay may be unreachable over UDP for reasons of its own. */
  #isDirectSomewhere(now: Instant): boolean {
    for (const link of this.#table.dialled) {
      if (link.detour !== undefined && link.keys !== undefined && !link.silent && !isTcpAddress(link.address) && now.monotonicMs - link.lastHeardMs < 2 * directAskAgainMs) return true;
    }
    return false;
  }
}

/** Pause after an attempt that only asks whether UDP passes: the same handshake once more, and then an answer may take its time. */
export const directPauseMs = (attempts: number): number => (attempts === 0 ? directAskRepeatMs : Infinity);
