/** Sample data for the in-memory double and for tests: people, relays and messages in every state the contract knows. */
import { initialSettings, type ConversationView, type Headline, type MessageView, type OutboxItemView, type View } from '../../shared/views.ts';
import type { RelayView } from '../../shared/relay-views.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** A stable hex string that looks like a key without being one. */
export function sampleHex(seed: string, digits: number): string {
  let state = 2_166_136_261;
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 16_777_619);
  let text = '';
  while (text.length < digits) {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393;
    text += (state >>> 0).toString(16).padStart(8, '0');
  }
  return text.slice(0, digits);
}
export const sampleKey = (name: string): string => `02${sampleHex(name, 64)}`;
export const sampleConversationId = (name: string): string => `${sampleKey(name)}:1`;

const words = ['harbour', 'lantern', 'willow', 'copper', 'meadow', 'signal', 'anchor', 'violet', 'granite', 'compass', 'thistle', 'ember', 'canyon', 'falcon', 'juniper', 'marble'];
export function sampleFingerprint(name: string): string {
  const hex = sampleHex(`fp ${name}`, 12);
  return [0, 1, 2, 3, 4, 5].map((index) => words[Number.parseInt(hex.charAt(index * 2), 16)] ?? 'anchor').join(' ');
}

export const recoveryWords = ['abandon', 'bridge', 'candle', 'dolphin', 'elegant', 'fabric', 'galaxy', 'harvest', 'island', 'jacket', 'kitchen', 'ladder', 'magnet', 'napkin', 'ocean', 'pencil', 'quantum', 'ribbon', 'saddle', 'talent', 'umbrella', 'velvet', 'window', 'zebra'] as const;

let nextMessage = 1;
export function sampleMessage(change: Partial<MessageView> = {}): MessageView {
  const number = nextMessage;
  nextMessage += 1;
  const sentAtMs = change.sentAtMs ?? Date.now();
  const direction = change.direction ?? 'out';
  return {
    id: sampleHex(`message ${String(number)}`, 32),
    conversationId: sampleConversationId('Anna Lindqvist'),
    row: number,
    direction,
    text: 'Hello',
    sentAtMs,
    expiresAtMs: sentAtMs + 14 * day,
    headline: direction === 'in' ? { state: 'received' } : { state: 'delivered', atMs: sentAtMs + 900 },
    missingBefore: 0,
    ...change,
  };
}

type Line = readonly [from: 'me' | 'them', agoMs: number, text: string, change?: Partial<MessageView>];

export const relayNames = { harbour: 'relay.harbour.example', mill: 'mill.example' } as const;
const held = (nowMs: number, count: number): Headline => ({
  state: 'stored',
  wanted: 2,
  heldBy: [
    { relay: sampleKey(relayNames.harbour), relayName: relayNames.harbour, untilMs: nowMs + 13.6 * day },
    { relay: sampleKey(relayNames.mill), relayName: relayNames.mill, untilMs: nowMs + 13.6 * day },
  ].slice(0, count),
});

function talk(name: string, lines: readonly Line[], nowMs: number): MessageView[] {
  return lines.map(([from, agoMs, text, change]) =>
    sampleMessage({ conversationId: sampleConversationId(name), direction: from === 'me' ? 'out' : 'in', sentAtMs: nowMs - agoMs, text, ...(from === 'me' ? {} : { receivedAtMs: nowMs - agoMs + 4_000 }), ...change }));
}

