/**
 * One machine: a clock, a disk, an address, and as long as it has power an engine, driven exactly as the real host drives it (every input is
 * followed by draining the outputs and arming one timer). It can lose power at any step of storage, start again from its disk, sleep,
 * move to another address and have its clock set.
 */
import { createEngine } from '../src/main/engine/visor.ts';
import { identityPublicKey, isValidSecretKey } from '../src/main/engine/wire/identity.ts';
import { Disk, type CrashStep, type StoreAsk, type StoreResult } from './disk.ts';
import { MachineClock, type EventQueue } from './clock.ts';
import type { Checker } from './invariants.ts';
import type { Network, Endpoint } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { Trace } from './trace.ts';
import type { Crypto } from '../src/main/engine/crypto.ts';
import type { CommandReply, Engine, EngineChange, EngineCommand, EngineOutput } from '../src/main/engine/engine-types.ts';
import type { MailboxQuota, MailResults } from '../src/main/engine/mail/mail-store.ts';
import type { LetterFacts, VisorQuery, VisorQueryResults, VisorState } from '../src/main/engine/mail/visor-store.ts';
import { mailboxKey, type Mailbox, type SocketAddress } from '../src/main/engine/wire/types.ts';

/** How late a timer of the operating system may be. */
const timerLatenessMs = 3;
/** More than this in a virtual second is an engine that spins. */
const timeoutsPerSecondMaximum = 2_000;
const outputsPerInputMaximum = 20_000;
/** The host's pause before it starts a new engine after a failed commit. */
const afterFailureMs = 500;
const resolveMaximumMs = 200;
/** Room that the store counts for one receipt: header and the body bucket of 60 items. */
const receiptMaximumBytes = 5 * 1024;

export interface World {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly checker: Checker;
  readonly trace: Trace;
  readonly crypto: Crypto;
  resolve(host: string): readonly string[];
}

export interface NodeOptions {
  readonly name: string;
  readonly visor: boolean;
  readonly relay: boolean;
  readonly wallErrorMs: number;
  /** Smaller than the engine's own, so that full mailboxes happen. */
  readonly quota: MailboxQuota | undefined;
}

export class SimNode implements Endpoint {
  readonly name: string;
  readonly publicKey: string;
  readonly clock: MachineClock;
  readonly disk: Disk;
  readonly options: NodeOptions;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #identitySecret: Uint8Array;
  #engine: Engine | undefined;
  /** Rises with every start and every end of an engine. */
  #generation = 0;
  #nextTicket = 1;
  #commands = new Map<number, (reply: CommandReply | undefined) => void>();
  #armedForMs: number | undefined;
  #asleepUntilMs = 0;
  #timeoutSecond = 0;
  #timeouts = 0;
  /** Facts of own messages as committed, to compute what a screen shows. */
  readonly facts = new Map<string, LetterFacts>();
  readonly #rows = new Set<string>();
  readonly #mailboxes = new Map<string, Mailbox>();
  /** Engines that were started. */
  starts = 0;

