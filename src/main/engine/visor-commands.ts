/** What the person (or a program over the local API) asks the visor to do. Each command is checked, committed, and only then answered. */
import { WaypostError } from '../../shared/errors.ts';
import { fileTextMaximumBytes } from '../../shared/file-views.ts';
import { messageMaximumBytes, ttlDefaultSeconds, ttlMaximumSeconds, ttlMinimumSeconds } from '../../shared/views.ts';
import { formatRelayHint, parseRelayHint } from './wire/relay-hint.ts';
import { isPublicKeyHex } from './wire/identity.ts';
import { encodeContent } from './wire/content.ts';
import { fromHex, toHex, utf8Encode } from './wire/bytes.ts';
import { conversationIdOf } from './mail/conversation-id.ts';
import { maskMessageId } from './mail/message-mask.ts';
import { settingsKey } from './mail/settings.ts';
import { trustNetworks } from './overlay/lan-environment.ts';
import { runNameCommand } from './name-commands.ts';
import { relaysMaximum, runRelayCommand } from './relay-commands.ts';
import type { CommandName, CommandResults, EngineCommand, SealedFile } from './command-types.ts';
import type { MessageRow, OutboxRow, VisorChange } from './mail/visor-store.ts';
import type { ContactRow } from './mail/visor-store.ts';
import type { Content, Instant } from './wire/types.ts';
import type { VisorRole } from './visor-role.ts';

const invitesMaximum = 1_000;

type Done<Name extends CommandName> = (value: CommandResults[Name], now: Instant) => void;
type Fail = (error: WaypostError) => void;

export function runCommand(role: VisorRole, command: Exclude<EngineCommand, { name: 'check-network' }>, now: Instant, done: (value: CommandResults[CommandName]) => void, fail: Fail): void {
  const plain = (): void => { done(undefined); };
  const contact = (publicKey: string): ContactRow | undefined => role.context.memory.contacts.get(publicKey);
  switch (command.name) {
    case 'send': send(role, command, { kind: 'text', text: command.text }, undefined, now, done, fail); return;
    case 'send-file': sendFile(role, command, now, done, fail); return;
    case 'fetch-file': if (!role.files.fetch(command.messageId, now, plain)) fail(noFile('There is nothing to fetch: this message has no file, the file is here already, or it cannot be had any more.')); return;
    case 'pause-file': if (!role.files.pause(command.messageId, now, plain)) fail(noFile('This file is not on its way, so there is nothing to pause.')); return;
    case 'cancel-file': cancelFile(role, command.messageId, now, plain, fail); return;
    case 'publish': case 'unpublish': case 'fetch-named': case 'end-fetch-named': runNameCommand(role, command, now, plain, fail); return;
    case 'cancel': cancel(role, command.messageId, now, plain, fail); return;
    case 'retry': {
      if (!role.context.memory.outbox.has(command.messageId)) { fail(new WaypostError('not-retryable', 'This message is not waiting to be sent any more.')); return; }
      role.outbox.kick(now, (row) => row.id === command.messageId);
      plain();
      return;
    }
    case 'reach':
      if (contact(command.publicKey) === undefined) { fail(noContact()); return; }
      role.peers.reach(command.publicKey, now);
      plain();
      return;
    case 'trust-network': {
      const { lan } = role;
      if (lan === undefined || lan.networks.length === 0) { fail(new WaypostError('refused', 'This computer is in no network now that could be marked.')); return; }
      trustNetworks(role.context, lan.networks, command.isTrusted, (at) => { lan.settingsChanged(at); plain(); });
      return;
    }
    case 'retry-all': role.networkChanged(now); plain(); return;
    case 'mark-read': markRead(role, command, now, plain); return;
    case 'save-draft': saveDraft(role, command.conversationId, command.text, plain, fail); return;
    case 'add-contact': addContact(role, command, now, done, fail); return;
    case 'rename-contact': {
      const row = contact(command.publicKey);
      if (row === undefined) { fail(noContact()); return; }
      role.context.commit([{ kind: 'put-contact', row: { ...row, name: command.as } }], { announce: conversationsOf(role, command.publicKey), done: plain });
      return;
    }
    case 'accept': {
      const row = contact(command.publicKey);
      if (row === undefined) { fail(noContact()); return; }
      role.contacts.accept(row, now, plain);
      return;
    }
    case 'block': {
      const row = contact(command.publicKey);
      if (row === undefined) { fail(noContact()); return; }
      role.contacts.block(row, (at) => { role.peers.contactsChanged(at); role.friendsChanged(at); plain(); });
      return;
    }
    case 'unblock': {
      const row = contact(command.publicKey);
      if (row?.standing !== 'blocked') { fail(new WaypostError('not-found', 'This contact is not blocked.')); return; }
      role.contacts.accept(row, now, plain);
      return;
    }
    case 'carry':
      role.carrying.say(command.offer, now);
      plain();
      return;
    case 'carry-members': done({ members: role.carrying.members() }); return;
    case 'create-invite': createInvite(role, now, done, fail); return;
    case 'add-relay': addRelay(role, command, now, plain, fail); return;
    case 'choose-relay': case 'order-relays': case 'test-relay': runRelayCommand(role, command, now, done, fail); return;
    case 'remove-relay': {
      const { relays, bannedRelays } = role.context.memory;
      const left = relays.get(command.publicKey) ?? bannedRelays.get(command.publicKey);
      if (left === undefined) { fail(new WaypostError('not-found', 'This relay is not one of yours.')); return; }
      const changes = [...role.relays.removal(left, now), ...(left.role === 'friend' ? role.friendRelays.declined(left.publicKey) : [])];
      role.context.commit(changes, {
        announce: [...changes.flatMap((change) => (change.kind === 'delete-relay' ? [{ kind: 'relay-removed', publicKey: change.publicKey } as const] : [])), { kind: 'relay', publicKey: command.publicKey }, { kind: 'connection' }],
        done: (_applied, at) => { role.relaysChanged(at); plain(); },
      });
      return;
    }
    case 'rename-self':
      role.context.commit([{ kind: 'put-value', key: 'name', value: command.as }], { announce: [{ kind: 'identity' }], done: (_applied, at) => { role.contacts.reintroduce(at); plain(); } });
      return;
    case 'words-confirmed':
      role.context.commit([{ kind: 'put-value', key: 'words-confirmed', value: 'true' }], { announce: [{ kind: 'identity' }], done: plain });
      return;
    case 'low-power':
      role.isLowPower = command.isOn;
      plain();
      return;
    case 'update-settings': updateSettings(role, command.settings, done, fail); return;
  }
}

