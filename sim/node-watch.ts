/**
 * What the checker and the trace are told of one machine: what became durable on its disk, what its screens show, what waits in its outbox
 * and lies in its mailboxes, and whether its engine throws or spins. It belongs to the machine and outlives the engines on it, for
 * what is on disk is still there after a crash. It only looks: nothing in the world goes another way because of it.
 */
import type { Disk, StoreAsk, StoreResult } from './disk.ts';
import type { BlobBytes } from './invariants-files.ts';
import type { NodeOptions, World } from './node-options.ts';
import type { BlobShelfName, Engine, EngineChange } from '../src/main/engine/engine-types.ts';
import type { EngineCommand } from '../src/main/engine/command-types.ts';
import type { BlobRequest } from '../src/main/engine/files/blob-store.ts';
import type { FileRow, LetterFacts, StoreFailure, VisorChange } from '../src/main/engine/mail/visor-store.ts';
import { mailboxKey, type Mailbox } from '../src/main/engine/wire/types.ts';

/** More than this in a virtual second is an engine that spins. */
const timeoutsPerSecondMaximum = 2_000;
/** Room that the store counts for one receipt: header and the body bucket of 60 items. */
const receiptMaximumBytes = 5 * 1024;

export class NodeWatch {
  readonly #world: World;
  readonly #options: NodeOptions;
  readonly #name: string;
  readonly #publicKey: string;
  readonly #blobOf: BlobBytes;
  readonly #files = new Map<string, FileRow>();
  /** Facts of own messages as committed, to compute what a screen shows. */
  readonly #facts = new Map<string, LetterFacts>();
  readonly #rows = new Set<string>();
  readonly #mailboxes = new Map<string, Mailbox>();
  #timeoutSecond = 0;
  #timeouts = 0;

  constructor(world: World, options: NodeOptions, publicKey: string, blobOf: BlobBytes) {
    this.#world = world;
    this.#options = options;
    this.#name = options.name;
    this.#publicKey = publicKey;
    this.#blobOf = blobOf;
  }

