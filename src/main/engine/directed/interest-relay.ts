/**
 * Interest forwarding (engine/forwarding) on the wire: a pull that cannot be answered here goes to a session that says it has the content, and what comes
 * back goes the way the pull came, as it is. Only a relay does this. Each response proves itself to its requester; small contents are verified here
 * too (passing-verifier.ts), so that repeats are answered from the cache and a lie is asked for elsewhere at once.
 */
import { proofParts } from '../lockstep/codec.ts';
import { groupShiftMaximum } from '../lockstep/geometry.ts';
import { encodeLeafResponse, encodeNegative, encodeRequest, pullRequestId } from '../wire/frame.ts';
import { bitmapHas, bitmapOf, pullCountMaximum } from '../wire/verbs.ts';
import { Forwarder, ShownName } from '../forwarding/forwarding.ts';
import { keyText } from './datum.ts';
import { PassingVerifier } from './passing-verifier.ts';
import type { Crypto } from '../crypto.ts';
import type { Forward, RefusalReason, RerouteStep, ResponsePart } from '../forwarding/forwarding.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Frame, Instant, LeafRun, NegativeCode } from '../wire/types.ts';
import type { Counters } from './counters.ts';
import type { ShownName as NameOfSession } from './shown-names.ts';
import type { FrameSender } from './types.ts';

/** Names of which requests are forwarded, with what is needed to ask for them: as many as are announced at most. */
const namesMaximum = 65_536;

interface ForwardedName { readonly name: ContentName; readonly groupShift: number; readonly requestId: Uint8Array }

export class InterestRelay {
  readonly #sender: FrameSender;
  readonly #crypto: Crypto;
  readonly #counters: Counters;
  readonly #forwarder = new Forwarder();
  readonly #verifier: PassingVerifier;
  /** By the id's text; least recently announced first. */
  readonly #names = new Map<string, ForwardedName>();

  constructor(sender: FrameSender, crypto: Crypto, counters: Counters) {
    this.#sender = sender;
    this.#crypto = crypto;
    this.#counters = counters;
    this.#verifier = new PassingVerifier(crypto.tree);
  }

