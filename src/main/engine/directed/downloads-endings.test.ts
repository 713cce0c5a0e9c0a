/** How downloads end, stand still and go on: whatever their owner does, and whenever, also from within what it is told. */
import { describe, expect, it } from 'vitest';
import { noise } from '../lockstep/testing.ts';
import { equalBytes } from '../wire/bytes.ts';
import { encodeNegative } from '../wire/frame.ts';
import { Fetch, Network, nameOf } from './downloads-testing.ts';
import { wallStartMs } from './testing.ts';
import { contentMaximumBytes } from './publisher.ts';

const at = (monotonicMs: number): { monotonicMs: number; wallMs: number } => ({ monotonicMs, wallMs: wallStartMs + monotonicMs });

function expectNothingLeft(network: Network): void {
  network.run(10_500);
  expect(network.reader.pollTimeout()).toBeUndefined();
}

describe('a cancelled download', () => {
  it('is silent from then on, at any moment, and leaves nothing', () => {
    const bytes = noise(300_000);
    for (const atMs of [0, 10, 20, 21, 30, 47, 60, 75]) {
      const network = new Network([{ rateBytesPerMs: 3_000, jitterMs: 10 }, { delayMs: 4, rateBytesPerMs: 1_000 }]);
      const fetch = new Fetch(network, network.offer(bytes), [1, 2]);
      network.after(atMs, () => { fetch.cancel(network.now); });
      network.run(10_000);
      expect({ completed: fetch.completed, afterEnd: fetch.afterEnd, ends: fetch.ends }).toEqual({ completed: 0, afterEnd: 0, ends: [] });
      fetch.handle.addSource(1, network.now);
      expect(fetch.handle.sources).toEqual([]);
      expectNothingLeft(network);
    }
  });

  it('is silent when that happens in one of its own callbacks, at the last leaf too', () => {
    for (const afterLeaves of [1, 2, 7, 20, 59, 60]) {
      const network = new Network([{ jitterMs: 15 }]);
      const fetch = new Fetch(network, network.offer(noise(60 * 1_024)), [1]);
      let leaves = 0;
      fetch.onVerified = () => { leaves += 1; if (leaves === afterLeaves) fetch.cancel(network.now); };
      network.run(5_000);
      expect({ leaves, completed: fetch.completed, afterEnd: fetch.afterEnd }).toEqual({ leaves: afterLeaves, completed: 0, afterEnd: 0 });
      expectNothingLeft(network);
    }
  });

  it('makes room for others of its session at once', () => {
    const network = new Network([{ rateBytesPerMs: 200 }]);
    const large = new Fetch(network, network.offer(noise(2_000_000)), [1]);
    network.run(500);
    const small = new Fetch(network, network.offer(noise(30_000, 3)), [1], { trafficClass: 'chat' });
    network.link(1).tamper = () => undefined;
    network.run(5);
    network.link(1).tamper = (frame) => frame;
    large.cancel(network.now);
    network.run(3_000);
    expect(small.completed).toBe(1);
  });
});

