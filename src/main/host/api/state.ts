/**
 * The live view of everything on screen, and its numbered patches. The engine says what changed by name; this rebuilds just that, gathers
 * what changes within a moment, and sends one patch. View and number move in the same step, so a snapshot always belongs to its sequence.
 */
import { applyChange } from '../../../shared/patch.ts';
import type { Change, ConnectionView, EchoView, Patch, View } from '../../../shared/views.ts';
import type { EngineChange, EngineInspection } from '../../engine/engine-types.ts';
import type { StoreFailure, VisorQuery, VisorQueryResults } from '../../engine/mail/visor-store.ts';
import { presentConnection, presentConversation, presentIdentity, presentMessage, presentOutboxItem, presentRelay, type Summary } from './presenter.ts';

/** Messages appear at once to the eye, and a burst of them still makes one patch. */
const messageDelayMs = 4;
/** What one letter causes (saved, stored, delivered) does not wait for more: so many patches leave without a pause, and one more after each of these times. */
const promptPatchesMaximum = 6;
const promptPatchEveryMs = 10;
/** Measurements of relays come by themselves all the time. */
const relayDelayMs = 250;
/** A query that failed is tried again: the store comes back, and what changed meanwhile must not stay unsaid. */
const failedDelayMs = 1_000;

export interface StateSource {
  /** Undefined while no engine runs. */
  readonly inspect: EngineInspection | undefined;
  readonly storageFailure: StoreFailure | undefined;
  query<Q extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Q }>): Promise<VisorQueryResults[Q]>;
}

export interface StateOptions {
  readonly source: StateSource;
  readonly emit: (patch: Patch) => void;
  /** Sentences about the machine that hold for the whole run, shown beside the engine's own. */
  readonly notices: readonly string[];
}

type Part = 'connection' | 'identity' | 'settings' | 'notices' | 'echo' | 'everything';

const startingConnection: ConnectionView = { kind: 'starting', relaysConnected: 0, relaysConfigured: 0, waitingMessages: 0 };

export class StateService {
  readonly #source: StateSource;
  readonly #emit: (patch: Patch) => void;
  #hostNotices: readonly string[];
  #echo: EchoView = { state: 'absent' };
  #view: View | undefined;
  #sequence = 0;
  #ready: Promise<void> | undefined;
  #parts = new Set<Part>();
  #messages = new Set<string>();
  #conversations = new Set<string>();
  #outbox = new Set<string>();
  #relays = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #flushing: Promise<void> | undefined;
  #lastFlushMs = Number.NEGATIVE_INFINITY;
  #promptPatches = promptPatchesMaximum;
  #stopped = false;

  constructor(options: StateOptions) {
    this.#source = options.source;
    this.#emit = options.emit;
    this.#hostNotices = options.notices;
  }

