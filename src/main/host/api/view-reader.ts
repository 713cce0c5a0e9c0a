/** Reads what is on screen from the engine and the store: the whole view, or what a few names of it stand for. */
import { carriesNothing, type CarryingView } from '../../../shared/relay-views.ts';
import type { Change, ConnectionView, EchoView, View } from '../../../shared/views.ts';
import type { EngineInspection } from '../../engine/inspection-types.ts';
import type { StoreFailure, VisorQuery, VisorQueryResults } from '../../engine/mail/visor-store.ts';
import type { ChangedNames, Part } from './pending-changes.ts';
import { presentConnection, presentConversation, presentIdentity, presentMessage, presentNetwork, presentOutboxItem, presentRelay, type Summary } from './presenter.ts';
import { differences } from './view-differences.ts';

export interface StateSource {
  /** Undefined while no engine runs. */
  readonly inspect: EngineInspection | undefined;
  readonly storageFailure: StoreFailure | undefined;
  query<Q extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Q }>): Promise<VisorQueryResults[Q]>;
}

const startingConnection: ConnectionView = { kind: 'starting', relaysConnected: 0, relaysConfigured: 0, waitingMessages: 0 };

export class ViewReader {
  readonly #source: StateSource;
  /** Sentences about the machine, shown beside the engine's own. */
  hostNotices: readonly string[];
  echo: EchoView = { state: 'absent' };
  carrying: CarryingView = carriesNothing;

  constructor(source: StateSource, hostNotices: readonly string[]) {
    this.#source = source;
    this.hostNotices = hostNotices;
  }

  /** All of it. */
  async read(inspect: EngineInspection): Promise<View> {
    const { summaries } = await this.#source.query({ query: 'summaries' });
    const byConversation = new Map(summaries.map((summary) => [summary.conversationId, summary]));
    return {
      identity: presentIdentity(inspect),
      connection: presentConnection(inspect.connection, this.#source.storageFailure !== undefined),
      conversations: [...inspect.conversations.values()].map((row) => presentConversation(row, byConversation.get(row.id), inspect)),
      relays: inspect.relays.map((relay) => presentRelay(relay, inspect.contacts)),
      outbox: inspect.outbox().map((status) => presentOutboxItem(status, inspect)),
      settings: inspect.settings,
      echo: this.echo,
      carrying: this.carrying,
      notices: [...this.hostNotices, ...inspect.notices],
      network: inspect.network === undefined ? undefined : presentNetwork(inspect.network),
    };
  }

  /** What is to be said of what changed. @param shown what a window has; undefined while it has nothing. */
  async changes(dirty: ChangedNames, shown: View | undefined): Promise<Change[]> {
    const inspect = this.#source.inspect;
    if (inspect === undefined) return [{ kind: 'connection', value: presentConnection(shown?.connection ?? startingConnection, true) }];
    const changes: Change[] = [];
    if (dirty.parts.has('everything')) {
      const next = await this.read(inspect);
      if (shown !== undefined) changes.push(...differences(shown, next));
    }
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
      changes.push(status === undefined ? { kind: 'relay-removed', publicKey } : { kind: 'relay', value: presentRelay(status, inspect.contacts) });
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
      case 'notices': return { kind: 'notices', value: [...this.hostNotices, ...inspect.notices] };
      case 'network': return { kind: 'network', value: inspect.network === undefined ? undefined : presentNetwork(inspect.network) };
      case 'echo': return { kind: 'echo', value: this.echo };
      case 'carrying': return { kind: 'carrying', value: this.carrying };
      case 'everything': return undefined;
    }
  }
}