describe('callbacks', () => {
  it('may change everything: hold, other downloads, lost sessions, other paths', () => {
    for (let seed = 1; seed <= 24; seed += 1) {
      const loopback = { limitBytes: 65_507, rateBytesPerMs: 3_000, jitterMs: 4 };
      const network = new Network([loopback, loopback], seed);
      const bytes = noise(1_500_000, seed);
      const other = noise(60_000, seed + 50);
      const fetch = new Fetch(network, network.offer(bytes), [1, 2]);
      network.offer(other);
      let calls = 0;
      let pulled = 0;
      fetch.onVerified = () => {
        calls += 1;
        if (calls % 40 !== seed % 40) return;
        switch ((calls + seed) % 6) {
          case 0: fetch.handle.hold(true, network.now); fetch.handle.hold(false, network.now); return;
          case 1: network.reader.pull(1, nameOf(other), (outcome) => { if (outcome.kind === 'pulled') pulled += 1; }, network.now); return;
          case 2: network.loseSession(1 + (seed % 2)); return;
          case 3: network.reader.pathChanged(1, network.now); return;
          case 4: fetch.handle.removeSource(2, network.now); fetch.handle.addSource(2, network.now); return;
          default: {
            const link = network.link(2);
            link.limitBytes = link.limitBytes === 1_200 ? 65_507 : 1_200;
            network.reader.pathChanged(2, network.now);
          }
        }
      };
      fetch.onEnded = (sessionId) => { fetch.handle.addSource(sessionId, network.now); };
      fetch.onCompleted = () => { network.loseSession(1); network.reader.pull(2, nameOf(other), () => { pulled += 1; }, network.now); };
      network.run(120_000);
      expect({ completed: fetch.completed, repeated: fetch.repeatedBytes, afterEnd: fetch.afterEnd }).toEqual({ completed: 1, repeated: 0, afterEnd: 0 });
      expect(equalBytes(fetch.bytes, bytes)).toBe(true);
      expect(pulled).toBeGreaterThan(0);
      expectNothingLeft(network);
    }
  });

  it('of a source that ended are called once, when they end the session', () => {
    const network = new Network([{}]);
    const fetch = new Fetch(network, network.offer(noise(40_000)), [1]);
    network.link(1).tamper = (frame) => frame.with(frame.length - 1, (frame.at(-1) ?? 0) ^ 1);
    fetch.onEnded = () => { network.reader.sessionLost(1, network.now); };
    network.run(5_000);
    expect(fetch.ends).toEqual([{ sessionId: 1, reason: 'lying' }]);
  });
});

describe('a session that comes and goes', () => {
  it('leaves nothing to wait for, at whatever fraction of a millisecond it fell empty', () => {
    for (let step = 0; step < 400; step += 1) {
      const network = new Network([{}]);
      network.nowMs = 1_000 + step * 1.370_193;
      const fetch = new Fetch(network, network.offer(noise(10)), [1]);
      fetch.cancel(network.now);
      const due = network.reader.pollTimeout()?.atMs ?? 0;
      network.reader.handleTimeout(at(due));
      expect(network.reader.pollTimeout()).toBeUndefined();
    }
  });

  it('costs what had not come', () => {
    const network = new Network([{ rateBytesPerMs: 1_000 }]);
    const bytes = noise(1_000_000);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    for (const atMs of [100, 300, 500]) {
      network.after(atMs, () => { network.loseSession(1); });
      network.after(atMs + 50, () => { fetch.handle.addSource(1, network.now); });
    }
    network.run(60_000);
    expect([fetch.completed, fetch.repeatedBytes, fetch.ends.length]).toEqual([1, 0, 3]);
    expect(equalBytes(fetch.bytes, bytes)).toBe(true);
    expect(network.responses).toBeLessThan(1.3 * 977);
  });
});

describe('a download that is held', () => {
  it('asks for nothing, and goes on after any time over a slow path', () => {
    const network = new Network([{ delayMs: 30, rateBytesPerMs: 500 }]);
    const bytes = noise(500_000);
    const fetch = new Fetch(network, network.offer(bytes), [1]);
    network.run(200);
    fetch.handle.hold(true, network.now);
    network.run(1_000);
    const requests = network.requests;
    network.run(3_600_000);
    expect(network.requests).toBe(requests);
    expect(network.reader.pollTimeout()).toBeUndefined();
    network.link(1).delayMs = 700;
    fetch.handle.hold(false, network.now);
    network.run(90_000);
    expect([fetch.completed, fetch.ends]).toEqual([1, []]);
    // The round trip is twenty times what it was: that is learned, and not everything asked for twice.
    expect(network.reader.dropCounters['fragments-presumed-lost']).toBeLessThan(60);
  });
});