  async snapshot(): Promise<{ sequence: number; view: View }> {
    this.#ready ??= this.#build();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
    // Whoever did something and then looks must see it, although its patch would have waited for more.
    if (this.#flushing !== undefined) await this.#flushing;
    if (this.#hasDirty()) await this.#flush();
    if (this.#view === undefined) throw new Error('the view is built before it is shown');
    return { sequence: this.#sequence, view: this.#view };
  }

  engineChanged(changes: readonly EngineChange[]): void {
    let isUrgent = false;
    for (const change of changes) {
      isUrgent ||= change.kind !== 'relay';
      switch (change.kind) {
        case 'message': this.#messages.add(change.messageId); this.#conversations.add(change.conversationId); break;
        case 'conversation': this.#conversations.add(change.conversationId); break;
        case 'outbox': case 'outbox-removed': this.#outbox.add(change.messageId); break;
        case 'relay': case 'relay-removed': this.#relays.add(change.publicKey); break;
        case 'connection': case 'identity': case 'settings': case 'notices': this.#parts.add(change.kind); break;
      }
    }
    if (changes.length > 0) this.#schedule(isUrgent ? messageDelayMs : relayDelayMs);
  }

  /** Another engine runs, or none: everything is built anew, and only what differs is sent. */
  replaced(): void {
    this.#parts.add(this.#source.inspect === undefined ? 'connection' : 'everything');
    this.#schedule(messageDelayMs);
  }

  setEcho(echo: EchoView): void {
    this.#echo = echo;
    this.#parts.add('echo');
    this.#schedule(messageDelayMs);
  }

  setHostNotices(notices: readonly string[]): void {
    this.#hostNotices = notices;
    this.#parts.add('notices');
    this.#schedule(messageDelayMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #schedule(delayMs: number): void {
    // Nobody has seen a view yet, so there is nothing to patch; the first snapshot reads everything as it then is.
    if (this.#stopped || this.#view === undefined) return;
    const nowMs = performance.now();
    // What comes after a quiet time is shown at once; only what follows soon after is gathered.
    const atMs = delayMs === messageDelayMs ? Math.max(nowMs, this.#lastFlushMs + this.#pauseMs(nowMs)) : nowMs + delayMs;
    if (this.#timerAtMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const run = (): void => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      void this.#flush();
    };
    // The shortest timer takes a millisecond.
    if (atMs <= nowMs) this.#immediate = setImmediate(run);
    else this.#timer = setTimeout(run, atMs - nowMs);
  }

  #pauseMs(nowMs: number): number {
    const regained = Math.max(0, nowMs - this.#lastFlushMs) / promptPatchEveryMs;
    return this.#promptPatches + regained >= 1 ? 0 : messageDelayMs;
  }

  async #build(): Promise<void> {
    const inspect = this.#source.inspect;
    if (inspect === undefined) throw new Error('no engine runs');
    this.#takeDirty();
    this.#view = await this.#read(inspect);
    // What changed while the queries ran waits for the next patch.
    if (this.#hasDirty()) this.#schedule(messageDelayMs);
  }

  async #read(inspect: EngineInspection): Promise<View> {
    const { summaries } = await this.#source.query({ query: 'summaries' });
    const byConversation = new Map(summaries.map((summary) => [summary.conversationId, summary]));
    return {
      identity: presentIdentity(inspect),
      connection: presentConnection(inspect.connection, this.#source.storageFailure !== undefined),
      conversations: [...inspect.conversations.values()].map((row) => presentConversation(row, byConversation.get(row.id), inspect)),
      relays: inspect.relays.map(presentRelay),
      outbox: inspect.outbox().map((status) => presentOutboxItem(status, inspect)),
      settings: inspect.settings,
      echo: this.#echo,
      notices: [...this.#hostNotices, ...inspect.notices],
    };
  }

  /** One at a time, so that patches leave in the order of what they tell. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#flushOnce().finally(() => { this.#flushing = undefined; });
    return this.#flushing;
  }

  async #flushOnce(): Promise<void> {
    if (this.#stopped || !this.#hasDirty()) return;
    const dirty = this.#takeDirty();
    const startedMs = performance.now();
    this.#promptPatches = Math.max(0, Math.min(promptPatchesMaximum, this.#promptPatches + (startedMs - this.#lastFlushMs) / promptPatchEveryMs) - 1);
    this.#lastFlushMs = startedMs;
    try {
      this.#publish(await this.#changes(dirty));
    } catch {
      this.#parts.add('everything');
      for (const id of dirty.messages) this.#messages.add(id);
      this.#schedule(failedDelayMs);
      return;
    }
    // With very many conversations the queries take their time: never spend more than half of it on them.
    if (this.#hasDirty()) this.#schedule(Math.max(messageDelayMs, performance.now() - startedMs));
  }

  #publish(candidates: readonly Change[]): void {
    let view = this.#view;
    if (view === undefined || this.#stopped) return;
    const changes: Change[] = [];
    for (const change of candidates) {
      if (isUnchanged(view, change)) continue;
      view = applyChange(view, change);
      changes.push(change);
    }
    if (changes.length === 0) return;
    this.#view = view;
    this.#sequence += 1;
    this.#emit({ sequence: this.#sequence, changes });
  }

  async #changes(dirty: Dirty): Promise<Change[]> {
    const inspect = this.#source.inspect;
    if (inspect === undefined) return [{ kind: 'connection', value: presentConnection(this.#view?.connection ?? startingConnection, true) }];
    const changes: Change[] = [];
    if (dirty.parts.has('everything')) changes.push(...this.#differences(await this.#read(inspect)));
    // Asked together: one way to the storage thread and back.
    const [messages, conversations] = await Promise.all([
      Promise.all([...dirty.messages].map((messageId) => this.#source.query({ query: 'message', messageId }))),
      this.#conversationChanges(dirty.conversations, inspect),
    ]);
    for (const { message } of messages) if (message !== undefined) changes.push({ kind: 'message', value: presentMessage(message, inspect) });
    changes.push(...conversations);
    for (const messageId of dirty.outbox) {
      const status = inspect.outboxItem(messageId);
      changes.push(status === undefined ? { kind: 'outbox-removed', messageId } : { kind: 'outbox', value: presentOutboxItem(status, inspect) });
    }
    for (const publicKey of dirty.relays) {
      const status = inspect.relays.find((relay) => relay.row.publicKey === publicKey);
      changes.push(status === undefined ? { kind: 'relay-removed', publicKey } : { kind: 'relay', value: presentRelay(status) });
    }
    for (const part of dirty.parts) {
      const change = this.#partChange(part, inspect);
      if (change !== undefined) changes.push(change);
    }
    return changes;
  }

  async #conversationChanges(ids: ReadonlySet<string>, inspect: EngineInspection): Promise<Change[]> {
    if (ids.size === 0) return [];
    const { summaries } = await this.#source.query({ query: 'summaries', conversationIds: [...ids] });
    const byId = new Map<string, Summary>();
    for (const summary of summaries) if (ids.has(summary.conversationId)) byId.set(summary.conversationId, summary);
    return [...ids].map((id): Change => {
      const row = inspect.conversations.get(id);
      return row === undefined ? { kind: 'conversation-removed', id } : { kind: 'conversation', value: presentConversation(row, byId.get(id), inspect) };
    });
  }

  #partChange(part: Part, inspect: EngineInspection): Change | undefined {
    switch (part) {
      case 'connection': return { kind: 'connection', value: presentConnection(inspect.connection, this.#source.storageFailure !== undefined) };
      case 'identity': return { kind: 'identity', value: presentIdentity(inspect) };
      case 'settings': return { kind: 'settings', value: inspect.settings };
      case 'notices': return { kind: 'notices', value: [...this.#hostNotices, ...inspect.notices] };
      case 'echo': return { kind: 'echo', value: this.#echo };
      case 'everything': return undefined;
    }
  }

  /** A whole view as changes against the one that was shown. */
  #differences(next: View): Change[] {
    const shown = this.#view;
    if (shown === undefined) return [];
    return [
      { kind: 'identity', value: next.identity },
      { kind: 'connection', value: next.connection },
      { kind: 'settings', value: next.settings },
      { kind: 'notices', value: next.notices },
      ...shown.conversations.filter((old) => !next.conversations.some((item) => item.id === old.id)).map((old): Change => ({ kind: 'conversation-removed', id: old.id })),
      ...next.conversations.map((value): Change => ({ kind: 'conversation', value })),
      ...shown.relays.filter((old) => !next.relays.some((item) => item.publicKey === old.publicKey)).map((old): Change => ({ kind: 'relay-removed', publicKey: old.publicKey })),
      ...next.relays.map((value): Change => ({ kind: 'relay', value })),
      ...shown.outbox.filter((old) => !next.outbox.some((item) => item.messageId === old.messageId)).map((old): Change => ({ kind: 'outbox-removed', messageId: old.messageId })),
      ...next.outbox.map((value): Change => ({ kind: 'outbox', value })),
    ];
  }

  #hasDirty(): boolean {
    return this.#parts.size + this.#messages.size + this.#conversations.size + this.#outbox.size + this.#relays.size > 0;
  }

  #takeDirty(): Dirty {
    const dirty: Dirty = { parts: this.#parts, messages: this.#messages, conversations: this.#conversations, outbox: this.#outbox, relays: this.#relays };
    this.#parts = new Set();
    this.#messages = new Set();
    this.#conversations = new Set();
    this.#outbox = new Set();
    this.#relays = new Set();
    return dirty;
  }
}

interface Dirty {
  readonly parts: ReadonlySet<Part>;
  readonly messages: ReadonlySet<string>;
  readonly conversations: ReadonlySet<string>;
  readonly outbox: ReadonlySet<string>;
  readonly relays: ReadonlySet<string>;
}

/** Both sides come from the same presenter, so equal values have equal text. */
const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);

function isUnchanged(view: View, change: Change): boolean {
  switch (change.kind) {
    case 'message': return false;
    case 'identity': return same(view.identity, change.value);
    case 'connection': return same(view.connection, change.value);
    case 'settings': return same(view.settings, change.value);
    case 'echo': return same(view.echo, change.value);
    case 'notices': return same(view.notices, change.value);
    case 'conversation': return same(view.conversations.find((item) => item.id === change.value.id), change.value);
    case 'conversation-removed': return !view.conversations.some((item) => item.id === change.id);
    case 'relay': return same(view.relays.find((item) => item.publicKey === change.value.publicKey), change.value);
    case 'relay-removed': return !view.relays.some((item) => item.publicKey === change.publicKey);
    case 'outbox': return same(view.outbox.find((item) => item.messageId === change.value.messageId), change.value);
    case 'outbox-removed': return !view.outbox.some((item) => item.messageId === change.messageId);
  }
}