  /** A line of the trace. */
  line(what: string): void { this.#world.trace.line(this.#name, what); }

  commandGiven(command: EngineCommand): void { this.line(`command ${command.name} ${describe(command)}`); }

  threw(call: string, error: unknown): void {
    this.line(`${call} throws`);
    this.#world.checker.threw(this.#name, call, error);
  }

  spins(reason: string): void { this.#world.checker.spins(this.#name, reason); }

  /** Counts what the timer does in a virtual second; false once that is more than an engine has reason for. */
  timeoutIsPlausible(reason: string): boolean {
    const second = Math.floor(this.#world.queue.nowMs / 1_000);
    if (second !== this.#timeoutSecond) { this.#timeoutSecond = second; this.#timeouts = 0; }
    this.#timeouts += 1;
    if (this.#timeouts <= timeoutsPerSecondMaximum) return true;
    this.spins(`more than ${String(timeoutsPerSecondMaximum)} timeouts in a second, now for: ${reason}`);
    this.#timeouts = 0;
    return false;
  }

  // --- screens ------------------------------------------------------------------------------------------------------------

  /** A screen that opens shows what the disk says. */
  screenOpened(engine: Engine): void {
    for (const id of this.#facts.keys()) this.#showHeadline(engine, id);
    for (const id of this.#files.keys()) this.#showFile(engine, id);
  }

  changed(engine: Engine, changes: readonly EngineChange[]): void {
    for (const change of changes) {
      if (change.kind !== 'message') continue;
      this.#showHeadline(engine, change.messageId);
      this.#showFile(engine, change.messageId);
    }
  }

  #showFile(engine: Engine, messageId: string): void {
    const row = this.#files.get(messageId);
    if (row === undefined) return;
    const status = engine.inspect.fileStatus(row);
    const { state } = status;
    this.line(`shows file ${messageId.slice(0, 8)} ${state.state}${state.state === 'waiting' ? ` (${state.reason})` : ''}${'doneBytes' in state ? ` ${String(state.doneBytes)} of ${String(row.blobBytes)}` : ''}`);
    this.#world.checker.files.shown(this.#name, row, status, this.#blobOf, this.#world.crypto);
  }

  #showHeadline(engine: Engine, messageId: string): void {
    const facts = this.#facts.get(messageId);
    if (facts === undefined) return;
    const headline = engine.inspect.headline(messageId, facts);
    this.line(`shows ${messageId.slice(0, 8)} ${headline.state}${headline.state === 'queued' && headline.reason !== undefined ? ` (${headline.reason})` : ''}`);
    this.#world.checker.letters.headline(this.#name, messageId, headline);
  }

  // --- the outbox and the mailboxes ---------------------------------------------------------------------------------------

  /** Looks at the outbox from outside, as a screen would. */
  lookAtOutbox(engine: Engine): void {
    const items = engine.inspect.outbox();
    const waiting = items.filter(({ row }) => {
      const standing = engine.inspect.contacts.get(row.recipient)?.standing;
      return row.stage === 'deposit' && (standing === 'contact' || standing === 'pending' || (standing === 'request' && row.kind === 'message'));
    });
    this.#world.checker.letters.outboxSeen(this.#name, waiting.map(({ row, nextTryWallMs }) => ({ id: row.id, planned: nextTryWallMs !== undefined })));
    if (items.length > 0 && engine.pollTimeout() === undefined) this.spins('the outbox is not empty and no timer is armed');
    const { connection, relays, peers, counters } = engine.inspect;
    this.line(`is ${connection.kind}: ${String(items.length)} in the outbox, relays ${relays.map(({ state }) => state).join(', ')}, ${String(peers.length)} sessions, ${String(Object.keys(counters).length)} counters`);
  }

  /** Nobody runs who would have a plan for what waits. */
  outboxForgotten(): void { this.#world.checker.letters.outboxForgotten(this.#name); }

  /** Counts what lies in each mailbox as committed. */
  lookAtMailboxes(disk: Disk): void {
    const { quota, heldBytes } = this.#options;
    if (heldBytes !== undefined) this.#lookAtHeld(disk, heldBytes);
    if (quota === undefined) return;
    for (const [key, mailbox] of this.#mailboxes) {
      // Registering again changes nothing and tells the counts.
      const look = disk.lookAtMail({ op: 'register', mailbox, elapsedMs: 0 });
      if (look === undefined || !('highestSequence' in look)) continue;
      const most = {
        letters: quota.letters + quota.strangerLetters + quota.receipts,
        bytes: quota.bytes * (1 + quota.strangerLetters / Math.max(1, quota.letters)) + quota.receipts * receiptMaximumBytes,
      };
      this.#world.checker.mailbox({ relay: this.#name, mailbox: key, letters: look.letters, bytes: look.bytes, most });
    }
  }

  /** Contents that are noted for several mailboxes count once here, so that this is the least they may be. */
  #lookAtHeld(disk: Disk, heldBytes: number): void {
    const look = disk.lookAtMail({ op: 'blobs', elapsedMs: 0 });
    if (look === undefined || !('blobs' in look)) return;
    this.#world.checker.names.heldLook(this.#name, look.blobs.reduce((sum, { length }) => sum + length, 0), heldBytes * this.#mailboxes.size);
  }

  mailboxesLost(): void {
    this.#mailboxes.clear();
    this.#world.checker.relayForgot(this.#publicKey);
  }

  // --- the disk -----------------------------------------------------------------------------------------------------------

  refused(asks: readonly StoreAsk[], failure: StoreFailure): void {
    const what = asks.map(({ request }) => (request.op === 'commit' ? request.changes.map(({ kind }) => kind).join(' ') : request.op)).join(', ');
    this.#world.checker.refused(this.#name, what, failure.message);
  }

  /** Told once it is durable. */
  committed(ask: StoreAsk, result: StoreResult): void {
    if (ask.store === 'mail') this.#mailCommitted(ask.request, result);
    else if (ask.request.op === 'commit' && 'applied' in result && result.applied) this.#visorCommitted(ask.request.changes);
  }

  blobDone(shelf: BlobShelfName, request: BlobRequest): void {
    if (request.op === 'load' || request.op === 'read' || request.op === 'write') return;
    this.line(`${shelf}: ${request.op} ${hex(request.name.root).slice(0, 8)}`);
    if (shelf !== 'held-blobs' || request.op !== 'complete') return;
    this.#world.checker.files.relayCompleted(this.#publicKey, request.name);
    this.#world.checker.names.relayCompleted(this.#publicKey, request.name);
  }

  #mailCommitted(request: Extract<StoreAsk, { store: 'mail' }>['request'], result: StoreResult): void {
    const { checker } = this.#world;
    if (request.op === 'deposit' && 'outcome' in result) {
      this.line(`deposit ${result.outcome}`);
      if (result.outcome === 'stored' || result.outcome === 'duplicate') checker.letters.relayCommitted(this.#publicKey, hex(request.letterId));
      checker.relayBytes(this.#name, request.header, request.body);
    } else if (request.op === 'register') this.#mailboxes.set(mailboxKey(request.mailbox), request.mailbox);
    else if (request.op === 'put-record') checker.relayBytes(this.#name, request.bytes);
  }

  #visorCommitted(changes: readonly VisorChange[]): void {
    const { letters, names } = this.#world.checker;
    for (const change of changes) {
      switch (change.kind) {
        case 'put-message':
          this.line(`commits message ${change.row.direction} ${change.row.text.slice(0, 24)}`);
          if (change.row.direction === 'out') this.#facts.set(change.row.id, change.row.facts);
          letters.messageCommitted(this.#name, change.row, !this.#rows.has(change.row.id));
          this.#rows.add(change.row.id);
          break;
        case 'set-facts':
          this.#facts.set(change.messageId, change.facts);
          letters.factsCommitted(this.#name, change.messageId, change.facts);
          break;
        case 'add-hop': letters.hopCommitted(this.#name, change.messageId, change.hop); break;
        case 'put-file':
          this.line(`commits file ${change.row.direction} ${change.row.messageId.slice(0, 8)} ${change.row.stage} ${change.row.failure ?? ''}`);
          this.#files.set(change.row.messageId, change.row);
          this.#world.checker.files.rowCommitted(this.#name, change.row, this.#blobOf, this.#world.crypto);
          break;
        case 'put-outbox': letters.outboxCommitted(this.#name, change.row); break;
        case 'put-published':
          this.line(`commits ${change.row.path} ${String(change.row.sequence)} ${change.row.content === undefined ? 'taken back' : hex(change.row.content.root).slice(0, 8)}`);
          names.rowCommitted(this.#name, change.row);
          break;
        case 'put-value':
          if (change.key === 'named-fetches') names.keptCommitted(this.#name, change.value);
          else if (change.key === 'relay-tests') this.#world.checker.relayTestsCommitted(this.#name, change.value);
          break;
        default: break;
      }
    }
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

function describe(command: EngineCommand): string {
  switch (command.name) {
    case 'send': return `${command.text.slice(0, 24)} (${String(command.text.length)} bytes, ttl ${String(command.ttlSeconds ?? 'default')}) to ${command.to.slice(0, 8)}`;
    case 'send-file': return `${command.file.name} (${String(command.file.sizeBytes)} bytes, ttl ${String(command.ttlSeconds ?? 'default')}) to ${command.to.slice(0, 8)}`;
    case 'fetch-file': case 'pause-file': case 'cancel-file': case 'cancel': case 'retry': return command.messageId.slice(0, 8);
    case 'publish': return `${command.path} ${hex(command.content.root).slice(0, 8)} (${String(command.content.length)} bytes)`;
    case 'unpublish': return command.path;
    case 'fetch-named': return `${command.path} of ${command.publicKey.slice(0, 8)}${command.begin ? '' : ', still'}`;
    case 'end-fetch-named': return `${command.path} of ${command.publicKey.slice(0, 8)}`;
    case 'block': case 'unblock': case 'accept': case 'remove-relay': return command.publicKey.slice(0, 8);
    case 'add-contact': return command.invite.publicKey.slice(0, 8);
    case 'add-relay': return `${command.hint.publicKey.slice(0, 8)}@${command.hint.host}`;
    case 'mark-read': return `up to ${String(command.upToRow)}`;
    default: return '';
  }
}
