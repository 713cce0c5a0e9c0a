/** One engine of a story with its memory stores, and what a story does with it: commands, loss of power, lies, and looks at what is kept. */
import { createNetworkChecks } from '../engine/path/network-checks.ts';
import { canaryTtlSeconds } from '../engine/overlay/canary-letter.ts';
import { createEngine } from '../engine/engine.ts';
import type { LanFacts } from '../engine/path/lan-network.ts';
import type { CreateNetworkCheck, EngineSocket } from '../engine/path/observation-port.ts';
import type { CreatePeerSessions, PeerSessions } from '../engine/overlay/peer-sessions.ts';
import type { CommandReply, EngineCommand } from '../engine/command-types.ts';
import type { Engine, EngineConfiguration, EngineOutput, RelayPolicy } from '../engine/engine-types.ts';
import type { MailOperation, MailRequest, MailResults } from '../engine/mail/mail-store.ts';
import type { FileRow, HopRow, VisorOperation, VisorRequest, VisorResults, VisorState } from '../engine/mail/visor-store.ts';
import { equalBytes } from '../engine/wire/bytes.ts';
import type { Instant, Invite, RelayHint } from '../engine/wire/types.ts';
import type { Headline } from '../../shared/views.ts';
import { MemoryBlobs } from '../engine/files/memory-blobs.ts';
import { createMemoryStores, type MemoryStores } from './storage/direct.ts';
import { crypto, seeded } from './story-basics-testing.ts';
import type { StoryWorld } from './story-world-testing.ts';

/** A fixed date, so that certificates and records have plausible ones. */
const wallStartMs = Date.UTC(2026, 0, 5);

type StoreResult = VisorResults[VisorOperation] | MailResults[MailOperation];
export type Tamper = (request: MailRequest, result: StoreResult) => StoreResult;

/** A visor's own, by which it measures its relays: no story but those about them writes one that lives as short. */
export const isTestLetter = (request: MailRequest): boolean => request.op === 'deposit' && request.ttlSeconds === canaryTtlSeconds;

/** A node's other sockets have ports of their own, far from those of other nodes. */
const secondPortOffset = 10_000;
const sparePortOffset = 20_000;
const sparePortsOfNode = 100;

/** Of a visor that has sessions with relays only. */
const noPeerSessions: PeerSessions = { session: () => undefined, contactOf: () => undefined, want: () => undefined, pathOf: () => undefined };

export interface NodeOptions {
  readonly relay?: boolean;
  readonly visor?: boolean;
  readonly clockErrorMs?: number;
  /** Of a relay. */
  readonly heldPerRecipientBytes?: number;
  /** Of a relay: whom it asks for records that it does not hold. */
  readonly peers?: readonly RelayHint[];
  /** Of a relay: whom it keeps mail for, and how much; otherwise it is one for everybody. */
  readonly policy?: RelayPolicy;
  /** Of a relay: it has a second socket. */
  readonly second?: boolean;
  readonly createNetworkCheck?: CreateNetworkCheck;
  readonly createPeerSessions?: CreatePeerSessions;
}

/** The one local network of a world. */
const lanPrefixBits = 24;
const lanPrefix = '10.77.0.0/24';
const lanGateway = '10.77.0.254';

