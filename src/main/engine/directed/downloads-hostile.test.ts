/** Holders that lie, answer what was not asked, forget, or read from a slow store: each costs retries, never a wrong byte, and never the download. */
import { describe, expect, it } from 'vitest';
import { noise } from '../lockstep/testing.ts';
import { equalBytes } from '../wire/bytes.ts';
import { decodeFrame, encodeLeafResponse, encodeNegative, encodeRequest, pullRequestId } from '../wire/frame.ts';
import { bitmapOf } from '../wire/verbs.ts';
import { MemoryDatum } from './datum.ts';
import { Fetch, Network, crypto, nameOf } from './downloads-testing.ts';
import type { Datum, DatumLoaded } from './datum.ts';
import type { Instant } from '../wire/types.ts';

const payloadOffset = 22;
const isProof = (frame: Uint8Array): boolean => frame[0] === 2 && frame[21] === 4;
const isFragment = (frame: Uint8Array): boolean => frame[0] === 2 && frame[21] === 0;
const flipped = (frame: Uint8Array, at: number): Uint8Array => frame.with(at, (frame[at] ?? 0) ^ 0x40);

const lies: Readonly<Record<string, (frame: Uint8Array) => Uint8Array | undefined>> = {
  data: (frame) => isFragment(frame) ? flipped(frame, frame.length - 1) : frame,
  pairs: (frame) => isFragment(frame) && frame.length > payloadOffset + 1_024 ? flipped(frame, payloadOffset + 3) : frame,
  proofs: (frame) => isProof(frame) ? flipped(frame, payloadOffset + 40) : frame,
  'proofs without a known part': (frame) => isProof(frame) ? frame.with(payloadOffset, 9) : frame,
  lengths: (frame) => frame[0] === 2 ? frame.subarray(0, frame.length - 1) : frame,
  numbers: (frame) => isFragment(frame) ? frame.with(20, (frame[20] ?? 0) ^ 1) : frame,
  'numbers near the end of 32 bits': (frame) => isFragment(frame) ? frame.with(17, 255).with(18, 255) : frame,
  negatives: (frame) => encodeNegative(frame.subarray(1, 17), { code: 'not-found', retryAfterSeconds: 0, detail: 0 }),
  'negatives of no known code': (frame) => encodeNegative(frame.subarray(1, 17), { code: 'quota', retryAfterSeconds: 0xffff_ffff, detail: 9 }).with(payloadOffset, 200),
  'some data': (frame) => isFragment(frame) && (frame[20] ?? 0) % 3 === 0 ? flipped(frame, frame.length - 5) : frame,
};

