/**
 * The visor role: somebody's mail, sent and received. Composes the cores - relay links, registration, inbox, outbox, contacts - and routes
 * between them; the rules are in those files. Commands of the person are in visor-commands.ts.
 */
import { Deadlines } from './deadlines.ts';
import { copiesWanted, Outbox } from './mail/outbox.ts';
import { Contacts } from './mail/contacts.ts';
import { Conversations } from './mail/conversations.ts';
import { Inbox } from './mail/inbox.ts';
import { OwnRecords } from './mail/own-records.ts';
import { Receipts } from './mail/receipts.ts';
import { Registration } from './mail/registration.ts';
import { DepositTokens } from './mail/tokens.ts';
import { decodeRefusals } from './wire/responses.ts';
import { encodeContent } from './wire/content.ts';
import { toHex } from './wire/bytes.ts';
import { HostNames } from './overlay/host-names.ts';
import { Recipients } from './overlay/recipients.ts';
import { RelayLinks, type RelayLink } from './overlay/relay-links.ts';
import { ttlMinimumSeconds, type ConnectionView, type Headline, type WaitReason } from '../../shared/views.ts';
import { deriveHeadline } from './mail/facts.ts';
import type { RelayStatus } from './engine-types.ts';
import type { LetterFacts, OutboxRow } from './mail/visor-store.ts';
import type { SessionId, SessionOutput } from './session/types.ts';
import type { Instant, RelayHint, RequestBody } from './wire/types.ts';
import type { VisorContext } from './visor-context.ts';

/** Prekeys and records are looked at this often; both change weekly at most. */
const housekeepingMs = 3_600_000;
/** Before this the first handshake may still be under way: neither online nor offline yet. */
const startingMs = 3_000;
const clockNoticeMs = 60_000;
/** A relay that is left is waited for this long. */
const farewellMs = 50_000;

export class VisorRole {
  readonly context: VisorContext;
  readonly records: OwnRecords;
  readonly tokens: DepositTokens;
  readonly contacts: Contacts;
  readonly conversations: Conversations;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly receipts: Receipts;
  readonly links: RelayLinks;
  readonly names: HostNames;
  readonly #registration: Registration;
  readonly #recipients: Recipients;
  readonly #registered = new Set<string>();
  readonly #refused = new Set<string>();
  /** Monotonic time when a relay's mailbox was last empty. */
  readonly #drained = new Map<string, number>();
  readonly #deadlines = new Deadlines();
  readonly #startedMs: number;

