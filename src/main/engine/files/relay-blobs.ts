/**
 * Contents that a relay holds for somebody who is away. The sender says that it has a content for a mailbox (`hold`); the relay notes it within that
 * mailbox's quota, pulls it from the sender's session, and says that it holds it when all of it is verified and durable. Whoever shows the name may
 * pull it from there. The mailbox's owner says when it has no need of it any more (`drop`), and time does so in the end. The owner may have contents held
 * there too, of which everybody is told by a named record; those nobody else can drop.
 */
import { encodeHoldResponse } from '../wire/responses.ts';
import { nameKey } from '../directed/datum.ts';
import { fileHeldMaximumBytes } from '../../../shared/file-views.ts';
import { ttlMaximumSeconds, ttlMinimumSeconds } from '../../../shared/views.ts';
import { openBlobDatum } from './blob-datum.ts';
import { BlobDownload } from './blob-download.ts';
import { PieceCache } from './piece-cache.ts';
import type { Answer } from '../directed/types.ts';
import type { Datum } from '../directed/datum.ts';
import type { BlobQuota, HoldResult } from '../mail/mail-store.ts';
import type { MailboxContext } from '../mail/mailbox-context.ts';
import type { MailboxOwners } from '../mail/mailbox-owners.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Instant, Mailbox, RequestBody } from '../wire/types.ts';
import type { BlobShelf } from './blob-shelf.ts';
import type { BlobFailure } from './blob-store.ts';

/** Contents of one mailbox at most. */
const blobsMaximum = 512;
/** Longest that a file waits here: shorter than letters, since it takes so much more room. */
const blobTtlMaximumSeconds = 7 * 86_400;
/** Contents being pulled at once; each has a window of memory. */
const takingsMaximum = 32;
const busyRetrySeconds = 10;
/** After a disk that is full or failing. */
const diskRetrySeconds = 300;
const quotaRetrySeconds = 300;
const expireEveryMs = 60_000;
/** How often contents being pulled are looked at for a snapshot that is due (BlobWriter says when): only while something is being pulled. */
const checkpointEveryMs = 5000;
const expireAtOnce = 256;
/** Trees of contents that are served, kept in memory. */
const openMaximum = 64;

type BodyOf<Verb extends RequestBody['verb']> = Extract<RequestBody, { verb: Verb }>;

export class RelayBlobs {
  readonly #context: MailboxContext;
  readonly #shelf: BlobShelf;
  /** Of one mailbox, and of one contact's token in it: the same, since most people have few contacts who send large files at once. */
  readonly #quota: BlobQuota;
  readonly #owners: MailboxOwners;
  readonly #takings = new Map<string, BlobDownload>();
  readonly #pieces = new PieceCache();
  /** Least recently used first. */
  readonly #open = new Map<string, Datum>();
  #expireAtMs: number;
  #checkpointAtMs: number;

  constructor(context: MailboxContext, owners: MailboxOwners, shelf: BlobShelf, now: Instant) {
    this.#context = context;
    this.#owners = owners;
    this.#shelf = shelf;
    const bytes = context.environment.policy.heldPerRecipientBytes ?? fileHeldMaximumBytes;
    this.#quota = { bytes, bytesPerToken: bytes, blobs: blobsMaximum };
    this.#expireAtMs = now.monotonicMs + expireEveryMs;
    this.#checkpointAtMs = Infinity;
    this.#dropUnnoted(now);
  }

