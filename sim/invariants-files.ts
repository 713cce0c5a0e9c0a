/**
 * The checker for files: it knows what was sent, looks at what is committed and shown about it, and reads what lies in the blob stores. A file that
 * is called here must be whole and what its sender sent; a relay that is called a holder must have held it; and in the end everything that
 * nobody stopped is where it was sent to, and relays keep nothing that nobody waits for.
 */
import { openSegment, segmentCount, segmentSealedBytes } from '../src/main/engine/files/file-sealing.ts';
import { isReleased, recipientOf } from '../src/main/engine/files/holder-drops.ts';
import { equalBytes, toHex } from '../src/main/engine/wire/bytes.ts';
import { fileTokenOf } from './letter-text.ts';
import type { Crypto } from '../src/main/engine/crypto.ts';
import type { FileStatus } from '../src/main/engine/inspection-types.ts';
import type { FileRow } from '../src/main/engine/mail/visor-store.ts';
import type { ContentName } from '../src/main/engine/wire/types.ts';
import type { FinalStanding } from './invariants.ts';
import type { ClockKnowledge } from './invariants-letters.ts';
import type { Violations } from './violations.ts';

/** Between a command and its row, and of a transfer that was under way at its end. */
const ttlSlackMs = 2_000;

export interface AskedFile {
  readonly token: string;
  readonly sender: string;
  readonly senderKey: string;
  readonly recipient: string;
  readonly recipientKey: string;
  readonly ttlMs: number;
  readonly content: Uint8Array;
  readonly key: Uint8Array;
  readonly root: Uint8Array;
  readonly blobBytes: number;
}

export interface KnownFile extends AskedFile {
  readonly askedAtMs: number;
  /** As committed by the sender and by the recipient. */
  out: FileRow | undefined;
  in: FileRow | undefined;
  readonly cancelAskedBy: Set<string>;
}

/** What lies complete in a machine's own blobs. */
export type BlobBytes = (name: ContentName) => Uint8Array | undefined;

export class FileChecker {
  readonly #violations: Violations;
  readonly #clocks: ClockKnowledge;
  readonly files = new Map<string, KnownFile>();
  readonly #byMessage = new Map<string, KnownFile>();
  /** "relay name" that was ever complete there. */
  readonly #everHeld = new Set<string>();

  constructor(violations: Violations, clocks: ClockKnowledge) {
    this.#violations = violations;
    this.#clocks = clocks;
  }

