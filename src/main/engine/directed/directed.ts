/**
 * Directed messaging between two sides of a session.
 *
 * THE RULE. Every packet is a request or a response, and every response answers a request by its id. Nobody sends what was not asked
 * for; a relay that has news sends the request `notify`, which says that asking is worth while or shows one short letter. Whatever is bigger than a packet
 * has a content name (BLAKE3 root and length) and is *pulled* by whoever wants it, also when it is being written: a deposit announces a
 * body, and the relay pulls it from the depositor. So there is one machine that moves bulk data, and it stands at the receiving end,
 * where loss and room are known.
 *
 * THE PARTS. `request-table.ts` holds our requests until they are answered, repeats them, and puts the fragments of long answers together.
 * `responder.ts` runs a handler once for each request of the other side and remembers the answer for repetitions. `publisher.ts` answers
 * pulls from a datum alone (`datum.ts`, `answers.ts`) and keeps nothing about who pulls. `puller.ts` downloads: one `Download` for each content, one `Source` in it for
 * each holder, one congested path for each session (`session-path.ts`); `holders.ts` for who is asked, `arrivals.ts` for what comes, `refusals.ts` and `silence.ts` for what does not, `asking.ts` for who asks now, `leaf-plan.ts` for what is asked next, and `leaf-sizes.ts` for how large the leaves are; `memory-pulls.ts` is its use for small contents.
 *
 * CORRECTNESS never rests on what is remembered here. Every verb is idempotent, so a forgotten answer means work done twice and nothing
 * else; a restart of either side ends everything pending as `session-lost`, and the layers above ask again. Timeouts only decide when
 * to repeat; a request ends by its answer, its deadline or its session.
 *
 * HOSTILE PEERS. A session is authenticated, not trusted. Tables have bounds, each with a counter; a name's length is checked before
 * anything is done for it, and memory is taken by fragments that came, not by lengths that were claimed; each fragment is
 * proved by itself against the name (engine/lockstep), and one that does not prove costs its holder, never the download. What cannot be understood but
 * has a request's outside is answered `malformed`, so that a newer peer learns at once that this one does not know a verb.
 *
 * TIME comes in with each call. A session tells its smoothed round trip and which datagrams its path carries; everything else about a path is learned from
 * what was asked and what came (engine/congestion), at this side alone.
 */
import { decodeFrame, encodeLeafResponse, encodeNegative, requestHeaderBytes, responseHeaderBytes, transportOverheadBytes } from '../wire/frame.ts';
import { Counters } from './counters.ts';
import { ContentPublisher } from './publisher.ts';
import { InterestRelay } from './interest-relay.ts';
import { MemoryPulls } from './memory-pulls.ts';
import { DownloadMachine } from './puller.ts';
import { RequestTable } from './request-table.ts';
import { Responder } from './responder.ts';
import type { Crypto, RandomBytes } from '../crypto.ts';
import type { SessionId } from '../session/types.ts';
import type { ContentName, Instant, RequestBody } from '../wire/types.ts';
import type { PullDone } from './memory-pulls.ts';
import type { Directed, DownloadHandle, DownloadOptions, FrameSender, MemoryUse, Publisher, RequestHandler, RequestOptions } from './types.ts';

const requestKind = 0x01;
const requestIdOffset = 2;

export const createDirected = (sender: FrameSender, crypto: Crypto, random: RandomBytes): Directed => new DirectedLayer(sender, crypto, random);

class DirectedLayer implements Directed {
  readonly #counters = new Counters();
  readonly #sender: FrameSender;
  readonly #crypto: Crypto;
  #relay: InterestRelay | undefined;
  readonly #requests: RequestTable;
  readonly #responder: Responder;
  readonly #publisher: ContentPublisher;
  readonly #machine: DownloadMachine;
  readonly #pulls: MemoryPulls;

  constructor(sender: FrameSender, crypto: Crypto, random: RandomBytes) {
    this.#sender = sender;
    this.#crypto = crypto;
    this.#requests = new RequestTable(sender, random, this.#counters);
    this.#responder = new Responder(sender, this.#counters);
    this.#publisher = new ContentPublisher(sender, crypto.tree, this.#counters);
    this.#machine = new DownloadMachine(sender, crypto, random, this.#counters);
    this.#pulls = new MemoryPulls(this.#machine, crypto, this.#counters);
  }