export class StoryNode {
  readonly name: string;
  readonly port: number;
  readonly world: StoryWorld;
  readonly options: NodeOptions;
  stores: MemoryStores;
  identitySecret: Uint8Array;
  engine: Engine;
  clockErrorMs: number;
  /** For so long its monotonic clock stood still, as that of a machine that sleeps does. */
  stoodStillMs = 0;
  /** Neither sends nor receives; its own time goes on. */
  cutOff = false;
  off = false;
  /** Requests wait for their commit: for crashes between the two. */
  holdCommits = false;
  /** Loses power when it would make the commit after these many. */
  commitsBeforeCrash: number | undefined;
  crashMode: 'drop' | 'keep' = 'drop';
  tamper: Tamper | undefined;
  /** Answers for the store, which is not asked; undefined = the store answers. */
  instead: ((request: MailRequest) => StoreResult | undefined) | undefined;
  readonly replies = new Map<number, CommandReply>();
  /** What its mail store was asked and has answered; deposits of test letters are apart. */
  readonly mail: { readonly request: MailRequest; readonly result: StoreResult }[] = [];
  readonly testLetters: { readonly request: MailRequest; readonly result: StoreResult }[] = [];
  readonly visorCommits: VisorRequest[] = [];
  /** Datagrams handed to the wire, also those that nobody received. */
  sent = 0;
  timeouts = 0;
  readonly ownBlobs = new MemoryBlobs(crypto);
  readonly heldBlobs = new MemoryBlobs(crypto);
  /** Blobs of its own whose command it is not known to have committed, told at its next start. */
  unclaimed: readonly Uint8Array[] = [];
  /** Of each of its sockets. */
  readonly ports: Map<EngineSocket, number>;
  #blobAnswers: (() => void)[] = [];
  #nextTicket = 1;
  #generation = 0;

  constructor(world: StoryWorld, name: string, port: number, options: NodeOptions, stores: MemoryStores = createMemoryStores(), identitySecret?: Uint8Array) {
    this.world = world;
    this.name = name;
    this.port = port;
    this.options = options;
    this.ports = new Map<EngineSocket, number>([['main', port], ...(options.second === true ? [['second', port + secondPortOffset] as const] : [])]);
    this.stores = stores;
    this.clockErrorMs = options.clockErrorMs ?? 0;
    this.identitySecret = identitySecret ?? seeded(`identity ${name}`)(32);
    this.engine = this.#create();
    this.drain();
  }

  get now(): Instant { return { monotonicMs: this.world.timeMs - this.stoodStillMs, wallMs: wallStartMs + this.world.timeMs + this.clockErrorMs }; }
  /** Nobody is asked about an address of the machine itself, and nobody told of it. */
  get host(): string { return this.world.visorsMeet === 'directly' ? '10.77.0.1' : '127.0.0.1'; }
  get publicKey(): string { return this.engine.inspect.publicKey; }
  get hint(): RelayHint { return { publicKey: this.publicKey, host: this.host, port: this.port }; }

  /** Power is lost and comes back. `keep`: what waited for its commit had reached the disk. */
  restart(pending: 'drop' | 'keep' = 'drop'): void {
    this.stores.crash(pending);
    this.ownBlobs.crash();
    this.heldBlobs.crash();
    this.#blobAnswers = [];
    this.off = false;
    this.engine = this.#create();
    this.drain();
  }

  /** Loses power until `restart`. */
  powerOff(pending: 'drop' | 'keep' = 'drop'): void {
    this.stores.crash(pending);
    this.ownBlobs.crash();
    this.heldBlobs.crash();
    this.#blobAnswers = [];
    this.#generation += 1;
    this.off = true;
  }

  /** It is in the local network from now on, or in one that has no neighbours. */
  plugIn(interfaces: LanFacts['interfaces'] = [{ host: this.host, prefixBits: lanPrefixBits }]): void {
    this.engine.handleLan?.({ port: this.port, interfaces, networks: [{ gateway: lanGateway, gatewayMac: undefined, prefix: lanPrefix }] }, this.now);
    this.drain();
  }

  command(command: EngineCommand): CommandReply {
    const ticket = this.ask(command);
    this.world.run(200);
    const reply = this.replies.get(ticket);
    if (reply === undefined) throw new Error(`${this.name} did not answer ${command.name}`);
    return reply;
  }

  /** Without waiting for the answer. */
  ask(command: EngineCommand): number {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.engine.command(ticket, command, this.now);
    this.drain();
    return ticket;
  }

  send(to: StoryNode, text: string, ttlSeconds?: number): string {
    const reply = this.command({ name: 'send', to: to.publicKey, port: 1, text, ttlSeconds });
    if (!reply.ok || reply.value === undefined || !('messageId' in reply.value)) throw new Error(`${this.name} could not send: ${JSON.stringify(reply)}`);
    return reply.value.messageId;
  }

