/** One fetch of what is published under a name: what is known of it, and what is shown. */
import { RateMeter } from './rate-meter.ts';
import type { NamedFetchStatus } from '../inspection-types.ts';
import type { SessionId } from '../session/types.ts';
import type { Instant, PublicKeyHex, RelayHint } from '../wire/types.ts';
import type { BlobDownload } from './blob-download.ts';
import type { NamedLookup } from './named-lookup.ts';

export type Found = NonNullable<NamedFetchStatus['found']>;

export interface NamedFetch {
  readonly key: string;
  readonly publicKey: PublicKeyHex;
  readonly path: string;
  readonly rate: RateMeter;
  readonly notBeforeMs: Map<string, { atMs: number; failures: number }>;
  lookup: NamedLookup | undefined;
  /** One that was named. */
  relay: RelayHint | undefined;
  sources: readonly RelayHint[];
  users: number;
  wantedAtMs: number;
  found: Found | undefined;
  download: BlobDownload | undefined;
  readonly stalled: { bytes: number; atMs: number; pauseMs: number };
  /** What is found is being written down. */
  isNoting: boolean;
  ready: boolean;
  damaged: number;
  failure: NamedFetchStatus['failure'];
}

export const newNamedFetch = (key: string, publicKey: PublicKeyHex, path: string, relay: RelayHint | undefined, now: Instant): NamedFetch => ({
  key, publicKey, path, rate: new RateMeter(), notBeforeMs: new Map(), lookup: undefined, relay, sources: [], users: 0, wantedAtMs: now.monotonicMs, found: undefined, download: undefined,
  stalled: { bytes: 0, atMs: 0, pauseMs: 0 }, isNoting: false, ready: false, damaged: 0, failure: undefined,
});

/** @param relayOf the relay at the other end of a session. */
export function namedFetchStatus(fetch: NamedFetch, relayOf: (sessionId: SessionId) => PublicKeyHex | undefined, now: Instant): NamedFetchStatus {
  const { found, failure, download } = fetch;
  const doneBytes = download?.verifiedBytes ?? 0;
  if (failure !== undefined) return { found, failure, state: { state: 'failed', reason: failure === 'damaged' ? 'damaged' : 'gone' } };
  if (fetch.ready) return { found, failure, state: { state: 'ready' } };
  if (found === undefined || download === undefined || download.sources.length === 0) return { found, failure, state: { state: 'waiting', reason: 'no-source', doneBytes } };
  const bytesPerSecond = fetch.rate.bytesPerSecond(doneBytes, now.monotonicMs);
  const remaining = bytesPerSecond > 0 ? { remainingMs: (found.content.length - doneBytes) * 1_000 / bytesPerSecond } : {};
  const sources = download.sources.map(({ sessionId }) => {
    const relay = relayOf(sessionId);
    return relay === undefined ? { kind: 'relay' as const } : { kind: 'relay' as const, relay };
  });
  return { found, failure, state: { state: 'moving', doneBytes, bytesPerSecond, ...remaining, sources } };
}