  constructor(world: World, random: SeededRandom, options: NodeOptions) {
    this.#world = world;
    this.#random = random;
    this.options = options;
    this.name = options.name;
    const draw = random.fork('identity');
    let secret = draw.bytes(32);
    while (!isValidSecretKey(secret)) secret = draw.bytes(32);
    this.#identitySecret = secret;
    this.publicKey = identityPublicKey(secret);
    this.clock = new MachineClock(world.queue, random.between(0, 1_000_000), options.wallErrorMs);
    this.disk = new Disk(world.queue, random.fork('disk'), {
      committed: (ask, result) => { this.#committed(ask, result); },
      failed: (failure) => {
        world.trace.line(this.name, `commit failed: ${failure.code}`);
        this.#end();
        world.queue.after(afterFailureMs, () => { this.start(); });
      },
      refused: (asks, failure) => {
        const what = asks.map(({ request }) => (request.op === 'commit' ? request.changes.map(({ kind }) => kind).join(' ') : request.op)).join(', ');
        world.checker.refused(this.name, what, failure.message);
        this.#end();
        world.queue.after(afterFailureMs, () => { this.start(); });
      },
      crashStep: (step) => { this.crash(step); },
      asleepUntilMs: () => this.#asleepUntilMs,
    });
  }

  get isUp(): boolean { return this.#engine !== undefined; }
  get isAwake(): boolean { return this.#engine !== undefined && this.#asleepUntilMs <= this.#world.queue.nowMs; }
  get engine(): Engine | undefined { return this.#engine; }

  start(): void {
    if (this.#engine !== undefined) return;
    const { crypto, trace } = this.#world;
    this.#generation += 1;
    this.starts += 1;
    this.#armedForMs = undefined;
    this.clock.restarted(this.#random.between(0, 100_000));
    trace.line(this.name, 'starts');
    const random = this.#random.fork(`engine ${String(this.starts)}`);
    const now = this.clock.now();
    const state = this.disk.applyNow({ store: 'visor', request: { op: 'load' } }) as VisorState;
    const mail = this.options.relay ? this.disk.applyNow({ store: 'mail', request: { op: 'open', freshEpoch: random.bytes(8), wallMs: now.wallMs } }) as MailResults['open'] : undefined;
    this.#guard('create', () => {
      this.#engine = createEngine({
        configuration: {
          crypto, random: random.bytes, identitySecret: this.#identitySecret, initialName: this.name, visor: this.options.visor,
          relay: this.options.relay ? { registration: 'open' } : undefined,
        },
        state, mail, now,
      });
    });
    this.#drain();
    // A screen that opens shows what the disk says.
    for (const id of this.facts.keys()) this.#showHeadline(id);
  }

  /** Power is gone. */
  crash(step: CrashStep | 'now'): void {
    if (this.#engine === undefined) return;
    this.#world.trace.line(this.name, `crashes (${step})`);
    this.#end();
  }

  /** Says goodbye and waits for its disk. */
  stop(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#world.trace.line(this.name, 'stops');
    this.#guard('stop', () => { engine.stop(this.clock.now()); });
    this.#drain();
    this.disk.flush();
    this.#end();
  }

  command(command: EngineCommand, done: (reply: CommandReply | undefined) => void = () => undefined): void {
    const engine = this.#engine;
    if (engine === undefined || !this.isAwake) { done(undefined); return; }
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#commands.set(ticket, done);
    this.#world.trace.line(this.name, `command ${command.name} ${describe(command)}`);
    this.#guard(`command ${command.name}`, () => { engine.command(ticket, command, this.clock.now()); });
    this.#drain();
  }

  networkChanged(): void {
    const engine = this.#engine;
    if (engine === undefined || !this.isAwake) return;
    this.#guard('networkChanged', () => { engine.networkChanged(this.clock.now()); });
    this.#drain();
  }

  moveTo(address: SocketAddress, isNoticed: boolean): void {
    this.#world.trace.line(this.name, `moves to ${address.host}:${String(address.port)}${isNoticed ? '' : ' without noticing'}`);
    this.#world.network.attach(this, address);
    if (isNoticed) this.networkChanged();
  }

  /** Handles nothing until then; on some systems the monotonic clock does not count either. */
  sleep(forMs: number, monotonicStops: boolean): void {
    if (!this.isAwake) return;
    this.#world.trace.line(this.name, `sleeps for ${(forMs / 1000).toFixed(1)} s`);
    const { queue } = this.#world;
    const generation = this.#generation;
    this.#asleepUntilMs = queue.nowMs + forMs;
    queue.at(this.#asleepUntilMs, () => {
      if (generation !== this.#generation) return;
      this.#world.trace.line(this.name, 'wakes');
      if (monotonicStops) this.clock.stoodStill(forMs);
      this.#armedForMs = undefined;
      this.networkChanged();
    });
  }

  jumpClock(byMs: number): void {
    this.#world.trace.line(this.name, `clock set by ${(byMs / 1000).toFixed(1)} s`);
    this.clock.jumpWall(byMs);
  }

  query<Name extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Name }>): VisorQueryResults[Name] { return this.disk.query(query); }

  receive(from: SocketAddress, datagram: Uint8Array): void {
    const engine = this.#engine;
    if (engine === undefined || !this.isAwake) return;
    this.#guard('handleDatagram', () => { engine.handleDatagram(from, datagram, this.clock.now()); });
    this.#drain();
  }

  /** Looks at the outbox from outside, as a screen would. */
  lookAtOutbox(): void {
    const engine = this.#engine;
    if (engine === undefined || !this.isAwake) { this.#world.checker.letters.outboxForgotten(this.name); return; }
    this.#guard('inspect', () => {
      const items = engine.inspect.outbox();
      const waiting = items.filter(({ row }) => {
        const standing = engine.inspect.contacts.get(row.recipient)?.standing;
        return row.stage === 'deposit' && (standing === 'contact' || standing === 'pending' || (standing === 'request' && row.kind === 'message'));
      });
      this.#world.checker.letters.outboxSeen(this.name, waiting.map(({ row, nextTryWallMs }) => ({ id: row.id, planned: nextTryWallMs !== undefined })));
      if (items.length > 0 && engine.pollTimeout() === undefined) this.#world.checker.spins(this.name, 'the outbox is not empty and no timer is armed');
      const { connection, relays, peers, counters } = engine.inspect;
      this.#world.trace.line(this.name, `is ${connection.kind}: ${String(items.length)} in the outbox, relays ${relays.map(({ state }) => state).join(', ')}, ${String(peers.length)} sessions, ${String(Object.keys(counters).length)} counters`);
    });
  }

