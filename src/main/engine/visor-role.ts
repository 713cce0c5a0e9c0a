/**
 * The visor role: somebody's mail, sent and received. Composes the cores - relay links, own relays, inbox, outbox, contacts - and routes
 * between them; the rules are in those files. Commands of the person are in visor-commands.ts, what is shown in visor-views.ts.
 */
import { Deadlines, type Due } from './deadlines.ts';
import { NamedFetches } from './files/fetch-named.ts';
import { Files } from './files/files.ts';
import { HeldLimits } from './files/held-limits.ts';
import { Published } from './files/published.ts';
import { Outbox } from './mail/outbox.ts';
import { Carrying } from './mail/carrying.ts';
import { Contacts } from './mail/contacts.ts';
import { Conversations } from './mail/conversations.ts';
import { FriendRelays } from './mail/friend-relays.ts';
import { Inbox } from './mail/inbox.ts';
import { LetterTaker } from './mail/letter-taker.ts';
import { LettersFromPeers } from './mail/letters-from-peers.ts';
import { OwnRecords } from './mail/own-records.ts';
import { OwnRelays } from './mail/own-relays.ts';
import { Receipts } from './mail/receipts.ts';
import { ResumeNotes } from './mail/resume-notes.ts';
import { DepositTokens } from './mail/tokens.ts';
import { HostNames } from './overlay/host-names.ts';
import { PeerLinks } from './overlay/peer-links.ts';
import { LanDiscovery } from './path/lan-discovery.ts';
import { lanEnvironment } from './overlay/lan-environment.ts';
import { Recipients } from './overlay/recipients.ts';
import { RelayCanaries } from './overlay/relay-canary.ts';
import { RelayGrades } from './overlay/relay-grades.ts';
import { RelayLinks, type RelayLink } from './overlay/relay-links.ts';
import { RelayReliability } from './overlay/relay-reliability.ts';
import { RelayTrials } from './overlay/relay-trials.ts';
import { connectionView, headlineOf, relayStatus, startingMs } from './visor-views.ts';
import type { BlobShelf } from './files/blob-shelf.ts';
import type { ConnectionView, Headline, WaitReason } from '../../shared/views.ts';
import type { RelayStatus } from './inspection-types.ts';
import type { LetterFacts } from './mail/visor-store.ts';
import type { CreatePeerSessions, PeerEvents } from './overlay/peer-sessions.ts';
import type { SessionOutput } from './session/types.ts';
import { toHex } from './wire/bytes.ts';
import type { Instant } from './wire/types.ts';
import type { VisorContext } from './visor-context.ts';
import type { VisorMeans } from './visor-means.ts';

/** Prekeys and records are looked at this often; both change weekly at most. */
const housekeepingMs = 3_600_000;
/** After the machine slept, a session is believed only when something came by it. */
const heardLatelyMs = 5 * 60_000;

