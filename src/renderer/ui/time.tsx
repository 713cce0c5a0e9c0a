/** Moments on screen: relative or short, always with the exact time on hover. */
import { countdownWords, exactWords, relativeWords, stampWords } from '../../shared/quantities.ts';
import { useNow } from './use-now.ts';

function Moment({ atMs, words }: { readonly atMs: number; readonly words: string }) {
  return <time className="time numeric" dateTime={new Date(atMs).toISOString()} title={exactWords(atMs)}>{words}</time>;
}

export function RelativeTime({ atMs }: { readonly atMs: number }) {
  return <Moment atMs={atMs} words={relativeWords(atMs, useNow())} />;
}

/** Of what has happened: never ahead of a clock that is looked at every few seconds. */
export function PastTime({ atMs }: { readonly atMs: number }) {
  const nowMs = useNow();
  return <Moment atMs={atMs} words={relativeWords(Math.min(atMs, nowMs), nowMs)} />;
}

export function Stamp({ atMs }: { readonly atMs: number }) {
  return <Moment atMs={atMs} words={stampWords(atMs, useNow(60_000))} />;
}

/** Runs down every second; hidden changes are not announced. */
export function Countdown({ atMs }: { readonly atMs: number }) {
  return <Moment atMs={atMs} words={countdownWords(atMs, useNow(1_000))} />;
}
