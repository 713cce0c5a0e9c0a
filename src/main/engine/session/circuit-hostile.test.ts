/** A relay carries circuits, and must not be able to lead its own session with us into one of them: what we send there would go by that very session, over and over. */
import { describe, expect, it } from 'vitest';
import { circuitAddress, isCircuitAddress } from '../circuits/tunnel.ts';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { answerFrame, createPair, type Node, type Pair } from './testing.ts';
import type { SessionId } from './types.ts';

const overlapOverMs = 12_000;

/** A visor with a session at a relay, which has opened a circuit to it. */
function meet(seed: number): Pair & { readonly id: SessionId } {
  const pair = createPair(seed, crypto, { visor: { inCircuits: true } });
  const id = pair.visor.dial(pair.relay);
  pair.net.run(overlapOverMs);
  return { ...pair, id };
}

const sentIntoCircuits = (visor: Node): readonly string[] => [...visor.sentTo.keys()].filter((key) => key.includes('circuit/'));

describe('a relay that speaks out of a circuit of its own', () => {
  it('does not move its session there by what it says in it', () => {
    const { net, visor, relay, id } = meet(1);
    const circuit = circuitAddress(id, 1);
    net.hook = ({ from, to }) => (isCircuitAddress(to) ? [{ to: relay.address, from }] : from === relay.address ? [{ from: circuit }] : undefined);
    for (let round = 0; round < 5; round += 1) {
      relay.send(relay.only.id, answerFrame('from a circuit', net.random));
      net.run(1_000);
    }
    expect(visor.only.address).toEqual(relay.address);
    expect(sentIntoCircuits(visor)).toEqual([]);
  });

  it.each(['with the known key', 'without it'])('does not move its session there by a handshake (%s)', (how) => {
    const { net, visor, relay, id } = meet(2);
    const circuit = circuitAddress(id, 1);
    net.hook = ({ from, to }) => (isCircuitAddress(to) ? [{ to: relay.address, from: visor.address }] : from === relay.address ? [{ from: circuit }] : undefined);
    // Begun anew, so that it dials instead of using the session that stands.
    relay.restart();
    relay.dial(visor, how === 'with the known key' ? {} : { remoteStatic: undefined });
    net.run(3_000);
    expect(visor.sessions.view(id)?.address).toEqual(relay.address);
    net.hook = undefined;
    net.run(60_000);
    expect(visor.sessions.view(id)?.address).toEqual(relay.address);
    expect(visor.send(id, answerFrame('still here', net.random))).toBe(true);
    net.run(200);
    expect(relay.frames).toContain('still here');
  });
});