  /** This session says that it has the content, in leaves of any size. */
  announced(sessionId: SessionId, name: ContentName, now: Instant): void {
    for (let groupShift = 0; groupShift <= groupShiftMaximum; groupShift += 1) {
      const requestId = pullRequestId(this.#crypto, name, groupShift);
      const nameId = keyText(requestId);
      this.#names.delete(nameId);
      this.#names.set(nameId, { name, groupShift, requestId });
      this.#forwarder.routes.announced(sessionId, nameId, now.monotonicMs);
    }
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= namesMaximum) break;
      this.#names.delete(oldest);
    }
  }

  forget(name: ContentName): void {
    for (let groupShift = 0; groupShift <= groupShiftMaximum; groupShift += 1) {
      const nameId = keyText(pullRequestId(this.#crypto, name, groupShift));
      this.#forwarder.purge(nameId);
      this.#verifier.forget(nameId);
    }
  }

  /** False when nobody is known to have it. */
  forward(sessionId: SessionId, requestId: Uint8Array, shown: NameOfSession, run: LeafRun, now: Instant): boolean {
    const nameId = keyText(requestId);
    if (!this.#names.has(nameId)) return false;
    const name = ShownName.from(nameId, shown, (full) => keyText(pullRequestId(this.#crypto, full.name, full.groupShift)));
    if (name === undefined) return false;
    const items: number[] = [];
    for (let bit = 0; bit < run.count; bit += 1) if (bitmapHas(run.bitmap, bit)) items.push(run.first + bit);
    const nonce = keyText(run.nonce);
    const outcomes: (RefusalReason | undefined)[] = [];
    if (run.proof) outcomes.push(this.#ask({ from: sessionId, name, kind: 'proof', items: [run.first], nonce, hopLimit: run.hopLimit }, now));
    if (items.length > 0) outcomes.push(this.#ask({ from: sessionId, name, kind: 'fragment', items, nonce, hopLimit: run.hopLimit }, now));
    if (outcomes.every((refused) => refused === 'no-holder')) return false;
    // About these items only: the requester asks somebody else, or again, under another nonce.
    if (outcomes.some((refused) => refused === 'loop' || refused === 'hop-limit')) this.#refuse(sessionId, requestId, 'busy', now);
    return true;
  }

  /** True when somebody waited for it. */
  handleResponse(sessionId: SessionId, response: Extract<Frame, { type: 'response' }>, bytes: Uint8Array, now: Instant): boolean {
    if (this.#forwarder.pending.size === 0) return false;
    const nameId = keyText(response.requestId);
    const known = this.#names.get(nameId);
    if (known === undefined) return false;
    if (response.negative) {
      this.#carryOut(this.#forwarder.negative(sessionId, nameId, undefined, now.monotonicMs), now);
      return true;
    }
    const part: ResponsePart | undefined = response.proof ? proofParts[response.payload[0] ?? proofParts.length] : 'fragment';
    if (part === undefined) return false;
    const item = response.fragment;
    // Nobody makes us hash what we have not asked for.
    const judgement = this.#forwarder.isAwaited(sessionId, nameId, part, item) ? this.#verifier.judge(nameId, known.name, known.groupShift, part, item, response.payload) : 'unknown';
    if (judgement === 'false') {
      this.#counters.count('responses-untrue');
      this.#carryOut(this.#forwarder.lied(sessionId, nameId, part, item, now.monotonicMs), now);
      return true;
    }
    const sessions = this.#forwarder.response({ from: sessionId, nameId, part, item, payload: response.payload, verified: judgement === 'true' }, now.monotonicMs);
    for (const each of sessions) this.#sender.send(each, bytes, now);
    if (sessions.length > 0) this.#counters.count('responses-forwarded', sessions.length);
    return sessions.length > 0;
  }

  sessionLost(sessionId: SessionId, now: Instant): void { this.#carryOut(this.#forwarder.sessionLost(sessionId, now.monotonicMs), now); }

  handleTimeout(now: Instant): void { this.#forwarder.handleTimeout(now.monotonicMs); }
  nextAtMs(): number | undefined { return this.#forwarder.pollTimeout()?.atMs; }

  #ask(request: Parameters<Forwarder['request']>[0], now: Instant): RefusalReason | undefined {
    const step = this.#forwarder.request(request, now.monotonicMs);
    for (const { part, item, payload } of step.cached) {
      const requestId = this.#names.get(request.name.nameId)?.requestId;
      if (requestId === undefined) break;
      this.#sender.send(request.from, encodeLeafResponse(requestId, item, part === 'fragment' ? 'fragment' : 'proof', payload.length, (room) => { room.set(payload); }), now);
      this.#counters.count('responses-from-cache');
    }
    if (step.forward !== undefined) this.#send(step.forward, now);
    return step.refused;
  }

  #carryOut({ forwards, refusals }: RerouteStep, now: Instant): void {
    for (const forward of forwards) this.#send(forward, now);
    for (const { nameId, sessions } of refusals) {
      const requestId = this.#names.get(nameId)?.requestId;
      for (const each of sessions) if (requestId !== undefined) this.#refuse(each, requestId, 'not-found', now);
    }
  }

  #send({ to, nameId, kind, items, nonce, hopLimit }: Forward, now: Instant): void {
    const known = this.#names.get(nameId);
    if (known === undefined) return;
    const nonceBytes = bytesOfKey(nonce);
    let sent = 0;
    while (sent < items.length) {
      const first = items[sent] ?? 0;
      const leaves: number[] = [];
      for (let item = items[sent]; item !== undefined && item < first + pullCountMaximum; item = items[sent]) {
        leaves.push(item - first);
        sent += 1;
      }
      const run: LeafRun = kind === 'proof' ? { first, count: 0, bitmap: bitmapOf([]), proof: true, nonce: nonceBytes, hopLimit }
        : { first, count: (leaves.at(-1) ?? 0) + 1, bitmap: bitmapOf(leaves), proof: false, nonce: nonceBytes, hopLimit };
      this.#sender.send(to, encodeRequest(known.requestId, { verb: 'pull', name: known.name, groupShift: known.groupShift, ...run }), now);
      this.#counters.count('requests-forwarded');
    }
  }

  #refuse(sessionId: SessionId, requestId: Uint8Array, code: NegativeCode, now: Instant): void {
    this.#sender.send(sessionId, encodeNegative(requestId, { code, retryAfterSeconds: code === 'busy' ? 1 : 0, detail: 0 }), now);
  }
}

function bytesOfKey(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index += 1) {
    bytes[index * 2] = text.charCodeAt(index) >> 8;
    bytes[index * 2 + 1] = text.charCodeAt(index) & 0xff;
  }
  return bytes;
}

