/** The present moment as state: one shared timer per interval, so that a thousand relative times tick together. */
import { useSyncExternalStore } from 'react';

interface Clock {
  nowMs: number;
  readonly listeners: Set<() => void>;
  timer: ReturnType<typeof setInterval> | undefined;
}

const clocks = new Map<number, Clock>();

function clockOf(intervalMs: number): Clock {
  const existing = clocks.get(intervalMs);
  if (existing !== undefined) return existing;
  const clock: Clock = { nowMs: Date.now(), listeners: new Set(), timer: undefined };
  clocks.set(intervalMs, clock);
  return clock;
}

function subscribe(intervalMs: number, listener: () => void): () => void {
  const clock = clockOf(intervalMs);
  clock.listeners.add(listener);
  clock.timer ??= setInterval(() => {
    clock.nowMs = Date.now();
    for (const each of clock.listeners) each();
  }, intervalMs);
  // A clock nobody watched has stood still: bring it up to date for the first watcher.
  if (clock.listeners.size === 1 && Date.now() - clock.nowMs > intervalMs) {
    clock.nowMs = Date.now();
    queueMicrotask(listener);
  }
  return () => {
    clock.listeners.delete(listener);
    if (clock.listeners.size === 0) {
      clearInterval(clock.timer);
      clock.timer = undefined;
    }
  };
}

const subscribers = new Map<number, (listener: () => void) => () => void>();

export function useNow(intervalMs = 10_000): number {
  let subscriber = subscribers.get(intervalMs);
  if (subscriber === undefined) {
    subscriber = (listener) => subscribe(intervalMs, listener);
    subscribers.set(intervalMs, subscriber);
  }
  return useSyncExternalStore(subscriber, () => clockOf(intervalMs).nowMs);
}
