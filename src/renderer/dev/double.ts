/**
 * An in-memory Waypost that serves the contract: the renderer runs against it in a plain browser and in tests. It validates like the real
 * one, because both go through `serveCall`, and it lets messages travel: saved, sending, held, delivered, read. Passphrase: "open".
 */
/* eslint-disable @typescript-eslint/require-await -- the contract is asynchronous, memory is not */
import type { AccountView, Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { applyChange } from '../../shared/patch.ts';
import { serveCall, type ClientPipe } from '../../shared/transport.ts';
import { carriesNothing } from '../../shared/relay-views.ts';
import { settingsSchema, type Change, type ConversationView, type Headline, type HopView, type LanView, type MessageView, type Patch, type View } from '../../shared/views.ts';
import { messageSummary } from '../../shared/sentences.ts';
import type { FileGrantPipe } from '../file-grants.ts';
import { createFiles } from './files.ts';
import { recoveryWords, relayNames, sampleConversation, sampleConversationId, sampleFingerprint, sampleHex, sampleKey, sampleMessage, sampleRelays } from './samples.ts';
import { reachedPeers } from './peer-samples.ts';
import { createRelays } from './relays.ts';
import { startScenario } from './scenarios.ts';

export interface Double {
  readonly pipe: ClientPipe;
  /** Stands in for what the preload does with files. */
  readonly files: FileGrantPipe;
  /** Changes the state and tells listeners, as the real one does. */
  change(changes: readonly Change[]): void;
  /** The next patch is numbered but never sent, as if it had been lost. */
  loseNextPatch(): void;
}

const stepMs = 700;
const namesRefused = 'Windows do not publish. Use the command line.';
const day = 86_400_000;

export function createDouble(scenarioName: string): Double {
  const scenario = startScenario(scenarioName);
  let account: AccountView = scenario.account;
  let view: View = scenario.view;
  let lan: LanView = { state: 'on', foundContacts: 1 };
  const { talks } = scenario;
  let peers = scenario.peers;
  let sequence = 1;
  let lose = false;
  let nextRow = 100_000;
  const listeners = new Map<string, Set<(payload: unknown) => void>>();

  const notify = (path: string, payload: unknown): void => {
    for (const listener of listeners.get(path) ?? []) listener(structuredClone(payload));
  };
  function change(changes: readonly Change[]): undefined {
    for (const one of changes) view = applyChange(view, one);
    sequence += 1;
    const patch: Patch = { sequence, changes: [...changes] };
    if (lose) lose = false;
    else notify('state.patch', patch);
  }
  function setAccount(next: Partial<AccountView>): AccountView {
    account = { ...account, ...next };
    notify('account.changed', account);
    return account;
  }
  const fail = (code: ConstructorParameters<typeof WaypostError>[0], sentence: string): never => {
    throw new WaypostError(code, sentence);
  };

  const conversationOf = (id: string): ConversationView => view.conversations.find((one) => one.id === id) ?? fail('not-found', 'This conversation does not exist any more.');
  function changeConversations(publicKey: string, next: Partial<ConversationView>): undefined {
    change(view.conversations.filter((one) => one.publicKey === publicKey).map((one) => ({ kind: 'conversation', value: { ...one, ...next } })));
  }
  const findMessage = (id: string): MessageView => [...talks.values()].flat().find((message) => message.id === id) ?? fail('not-found', 'This message does not exist any more.');

  function put(message: MessageView, extra: Partial<ConversationView> = {}): void {
    const messages = talks.get(message.conversationId) ?? [];
    const index = messages.findIndex((other) => other.id === message.id);
    const next = index < 0 ? [...messages, message] : messages.map((other) => (other.id === message.id ? message : other));
    talks.set(message.conversationId, next);
    const last = next.at(-1);
    const conversation = conversationOf(message.conversationId);
    change([{ kind: 'message', value: message }, { kind: 'conversation', value: { ...conversation, ...extra, ...(last === undefined ? {} : { last, lastActivityMs: last.sentAtMs }) } }]);
    const outgoing = message.direction === 'out' && ['queued', 'sending', 'stored'].includes(message.headline.state);
    if (outgoing) change([{ kind: 'outbox', value: outboxItem(message, conversation.name) }]);
    else change([{ kind: 'outbox-removed', messageId: message.id }]);
  }
  const outboxItem = (message: MessageView, toName: string) => ({
    messageId: message.id, conversationId: message.conversationId, toName, kind: 'message' as const, summary: messageSummary(message).slice(0, 80),
    sizeBytes: message.file?.sizeBytes ?? new TextEncoder().encode(message.text).length, attempts: message.headline.state === 'queued' ? 0 : 1, headline: message.headline, queuedAtMs: message.sentAtMs, expiresAtMs: message.expiresAtMs,
  });
  const isEcho = (conversationId: string): boolean => conversationId === sampleConversationId('Echo');
  const setHeadline = (id: string, headline: Headline): void => put({ ...findMessage(id), headline });
  const later = (steps: number, action: () => void): void => {
    setTimeout(action, steps * stepMs);
  };
  const storedHeadline = (): Headline => ({ state: 'stored', wanted: 2, heldBy: [{ relay: sampleKey(relayNames.harbour), relayName: relayNames.harbour, untilMs: Date.now() + 14 * day }] });

  function travel(id: string): void {
    const { conversationId } = findMessage(id);
    const reason = view.connection.kind === 'offline' ? 'no-network' : view.connection.kind === 'no-relay' && !isEcho(conversationId) ? 'no-relay-known' : undefined;
    if (reason !== undefined) {
      setHeadline(id, { state: 'queued', reason });
      return;
    }
    later(1, () => setHeadline(id, { state: 'sending' }));
    later(2, () => {
      setHeadline(id, storedHeadline());
      if (isEcho(conversationId) && view.echo.state === 'online') arrive(id);
    });
  }
  function arrive(id: string): void {
    later(1, () => setHeadline(id, { state: 'delivered', atMs: Date.now() }));
    later(2, () => setHeadline(id, { state: 'read', atMs: Date.now() }));
    later(2, () => {
      const { conversationId, text } = findMessage(id);
      nextRow += 1;
      put(sampleMessage({ conversationId, row: nextRow, direction: 'in', text: `Echo: ${text}`, receivedAtMs: Date.now() }));
    });
  }

  function write(to: string, text: string, extra: Partial<MessageView> = {}): MessageView {
    nextRow += 1;
    const message = sampleMessage({ id: sampleHex(`sent ${String(nextRow)}`, 32), conversationId: to, row: nextRow, text, headline: { state: 'queued' }, ...extra });
    put(message, { draft: '' });
    travel(message.id);
    return message;
  }
  const files = createFiles({
    all: () => [...talks.values()].flat(),
    find: findMessage,
    put: (message) => put(message),
    send: (to, text, file) => write(to, text, { file }),
    cancel: (messageId) => setHeadline(messageId, { state: 'cancelled' }),
  });

  const keyOf = (link: string): string | undefined => /0[23][0-9a-f]{64}/.exec(link)?.[0];
  const standIn = 'Solveig';

  const handlers: Handlers = {
    account: {
      status: async () => account,
      create: async ({ name }) => {
        change([{ kind: 'identity', value: { ...view.identity, name } }]);
        return setAccount({ phase: 'ready' });
      },
      restore: async ({ name, words, secretKey }) => {
        if (words !== undefined && words.trim().split(/\s+/).length !== 24) fail('wrong-words', 'These are not 24 words. Check that none is missing.');
        if (secretKey !== undefined && !/^[0-9a-f]{64}$/.test(secretKey)) fail('wrong-secret-key', 'This is not a secret key: it should be 64 hex digits.');
        change([{ kind: 'identity', value: { ...view.identity, name, wordsConfirmed: true } }]);
        return setAccount({ phase: 'ready' });
      },
      unlock: async ({ passphrase }) => (passphrase === 'open' ? setAccount({ phase: 'ready' }) : fail('wrong-passphrase', 'This is not the passphrase. Try again.')),
      revealWords: async () => ({ words: [...recoveryWords] }),
      confirmWords: async ({ answers }) => {
        const correct = answers.every(({ position, word }) => recoveryWords[position] === word);
        if (correct) change([{ kind: 'identity', value: { ...view.identity, wordsConfirmed: true } }]);
        return { correct };
      },
      rename: async ({ name }) => change([{ kind: 'identity', value: { ...view.identity, name } }]),
    },
    state: { snapshot: async () => ({ sequence, view }) },
    messages: {
      page: async ({ conversationId, beforeRow, limit }) => {
        const before = (talks.get(conversationId) ?? []).filter((message) => beforeRow === undefined || message.row < beforeRow);
        return { messages: before.slice(-limit), more: before.length > limit };
      },
      inbox: async ({ afterRow, limit }) => {
        const messages = [...talks.values()].flat().filter((message) => message.direction === 'in' && message.row > afterRow).slice(0, limit);
        return { messages, nextRow: messages.at(-1)?.row ?? afterRow };
      },
      get: async ({ messageId }) => findMessage(messageId),
      send: async ({ to, text }) => {
        if (text.trim() === '') fail('message-empty', 'There is nothing to send.');
        return write(to, text);
      },
      hops: async ({ messageId }) => ({ hops: hopsOf(talks, messageId) }),
      cancel: async ({ messageId }) => {
        if (view.outbox.some((item) => item.messageId === messageId)) change([{ kind: 'outbox-removed', messageId }]);
        if ([...talks.values()].flat().some((message) => message.id === messageId)) setHeadline(messageId, { state: 'cancelled' });
      },
      retry: async ({ messageId }) => {
        if ([...talks.values()].flat().some((message) => message.id === messageId)) travel(messageId);
      },
      retryAll: async () => undefined,
      markRead: async ({ conversationId }) => {
        const conversation = conversationOf(conversationId);
        if (conversation.unread > 0) change([{ kind: 'conversation', value: { ...conversation, unread: 0 } }]);
      },
      saveDraft: async ({ conversationId, text }) => change([{ kind: 'conversation', value: { ...conversationOf(conversationId), draft: text } }]),
    },
    files: files.handlers,
    names: {
      publish: async () => fail('refused', namesRefused),
      list: async () => ({ published: [] }),
      unpublish: async () => fail('refused', namesRefused),
      fetch: async () => fail('refused', namesRefused),
      fetched: async () => fail('refused', namesRefused),
      save: async () => fail('refused', namesRefused),
      end: async () => undefined,
    },
    contacts: {
      preview: async ({ link }) => {
        const publicKey = keyOf(link) ?? fail('bad-link', 'This is neither an invite link nor an address. Copy it again, from the first to the last character.');
        if (publicKey === view.identity.publicKey) fail('own-address', 'This is your own address. Paste the one of your friend.');
        return { publicKey, name: standIn, fingerprint: sampleFingerprint(standIn), relays: ['relay.harbour.example:4430', 'mill.example:4430'], alreadyContact: view.conversations.some((one) => one.publicKey === publicKey) };
      },
      add: async ({ link, name }) => {
        const publicKey = keyOf(link) ?? fail('bad-link', 'This is neither an invite link nor an address.');
        const conversation = { ...sampleConversation(name ?? standIn, []), id: `${publicKey}:1`, publicKey, standing: 'pending' as const };
        change([{ kind: 'conversation', value: conversation }]);
        return { conversationId: conversation.id };
      },
      rename: async ({ publicKey, name }) => changeConversations(publicKey, { name }),
      accept: async ({ publicKey }) => changeConversations(publicKey, { standing: 'contact' }),
      block: async ({ publicKey }) => changeConversations(publicKey, { standing: 'blocked' }),
      unblock: async ({ publicKey }) => changeConversations(publicKey, { standing: 'contact' }),
    },
    invites: { create: async () => ({ link: `waypost:invite/${view.identity.publicKey}/${sampleHex('token', 32)}?name=Mats&relay=${sampleKey(relayNames.harbour)}@relay.harbour.example:4430` }) },
    relays: createRelays(() => view.relays, change),
    peers: {
      list: async () => ({ peers: [...peers] }),
      reach: async ({ publicKey }) => {
        const contact = peers.find((one) => one.publicKey === publicKey && one.role === 'contact') ?? view.conversations.find((one) => one.publicKey === publicKey && one.standing === 'contact') ?? fail('not-found', 'There is no contact with this address.');
        peers = reachedPeers(peers, contact);
      },
    },
    network: {
      retryNow: async () => undefined,
      check: async () => {
        await new Promise((resolve) => { setTimeout(resolve, 2 * stepMs); });
        const checked = { report: scenario.network, checkedAtMs: Date.now() };
        change([{ kind: 'network', value: checked }]);
        return checked;
      },
      lan: async () => lan,
      trust: async ({ trusted }) => {
        lan = { state: trusted ? 'on' : 'untrusted', foundContacts: trusted ? 1 : 0 };
        return lan;
      },
    },
    settings: {
      update: async (next) => {
        // What is not told stays.
        const settings = settingsSchema.parse({ ...view.settings, ...Object.fromEntries(Object.entries(next).filter(([, value]) => value !== undefined)) });
        change([{ kind: 'settings', value: settings }, { kind: 'carrying', value: settings.carryForFriends ? { state: 'on', address: '198.51.100.7:7500', members: 3, letters: 12, hourBytes: 4_300_000, hourMaximumBytes: 268_435_456 } : carriesNothing }]);
        return settings;
      },
    },
    echo: {
      start: async () => {
        const id = sampleConversationId('Echo');
        change([{ kind: 'echo', value: { state: 'online', publicKey: sampleKey('Echo') } }]);
        if (!view.conversations.some((one) => one.id === id)) change([{ kind: 'conversation', value: sampleConversation('Echo', []) }]);
        if (view.relays.length === 0) change(sampleRelays(Date.now()).slice(0, 1).map((relay) => ({ kind: 'relay', value: { ...relay, role: 'local', name: 'Relay in this app', address: '127.0.0.1:4430', waitingLetters: 0 } })));
        return { conversationId: id };
      },
      setOnline: async ({ online }) => {
        change([{ kind: 'echo', value: { ...view.echo, state: online ? 'online' : 'offline' } }]);
        if (online) for (const message of talks.get(sampleConversationId('Echo')) ?? []) if (message.headline.state === 'stored') arrive(message.id);
      },
    },
    visor: {
      statistics: async () => ({ counters: { datagramsReceived: 48_211, datagramsSent: 47_902, lettersDelivered: 312, lettersHeld: 3 }, uptimeMs: 3.2 * day, processId: 4_242, listen: '0.0.0.0:50611' }),
      stop: async () => undefined,
    },
  };

  return {
    pipe: {
      invoke: async (path, argument) => structuredClone(await serveCall(handlers, path, argument)),
      listen: (path, listener) => {
        const set = listeners.get(path) ?? new Set();
        listeners.set(path, set.add(listener));
        return () => set.delete(listener);
      },
    },
    files: files.pipe,
    change,
    loseNextPatch: () => {
      lose = true;
    },
  };
}

function hopsOf(talks: ReadonlyMap<string, readonly MessageView[]>, messageId: string): HopView[] {
  const message = [...talks.values()].flat().find((one) => one.id === messageId);
  const startMs = message?.sentAtMs ?? Date.now() - 720_000;
  const hop = (kind: HopView['kind'], afterMs: number, extra: Partial<HopView> = {}): HopView => ({ kind, atMs: startMs + afterMs, future: false, ...extra });
  const harbour = { relay: sampleKey(relayNames.harbour), relayName: relayNames.harbour };
  const mill = { relay: sampleKey(relayNames.mill), relayName: relayNames.mill };
  if (message?.direction === 'in') return [hop('received', 4_000, { ...harbour, path: 'relay over UDP' }), hop('opened', 4_010)];
  const hops = [hop('saved', 2), hop('sealed', 40)];
  const expires = hop('expires', 14 * day, { future: true });
  switch (message?.headline.state) {
    case 'cancelled': return [...hops, hop('cancelled', 60_000)];
    case 'failed': return [...hops, hop('tried', 120, { ...harbour, path: 'relay over UDP' }), hop('failed', 3_000, { reason: 'unopenable' })];
    case 'expired': return [...hops, hop('held', 300, { ...harbour, path: 'relay over UDP' }), hop('expired', 14 * day)];
    case 'stored': case 'delivered': case 'read': case 'unconfirmed': {
      const heldHops = [hop('held', 310, { ...harbour, path: 'relay over UDP', untilMs: startMs + 14 * day }), hop('tried', 340, { ...mill, reason: 'relay-full' }), hop('held', 301_000, { ...mill, path: 'relay over UDP', untilMs: startMs + 14 * day })];
      if (message.headline.state === 'stored') return [...hops, ...heldHops, hop('delivered', 0, { future: true, atMs: Date.now() }), expires];
      if (message.headline.state === 'unconfirmed') return [...hops, ...heldHops, hop('unconfirmed', 14 * day)];
      const delivered = [...hops, ...heldHops, hop('delivered', 420_000, { path: 'relay over UDP' })];
      return message.headline.state === 'read' ? [...delivered, hop('read', 500_000)] : delivered;
    }
    default: return [...hops, hop('tried', 130, { ...harbour, reason: 'relay-full', path: 'relay over UDP' }), hop('tried', 0, { future: true, atMs: Date.now() + 252_000 }), expires];
  }
}
