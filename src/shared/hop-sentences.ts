/** The words of the hop log: what happened to a letter, where, and by which path. Pure, as sentences.ts is. */
import type { PeerPathCode } from './peer-views.ts';
import { momentWords } from './quantities.ts';
import { reasonText } from './sentences.ts';
import type { HopView } from './views.ts';

const hopTitles: Readonly<Record<HopView['kind'], string>> = {
  saved: 'Saved on this computer',
  sealed: 'Sealed for their device',
  tried: 'Handed to the network',
  held: 'Held by',
  lost: 'Copy lost by',
  fetched: 'Fetched from',
  delivered: 'Delivered to their device',
  read: 'Read',
  expires: 'Expires',
  expired: 'Expired',
  unconfirmed: 'Not confirmed in time',
  cancelled: 'Cancelled by you',
  failed: 'Not delivered',
  received: 'Received by this computer',
  opened: 'Opened and checked',
};

/** What stands where no name is known. */
const someRelay = 'a relay';

const peerWays: Readonly<Record<PeerPathCode, (relay: string) => string>> = {
  'peer-lan': () => 'directly, over the local network',
  'peer-direct': () => 'directly',
  'peer-punched': () => 'directly, by a punched path',
  'peer-friend': (friend) => (friend === someRelay ? 'in a connection through a friend of you both' : `in a connection through ${friend}, a friend of you both`),
  'peer-relay': (relay) => `in a connection through ${relay}`,
  'peer-relay-tcp': (relay) => `in a connection through ${relay}, over TCP`,
};

/** How it went between the two devices; undefined for everything that a relay held, and where that is not known. */
function peerWay(hop: HopView): string | undefined {
  return hop.path !== undefined && isPeerPath(hop.path) ? peerWays[hop.path](hop.relayName ?? someRelay) : undefined;
}

const isThroughOthers = ({ path }: HopView): boolean => path === 'peer-relay' || path === 'peer-relay-tcp' || path === 'peer-friend';

/** The title of one row of the hop log; where and why are in {@link hopDetails}. */
export function hopTitle(hop: HopView): string {
  const title = hopTitles[hop.kind];
  const relay = hop.relayName ?? 'a relay';
  const way = peerWay(hop);
  switch (hop.kind) {
    case 'held': return hop.future ? `Will be held by ${relay}` : `${title} ${relay}`;
    case 'lost': return `${title} ${relay}`;
    case 'fetched': return hop.future ? `Waits at ${relay} to be fetched` : `${title} ${relay}`;
    case 'tried': return hop.future ? 'Next try' : way !== undefined ? `Handed to their device ${way}` : hop.relayName === undefined ? title : `Handed to ${relay}`;
    case 'delivered': return hop.future ? 'Delivery to their device' : way === undefined ? title : isThroughOthers(hop) ? `${title} ${way}` : `Delivered ${way}`;
    case 'received': return way !== undefined ? isThroughOthers(hop) ? `Received from their device ${way}` : `Received ${way}` : hop.relayName === undefined ? title : `Received from ${relay}`;
    case 'saved': case 'sealed': case 'read': case 'expires': case 'expired': case 'unconfirmed': case 'cancelled': case 'failed': case 'opened': return title;
  }
}

/** By which path, why, and until when, as separate short lines. Known reason codes become their sentence. */
export function hopDetails(hop: HopView, nowMs: number): readonly string[] {
  const lines: string[] = [];
  if (peerWay(hop) !== undefined) lines.push('While you were both online');
  else if (hop.path !== undefined && hop.path !== '') lines.push(`By ${hop.path}`);
  if (hop.reason !== undefined && hop.reason !== '') lines.push(reasonText(hop.reason));
  if (hop.untilMs !== undefined) lines.push(`Until ${momentWords(hop.untilMs, nowMs)}`);
  return lines;
}

const isPeerPath = (text: string): text is PeerPathCode => Object.hasOwn(peerWays, text);