  invite(): Invite {
    const reply = this.command({ name: 'create-invite' });
    if (!reply.ok || reply.value === undefined || !('invite' in reply.value)) throw new Error('no invite');
    return reply.value.invite;
  }

  addRelay(...relays: readonly StoryNode[]): void {
    for (const relay of relays) this.command({ name: 'add-relay', hint: relay.hint, role: 'own' });
  }

  headline(messageId: string): Headline {
    const { message } = this.stores.query({ query: 'message', messageId });
    if (message === undefined) throw new Error(`${this.name} has no message ${messageId}`);
    return this.engine.inspect.headline(messageId, message.facts);
  }

  state(messageId: string): Headline['state'] { return this.headline(messageId).state; }
  hops(messageId: string): readonly HopRow['kind'][] { return this.stores.query({ query: 'hops', messageId }).hops.map((hop) => hop.kind); }
  inbox(): readonly string[] { return this.stores.query({ query: 'inbox', afterRow: 0, limit: 1_000 }).messages.map((message) => message.text); }
  /** Files of all messages, in the order of arrival. */
  files(): readonly FileRow[] {
    const files: FileRow[] = [];
    for (const id of this.engine.inspect.conversations.keys()) {
      for (const { file } of this.stores.query({ query: 'page', conversationId: id, beforeRow: undefined, limit: 200 }).messages) if (file !== undefined) files.push(file);
    }
    return files;
  }
  file(messageId: string): FileRow {
    const file = this.files().find((row) => row.messageId === messageId);
    if (file === undefined) throw new Error(`${this.name} has no file with message ${messageId}`);
    return file;
  }
  contact(other: StoryNode): ReturnType<Engine['inspect']['contacts']['get']> { return this.engine.inspect.contacts.get(other.publicKey); }
  count(counter: string): number { return this.engine.inspect.counters[counter] ?? 0; }
  mailCount(op: MailOperation): number { return this.mail.filter((one) => one.request.op === op).length; }

  /** The rows as the disk has them. */
  disk(): VisorState {
    let state: VisorState | undefined;
    this.stores.submit('visor', { op: 'load' }, (outcome) => { if (outcome.ok && 'contacts' in outcome.result) state = outcome.result; });
    this.stores.commit();
    if (state === undefined) throw new Error('the store does not load');
    return state;
  }

  /** Answers what was asked of the blob stores; true when something was. */
  answerBlobs(): boolean {
    const answers = this.#blobAnswers.splice(0);
    for (const answer of answers) answer();
    return answers.length > 0;
  }

  drain(): void {
    if (this.off) return;
    for (let output = this.engine.pollOutput(); output !== undefined; output = this.engine.pollOutput()) this.#perform(output);
  }

  handleDue(): boolean {
    if (this.off) return false;
    const due = this.engine.pollTimeout();
    if (due === undefined || due.atMs + this.stoodStillMs > this.world.timeMs) return false;
    this.timeouts += 1;
    this.engine.handleTimeout(this.now);
    this.drain();
    return true;
  }

