/** Contacts and relays of the page that shows who is reached how: every path, every reason for having no direct one, and those who are looked for. */
import type { ConversationView } from '../../shared/views.ts';
import type { DirectSearchView, PeerPathView, PeerView } from '../../shared/peer-views.ts';
import { relayNames, sampleKey, sampleRoundTrips } from './samples.ts';

const second = 1_000;
const minute = 60 * second;

const mill = { relay: sampleKey(relayNames.mill), relayName: relayNames.mill };
const harbour = { relay: sampleKey(relayNames.harbour), relayName: relayNames.harbour };
const path = (change: Partial<PeerPathView> & Pick<PeerPathView, 'kind'>): PeerPathView => ({ isCurrent: false, isDoubtful: false, ...change });
const inUse = (change: Partial<PeerPathView> & Pick<PeerPathView, 'kind'>): PeerPathView => path({ isCurrent: true, ...change });

function connected(name: string, nowMs: number, paths: readonly PeerPathView[], change: Partial<PeerView> = {}): PeerView {
  const [current] = paths;
  if (current === undefined) throw new Error('Who is connected has a path.');
  const { kind, relay, relayName, address, roundTripMs } = current;
  return {
    publicKey: sampleKey(name), name, role: 'contact', path: kind === 'relay' ? 'relay' : 'direct', kind, paths: [...paths],
    ...(relay === undefined ? {} : { relay }), ...(relayName === undefined ? {} : { relayName }), ...(address === undefined ? {} : { address }), ...(roundTripMs === undefined ? {} : { roundTripMs }),
    lastHeardMs: nowMs - 4 * second, sentBytes: 48_200, receivedBytes: 36_100, roundTripsMs: roundTripMs === undefined ? [] : sampleRoundTrips(roundTripMs, name, 0), switches: [{ atMs: nowMs - 9 * minute, to: kind }], problems: [],
    ...change,
  };
}

const search = (nowMs: number, change: Partial<DirectSearchView>): DirectSearchView =>
  ({ reason: 'failed', attempts: 4, begins: 'own', ownAddresses: 2, theirAddresses: 3, triedAddresses: 3, lastAttemptAtMs: nowMs - 21 * second, nextAttemptAtMs: nowMs + 39 * second, ...change });

export function sought(name: string, seek: NonNullable<PeerView['seek']>): PeerView {
  return { publicKey: sampleKey(name), name, role: 'contact', path: 'none', paths: [], sentBytes: 0, receivedBytes: 0, problems: [], seek };
}

export const peerRelays = (nowMs: number): PeerView[] => [
  { publicKey: harbour.relay, name: harbour.relayName, role: 'relay', path: 'relay', paths: [], address: '203.0.113.40:4430', roundTripMs: 24, lastHeardMs: nowMs - 4 * second, sentBytes: 1_204_000, receivedBytes: 2_880_300 },
  { publicKey: mill.relay, name: mill.relayName, role: 'relay', path: 'relay', paths: [], address: '[2001:db8:4::17]:4430', roundTripMs: 88, lastHeardMs: nowMs - 9 * second, sentBytes: 304_000, receivedBytes: 280_300 },
];

/** An ordinary day. */
export const samplePeers = (nowMs: number): PeerView[] => [annasSwitched(nowMs), echo(nowMs), tomasAway(nowMs), ...peerRelays(nowMs)];

/** Who came nearer twice, with a loss in between. */
function annasSwitched(nowMs: number): PeerView {
  const slow = sampleRoundTrips(61, 'anna relay', 0).slice(0, 22);
  const direct = sampleRoundTrips(19, 'anna direct', 17).slice(0, 26);
  const near = sampleRoundTrips(1.4, 'anna near', 0).slice(0, 16);
  return connected('Anna Lindqvist', nowMs, [
    inUse({ kind: 'lan', address: '192.168.1.61:50611', roundTripMs: 1.6 }),
    path({ kind: 'direct', address: '198.51.100.7:50611', roundTripMs: 21, isDoubtful: true }),
    path({ kind: 'relay', ...harbour, roundTripMs: 61 }),
  ], {
    roundTripsMs: [...slow, ...direct, ...near], sentBytes: 4_820_000, receivedBytes: 36_100_000,
    switches: [
      { atMs: nowMs - 31 * minute, to: 'relay', relayName: harbour.relayName },
      { atMs: nowMs - 21 * minute, from: 'relay', to: 'direct', sample: slow.length },
      { atMs: nowMs - 7 * minute, from: 'direct', to: 'lan', sample: slow.length + direct.length },
    ],
    problems: [{ kind: 'direct', address: '[2001:db8:71::9]:50611', reason: 'no-answer', atMs: nowMs - 12 * minute }],
  });
}
const echo = (nowMs: number): PeerView => connected('Echo', nowMs, [inUse({ kind: 'lan', address: '127.0.0.1:50612', roundTripMs: 0.6 })], { sentBytes: 9_120, receivedBytes: 9_480, lastHeardMs: nowMs - 2 * second });
const tomasAway = (nowMs: number): PeerView => sought('Tomás Ferreira', { isAsking: false, failures: 3, reason: 'not-connected', nextAskAtMs: nowMs + 78 * second });

