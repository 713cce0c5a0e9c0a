/** Downloads from one holder and several: whole contents over links of all kinds, and leaves of the size that the path carries. */
import { describe, expect, it } from 'vitest';
import { noise } from '../lockstep/testing.ts';
import { equalBytes } from '../wire/bytes.ts';
import { decodeFrame, pullRequestId } from '../wire/frame.ts';
import { Fetch, Network, crypto } from './downloads-testing.ts';

const mebibyte = 1_048_576;
const loopback = { limitBytes: 65_507, carriesBytes: 65_507, rateBytesPerMs: 20_000, queueBytes: 2_000_000 };

function expectWhole(fetch: Fetch, bytes: Uint8Array): void {
  expect({ completed: fetch.completed, repeated: fetch.repeatedBytes, afterEnd: fetch.afterEnd }).toEqual({ completed: 1, repeated: 0, afterEnd: 0 });
  expect(equalBytes(fetch.bytes, bytes)).toBe(true);
  expect(fetch.handle.verifiedBytes).toBe(bytes.length);
}

/** Nothing of a download stays in the machine but the empty path, for its ten seconds. */
function expectNothingLeft(network: Network): void {
  network.run(10_500);
  expect(network.reader.pollTimeout()).toBeUndefined();
}

describe('a download from one holder', () => {
  it('brings contents of every number of leaves about the borders of leaves', () => {
    const network = new Network([{}]);
    const sizes = [0, 1, 1_023, 1_024, 1_025, ...[2, 3, 4, 5, 8, 16, 17, 63, 64, 65, 128].flatMap((leaves) => [leaves * 1_024 - 1, leaves * 1_024, leaves * 1_024 + 1])];
    const contents = sizes.map((size) => noise(size, size + 1));
    const fetches = contents.map((bytes) => new Fetch(network, network.offer(bytes), [1]));
    network.run(60_000);
    for (const [index, bytes] of contents.entries()) expectWhole(fetches[index] ?? new Fetch(network, network.offer(bytes), []), bytes);
    expect(network.reader.pollTimeout()).toBeUndefined();
  });

  it('brings 12 MiB over a plain link near its rate', () => {
    const network = new Network([{ delayMs: 20, rateBytesPerMs: 5_000, queueBytes: 200_000 }]);
    const bytes = noise(12 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    network.run(120_000);
    expectWhole(fetch, bytes);
    expect(fetch.tookMs).toBeLessThan(2 * bytes.length / 5_000);
    expectNothingLeft(network);
  });

  it('comes through loss, doubling and reordering', () => {
    const network = new Network([{ delayMs: 30, jitterMs: 25, loss: 0.05, doubled: 0.1 }]);
    const bytes = noise(2 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    network.run(120_000);
    expectWhole(fetch, bytes);
    expectNothingLeft(network);
  });

  it('fetches in the largest leaves that the path carries', () => {
    const network = new Network([loopback]);
    const bytes = noise(10 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    network.run(60_000);
    expectWhole(fetch, bytes);
    expect(network.reader.dropCounters['download-regrouped']).toBe(1);
    expect(network.responses).toBeLessThan(1_000);
    // The path is known by now: the next one is asked for in large leaves from the start.
    const before = network.responses;
    const other = noise(4 * mebibyte, 5);
    const again = new Fetch(network, network.offer(other), [1]);
    network.run(5_000, () => again.completed > 0);
    expectWhole(again, other);
    expect(network.responses - before).toBeLessThan(160);
    expectNothingLeft(network);
  });

  it('finds the leaves that pass where a network between drops larger datagrams', () => {
    const network = new Network([{ ...loopback, rateBytesPerMs: 2_000, carriesBytes: 5_000 }]);
    const bytes = noise(12 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    network.run(60_000);
    expectWhole(fetch, bytes);
    // Leaves of 4 KiB, once they were found.
    expect(network.responses).toBeLessThan(7_000);
  });

  it('goes back to small leaves when large ones begin to vanish, and forwards when they pass again', () => {
    const network = new Network([{ ...loopback, rateBytesPerMs: 1_000 }]);
    const bytes = noise(20 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    network.after(3_000, () => { network.link(1).carriesBytes = 1_452; });
    network.after(25_000, () => { network.link(1).carriesBytes = 65_507; network.reader.pathChanged(1, network.now); });
    network.run(120_000);
    expectWhole(fetch, bytes);
    expect(fetch.ends).toEqual([]);
    expect(network.reader.dropCounters['download-regrouped']).toBeGreaterThanOrEqual(3);
    expectNothingLeft(network);
  });

  it('goes on over another path that is known to carry less', () => {
    const network = new Network([{ ...loopback, rateBytesPerMs: 2_000 }]);
    const bytes = noise(8 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    const tooLarge: number[] = [];
    network.after(1_000, () => {
      Object.assign(network.link(1), { limitBytes: 1_452, carriesBytes: 1_452 });
      network.reader.pathChanged(1, network.now);
      network.watch = (from, _, frame) => {
        const decoded = decodeFrame(frame);
        if (from === 'reader' && decoded?.type === 'request' && decoded.body.verb === 'pad' && decoded.body.datagramBytes > 1_452) tooLarge.push(decoded.body.datagramBytes);
      };
    });
    network.run(60_000);
    expectWhole(fetch, bytes);
    expect(fetch.ends).toEqual([]);
    expect(tooLarge).toEqual([]);
  });
});

describe('a download from several holders', () => {
  it('is faster than from either', () => {
    const bytes = noise(6 * mebibyte);
    const took = [[1], [2], [1, 2]].map((sessionIds) => {
      const network = new Network([{ delayMs: 10, rateBytesPerMs: 1_000, queueBytes: 100_000 }, { delayMs: 25, rateBytesPerMs: 1_000, queueBytes: 100_000 }]);
      const fetch = new Fetch(network, network.offer(bytes), sessionIds);
      network.run(120_000);
      expectWhole(fetch, bytes);
      expectNothingLeft(network);
      return fetch.tookMs;
    });
    expect(took[2]).toBeLessThan(0.7 * Math.min(took[0] ?? 0, took[1] ?? 0));
  });

  it('takes what each can give, with three of different delay, loss and rate', () => {
    const network = new Network([
      { delayMs: 5, rateBytesPerMs: 2_000 }, { delayMs: 60, jitterMs: 30, loss: 0.03, rateBytesPerMs: 1_000 }, { delayMs: 150, rateBytesPerMs: 100, queueBytes: 20_000 },
    ]);
    const bytes = noise(4 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1, 2, 3]);
    network.run(120_000);
    expectWhole(fetch, bytes);
    expect(fetch.tookMs).toBeLessThan(1.5 * bytes.length / 2_000);
    expectNothingLeft(network);
  });

  it('is not delayed by one that is slow', () => {
    const bytes = noise(mebibyte);
    const alone = new Network([{ rateBytesPerMs: 2_000 }]);
    const quick = new Fetch(alone, alone.offer(bytes), [1]);
    alone.run();
    const network = new Network([{ rateBytesPerMs: 2_000 }, { delayMs: 400, rateBytesPerMs: 5 }]);
    const fetch = new Fetch(network, network.offer(bytes), [2, 1]);
    network.run();
    expectWhole(fetch, bytes);
    expect(fetch.tookMs).toBeLessThan(1.5 * quick.tookMs);
  });

  it.each([
    { delayMs: 100, rateBytesPerMs: 250 }, { delayMs: 300, rateBytesPerMs: 12.5 }, { delayMs: 1_000, rateBytesPerMs: 2 },
  ])('is not delayed by one that is slow although little may be kept: $delayMs ms, $rateBytesPerMs bytes/ms', (slow) => {
    const bytes = noise(4 * mebibyte);
    const keptMaximumBytes = 128 * 1_024;
    const alone = new Network([{ delayMs: 20, rateBytesPerMs: 2_500 }]);
    const quick = new Fetch(alone, alone.offer(bytes), [1], { keptMaximumBytes });
    alone.run();
    const network = new Network([{ delayMs: 20, rateBytesPerMs: 2_500 }, { queueBytes: 100_000, ...slow }]);
    const fetch = new Fetch(network, network.offer(bytes), [1, 2], { keptMaximumBytes });
    network.run();
    expectWhole(fetch, bytes);
    expect(fetch.tookMs).toBeLessThan(1.25 * quick.tookMs);
  });

  it.each([128 * 1_024, 512 * 1_024, 4 * mebibyte])('goes on with the slow one when the quick one falls silent, %d bytes being kept', (keptMaximumBytes) => {
    const bytes = noise(2 * mebibyte);
    const slow = { delayMs: 100, rateBytesPerMs: 250, queueBytes: 100_000 };
    const alone = new Network([slow]);
    const one = new Fetch(alone, alone.offer(bytes), [1], { keptMaximumBytes });
    alone.run();
    const network = new Network([{ delayMs: 20, rateBytesPerMs: 2_500 }, slow]);
    const fetch = new Fetch(network, network.offer(bytes), [1, 2], { keptMaximumBytes });
    network.after(300, () => { network.link(1).down = true; });
    network.run();
    expectWhole(fetch, bytes);
    expect(fetch.tookMs).toBeLessThan(1.1 * one.tookMs);
  });

  it.each([{ delayMs: 2, rateBytesPerMs: 1_000, queueBytes: 30_000 }, { delayMs: 5, rateBytesPerMs: 2_500, queueBytes: 60_000 }])('goes on with the slow one when the quick one brings others\' contents and nothing of this: $delayMs ms', (quick) => {
    const bytes = noise(mebibyte);
    const keptMaximumBytes = 128 * 1_024;
    const slow = { delayMs: 150, rateBytesPerMs: 250, queueBytes: 100_000 };
    const alone = new Network([slow]);
    const one = new Fetch(alone, alone.offer(bytes), [1], { keptMaximumBytes });
    alone.run();
    const network = new Network([quick, slow]);
    const name = network.offer(bytes);
    const ignored = pullRequestId(crypto, name, 0);
    network.link(1).tamper = (frame) => equalBytes(frame.subarray(1, 17), ignored) ? undefined : frame;
    const busy = new Fetch(network, network.offer(noise(20 * mebibyte, 2), [1]), [1]);
    network.run(500);
    const fetch = new Fetch(network, name, [1, 2], { keptMaximumBytes });
    network.run(120_000, () => fetch.over && busy.over);
    expectWhole(fetch, bytes);
    expect(fetch.tookMs).toBeLessThan(1.5 * one.tookMs);
  });

  it('is not delayed by one that falls silent, whatever it was asked for last', () => {
    const bytes = noise(mebibyte);
    for (const silentAfterMs of [0, 15, 40, 100, 200, 400]) {
      const network = new Network([{ rateBytesPerMs: 2_000 }, { delayMs: 5, rateBytesPerMs: 2_000 }]);
      const fetch = new Fetch(network, network.offer(bytes), [2, 1]);
      network.after(silentAfterMs, () => { network.link(2).down = true; });
      network.run();
      expectWhole(fetch, bytes);
      expect(fetch.tookMs).toBeLessThan(2_500);
      expectNothingLeft(network);
    }
  });

  it('goes on with the one that is left when the others end, with nothing in between', () => {
    const network = new Network([{ rateBytesPerMs: 500 }, { rateBytesPerMs: 500 }]);
    const bytes = noise(mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1, 2]);
    network.after(300, () => { network.loseSession(2); });
    network.after(600, () => { fetch.handle.addSource(2, network.now); });
    network.after(900, () => { fetch.handle.removeSource(1, network.now); });
    network.run();
    expectWhole(fetch, bytes);
    expect(fetch.ends).toEqual([{ sessionId: 2, reason: 'session-lost' }]);
    expect(fetch.tookMs).toBeLessThan(4_000);
    expectNothingLeft(network);
  });

  it('uses leaves that all of them can send, and asks nobody for larger ones', () => {
    const network = new Network([loopback, { delayMs: 15, limitBytes: 1_452, carriesBytes: 1_452, rateBytesPerMs: 2_000 }]);
    const bytes = noise(12 * mebibyte);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    network.after(200, () => { fetch.handle.addSource(2, network.now); });
    network.run(300);
    expect(fetch.ends).toEqual([]);
    network.after(200, () => { fetch.handle.removeSource(2, network.now); });
    network.run(60_000);
    expectWhole(fetch, bytes);
    expect(fetch.ends).toEqual([]);
    expect(network.holder(2).dropCounters).toEqual({});
    expectNothingLeft(network);
  });
});

describe('a download that is resumed', () => {
  it('asks for what is missing only, from the same holder and from others, in leaves of any size', () => {
    const bytes = noise(3 * mebibyte + 17);
    for (const atMs of [0, 25, 60, 150, 400]) {
      const first = new Network([{ ...loopback, rateBytesPerMs: 4_000 }]);
      const begun = new Fetch(first, first.offer(bytes), [1]);
      first.run(atMs);
      const { snapshot, verifiedBytes } = begun.handle;
      const second = new Network([{ rateBytesPerMs: 3_000, limitBytes: 1_452, carriesBytes: 1_452 }, { rateBytesPerMs: 1_000, delayMs: 40 }]);
      const fetch = new Fetch(second, second.offer(bytes), [1, 2], { snapshot, into: begun.bytes.slice() });
      expect(fetch.handle.verifiedBytes).toBe(verifiedBytes);
      second.run();
      expectWhole(fetch, bytes);
      expect(fetch.ends).toEqual([]);
      expectNothingLeft(second);
    }
  });

  it('that was complete is complete with its first holder, without asking', () => {
    const bytes = noise(5_000);
    const network = new Network([{}]);
    const begun = new Fetch(network, network.offer(bytes), [1]);
    network.run();
    const requests = network.requests;
    const fetch = new Fetch(network, network.offer(bytes), [1], { snapshot: begun.handle.snapshot, into: bytes.slice() });
    fetch.handle.addSource(1, network.now);
    expectWhole(fetch, bytes);
    expect(network.requests).toBe(requests);
  });

  it('begins anew with a damaged snapshot', () => {
    const bytes = noise(300_000);
    const network = new Network([{}]);
    const name = network.offer(bytes);
    const begun = new Fetch(network, name, [1]);
    network.run(45);
    const { snapshot } = begun.handle;
    expect(begun.handle.verifiedBytes).toBeGreaterThan(0);
    begun.cancel(network.now);
    for (const damaged of [new Uint8Array(0), snapshot.subarray(1), snapshot.with(0, 9), snapshot.with(20, 1 ^ (snapshot[20] ?? 0)), snapshot.with(snapshot.length - 8, 255)]) {
      const fetch = new Fetch(network, name, [1], { snapshot: damaged });
      expect(fetch.handle.verifiedBytes).toBe(0);
      network.run(5_000);
      expectWhole(fetch, bytes);
    }
  });

  it('takes the proof of a seek in two parts, in any order and with either lost', () => {
    const bytes = new Uint8Array(129 * mebibyte);
    const total = bytes.length / 1_024;
    const network = new Network([{ jitterMs: 8 }]);
    const name = network.offer(bytes);
    const gap = 43_691;
    const snapshot = new Uint8Array(1 + 1 + 8 + 32 + 2 + 32);
    const view = new DataView(snapshot.buffer);
    snapshot[0] = 1;
    view.setBigUint64(2, BigInt(bytes.length));
    snapshot.set(name.root, 10);
    view.setUint16(42, 2);
    for (const [index, value] of [0, gap, gap + 40, total].entries()) view.setBigUint64(44 + 8 * index, BigInt(value));
    let proofs = 0;
    network.watch = (from, _, frame) => { if (from === 'holder' && decodeFrame(frame)?.type === 'response' && frame[21] === 4) proofs += 1; };
    for (const lost of [[], [1], [2], [1, 2]]) {
      proofs = 0;
      network.link(1).tamper = (frame) => frame[21] === 4 && proofs <= 2 && lost.includes(frame[22] ?? 0) ? undefined : frame;
      const fetch = new Fetch(network, name, [1], { snapshot, into: bytes });
      network.run(15_000);
      expect(fetch.completed).toBe(1);
      expect(proofs).toBeGreaterThanOrEqual(2);
    }
  });
});
