/**
 * Turns the engine's rows and statuses into what people and programs are shown. Pure: everything comes in as arguments, so that each
 * sentence and number on a screen can be tested without an engine.
 */
import { friendsWaypost } from '../../../shared/relay-sentences.ts';
import { shortKey } from '../../../shared/sentences.ts';
import type { CheckedNetworkView } from '../../../shared/network-report-schema.ts';
import { relayAbilities } from '../../../shared/relay-capabilities.ts';
import type { RelayTestsView } from '../../../shared/relay-tests.ts';
import type { ConnectionView, ConversationView, Headline, HopView, IdentityView, MessageView, OutboxItemView } from '../../../shared/views.ts';
import type { FileState, FileView } from '../../../shared/file-views.ts';
import type { RelayView } from '../../../shared/relay-views.ts';
import type { EngineInspection, FileStatus, OutboxStatus, RelayStatus } from '../../engine/inspection-types.ts';
import type { ConversationRow, FileRow, HopRow, StoredMessage, VisorQueryResults } from '../../engine/mail/visor-store.ts';
import type { CheckedNetwork } from '../../engine/path/observation-port.ts';
import { decodeContent } from '../../engine/wire/content.ts';
import { safeFileName } from '../../engine/wire/file-name.ts';
import { fingerprintWords } from '../../engine/wire/identity.ts';

/** Enough to recognise a message in the outbox; the whole text is in its conversation. */
const summaryMaximumCharacters = 120;
const samplesMaximum = 64;
const fingerprintsRemembered = 4_096;

export type Summary = VisorQueryResults['summaries']['summaries'][number];

export type Names = Pick<EngineInspection, 'contacts' | 'relays'>;
/** Headlines of outgoing messages and the states of files come from the engine, which knows what is being tried right now. */
export type Progress = Names & Pick<EngineInspection, 'headline' | 'fileStatus'>;
type Talks = Progress & Pick<EngineInspection, 'relayHoldsBytes'>;

const fingerprints = new Map<string, string>();

/** Six words; remembered, because a list of conversations asks for the same ones at every change. */
export function fingerprintOf(publicKey: string): string {
  const known = fingerprints.get(publicKey);
  if (known !== undefined) return known;
  const words = fingerprintWords(publicKey);
  if (fingerprints.size >= fingerprintsRemembered) fingerprints.clear();
  fingerprints.set(publicKey, words);
  return words;
}

export function personName(names: Pick<Names, 'contacts'>, publicKey: string): string {
  const name = names.contacts.get(publicKey)?.name ?? '';
  return name === '' ? shortKey(publicKey) : name;
}

export function relayName(names: Names, publicKey: string): string {
  const status = names.relays.find((relay) => relay.row.publicKey === publicKey);
  if (status !== undefined) return nameOfRelay(status, names.contacts);
  for (const contact of names.contacts.values()) {
    const hint = contact.relays.find((relay) => relay.publicKey === publicKey);
    if (hint !== undefined) return formatHostPort(hint.host, hint.port);
  }
  return shortKey(publicKey);
}

function nameOfRelay({ row, carrier }: Pick<RelayStatus, 'row' | 'carrier'>, contacts: Names['contacts']): string {
  switch (row.role) {
    case 'own': return formatHostPort(row.host, row.port);
    case 'local': return 'this computer';
    case 'friend': return friendsWaypost(contacts.get(carrier ?? '')?.name);
  }
}

export const formatHostPort = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

export function presentIdentity(inspect: EngineInspection): IdentityView {
  return {
    publicKey: inspect.publicKey,
    address: inspect.publicKey,
    name: inspect.name,
    fingerprint: fingerprintOf(inspect.publicKey),
    wordsConfirmed: inspect.wordsConfirmed,
  };
}

export function presentConnection(connection: ConnectionView, storageFailed: boolean): ConnectionView {
  return storageFailed ? { ...connection, kind: 'storage-failed', relaysConnected: 0 } : connection;
}

/** Clocks of engines have fractions. */
export const presentNetwork = ({ report, checkedWallMs }: CheckedNetwork): CheckedNetworkView => ({ report, checkedAtMs: Math.max(0, wholeMs(checkedWallMs)) });

export function presentMessage(message: StoredMessage, progress: Progress): MessageView {
  return {
    id: message.id,
    conversationId: message.conversationId,
    row: message.row,
    direction: message.direction,
    text: message.text,
    ...(message.file === undefined ? {} : { file: presentFile(message.file, progress) }),
    sentAtMs: wholeMs(message.sentAtMs),
    ...(message.receivedAtMs === undefined ? {} : { receivedAtMs: wholeMs(message.receivedAtMs) }),
    expiresAtMs: wholeMs(message.expiresAtMs),
    headline: message.direction === 'in' ? { state: 'received' } : presentHeadline(progress.headline(message.id, message.facts)),
    missingBefore: message.missingBefore,
  };
}

