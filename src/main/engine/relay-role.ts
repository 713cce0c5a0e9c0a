/**
 * The relay in an engine: mailboxes for its members, circuits between those who are here, and what it knows of identities, by itself or by asking the relays of
 * its operator. It has an identity and a device of its own, and no mail.
 */
import { HourlyBudget } from './circuits/hourly-budget.ts';
import type { ExchangeEnvironment } from './circuits/exchange.ts';
import type { Due } from './deadlines.ts';
import { DirectoryRole } from './directory/directory-role.ts';
import { RelayPeers } from './directory/relay-peers.ts';
import type { RelayPolicy } from './engine-types.ts';
import type { BlobShelf } from './files/blob-shelf.ts';
import { createMailboxRole } from './mail/mailbox.ts';
import type { MailboxEnvironment, MailboxRole } from './mail/mailbox-types.ts';
import type { MailResults } from './mail/mail-store.ts';
import type { HostNames } from './overlay/host-names.ts';
import type { SessionOutput } from './session/types.ts';
import type { VisorContext } from './visor-context.ts';
import type { Instant, PublicKeyHex } from './wire/types.ts';

export interface RelayStart {
  readonly policy: RelayPolicy;
  readonly opened: MailResults['open'];
  /** Where contents lie that are held for others. */
  readonly shelf: BlobShelf;
  readonly store: MailboxEnvironment['store'];
  readonly names: HostNames;
}

export class RelayRole {
  /** What circuits through this relay need. */
  readonly exchange: ExchangeEnvironment;
  readonly #context: VisorContext;
  readonly #mailbox: MailboxRole;
  readonly #hourly: HourlyBudget | undefined;
  readonly #peers: RelayPeers;
  readonly #directory: DirectoryRole;

  constructor(context: VisorContext, { policy, opened, shelf, store, names }: RelayStart, now: Instant) {
    const { crypto, random, directed, sessions } = context;
    this.#context = context;
    const mailbox = createMailboxRole({
      crypto, random, directed, policy, shelf, store, ed25519Seed: context.device.ed25519Seed,
      session: (sessionId) => sessions.view(sessionId), log: (level, event, fields) => { context.log(level, event, fields); },
    }, opened, now);
    this.#mailbox = mailbox;
    this.#hourly = policy.circuitsPerHour === undefined ? undefined : new HourlyBudget(policy.circuitsPerHour, now.monotonicMs);
    this.exchange = {
      crypto, random, hourly: this.#hourly,
      request: (sessionId, body, options, at) => { directed.request(sessionId, body, options, at); },
      send: (sessionId, frame, at) => sessions.send(sessionId, frame, at), frameRoom: (sizeBytes) => sessions.frameRoom(sizeBytes),
      sessionsOf: (wanted) => mailbox.sessionsOf(wanted), addressOf: (sessionId) => sessions.view(sessionId)?.address, count: (counter) => { context.count(counter); },
    };
    this.#peers = new RelayPeers(context, names, policy.peers ?? []);
    this.#directory = new DirectoryRole({
      crypto, directed, peers: this.#peers, held: (identity, at, then) => { mailbox.held(identity, at, then); },
      addressOf: (sessionId) => sessions.view(sessionId)?.address, count: (counter) => { context.count(counter); },
    });
  }

  get isExpirySuspended(): boolean { return this.#mailbox.expirySuspended; }

  handleSession(output: SessionOutput, now: Instant): void {
    if (output.kind === 'closed') this.#mailbox.sessionClosed(output.sessionId);
    this.#peers.handleSession(output, now);
  }

  handleTimeout(now: Instant): void {
    this.#mailbox.handleTimeout(now);
    this.#peers.handleTimeout(now);
    this.#directory.handleTimeout(now);
  }

  *timeouts(): Iterable<Due | undefined> {
    yield this.#mailbox.pollTimeout();
    yield this.#peers.pollTimeout();
    yield this.#directory.pollTimeout();
  }

  flush(now: Instant): void { this.#mailbox.flush(now); }
  networkChanged(now: Instant): void { this.#peers.networkChanged(now); }
  confirmClock(now: Instant): void { this.#mailbox.confirmClock(now); }
  setMembers(members: readonly PublicKeyHex[]): void { this.#mailbox.setMembers(members); }

  stop(now: Instant): void {
    this.#peers.stop(now);
    // Of all who are here: whoever is silent for minutes, because the router allows it, would not know for minutes.
    this.#context.sessions.closeAll(now);
  }

  *counters(now: Instant): Iterable<readonly [string, number]> {
    for (const [name, value] of Object.entries(this.#mailbox.counters)) yield [`mailbox.${name}`, value];
    const hour = this.#hourly?.used(now.monotonicMs);
    if (hour !== undefined) yield* [['circuit.hour.packets', hour.packets], ['circuit.hour.bytes', hour.bytes]] as const;
  }
}
