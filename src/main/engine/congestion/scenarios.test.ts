import { describe, expect, it } from 'vitest';
import { Bbr } from './bbr.ts';
import { Link, Requester, VirtualTime, bytesPerMs, queueOf } from './congestion-testing.ts';
import { Cubic } from './cubic.ts';
import { maximumWindowBytes } from './limits.ts';
import type { LinkOptions } from './congestion-testing.ts';
import type { ControllerFactory } from './types.ts';

const datagramBytes = 1_200;
const cubic: ControllerFactory = (bytes) => new Cubic(bytes);
const bbr: ControllerFactory = (bytes) => new Bbr(bytes);
const controllers: readonly (readonly [string, ControllerFactory])[] = [['cubic', cubic], ['bbr', bbr]];

/** A link of 20 Mbit/s and 50 ms whose queue holds what the link does. */
const usual: LinkOptions = { rateMbit: 20, roundTripMs: 50, queuePackets: queueOf(20, 50) };

interface World { readonly time: VirtualTime; readonly link: Link; readonly requesters: readonly Requester[] }

/** Requesters that begin to download without end, one after the other. */
function world(options: LinkOptions, controller: ControllerFactory, startsMs: readonly number[] = [0]): World {
  const time = new VirtualTime();
  const link = new Link(time, options);
  const requesters = startsMs.map((startMs) => {
    const requester = new Requester(link, controller);
    time.at(startMs, () => { requester.download('bulk', Infinity); });
    return requester;
  });
  return { time, link, requesters };
}

/** Each requester's share of the link from one time to another, and the mean queueing delay of the link. */
function measure({ time, link, requesters }: World, options: LinkOptions, fromMs: number, untilMs: number): { readonly shares: readonly number[]; readonly meanQueueMs: number } {
  time.run(fromMs);
  link.resetMeasurements();
  const before = requesters.map((requester) => requester.receivedBytes);
  let queueMs = 0;
  for (let atMs = fromMs; atMs < untilMs; atMs += 10) {
    time.run(atMs);
    queueMs += link.queueMs;
  }
  time.run(untilMs);
  const shares = requesters.map((requester, index) => (requester.receivedBytes - (before[index] ?? 0)) / ((untilMs - fromMs) * bytesPerMs(options.rateMbit)));
  return { shares, meanQueueMs: queueMs / ((untilMs - fromMs) / 10) };
}

const total = (shares: readonly number[]): number => shares.reduce((sum, share) => sum + share, 0);
const only = (requesters: readonly Requester[]): Requester => {
  const [requester] = requesters;
  if (requester === undefined) throw new Error('there is no requester');
  return requester;
};