describe('sources of one download', () => {
  it('that had nothing to do for long are not ended for the first loss', () => {
    const network = new Network([{ rateBytesPerMs: 10, queueBytes: 10_000 }, { delayMs: 300 }]);
    const bytes = noise(500_000);
    const fetch = new Fetch(network, network.offer(bytes), [1, 2], { keptMaximumBytes: 4_000 });
    network.run(200_000);
    expect([fetch.completed, fetch.ends]).toEqual([1, []]);
  });

  it('are ended when they are busy for ever, silent, or say that it is gone, and the others go on', () => {
    for (const kind of ['busy', 'not-yet', 'gone', 'too-large', 'unknown-name', 'silent'] as const) {
      const network = new Network([{ rateBytesPerMs: 20 }, {}]);
      const bytes = noise(1_000_000);
      const fetch = new Fetch(network, network.offer(bytes), [1, 2]);
      network.link(2).tamper = (frame) => kind === 'silent' ? undefined : encodeNegative(frame.subarray(1, 17), { code: kind, retryAfterSeconds: 1, detail: 0 });
      network.run(200_000);
      expect([fetch.completed, fetch.refusals]).toEqual([1, []]);
      expect(fetch.ends).toEqual([{ sessionId: 2, reason: kind === 'gone' ? 'absent' : kind === 'too-large' ? kind : 'timed-out' }]);
      expect(fetch.tookMs).toBeLessThan(65_000);
      expectNothingLeft(network);
    }
  });

  it('are ended when they answer for everything but this', () => {
    const network = new Network([{}]);
    const bytes = noise(20_000);
    const fetch = new Fetch(network, nameOf(bytes), [1]);
    network.holder(1).publisher.setFallback(() => undefined);
    const ask = (round: number): void => {
      const letter = noise(2_000, round + 9);
      network.reader.pull(1, network.offer(letter), () => { if (round < 1_000) network.after(90, () => { ask(round + 1); }); }, network.now);
    };
    ask(0);
    network.run(100_000);
    expect(fetch.ends).toEqual([{ sessionId: 1, reason: 'timed-out' }]);
  });

  it('are ended when the whole takes too long, however steadily they bring something', () => {
    const network = new Network([{ rateBytesPerMs: 20 }]);
    const fetch = new Fetch(network, network.offer(noise(2_000_000)), [1], { totalMaximumMs: 30_000 });
    network.run(60_000);
    expect(fetch.ends).toEqual([{ sessionId: 1, reason: 'timed-out' }]);
    expectNothingLeft(network);
  });
});

describe('many downloads on one session', () => {
  it('finish letters first', () => {
    const network = new Network([{ rateBytesPerMs: 500 }]);
    const files = [1, 2, 3].map((seed) => new Fetch(network, network.offer(noise(700_000, seed)), [1]));
    network.run(300);
    const letters = Array.from({ length: 40 }, (_, index) => new Fetch(network, network.offer(noise(3_000, index + 10)), [1], { trafficClass: index % 2 === 0 ? 'chat' : 'receipt' }));
    network.run(60_000);
    const lastLetterMs = Math.max(...letters.map(({ completedAtMs }) => completedAtMs));
    expect([...files, ...letters].every(({ completed }) => completed === 1)).toBe(true);
    expect(lastLetterMs).toBeLessThan(Math.min(...files.map(({ completedAtMs }) => completedAtMs)));
    expect(lastLetterMs - (letters[0]?.startedAtMs ?? 0)).toBeLessThan(1_500);
    expectNothingLeft(network);
  });

  it('may be of the same content, each with its own answers', () => {
    const network = new Network([{ rateBytesPerMs: 1_000, loss: 0.02 }]);
    const bytes = noise(contentMaximumBytes);
    const name = network.offer(bytes);
    const fetches = [0, 5, 20, 60].map((delayMs) => {
      network.run(delayMs);
      return new Fetch(network, name, [1], { trafficClass: delayMs > 10 ? 'bulk' : 'chat' });
    });
    let pulled = 0;
    network.reader.pull(1, name, (outcome) => { if (outcome.kind === 'pulled') pulled += 1; }, network.now);
    network.run(15_000);
    expect(fetches.map(({ completed, repeatedBytes }) => [completed, repeatedBytes])).toEqual(fetches.map(() => [1, 0]));
    expect(pulled).toBe(1);
    expectNothingLeft(network);
  });
});
