/**
 * Sessions with relays. Own relays are dialled with the device certificate and kept for ever; relays of recipients are dialled
 * anonymously when there is something to deposit and left after a minute without use. The session core redials by itself while a link is silent; here
 * names are resolved again, and links that were closed for good (wrong key, refused) are tried again with a longer pause.
 */
import { Deadlines } from '../deadlines.ts';
import type { HostNames } from './host-names.ts';
import { isTcpAddress, tcpAddress } from '../wire/tcp-address.ts';
import { tcpPortDefault, TcpPorts } from './tcp-ports.ts';
import { scopeOf } from '../path/address-scope.ts';
import { socketAddressKey, type Instant, type RelayHint, type SocketAddress } from '../wire/types.ts';
import type { CloseReason, SessionId, SessionOutput, Sessions, SessionView } from '../session/types.ts';
import type { VisorContext } from '../visor-context.ts';

/** A recipient's relay is left when nothing was sent for this long: every idle session costs keepalives. */
const depositIdleMs = 60_000;
/** Pause before a link that ended for a reason of its own is dialled again. */
const redialMinimumMs = 2_000;
const redialMaximumMs = 60_000;
/** Of a contact's relay: only their word says that it is there. */
const hearsayRedialMaximumMs = 300_000;
/** While a relay does not answer, its name is looked up again this often: it may have moved. */
const resolveAgainMs = 30_000;
/** Relays of recipients connected at once. */
const depositLinksMaximum = 64;

export type LinkPurpose = 'own' | 'deposit';

export interface RelayLink {
  readonly key: string;
  readonly hint: RelayHint;
  readonly purpose: LinkPurpose;
  state: 'resolving' | 'connecting' | 'connected' | 'silent' | 'paused';
  sessionId: SessionId | undefined;
  address: SocketAddress | undefined;
  problem: 'none' | 'no-address' | 'unreachable' | CloseReason;
  everConnected: boolean;
  sinceWallMs: number | undefined;
  failures: number;
  lastUsedMs: number;
}

/** Links for deposits by address too: who names a false one for a relay must not stand in the way of those who know the right one. */
const keyOf = (purpose: LinkPurpose, hint: RelayHint): string => (purpose === 'own' ? `own/${hint.publicKey}` : `deposit/${hint.publicKey}@${hint.host}:${String(hint.port)}`);

export interface LinkEvents {
  /** Established, or established anew after the other side restarted: everything is to be asked again. */
  up(link: RelayLink, restarted: boolean, now: Instant): void;
  /** No longer usable; it is being tried again. */
  down(link: RelayLink, now: Instant): void;
  /** It is left for good. */
  leaving(sessionId: SessionId, now: Instant): void;
  /** Something goes through it that outlasts a pause. */
  isCarrying(sessionId: SessionId): boolean;
  /** Of an own relay: only somebody else's word says that it is there. */
  isHearsay(hint: RelayHint): boolean;
}

/** UDP does not get through to it just now. */
export function isOverTcp(sessions: Pick<Sessions, 'view'>, { state, sessionId }: Pick<RelayLink, 'state' | 'sessionId'>): boolean {
  const session = state === 'connected' && sessionId !== undefined ? sessions.view(sessionId) : undefined;
  return session !== undefined && isTcpAddress(session.address);
}

export class RelayLinks {
  readonly #context: VisorContext;
  readonly #events: LinkEvents;
  readonly #names: HostNames;
  readonly #tcpPorts: TcpPorts;
  readonly #links = new Map<string, RelayLink>();
  readonly #bySession = new Map<SessionId, RelayLink>();
  readonly #deadlines = new Deadlines();
  readonly #waiting = new Map<string, { readonly run: (up: boolean, now: Instant) => void; readonly token: number }[]>();
  #nextToken = 1;

