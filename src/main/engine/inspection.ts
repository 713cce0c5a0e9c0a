/** Read-only windows into the engine's memory for the host's presenter. */
import type { EngineInspection, FileStatus, LanStatus, NamedFetchStatus, OutboxStatus, PeerStatus, PublishedStatus, RelayStatus, SoughtPeer } from './inspection-types.ts';
import type { ConnectionView, Headline, Settings } from '../../shared/views.ts';
import type { ContactRow, ConversationRow, FileRow, LetterFacts, OutboxRow } from './mail/visor-store.ts';
import type { CheckedNetwork } from './path/observation-port.ts';
import type { Sessions } from './session/types.ts';
import type { Instant } from './wire/types.ts';
import type { VisorContext } from './visor-context.ts';
import { relayDemotedNotice } from '../../shared/relay-tests.ts';
import { relayName } from './visor-views.ts';
import type { VisorRole } from './visor-role.ts';

const relayOnly: ConnectionView = { kind: 'no-relay', relaysConnected: 0, relaysConfigured: 0, waitingMessages: 0 };

export class EngineInspector implements EngineInspection {
  readonly #context: VisorContext;
  readonly #visor: VisorRole | undefined;
  readonly #sessions: Sessions;
  readonly #now: () => Instant;
  readonly #counters: () => Readonly<Record<string, number>>;
  readonly #expirySuspended: () => boolean;
  readonly #network: () => CheckedNetwork | undefined;

  constructor(context: VisorContext, visor: VisorRole | undefined, sessions: Sessions, now: () => Instant, counters: () => Readonly<Record<string, number>>, expirySuspended: () => boolean, network: () => CheckedNetwork | undefined) {
    this.#context = context;
    this.#visor = visor;
    this.#sessions = sessions;
    this.#now = now;
    this.#counters = counters;
    this.#expirySuspended = expirySuspended;
    this.#network = network;
  }

  get publicKey(): string { return this.#context.publicKey; }
  get name(): string { return this.#context.memory.values.get('name') ?? ''; }
  get wordsConfirmed(): boolean { return this.#context.memory.values.get('words-confirmed') === 'true'; }
  get settings(): Settings { return this.#context.memory.settings; }
  get contacts(): ReadonlyMap<string, ContactRow> { return this.#context.memory.contacts; }
  get conversations(): ReadonlyMap<string, ConversationRow> { return this.#context.memory.conversations; }
  get connection(): ConnectionView { return this.#visor?.connection(this.#now()) ?? relayOnly; }
  get network(): CheckedNetwork | undefined { return this.#network(); }
  get lan(): LanStatus | undefined {
    const lan = this.#visor?.lan;
    return lan === undefined ? undefined : { state: lan.state, foundContacts: lan.foundCount(this.#now()) };
  }
  get counters(): Readonly<Record<string, number>> { return this.#counters(); }
  get expirySuspended(): boolean { return this.#expirySuspended(); }
  get sessions(): number { return this.#sessions.establishedCount; }

  get notices(): readonly string[] {
    const notices: string[] = [];
    if (this.#context.crypto.implementation !== 'libsodium') notices.push('The fast cryptography library did not load; Waypost uses a slower one of the same strength.');
    if (this.#visor?.revoked === true) notices.push('This identity was restored on another device. This install keeps its history and no longer sends or fetches mail.');
    const visor = this.#visor;
    if (visor !== undefined) for (const { relay, step } of visor.reliability.demoted()) notices.push(relayDemotedNotice(relayName(visor, relay), step, visor.relays.configured.length === 1));
    return notices;
  }

  fileStatus(row: FileRow): FileStatus {
    // The row that came with a stored message may be older than what memory knows.
    return this.#visor?.files.status(this.#context.memory.files.get(row.messageId) ?? row, this.#now()) ?? { state: { state: 'ready' }, holders: [] };
  }

  relayHoldsBytes(publicKey: string): number | undefined { return this.#visor?.relayHoldsBytes(publicKey); }

  published(): readonly PublishedStatus[] { return this.#visor?.published.status(this.#now()) ?? []; }
  namedFetch(publicKey: string, path: string): NamedFetchStatus | undefined { return this.#visor?.namedFetches.status(publicKey, path, this.#now()); }

  get relays(): readonly RelayStatus[] {
    const now = this.#now();
    const all: RelayStatus[] = [];
    for (const publicKey of this.#visor?.allRelays() ?? []) {
      const status = this.#visor?.relayStatus(publicKey, now);
      if (status !== undefined) all.push(status);
    }
    return all;
  }

  get peers(): readonly PeerStatus[] {
    const now = this.#now();
    const all: PeerStatus[] = [];
    for (const link of this.#visor?.links.all ?? []) {
      const session = link.state === 'connected' && link.sessionId !== undefined ? this.#sessions.view(link.sessionId) : undefined;
      if (session === undefined) continue;
      all.push({
        publicKey: link.hint.publicKey, role: 'relay', paths: [], roundTrips: [], switches: [], problems: [], search: undefined, address: session.address, roundTripMs: session.smoothedRoundTripMs,
        lastHeardWallMs: now.wallMs - (now.monotonicMs - session.lastHeardMs), sentBytes: session.sentBytes, receivedBytes: session.receivedBytes,
      });
    }
    for (const { publicKey, session, ...rest } of this.#visor?.peers.all(now) ?? []) {
      const [current] = rest.paths;
      all.push({
        publicKey, role: 'contact', ...rest, address: current?.address, roundTripMs: current?.roundTripMs ?? session.smoothedRoundTripMs,
        lastHeardWallMs: now.wallMs - (now.monotonicMs - session.lastHeardMs), sentBytes: session.sentBytes, receivedBytes: session.receivedBytes,
      });
    }
    return all;
  }

  get soughtPeers(): readonly SoughtPeer[] { return [...(this.#visor?.peers.sought(this.#now()) ?? [])]; }

  outbox(): readonly OutboxStatus[] {
    const all: OutboxStatus[] = [];
    for (const row of this.#context.memory.outbox.values()) if (isShown(row)) all.push(this.#status(row));
    return all;
  }

  outboxItem(messageId: string): OutboxStatus | undefined {
    const row = this.#context.memory.outbox.get(messageId);
    return row === undefined || !isShown(row) ? undefined : this.#status(row);
  }

  headline(messageId: string, facts: LetterFacts): Headline {
    return this.#visor?.headline(messageId, facts, this.#now()) ?? { state: 'queued' };
  }

  #status(row: OutboxRow): OutboxStatus {
    const now = this.#now();
    const nextTryMs = this.#visor?.outbox.nextTryMs(row.id);
    return { row, headline: this.headline(row.id, row.facts), nextTryWallMs: nextTryMs === undefined ? undefined : now.wallMs + Math.max(0, nextTryMs - now.monotonicMs) };
  }
}

/** Receipts are Waypost's own traffic: they show up only when they cannot get away. A cancelled letter has left the list for the person. */
function isShown(row: OutboxRow): boolean {
  if (row.stage === 'withdraw') return false;
  return row.kind === 'message' || row.kind === 'introduction' || row.attempts > 0;
}