  get publisher(): Publisher { return this.#publisher; }
  get dropCounters(): Readonly<Record<string, number>> { return this.#counters.all; }

  request(sessionId: SessionId, body: RequestBody, options: RequestOptions, now: Instant): void {
    this.#requests.request(sessionId, body, options, now);
  }

  pull(sessionId: SessionId, name: ContentName, done: PullDone, now: Instant): void { this.#pulls.pull(sessionId, name, done, now); }

  download(name: ContentName, options: DownloadOptions, now: Instant): DownloadHandle | undefined { return this.#machine.start(name, options, now); }

  handle(verb: RequestBody['verb'], handler: RequestHandler): void {
    if (verb === 'pull' || verb === 'more' || verb === 'pad') throw new RangeError('pulls are answered by the publisher: use publisher.offer or publisher.setFallback');
    this.#responder.handle(verb, handler);
  }

  handleFrame(sessionId: SessionId, bytes: Uint8Array, now: Instant): MemoryUse {
    const frame = decodeFrame(bytes);
    if (frame === undefined) {
      this.#counters.count('bad-frame');
      if (bytes[0] === requestKind && bytes.length >= requestHeaderBytes) {
        this.#responder.refuseMalformed(sessionId, bytes.subarray(requestIdOffset, requestHeaderBytes), now);
      }
      return 'kept';
    }
    switch (frame.type) {
      case 'request':
        if (frame.body.verb === 'pull') this.#publisher.handlePull(sessionId, frame.requestId, frame.body, now);
        else if (frame.body.verb === 'more') this.#publisher.handleMore(sessionId, frame.requestId, frame.body, now);
        else if (frame.body.verb === 'pad') this.#answerPad(sessionId, frame.requestId, frame.body.datagramBytes, now);
        else this.#responder.handleRequest(sessionId, frame, now);
        return 'kept';
      case 'response': {
        // A content that is forwarded may be wanted here too. Downloads before requests: theirs are many.
        const forwarded = this.#relay?.handleResponse(sessionId, frame, bytes, now) === true;
        const use = this.#machine.handleResponse(sessionId, frame, now);
        if (use !== undefined) return use;
        if (forwarded) return 'none';
        if (!this.#requests.handleResponse(sessionId, frame, now)) this.#counters.count('unmatched-response');
        return 'kept';
      }
      default:
        frame satisfies never;
        return 'kept';
    }
  }

  flush(now: Instant): void { this.#machine.flush(now); }

  sessionLost(sessionId: SessionId, now: Instant): void {
    // What others asked of us first: callbacks of our own requests may lead to new ones on the same session.
    this.#responder.sessionLost(sessionId);
    this.#publisher.sessionLost(sessionId);
    this.#requests.sessionLost(sessionId, now);
    this.#pulls.sessionLost(sessionId, now);
    this.#machine.sessionLost(sessionId, now);
    this.#relay?.sessionLost(sessionId, now);
  }

  announce(sessionId: SessionId, name: ContentName, now: Instant): void {
    if (this.#relay === undefined) {
      this.#relay = new InterestRelay(this.#sender, this.#crypto, this.#counters);
      this.#publisher.setRelay(this.#relay);
    }
    this.#relay.announced(sessionId, name, now);
  }

  pathChanged(sessionId: SessionId, now: Instant): void { this.#machine.pathChanged(sessionId, now); }

  handleTimeout(now: Instant): void {
    this.#requests.handleTimeout(now);
    this.#machine.handleTimeout(now);
    this.#relay?.handleTimeout(now);
  }

  /** Stateless, and no larger than what a pull of one leaf brings. */
  #answerPad(sessionId: SessionId, requestId: Uint8Array, datagramBytes: number, now: Instant): void {
    const sizeBytes = datagramBytes - transportOverheadBytes - responseHeaderBytes;
    if (sizeBytes < 0 || datagramBytes > this.#sender.datagramLimitBytes(sessionId)) {
      this.#sender.send(sessionId, encodeNegative(requestId, { code: 'too-large', retryAfterSeconds: 0, detail: 0 }), now);
      return;
    }
    this.#sender.send(sessionId, encodeLeafResponse(requestId, 0, 'fragment', sizeBytes, () => undefined), now);
  }

  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined {
    const requestAtMs = this.#requests.nextAtMs();
    const pullAtMs = this.#machine.nextAtMs();
    const relayAtMs = this.#relay?.nextAtMs() ?? Infinity;
    if (relayAtMs < (requestAtMs ?? Infinity) && relayAtMs < (pullAtMs ?? Infinity)) return { atMs: relayAtMs, reason: 'forget interests' };
    if (requestAtMs !== undefined && (pullAtMs === undefined || requestAtMs <= pullAtMs)) return { atMs: requestAtMs, reason: 'repeat a request' };
    return pullAtMs === undefined ? undefined : { atMs: pullAtMs, reason: 'ask for fragments again' };
  }
}
