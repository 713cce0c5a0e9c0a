/**
 * A small deterministic world for stories about whole engines: nodes with memory stores, a wire without delay, virtual time that jumps from
 * deadline to deadline. A node can lose power, be cut off, have its clock set, or lie: `tamper` changes what its store answers, which is
 * how an honest engine becomes a lying relay inside authentic sessions.
 */
import { createEngine } from '../engine/visor.ts';
import type { CommandReply, Engine, EngineCommand, EngineConfiguration, EngineOutput } from '../engine/engine-types.ts';
import type { MailOperation, MailRequest, MailResults } from '../engine/mail/mail-store.ts';
import type { FileRow, HopRow, VisorOperation, VisorRequest, VisorResults, VisorState } from '../engine/mail/visor-store.ts';
import { sealLetter } from '../engine/mail/letter.ts';
import { mailboxQuota } from '../engine/mail/mailbox-context.ts';
import { encodeContent } from '../engine/wire/content.ts';
import { decodePrekeyBundle } from '../engine/wire/record.ts';
import { equalBytes, fromHex } from '../engine/wire/bytes.ts';
import type { Content, Instant, Invite, RelayHint } from '../engine/wire/types.ts';
import type { Headline } from '../../shared/views.ts';
import { MemoryBlobs } from '../engine/files/memory-blobs.ts';
import { chooseCrypto } from './crypto.ts';
import { createMemoryStores, type MemoryStores } from './storage/direct.ts';

export const { crypto } = chooseCrypto();
export const secondMs = 1_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
/** A fixed date, so that certificates and records have plausible ones. */
const wallStartMs = Date.UTC(2026, 0, 5);
const stepMs = 5;
const spinMaximum = 20_000;

type StoreResult = VisorResults[VisorOperation] | MailResults[MailOperation];
type Wire = { readonly to: string; readonly from: StoryNode; readonly datagram: Uint8Array };
export type Tamper = (request: MailRequest, result: StoreResult) => StoreResult;

/** Counter mode over BLAKE3: the same story draws the same keys in each run. */
export function seeded(seed: string): (length: number) => Uint8Array {
  let counter = 0;
  return (length) => {
    const out = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += 32) {
      counter += 1;
      out.set(crypto.blake3(new TextEncoder().encode(`${seed} ${String(counter)}`)).subarray(0, Math.min(32, length - offset)), offset);
    }
    return out;
  };
}

export interface NodeOptions {
  readonly relay?: boolean;
  readonly visor?: boolean;
  readonly clockErrorMs?: number;
  /** Of a relay. */
  readonly heldPerRecipientBytes?: number;
}

export class StoryNode {
  readonly name: string;
  readonly port: number;
  readonly world: StoryWorld;
  readonly options: NodeOptions;
  stores: MemoryStores;
  identitySecret: Uint8Array;
  engine: Engine;
  clockErrorMs: number;
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
  readonly mail: { readonly request: MailRequest; readonly result: StoreResult }[] = [];
  readonly visorCommits: VisorRequest[] = [];
  /** Datagrams handed to the wire, also those that nobody received. */
  sent = 0;
  timeouts = 0;
  readonly ownBlobs = new MemoryBlobs(crypto);
  readonly heldBlobs = new MemoryBlobs(crypto);
  /** Blobs of its own whose command it is not known to have committed, told at its next start. */
  unclaimed: readonly Uint8Array[] = [];
  #blobAnswers: (() => void)[] = [];
  #nextTicket = 1;
  #generation = 0;

  constructor(world: StoryWorld, name: string, port: number, options: NodeOptions, stores: MemoryStores = createMemoryStores(), identitySecret?: Uint8Array) {
    this.world = world;
    this.name = name;
    this.port = port;
    this.options = options;
    this.stores = stores;
    this.clockErrorMs = options.clockErrorMs ?? 0;
    this.identitySecret = identitySecret ?? seeded(`identity ${name}`)(32);
    this.engine = this.#create();
    this.drain();
  }