describe('a holder that lies', () => {
  for (const [lie, tamper] of Object.entries(lies)) {
    it(`about ${lie} does not harm a download while another is honest`, () => {
      for (const order of [[1, 2], [2, 1]]) {
        const network = new Network([{ rateBytesPerMs: 1_000, jitterMs: 5 }, { delayMs: 3, rateBytesPerMs: 2_000 }]);
        const bytes = noise(400_000);
        network.link(2).tamper = tamper;
        const fetch = new Fetch(network, network.offer(bytes), order);
        network.run(60_000);
        expect([fetch.completed, fetch.repeatedBytes, fetch.afterEnd]).toEqual([1, 0, 0]);
        expect(equalBytes(fetch.bytes, bytes)).toBe(true);
        expect(fetch.tookMs).toBeLessThan(3_000);
        expect(fetch.refusals.every(({ sessionId }) => sessionId === 2)).toBe(true);
        expect(fetch.ends.every(({ sessionId }) => sessionId === 2)).toBe(true);
        network.run(10_500);
        expect(network.reader.pollTimeout()).toBeUndefined();
      }
    });
  }

  it('is named, counted and ended, also when its lies wait for their turn', () => {
    const network = new Network([{ delayMs: 60, rateBytesPerMs: 500 }, { delayMs: 2, rateBytesPerMs: 5_000 }]);
    const bytes = noise(600_000);
    network.link(2).tamper = (frame) => isFragment(frame) ? flipped(frame, frame.length - 1) : frame;
    const fetch = new Fetch(network, network.offer(bytes), [1, 2]);
    network.run(60_000);
    expect(fetch.completed).toBe(1);
    expect(fetch.ends).toEqual([{ sessionId: 2, reason: 'lying' }]);
    expect(fetch.refusals.length).toBeGreaterThanOrEqual(8);
    expect(network.reader.dropCounters['source-lying']).toBe(1);
  });

  it('about what its path carries gains nothing', () => {
    const network = new Network([{ limitBytes: 65_507, carriesBytes: 1_452, rateBytesPerMs: 2_000 }]);
    const bytes = noise(2_000_000);
    const name = network.offer(bytes);
    // Answers to probes, cut down to what passes.
    const pads = new Set<string>();
    network.watch = (from, _, frame) => {
      const decoded = decodeFrame(frame);
      if (from === 'reader' && decoded?.type === 'request' && decoded.body.verb === 'pad') pads.add(frame.subarray(2, 18).join());
    };
    network.link(1).tamper = (frame) => pads.has(frame.subarray(1, 17).join()) ? frame.subarray(0, 1_000) : frame;
    const fetch = new Fetch(network, name, [1]);
    network.run(60_000);
    expect(fetch.completed).toBe(1);
    expect(network.reader.dropCounters['download-regrouped']).toBeUndefined();
    expect(network.reader.dropCounters['bad-probe-answer']).toBeGreaterThan(0);
  });

  it('with answers to what nobody asked is not listened to', () => {
    const network = new Network([{}, {}]);
    const bytes = noise(200_000);
    const name = network.offer(bytes);
    const fetch = new Fetch(network, name, [1]);
    const id = pullRequestId(crypto, name, 0);
    for (let leaf = 0; leaf < 300; leaf += 1) {
      for (const kind of ['fragment', 'proof'] as const) {
        network.reader.handleFrame(1, encodeLeafResponse(id, leaf * 0x00ff_ffff % 2 ** 32, kind, leaf % 40, () => undefined), network.now);
        network.reader.handleFrame(2, encodeLeafResponse(id, leaf, kind, 1_024, () => undefined), network.now);
      }
    }
    network.run(10_000);
    expect([fetch.completed, fetch.ends]).toEqual([1, []]);
    expect(network.reader.dropCounters['unasked-fragment']).toBeGreaterThan(500);
  });
});

describe('a holder that forgets names', () => {
  it('is shown them again, once for each time', () => {
    const network = new Network([{ delayMs: 40, rateBytesPerMs: 2_000 }]);
    const bytes = noise(800_000);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    for (const atMs of [200, 300, 400, 500]) network.after(atMs, () => { network.holder(1).sessionLost(1, network.now); });
    network.run(60_000);
    expect([fetch.completed, fetch.ends]).toEqual([1, []]);
    expect(equalBytes(fetch.bytes, bytes)).toBe(true);
    expect(fetch.tookMs).toBeLessThan(2_500);
  });
});

/** Bytes that have to be read first: later, in another order, and not always. */
class SlowDatum implements Datum {
  readonly #network: Network;
  readonly #whole: MemoryDatum;
  readonly #atHand: number[] = [];
  readonly #keeps: number;
  readonly #fails: (read: number) => boolean;
  reads = 0;

  constructor(network: Network, bytes: Uint8Array, keeps: number, fails: (read: number) => boolean) {
    this.#network = network;
    this.#whole = new MemoryDatum(crypto.tree, bytes);
    this.#keeps = keeps;
    this.#fails = fails;
  }