  /** Counts what lies in each mailbox as committed. */
  lookAtMailboxes(): void {
    const { quota } = this.options;
    if (quota === undefined) return;
    for (const [key, mailbox] of this.#mailboxes) {
      // Registering again changes nothing and tells the counts.
      const look = this.disk.lookAtMail({ op: 'register', mailbox, elapsedMs: 0 });
      if (look === undefined || !('highestSequence' in look)) continue;
      const most = {
        letters: quota.letters + quota.strangerLetters + quota.receipts,
        bytes: quota.bytes * (1 + quota.strangerLetters / Math.max(1, quota.letters)) + quota.receipts * receiptMaximumBytes,
      };
      this.#world.checker.mailbox({ relay: this.name, mailbox: key, letters: look.letters, bytes: look.bytes, most });
    }
  }

  loseMailboxes(): void { this.#mailboxes.clear(); }

  #end(): void {
    this.#engine = undefined;
    this.#generation += 1;
    this.#asleepUntilMs = 0;
    this.disk.crash();
    this.#world.checker.letters.outboxForgotten(this.name);
    const waiting = [...this.#commands.values()];
    this.#commands = new Map();
    for (const done of waiting) done(undefined);
  }

  #guard(call: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#world.trace.line(this.name, `${call} throws`);
      this.#world.checker.threw(this.name, call, error);
      this.#end();
      this.#world.queue.after(afterFailureMs, () => { this.start(); });
    }
  }

  #drain(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#guard('pollOutput', () => {
      let count = 0;
      for (let output = engine.pollOutput(); output !== undefined && this.#engine === engine; output = engine.pollOutput()) {
        this.#perform(output);
        count += 1;
        if (count > outputsPerInputMaximum) { this.#world.checker.spins(this.name, `more than ${String(outputsPerInputMaximum)} outputs for one input, now ${output.kind}`); this.#end(); return; }
      }
    });
    this.#arm();
  }

  #perform(output: EngineOutput): void {
    const { network, queue, trace } = this.#world;
    const generation = this.#generation;
    switch (output.kind) {
      case 'transmit': network.send(this.name, output.to, output.datagram); return;
      case 'store': {
        const ask: StoreAsk = output.store === 'visor' ? { store: 'visor', request: output.request } : { store: 'mail', request: this.#withQuota(output.request) };
        this.disk.submit(ask, (result) => {
          const engine = this.#engine;
          if (engine === undefined || generation !== this.#generation) return;
          this.#guard(`handleStored ${ask.request.op}`, () => { engine.handleStored(output.ticket, result, this.clock.now()); });
          this.#drain();
        });
        return;
      }
      case 'resolve': {
        queue.after(this.#random.between(1, resolveMaximumMs), () => {
          const engine = this.#engine;
          if (engine === undefined || generation !== this.#generation) return;
          this.#guard('handleResolved', () => { engine.handleResolved(output.ticket, this.#world.resolve(output.host), this.clock.now()); });
          this.#drain();
        });
        return;
      }
      case 'reply': {
        const done = this.#commands.get(output.ticket);
        this.#commands.delete(output.ticket);
        if (!output.reply.ok) trace.line(this.name, `refuses: ${output.reply.code}`);
        done?.(output.reply);
        return;
      }
      case 'changed': this.#changed(output.changes); return;
      case 'log': trace.line(this.name, `log ${output.event} ${JSON.stringify(output.fields)}`); return;
    }
  }

  #withQuota(request: Extract<StoreAsk, { store: 'mail' }>['request']): Extract<StoreAsk, { store: 'mail' }>['request'] {
    const { quota } = this.options;
    return quota !== undefined && (request.op === 'deposit' || request.op === 'check-deposit') 
      ? { ...request, quota: { ...quota, strangerLetters: Math.min(quota.strangerLetters, request.quota.strangerLetters) } } : request;
  }

  #arm(): void {
    const engine = this.#engine;
    const timeout = engine?.pollTimeout();
    if (engine === undefined || timeout === undefined) return;
    const { queue } = this.#world;
    const atMs = Math.max(queue.nowMs, this.clock.worldMsOf(timeout.atMs));
    // An earlier timer looks again when it fires.
    if (this.#armedForMs !== undefined && this.#armedForMs <= atMs) return;
    this.#armedForMs = atMs;
    const generation = this.#generation;
    queue.at(atMs + this.#random.between(0.05, timerLatenessMs), () => {
      if (generation !== this.#generation || this.#armedForMs !== atMs) return;
      this.#armedForMs = undefined;
      if (this.#asleepUntilMs > queue.nowMs) return;
      const due = engine.pollTimeout();
      if (due !== undefined && this.clock.worldMsOf(due.atMs) <= queue.nowMs) {
        this.#countTimeout(due.reason);
        this.#guard('handleTimeout', () => { engine.handleTimeout(this.clock.now()); });
        this.#drain();
      } else this.#arm();
    });
  }

  #countTimeout(reason: string): void {
    const second = Math.floor(this.#world.queue.nowMs / 1_000);
    if (second !== this.#timeoutSecond) { this.#timeoutSecond = second; this.#timeouts = 0; }
    this.#timeouts += 1;
    if (this.#timeouts > timeoutsPerSecondMaximum) {
      this.#world.checker.spins(this.name, `more than ${String(timeoutsPerSecondMaximum)} timeouts in a second, now for: ${reason}`);
      this.#timeouts = 0;
      this.#end();
    }
  }

  #changed(changes: readonly EngineChange[]): void {
    for (const change of changes) if (change.kind === 'message') this.#showHeadline(change.messageId);
  }

  #showHeadline(messageId: string): void {
    const engine = this.#engine;
    const facts = this.facts.get(messageId);
    if (engine === undefined || facts === undefined) return;
    const headline = engine.inspect.headline(messageId, facts);
    this.#world.trace.line(this.name, `shows ${messageId.slice(0, 8)} ${headline.state}${headline.state === 'queued' && headline.reason !== undefined ? ` (${headline.reason})` : ''}`);
    this.#world.checker.letters.headline(this.name, messageId, headline);
  }

  /** Told once it is durable. */
  #committed(ask: StoreAsk, result: StoreResult): void {
    const { checker, trace } = this.#world;
    if (ask.store === 'mail') {
      const { request } = ask;
      if (request.op === 'deposit' && 'outcome' in result) {
        trace.line(this.name, `deposit ${result.outcome}`);
        if (result.outcome === 'stored' || result.outcome === 'duplicate') checker.letters.relayCommitted(this.publicKey, hex(request.letterId));
        checker.relayBytes(this.name, request.header, request.body);
      } else if (request.op === 'register') this.#mailboxes.set(mailboxKey(request.mailbox), request.mailbox);
      else if (request.op === 'put-record') checker.relayBytes(this.name, request.bytes);
      return;
    }
    if (ask.request.op !== 'commit' || !('applied' in result) || !result.applied) return;
    for (const change of ask.request.changes) {
      switch (change.kind) {
        case 'put-message':
          trace.line(this.name, `commits message ${change.row.direction} ${change.row.text.slice(0, 24)}`);
          if (change.row.direction === 'out') this.facts.set(change.row.id, change.row.facts);
          checker.letters.messageCommitted(this.name, change.row, !this.#rows.has(change.row.id));
          this.#rows.add(change.row.id);
          break;
        case 'set-facts':
          this.facts.set(change.messageId, change.facts);
          checker.letters.factsCommitted(this.name, change.messageId, change.facts);
          break;
        case 'add-hop': checker.letters.hopCommitted(this.name, change.messageId, change.hop); break;
        case 'put-outbox': checker.letters.outboxCommitted(this.name, change.row); break;
        default: break;
      }
    }
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

function describe(command: EngineCommand): string {
  switch (command.name) {
    case 'send': return `${command.text.slice(0, 24)} (${String(command.text.length)} bytes, ttl ${String(command.ttlSeconds ?? 'default')}) to ${command.to.slice(0, 8)}`;
    case 'cancel': case 'retry': return command.messageId.slice(0, 8);
    case 'block': case 'unblock': case 'accept': case 'remove-relay': return command.publicKey.slice(0, 8);
    case 'add-contact': return command.invite.publicKey.slice(0, 8);
    case 'add-relay': return `${command.hint.publicKey.slice(0, 8)}@${command.hint.host}`;
    case 'mark-read': return `up to ${String(command.upToRow)}`;
    default: return '';
  }
}