  hold(sessionId: SessionId, body: BodyOf<'hold'>, answer: Answer, now: Instant): void {
    const { crypto } = this.#context.environment;
    if (body.name.length === 0 || body.ttlSeconds > ttlMaximumSeconds) { this.#context.refuse(answer, 'malformed', now); return; }
    const name: ContentName = { root: body.name.root.slice(), length: body.name.length };
    const ttlSeconds = Math.min(Math.max(body.ttlSeconds, ttlMinimumSeconds), blobTtlMaximumSeconds);
    const tokenHash = body.token === undefined ? undefined : crypto.blake3(body.token);
    const request = { op: 'hold-blob', mailbox: body.mailbox, tokenHash, owner: this.#isOwner(sessionId, body.mailbox), ...name, ttlSeconds, elapsedMs: this.#context.elapsedMs(now), quota: this.#quota } as const;
    this.#context.store<'hold-blob'>(request, (result, at) => { this.#noted(sessionId, name, result, answer, at); });
  }

  drop(sessionId: SessionId, body: BodyOf<'drop'>, answer: Answer): void {
    const name: ContentName = { root: body.name.root.slice(), length: body.name.length };
    this.#context.store<'drop-blob'>({ op: 'drop-blob', mailbox: body.mailbox, ...name, owner: this.#isOwner(sessionId, body.mailbox) }, ({ orphaned }, at) => {
      if (orphaned) this.#forget(name, at);
      // It may have come through without being held.
      else this.#context.environment.directed.publisher.forget(name);
      answer.respond(new Uint8Array(0), at);
    });
  }

  /** For the publisher: contents that are held here. */
  find(name: ContentName, found: (datum: Datum | undefined, now: Instant) => void, now: Instant): void {
    const key = nameKey(name);
    const open = this.#open.get(key);
    if (open !== undefined) {
      this.#keepOpen(key, open);
      found(open, now);
    } else if (!this.#shelf.isComplete(name)) found(undefined, now);
    else {
      openBlobDatum(this.#shelf.ask, this.#context.environment.crypto.tree, this.#pieces, { root: name.root.slice(), length: name.length }, (datum, at) => {
        const opened = typeof datum === 'string' ? undefined : datum;
        if (opened !== undefined) this.#keepOpen(key, opened);
        found(opened, at);
      });
    }
  }