interface Timed {
  handleTimeout(now: Instant): void;
  pollTimeout(): Due | undefined;
}

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
  readonly relays: OwnRelays;
  readonly recipients: Recipients;
  readonly peers: PeerLinks;
  /** Undefined: nobody is looked for in local networks. */
  readonly lan: LanDiscovery | undefined;
  readonly files: Files;
  readonly heldLimits = new HeldLimits();
  readonly published: Published;
  readonly namedFetches: NamedFetches;
  readonly reliability: RelayReliability;
  readonly canaries: RelayCanaries;
  readonly grades: RelayGrades;
  readonly trials: RelayTrials;
  readonly friendRelays: FriendRelays;
  readonly carrying: Carrying;
  /** All that wants to be woken, once it is there. */
  readonly #timed: readonly Timed[];
  readonly #deadlines = new Deadlines();
  readonly #startedMs: number;
  /** The machine runs on its battery. */
  isLowPower = false;
  /** Own relays as they were told to others last. */
  #card = '';

  constructor(context: VisorContext, shelf: BlobShelf, ask: (ticket: number, host: string) => void, now: Instant, createPeers: CreatePeerSessions | undefined, { candidates, lan, guess }: VisorMeans) {
    this.context = context;
    this.#startedMs = now.monotonicMs;
    this.names = new HostNames(ask);
    this.reliability = new RelayReliability(context);
    this.grades = new RelayGrades(context);
    this.records = new OwnRecords(context, { isDoubtful: (relay) => this.reliability.standing(relay) !== 'reliable', grade: (relay) => this.grades.grade(relay) });
    this.tokens = new DepositTokens(context);
    this.links = new RelayLinks(context, this.names, {
      up: (link, restarted, at) => { this.#linkUp(link, restarted, at); },
      down: (link, at) => { this.#linkDown(link, at); },
      leaving: (sessionId, at) => { this.peers.relaySessionLost(sessionId, at); },
      isCarrying: (sessionId) => this.peers.isCarrying(sessionId),
      isHearsay: (hint) => this.friendRelays.isHearsay(hint),
    });
    const outbox = (): Outbox => this.outbox;
    this.friendRelays = new FriendRelays(context, {
      isRegistered: (relay) => this.relays.registered.has(relay),
      isConnected: (relay) => this.links.own(relay)?.state === 'connected',
      removal: (row, at) => this.relays.removal(row, at),
      changed: (at) => { this.relaysChanged(at); },
      isRevoked: () => this.revoked,
    });
    this.carrying = new Carrying(context, outbox);
    this.recipients = new Recipients(context, this.links, (publicKey, at) => { this.contacts.introduceAgain(publicKey, at); }, this.friendRelays);
    const peerEvents: PeerEvents = {
      peerUp: (publicKey, at) => { this.outbox.peerUp(publicKey, at); this.files.peerUp(publicKey, at); },
      peerMoved: (publicKey, at) => { this.files.peerUp(publicKey, at); },
      pathFailed: (at) => { this.links.askOwn(at); },
      peerDown: (publicKey, sessionId, at) => { this.outbox.peerDown(publicKey, sessionId, at); this.files.peerDown(publicKey); },
    };
    this.lan = lan === undefined ? undefined : new LanDiscovery(lanEnvironment(context, this.recipients, () => this.peers, () => this.revoked, lan));
    this.peers = new PeerLinks(context, this.links, this.recipients, this.tokens, candidates, peerEvents, { nearby: this.lan, guess });
    const peers = createPeers?.(context, peerEvents) ?? this.peers;
    this.receipts = new Receipts(context, outbox, peers);
    this.contacts = new Contacts(context, this.records, this.tokens, outbox, {
      tokenChanged: (token, granted, at) => { this.relays.tokenChanged(token, granted, at); },
    });
    this.conversations = new Conversations(context, this.contacts, this.receipts, outbox, () => this.files, this.friendRelays);
    this.outbox = new Outbox(context, this.links, this.recipients, peers, {
      unreachableReason: () => this.#unreachableReason(),
      finished: (row, at) => { this.canaries.active(at); this.receipts.receiptFinished(row, at); },
      drainedSince: (monotonicMs) => this.relays.drainedSince(monotonicMs),
      wantDrained: (at) => { for (const relay of this.relays.registered) this.inbox.notified(relay, at); },
      relayWallMs: (at) => { const offsetMs = this.relays.clockOffsetMs(1, at); return offsetMs === undefined ? undefined : at.wallMs + offsetMs; },
      revoked: () => this.revoked,
      deliveredLate: (messageId, recipient, hop) => { this.conversations.deliveredLate(messageId, recipient, hop); },
      peerDown: (sessionId) => { this.receipts.sessionGone(sessionId); },
    });
    this.files = new Files(context, shelf, this.recipients, this.links, peers, () => this.receipts, (relay) => this.relays.registered.has(relay), this.heldLimits, (messageId) => !this.outbox.neverLeft(messageId), (name) => this.namedFetches.keeps(name));
    this.published = new Published(context, shelf, this.links, (relay) => this.relays.registered.has(relay) && !this.isOfFriend(relay));
    this.namedFetches = new NamedFetches(context, shelf, this.links, this.recipients, this.published);
    const resumeNotes = new ResumeNotes(context, this.tokens, outbox);
    const taker = new LetterTaker(context, (header, content, way, at) => {
      const sender = header.certificate.identity;
      if (sender !== context.publicKey) this.canaries.active(at);
      else if (way.kind === 'relay') this.canaries.arrived(toHex(header.messageId), way.relay, at);
      if (context.memory.contacts.get(sender)?.standing === 'contact') peers.want(sender, at);
      return this.conversations.effects(header, content, way, at);
    });
    new LettersFromPeers(context, peers, taker);
    this.inbox = new Inbox(context, taker, {
      drained: (relay, at, hadLetters) => {
        this.canaries.drained(relay);
        this.relays.drained(relay, at);
        this.outbox.settleExpired(at);
        // A mailbox in which nothing was has turned nobody away since.
        if (hadLetters) resumeNotes.askRefusals(this.links.own(relay), at);
      },
      refused: (relay, at) => { this.relays.registerAgain(relay, at); },
      waitingChanged: (relay) => { context.announce({ kind: 'relay', publicKey: relay }); },
    });
    this.relays = new OwnRelays(context, this.links, this.records, this.tokens, () => this.inbox, {
      // The network works again: whatever waits for it does not wait out its pause.
      online: (at) => { this.outbox.kick(at, (row) => row.stage !== 'await'); this.files.kick(at); },
      registered: (link, at) => {
        const relay = link.hint.publicKey;
        this.canaries.registered(relay, at);
        this.trials.registered(relay, at);
        this.files.linkUp(link, at);
        if (!this.isOfFriend(relay)) { this.published.registered(relay, at); return; }
        this.friendRelays.isThere(relay, at);
        // Whoever is not reached elsewhere may be by this friend.
        this.outbox.linkUp(link, at);
      },
      refused: (relay, at) => { this.trials.mailboxRefused(relay, at); },
      revoked: (at) => { this.#becomeRevoked(at); },
      isRevoked: () => this.revoked,
    });
    this.canaries = new RelayCanaries(context, this.links, this.records, this.tokens, this.reliability, {
      isRegistered: (relay) => this.relays.registered.has(relay),
      isRefused: (relay) => this.relays.isRefused(relay),
      knowsTokens: (relay) => this.relays.knowsTokens(relay),
      tokenGranted: (token, at) => { this.relays.tokenChanged(token, true, at); },
      look: (relay, at) => { this.inbox.notified(relay, at); },
      isRevoked: () => this.revoked,
      isSparing: () => this.isSparing,
      standingChanged: (at) => { this.#tellOrder(at); },
    }, now);
    this.trials = new RelayTrials(context, this.names, {
      registerAgain: (relay, at) => { this.relays.registerAgain(relay, at); },
      doubt: (relay, at) => {
        const link = this.links.own(relay);
        if (link?.sessionId !== undefined && link.address !== undefined) context.sessions.redirect(link.sessionId, link.address, at);
      },
      leaveLetter: (row, watch, at) => this.canaries.sendWatched(row, watch, at),
    });
    context.directed.handle('notify', (sessionId, body, answer, at) => {
      answer.respond(new Uint8Array(0), at);
      const link = this.links.bySession(sessionId);
      if (link?.purpose === 'own') this.inbox.notified(link.hint.publicKey, at, body.verb === 'notify' ? body : undefined);
    });
    const { links, relays, inbox, canaries, trials, receipts, files, published, namedFetches } = this;
    this.#timed = [links, this.friendRelays, this.peers, ...(this.lan === undefined ? [] : [this.lan]), relays, inbox, canaries, trials, receipts, this.outbox, files, published, namedFetches];
  }

  /** Also those that are being left, and those that are banned. */
  allRelays(): readonly string[] { return [...this.context.memory.relays.keys(), ...this.context.memory.bannedRelays.keys()]; }

  /** Bytes cost money or battery: what nobody waits for is done more rarely. */
  get isSparing(): boolean { return this.isLowPower || this.context.memory.settings.metered; }

  /** Told to nobody, and nothing is published there. */
  isOfFriend(relay: string): boolean { return this.context.memory.relays.get(relay)?.role === 'friend'; }

  get revoked(): boolean { return this.context.memory.values.get('revoked') === 'true'; }

  start(now: Instant): void {
    this.#housekeeping(now);
    this.#deadlines.set('started', now.monotonicMs + startingMs);
    this.#card = this.records.card();
    this.links.syncOwn(now);
    this.canaries.relaysChanged(now);
    this.outbox.start(now);
    this.files.start(now);
    this.friendRelays.sync(now);
  }

  /** Who is a contact, or what the person wants, may be different now. */
  friendsChanged(now: Instant): void {
    this.friendRelays.sync(now);
    this.carrying.sync(now);
  }

  /** The set of own relays changed: dial, drop, publish the new record, tell the contacts. Called after the commit. */
  relaysChanged(now: Instant): void {
    this.#card = this.records.card();
    this.relays.changed(now);
    this.canaries.relaysChanged(now);
    this.trials.relaysChanged(now);
    // A relay that never answers causes no event of its own: what is said about it is looked at again when it should have answered.
    this.#deadlines.set('started', now.monotonicMs + startingMs);
    this.contacts.reintroduce(now);
    this.outbox.kick(now);
    // One more or less moves the others.
    this.context.announce({ kind: 'connection' }, ...this.allRelays().map((publicKey) => ({ kind: 'relay', publicKey }) as const));
  }

  /** False when the output is not about a session of this role. */
  handleSession(output: SessionOutput, now: Instant): boolean {
    if (output.kind === 'closed' || output.kind === 'restarted') this.peers.relaySessionLost(output.kind === 'closed' ? output.sessionId : output.session.id, now);
    if (this.trials.handleSession(output, now)) return true;
    if (!this.links.handleSession(output, now)) return this.peers.handleSession(output, now);
    if (output.kind === 'measured' || output.kind === 'moved') {
      const link = this.links.bySession(output.sessionId);
      if (link?.purpose === 'own') this.context.announce({ kind: 'relay', publicKey: link.hint.publicKey });
      if (output.kind === 'moved') this.context.announce({ kind: 'connection' });
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
      else this.context.announce({ kind: 'connection' }, ...[...this.context.memory.relays.keys()].map((publicKey) => ({ kind: 'relay', publicKey }) as const));
    }
    for (const core of this.#timed) core.handleTimeout(now);
  }

  *timeouts(): Iterable<Due | undefined> {
    const own = this.#deadlines.next();
    yield own === undefined ? undefined : { atMs: own.atMs, reason: own.key };
    for (const core of this.#timed) yield core.pollTimeout();
  }

  networkChanged(now: Instant): void {
    this.links.networkChanged(now);
    this.peers.networkChanged(now);
    this.outbox.kick(now);
    this.files.kick(now);
    this.context.announce({ kind: 'connection' });
  }

  connection(now: Instant): ConnectionView { return connectionView(this, this.#startedMs, now); }
  relayStatus(publicKey: string, now: Instant): RelayStatus | undefined { return relayStatus(this, publicKey, now); }
  headline(messageId: string, facts: LetterFacts, now: Instant): Headline { return headlineOf(this, messageId, facts, now); }
  clockOffsetMs(minimum: number, now: Instant): number | undefined { return this.relays.clockOffsetMs(minimum, now); }

  // --- relays coming and going ---------------------------------------------------------------------------------------------

  #linkUp(link: RelayLink, restarted: boolean, now: Instant): void {
    this.#learnLimit(link);
    if (link.purpose === 'deposit') {
      this.context.directed.sessionLost(link.sessionId ?? -1, now);
      if (restarted) this.outbox.linkRestarted(link, now);
      else this.outbox.linkUp(link, now);
      this.files.linkUp(link, now);
      return;
    }
    if (link.sessionId !== undefined) this.context.directed.sessionLost(link.sessionId, now);
    if (this.isOfFriend(link.hint.publicKey)) this.friendRelays.answered(link.hint, now);
    this.relays.linkUp(link, now);
    this.peers.relayUp(now);
  }

  /** What can be said about large files changes with it. */
  #learnLimit(link: RelayLink): void {
    const relay = link.hint.publicKey;
    if (!this.heldLimits.learn(relay, this.links.session(link)?.remoteCapabilities ?? [])) return;
    for (const { id, publicKey } of this.context.memory.conversations.values()) {
      if (this.recipients.relaysOf(publicKey).some((hint) => hint.publicKey === relay)) this.context.announce({ kind: 'conversation', conversationId: id });
    }
  }

  /** The most that any relay of theirs holds of files for them; undefined when that is not known. */
  relayHoldsBytes(publicKey: string): number | undefined { return this.heldLimits.mostOf(this.recipients.relaysOf(publicKey)); }

  #linkDown(link: RelayLink, now: Instant): void {
    if (link.sessionId !== undefined) this.context.directed.sessionLost(link.sessionId, now);
    if (link.purpose !== 'own') return;
    this.relays.linkDown(link);
    this.canaries.linkDown(link.hint.publicKey, now);
  }

  /** Relays that keep their word are told to others before those that do not. */
  #tellOrder(now: Instant): void {
    const card = this.records.card();
    // Before the start it is not known yet.
    if (card === this.#card || this.#card === '') return;
    this.#card = card;
    this.context.announce(...this.allRelays().map((publicKey) => ({ kind: 'relay', publicKey }) as const));
    this.relays.registerAllAgain(now);
    this.contacts.reintroduce(now);
  }

  #becomeRevoked(now: Instant): void {
    this.context.log('warn', 'device.revoked');
    this.context.commit([{ kind: 'put-value', key: 'revoked', value: 'true' }], { announce: [{ kind: 'connection' }, { kind: 'notices' }] });
    this.relays.stop();
    this.peers.contactsChanged(now);
  }

  #unreachableReason(): WaitReason {
    if (this.relays.registered.size > 0) return 'relay-unreachable';
    for (const link of this.links.all) if (link.state === 'connected') return 'relay-unreachable';
    return 'no-network';
  }

  // --- housekeeping -----------------------------------------------------------------------------------------------------------

  #housekeeping(now: Instant): void {
    this.#deadlines.set('housekeeping', now.monotonicMs + housekeepingMs);
    if (this.revoked) return;
    this.records.currentPrekey(now);
    this.records.deleteOldPrekeys(now);
    this.published.renew(now);
    this.namedFetches.forgetOld(now);
    this.grades.refresh((relay) => {
      const link = this.links.own(relay);
      return { tests: this.reliability.tests(relay, now), roundTripsMs: (link === undefined ? undefined : this.links.session(link)?.roundTripsMs) ?? [] };
    });
    this.#tellOrder(now);
    this.relays.registerAllAgain(now);
    for (const relay of this.relays.registered) {
      const link = this.links.own(relay);
      const heardMs = link === undefined ? undefined : this.links.session(link)?.lastHeardMs;
      if (this.isOfFriend(relay) && heardMs !== undefined && now.monotonicMs - heardMs < heardLatelyMs) this.friendRelays.isThere(relay, now);
    }
    this.friendsChanged(now);
  }
}