function presentFile(row: FileRow, progress: Progress): FileView {
  return { ...presentFileStatus(row, progress.fileStatus(row), progress), ...(row.copy === undefined ? {} : { copyGone: true }) };
}

/** A file on its way, or one that lies here. */
export function presentFileStatus({ name, mediaType, sizeBytes }: Pick<FileView, 'name' | 'mediaType' | 'sizeBytes'>, { state, holders }: FileStatus, names: Names): FileView {
  return {
    // It was made safe when it came; whoever changed the database since then made nothing safe.
    name: safeFileName(name),
    mediaType,
    sizeBytes,
    state: presentFileState(state, sizeBytes, names),
    holders: holders.map((holder) => ({ relay: holder.relay, relayName: relayName(names, holder.relay), heldBytes: partOf(holder.heldBytes, sizeBytes), complete: holder.complete })),
  };
}

function presentFileState(state: FileState, sizeBytes: number, names: Names): FileState {
  switch (state.state) {
    case 'waiting': return { ...state, doneBytes: partOf(state.doneBytes, sizeBytes) };
    case 'moving': return {
      state: 'moving',
      doneBytes: partOf(state.doneBytes, sizeBytes),
      bytesPerSecond: Math.max(0, state.bytesPerSecond),
      ...(state.remainingMs === undefined ? {} : { remainingMs: wholeMs(state.remainingMs) }),
      sources: state.sources.map(({ kind, relay }) => (relay === undefined ? { kind } : { kind, relay, relayName: relayName(names, relay) })),
    };
    case 'ready': case 'failed': return state;
  }
}

/** What travels is a little longer than the file, by the tags of its segments: never more than all of it is shown. */
const partOf = (bytes: number, sizeBytes: number): number => Math.min(sizeBytes, Math.max(0, Math.floor(bytes)));

export function presentConversation(row: ConversationRow, summary: Summary | undefined, inspect: Talks): ConversationView {
  const relayHoldsBytes = inspect.relayHoldsBytes(row.publicKey);
  return {
    id: row.id,
    publicKey: row.publicKey,
    port: row.port,
    name: personName(inspect, row.publicKey),
    fingerprint: fingerprintOf(row.publicKey),
    standing: inspect.contacts.get(row.publicKey)?.standing ?? 'pending',
    unread: summary?.unread ?? 0,
    draft: row.draft,
    ...(summary?.last === undefined ? {} : { last: presentMessage(summary.last, inspect) }),
    lastActivityMs: wholeMs(row.lastActivityMs),
    ...(relayHoldsBytes === undefined ? {} : { relayHoldsBytes }),
  };
}

export function presentRelay(status: RelayStatus, contacts: Names['contacts'] = new Map()): RelayView {
  const samples = status.roundTripsMs.slice(-samplesMaximum);
  const measured = samples.filter((sample) => sample !== undefined).sort((left, right) => left - right);
  const p50Ms = percentile(measured, 0.5);
  const p95Ms = percentile(measured, 0.95);
  const { row } = status;
  return {
    publicKey: row.publicKey,
    address: formatHostPort(row.host, row.port),
    name: nameOfRelay(status, contacts),
    role: row.role,
    ...(row.role === 'friend' ? { carriedBy: personName({ contacts }, status.carrier ?? '') } : {}),
    state: status.state,
    ...(status.isOverTcp ? { isOverTcp: true } : {}),
    problem: status.problem,
    ...(status.leavingUntilWallMs === undefined ? {} : { leavingUntilMs: wholeMs(status.leavingUntilWallMs) }),
    ...(status.sinceWallMs === undefined ? {} : { sinceMs: wholeMs(status.sinceWallMs) }),
    ...(status.lastHeardWallMs === undefined ? {} : { lastHeardMs: wholeMs(status.lastHeardWallMs) }),
    roundTripsMs: samples.map((sample) => sample ?? null),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p95Ms === undefined ? {} : { p95Ms }),
    ...(status.waitingLetters === undefined ? {} : { waitingLetters: status.waitingLetters }),
    ...(status.tests === undefined ? {} : { tests: presentTests(status.tests) }),
    ...(row.choice === 'normal' ? {} : { choice: row.choice }),
    ...(status.place === undefined ? {} : { place: status.place, isTold: status.isTold }),
    ...(status.mailbox === undefined ? {} : { mailbox: presentMailbox(status.mailbox, status.capabilities) }),
    ...(status.capabilities.length === 0 ? {} : { capabilities: [...status.capabilities] }),
    ...(status.trial === undefined ? {} : { trial: status.trial }),
  };
}

