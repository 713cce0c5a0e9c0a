/**
 * The checker as a whole: letters (invariants-letters.ts), files and names (invariants-files.ts, invariants-names.ts), what is on the wire and at relays, what a conversation looks like, and the verdict
 * at the end of a run, when everybody has been up and connected for long enough that nothing may be left open.
 */
import { FileChecker } from './invariants-files.ts';
import { readOutcomes } from '../src/main/engine/overlay/relay-reliability.ts';
import { LetterChecker, type ClockKnowledge, type KnownLetter } from './invariants-letters.ts';
import { NameChecker } from './invariants-names.ts';
import { secretMark } from './letter-text.ts';
import { Violations, type Violation } from './violations.ts';
import type { StoredMessage } from '../src/main/engine/mail/visor-store.ts';

/** Largest datagram the protocol allows (docs/protocol.md). */
const datagramMaximumBytes = 1_200;
const secretBytes = Buffer.from(secretMark, 'latin1');

export interface MailboxLook { readonly relay: string; readonly mailbox: string; readonly letters: number; readonly bytes: number; readonly most: { readonly letters: number; readonly bytes: number } }

/** How two people stand to each other at the end. */
export interface FinalStanding {
  /** Both have accepted each other. */
  readonly mutual: boolean;
  /** A relay lost its database, so that confirmations may have been lost with it. */
  readonly confirmationsMayBeLost: boolean;
}

export class Checker {
  readonly violations: Violations;
  readonly letters: LetterChecker;
  readonly files: FileChecker;
  readonly names: NameChecker;
  /** Relays that lost their database: they have signed for letters that are gone. */
  readonly #forgetful = new Set<string>();

  constructor(nowMs: () => number, clocks: ClockKnowledge, onViolation?: (violation: Violation) => void) {
    this.violations = new Violations(nowMs, onViolation);
    this.letters = new LetterChecker(this.violations, clocks);
    this.files = new FileChecker(this.violations, clocks);
    this.names = new NameChecker(this.violations);
  }

  datagram(from: string, to: string, datagram: Uint8Array): void {
    this.violations.require(datagram.length <= datagramMaximumBytes, 'datagram-size', () => `${from} sent ${String(datagram.length)} bytes to ${to}`);
    this.violations.require(!containsSecret(datagram), 'no-plaintext', () => `${from} sent readable text to ${to}`);
  }

  /** What a relay writes. */
  relayBytes(relay: string, ...parts: readonly Uint8Array[]): void {
    this.violations.require(!parts.some(containsSecret), 'no-plaintext', () => `${relay} stores readable text`);
  }

  relayForgot(relay: string): void { this.#forgetful.add(relay); }

  /** What test letters to oneself have told a visor: relays here may fail and forget, and never lie. */
  relayTestsCommitted(machine: string, value: string): void {
    for (const [relay, outcomes] of readOutcomes(value)) {
      if (this.#forgetful.has(relay)) continue;
      const lie = outcomes.find(({ result }) => result === 'lost' || result === 'withheld' || result === 'replayed');
      this.violations.require(lie === undefined, 'honest-relay-is-believed', () => `${machine} says of ${relay.slice(0, 8)}, which is honest: ${String(lie?.result)}`);
    }
  }

  mailbox(look: MailboxLook): void {
    this.violations.require(look.letters <= look.most.letters && look.bytes <= look.most.bytes, 'within-quota',
      () => `${look.relay} holds ${String(look.letters)} letters and ${String(look.bytes)} bytes for ${look.mailbox.slice(0, 8)}, allowed are ${String(look.most.letters)} and ${String(look.most.bytes)}`);
  }

  threw(machine: string, call: string, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.violations.report('engine-never-throws', `${machine} ${call}: ${text.split('\n').slice(0, 6).join(' | ')}`);
  }

  refused(machine: string, what: string, why: string): void { this.violations.report('store-accepts-all', `the store of ${machine} refuses ${what}: ${why}`); }

  spins(machine: string, reason: string): void { this.violations.report('timer-does-not-spin', `${machine}: ${reason}`); }

  /** All incoming messages of a conversation as displayed: per sending device by sequence, gaps counted where they are, nothing twice. */
  conversation(machine: string, messages: readonly StoredMessage[]): void {
    const incoming = messages.filter((message) => message.direction === 'in');
    const bySender = new Map<string, number>();
    const tokens = new Set<string>();
    for (const message of incoming) {
      const before = bySender.get(message.senderDevice) ?? 0;
      const where = (): string => `${machine}, ${message.conversationId.slice(0, 8)}, sequence ${String(message.sequence)} after ${String(before)}`;
      this.violations.require(message.sequence > before, 'shown-in-order', where);
      this.violations.require(message.missingBefore === Math.max(0, message.sequence - before - 1), 'shown-in-order', () => `${where()} marks ${String(message.missingBefore)} missing`);
      bySender.set(message.senderDevice, Math.max(before, message.sequence));
      const key = message.text.slice(0, 32);
      this.violations.require(!tokens.has(key), 'shown-at-most-once', () => `${machine} shows ${key} twice`);
      tokens.add(key);
    }
  }

  /** Letters that are not where they should be in the end; empty = the run may stop. */
  open(standing: (letter: KnownLetter) => FinalStanding): readonly { readonly letter: KnownLetter; readonly lost: boolean; readonly problem: string }[] {
    const open: { letter: KnownLetter; lost: boolean; problem: string }[] = [];
    for (const letter of this.letters.letters.values()) {
      if (!letter.durable || this.letters.everBlocked(letter.sender, letter.recipient)) continue;
      const { mutual, confirmationsMayBeLost } = standing(letter);
      if (!mutual) continue;
      const { facts } = letter;
      const confirmed = facts.deliveredAtMs !== undefined || facts.readAtMs !== undefined;
      const ended = facts.expiredAtMs !== undefined || facts.cancelledAtMs !== undefined || facts.unconfirmedAtMs !== undefined;
      const arrived = letter.committedAtRecipientMs !== undefined;
      if (!arrived && !ended) open.push({ letter, lost: true, problem: `was never delivered: ${JSON.stringify(facts)}` });
      else if (arrived && !confirmed && !confirmationsMayBeLost) open.push({ letter, lost: false, problem: `is committed at ${letter.recipient}, but ${letter.sender} knows ${JSON.stringify(facts)}` });
    }
    return open;
  }

  finish(standing: (letter: KnownLetter) => FinalStanding): void {
    for (const { letter, lost, problem } of this.open(standing)) {
      this.violations.report(lost ? 'no-acknowledged-letter-lost' : 'facts-agree', `${letter.token} of ${letter.sender} to ${letter.recipient} (asked at ${(letter.askedAtMs / 1000).toFixed(1)} s, ttl ${String(letter.ttlMs / 1000)} s) ${problem}`);
    }
  }
}

function containsSecret(bytes: Uint8Array): boolean {
  return bytes.length >= secretBytes.length && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(secretBytes);
}