export function sampleTalks(nowMs: number): Map<string, MessageView[]> {
  const read = (agoMs: number): Partial<MessageView> => ({ headline: { state: 'read', atMs: nowMs - agoMs } });
  const anna: readonly Line[] = [
    ['them', 2 * day + 3 * hour, 'Are you still taking the boat out on Saturday?'],
    ['me', 2 * day + 2.9 * hour, 'Yes, if the wind stays under 15 knots. The forecast looks fine so far.', read(2 * day + 2.8 * hour)],
    ['me', 2 * day + 2.88 * hour, 'There is room for one more.', read(2 * day + 2.8 * hour)],
    ['them', day + 5 * hour, 'Then I bring my brother. He has never sailed, so please be kind.'],
    ['them', day + 4.97 * hour, 'We take the 8:10 train and walk from the station.'],
    ['me', day + 4 * hour, 'Good. I will be at the jetty from nine, and there is coffee on board.\n\nBring something warm, it is colder on the water than it looks.', { headline: { state: 'delivered', atMs: nowMs - day - 3.5 * hour } }],
    ['them', 3 * hour, 'One question before I forget: is there a place to leave the bicycles? The map shows a shed behind the harbour office but it says "members only".', { missingBefore: 1 }],
    ['me', 2.5 * hour, 'The shed is fine, the code is on the door frame.', { headline: { state: 'delivered', atMs: nowMs - 2.4 * hour } }],
    ['me', 34 * minute, 'I have put the tide table in the shared folder. High water is at 10:40, so we should leave the jetty at ten at the latest.', { headline: held(nowMs, 2) }],
  ];
  const tomas: readonly Line[] = [
    ['me', 5 * day, 'Did the parcel arrive?', { headline: { state: 'expired' } }],
    ['me', 4 * day, 'I can send a second one on Monday.', { headline: { state: 'unconfirmed' } }],
    ['me', 30 * hour, 'Never mind this one.', { headline: { state: 'cancelled' } }],
    ['me', 26 * hour, 'Here is the tracking number: 4411 9020 1', { headline: { state: 'failed', reason: 'unopenable' } }],
    ['me', 12 * minute, 'Written on the train, it goes when there is a network again.', { headline: { state: 'queued', reason: 'relay-full', nextTryAtMs: nowMs + 252_000 } }],
  ];
  return new Map([
    [sampleConversationId('Anna Lindqvist'), talk('Anna Lindqvist', anna, nowMs)],
    [sampleConversationId('Tomás Ferreira'), talk('Tomás Ferreira', tomas, nowMs)],
    [sampleConversationId('Echo'), talk('Echo', [['me', 50 * minute, 'Is anybody there?', read(49.9 * minute)], ['them', 49.9 * minute, 'Echo: Is anybody there?']], nowMs)],
    [sampleConversationId('Workshop'), talk('Workshop', [['them', 6 * hour, 'The lathe is free on Thursday.'], ['them', 5.9 * hour, 'And somebody left a pair of glasses on the bench, please have a look whether they are yours.']], nowMs)],
    [sampleConversationId('Priya'), talk('Priya', [['me', 9 * day, 'Welcome! Write when you have a moment.', { headline: held(nowMs, 1) }]], nowMs)],
    [sampleConversationId('Unknown visitor'), talk('Unknown visitor', [['them', 20 * minute, 'Hello, Mats gave me your address. Could we talk about the harbour meeting?']], nowMs)],
  ]);
}

export function sampleConversation(name: string, messages: readonly MessageView[], change: Partial<ConversationView> = {}): ConversationView {
  const last = messages.at(-1);
  return {
    id: sampleConversationId(name),
    publicKey: sampleKey(name),
    port: 1,
    name,
    fingerprint: sampleFingerprint(name),
    standing: 'contact',
    unread: 0,
    draft: '',
    lastActivityMs: last?.sentAtMs ?? Date.now(),
    ...(last === undefined ? {} : { last }),
    relayHoldsBytes: 268_435_456,
    ...change,
  };
}

export function sampleRoundTrips(base: number, seed: string, lossEvery: number): (number | null)[] {
  const noise = sampleHex(seed, 128);
  return Array.from({ length: 64 }, (_, index) => {
    if (lossEvery > 0 && index % lossEvery >= lossEvery - 2) return null;
    const step = Number.parseInt(noise.charAt(index * 2), 16);
    return base + step * base * 0.03 + (index % 23 === 0 ? base * 0.8 : 0);
  });
}

/** As a relay of this version says them. */
export const sampleCapabilities = ['waypost/1', 'letters', 'store', 'ack', 'status', 'records', 'observe', 'circuits', 'holds/268435456', 'observe/2'] as const;