/** Everything that the page can say. */
export function everyPeer(nowMs: number): PeerView[] {
  const relayed = (name: string, change: Partial<DirectSearchView>, extra: Partial<PeerView> = {}): PeerView =>
    connected(name, nowMs, [inUse({ kind: 'relay', ...mill, roundTripMs: 96 })], { roundTripsMs: sampleRoundTrips(90, name, 17), search: search(nowMs, change), ...extra });
  return [
    annasSwitched(nowMs),
    connected('Bao Tran', nowMs, [inUse({ kind: 'direct', address: '[2001:db8:3:4a:91ff:fe02:7c1:11]:50611', roundTripMs: 28 }), path({ kind: 'relay', ...harbour, roundTripMs: 63 })]),
    connected('Workshop', nowMs, [inUse({ kind: 'direct', address: '203.0.113.77:4120', isDoubtful: true, roundTripMs: 44 })], { roundTripsMs: [...sampleRoundTrips(40, 'w', 0).slice(0, 58), null, null, null], lastHeardMs: nowMs - 16 * second }),
    connected('Garden', nowMs, [inUse({ kind: 'punched', address: '198.51.100.23:61877', roundTripMs: 37 }), path({ kind: 'relay', ...harbour, roundTripMs: 70 })]),
    connected('Fjord', nowMs, [inUse({ kind: 'friend', relay: sampleKey('Bao Tran'), relayName: 'Bao Tran', roundTripMs: 71 })], { path: 'relay' }),
    connected('Hotel', nowMs, [inUse({ kind: 'relay-tcp', ...harbour, roundTripMs: 134 })], { path: 'relay', roundTripsMs: sampleRoundTrips(130, 'tcp', 0), search: search(nowMs, { reason: 'no-own-addresses', ownAddresses: 0 }) }),
    relayed('Failing', {}, {
      problems: [{ kind: 'relay', relayName: harbour.relayName, reason: 'circuit-ended', atMs: nowMs - 3 * minute }, { kind: 'direct', address: '198.51.100.90:61022', reason: 'no-answer', atMs: nowMs - 2 * minute }],
      switches: [{ atMs: nowMs - 3 * minute, from: 'relay', to: 'relay', relayName: mill.relayName, sample: 31 }],
    }),
    relayed('Hiding', { reason: 'hidden', attempts: 0 }),
    relayed('Trying', { reason: 'trying', attempts: 1 }),
    relayed('Guess', { reason: 'guessing', attempts: 1, guess: { opens: 'theirs', chance: 0.983, untilMs: nowMs + 18_000 } }),
    relayed('Fresh', { reason: 'not-tried', attempts: 0 }, { roundTripsMs: [] }),
    relayed('Lost', { reason: 'lost', attempts: 0, begins: 'theirs' }),
    relayed('Silent', { reason: 'not-told', attempts: 2 }),
    relayed('Hidden', { reason: 'no-their-addresses', theirAddresses: 0, triedAddresses: 0 }),
    relayed('Unknown here', { reason: 'no-own-addresses', ownAddresses: 0, triedAddresses: 1 }),
    relayed('Elsewhere', { reason: 'out-of-reach', triedAddresses: 0, begins: 'theirs' }),
    relayed('Nowhere', { reason: 'no-addresses', ownAddresses: 0, theirAddresses: 0, triedAddresses: 0 }),
    ...soughtPeers(nowMs),
    ...peerRelays(nowMs),
  ];
}

export const soughtPeers = (nowMs: number): PeerView[] => [
  tomasAway(nowMs),
  sought('Being asked for', { isAsking: true, failures: 0 }),
  sought('Asked again', { isAsking: true, failures: 2, reason: 'no-answer' }),
  sought('Unprepared', { isAsking: false, failures: 1, reason: 'unprepared', nextAskAtMs: nowMs + 12 * second }),
  { ...sought('Gone', { isAsking: false, failures: 1, reason: 'ended', nextAskAtMs: nowMs + 19 * second }), lastHeardMs: nowMs - 2 * minute },
];

/** As many as there are at most, with a name that is too long. */
export const manyPeers = (nowMs: number): PeerView[] => [
  connected('Wolfeschlegelsteinhausenbergerdorff Adolphus Blaine Charles', nowMs, [inUse({ kind: 'relay', relay: mill.relay, relayName: 'a-relay-with-a-rather-long-name.somewhere.example:44300', roundTripMs: 1_280 })], { search: search(nowMs, {}), sentBytes: 48_200_000_000, receivedBytes: 361_000_000_000 }),
  ...Array.from({ length: 63 }, (_, index) => connected(`Friend ${String(index + 1)}`, nowMs, [inUse({ kind: index % 3 === 0 ? 'lan' : 'direct', address: `198.51.100.${String(index + 1)}:50611`, roundTripMs: 8 + index })])),
  ...peerRelays(nowMs),
];

/** Somebody asked for them by hand: a direct path is looked for, or they are. */
export function reachedPeers(peers: readonly PeerView[], { publicKey, name }: Pick<ConversationView, 'publicKey' | 'name'>): PeerView[] {
  const known = peers.find((peer) => peer.publicKey === publicKey);
  if (known === undefined) return [...peers, { ...sought(name, { isAsking: true, failures: 0 }), publicKey }];
  return peers.map((peer) => {
    if (peer !== known) return peer;
    if (peer.seek !== undefined) return { ...peer, seek: { ...peer.seek, isAsking: true } };
    return peer.search === undefined ? peer : { ...peer, search: { ...peer.search, reason: 'trying' } };
  });
}
