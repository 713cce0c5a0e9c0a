/** Gateways and neighbours that mean ill: what they can make us believe, and that they cannot make us do much. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PortControl, portControlPort } from './port-control.ts';
import {
  Bench, bytesOf, countingRandom, gatewayAddress, gatewayEnd, ipv4Field, kindOf, localAddress, mainPort, natPmpAddressAnswer, natPmpMapAnswer, natPmpUnsupportedVersion, nonceOf, pcpMapAnswer,
  pcpShortAnswer, secondMs,
} from './port-control-testing.ts';

const wrongNonce = new Uint8Array(12).fill(0xaa);
const otherAddress = ipv4Field('198.51.100.66');

/** One that has asked and is not answered yet. */
function asking(): { readonly bench: Bench; readonly nonce: Uint8Array } {
  const bench = new Bench();
  bench.gateway.speaks = 'nothing';
  bench.start();
  return { bench, nonce: nonceOf(bench.asked[0]?.bytes ?? new Uint8Array(0)) };
}

describe('answers that are not believed', () => {
  test('from any other address or port, with everything else right', () => {
    const { bench, nonce } = asking();
    for (const from of [{ host: '192.168.1.2', port: portControlPort }, { host: gatewayAddress, port: 5_350 }, { host: '', port: portControlPort }]) bench.hear(pcpMapAnswer({ nonce }), from);
    expect(bench.client.state).toEqual({ kind: 'checking' });
    bench.hear(pcpMapAnswer({ nonce }));
    expect(bench.client.state.kind).toBe('mapped');
  });

  test('with another nonce, for another port, cut short, of another version', () => {
    const { bench, nonce } = asking();
    const whole = pcpMapAnswer({ nonce });
    const attempts = [
      pcpMapAnswer({ nonce: wrongNonce }), pcpMapAnswer({ nonce, internalPort: mainPort + 1 }), pcpMapAnswer({ nonce: wrongNonce, result: 2 }), pcpMapAnswer({ nonce, internalPort: 1, result: 2 }),
      ...Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length)), bytesOf([8, 3], whole.subarray(1)), pcpMapAnswer({ nonce, protocol: 6 }),
    ];
    for (const bytes of attempts) bench.hear(bytes);
    expect(bench.client.state).toEqual({ kind: 'checking' });
    expect(bench.asked).toHaveLength(1);
  });

  test('NAT-PMP mappings before it was asked for one, or for another port', () => {
    const { bench } = asking();
    bench.hear(natPmpMapAnswer(mainPort, 1, 3_600, 1));
    bench.hear(natPmpAddressAnswer('198.51.100.66', 1));
    expect(bench.client.state).toEqual({ kind: 'checking' });
    bench.hear(natPmpUnsupportedVersion);
    bench.hear(natPmpMapAnswer(mainPort, 1, 3_600, 1));
    bench.hear(natPmpAddressAnswer('203.0.113.7', 1));
    bench.hear(natPmpMapAnswer(mainPort + 1, 1, 3_600, 1));
    expect(bench.client.state).toEqual({ kind: 'checking' });
    bench.hear(natPmpMapAnswer(mainPort, 9, 3_600, 1));
    expect(bench.client.state).toMatchObject({ kind: 'mapped', external: { host: '203.0.113.7', port: 9 } });
  });

  test('NAT-PMP mappings that nobody asks for any more', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nat-pmp';
    bench.start();
    bench.hear(natPmpMapAnswer(mainPort, 666, 3_600, 1_000));
    bench.run(60 * secondMs);
    expect(bench.kinds).toEqual(['checking', 'mapped']);
    expect(bench.client.state).toMatchObject({ external: { port: 42_000 } });
  });

  test('anything before start and after stop', () => {
    const bench = new Bench();
    bench.hear(pcpMapAnswer({ nonce: new Uint8Array(12) }));
    expect(bench.client.state).toEqual({ kind: 'idle' });
    bench.start();
    const nonce = nonceOf(bench.asked[0]?.bytes ?? new Uint8Array(0));
    bench.client.stop(0);
    bench.settle();
    bench.hear(pcpMapAnswer({ nonce }));
    expect(bench.client.state).toEqual({ kind: 'idle' });
  });
});