  get now(): Instant { return { monotonicMs: this.world.timeMs, wallMs: wallStartMs + this.world.timeMs + this.clockErrorMs }; }
  get publicKey(): string { return this.engine.inspect.publicKey; }
  get hint(): RelayHint { return { publicKey: this.publicKey, host: '127.0.0.1', port: this.port }; }

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
    if (due === undefined || due.atMs > this.world.timeMs) return false;
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
      relay: this.options.relay === true ? { registration: 'open', ...(this.options.heldPerRecipientBytes === undefined ? {} : { heldPerRecipientBytes: this.options.heldPerRecipientBytes }) } : undefined,
    };
    const own = this.ownBlobs.all.map((blob) => (this.unclaimed.some((root) => equalBytes(root, blob.name.root)) ? { ...blob, unclaimed: true } : blob));
    return createEngine({ configuration, state, mail, blobs: { own, held: this.heldBlobs.all }, now: this.now });
  }

  #perform(output: EngineOutput): void {
    const generation = this.#generation;
    switch (output.kind) {
      case 'transmit':
        this.sent += 1;
        if (!this.cutOff) this.world.wire.push({ to: String(output.to.port), from: this, datagram: output.datagram });
        return;
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
          if (made !== undefined) { this.mail.push({ request, result: made }); answered(made); return; }
          this.stores.submit('mail', request, (outcome) => {
            const result = this.tamper?.(request, expectOk(outcome)) ?? expectOk(outcome);
            this.mail.push({ request, result });
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

export class StoryWorld {
  timeMs = 0;
  readonly wire: Wire[] = [];
  readonly nodes: StoryNode[] = [];
  /** False loses the datagram. */
  passes: (from: StoryNode, to: StoryNode) => boolean = () => true;
  #nextPort = 1_000;
  #forged = 0;

  add(name: string, options: NodeOptions = {}, stores?: MemoryStores, identitySecret?: Uint8Array): StoryNode {
    this.#nextPort += 1;
    const node = new StoryNode(this, name, this.#nextPort, options, stores, identitySecret);
    this.nodes.push(node);
    return node;
  }

  relay(name: string, options: Pick<NodeOptions, 'heldPerRecipientBytes'> = {}): StoryNode { return this.add(name, { ...options, relay: true }); }

  forgedId(): Uint8Array { this.#forged += 1; return crypto.blake3(new TextEncoder().encode(`forged ${String(this.#forged)}`)).slice(0, 16); }

  remove(node: StoryNode): void { this.nodes.splice(this.nodes.indexOf(node), 1); }

  /** Jumps from one event to the next. */
  run(forMs: number): void {
    const endMs = this.timeMs + forMs;
    for (;;) {
      this.#settle();
      let nextMs = endMs;
      for (const node of this.nodes) {
        if (node.off) continue;
        const due = node.engine.pollTimeout();
        if (due !== undefined) nextMs = Math.min(nextMs, due.atMs);
      }
      if (this.timeMs >= endMs) return;
      // Whole steps, so that deadlines a fraction apart are handled together.
      this.timeMs = Math.min(endMs, Math.max(this.timeMs + 1, Math.ceil(nextMs / stepMs) * stepMs));
      for (const node of this.nodes) node.handleDue();
    }
  }

  /** Everybody sleeps: time passes and nothing is handled. */
  sleep(forMs: number): void { this.timeMs += forMs; }

  runUntil(condition: () => boolean, atMostMs: number): void {
    const endMs = this.timeMs + atMostMs;
    while (!condition()) {
      if (this.timeMs >= endMs) throw new Error(`it did not happen within ${String(atMostMs)} ms`);
      this.run(Math.min(secondMs, endMs - this.timeMs));
    }
  }

  /** All that happens without time passing: commits and datagrams. */
  #settle(): void {
    for (let round = 0; round < spinMaximum; round += 1) {
      let busy = false;
      for (const node of this.nodes) {
        if (!node.off && node.answerBlobs()) busy = true;
        if (node.off || node.holdCommits || node.stores.pending === 0) continue;
        busy = true;
        if (node.commitsBeforeCrash === 0) { node.commitsBeforeCrash = undefined; node.powerOff(node.crashMode); continue; }
        if (node.commitsBeforeCrash !== undefined) node.commitsBeforeCrash -= 1;
        node.stores.commit();
        node.drain();
      }
      const batch = this.wire.splice(0);
      for (const { to, from, datagram } of batch) {
        busy = true;
        const node = this.nodes.find((one) => String(one.port) === to);
        if (node === undefined || node.off || node.cutOff || !this.passes(from, node)) continue;
        // A receiver decrypts where the bytes lie; whoever keeps the datagram keeps what was sent.
        node.engine.handleDatagram({ host: '127.0.0.1', port: from.port }, datagram.slice(), node.now);
        node.drain();
      }
      if (!busy) return;
    }
    throw new Error('the world spins: datagrams and commits without time passing');
  }
}

function expectOk(outcome: { readonly ok: true; readonly result: StoreResult } | { readonly ok: false; readonly failure: { readonly message: string } }): StoreResult {
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.result;
}

/** Ada and Bob, each with relays of their own, who know each other. */
export function friends(relayCount = 1, ofBobs: Pick<NodeOptions, 'heldPerRecipientBytes'> = {}): { readonly world: StoryWorld; readonly ada: StoryNode; readonly bob: StoryNode; readonly adasRelay: StoryNode; readonly bobsRelays: readonly [StoryNode, ...StoryNode[]] } {
  const world = new StoryWorld();
  const adasRelay = world.relay('relay of ada');
  const first = world.relay('relay 1 of bob', ofBobs);
  const bobsRelays: [StoryNode, ...StoryNode[]] = [first, ...Array.from({ length: relayCount - 1 }, (_, index) => world.relay(`relay ${String(index + 2)} of bob`, ofBobs))];
  const ada = world.add('ada');
  const bob = world.add('bob');
  ada.addRelay(adasRelay);
  bob.addRelay(...bobsRelays);
  world.run(2 * secondMs);
  befriend(ada, bob);
  return { world, ada, bob, adasRelay, bobsRelays };
}

export function befriend(left: StoryNode, right: StoryNode): void {
  left.command({ name: 'add-contact', invite: right.invite(), as: undefined });
  left.world.run(3 * secondMs);
  if (left.contact(right)?.standing !== 'contact' || right.contact(left)?.standing !== 'contact') throw new Error(`${left.name} and ${right.name} are no contacts: ${String(left.contact(right)?.standing)}, ${String(right.contact(left)?.standing)}`);
}

export interface Forged { readonly messageId?: string; readonly sentAtMs?: number; readonly sequence?: number; readonly ttlSeconds?: number }
let forgeries = 0;

/** A letter that `from` could write and its honest engine would not, laid into a mailbox of `to`. It is found when the doorbell next rings. */
export function forge(from: StoryNode, to: StoryNode, relay: StoryNode, content: Content, options: Forged = {}): void {
  const { device } = from.disk();
  const theirs = to.disk();
  const prekey = theirs.prekeys.at(-1);
  const bundle = prekey === undefined ? undefined : decodePrekeyBundle(prekey.bundle);
  const messageId = options.messageId === undefined ? from.world.forgedId() : fromHex(options.messageId);
  if (device === undefined || theirs.device === undefined || bundle === undefined || messageId === undefined) throw new Error('nothing to forge with');
  forgeries += 1;
  const mailbox = { identity: to.publicKey, deviceId: theirs.device.deviceId };
  const sealed = sealLetter({
    crypto, random: seeded(`forgery ${String(forgeries)}`), senderStatic: { secretKey: device.x25519Secret, publicKey: crypto.x25519PublicKey(device.x25519Secret) },
    senderCertificate: device.certificate, recipient: mailbox, bundle, messageId, destinationPort: 1, sourcePort: 1,
    sequence: options.sequence ?? 0, sentAtMs: options.sentAtMs ?? from.now.wallMs, ttlSeconds: options.ttlSeconds ?? 86_400, content: encodeContent(content),
  });
  if (sealed === 'too-large') throw new Error('too large');
  relay.stores.submit('mail', {
    op: 'deposit', mailbox, tokenHash: undefined, lane: 'letter', letterId: sealed.letterId, header: sealed.header, bodyRoot: sealed.bodyRoot, body: sealed.body,
    purgeHash: sealed.purgeHash, ttlSeconds: options.ttlSeconds ?? 86_400, elapsedMs: from.world.timeMs, wallMs: relay.now.wallMs, quota: mailboxQuota,
  }, (outcome) => { if (!outcome.ok || !('outcome' in outcome.result) || outcome.result.outcome !== 'stored') throw new Error(`not laid down: ${JSON.stringify(outcome)}`); });
  relay.stores.commit();
}