  handleTimeout(now: Instant): void {
    if (now.monotonicMs >= this.#checkpointAtMs) {
      this.#checkpointAtMs = Infinity;
      for (const taking of this.#takings.values()) {
        if ((taking.checkpointAtMs ?? Infinity) <= now.monotonicMs) taking.checkpoint();
        this.#checkpointAtMs = Math.min(this.#checkpointAtMs, now.monotonicMs + checkpointEveryMs);
      }
    }
    if (now.monotonicMs < this.#expireAtMs) return;
    this.#expireAtMs = now.monotonicMs + expireEveryMs;
    this.#leaveIdle(now);
    if (!this.#context.clock.suspended) this.#expire(now);
  }

  get nextAtMs(): number { return Math.min(this.#expireAtMs, this.#checkpointAtMs); }

  /** A registered session: one whose device the newest identity record has not dropped. */
  #isOwner(sessionId: SessionId, mailbox: Mailbox): boolean {
    const own = this.#owners.mailboxOf(sessionId);
    return own?.identity === mailbox.identity && own.deviceId === mailbox.deviceId;
  }

  #noted(sessionId: SessionId, name: ContentName, result: HoldResult, answer: Answer, now: Instant): void {
    switch (result.outcome) {
      case 'noted': break;
      // No room to hold it: while its sender is there, it goes through.
      case 'quota': this.#context.environment.directed.announce(sessionId, name, now); this.#context.refuse(answer, 'quota', now, quotaRetrySeconds); return;
      case 'no-mailbox': this.#context.refuse(answer, 'no-mailbox', now); return;
      case 'token-revoked': this.#context.refuse(answer, 'revoked', now); return;
      case 'stranger': this.#context.refuse(answer, 'refused', now); return;
    }
    const { remainingSeconds } = result;
    this.#context.environment.directed.announce(sessionId, name, now);
    if (this.#shelf.isComplete(name)) {
      if (!result.complete) this.#context.store<'blob-complete'>({ op: 'blob-complete', ...name }, () => undefined);
      answer.respond(encodeHoldResponse({ state: 'held', heldBytes: name.length, remainingSeconds }), now);
      return;
    }
    const taking = this.#takings.get(nameKey(name)) ?? this.#take(name, answer, now);
    if (taking === undefined) return;
    taking.addSource(sessionId, now);
    answer.respond(encodeHoldResponse({ state: 'taking', heldBytes: taking.verifiedBytes, remainingSeconds }), now);
  }

  #take(name: ContentName, answer: Answer, now: Instant): BlobDownload | undefined {
    if (this.#takings.size >= takingsMaximum) this.#leaveIdle(now);
    if (this.#takings.size >= takingsMaximum) { this.#context.refuse(answer, 'busy', now, busyRetrySeconds); return undefined; }
    const key = nameKey(name);
    const taking = new BlobDownload(this.#context.environment.directed, this.#shelf.ask, name, this.#shelf.info(name)?.snapshot, {
      completed: () => {
        this.#takings.delete(key);
        this.#context.counters.count('blobs-taken');
        this.#context.store<'blob-complete'>({ op: 'blob-complete', ...name }, () => undefined);
      },
      failed: (failure) => {
        this.#takings.delete(key);
        this.#context.counters.count(`blob-failed.${failure}`);
        if (isDisk(failure)) this.#context.environment.log('warn', 'blob-not-stored', { failure, retryAfterSeconds: diskRetrySeconds });
      },
      // The sender asks again while it is there, and is added again then.
      sourceEnded: (_, reason) => { this.#context.counters.count(`blob-source.${reason}`); },
    });
    this.#takings.set(key, taking);
    this.#checkpointAtMs = Math.min(this.#checkpointAtMs, now.monotonicMs + checkpointEveryMs);
    return taking;
  }

  /** Contents whose senders have gone give way; what came of them is kept for when they are offered again. */
  #leaveIdle(now: Instant): void {
    for (const [key, taking] of this.#takings) {
      if (!taking.isStarted || taking.sources.length > 0 || taking.verifiedBytes === taking.name.length) continue;
      this.#takings.delete(key);
      taking.stop(now);
    }
  }

  #forget(name: ContentName, now: Instant): void {
    const key = nameKey(name);
    this.#takings.get(key)?.stop(now);
    this.#takings.delete(key);
    this.#open.delete(key);
    this.#context.environment.directed.publisher.forget(name);
    this.#shelf.ask<'delete'>({ op: 'delete', name }, () => undefined);
  }

  #expire(now: Instant): void {
    // Not through the context: looking for what is over is no activity that the mail clock would have to remember.
    this.#context.environment.store<'expire-blobs'>({ op: 'expire-blobs', elapsedMs: this.#context.elapsedMs(now), most: expireAtOnce }, ({ orphaned, more }, at) => {
      for (const name of orphaned) this.#forget(name, at);
      if (orphaned.length > 0) this.#context.counters.count('blobs-expired', orphaned.length);
      if (more) this.#expire(at);
    });
  }

  /** What lies here and nobody has noted: the notes are the promise, the bytes without them are rests. */
  #dropUnnoted(now: Instant): void {
    const here = [...this.#shelf.all];
    if (here.length === 0) return;
    this.#context.store<'blobs'>({ op: 'blobs', elapsedMs: this.#context.elapsedMs(now) }, ({ blobs }) => {
      const noted = new Set(blobs.map(nameKey));
      for (const { name } of here) if (!noted.has(nameKey(name))) this.#shelf.ask<'delete'>({ op: 'delete', name }, () => undefined);
    });
  }

  #keepOpen(key: string, datum: Datum): void {
    this.#open.delete(key);
    this.#open.set(key, datum);
    if (this.#open.size <= openMaximum) return;
    const oldest = this.#open.keys().next();
    if (oldest.done !== true) this.#open.delete(oldest.value);
  }
}

const isDisk = (failure: BlobFailure): boolean => failure === 'disk-full' || failure === 'io';