  #create(): Engine {
    this.#generation += 1;
    const random = seeded(`random ${this.name} ${String(this.#generation)}`);
    const state = this.disk();
    let mail: MailResults['open'] | undefined;
    if (this.options.relay === true) {
      this.stores.submit('mail', { op: 'open', freshEpoch: random(8), wallMs: this.now.wallMs }, (outcome) => { if (outcome.ok) mail = outcome.result as MailResults['open']; });
      this.stores.commit();
    }
    const configuration: EngineConfiguration = {
      crypto, random, identitySecret: this.identitySecret, initialName: this.name, visor: this.options.visor ?? this.options.relay !== true,
      relay: this.options.relay === true ? this.options.policy ?? { registration: 'open', ...(this.options.heldPerRecipientBytes === undefined ? {} : { heldPerRecipientBytes: this.options.heldPerRecipientBytes }), ...(this.options.peers === undefined ? {} : { peers: this.options.peers }) } : undefined,
    };
    const createNetworkCheck = this.options.createNetworkCheck ?? (this.world.visorsMeet === 'directly' ? createNetworkChecks : undefined);
    const createPeerSessions = this.options.createPeerSessions ?? (this.world.visorsMeet === 'no' ? (): PeerSessions => noPeerSessions : undefined);
    const own = this.ownBlobs.all.map((blob) => (this.unclaimed.some((root) => equalBytes(root, blob.name.root)) ? { ...blob, unclaimed: true } : blob));
    return createEngine({
      configuration: { ...configuration, ...(createNetworkCheck === undefined ? {} : { createNetworkCheck }), ...(createPeerSessions === undefined ? {} : { createPeerSessions }) }, state, mail, blobs: { own, held: this.heldBlobs.all },
      secondPort: this.ports.get('second'), now: this.now,
    });
  }

  #logOf(request: MailRequest): StoryNode['testLetters'] { return isTestLetter(request) ? this.testLetters : this.mail; }

  #perform(output: EngineOutput): void {
    const generation = this.#generation;
    switch (output.kind) {
      case 'transmit':
        this.sent += 1;
        if (!this.cutOff) this.world.wire.push({ to: String(output.to.port), from: this, fromPort: this.ports.get(output.via ?? 'main') ?? 0, datagram: output.datagram });
        return;
      case 'network': {
        const { kind, check } = output.request;
        // Of what only a machine knows, a story has its address.
        if (kind !== 'interfaces') return;
        this.#blobAnswers.push(() => {
          this.engine.handleNetwork?.({ kind, check, localHosts: [this.host], mainPorts: { ipv4: this.port } }, this.now);
          this.drain();
        });
        return;
      }
      case 'bind': case 'bind-guess': {
        const port = sparePortOffset + (this.port * sparePortsOfNode) % sparePortOffset + this.ports.size;
        this.ports.set(output.socket, port);
        this.#blobAnswers.push(() => { this.engine.handleBound?.(output.socket, port, this.now); this.drain(); });
        return;
      }
      case 'unbind': this.ports.delete(output.socket); return;
      case 'announce': if (!this.cutOff) this.world.announced.push({ from: this, host: output.fromHost, datagram: output.datagram }); return;
      case 'store': {
        const answered = (result: StoreResult): void => {
          if (generation !== this.#generation || this.off) return;
          this.engine.handleStored(output.ticket, result, this.now);
          this.drain();
        };
        if (output.store === 'visor') {
          const { request } = output;
          if (request.op === 'commit') this.visorCommits.push(request);
          this.stores.submit('visor', request, (outcome) => { answered(expectOk(outcome)); });
        } else {
          const { request } = output;
          const made = this.instead?.(request);
          if (made !== undefined) { this.#logOf(request).push({ request, result: made }); answered(made); return; }
          this.stores.submit('mail', request, (outcome) => {
            const result = this.tamper?.(request, expectOk(outcome)) ?? expectOk(outcome);
            this.#logOf(request).push({ request, result });
            answered(result);
          });
        }
        return;
      }
      case 'blobs': {
        const result = (output.shelf === 'own-blobs' ? this.ownBlobs : this.heldBlobs).apply(output.request);
        this.#blobAnswers.push(() => {
          if (generation !== this.#generation || this.off) return;
          this.engine.handleStored(output.ticket, result, this.now);
          this.drain();
        });
        return;
      }
      case 'reply': this.replies.set(output.ticket, output.reply); return;
      case 'resolve': this.engine.handleResolved(output.ticket, [], this.now); return;
      case 'changed': case 'log': return;
    }
  }
}

function expectOk(outcome: { readonly ok: true; readonly result: StoreResult } | { readonly ok: false; readonly failure: { readonly message: string } }): StoreResult {
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.result;
}