function updateSettings(role: VisorRole, changed: Extract<EngineCommand, { name: 'update-settings' }>['settings'], done: Done<'update-settings'>, fail: Fail): void {
  const { context } = role;
  const directoryRelays = directoryHints(changed.directoryRelays ?? context.memory.settings.directoryRelays);
  if (directoryRelays === undefined) {
    fail(new WaypostError('bad-relay', 'This is not the link of a relay. It looks like key@host:port, with a key of 66 hexadecimal digits.'));
    return;
  }
  const settings = { ...context.memory.settings, ...changed, directoryRelays };
  const welcomed = changed.useFriendsRelays === true && !context.memory.settings.useFriendsRelays ? role.friendRelays.welcomed() : [];
  context.commit([{ kind: 'put-value', key: settingsKey, value: JSON.stringify(settings) }, ...welcomed], {
    announce: [{ kind: 'settings' }],
    done: (_applied, at) => {
      if (changed.hideAddress !== undefined) role.peers.hidingChanged(settings.hideAddress, at);
      if (changed.directoryRelays !== undefined) role.outbox.kick(at);
      role.lan?.settingsChanged(at);
      role.friendsChanged(at);
      done(settings, at);
    },
  });
}

function sendFile(role: VisorRole, command: Extract<EngineCommand, { name: 'send-file' }>, now: Instant, done: Done<'send'>, fail: Fail): void {
  const { file } = command;
  if (utf8Encode(command.text).length > fileTextMaximumBytes) { fail(new WaypostError('message-too-large', 'The text beside a file is longer than 32 KiB. Send it as a message of its own.')); return; }
  send(role, command, { kind: 'file', key: file.key, blob: { root: file.root, length: file.blobBytes }, name: file.name, mediaType: file.mediaType, text: command.text }, file, now, done, fail);
}

type Sending = Pick<Extract<EngineCommand, { name: 'send' }>, 'to' | 'port' | 'text' | 'ttlSeconds'>;

