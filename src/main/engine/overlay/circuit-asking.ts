/** Asks the relays of somebody, one after the other, for a circuit to them; one that does not answer soon is asked again when all others were. */
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { Recipient } from './recipients.ts';
import type { RelayLink, RelayLinks } from './relay-links.ts';
import { circuitsCapability } from './capabilities.ts';

/** For the link to a relay of theirs, before the next is asked: a handshake takes two round trips. */
const firstWaitMs = 1_000;
/** When all others were asked: a slow one has been dialled meanwhile. */
const lastWaitMs = 3_000;
/** The relay asks them, and waits for 5 s. */
const circuitDeadlineMs = 7_000;
const circuitBytes = 4;

/** In which order they are asked: a friend's computer is not asked as long as a relay of theirs may answer, but one of ours too that does not answer us will not answer now. */
const ranks = { connected: 0, unknown: 1, friend: 2, silent: 3 } as const;
/** Longer than a handshake takes. */
const connectingMs = 3_000;

function rankOf(own: RelayLink | undefined, now: Instant): number {
  if (own === undefined) return ranks.unknown;
  if (own.state === 'connected') return ranks.connected;
  return own.state === 'silent' || own.state === 'paused' || now.monotonicMs - own.lastUsedMs >= connectingMs ? ranks.silent : ranks.unknown;
}

export interface FoundCircuit { readonly sessionId: SessionId; readonly circuit: number; readonly relay: PublicKeyHex }

/** @param friends relays of friends of ours, where they may be found too. Undefined: no relay offers it, or they are not here. */
export function askCircuit(context: VisorContext, links: RelayLinks, { record, device, relays }: Recipient, friends: readonly RelayHint[], token: Uint8Array, now: Instant, done: (found: FoundCircuit | undefined, now: Instant) => void): void {
  // Where we are connected already there is no wait.
  const left = [
    ...relays.map((hint) => ({ hint, rank: rankOf(links.own(hint.publicKey), now) })),
    ...friends.filter((friend) => !relays.some((relay) => relay.publicKey === friend.publicKey)).map((hint) => ({ hint, rank: ranks.friend })),
  ].sort((one, other) => one.rank - other.rank).map(({ hint }) => ({ hint, waitMs: firstWaitMs }));
  const next = (at: Instant): void => {
    const asked = left.shift();
    if (asked === undefined) { done(undefined, at); return; }
    const { hint, waitMs } = asked;
    const link = links.deposit(hint, at);
    if (link === undefined) { next(at); return; }
    links.whenUp(link, waitMs, at, (isUp, upAt) => {
      const sessionId = link.sessionId;
      if (!isUp && waitMs === firstWaitMs) left.push({ hint, waitMs: lastWaitMs });
      if (!isUp || sessionId === undefined || links.session(link)?.remoteCapabilities.includes(circuitsCapability) !== true) { next(upAt); return; }
      context.directed.request(sessionId, { verb: 'circuit', mailbox: { identity: record.identity, deviceId: device.deviceId }, token }, {
        deadlineMs: circuitDeadlineMs,
        done: (outcome, answeredAt) => {
          const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
          const circuit = payload?.length === circuitBytes ? new DataView(payload.buffer, payload.byteOffset, circuitBytes).getUint32(0) : 0;
          if (circuit === 0) next(answeredAt);
          else done({ sessionId, circuit, relay: hint.publicKey }, answeredAt);
        },
      }, upAt);
    });
  };
  next(now);
}
