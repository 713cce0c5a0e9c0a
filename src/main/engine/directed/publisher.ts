/**
 * What others may pull from here. It keeps nothing about who has got what: each request names the leaves it wants and is answered
 * from the datum alone, so a thousand requesters cost no more memory than one. Repetition is the requester's business.
 *
 * What is remembered for a session is which names it has shown (a request may then go by the 16-byte id) and which of its requests wait for
 * the disk. Both are bounded, and forgetting either costs a round trip and nothing else.
 */
import { encodeLeafResponse, encodeNegative } from '../wire/frame.ts';
import { datagramBytesFor } from '../path-mtu/sizes.ts';
import { bitmapHas } from '../wire/verbs.ts';
import { encodeFragmentOf, fragmentNeeds, proofNeeds, proofsOf } from './answers.ts';
import { MemoryDatum, keyText, nameKey } from './datum.ts';
import { FoundData } from './found-data.ts';
import { ShownNames } from './shown-names.ts';
import type { FrameRoom } from '../wire/frame.ts';
import type { Blake3Tree } from '../blake3/blake3-tree.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Instant, LeafRun, NegativeCode, RequestBody } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { Datum } from './datum.ts';
import type { InterestRelay } from './interest-relay.ts';
import type { ShownName } from './shown-names.ts';
import type { FrameSender, Publisher } from './types.ts';

/** Longest content that is pulled into memory: a letter body of the largest bucket. */
export const contentMaximumBytes = 66_560;
/** Lookups (of names that are not offered) under way: of all sessions, and of one. */
const lookupsMaximum = 512;
const lookupsPerSessionMaximum = 64;
/** Runs that wait for a lookup or the disk: of all sessions, and of one. A requester has a window's worth of them. */
const waitingMaximum = 8_192;
const waitingPerSessionMaximum = 1_024;
/** Times that one run waits: each of 64 leaves for itself and one block, a proof for two. More is a store that loses what it has just read. */
const loadsMaximum = 160;

type Fallback = Parameters<Publisher['setFallback']>[0];

interface Run { readonly sessionId: SessionId; readonly requestId: Uint8Array; readonly groupShift: number; readonly wanted: LeafRun; readonly loads: number }
interface Waiting { runs: number }
interface Lookup { readonly sessionId: SessionId; readonly runs: Run[] }

export class ContentPublisher implements Publisher {
  readonly #sender: FrameSender;
  readonly #tree: Blake3Tree;
  readonly #counters: Counters;
  readonly #frameRoom: FrameRoom | undefined;
  readonly #offered = new Map<string, { readonly datum: Datum; offers: number }>();
  readonly #lookups = new Map<string, Lookup>();
  readonly #found = new FoundData();
  readonly #shown = new ShownNames();
  readonly #waiting = new Map<SessionId, Waiting>();
  #waitingTotal = 0;
  #fallback: Fallback | undefined;
  #relay: InterestRelay | undefined;

  constructor(sender: FrameSender, tree: Blake3Tree, counters: Counters) {
    this.#sender = sender;
    this.#frameRoom = sender.frameRoom === undefined ? undefined : (sizeBytes) => sender.frameRoom?.(sizeBytes) ?? new Uint8Array(sizeBytes);
    this.#tree = tree;
    this.#counters = counters;
  }

