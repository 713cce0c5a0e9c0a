/**
 * The simulated world: machines with engines on them, a network between them, one virtual time, and a checker that watches.
 *
 * Everything here is deterministic. One number, the seed, decides who exists, what people do, which datagrams are lost, when power fails
 * and how long each disk takes; running a seed again gives the same trace to the last line. The engines are the real ones, with the real
 * stores in memory and the real cryptography; only time, randomness, UDP and power are the world's. That makes ten minutes of bad network
 * and crashes cost less than a second, and any failure found can be looked at as often as needed.
 *
 * - `clock`, `random`, `network`, `disk`: the machine room.
 * - `node`: one machine; `node-process`: the engine on it, driven as the real host drives it; `node-watch`: what the checker is told of it.
 * - `scenario`: one seed's story; at its end all faults stop and everybody is up and connected for a while. Its parts share a `story`:
 *   `population` (who there is), `daily-life` and `people` (what they do, when and how), `misfortunes` (what goes wrong).
 * - `invariants*`, `violations`: what must hold, checked at each commit, datagram and screen, and once more at the end.
 * - `run`: the command line; `trace`: what happened, for people.
 */
import { chooseCrypto } from '../src/main/host/crypto.ts';
import { EventQueue } from './clock.ts';
import { Checker, type FinalStanding } from './invariants.ts';
import { Network } from './network.ts';
import { SimNode } from './node.ts';
import type { NodeOptions, World } from './node-options.ts';
import { SeededRandom } from './random.ts';
import { Trace } from './trace.ts';
import type { KnownFile } from './invariants-files.ts';
import type { KnownLetter } from './invariants-letters.ts';
import type { ContactRow } from '../src/main/engine/mail/visor-store.ts';
import type { SocketAddress } from '../src/main/engine/wire/types.ts';

const { crypto } = chooseCrypto();
const outboxLookEveryMs = 10_000;
const mailboxLookEveryMs = 60_000;
const pageSize = 1_000;

export class SimWorld implements World {
  readonly queue = new EventQueue();
  readonly crypto = crypto;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly network: Network;
  readonly checker: Checker;
  readonly relays: SimNode[] = [];
  readonly visors: SimNode[] = [];
  readonly #names = new Map<string, string>();
  readonly #byKey = new Map<string, SimNode>();
  #databasesLost = 0;

  constructor(seed: number, sink?: (line: string) => void) {
    this.random = new SeededRandom(`waypost ${String(seed)}`);
    this.trace = new Trace(() => this.queue.nowMs, sink);
    this.checker = new Checker(() => this.queue.nowMs, {
      wallErrorMs: (machine) => (machine === 'relays' ? Math.max(0, ...this.relays.map((relay) => relay.clock.worstWallErrorMs)) : this.node(machine)?.clock.worstWallErrorMs ?? 0),
      wallJumpsMs: (machine) => this.node(machine)?.clock.jumpsMs ?? 0,
      wallMs: (machine) => this.node(machine)?.clock.now().wallMs ?? 0,
    }, ({ invariant, text }) => { this.trace.line('CHECKER', `${invariant}: ${text}`); });
    this.network = new Network(this.queue, this.random.fork('network'), this.trace, (from, to, datagram) => { this.checker.datagram(from, to, datagram); });
    this.#lookAround();
  }

  get machines(): readonly SimNode[] { return [...this.relays, ...this.visors]; }
  node(name: string): SimNode | undefined { return this.machines.find((machine) => machine.name === name); }
  byKey(publicKey: string): SimNode | undefined { return this.#byKey.get(publicKey); }

  add(options: NodeOptions, address: SocketAddress, hostName?: string): SimNode {
    const node = new SimNode(this, this.random.fork(options.name), options);
    (options.relay && !options.visor ? this.relays : this.visors).push(node);
    this.#byKey.set(node.publicKey, node);
    this.network.attach(node, address);
    if (hostName !== undefined) this.#names.set(hostName, node.name);
    return node;
  }

  resolve(host: string): readonly string[] {
    const address = this.network.addressOf(this.#names.get(host) ?? '');
    return address === undefined ? [] : [address.host];
  }

  loseDatabase(relay: SimNode, all: boolean): void {
    this.#databasesLost += 1;
    this.trace.line(relay.name, all ? 'loses its disk' : 'loses its mail database');
    relay.loseMailboxes();
    if (all) relay.disk.loseAll();
    else relay.disk.loseMail();
  }

  contact(of: SimNode, other: SimNode): ContactRow | undefined { return of.engine?.inspect.contacts.get(other.publicKey); }

  readonly standing = (letter: KnownLetter): FinalStanding => {
    const sender = this.node(letter.sender);
    const recipient = this.node(letter.recipient);
    const there = sender === undefined || recipient === undefined ? undefined : this.contact(recipient, sender)?.standing;
    const here = sender === undefined || recipient === undefined ? undefined : this.contact(sender, recipient)?.standing;
    return { mutual: there === 'contact' && (here === 'contact' || here === 'pending'), confirmationsMayBeLost: this.#databasesLost > 0 };
  };

  readonly fileStanding = ({ token, sender, recipient }: KnownFile): FinalStanding & { readonly blocked: boolean } => {
    const letter = this.checker.letters.letters.get(token);
    const standing = letter === undefined ? { mutual: false, confirmationsMayBeLost: true } : this.standing(letter);
    return { ...standing, blocked: this.checker.letters.everBlocked(sender, recipient) };
  };

  /** What lies in all blob stores at the end. */
  checkFiles(): void {
    const { files, names } = this.checker;
    files.finish(this.fileStanding, (machine) => (name) => this.node(machine)?.disk.blobs['own-blobs'].bytesOf(name), this.crypto);
    for (const relay of this.relays) {
      const isRelayOf = (machine: string): boolean => this.node(machine)?.engine?.inspect.relays.some(({ row }) => row.publicKey === relay.publicKey && row.leavingSinceMs === undefined) === true;
      for (const { name } of relay.disk.blobs['held-blobs'].all) files.heldAtEnd(relay.name, name, isRelayOf);
    }
    for (const visor of this.visors) {
      for (const { name, complete } of visor.disk.blobs['own-blobs'].all) {
        if (names.isPublic(name)) names.ownAtEnd(visor.name, name, complete);
        else files.ownAtEnd(visor.name, name, complete);
      }
      for (const status of visor.engine?.inspect.published() ?? []) names.publishedShown(visor.name, status);
    }
  }

  /** What every screen shows at the end. */
  checkConversations(): void {
    for (const visor of this.visors) {
      for (const { conversationId } of visor.query({ query: 'summaries' }).summaries) {
        this.checker.conversation(visor.name, visor.query({ query: 'page', conversationId, beforeRow: undefined, limit: pageSize }).messages);
      }
    }
  }

  close(): void { for (const machine of this.machines) machine.disk.close(); }

  #lookAround(): void {
    const look = (everyMs: number, run: () => void): void => { this.queue.after(everyMs, () => { run(); look(everyMs, run); }); };
    look(outboxLookEveryMs, () => { for (const visor of this.visors) visor.lookAtOutbox(); });
    look(mailboxLookEveryMs, () => { for (const relay of this.relays) relay.lookAtMailboxes(); });
  }
}