describe.each(controllers)('on one path, %s', (name, controller) => {
  it('fills 20 Mbit/s of 50 ms over a queue of one bandwidth-delay product', () => {
    const { shares } = measure(world(usual, controller), usual, 1_000, 15_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.95);
  });

  it('fills it to nine tenths from the second second on, slow start included', () => {
    const { shares } = measure(world(usual, controller), usual, 1_000, 2_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.9);
  });

  it('leaves slow start before it loses more than a queue', () => {
    const { time, link, requesters } = world(usual, controller);
    time.run(1_500);
    expect(only(requesters).path.controller.startingUp).toBe(false);
    // Doubling until the first loss was seen would lose about two bandwidth-delay products.
    expect(link.dropped).toBeLessThan(name === 'cubic' ? queueOf(20, 50) : 2 * queueOf(20, 50));
    expect(only(requesters).path.lostCount).toBe(link.dropped);
  });

  it('lets two flows share, also when one comes later', () => {
    const options = { ...usual, responderMs: 2 };
    const { shares } = measure(world(options, controller, [0, 3_000]), options, 20_000, 90_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.9);
    for (const share of shares) expect(share / total(shares)).toBeGreaterThanOrEqual(0.4);
  });

  it('lets two flows share a short queue', () => {
    const options = { ...usual, queuePackets: queueOf(20, 15), responderMs: 2 };
    const { shares } = measure(world(options, controller, [0, 3_000]), options, 20_000, 90_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.8);
    for (const share of shares) expect(share / total(shares)).toBeGreaterThanOrEqual(0.4);
  });

  it('keeps going at 1 % random loss on a LAN', () => {
    const options = { rateMbit: 100, roundTripMs: 1, queuePackets: 100, loss: 0.01 };
    const { shares } = measure(world(options, controller), options, 1_000, 6_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.85);
  });

  it('is back to work within three round trips and two probe timeouts after an outage of 100 ms, and to nine tenths within two seconds', () => {
    const network = world(usual, controller);
    const requester = only(network.requesters);
    network.time.run(5_000);
    network.link.cut(5_000, 5_100);
    network.time.run(5_100);
    const before = requester.receivedBytes;
    const boundMs = 3 * 100 + 2 * requester.path.probeTimeoutMs;
    network.time.run(5_100 + boundMs);
    expect(requester.receivedBytes).toBeGreaterThan(before + 10 * datagramBytes);
    const { shares } = measure(network, usual, 7_100, 9_100);
    expect(total(shares)).toBeGreaterThanOrEqual(0.9);
  });

  it('comes back after an outage of five seconds by probes that wait at most three', () => {
    const network = world(usual, controller);
    const requester = only(network.requesters);
    network.time.run(5_000);
    network.link.cut(5_000, 10_000);
    network.time.run(10_000);
    const before = requester.receivedBytes;
    network.time.run(13_500);
    expect(requester.receivedBytes).toBeGreaterThan(before + 10 * datagramBytes);
    const { shares } = measure(network, usual, 16_000, 20_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.85);
  });

  it('is not fooled by responses that overtake others by more than three', () => {
    const options = { ...usual, reorderShare: 0.05, reorderMs: 10 };
    const network = world(options, controller);
    const { shares } = measure(network, options, 2_000, 15_000);
    const { path } = only(network.requesters);
    expect(total(shares)).toBeGreaterThanOrEqual(0.9);
    expect(path.foundCount).toBeGreaterThan(0);
    // What it takes for lost without reason is a handful: then it knows how this path reorders.
    expect(path.foundCount).toBeLessThan(50);
  });

  it('takes a slow holder for what it is', () => {
    const options = { ...usual, responderMs: 20 };
    const { shares } = measure(world(options, controller), options, 2_000, 15_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.9);
  });

  it('keeps the window between two datagrams and the bound, whatever the link', () => {
    for (const options of [{ ...usual, loss: 0.3 }, { rateMbit: 0.1, roundTripMs: 600, queuePackets: 2 }, { rateMbit: 1_000, roundTripMs: 0, queuePackets: 10_000 }]) {
      const network = world(options, controller);
      network.time.run(options.rateMbit > 100 ? 300 : 20_000);
      const requester = only(network.requesters);
      expect(requester.receivedBytes).toBeGreaterThan(0);
      expect(requester.smallestWindowBytes).toBeGreaterThanOrEqual(2 * datagramBytes);
      expect(requester.largestWindowBytes).toBeLessThanOrEqual(maximumWindowBytes);
      expect(requester.path.inFlightBytes).toBeLessThanOrEqual(requester.largestWindowBytes + 8 * datagramBytes);
    }
  });

  it('fetches everything, whatever is lost', () => {
    for (const seed of [1, 2, 3]) {
      const time = new VirtualTime();
      const link = new Link(time, { rateMbit: 10, roundTripMs: 40, queuePackets: 20, loss: 0.1, reorderShare: 0.1, reorderMs: 30, responderMs: 10, seed });
      const requester = new Requester(link, controller);
      const downloads = [requester.download('bulk', 300), requester.download('bulk', 1), requester.download('chat', 3), requester.download('receipt', 1)];
      time.run(60_000);
      expect(downloads.map((download) => download.arrived.size)).toEqual([300, 1, 3, 1]);
      expect(requester.path.inFlightBytes).toBe(0);
      expect(requester.path.pollTimeout()).toBeUndefined();
    }
  });

  it('serves a letter within one round trip while bulk runs', () => {
    const { time, link, requesters } = world(usual, controller);
    const requester = only(requesters);
    let served = 0;
    for (let atMs = 500; atMs < 30_000; atMs += 307) {
      time.run(atMs);
      const dropped = link.dropped;
      // As the path is now: its delay, what stands in its queue, and what is on the way there (what is in flight above that, at the link's rate).
      const roundTripMs = Math.max(50, requester.path.inFlightBytes / bytesPerMs(20));
      const letter = requester.download('chat', 2);
      time.run(atMs + 300);
      // A letter that met the full queue itself has to be asked for again, as everywhere.
      if (link.dropped > dropped) continue;
      served += 1;
      expect((letter.doneMs ?? Infinity) - letter.startedMs).toBeLessThanOrEqual(roundTripMs + 10);
    }
    expect(served).toBeGreaterThan(80);
  });
});

describe('bbr', () => {
  it('is at work again two seconds after an outage that took a megabyte in flight along', () => {
    const options = { rateMbit: 100, roundTripMs: 80, queuePackets: queueOf(100, 80), loss: 0.02, requestLoss: 0.02 };
    const network = world(options, bbr);
    network.time.run(8_000);
    network.link.cut(8_000, 11_000);
    network.time.run(11_000);
    // Probes wait for three seconds at most.
    const { shares } = measure(network, options, 15_000, 18_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.6);
  });

  it.each([[40, 0.02], [80, 0.04]])('fills eight tenths of a link of %i ms that loses %d of the requests too, each with the responses to all of it', (roundTripMs, loss) => {
    const options = { rateMbit: 20, roundTripMs, queuePackets: queueOf(20, roundTripMs), loss, requestLoss: loss };
    const { shares } = measure(world(options, bbr), options, 3_000, 20_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.8);
  });

  it.each([[20, 0.02], [100, 0.005], [100, 0.02], [100, 0.05], [300, 0.02]])('fills nine tenths of a link of %i ms that loses %d', (roundTripMs, loss) => {
    const options = { rateMbit: 20, roundTripMs, queuePackets: queueOf(20, roundTripMs), loss };
    const { shares } = measure(world(options, bbr), options, 3_000, 20_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.9);
  });

  it('leaves a queue of 500 ms empty', () => {
    const options = { rateMbit: 20, roundTripMs: 100, queuePackets: queueOf(20, 500) };
    const { shares, meanQueueMs } = measure(world(options, bbr), options, 3_000, 20_000);
    expect(total(shares)).toBeGreaterThanOrEqual(0.9);
    expect(meanQueueMs).toBeLessThan(50);
  });
});