  asked(file: AskedFile): void {
    this.files.set(file.token, { ...file, askedAtMs: this.#violations.nowMs, out: undefined, in: undefined, cancelAskedBy: new Set() });
  }

  cancelAsked(machine: string, messageId: string): void { this.#byMessage.get(`${machine} ${messageId}`)?.cancelAskedBy.add(machine); }

  /** Rows of a machine, newest state of each. */
  rowsOf(machine: string): readonly FileRow[] {
    const rows: FileRow[] = [];
    for (const file of this.files.values()) {
      if (file.sender === machine && file.out !== undefined) rows.push(file.out);
      if (file.recipient === machine && file.in !== undefined) rows.push(file.in);
    }
    return rows;
  }

  relayCompleted(relay: string, name: ContentName): void { this.#everHeld.add(`${relay} ${keyOf(name)}`); }

  rowCommitted(machine: string, row: FileRow, blobOf: BlobBytes, crypto: Crypto): void {
    const file = this.files.get(fileTokenOf(row.name) ?? '');
    const side = row.direction === 'out' ? file?.sender : file?.recipient;
    const other = row.direction === 'out' ? file?.recipientKey : file?.senderKey;
    if (file === undefined || side !== machine || other !== recipientOf(row) || !equalBytes(row.root, file.root) || row.sizeBytes !== file.content.length) {
      this.#violations.report('file-was-sent', `${machine} has ${row.direction} ${row.name} of ${String(row.sizeBytes)} bytes, which nobody sent so`);
      return;
    }
    const before = row.direction === 'out' ? file.out : file.in;
    this.#violations.require(before === undefined || before.messageId === row.messageId, 'one-file-per-message', () => `${machine} has ${file.token} as ${String(before?.messageId)} and as ${row.messageId}`);
    this.#violations.require(before?.stage !== 'ready' || row.stage === 'ready', 'file-ends-once', () => `${machine} calls ${row.direction} ${file.token} ready and then ${row.stage}`);
    this.#violations.require(row.stage !== 'failed' || this.#mayFail(machine, file, row), 'file-ends-once', () => `${machine} calls ${row.direction} ${file.token} failed: ${String(row.failure)}`);
    if (row.direction === 'in') {
      if (row.stage === 'ready') this.#requireWhole(machine, file, blobOf, crypto);
      file.in = row;
    } else {
      if (row.stage === 'ready') this.#requireArrived(file, 'commits');
      if (!isReleased(row)) for (const relay of row.heldBy) this.#requireHeld(file, relay);
      file.out = row;
    }
    this.#byMessage.set(`${machine} ${row.messageId}`, file);
  }

  /** What a screen shows now. */
  shown(machine: string, row: FileRow, status: FileStatus, blobOf: BlobBytes, crypto: Crypto): void {
    const file = this.#byMessage.get(`${machine} ${row.messageId}`);
    if (file === undefined) return;
    if (row.direction === 'in') {
      if (status.state.state === 'ready' && row.stage !== 'ready') this.#requireWhole(machine, file, blobOf, crypto);
      return;
    }
    const held = status.holders.filter(({ complete }) => complete);
    for (const { relay } of held) this.#requireHeld(file, relay);
    if (status.state.state === 'ready' && held.length === 0) this.#requireArrived(file, 'shows');
  }

  /** Files that are not where they should be in the end. */
  open(standing: (file: KnownFile) => FinalStanding & { readonly blocked: boolean }): readonly string[] {
    const open: string[] = [];
    for (const file of this.files.values()) {
      const { out } = file;
      if (out === undefined || file.in === undefined) continue;
      const { mutual, blocked, confirmationsMayBeLost } = standing(file);
      if (!mutual || blocked || isStopped(out) || isStopped(file.in)) continue;
      const name = `${file.token} of ${file.sender} to ${file.recipient} (${String(file.content.length)} bytes)`;
      if (file.in.stage !== 'ready') open.push(`${name} is ${file.in.stage} there and ${out.stage} here, held by ${out.heldBy.map((relay) => relay.slice(0, 8)).join(', ')}`);
      else if (out.stage !== 'ready' && !confirmationsMayBeLost) open.push(`${name} is there, and ${out.stage} here`);
    }
    return open;
  }

  /** True when nobody waits for it any more. */
  isOver(name: ContentName): boolean {
    const key = keyOf(name);
    const files = [...this.files.values()].filter((file) => keyOf({ root: file.root, length: file.blobBytes }) === key);
    return files.every((file) => file.out === undefined || isReleased(file.out));
  }

  finish(standing: (file: KnownFile) => FinalStanding & { readonly blocked: boolean }, blobsOf: (machine: string) => BlobBytes, crypto: Crypto): void {
    for (const problem of this.open(standing)) this.#violations.report('file-arrives', problem);
    for (const file of this.files.values()) if (file.in?.stage === 'ready') this.#requireWhole(file.recipient, file, blobsOf(file.recipient), crypto);
  }

  /** What a relay holds in the end. One that the recipient has left is told by nobody, and keeps it until its time is over. */
  heldAtEnd(relay: string, name: ContentName, isRelayOf: (machine: string) => boolean): void {
    const key = keyOf(name);
    if (![...this.files.values()].some((file) => keyOf({ root: file.root, length: file.blobBytes }) === key && isRelayOf(file.recipient))) return;
    this.#violations.require(!this.isOver(name), 'held-is-waited-for', () => `${relay} holds ${key.slice(0, 8)} of ${String(name.length)} bytes, and everybody has it`);
  }

  /** What a visor keeps unfinished in the end. */
  ownAtEnd(machine: string, name: ContentName, complete: boolean): void {
    const key = keyOf(name);
    const rows = this.rowsOf(machine).filter((row) => keyOf({ root: row.root, length: row.blobBytes }) === key);
    this.#violations.require(complete || rows.some(({ stage }) => stage === 'wanted' || stage === 'paused'), 'rests-are-removed',
      () => `${machine} keeps a part of ${key.slice(0, 8)}, which is ${rows.map(({ stage, failure }) => `${stage} ${failure ?? ''}`).join(', ')}`);
  }

  #mayFail(machine: string, file: KnownFile, row: FileRow): boolean {
    if (row.failure === 'cancelled') return file.cancelAskedBy.has(machine);
    if (row.failure === 'taken-back') return row.direction === 'in' && file.cancelAskedBy.has(file.sender);
    if (row.failure !== 'expired') return false;
    const slackMs = this.#clocks.wallErrorMs(file.sender) + this.#clocks.wallErrorMs(file.recipient) + this.#clocks.wallErrorMs('relays') + ttlSlackMs;
    return this.#violations.nowMs >= file.askedAtMs + file.ttlMs - slackMs;
  }

  #requireWhole(machine: string, file: KnownFile, blobOf: BlobBytes, crypto: Crypto): void {
    const bytes = blobOf({ root: file.root, length: file.blobBytes });
    const whole = bytes !== undefined && equalBytes(crypto.blake3(bytes), file.root) && opens(crypto, file, bytes);
    this.#violations.require(whole, 'file-is-whole', () => `${machine} calls ${file.token} ready, and ${bytes === undefined ? 'it is not there' : 'it is not what was sent'}`);
  }

  #requireArrived(file: KnownFile, verb: string): void {
    this.#violations.require(file.in?.stage === 'ready', 'ready-means-there', () => `${file.sender} ${verb} ${file.token} as ready, and ${file.recipient} has it as ${String(file.in?.stage)}`);
  }

  #requireHeld(file: KnownFile, relay: string): void {
    this.#violations.require(this.#everHeld.has(`${relay} ${keyOf({ root: file.root, length: file.blobBytes })}`), 'ready-means-there',
      () => `${file.sender} calls ${file.token} held by ${relay.slice(0, 8)}, which never had all of it`);
  }
}

/** By a person, or by time. */
const isStopped = (row: FileRow): boolean => row.stage === 'failed' || row.stage === 'paused' || row.stage === 'offered';
const keyOf = (name: ContentName): string => `${toHex(name.root)}-${String(name.length)}`;

function opens(crypto: Crypto, file: AskedFile, blob: Uint8Array): boolean {
  let offset = 0;
  for (let index = 0; index < segmentCount(file.content.length); index += 1) {
    const plain = openSegment(crypto, file.key, file.content.length, index, blob.subarray(index * segmentSealedBytes, (index + 1) * segmentSealedBytes));
    if (plain === undefined || !equalBytes(plain, file.content.subarray(offset, offset + plain.length))) return false;
    offset += plain.length;
  }
  return offset === file.content.length;
}
