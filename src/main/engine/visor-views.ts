/** What people are shown of the visor role, computed from its memory at the moment of asking: nothing here is kept, and nothing changes. */
import { deriveHeadline } from './mail/facts.ts';
import { copiesWanted } from './mail/outbox.ts';
import { leavingMaximumMs } from './mail/own-relays.ts';
import { friendsWaypost } from '../../shared/relay-sentences.ts';
import type { ConnectionView, Headline } from '../../shared/views.ts';
import type { RelayStatus } from './inspection-types.ts';
import type { LetterFacts } from './mail/visor-store.ts';
import { isOverTcp, type RelayLink } from './overlay/relay-links.ts';
import type { VisorRole } from './visor-role.ts';
import type { Instant } from './wire/types.ts';

/** Before this the first handshake may still be under way: neither online nor offline yet. */
export const startingMs = 3_000;
/** A clock that is wrong by less disturbs nothing that people see. */
const clockNoticeMs = 60_000;

export function connectionView(role: VisorRole, startedMs: number, now: Instant): ConnectionView {
  const configured = role.relays.configured.length;
  const connected = role.relays.connectedCount;
  const waiting = [...role.context.memory.outbox.values()].filter((row) => row.kind === 'message' && row.stage === 'deposit').length;
  const ofFriends = role.relays.friendsConnectedCount;
  const starting = connected === 0 && ofFriends === 0 && now.monotonicMs - startedMs < startingMs;
  const kind: ConnectionView['kind'] = role.revoked ? 'revoked' : configured === 0 && ofFriends === 0 ? 'no-relay' : starting ? 'starting'
    : connected === 0 && ofFriends > 0 ? 'degraded' : connected === 0 ? 'offline' : connected >= Math.min(copiesWanted, configured) ? 'online' : 'degraded';
  const overTcp = role.relays.configured.filter(({ publicKey }) => isRelayOverTcp(role, publicKey)).length;
  const offset = role.relays.clockOffsetMs(1, now);
  return {
    kind, relaysConnected: connected, relaysConfigured: configured, waitingMessages: waiting, ...(overTcp > 0 ? { relaysOverTcp: overTcp } : {}), ...(role.context.udp?.isBlocked === true ? { isUdpBlocked: true } : {}),
    ...(offset !== undefined && Math.abs(offset) > clockNoticeMs ? { clockOffsetMs: Math.round(offset) } : {}),
  };
}

export function relayStatus(role: VisorRole, publicKey: string, now: Instant): RelayStatus | undefined {
  const row = role.context.memory.relays.get(publicKey);
  if (row === undefined) return bannedStatus(role, publicKey);
  const link = role.links.own(publicKey);
  const session = link === undefined ? undefined : role.links.session(link);
  const registered = role.relays.registered.has(publicKey);
  const wrongKey = link?.problem === 'wrong-identity' || link?.problem === 'bad-certificate';
  const refused = role.relays.isRefused(publicKey) || wrongKey;
  const isSilent = link?.state === 'silent' || link?.state === 'paused' || (link?.state === 'connecting' && now.monotonicMs - link.lastUsedMs >= startingMs);
  const state: RelayStatus['state'] = registered ? 'connected' : role.revoked || link === undefined ? 'idle' : refused ? 'refused' : isSilent ? 'unreachable' : 'connecting';
  return {
    row, state, isOverTcp: isRelayOverTcp(role, publicKey),
    problem: registered ? '' : row.role === 'friend' && role.relays.isRefused(publicKey) && !role.revoked ? 'Your friend’s computer does not hold mail for you just now.' : relayProblem(link, role.relays.isRefused(publicKey), role.revoked, state),
    leavingUntilWallMs: row.leavingSinceMs === undefined ? undefined : row.leavingSinceMs + leavingMaximumMs,
    sinceWallMs: registered ? link?.sinceWallMs : undefined,
    lastHeardWallMs: session === undefined || link?.everConnected !== true ? undefined : now.wallMs - (now.monotonicMs - session.lastHeardMs),
    roundTripsMs: session?.roundTripsMs ?? [],
    tests: role.reliability.tests(publicKey, now),
    carrier: row.role === 'friend' ? role.friendRelays.carrierOf(publicKey) : undefined,
    waitingLetters: role.inbox.waitingLetters(publicKey),
    place: placeOf(role, publicKey), isTold: role.records.advertisedRelays().some((relay) => relay.publicKey === publicKey), mailbox: role.relays.mailbox(publicKey),
    capabilities: session?.remoteCapabilities ?? [], trial: role.trials.status(publicKey),
  };
}