  constructor(context: VisorContext, ask: (ticket: number, host: string) => void, now: Instant) {
    this.context = context;
    this.#startedMs = now.monotonicMs;
    this.names = new HostNames(ask);
    this.records = new OwnRecords(context);
    this.tokens = new DepositTokens(context);
    this.links = new RelayLinks(context, this.names, {
      up: (link, restarted, at) => { this.#linkUp(link, restarted, at); },
      down: (link, at) => { this.#linkDown(link, at); },
    });
    const outbox = (): Outbox => this.outbox;
    this.receipts = new Receipts(context, outbox);
    this.contacts = new Contacts(context, this.records, this.tokens, outbox, {
      tokenChanged: (token, granted, at) => { this.tokenChanged(token, granted, at); },
    });
    this.conversations = new Conversations(context, this.contacts, this.receipts, outbox);
    this.#recipients = new Recipients(context, this.links, (publicKey, at) => { this.contacts.introduceAgain(publicKey, at); });
    this.outbox = new Outbox(context, this.links, this.#recipients, {
      unreachableReason: () => this.#unreachableReason(),
      finished: (row, at) => { this.receipts.receiptFinished(row, at); },
      drainedSince: (monotonicMs) => this.#drainedSince(monotonicMs),
      wantDrained: (at) => { for (const relay of this.#registered) this.inbox.notified(relay, at); },
      relayWallMs: (at) => { const offsetMs = this.clockOffsetMs(1); return offsetMs === undefined ? undefined : at.wallMs + offsetMs; },
      revoked: () => this.revoked,
    });
    this.inbox = new Inbox(context, {
      effects: (header, content, _entry, relay, at) => this.conversations.effects(header, content, relay, at),
      drained: (relay, at) => { this.#drained.set(relay, at.monotonicMs); this.outbox.settleExpired(at); this.#askRefusals(relay, at); },
      refused: (relay, at) => { this.#registerAgain(relay, at); },
      waitingChanged: (relay) => { context.announce({ kind: 'relay', publicKey: relay }); },
    });
    this.#registration = new Registration(context, this.records, this.tokens, {
      registered: (link, _epochChanged, waiting, at) => { this.#onRegistered(link, waiting, at); },
      refused: (link) => { this.#refused.add(link.hint.publicKey); this.#announceRelay(link); },
      failed: (link, pauseMs, at) => { this.#deadlines.set(`register ${link.hint.publicKey}`, at.monotonicMs + pauseMs); },
      revoked: () => { this.#becomeRevoked(); },
    });
    context.directed.handle('notify', (sessionId, _body, answer, at) => {
      answer.respond(new Uint8Array(0), at);
      const link = this.links.bySession(sessionId);
      if (link?.purpose === 'own') this.inbox.notified(link.hint.publicKey, at);
    });
  }

  get revoked(): boolean { return this.context.memory.values.get('revoked') === 'true'; }

  start(now: Instant): void {
    this.#housekeeping(now);
    this.#deadlines.set('started', now.monotonicMs + startingMs);
    this.links.syncOwn(now);
    this.outbox.start(now);
  }

  /** The set of own relays changed: dial, drop, publish the new record, tell the contacts. */
  relaysChanged(now: Instant): void {
    this.links.syncOwn(now);
    // A relay that never answers causes no event of its own: what is said about it is looked at again when it should have answered.
    this.#deadlines.set('started', now.monotonicMs + startingMs);
    for (const relay of [...this.#registered]) {
      const link = this.links.own(relay);
      // Also one whose address changed: its new link registers when it is up.
      if (link?.state !== 'connected') { this.#registered.delete(relay); this.inbox.linkDown(relay); } else this.#registration.start(link, now);
    }
    this.contacts.reintroduce(now);
    this.outbox.kick(now);
    this.context.announce({ kind: 'connection' });
  }

  /** Called once the relay is no longer one of ours; it need not be reachable. */
  relayLeft(hint: RelayHint, now: Instant): void {
    // Without any relay there is nothing to say: what waits there may still be fetched when it is added again.
    if (this.context.memory.relays.size === 0 || this.revoked) return;
    const link = this.links.deposit(hint, now);
    if (link !== undefined) this.links.whenUp(link, farewellMs, now, (up, at) => { if (up && link.sessionId !== undefined) this.#registration.farewell(link.sessionId, at); });
  }

  tokenChanged(token: Uint8Array, granted: boolean, now: Instant): void {
    for (const relay of this.#registered) {
      const link = this.links.own(relay);
      if (link !== undefined) this.#registration.tokenChanged(link, token, granted, now);
    }
  }

  /** False when the output is not about a session of this role. */
  handleSession(output: SessionOutput, now: Instant): boolean {
    if (!this.links.handleSession(output, now)) return false;
    if (output.kind === 'measured' || output.kind === 'moved') {
      const link = this.links.bySession(output.sessionId);
      if (link?.purpose === 'own') this.context.announce({ kind: 'relay', publicKey: link.hint.publicKey });
    }
    return true;
  }

  /** Work that gathers while inputs are handled and goes out together. */
  flush(now: Instant): void {
    this.receipts.flush(now);
    this.inbox.flush(now);
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      if (key === 'housekeeping') this.#housekeeping(now);
      else if (key === 'started') this.context.announce({ kind: 'connection' }, ...[...this.context.memory.relays.keys()].map((publicKey) => ({ kind: 'relay', publicKey }) as const));
      else {
        this.#registerAgain(key.slice('register '.length), now);
      }
    }
    this.links.handleTimeout(now);
    this.inbox.handleTimeout(now);
    this.outbox.handleTimeout(now);
  }

  *timeouts(): Iterable<{ readonly atMs: number; readonly reason: string } | undefined> {
    const own = this.#deadlines.next();
    yield own === undefined ? undefined : { atMs: own.atMs, reason: own.key };
    yield this.links.pollTimeout();
    yield this.inbox.pollTimeout();
    yield this.outbox.pollTimeout();
  }

  networkChanged(now: Instant): void {
    this.links.networkChanged(now);
    this.outbox.kick(now);
    this.context.announce({ kind: 'connection' });
  }

  sessionView(sessionId: SessionId): RelayLink | undefined { return this.links.bySession(sessionId); }

  connection(now: Instant): ConnectionView {
    const configured = this.context.memory.relays.size;
    const connected = this.#registered.size;
    const waiting = [...this.context.memory.outbox.values()].filter((row) => row.kind === 'message' && row.stage === 'deposit').length;
    const starting = connected === 0 && now.monotonicMs - this.#startedMs < startingMs;
    const kind: ConnectionView['kind'] = this.revoked ? 'revoked' : configured === 0 ? 'no-relay' : starting ? 'starting'
      : connected === 0 ? 'offline' : connected >= Math.min(copiesWanted, configured) ? 'online' : 'degraded';
    const offset = this.clockOffsetMs(1);
    return {
      kind, relaysConnected: connected, relaysConfigured: configured, waitingMessages: waiting,
      ...(offset !== undefined && Math.abs(offset) > clockNoticeMs ? { clockOffsetMs: Math.round(offset) } : {}),
    };
  }

  /** Median of the relays' clocks minus ours; undefined with fewer than `minimum` relays heard. */
  clockOffsetMs(minimum: number): number | undefined {
    const offsets: number[] = [];
    for (const link of this.links.all) {
      const offset = link.purpose === 'own' ? this.links.session(link)?.clockOffsetMs : undefined;
      if (offset !== undefined) offsets.push(offset);
    }
    if (offsets.length < minimum || offsets.length === 0) return undefined;
    offsets.sort((left, right) => left - right);
    return offsets[Math.floor((offsets.length - 1) / 2)];
  }

  relayStatus(publicKey: string, now: Instant): RelayStatus | undefined {
    const row = this.context.memory.relays.get(publicKey);
    if (row === undefined) return undefined;
    const link = this.links.own(publicKey);
    const session = link === undefined ? undefined : this.links.session(link);
    const registered = this.#registered.has(publicKey);
    const refused = this.#refused.has(publicKey) || link?.problem === 'wrong-identity' || link?.problem === 'bad-certificate';
    const state: RelayStatus['state'] = registered ? 'connected' : this.revoked || link === undefined ? 'idle' : refused ? 'refused'
      : link.state === 'silent' || link.state === 'paused' || (link.state === 'connecting' && now.monotonicMs - link.lastUsedMs >= startingMs) ? 'unreachable' : 'connecting';
    return {
      row, state, problem: registered ? '' : relayProblem(link, this.#refused.has(publicKey), this.revoked, state),
      sinceWallMs: registered ? link?.sinceWallMs : undefined,
      lastHeardWallMs: session === undefined || link?.everConnected !== true ? undefined : now.wallMs - (now.monotonicMs - session.lastHeardMs),
      roundTripsMs: session?.roundTripsMs ?? [],
      waitingLetters: this.inbox.waitingLetters(publicKey),
    };
  }

  headline(messageId: string, facts: LetterFacts, now: Instant): Headline {
    const row = this.context.memory.outbox.get(messageId);
    const nextTryMs = row === undefined ? undefined : this.outbox.nextTryMs(messageId);
    return deriveHeadline(this.context.memory.durableFacts.get(messageId) ?? facts, {
      sendingNow: this.outbox.sendingNow(messageId),
      reason: row?.lastReason,
      nextTryWallMs: nextTryMs === undefined ? undefined : now.wallMs + Math.max(0, nextTryMs - now.monotonicMs),
      wantedCopies: row === undefined ? 1 : Math.min(copiesWanted, this.#recipients.known(row.recipient)?.relays.length ?? 1),
      relayName: (publicKey) => this.relayName(publicKey),
    });
  }

  relayName(publicKey: string): string {
    const row = this.context.memory.relays.get(publicKey);
    const hint = row ?? [...this.context.memory.contacts.values()].flatMap((contact) => contact.relays).find((relay) => relay.publicKey === publicKey);
    if (row?.role === 'local') return 'this computer';
    return hint === undefined ? `relay ${publicKey.slice(0, 8)}` : hint.port === 0 ? hint.host : `${hint.host}:${String(hint.port)}`;
  }

  // --- relays coming and going ---------------------------------------------------------------------------------------------

  #linkUp(link: RelayLink, restarted: boolean, now: Instant): void {
    if (link.purpose === 'deposit') {
      this.context.directed.sessionLost(link.sessionId ?? -1, now);
      if (restarted) this.outbox.linkRestarted(link, now);
      else this.outbox.linkUp(link, now);
      return;
    }
    this.#registered.delete(link.hint.publicKey);
    this.#refused.delete(link.hint.publicKey);
    this.inbox.linkDown(link.hint.publicKey);
    if (link.sessionId !== undefined) this.context.directed.sessionLost(link.sessionId, now);
    if (!this.revoked) this.#registration.start(link, now);
    this.#announceRelay(link);
  }

  #linkDown(link: RelayLink, now: Instant): void {
    if (link.sessionId !== undefined) this.context.directed.sessionLost(link.sessionId, now);
    if (link.purpose === 'deposit') return;
    this.#registered.delete(link.hint.publicKey);
    this.inbox.linkDown(link.hint.publicKey);
    this.#announceRelay(link);
  }

  #onRegistered(link: RelayLink, waiting: number, now: Instant): void {
    if (this.revoked) return;
    const relay = link.hint.publicKey;
    const first = this.#registered.size === 0;
    this.#registered.add(relay);
    this.#deadlines.clear(`register ${relay}`);
    this.inbox.registered(link, waiting, now);
    // The network works again: whatever waits for it does not wait out its pause.
    if (first) this.outbox.kick(now, (row) => row.stage !== 'await');
    this.#announceRelay(link);
  }

  #announceRelay(link: RelayLink): void {
    this.context.announce({ kind: 'relay', publicKey: link.hint.publicKey }, { kind: 'connection' });
  }

  #becomeRevoked(): void {
    if (this.revoked) return;
    this.context.log('warn', 'device.revoked');
    this.context.commit([{ kind: 'put-value', key: 'revoked', value: 'true' }], { announce: [{ kind: 'connection' }, { kind: 'notices' }] });
    this.#registered.clear();
    for (const link of this.links.all) this.inbox.linkDown(link.hint.publicKey);
  }

  #unreachableReason(): WaitReason {
    if (this.#registered.size > 0) return 'relay-unreachable';
    for (const link of this.links.all) if (link.state === 'connected') return 'relay-unreachable';
    return 'no-network';
  }

  #drainedSince(monotonicMs: number): boolean {
    for (const relay of this.context.memory.relays.keys()) if ((this.#drained.get(relay) ?? -1) < monotonicMs) return false;
    return true;
  }

  // --- housekeeping -----------------------------------------------------------------------------------------------------------

  #housekeeping(now: Instant): void {
    this.#deadlines.set('housekeeping', now.monotonicMs + housekeepingMs);
    if (this.revoked) return;
    this.records.currentPrekey(now);
    this.records.deleteOldPrekeys(now);
    // Registering anew publishes what changed, asks again where we were refused, and finds out whether another install has taken over.
    for (const relay of this.context.memory.relays.keys()) this.#registerAgain(relay, now);
  }

  #registerAgain(relay: string, now: Instant): void {
    const link = this.links.own(relay);
    if (link?.state === 'connected' && !this.revoked) this.#registration.start(link, now);
  }

  /** After draining: contacts whose letters the full mailbox turned away are told that there is room. */
  #askRefusals(relay: string, now: Instant): void {
    const link = this.links.own(relay);
    if (link?.sessionId === undefined) return;
    const body: RequestBody = { verb: 'refusals' };
    this.context.directed.request(link.sessionId, body, {
      deadlineMs: 10_000,
      done: (outcome, at) => {
        const payload = outcome.kind === 'answered' ? outcome.payloads[0] : undefined;
        for (const hash of (payload === undefined ? undefined : decodeRefusals(payload)) ?? []) {
          const publicKey = this.tokens.contactOf(hash);
          if (publicKey !== undefined) this.#resume(publicKey, at);
        }
      },
    }, now);
  }

  #resume(recipient: string, now: Instant): void {
    const waiting = [...this.context.memory.outbox.values()].some((row) => row.kind === 'resume' && row.recipient === recipient);
    if (waiting) return;
    const row: OutboxRow = {
      id: toHex(this.context.random(16)), recipient, destinationPort: 1, sourcePort: 1, kind: 'resume', content: encodeContent({ kind: 'resume' }), sequence: 0,
      queuedAtMs: now.wallMs, ttlSeconds: Math.max(ttlMinimumSeconds, 86_400), expiresAtMs: this.context.correctedWallMs(now) + 86_400_000, attempts: 0,
      lastReason: undefined, sealed: undefined, facts: {}, stage: 'deposit',
    };
    this.context.commit([{ kind: 'put-outbox', row }], { done: (_applied, at) => { this.outbox.adopt(row, at); } });
  }
}

function relayProblem(link: RelayLink | undefined, refused: boolean, revoked: boolean, state: RelayStatus['state']): string {
  if (revoked) return 'This identity was restored on another device, so this one no longer fetches mail.';
  if (refused) return 'The relay does not keep mail for this identity. Ask its operator, or choose another relay.';
  if (link?.problem === 'wrong-identity' || link?.problem === 'bad-certificate') return 'Another key answers at this address. Check the link of the relay with its operator.';
  if (link?.problem === 'no-address') return 'The name of the relay could not be found. Waypost keeps trying.';
  if (state === 'unreachable') return 'Waypost keeps trying.';
  return '';
}