  offer(name: ContentName, bytes: Uint8Array): void {
    if (bytes.length !== name.length) throw new RangeError(`the name says ${String(name.length)} bytes, offered are ${String(bytes.length)}`);
    this.offerDatum(name, new MemoryDatum(this.#tree, bytes));
  }

  offerDatum(name: ContentName, datum: Datum): void {
    const key = nameKey(name);
    const known = this.#offered.get(key);
    if (known === undefined) this.#offered.set(key, { datum, offers: 1 });
    else known.offers += 1;
  }

  withdraw(name: ContentName): void {
    const key = nameKey(name);
    const known = this.#offered.get(key);
    if (known === undefined) return;
    known.offers -= 1;
    if (known.offers === 0) this.#offered.delete(key);
  }

  setFallback(lookup: Fallback): void { this.#fallback = lookup; }

  /** What is not here is asked of others, for others. */
  setRelay(relay: InterestRelay): void { this.#relay = relay; }

  /** What was found or came through is not to be answered from memory any more. */
  forget(name: ContentName): void {
    this.#found.forget(nameKey(name));
    this.#relay?.forget(name);
  }

  handlePull(sessionId: SessionId, requestId: Uint8Array, body: Extract<RequestBody, { verb: 'pull' }>, now: Instant): void {
    const shown: ShownName = { name: { root: body.name.root.slice(), length: body.name.length }, key: nameKey(body.name), groupShift: body.groupShift };
    this.#shown.add(sessionId, keyText(requestId), shown);
    this.#answer(shown, { sessionId, requestId: requestId.slice(), groupShift: body.groupShift, wanted: keptRun(body), loads: 0 }, now);
  }

  handleMore(sessionId: SessionId, requestId: Uint8Array, body: LeafRun, now: Instant): void {
    const shown = this.#shown.get(sessionId, keyText(requestId));
    if (shown === undefined) this.#refuse(sessionId, requestId, 'unknown-name', now);
    else this.#answer(shown, { sessionId, requestId: requestId.slice(), groupShift: shown.groupShift, wanted: keptRun(body), loads: 0 }, now);
  }

  sessionLost(sessionId: SessionId): void {
    this.#shown.sessionLost(sessionId);
    this.#found.sessionLost(sessionId);
    for (const [key, lookup] of this.#lookups) if (lookup.sessionId === sessionId) this.#lookups.delete(key);
    this.#waitingTotal -= this.#waiting.get(sessionId)?.runs ?? 0;
    this.#waiting.delete(sessionId);
  }

  #answer(shown: ShownName, run: Run, now: Instant): void {
    const datum = this.#offered.get(shown.key)?.datum ?? this.#found.get(run.sessionId, shown.key, now);
    if (datum !== undefined) this.#serve(datum, run, 0, now);
    else this.#lookUp(shown, run, now);
  }

  #lookUp(shown: ShownName, run: Run, now: Instant): void {
    const { sessionId, requestId } = run;
    if (this.#fallback === undefined) { this.#forwardOrRefuse(shown, [run], now); return; }
    const key = `${String(sessionId)}/${shown.key}`;
    const underWay = this.#lookups.get(key);
    if (underWay !== undefined) {
      if (underWay.runs.length < waitingPerSessionMaximum) underWay.runs.push(run);
      return;
    }
    let own = 0;
    for (const lookup of this.#lookups.values()) if (lookup.sessionId === sessionId) own += 1;
    if (this.#lookups.size >= lookupsMaximum || own >= lookupsPerSessionMaximum) {
      this.#counters.count('lookups-full');
      this.#refuse(sessionId, requestId, 'busy', now);
      return;
    }
    const lookup: Lookup = { sessionId, runs: [run] };
    this.#lookups.set(key, lookup);
    this.#fallback(sessionId, shown.name, (found, at) => {
      if (this.#lookups.get(key) !== lookup) return;
      this.#lookups.delete(key);
      const datum = found instanceof Uint8Array ? new MemoryDatum(this.#tree, found) : found;
      if (datum?.lengthBytes !== shown.name.length) {
        this.#forwardOrRefuse(shown, lookup.runs, at);
        return;
      }
      this.#found.keep(sessionId, shown.key, datum, at);
      for (const each of lookup.runs) this.#serve(datum, each, 0, at);
    }, now);
  }

  /** Runs of one session, about one name. */
  #forwardOrRefuse(shown: ShownName, runs: readonly Run[], now: Instant): void {
    const left = runs.filter((run) => this.#relay?.forward(run.sessionId, run.requestId, { ...shown, groupShift: run.groupShift }, run.wanted, now) !== true);
    const [first] = left;
    if (first !== undefined) for (const requestId of distinctIds(left)) this.#refuse(first.sessionId, requestId, 'not-found', now);
  }

  /** Goes through the run from bit `from` on; where bytes have to be loaded first, the rest of the run waits for them. */
  #serve(datum: Datum, run: Run, from: number, now: Instant): void {
    const geometry = datum.geometry(run.groupShift);
    const record = datum.record(run.groupShift);
    if (geometry === undefined || (geometry.leafCount > 1 && record === undefined)) { this.#refuse(run.sessionId, run.requestId, 'too-large', now); return; }
    if (run.groupShift > 0 && datagramBytesFor(run.groupShift) > this.#sender.datagramLimitBytes(run.sessionId)) { this.#refuse(run.sessionId, run.requestId, 'too-large', now); return; }
    const { first, count, bitmap, proof } = run.wanted;
    if (from === 0 && proof && record !== undefined && first < geometry.leafCount) {
      const needs = proofNeeds(datum, record, first);
      if (needs !== undefined) { this.#wait(datum, run, 0, needs, now); return; }
      for (const payload of proofsOf(datum, record, first)) {
        this.#sender.send(run.sessionId, encodeLeafResponse(run.requestId, first, 'proof', payload.length, (room) => { room.set(payload); }), now);
      }
    }
    for (let bit = from; bit < count && first + bit < geometry.leafCount; bit += 1) {
      if (!bitmapHas(bitmap, bit)) continue;
      const leaf = first + bit;
      const needs = fragmentNeeds(datum, geometry, record, leaf);
      // A proof that was asked for has gone out: the rest goes on without it.
      if (needs !== undefined) { this.#wait(datum, { ...run, wanted: { ...run.wanted, proof: false } }, bit, needs, now); return; }
      this.#sender.send(run.sessionId, encodeFragmentOf(run.requestId, datum, geometry, record, leaf, this.#frameRoom), now);
    }
  }

  #wait(datum: Datum, run: Run, from: number, needs: { readonly offset: number; readonly sizeBytes: number }, now: Instant): void {
    const { sessionId } = run;
    const waiting = this.#waiting.get(sessionId) ?? { runs: 0 };
    if (waiting.runs >= waitingPerSessionMaximum || this.#waitingTotal >= waitingMaximum || run.loads >= loadsMaximum) {
      this.#counters.count('waiting-runs-full');
      this.#refuse(sessionId, run.requestId, 'busy', now);
      return;
    }
    this.#waiting.set(sessionId, waiting);
    waiting.runs += 1;
    this.#waitingTotal += 1;
    datum.load(needs.offset, needs.sizeBytes, (outcome, at) => {
      // The session has gone, and what it waited for with it: another one may have its number.
      if (this.#waiting.get(sessionId) !== waiting) return;
      waiting.runs -= 1;
      if (waiting.runs === 0) this.#waiting.delete(sessionId);
      this.#waitingTotal -= 1;
      if (outcome === 'ready') this.#serve(datum, { ...run, loads: run.loads + 1 }, from, at);
      else this.#refuse(sessionId, run.requestId, 'gone', at);
    }, now);
  }

  #refuse(sessionId: SessionId, requestId: Uint8Array, code: NegativeCode, now: Instant): void {
    this.#sender.send(sessionId, encodeNegative(requestId, { code, retryAfterSeconds: code === 'busy' ? 1 : 0, detail: 0 }), now);
  }
}

/** One for each size of leaves in which the name was asked for. */
function distinctIds(runs: readonly Run[]): readonly Uint8Array[] {
  return [...new Map(runs.map(({ requestId }) => [keyText(requestId), requestId])).values()];
}

const keptRun = ({ first, count, bitmap, proof, nonce, hopLimit }: LeafRun): LeafRun => ({ first, count, bitmap: bitmap.slice(), proof, nonce: nonce.slice(), hopLimit });
