/** What people do with their visors, as the scenario asks for it: commands that are repeated until they are answered, and letters that are watched. */
import { createToken, textOf } from './letter-text.ts';
import type { SimWorld } from './world.ts';
import type { SimNode } from './node.ts';
import type { SeededRandom } from './random.ts';
import type { CommandReply, EngineCommand } from '../src/main/engine/command-types.ts';
import { conversationIdOf } from '../src/main/engine/mail/conversation-id.ts';

const triesMaximum = 400;
const pageSize = 200;

interface Sent { readonly messageId: string; readonly to: SimNode }

export class People {
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #sent = new Map<string, Sent[]>();
  #letters = 0;
  readonly counters = { asked: 0, answered: 0, cancelled: 0, blocked: 0, read: 0 };

  constructor(world: SimWorld) {
    this.#world = world;
    this.#random = world.random.fork('people');
  }

  /** Again and again, as somebody would whose program has crashed in between, until there is an answer. */
  insist(who: SimNode, command: EngineCommand, done: (reply: CommandReply & { ok: true }) => void = () => undefined, tries = 0): void {
    who.command(command, (reply) => {
      if (reply?.ok === true) { done(reply); return; }
      if (tries < triesMaximum) this.#world.queue.after(this.#random.between(300, 4_000), () => { this.insist(who, command, done, tries + 1); });
    });
  }

  send(from: SimNode, to: SimNode, sizeBytes: number, ttlSeconds: number | undefined, port: number): void {
    if (!from.isAwake) return;
    this.#letters += 1;
    const token = createToken(this.#letters, this.#random);
    this.counters.asked += 1;
    this.#world.checker.letters.asked({ token, sender: from.name, recipient: to.name, ttlMs: (ttlSeconds ?? 14 * 86_400) * 1_000 });
    from.command({ name: 'send', to: to.publicKey, port, text: textOf(token, sizeBytes), ttlSeconds }, (reply) => {
      if (reply?.ok !== true || reply.value === undefined || !('messageId' in reply.value)) return;
      this.counters.answered += 1;
      const { messageId } = reply.value;
      this.#world.checker.letters.answered(token, messageId);
      const sent = this.#sent.get(from.name) ?? [];
      sent.push({ messageId, to });
      this.#sent.set(from.name, sent);
    });
  }

  /** One of the newest letters, sometimes twice. */
  cancel(from: SimNode): void {
    const sent = this.#random.pick((this.#sent.get(from.name) ?? []).slice(-4));
    if (sent === undefined) return;
    const times = this.#random.chance(0.3) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      from.command({ name: 'cancel', messageId: sent.messageId }, (reply) => {
        if (reply?.ok !== true) return;
        this.counters.cancelled += 1;
        this.#world.checker.letters.cancelAnswered(from.name, sent.messageId);
      });
    }
  }

  retry(from: SimNode): void {
    const sent = this.#random.pick(this.#sent.get(from.name) ?? []);
    if (sent === undefined || this.#random.chance(0.3)) from.command({ name: 'retry-all' });
    else from.command({ name: 'retry', messageId: sent.messageId });
  }

  /** Opens a conversation and sees all that is in it. */
  read(who: SimNode, other: SimNode, port: number): void {
    if (!who.isAwake) return;
    const conversationId = conversationIdOf(other.publicKey, port);
    const { messages } = who.query({ query: 'page', conversationId, beforeRow: undefined, limit: pageSize });
    const upToRow = Math.max(0, ...messages.map((message) => message.row));
    const messageIds = messages.filter((message) => message.direction === 'in').slice(-20).map((message) => message.id);
    if (messageIds.length === 0) return;
    this.counters.read += 1;
    const times = this.#random.chance(0.2) ? 2 : 1;
    for (let time = 0; time < times; time += 1) who.command({ name: 'mark-read', conversationId, upToRow, messageIds });
  }

  block(who: SimNode, other: SimNode): void {
    if (!who.isAwake || this.#world.contact(who, other) === undefined) return;
    const { letters } = this.#world.checker;
    letters.blockAsked(who.name, other.name);
    who.command({ name: 'block', publicKey: other.publicKey }, (reply) => {
      if (reply?.ok !== true) return;
      this.counters.blocked += 1;
      letters.blockAnswered(who.name, other.name);
    });
  }

  unblock(who: SimNode, other: SimNode): void {
    if (!who.isAwake) return;
    this.#world.checker.letters.unblockAsked(who.name, other.name);
    who.command({ name: 'unblock', publicKey: other.publicKey });
  }

  /** `inviter` makes a link, `guest` uses it, perhaps twice. `done` once it is answered. */
  invite(inviter: SimNode, guest: SimNode, done: () => void): void {
    this.insist(inviter, { name: 'create-invite' }, (reply) => {
      if (reply.value === undefined || !('invite' in reply.value)) return;
      const { invite } = reply.value;
      this.#world.queue.after(this.#random.between(200, 5_000), () => {
        const add = (): void => { this.insist(guest, { name: 'add-contact', invite, as: undefined }, done); };
        add();
        if (this.#random.chance(0.2)) this.#world.queue.after(this.#random.between(0, 3_000), add);
      });
    });
  }
}