function send(role: VisorRole, command: Sending, content: Content, file: SealedFile | undefined, now: Instant, done: Done<'send'>, fail: Fail): void {
  const { context } = role;
  const ttlSeconds = command.ttlSeconds ?? ttlDefaultSeconds;
  if (ttlSeconds < ttlMinimumSeconds || ttlSeconds > ttlMaximumSeconds) { fail(new WaypostError('ttl-out-of-range', 'A message can wait between 1 minute and 30 days. Choose a time within that.')); return; }
  if (command.text.length === 0 && file === undefined) { fail(new WaypostError('message-empty', 'The message is empty. Write something first.')); return; }
  if (utf8Encode(command.text).length > messageMaximumBytes) { fail(new WaypostError('message-too-large', 'The message is longer than 64 KiB. Split it into shorter ones.')); return; }
  if (!isPublicKeyHex(command.to)) { fail(new WaypostError('bad-address', 'This is not a valid address: it should have 66 hexadecimal digits. Check that all of it was copied.')); return; }
  if (command.to === context.publicKey) { fail(new WaypostError('own-address', 'This is your own address. Choose somebody else to write to.')); return; }
  if (role.revoked) { fail(new WaypostError('device-revoked', 'This identity was restored on another device, so this one can no longer send. Your history stays readable here.')); return; }
  const known = context.memory.contacts.get(command.to);
  if (known?.standing === 'blocked') { fail(new WaypostError('blocked', 'You have blocked this contact. Unblock them to write to them.')); return; }
  // Writing to a bare address adds it, and tells them where we are: otherwise nobody but our relays could say where an answer goes.
  if (known === undefined) { role.contacts.add({ publicKey: command.to, port: command.port, token: undefined, name: '', relays: [] }, undefined, now, (at) => { send(role, command, content, file, at, done, fail); }); return; }
  const conversation = role.conversations.conversation(command.to, command.port, now);
  const expiresAtMs = context.correctedWallMs(now) + ttlSeconds * 1000;
  const changes: VisorChange[] = [];
  const id = toHex(context.random(16));
  changes.push({ kind: 'put-conversation', row: { ...conversation, nextSequence: conversation.nextSequence + 1, lastActivityMs: now.wallMs, draft: '' } });
  const message: MessageRow = {
    id, conversationId: conversation.id, direction: 'out', text: command.text, sentAtMs: now.wallMs, receivedAtMs: undefined, expiresAtMs,
    senderDevice: context.device.deviceId, sequence: conversation.nextSequence, facts: {},
  };
  const unsealed: OutboxRow = {
    id, recipient: command.to, destinationPort: command.port, sourcePort: command.port, kind: 'message', content: encodeContent(content),
    sequence: conversation.nextSequence, queuedAtMs: now.wallMs, expiresAtMs, ttlSeconds, attempts: 0, lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
  };
  const row = role.outbox.sealedNow(unsealed, now);
  changes.push({ kind: 'put-message', row: message }, { kind: 'add-hop', messageId: id, hop: { kind: 'saved', atMs: now.wallMs } }, { kind: 'put-outbox', row });
  if (row.sealed !== undefined) changes.push({ kind: 'add-hop', messageId: id, hop: { kind: 'sealed', atMs: now.wallMs } });
  const fileRow = file === undefined ? undefined : role.files.outgoingRow(message, file);
  if (fileRow !== undefined) changes.push({ kind: 'put-file', row: fileRow });
  context.commit(changes, {
    announce: [{ kind: 'conversation', conversationId: conversation.id }, { kind: 'message', messageId: id, conversationId: conversation.id }, { kind: 'outbox', messageId: id }, { kind: 'connection' }],
    done: (_applied, at) => { done({ messageId: id }, at); role.outbox.adopt(row, at); if (fileRow !== undefined) role.files.adopt(fileRow, at); },
  });
}

function cancel(role: VisorRole, messageId: string, now: Instant, done: () => void, fail: Fail): void {
  const row = role.context.memory.outbox.get(messageId);
  if (row === undefined || row.stage === 'withdraw' || row.facts.deliveredAtMs !== undefined) {
    fail(new WaypostError('not-cancellable', 'This message cannot be cancelled any more: it has arrived or has already ended.'));
    return;
  }
  // A letter that is taken back takes its file along: nobody else would ever ask for it. Before the letter, since what is known of its way ends with it.
  role.files.cancel(messageId, now, () => undefined);
  role.outbox.cancel(row, now, done);
}

/** A file of ours takes its message along, as long as that has not arrived: it would bring nothing but the name of what is gone. */
function cancelFile(role: VisorRole, messageId: string, now: Instant, done: () => void, fail: Fail): void {
  const isOurs = role.context.memory.files.get(messageId)?.direction === 'out';
  const letter = isOurs ? role.context.memory.outbox.get(messageId) : undefined;
  const isOnItsWay = letter !== undefined && letter.stage !== 'withdraw' && letter.facts.deliveredAtMs === undefined;
  // Stores commit in order: when the letter's end is durable, so is the file's.
  const isCancelled = role.files.cancel(messageId, now, isOnItsWay ? () => undefined : done);
  if (isCancelled && isOnItsWay) role.outbox.cancel(letter, now, done);
  if (!isCancelled) fail(new WaypostError('not-cancellable', 'This file cannot be cancelled any more: it has arrived or has already ended.'));
}