  get lengthBytes(): number { return this.#whole.lengthBytes; }
  get memoryBytes(): number { return 0; }
  geometry(groupShift: number): ReturnType<Datum['geometry']> { return this.#whole.geometry(groupShift); }
  record(groupShift: number): ReturnType<Datum['record']> { return this.#whole.record(groupShift); }
  peek(offset: number, sizeBytes: number): Uint8Array | undefined { return this.#atHand.includes(Math.floor(offset / 32_768)) ? this.#whole.peek(offset, sizeBytes) : undefined; }

  load(offset: number, _sizeBytes: number, loaded: DatumLoaded, _now: Instant): void {
    this.reads += 1;
    const failed = this.#fails(this.reads);
    this.#network.after((this.reads * 7) % 23, () => {
      if (!failed) this.#atHand.push(Math.floor(offset / 32_768));
      if (this.#atHand.length > this.#keeps) this.#atHand.shift();
      loaded(failed ? 'failed' : 'ready', this.#network.now);
    });
  }
}

describe('a holder with a slow store', () => {
  it('delays and reorders, and the content comes', () => {
    for (const keeps of [1, 4, 100]) {
      const network = new Network([{ rateBytesPerMs: 2_000 }]);
      const bytes = noise(700_000);
      network.holder(1).publisher.offerDatum(nameOf(bytes), new SlowDatum(network, bytes, keeps, () => false));
      const fetch = new Fetch(network, nameOf(bytes), [1]);
      network.run(120_000);
      expect([fetch.completed, fetch.ends, fetch.repeatedBytes]).toEqual([1, [], 0]);
      expect(equalBytes(fetch.bytes, bytes)).toBe(true);
    }
  });

  it('that fails is left for another', () => {
    const network = new Network([{ rateBytesPerMs: 1_000 }, { rateBytesPerMs: 200 }]);
    const bytes = noise(500_000);
    network.holder(1).publisher.offerDatum(nameOf(bytes), new SlowDatum(network, bytes, 4, (read) => read > 6));
    network.offer(bytes, [2]);
    const fetch = new Fetch(network, nameOf(bytes), [1, 2]);
    network.run(60_000);
    expect([fetch.completed, fetch.ends]).toEqual([1, [{ sessionId: 1, reason: 'absent' }]]);
  });

  it('that loses what it has just read does not read for ever', () => {
    const network = new Network([{}]);
    const bytes = noise(500_000);
    const datum = new SlowDatum(network, bytes, 0, () => false);
    network.holder(1).publisher.offerDatum(nameOf(bytes), datum);
    const fetch = new Fetch(network, nameOf(bytes), [1]);
    network.run(5_000);
    fetch.cancel(network.now);
    network.run(10_000);
    const { reads } = datum;
    network.run(60_000);
    expect(datum.reads).toBe(reads);
  });

  it('does not answer a new session for what an old one asked', () => {
    const network = new Network([{}]);
    const bytes = noise(100_000);
    const name = nameOf(bytes);
    network.holder(1).publisher.offerDatum(name, new SlowDatum(network, bytes, 4, () => false));
    const ask = (first: number): void => {
      network.holder(1).handleFrame(1, encodeRequest(pullRequestId(crypto, name, 0), { verb: 'pull', name, groupShift: 0, first, proof: false, count: 1, bitmap: bitmapOf([0]), nonce: new Uint8Array(8), hopLimit: 8 }), network.now);
    };
    const answered: number[] = [];
    network.watch = (from, _, frame) => { if (from === 'holder') answered.push(frame[20] ?? 0); };
    ask(3);
    network.holder(1).sessionLost(1, network.now);
    ask(40);
    network.run(1_000);
    expect(answered).toEqual([40]);
  });
});

describe('names out of all proportion', () => {
  it('are refused without doing anything for them', () => {
    const network = new Network([{}]);
    for (const length of [2 ** 53 - 1, 2 ** 53, -1, 1.5, NaN, 2 ** 42 + 1]) {
      expect(network.reader.download({ root: new Uint8Array(32), length }, { trafficClass: 'bulk', keptMaximumBytes: 1, verified: () => undefined, completed: () => undefined, sourceEnded: () => undefined }, network.now)).toBeUndefined();
    }
    for (const length of [2 ** 53 - 1, 2 ** 41, 0]) {
      const name = { root: new Uint8Array(32), length };
      network.holder(1).handleFrame(1, encodeRequest(pullRequestId(crypto, name, 5), { verb: 'pull', name, groupShift: 5, first: 0xffff_ffff, proof: true, count: 64, bitmap: bitmapOf([0, 63]), nonce: new Uint8Array(8), hopLimit: 8 }), network.now);
    }
    const bytes = noise(10_000);
    const name = network.offer(bytes);
    for (const first of [0, 9, 10, 0x7fff_ffff, 0x8000_0000, 0xffff_ffc0, 0xffff_ffff]) {
      network.holder(1).handleFrame(1, encodeRequest(pullRequestId(crypto, name, 0), { verb: 'pull', name, groupShift: 0, first, proof: true, count: 64, bitmap: bitmapOf([0, 63]), nonce: new Uint8Array(8), hopLimit: 8 }), network.now);
    }
    // Three times "not found", two proofs, two leaves.
    expect(network.responses).toBe(7);
  });

  it('that are as large as can be are asked for, and cost no memory', () => {
    const network = new Network([{}]);
    const fetch = new Fetch(network, { root: new Uint8Array(32), length: 2 ** 42 - 2 ** 10 }, [1], { into: new Uint8Array(0) });
    expect(network.requests).toBe(1);
    network.run(1_000);
    expect(fetch.ends).toEqual([{ sessionId: 1, reason: 'absent' }]);
  });
});