  constructor(context: VisorContext, names: HostNames, events: LinkEvents) {
    this.#context = context;
    this.#names = names;
    this.#tcpPorts = new TcpPorts(context);
    this.#events = events;
  }

  get all(): Iterable<RelayLink> { return this.#links.values(); }
  own(publicKey: string): RelayLink | undefined { return this.#links.get(`own/${publicKey}`); }
  bySession(sessionId: SessionId): RelayLink | undefined { return this.#bySession.get(sessionId); }
  session(link: RelayLink): SessionView | undefined { return link.sessionId === undefined ? undefined : this.#context.sessions.view(link.sessionId); }

  /** Makes the own links match the configured relays. */
  syncOwn(now: Instant): void {
    const wanted = this.#context.memory.relays;
    for (const link of [...this.#links.values()]) {
      if (this.#context.memory.bannedRelays.has(link.hint.publicKey)) { this.#drop(link, now); continue; }
      if (link.purpose !== 'own') continue;
      const row = wanted.get(link.hint.publicKey);
      if (row === undefined || row.host !== link.hint.host || row.port !== link.hint.port) this.#drop(link, now);
    }
    for (const row of wanted.values()) {
      if (!this.#links.has(`own/${row.publicKey}`)) this.#open({ publicKey: row.publicKey, host: row.host, port: row.port }, 'own', now);
    }
  }

  /** The link for deposits at that relay, dialled if need be; undefined when too many are open, or the person has banned it. */
  deposit(theirs: RelayHint, now: Instant): RelayLink | undefined {
    if (this.#context.memory.bannedRelays.has(theirs.publicKey)) return undefined;
    // A relay of ours too: where we are connected to it is where it is, and what others' records say may be older.
    const own = this.own(theirs.publicKey);
    const hint = own?.state === 'connected' ? own.hint : theirs;
    let link = this.#links.get(keyOf('deposit', hint));
    if (link === undefined) {
      if (this.#links.size >= depositLinksMaximum && !this.#dropIdlest(now)) return undefined;
      link = this.#open(hint, 'deposit', now);
    }
    link.lastUsedMs = now.monotonicMs;
    this.#deadlines.set(`idle ${link.key}`, now.monotonicMs + depositIdleMs);
    return link;
  }

  /** Runs once the link is connected, or with `up` false after the deadline. */
  whenUp(link: RelayLink, deadlineMs: number, now: Instant, run: (up: boolean, now: Instant) => void): void {
    if (link.state === 'connected') { run(true, now); return; }
    const token = this.#nextToken;
    this.#nextToken += 1;
    const waiting = this.#waiting.get(link.key);
    if (waiting === undefined) this.#waiting.set(link.key, [{ run, token }]);
    else waiting.push({ run, token });
    this.#deadlines.set(`wait-${String(token)} ${link.key}`, now.monotonicMs + deadlineMs);
  }

  /** True when it was about one of the links here. */
  handleSession(output: SessionOutput, now: Instant): boolean {
    if (output.kind === 'transmit' || output.kind === 'frame') return false;
    const sessionId = output.kind === 'established' || output.kind === 'restarted' ? output.session.id : output.sessionId;
    const link = this.#bySession.get(sessionId);
    if (link === undefined) return false;
    switch (output.kind) {
      case 'established': case 'restarted': this.#established(link, output.session, output.kind === 'restarted', now); return true;
      case 'silent':
        link.state = 'silent';
        link.problem = 'unreachable';
        if (!this.#isLiteral(link)) this.#deadlines.set(`resolve ${link.key}`, now.monotonicMs + resolveAgainMs);
        this.#events.down(link, now);
        return true;
      case 'closed':
        this.#bySession.delete(sessionId);
        link.sessionId = undefined;
        link.state = 'paused';
        link.problem = output.reason;
        this.#pause(link, now);
        this.#events.down(link, now);
        return true;
      case 'measured': case 'moved': case 'path': return true;
    }
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#deadlines.takeDue(now.monotonicMs); key !== undefined; key = this.#deadlines.takeDue(now.monotonicMs)) {
      const space = key.indexOf(' ');
      const linkKey = key.slice(space + 1);
      if (key.startsWith('wait-')) { this.#giveUpWaiting(linkKey, Number(key.slice(5, space)), now); continue; }
      const link = this.#links.get(linkKey);
      if (link === undefined) continue;
      switch (key.slice(0, space)) {
        case 'idle':
          if (link.purpose !== 'deposit') break;
          if (link.sessionId !== undefined && this.#events.isCarrying(link.sessionId)) this.#deadlines.set(`idle ${link.key}`, now.monotonicMs + depositIdleMs);
          else this.#drop(link, now);
          break;
        case 'redial': if (link.sessionId === undefined) this.#dial(link, now); break;
        case 'resolve': if (link.state !== 'connected') this.#resolveAgain(link, now); break;
      }
    }
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const next = this.#deadlines.next();
    return next === undefined ? undefined : { atMs: next.atMs, reason: `link ${next.key.split(' ')[0] ?? ''}` };
  }

  /** Own relays are asked whether they are there, from where we are now: they ring where they heard us last. */
  askOwn(now: Instant): void {
    for (const link of this.#links.values()) if (link.purpose === 'own' && link.sessionId !== undefined && link.state === 'connected') this.#context.sessions.ask(link.sessionId, now);
  }

  networkChanged(now: Instant): void {
    this.#names.forget();
    for (const link of this.#links.values()) {
      link.failures = 0;
      if (link.sessionId === undefined && link.state !== 'resolving') this.#dial(link, now);
      else if (!this.#isLiteral(link)) this.#resolveAgain(link, now);
    }
  }

  #open(hint: RelayHint, purpose: LinkPurpose, now: Instant): RelayLink {
    const link: RelayLink = {
      key: keyOf(purpose, hint), hint, purpose, state: 'resolving', sessionId: undefined, address: undefined,
      problem: 'none', everConnected: false, sinceWallMs: undefined, failures: 0, lastUsedMs: now.monotonicMs,
    };
    this.#links.set(link.key, link);
    this.#dial(link, now);
    return link;
  }

  #dial(link: RelayLink, now: Instant): void {
    link.state = 'resolving';
    this.#names.resolve(link.hint.host, link.hint.port, now, (address, at) => {
      if (this.#links.get(link.key) !== link || link.sessionId !== undefined) return;
      if (address === undefined) {
        link.state = 'paused';
        link.problem = 'no-address';
        this.#pause(link, at);
        this.#events.down(link, at);
        return;
      }
      link.address = address;
      link.state = 'connecting';
      link.sessionId = this.#context.sessions.dial({
        address, identity: link.hint.publicKey, remoteStatic: this.#context.memory.peerKeys.get(link.hint.publicKey), anonymous: link.purpose === 'deposit', isHearsay: this.#isHearsay(link), around: this.#around(link, address),
      }, at);
      this.#bySession.set(link.sessionId, link);
    });
  }

  #resolveAgain(link: RelayLink, now: Instant): void {
    this.#names.resolve(link.hint.host, link.hint.port, now, (address, at) => {
      if (link.sessionId === undefined || this.#links.get(link.key) !== link) return;
      if (address !== undefined && (link.address === undefined || socketAddressKey(address) !== socketAddressKey(link.address))) {
        link.address = address;
        const around = this.#around(link, address);
        if (around !== undefined) this.#context.sessions.goAround(link.sessionId, around);
        this.#context.sessions.redirect(link.sessionId, address, at);
      }
      if (link.state !== 'connected') this.#deadlines.set(`resolve ${link.key}`, at.monotonicMs + resolveAgainMs);
    });
  }

  #established(link: RelayLink, session: SessionView, restarted: boolean, now: Instant): void {
    link.state = 'connected';
    link.problem = 'none';
    link.everConnected = true;
    link.failures = 0;
    link.sinceWallMs = now.wallMs;
    this.#deadlines.clear(`resolve ${link.key}`);
    this.#learnAround(link, session);
    const known = this.#context.memory.peerKeys.get(link.hint.publicKey);
    const learned = session.remoteCertificate?.x25519;
    if (learned !== undefined && (known === undefined || !known.every((byte, index) => byte === learned[index]))) {
      this.#context.commit([{ kind: 'put-peer-key', row: { publicKey: link.hint.publicKey, x25519: learned } }]);
    }
    this.#events.up(link, restarted, now);
    const waiting = this.#waiting.get(link.key) ?? [];
    this.#waiting.delete(link.key);
    for (const { run, token } of waiting) {
      this.#deadlines.clear(`wait-${String(token)} ${link.key}`);
      run(true, now);
    }
  }

  #giveUpWaiting(linkKey: string, token: number, now: Instant): void {
    const waiting = this.#waiting.get(linkKey) ?? [];
    const index = waiting.findIndex((one) => one.token === token);
    const [found] = index < 0 ? [] : waiting.splice(index, 1);
    if (waiting.length === 0) this.#waiting.delete(linkKey);
    found?.run(false, now);
  }

  #pause(link: RelayLink, now: Instant): void {
    const pauseMs = Math.min(this.#isHearsay(link) ? hearsayRedialMaximumMs : redialMaximumMs, redialMinimumMs * 2 ** Math.min(link.failures, 10));
    link.failures += 1;
    this.#deadlines.set(`redial ${link.key}`, now.monotonicMs + pauseMs);
  }

  #drop(link: RelayLink, now: Instant): void {
    this.#links.delete(link.key);
    for (const name of ['idle', 'redial', 'resolve']) this.#deadlines.clear(`${name} ${link.key}`);
    if (link.sessionId !== undefined) {
      this.#events.leaving(link.sessionId, now);
      this.#bySession.delete(link.sessionId);
      this.#context.directed.sessionLost(link.sessionId, now);
      this.#context.sessions.close(link.sessionId, now);
      link.sessionId = undefined;
    }
  }

  #dropIdlest(now: Instant): boolean {
    let idlest: RelayLink | undefined;
    for (const link of this.#links.values()) {
      if (link.purpose === 'deposit' && (link.sessionId === undefined || !this.#events.isCarrying(link.sessionId)) && (idlest === undefined || link.lastUsedMs < idlest.lastUsedMs)) idlest = link;
    }
    if (idlest === undefined || idlest.lastUsedMs >= now.monotonicMs) return false;
    this.#drop(idlest, now);
    return true;
  }

  /** Where the relay at this address takes TCP. The one inside this app is reached without any network. */
  #around(link: RelayLink, address: SocketAddress): SocketAddress | undefined {
    const { udp, memory } = this.#context;
    if (udp === undefined || memory.relays.get(link.hint.publicKey)?.role === 'local') return undefined;
    // On this machine there is no network that lets no UDP pass, and another program behind the usual port.
    const port = this.#tcpPorts.told(link.hint.publicKey) ?? (scopeOf(address.host) === 'loopback' ? undefined : tcpPortDefault);
    return port === undefined ? undefined : tcpAddress(address.host, port);
  }

  #learnAround(link: RelayLink, session: SessionView): void {
    if (this.#context.udp === undefined) return;
    this.#tcpPorts.learn(link.hint.publicKey, session.remoteCapabilities);
    const around = link.address === undefined ? undefined : this.#around(link, link.address);
    if (around !== undefined) this.#context.sessions.goAround(session.id, around);
  }

  #isHearsay({ purpose, hint }: RelayLink): boolean { return purpose === 'own' && this.#events.isHearsay(hint); }

  #isLiteral(link: RelayLink): boolean { return link.address?.host === link.hint.host; }
}
