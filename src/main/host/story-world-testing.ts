/** The nodes of a story, the wire between them, and its time. */
import type { MemoryStores } from './storage/direct.ts';
import { crypto, secondMs } from './story-basics-testing.ts';
import { StoryNode } from './story-node-testing.ts';
import type { EngineSocket } from '../engine/path/observation-port.ts';
import type { NodeOptions } from './story-node-testing.ts';

const stepMs = 5;
const spinMaximum = 20_000;

export type Wire = { readonly to: string; readonly from: StoryNode; readonly fromPort: number; readonly datagram: Uint8Array };

export class StoryWorld {
  timeMs = 0;
  readonly wire: Wire[] = [];
  /** Said to everybody in the local network. */
  readonly announced: { readonly from: StoryNode; readonly host: string; readonly datagram: Uint8Array }[] = [];
  readonly nodes: StoryNode[] = [];
  /** Two visors that are here have a session of their own, in a circuit or `directly` too: in one network. `no`: what relays do is seen by itself. */
  readonly visorsMeet: 'no' | 'in circuits' | 'directly';
  /** False loses the datagram. */
  passes: (from: StoryNode, to: StoryNode) => boolean = () => true;
  /** Sees every datagram that is sent. */
  seen: (sent: Wire) => void = () => undefined;
  /** Above those of the system's services, which relays ask nothing of. */
  #nextPort = 4_000;
  #forged = 0;

  constructor({ visorsMeet = 'no' }: { readonly visorsMeet?: StoryWorld['visorsMeet'] } = {}) { this.visorsMeet = visorsMeet; }

  add(name: string, options: NodeOptions = {}, stores?: MemoryStores, identitySecret?: Uint8Array): StoryNode {
    this.#nextPort += 1;
    const node = new StoryNode(this, name, this.#nextPort, options, stores, identitySecret);
    this.nodes.push(node);
    return node;
  }

  relay(name: string, options: Pick<NodeOptions, 'heldPerRecipientBytes' | 'second' | 'peers' | 'policy'> = {}): StoryNode { return this.add(name, { ...options, relay: true }); }

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
        if (due !== undefined) nextMs = Math.min(nextMs, due.atMs + node.stoodStillMs);
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

  #at(port: string): readonly [StoryNode | undefined, EngineSocket] {
    for (const node of this.nodes) for (const [socket, own] of node.ports) if (String(own) === port) return [node, socket];
    return [undefined, 'main'];
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
      for (const { from, host, datagram } of this.announced.splice(0)) {
        busy = true;
        for (const node of this.nodes) {
          if (node.off || node.cutOff || !this.passes(from, node)) continue;
          node.engine.handleAnnouncement?.({ host, port: 1 }, datagram.slice(), node.now);
          node.drain();
        }
      }
      const batch = this.wire.splice(0);
      for (const { to, from, fromPort, datagram } of batch) {
        busy = true;
        this.seen({ to, from, fromPort, datagram });
        const [node, socket] = this.#at(to);
        if (node === undefined || node.off || node.cutOff || !this.passes(from, node)) continue;
        // A receiver decrypts where the bytes lie; whoever keeps the datagram keeps what was sent.
        node.engine.handleDatagram({ host: from.host, port: fromPort }, datagram.slice(), node.now, socket);
        node.drain();
      }
      if (!busy) return;
    }
    throw new Error('the world spins: datagrams and commits without time passing');
  }
}