function placeOf(role: VisorRole, publicKey: string): number | undefined {
  const place = role.records.relaysInOrder().findIndex((row) => row.publicKey === publicKey);
  return place < 0 ? undefined : place;
}

/** Nothing is sent there, so nothing is known but that it is banned. */
function bannedStatus(role: VisorRole, publicKey: string): RelayStatus | undefined {
  const row = role.context.memory.bannedRelays.get(publicKey);
  return row === undefined ? undefined : {
    row, state: 'idle', isOverTcp: false, problem: '', leavingUntilWallMs: undefined, sinceWallMs: undefined, lastHeardWallMs: undefined, roundTripsMs: [], tests: undefined, waitingLetters: undefined,
    place: undefined, isTold: false, mailbox: undefined, capabilities: [], trial: undefined, carrier: row.role === 'friend' ? role.friendRelays.carrierOf(publicKey) : undefined,
  };
}

/** As long as it counts as connected. */
function isRelayOverTcp(role: VisorRole, publicKey: string): boolean {
  const link = role.links.own(publicKey);
  return role.relays.registered.has(publicKey) && link !== undefined && isOverTcp(role.context.sessions, link);
}

export function headlineOf(role: VisorRole, messageId: string, facts: LetterFacts, now: Instant): Headline {
  const row = role.context.memory.outbox.get(messageId);
  const nextTryMs = row === undefined ? undefined : role.outbox.nextTryMs(messageId);
  return deriveHeadline(role.context.memory.durableFacts.get(messageId) ?? facts, {
    sendingNow: role.outbox.sendingNow(messageId),
    reason: row?.lastReason,
    nextTryWallMs: nextTryMs === undefined ? undefined : now.wallMs + Math.max(0, nextTryMs - now.monotonicMs),
    wantedCopies: row === undefined ? 1 : Math.min(copiesWanted, role.recipients.known(row.recipient)?.relays.length ?? 1),
    relayName: (publicKey) => relayName(role, publicKey),
  });
}

export function relayName(role: VisorRole, publicKey: string): string {
  const row = role.context.memory.relays.get(publicKey) ?? role.context.memory.bannedRelays.get(publicKey);
  const hint = row ?? [...role.context.memory.contacts.values()].flatMap((contact) => contact.relays).find((relay) => relay.publicKey === publicKey);
  if (row?.role === 'local') return 'this computer';
  if (row?.role === 'friend') return friendsWaypost(role.context.memory.contacts.get(role.friendRelays.carrierOf(publicKey) ?? '')?.name);
  return hint === undefined ? `relay ${publicKey.slice(0, 8)}` : hint.port === 0 ? hint.host : `${hint.host}:${String(hint.port)}`;
}

function relayProblem(link: RelayLink | undefined, refused: boolean, revoked: boolean, state: RelayStatus['state']): string {
  if (revoked) return 'This identity was restored on another device, so this one no longer fetches mail.';
  if (refused) return 'The relay does not keep mail for this identity. Ask its operator, or choose another relay.';
  if (link?.problem === 'wrong-identity' || link?.problem === 'bad-certificate') return 'Another key answers at this address. Check the link of the relay with its operator.';
  if (link?.problem === 'no-address') return 'The name of the relay could not be found. Waypost keeps trying.';
  if (state === 'unreachable') return 'Waypost keeps trying.';
  return '';
}