export function sampleRelays(nowMs: number): RelayView[] {
  return [
    { publicKey: sampleKey(relayNames.harbour), address: 'relay.harbour.example:4430', name: relayNames.harbour, role: 'own', state: 'connected', problem: '', sinceMs: nowMs - 3.2 * day, lastHeardMs: nowMs - 4_000, roundTripsMs: sampleRoundTrips(24, 'a', 0), p50Ms: 27, p95Ms: 44, waitingLetters: 0, tests: { sentCount: 64, arrivedCount: 64, p50Ms: 71, p95Ms: 118, standing: 'reliable' }, place: 0, isTold: true, mailbox: { letters: 0, lettersMaximum: 1_000, sizeBytes: 0, maximumBytes: 33_554_432, atMs: nowMs - 11 * minute, heldFileBytes: 268_435_456 }, capabilities: [...sampleCapabilities] },
    { publicKey: sampleKey(relayNames.mill), address: 'mill.example:4430', name: relayNames.mill, role: 'own', state: 'connected', problem: '', sinceMs: nowMs - 41 * minute, lastHeardMs: nowMs - 9_000, roundTripsMs: sampleRoundTrips(88, 'b', 17), p50Ms: 96, p95Ms: 168, waitingLetters: 3, tests: { sentCount: 41, arrivedCount: 40, p50Ms: 240, p95Ms: 1_900, standing: 'reliable', lastProblem: { step: 'silent', atMs: nowMs - 7 * 60 * minute } }, place: 1, isTold: true, mailbox: { letters: 3, lettersMaximum: 1_000, sizeBytes: 2_140, maximumBytes: 33_554_432, atMs: nowMs - 4 * minute, heldFileBytes: 2_147_483_648 }, capabilities: [...sampleCapabilities] },
    { publicKey: sampleKey('old'), address: '203.0.113.9:4430', name: '203.0.113.9', role: 'own', state: 'unreachable', problem: 'no answer to the last 5 attempts', lastHeardMs: nowMs - 2 * day, roundTripsMs: [], place: 2, isTold: true },
    { publicKey: sampleKey('Anna’s Waypost'), address: '198.51.100.7:7500', name: 'Anna Lindqvist’s Waypost', role: 'friend', carriedBy: 'Anna Lindqvist', state: 'connected', problem: '', sinceMs: nowMs - 9 * hour, lastHeardMs: nowMs - 6_000, roundTripsMs: sampleRoundTrips(44, 'd', 0), p50Ms: 45, p95Ms: 71, waitingLetters: 0 },
    { publicKey: sampleKey('former'), address: 'former.example:4430', name: 'former.example', role: 'own', state: 'connected', problem: '', leavingUntilMs: nowMs + 29.2 * day, sinceMs: nowMs - 5 * day, lastHeardMs: nowMs - 7_000, roundTripsMs: sampleRoundTrips(61, 'c', 0), p50Ms: 63, p95Ms: 90, waitingLetters: 1 },
  ];
}

export function sampleOutbox(nowMs: number): OutboxItemView[] {
  const item = (name: string, summary: string, change: Partial<OutboxItemView>): OutboxItemView => ({
    messageId: sampleHex(`outbox ${summary}`, 32), conversationId: sampleConversationId(name), toName: name, kind: 'message', summary, sizeBytes: 96, attempts: 1,
    headline: { state: 'queued' }, queuedAtMs: nowMs - 12 * minute, expiresAtMs: nowMs - 12 * minute + 14 * day, ...change,
  });
  return [
    item('Tomás Ferreira', 'Written on the train, it goes when there is a network again.', { attempts: 4, lastReason: 'relay-full', headline: { state: 'queued', reason: 'relay-full' }, nextTryAtMs: nowMs + 252_000 }),
    item('Anna Lindqvist', 'I have put the tide table in the shared folder. High water is at 10:40', { headline: held(nowMs, 2), sizeBytes: 184 }),
    item('Priya', 'Welcome! Write when you have a moment.', { headline: held(nowMs, 1), attempts: 2, lastReason: 'relay-unreachable', nextTryAtMs: nowMs + 31_000, sizeBytes: 12_400, expiresAtMs: nowMs + 5 * day }),
    item('Priya', 'Introduction', { kind: 'introduction', lastReason: 'recipient-unprepared', attempts: 2, nextTryAtMs: nowMs + 31_000, sizeBytes: 840 }),
    item('Workshop', 'Delivery receipt', { kind: 'receipt', headline: { state: 'sending' }, sizeBytes: 64 }),
  ];
}

/** A complete, calm view without any conversation. */
export function sampleView(change: Partial<View> = {}): View {
  const publicKey = sampleKey('me');
  return {
    identity: { publicKey, address: `${publicKey}:1`, name: 'Mats', fingerprint: sampleFingerprint('me'), wordsConfirmed: true },
    connection: { kind: 'online', relaysConnected: 2, relaysConfigured: 3, waitingMessages: 0 },
    conversations: [], relays: [], outbox: [],
    settings: initialSettings,
    echo: { state: 'absent' },
    notices: [],
    ...change,
  };
}