describe('what comes unasked makes us ask, and not believe', () => {
  test('our nonce with another external address', () => {
    const bench = new Bench();
    bench.start();
    const nonce = nonceOf(bench.asked[0]?.bytes ?? new Uint8Array(0));
    bench.run(600 * secondMs);
    bench.hear(pcpMapAnswer({ nonce, external: otherAddress }));
    expect(bench.client.state).toMatchObject({ external: { host: '203.0.113.7' } });
    expect(bench.asked).toHaveLength(1);
    bench.gateway.external = '203.0.113.8';
    bench.run(5 * secondMs);
    expect(bench.client.state).toMatchObject({ external: { host: '203.0.113.8' } });
    expect(bench.asked).toHaveLength(2);
  });

  test.each([['earlier', -500], ['much later', 500]])('an announcement with an epoch that is %s than it should be', (_name, offSeconds) => {
    const bench = new Bench();
    bench.start();
    bench.run(600 * secondMs);
    const epochSeconds = (bench.nowMs - bench.gateway.beganMs) / secondMs;
    bench.hear(pcpShortAnswer(0, 0, epochSeconds));
    bench.run(10 * secondMs);
    expect(bench.asked).toHaveLength(1);
    bench.hear(pcpShortAnswer(0, 0, epochSeconds + offSeconds));
    bench.run(10 * secondMs);
    expect(bench.asked).toHaveLength(2);
  });

  test('NAT-PMP\'s announcement of a restart or of another address', () => {
    for (const [address, offSeconds, asks] of [['203.0.113.7', 0, 0], ['203.0.113.7', -500, 2], ['198.51.100.1', 0, 2]] as const) {
      const bench = new Bench();
      bench.gateway.speaks = 'nat-pmp';
      bench.start();
      bench.run(600 * secondMs);
      const before = bench.asked.length;
      bench.hear(natPmpAddressAnswer(address, (bench.nowMs - bench.gateway.beganMs) / secondMs + offSeconds));
      bench.run(10 * secondMs);
      expect(bench.asked.length - before).toBe(asks);
    }
  });

  test('a gateway that restarts between the address and the mapping is asked for its address again', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'nat-pmp';
    bench.loses = ({ kind }) => kind === 'map';
    bench.start();
    bench.loses = () => false;
    bench.gateway.beganMs = 100;
    bench.gateway.external = '198.51.100.1';
    bench.run(secondMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', external: { host: '203.0.113.7' } });
    bench.run(40 * secondMs);
    expect(bench.client.state).toMatchObject({ kind: 'mapped', external: { host: '198.51.100.1' } });
  });

  test('a flood of them costs a question every half minute', () => {
    const bench = new Bench();
    bench.start();
    const nonce = nonceOf(bench.asked[0]?.bytes ?? new Uint8Array(0));
    for (let count = 0; count < 6_000; count += 1) {
      bench.hear(pcpShortAnswer(0, 0, (count * 7_919) % 100_000));
      bench.hear(pcpMapAnswer({ nonce, externalPort: 1 + count }));
      bench.run(100);
    }
    // Ten minutes.
    expect(bench.asked.length).toBeLessThanOrEqual(21);
    expect(bench.states.length).toBeLessThanOrEqual(22);
  });
});

describe('versions', () => {
  test('a gateway that sends us to and fro between the protocols is left alone until the next round', () => {
    const bench = new Bench();
    bench.gateway.answer = (bytes) => (bytes[0] === 2 ? natPmpUnsupportedVersion : pcpShortAnswer(0, 1, 1));
    bench.start();
    bench.run(10 * secondMs);
    expect(bench.asked.length).toBeLessThanOrEqual(12);
    expect(['none', 'refused']).toContain(bench.client.state.kind);
    bench.run(200 * secondMs);
    expect(bench.asked.length).toBeLessThanOrEqual(12);
  });

  test('one whose PCP cannot do this, and which has no NAT-PMP, is not asked by PCP again', () => {
    const bench = new Bench();
    bench.gateway.speaks = 'pcp';
    bench.gateway.refusal = 4;
    bench.start();
    expect(bench.client.state).toEqual({ kind: 'refused', reason: 'unsupported' });
    expect(bench.times).toEqual(['pcp 0', 'address 0']);
  });

  test('one that knows only a version of PCP that we do not have is told as that', () => {
    const bench = new Bench();
    bench.gateway.answer = () => pcpShortAnswer(1, 1, 1, 1);
    bench.start();
    expect(bench.client.state).toEqual({ kind: 'refused', reason: 'unsupported' });
    expect(bench.asked).toHaveLength(2);
  });

  test('a forged "I have no PCP" costs the nonce and no mapping: PCP\'s answer still counts', () => {
    const { bench, nonce } = asking();
    bench.hear(natPmpUnsupportedVersion);
    bench.hear(pcpMapAnswer({ nonce }));
    expect(bench.client.state).toMatchObject({ kind: 'mapped', method: 'pcp' });
  });
});

/** What a gateway that knows all that we sent may answer, and when. */
type Deed = { readonly waitMs: number } | { readonly bytes: (nonce: Uint8Array) => Uint8Array } | { readonly call: 'changed' | 'stop' | 'start' };