function markRead(role: VisorRole, command: Extract<EngineCommand, { name: 'mark-read' }>, now: Instant, done: () => void): void {
  const conversation = role.context.memory.conversations.get(command.conversationId);
  if (conversation === undefined || conversation.readUpToRow >= command.upToRow) { done(); return; }
  const standing = role.context.memory.contacts.get(conversation.publicKey)?.standing;
  role.context.commit([
    { kind: 'put-conversation', row: { ...conversation, readUpToRow: command.upToRow } },
    ...command.messageIds.map((messageId): VisorChange => ({ kind: 'add-hop', messageId, hop: { kind: 'opened', atMs: now.wallMs } })),
  ], { announce: [{ kind: 'conversation', conversationId: command.conversationId }], done });
  if (!role.context.memory.settings.readReceipts || standing !== 'contact') return;
  for (const messageId of command.messageIds) {
    const local = fromHex(messageId);
    if (local === undefined) continue;
    role.receipts.owe('read', conversation.publicKey, conversation.port, { messageId: maskMessageId(role.context, conversation.publicKey, local), atMs: now.wallMs }, () => undefined);
  }
}

function saveDraft(role: VisorRole, conversationId: string, text: string, done: () => void, fail: Fail): void {
  const conversation = role.context.memory.conversations.get(conversationId);
  if (conversation === undefined) { fail(new WaypostError('not-found', 'There is no such conversation.')); return; }
  role.context.commit([{ kind: 'put-conversation', row: { ...conversation, draft: text } }], { announce: [{ kind: 'conversation', conversationId }], done });
}

function addContact(role: VisorRole, command: Extract<EngineCommand, { name: 'add-contact' }>, now: Instant, done: Done<'add-contact'>, fail: Fail): void {
  const { invite } = command;
  if (invite.publicKey === role.context.publicKey) { fail(new WaypostError('own-address', 'This is your own link. Send it to a friend, and paste theirs here.')); return; }
  if (!isPublicKeyHex(invite.publicKey)) { fail(new WaypostError('bad-link', 'The key in this link is not valid. Ask for the link again.')); return; }
  const port = invite.port === 0 ? 1 : invite.port;
  role.contacts.add(invite, command.as, now, (at) => { done({ conversationId: conversationIdOf(invite.publicKey, port) }, at); });
}

function createInvite(role: VisorRole, now: Instant, done: Done<'create-invite'>, fail: Fail): void {
  const { context } = role;
  if (context.memory.invites.size >= invitesMaximum) { fail(new WaypostError('refused', 'There are 1,000 invite links already. Use one of them.')); return; }
  const token = context.random(16);
  context.commit([{ kind: 'put-invite', row: { token, createdAtMs: now.wallMs, revoked: false } }, role.tokens.bumped()], {
    done: (_applied, at) => {
      role.relays.tokenChanged(token, true, at);
      done({ invite: { publicKey: context.publicKey, port: 1, token, name: context.memory.values.get('name') ?? '', relays: role.records.advertisedRelays() } }, at);
    },
  });
}

function addRelay(role: VisorRole, command: Extract<EngineCommand, { name: 'add-relay' }>, now: Instant, done: () => void, fail: Fail): void {
  const { hint } = command;
  if (!isPublicKeyHex(hint.publicKey)) { fail(new WaypostError('bad-relay', 'The key of this relay is not valid. Copy its whole link: key@host:port.')); return; }
  // Whoever adds a banned relay wants to use it again.
  const existing = role.context.memory.relays.get(hint.publicKey);
  if (existing?.leavingSinceMs !== undefined || existing === undefined ? role.relays.configured.length >= relaysMaximum : false) { fail(new WaypostError('refused', 'You have 8 relays already. Remove one before you add another.')); return; }
  role.context.commit([{
    kind: 'put-relay',
    row: { publicKey: hint.publicKey, host: hint.host, port: hint.port, role: command.role, epoch: existing?.epoch, cursor: 0, addedAtMs: existing?.addedAtMs ?? now.wallMs, leavingSinceMs: undefined, choice: existing?.choice ?? 'normal', rank: existing?.rank },
  }], {
    announce: [{ kind: 'relay', publicKey: hint.publicKey }, { kind: 'connection' }],
    done: (_applied, at) => { role.relaysChanged(at); done(); },
  });
}

/** One way of writing for each, and the last that was named of each relay; undefined when one is no hint. */
function directoryHints(texts: readonly string[]): string[] | undefined {
  const hints = new Map<string, string>();
  for (const text of texts) {
    const hint = parseRelayHint(text);
    if (hint === undefined) return undefined;
    hints.set(hint.publicKey, formatRelayHint(hint));
  }
  return [...hints.values()];
}

function conversationsOf(role: VisorRole, publicKey: string): { readonly kind: 'conversation'; readonly conversationId: string }[] {
  return [...role.context.memory.conversations.values()].filter((row) => row.publicKey === publicKey).map((row) => ({ kind: 'conversation', conversationId: row.id }));
}

const noFile = (sentence: string): WaypostError => new WaypostError('not-found', sentence);
const noContact = (): WaypostError => new WaypostError('not-found', 'There is no such contact.');
