/**
 * A visor that fetches by name from a relay that lies, and one that publishes there: whole engines in virtual time, with real sessions between them. The relay
 * answers with records that are damaged, over, of somebody else or for another name, and says of contents whatever comes to its mind. Nothing may be believed that the
 * publisher has not signed for that name, nothing may throw, and what is kept must stay bounded.
 */
import type { SeededRandom } from '../../sim/random.ts';
import { decodeNamedRecord, isNamedRecordOver, verifyNamedRecord } from '../../src/main/engine/wire/named-record.ts';
import { decodeHoldResponse, encodeHoldResponse } from '../../src/main/engine/wire/responses.ts';
import type { HoldResult, MailRequest } from '../../src/main/engine/mail/mail-store.ts';
import { crypto, friends, secondMs, type StoryNode } from '../../src/main/host/engine-stories-testing.ts';
import { fileMaximumBytes } from '../../src/shared/file-views.ts';
import { hostileRecord, signedRecord } from './hostile-records.ts';
import { mutate, mutationKinds } from './mutations.ts';

const roundMs = 2_500;
/** Longer than a publisher waits after any refusal. */
const restMs = 1_300 * secondMs;
/** What a reader may keep of what never came (kept-fetches.ts), with what is under way. */
export const keptMaximum = 64 + 16;
const contentMaximumBytes = 5_000;
/** Memory is all the disk that this world has: what is larger has to be refused for its size. */
const lengths = [1, 1_024, 65_536, fileMaximumBytes + 1, 2 ** 53 - 1] as const;
const ownPath = 'mine';

export interface CodecResult { readonly decoded: number; readonly wrong: number }

export interface LyingResult {
  readonly rounds: number;
  readonly thrown: string | undefined;
  /** Believed though the publisher never signed them so, or not believed though they are true. */
  readonly misjudged: number;
  readonly badRecords: number;
  readonly mostKept: number;
  /** How fetches ended, by failure; `found` where a record was believed. */
  readonly ends: ReadonlyMap<string, number>;
  /** The relay holds what was published, once it lies no more. */
  readonly isHeldInTheEnd: boolean;
}

/** Damages what the codecs read: they throw for nothing, and make nothing of it that is out of bounds. */
export function fuzzNameCodecs(random: SeededRandom, signed: readonly Uint8Array[], inputs: number): CodecResult {
  let decoded = 0;
  let wrong = 0;
  for (let count = 0; count < inputs; count += 1) {
    const bytes = hostileRecord(random, signed);
    const record = decodeNamedRecord(bytes);
    if (record !== undefined) {
      decoded += 1;
      if (record.bytes.length !== bytes.length || record.path.length > 128 || !Number.isSafeInteger(record.sequence) || (record.content === undefined && record.mediaType !== '')) wrong += 1;
    }
    const answer = encodeHoldResponse({ state: random.chance(0.5) ? 'held' : 'taking', heldBytes: random.u32(), remainingSeconds: random.u32() });
    const response = decodeHoldResponse(mutate(random, random.pick(mutationKinds) ?? 'flip', answer, answer));
    if (response !== undefined && !(Number.isSafeInteger(response.heldBytes) && response.heldBytes >= 0)) wrong += 1;
  }
  return { decoded, wrong };
}

export function fuzzFetches(random: SeededRandom, rounds: number): LyingResult {
  const { world, ada, bob, adasRelay } = friends();
  const ends = new Map<string, number>();
  let [done, misjudged, mostKept] = [0, 0, 0];
  const result = (thrown: string | undefined, isHeldInTheEnd: boolean): LyingResult => ({ rounds: done, thrown, misjudged, badRecords: bob.count('named.bad-record'), mostKept, ends, isHeldInTheEnd });
  try {
    for (; done < rounds; done += 1) {
      const path = `n/${String(done)}`;
      const told = drawRecord(random, ada, bob, path);
      adasRelay.instead = (request) => (request.op === 'get-record' && request.kind === 'named' ? { bytes: told, sequence: random.u32() } : lieAboutHolding(random, request));
      if (random.chance(0.2)) publish(ada, random.bytes(random.integer(1, contentMaximumBytes)));
      bob.ask({ name: 'fetch-named', publicKey: ada.publicKey, path, relay: adasRelay.hint, begin: true });
      world.run(roundMs);
      const status = bob.engine.inspect.namedFetch(ada.publicKey, path);
      const end = status?.failure ?? (status?.found === undefined ? 'open' : 'found');
      ends.set(end, (ends.get(end) ?? 0) + 1);
      if (end !== honestEnd(told, ada, path)) misjudged += 1;
      bob.ask({ name: 'end-fetch-named', publicKey: ada.publicKey, path });
      world.run(secondMs);
      mostKept = Math.max(mostKept, bob.ownBlobs.all.length);
    }
    adasRelay.instead = undefined;
    publish(ada, random.bytes(contentMaximumBytes));
    world.run(restMs);
    return result(undefined, ada.engine.inspect.published()[0]?.file.state.state === 'ready');
  } catch (error) {
    return result(error instanceof Error ? error.stack ?? error.message : String(error), false);
  }
}

function drawRecord(random: SeededRandom, ada: StoryNode, bob: StoryNode, path: string): Uint8Array {
  const nowSeconds = Math.floor(ada.now.wallMs / 1_000);
  const signer = random.chance(0.8) ? ada : bob;
  const record = signedRecord(random, signer.identitySecret, nowSeconds, { path: random.chance(0.9) ? path : ownPath, lengths });
  if (random.chance(0.4)) return record;
  // A relay reads what it serves, so that damage has to leave the form alone to get anywhere.
  for (let tries = 0; tries < 20; tries += 1) {
    const damaged = mutate(random, random.pick(['flip', 'edit'] as const) ?? 'flip', record, record);
    if (decodeNamedRecord(damaged) !== undefined) return damaged;
  }
  return random.bytes(200);
}

/** What somebody is to be told who was given these bytes. */
function honestEnd(told: Uint8Array, publisher: StoryNode, path: string): string {
  const record = decodeNamedRecord(told);
  if (record?.identity !== publisher.publicKey || record.path !== path || isNamedRecordOver(record, publisher.now.wallMs) || !verifyNamedRecord(record)) return 'unknown';
  if (record.content === undefined) return 'withdrawn';
  return record.content.length > fileMaximumBytes ? 'too-large' : 'found';
}

function lieAboutHolding(random: SeededRandom, request: MailRequest): HoldResult | { readonly outcome: 'stored' | 'stale' | 'quota' } | undefined {
  if (request.op === 'put-record' && request.kind === 'named' && random.chance(0.7)) return { outcome: random.pick(['stored', 'stale', 'quota'] as const) ?? 'stale' };
  if (request.op !== 'hold-blob' || random.chance(0.3)) return undefined;
  const outcome = random.pick(['noted', 'quota', 'no-mailbox', 'token-revoked', 'stranger'] as const) ?? 'quota';
  return outcome === 'noted' ? { outcome, complete: random.chance(0.5), remainingSeconds: random.integer(0, 0xffff_ffff) } : { outcome };
}

function publish(node: StoryNode, bytes: Uint8Array): void {
  const content = { root: crypto.blake3(bytes), length: bytes.length };
  node.ownBlobs.apply({ op: 'begin', name: content });
  node.ownBlobs.apply({ op: 'write', name: content, offset: 0, bytes });
  node.ownBlobs.apply({ op: 'complete', name: content });
  node.ask({ name: 'publish', path: ownPath, content, mediaType: '' });
}
