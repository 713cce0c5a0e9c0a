/**
 * Whose turn it is among the files that we send: a few at a time, the oldest message first. A file whose turn brought it nowhere - nobody takes it, or nobody asked for
 * it for a while - goes after those that had fewer such turns, so that one for somebody who never comes keeps nobody back.
 */
import { othersFirstShownMaximum } from '../../../shared/file-views.ts';
import { isHeld, type Upload } from './upload.ts';
import type { Instant } from '../wire/types.ts';

/** Files worked on at once: more would only make each slower, and each has its tree in memory, 2 MiB for most and 16 MiB for the largest. */
export const uploadsMaximum = 8;
/** Without progress for this long a file gives way to one that waits. */
export const turnMs = 30_000;
/** And after this long in any case: eight that creep would keep everybody else back for days. A relay keeps what it has until their next turn. */
export const turnMaximumMs = 600_000;

export interface TurnEvents {
  activated(upload: Upload, now: Instant): void;
  /** It was at it and is waiting again. */
  yielded(upload: Upload): void;
  /** Another number of others goes first. */
  moved(upload: Upload): void;
}

/** @param uploads in the order of their messages. @returns when to look again although nothing changes; undefined when nobody waits. */
export function dealTurns(uploads: readonly Upload[], now: Instant, events: TurnEvents): number | undefined {
  const waiting = uploads.filter(({ turn }) => turn === 'waiting');
  if (waiting.length === 0) return undefined;
  const active = uploads.filter(({ turn }) => turn === 'active');
  const queue = waiting.toSorted((left, right) => rankOf(left) - rankOf(right));
  const stalled = active.filter((upload) => !upload.asking && stalledAtMs(upload) <= now.monotonicMs);
  let activeCount = active.length;
  for (const upload of queue) {
    if (activeCount >= uploadsMaximum) {
      const given = stalled.shift();
      if (given === undefined) break;
      given.turn = 'waiting';
      given.turnsInVain += 1;
      activeCount -= 1;
      events.yielded(given);
    }
    upload.turn = 'active';
    upload.othersFirst = 0;
    upload.progressAtMs = now.monotonicMs;
    upload.activeSinceMs = now.monotonicMs;
    activeCount += 1;
    events.activated(upload, now);
  }
  let others = activeCount;
  for (const upload of uploads.filter(({ turn }) => turn === 'waiting').toSorted((left, right) => rankOf(left) - rankOf(right))) {
    const shown = Math.min(others, othersFirstShownMaximum + 1);
    others += 1;
    if (shown === upload.othersFirst) continue;
    upload.othersFirst = shown;
    events.moved(upload);
  }
  const nextMs = uploads.reduce((atMs, upload) => (upload.turn === 'active' ? Math.min(atMs, stalledAtMs(upload)) : atMs), Infinity);
  // One that is being asked about is looked at when it is answered.
  return others === activeCount ? undefined : Math.max(nextMs, now.monotonicMs + 1_000);
}

/** One that a relay has can wait for those that none has. */
const rankOf = (upload: Upload): number => upload.turnsInVain + (isHeld(upload) ? 1 : 0);

/** Bytes that went straight to somebody are progress that no relay tells of. */
const stalledAtMs = (upload: Upload): number => Math.min(Math.max(upload.progressAtMs, upload.datum?.servedAtMs ?? 0) + turnMs, upload.activeSinceMs + turnMaximumMs);