const anyEpoch = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff_ffff }));
const anyLifetime = fc.oneof(fc.constantFrom(0, 1, 29, 30, 60, 3_600, 0xffff_ffff), fc.integer({ min: 0, max: 0xffff_ffff }));
const answers: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ result: fc.constantFrom(0, 0, 0, 1, 2, 4, 8, 12), lifetimeSeconds: anyLifetime, epochSeconds: anyEpoch, externalPort: fc.nat(65_535) }).map((fields) => ({ bytes: (nonce: Uint8Array) => pcpMapAnswer({ ...fields, nonce }) })),
  fc.tuple(fc.constantFrom(0, 1, 5), fc.constantFrom(0, 1, 3), anyEpoch, fc.constantFrom(1, 2, 9)).map(([operation, result, epoch, version]) => ({ bytes: () => pcpShortAnswer(operation, result, epoch, version) })),
  fc.tuple(fc.ipV4(), anyEpoch, fc.constantFrom(0, 0, 0, 1, 3)).map(([address, epoch, result]) => ({ bytes: () => natPmpAddressAnswer(address, epoch, result) })),
  fc.tuple(fc.nat(65_535), anyLifetime, anyEpoch, fc.constantFrom(0, 0, 0, 1, 4)).map(([port, lifetime, epoch, result]) => ({ bytes: () => natPmpMapAnswer(mainPort, port, lifetime, epoch, result) })),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => ({ bytes: () => bytes })),
);
const deeds = fc.array(fc.oneof(
  { weight: 8, arbitrary: answers },
  { weight: 4, arbitrary: fc.oneof(fc.constantFrom(0, 1, 250, 1_000), fc.integer({ min: 0, max: 5_000_000 })).map((waitMs) => ({ waitMs })) },
  { weight: 1, arbitrary: fc.constantFrom('changed', 'changed', 'stop', 'start').map((call) => ({ call })) },
), { maxLength: 60 }) as fc.Arbitrary<readonly Deed[]>;

describe('whatever a gateway answers in whatever order', () => {
  test('nothing throws, only the gateway is sent to, and little', () => {
    fc.assert(fc.property(deeds, (list) => {
      const client = new PortControl({ random: countingRandom() });
      let [now, sent, calls] = [0, 0, 1];
      let nonce: Uint8Array = wrongNonce;
      const drain = (): void => {
        for (let next = client.pollTransmit(); next !== undefined; next = client.pollTransmit()) {
          sent += 1;
          expect(next.to).toEqual(gatewayEnd);
          expect(next.datagram.length).toBeLessThanOrEqual(60);
          if (kindOf(next.datagram) === 'pcp') nonce = nonceOf(next.datagram);
        }
        for (let state = client.pollChange(); state !== undefined; state = client.pollChange()) {
          if (state.kind !== 'mapped') continue;
          expect(state.lifetimeSeconds).toBeGreaterThanOrEqual(30);
          expect(state.lifetimeSeconds).toBeLessThanOrEqual(86_400);
          expect(state.external.port).toBeGreaterThan(0);
        }
      };
      client.start(gatewayAddress, localAddress, mainPort, now);
      drain();
      for (const deed of list) {
        if ('bytes' in deed) {
          const before = sent;
          client.handleDatagram(gatewayEnd, deed.bytes(nonce), now);
          drain();
          expect(sent - before).toBeLessThanOrEqual(1);
        } else if ('call' in deed) {
          calls += 1;
          if (deed.call === 'changed') client.networkChanged(now);
          else if (deed.call === 'stop') client.stop(now);
          else client.start(gatewayAddress, localAddress, mainPort, now);
          drain();
        } else {
          const endMs = now + deed.waitMs;
          for (let atMs = client.pollTimeout(); atMs !== undefined && atMs <= endMs; atMs = client.pollTimeout()) {
            // Time goes on: what is due is done.
            now = Math.max(now, atMs);
            client.handleTimeout(now);
            drain();
            expect(client.pollTimeout() ?? Infinity).toBeGreaterThan(now);
          }
          now = endMs;
        }
      }
      // A round has at most three sendings of two, and four more questions with three each; rounds that no call asked for are 4 s apart at least.
      expect(sent).toBeLessThanOrEqual((calls + now / 4_000) * (6 + 4 * 3 + 6));
    }), { numRuns: 500 });
  });

  test('a refusal for no time lasts half a minute, one for ever half an hour', () => {
    for (const [lifetimeSeconds, shortestMs, longestMs] of [[0, 27_000, 33_000], [0xffff_ffff, 1_620_000, 1_980_000]] as const) {
      const { bench, nonce } = asking();
      bench.hear(pcpMapAnswer({ nonce, result: 8, lifetimeSeconds }));
      expect(bench.client.state).toEqual({ kind: 'refused', reason: 'no-resources' });
      bench.run(longestMs);
      expect(bench.asked[1]?.atMs).toBeGreaterThanOrEqual(shortestMs);
      expect(bench.asked[1]?.atMs).toBeLessThanOrEqual(longestMs);
    }
  });

  test('a clock that is set back holds nothing up', () => {
    const bench = new Bench();
    bench.nowMs = 1_000_000;
    bench.start();
    bench.run(10 * secondMs);
    bench.client.handleTimeout(bench.nowMs);
    bench.client.networkChanged(0);
    bench.settle();
    expect(bench.asked).toHaveLength(2);
  });

  test('a clock that runs backwards or shows nonsense stands still', () => {
    const bench = new Bench();
    bench.start();
    for (const nowMs of [-5, Number.NaN, Infinity, -Infinity]) {
      bench.client.handleTimeout(nowMs);
      bench.client.handleDatagram(gatewayEnd, pcpShortAnswer(0, 0, 1), nowMs);
      bench.client.networkChanged(nowMs);
      bench.settle();
    }
    bench.run(2_000);
    expect(bench.client.state.kind).toBe('mapped');
  });
});
