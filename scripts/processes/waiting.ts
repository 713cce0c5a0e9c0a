/** Waiting for states instead of for time: a look that is repeated until it finds something, with a deadline that ends in a sentence. */
import { setTimeout as pause } from 'node:timers/promises';

/** Short against everything that is waited for, long against a call over a socket. */
const lookAgainMs = 25;

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** Repeats `look` until it gives something else than undefined. @throws DeadlineError after `deadlineMs`. */
export async function until<Found>(what: string, deadlineMs: number, look: () => Promise<Found | undefined> | Found | undefined): Promise<Found> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endMs) throw new DeadlineError(`Waited ${Math.round(deadlineMs / 1000)} s in vain for: ${what}`);
    await pause(lookAgainMs);
  }
}

/** The same for a plain condition. */
export async function untilTrue(what: string, deadlineMs: number, look: () => Promise<boolean> | boolean): Promise<void> {
  await until(what, deadlineMs, async () => ((await look()) ? true : undefined));
}

/** @throws DeadlineError when the promise has not settled in time. */
export async function within<Value>(deadlineMs: number, what: string, promise: Promise<Value>): Promise<Value> {
  const timer = Promise.withResolvers<never>();
  const handle = setTimeout(() => { timer.reject(new DeadlineError(`Waited ${Math.round(deadlineMs / 1000)} s in vain for: ${what}`)); }, deadlineMs);
  try {
    return await Promise.race([promise, timer.promise]);
  } finally {
    clearTimeout(handle);
  }
}