function presentMailbox({ letters, lettersMaximum, sizeBytes, maximumBytes, atWallMs }: NonNullable<RelayStatus['mailbox']>, capabilities: readonly string[]): NonNullable<RelayView['mailbox']> {
  const { heldFileBytes } = relayAbilities(capabilities);
  return { letters, lettersMaximum, sizeBytes, maximumBytes, atMs: wholeMs(atWallMs), ...(heldFileBytes === undefined ? {} : { heldFileBytes }) };
}

function presentTests({ sentCount, arrivedCount, tookMs, standing, lastProblem }: NonNullable<RelayStatus['tests']>): RelayTestsView {
  const p50Ms = percentile(tookMs, 0.5);
  const p95Ms = percentile(tookMs, 0.95);
  return {
    sentCount, arrivedCount, standing,
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p95Ms === undefined ? {} : { p95Ms }),
    ...(lastProblem === undefined ? {} : { lastProblem: { step: lastProblem.step, atMs: wholeMs(lastProblem.atWallMs) } }),
  };
}

/** Nearest-rank percentile of a sorted list; undefined of nothing. */
export function percentile(sorted: readonly number[], fraction: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)];
}

export function presentOutboxItem(status: OutboxStatus, names: Names): OutboxItemView {
  const { row } = status;
  return {
    messageId: row.id,
    conversationId: `${row.recipient}:${row.destinationPort}`,
    toName: personName(names, row.recipient),
    // `resume` tells a sender that there is room again: to a person it is a receipt like the others.
    kind: row.kind === 'resume' || row.kind === 'carry' ? 'receipt' : row.kind,
    summary: summaryOf(row.content),
    sizeBytes: row.content.length,
    attempts: row.attempts,
    headline: presentHeadline(status.headline),
    ...(row.lastReason === undefined ? {} : { lastReason: row.lastReason }),
    ...(status.nextTryWallMs === undefined ? {} : { nextTryAtMs: wholeMs(status.nextTryWallMs) }),
    queuedAtMs: wholeMs(row.queuedAtMs),
    expiresAtMs: wholeMs(row.expiresAtMs),
  };
}

function summaryOf(encoded: Uint8Array): string {
  const content = decodeContent(encoded);
  switch (content?.kind) {
    case 'text': return lineOf(content.text);
    case 'delivered': return 'Confirmation that messages arrived';
    case 'read': return 'Confirmation that messages were read';
    case 'fetched': return 'Confirmation that files arrived';
    case 'taken-back': return 'Notice that files were taken back';
    case 'file': return lineOf(content.text === '' ? content.name : `${content.name}: ${content.text}`);
    case 'introduction': return 'Your name, relays and permission to write';
    case 'resume': return 'Notice that there is room for messages again';
    case 'carry': return content.offer === undefined ? 'Notice that this computer does not carry for them' : 'Offer to carry for them';
    case undefined: return '';
  }
}

function lineOf(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  // By code points, so that no half character remains at the cut.
  return line.length <= summaryMaximumCharacters ? line : `${Array.from(line.slice(0, summaryMaximumCharacters * 2)).slice(0, summaryMaximumCharacters - 1).join('')}…`;
}

/** The log of one message; while it may still arrive, its end is shown as a row of the future. */
export function presentHops(message: MessageView, hops: readonly HopRow[], names: Names): HopView[] {
  const rows: HopView[] = hops.map((hop) => ({
    kind: hop.kind,
    atMs: wholeMs(hop.atMs),
    future: false,
    ...(hop.relay === undefined ? {} : { relay: hop.relay, relayName: relayName(names, hop.relay) }),
    ...(hop.path === undefined ? {} : { path: hop.path }),
    ...(hop.reason === undefined ? {} : { reason: hop.reason }),
    ...(hop.untilMs === undefined ? {} : { untilMs: wholeMs(hop.untilMs) }),
  }));
  const { state } = message.headline;
  if (state === 'queued' || state === 'sending' || state === 'stored') rows.push({ kind: 'expires', atMs: message.expiresAtMs, future: true });
  return rows;
}

function presentHeadline(headline: Headline): Headline {
  switch (headline.state) {
    case 'queued': return headline.nextTryAtMs === undefined ? headline : { ...headline, nextTryAtMs: wholeMs(headline.nextTryAtMs) };
    case 'stored': return { ...headline, heldBy: headline.heldBy.map((holding) => ({ ...holding, untilMs: wholeMs(holding.untilMs) })) };
    case 'delivered': case 'read': return { ...headline, atMs: wholeMs(headline.atMs) };
    default: return headline;
  }
}

/** Views carry whole milliseconds; clocks with fractions stay inside. */
export const wholeMs = (ms: number): number => Math.max(0, Math.round(ms));
