/**
 * The live view of everything on screen, and its numbered patches. The engine says what changed by name (pending-changes.ts); this has just that read anew (view-reader.ts), gathers
 * what changes within a moment, and sends one patch with what differs (view-differences.ts). View and number move in the same step, so a snapshot always belongs to its sequence.
 */
import { applyChange } from '../../../shared/patch.ts';
import type { CarryingView } from '../../../shared/relay-views.ts';
import type { Change, EchoView, Patch, View } from '../../../shared/views.ts';
import type { EngineChange } from '../../engine/engine-types.ts';
import { PendingChanges } from './pending-changes.ts';
import { isUnchanged } from './view-differences.ts';
import { ViewReader } from './view-reader.ts';
import type { StateSource } from './view-reader.ts';

export type { StateSource } from './view-reader.ts';

/** Messages appear at once to the eye, and a burst of them still makes one patch. */
const messageDelayMs = 4;
/** What one letter causes (saved, stored, delivered) does not wait for more: so many patches leave without a pause, and one more after each of these times. */
const promptPatchesMaximum = 6;
const promptPatchEveryMs = 10;
/** Measurements of relays come by themselves all the time. */
const relayDelayMs = 250;
/** A query that failed is tried again: the store comes back, and what changed meanwhile must not stay unsaid. */
const failedDelayMs = 1_000;

export interface StateOptions {
  readonly source: StateSource;
  readonly emit: (patch: Patch) => void;
  /** Sentences about the machine that hold for the whole run, shown beside the engine's own. */
  readonly notices: readonly string[];
}

export class StateService {
  readonly #source: StateSource;
  readonly #emit: (patch: Patch) => void;
  readonly #reader: ViewReader;
  readonly #pending = new PendingChanges();
  #view: View | undefined;
  #sequence = 0;
  #ready: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #flushing: Promise<void> | undefined;
  #lastFlushMs = Number.NEGATIVE_INFINITY;
  #promptPatches = promptPatchesMaximum;
  #stopped = false;

  constructor(options: StateOptions) {
    this.#source = options.source;
    this.#emit = options.emit;
    this.#reader = new ViewReader(options.source, options.notices);
  }

  async snapshot(): Promise<{ sequence: number; view: View }> {
    this.#ready ??= this.#build();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
    // Whoever did something and then looks must see it, although its patch would have waited for more.
    if (this.#flushing !== undefined) await this.#flushing;
    if (this.#pending.hasAny()) await this.#flush();
    if (this.#view === undefined) throw new Error('the view is built before it is shown');
    return { sequence: this.#sequence, view: this.#view };
  }

  engineChanged(changes: readonly EngineChange[]): void {
    let isUrgent = false;
    for (const change of changes) {
      isUrgent ||= change.kind !== 'relay';
      this.#pending.add(change);
    }
    if (changes.length > 0) this.#schedule(isUrgent ? messageDelayMs : relayDelayMs);
  }

  /** Another engine runs, or none: everything is built anew, and only what differs is sent. */
  replaced(): void {
    this.#pending.addPart(this.#source.inspect === undefined ? 'connection' : 'everything');
    this.#schedule(messageDelayMs);
  }

  setEcho(echo: EchoView): void {
    this.#reader.echo = echo;
    this.#pending.addPart('echo');
    this.#schedule(messageDelayMs);
  }

  setCarrying(carrying: CarryingView): void {
    this.#reader.carrying = carrying;
    this.#pending.addPart('carrying');
    this.#schedule(relayDelayMs);
  }

  setHostNotices(notices: readonly string[]): void {
    this.#reader.hostNotices = notices;
    this.#pending.addPart('notices');
    this.#schedule(messageDelayMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #schedule(delayMs: number): void {
    // Nobody has seen a view yet, so there is nothing to patch; the first snapshot reads everything as it then is.
    if (this.#stopped || this.#view === undefined) return;
    const nowMs = performance.now();
    // What comes after a quiet time is shown at once; only what follows soon after is gathered.
    const atMs = delayMs === messageDelayMs ? Math.max(nowMs, this.#lastFlushMs + this.#pauseMs(nowMs)) : nowMs + delayMs;
    if (this.#timerAtMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const run = (): void => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      void this.#flush();
    };
    // The shortest timer takes a millisecond.
    if (atMs <= nowMs) this.#immediate = setImmediate(run);
    else this.#timer = setTimeout(run, atMs - nowMs);
  }

  #pauseMs(nowMs: number): number {
    const regained = Math.max(0, nowMs - this.#lastFlushMs) / promptPatchEveryMs;
    return this.#promptPatches + regained >= 1 ? 0 : messageDelayMs;
  }

  async #build(): Promise<void> {
    const inspect = this.#source.inspect;
    if (inspect === undefined) throw new Error('no engine runs');
    this.#pending.take();
    this.#view = await this.#reader.read(inspect);
    // What changed while the queries ran waits for the next patch.
    if (this.#pending.hasAny()) this.#schedule(messageDelayMs);
  }

  /** One at a time, so that patches leave in the order of what they tell. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#flushOnce().finally(() => { this.#flushing = undefined; });
    return this.#flushing;
  }

  async #flushOnce(): Promise<void> {
    if (this.#stopped || !this.#pending.hasAny()) return;
    const dirty = this.#pending.take();
    const startedMs = performance.now();
    this.#promptPatches = Math.max(0, Math.min(promptPatchesMaximum, this.#promptPatches + (startedMs - this.#lastFlushMs) / promptPatchEveryMs) - 1);
    this.#lastFlushMs = startedMs;
    try {
      this.#publish(await this.#reader.changes(dirty, this.#view));
    } catch {
      this.#pending.addEverything(dirty.messages);
      this.#schedule(failedDelayMs);
      return;
    }
    // With very many conversations the queries take their time: never spend more than half of it on them.
    if (this.#pending.hasAny()) this.#schedule(Math.max(messageDelayMs, performance.now() - startedMs));
  }

  #publish(candidates: readonly Change[]): void {
    let view = this.#view;
    if (view === undefined || this.#stopped) return;
    const changes: Change[] = [];
    for (const change of candidates) {
      if (isUnchanged(view, change)) continue;
      view = applyChange(view, change);
      changes.push(change);
    }
    if (changes.length === 0) return;
    this.#view = view;
    this.#sequence += 1;
    this.#emit({ sequence: this.#sequence, changes });
  }
}
