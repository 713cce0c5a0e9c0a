/** Asks the relays of somebody, one after the other, for a circuit to them. */
import type { SessionId } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { Recipient } from './recipients.ts';
import type { RelayLinks } from './relay-links.ts';
import { circuitsCapability } from './capabilities.ts';

/** For the link to a relay of theirs. */
const relayDeadlineMs = 4_000;
/** The relay asks them, and waits for 5 s. */
const circuitDeadlineMs = 7_000;
const circuitBytes = 4;

export interface FoundCircuit { readonly sessionId: SessionId; readonly circuit: number; readonly relay: PublicKeyHex }

/** @param friends relays of friends of ours, where they may be found too. Undefined: no relay offers it, or they are not here. */
export function askCircuit(context: VisorContext, links: RelayLinks, { record, device, relays }: Recipient, friends: readonly RelayHint[], token: Uint8Array, now: Instant, done: (found: FoundCircuit | undefined, now: Instant) => void): void {
  // Where we are connected already there is no wait.
  const isConnected = (hint: RelayHint): boolean => links.own(hint.publicKey)?.state === 'connected';
  const left = [...relays].sort((one, other) => Number(isConnected(other)) - Number(isConnected(one)));
  left.push(...friends.filter((friend) => !relays.some((relay) => relay.publicKey === friend.publicKey)));
  const next = (at: Instant): void => {
    const hint = left.shift();
    const link = hint === undefined ? undefined : links.deposit(hint, at);
    if (hint === undefined) { done(undefined, at); return; }
    if (link === undefined) { next(at); return; }
    links.whenUp(link, relayDeadlineMs, at, (isUp, upAt) => {
      const sessionId = link.sessionId;
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
