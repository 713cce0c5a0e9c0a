/** Dials of places that somebody else has told us, who may be wrong or lie: whoever is there gets few of our handshakes. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { dialMaximumMs, hearsayDialMaximumMs } from './constants.ts';
import { connectedPair, createPair, textFrame } from './testing.ts';
import type { SocketAddress } from '../wire/types.ts';

const hourMs = 3_600_000;
const handshakeType = 1;
const stranger: SocketAddress = { host: '198.51.100.9', port: 53 };
const other: SocketAddress = { host: '198.51.100.10', port: 53 };

describe('a place that is known from somebody else', () => {
  it('is dialled with pauses that double up to minutes while nobody answers', () => {
    const { net, visor, relay } = createPair(1, crypto);
    visor.dial(relay, { address: stranger, isHearsay: true });
    net.run(hourMs);
    const sent = net.log.filter(({ type, to }) => type === handshakeType && to.host === stranger.host);
    // 0.25 s to 256 s, and then one in five minutes.
    expect(sent.length).toBeLessThanOrEqual(12 + Math.ceil(hourMs / (0.8 * hearsayDialMaximumMs)));
    expect(sent.length).toBeGreaterThan(15);
    expect(net.log.length).toBe(sent.length);
  });

  it('is otherwise dialled as often as ever', () => {
    const { net, visor, relay } = createPair(2, crypto);
    visor.dial(relay, { address: stranger });
    net.run(hourMs);
    expect(net.log.length).toBeGreaterThan(hourMs / (1.2 * dialMaximumMs));
  });

  it('is where they are once they have answered: a cut is noticed to be over as soon as anywhere', () => {
    const { net, visor, relay, id } = connectedPair(3, crypto, { isHearsay: true });
    relay.isDown = true;
    visor.send(id, textFrame('anybody?', net.random));
    net.run(hourMs);
    const logged = net.log.length;
    relay.isDown = false;
    net.run(2 * dialMaximumMs);
    expect(net.log.slice(logged).some(({ from }) => from === relay.address)).toBe(true);
    expect(visor.of('silent').length).toBe(1);
    expect([...visor.of('established'), ...visor.of('restarted')].length).toBe(2);
  });

  it('has to answer again when it is another one, however often that changes', () => {
    const { net, visor, relay, id } = connectedPair(4, crypto, { isHearsay: true });
    relay.isDown = true;
    visor.send(id, textFrame('anybody?', net.random));
    net.run(60_000);
    const logged = net.log.length;
    const changes = 120;
    for (let change = 0; change < changes; change += 1) {
      visor.act((sessions, now) => { sessions.redirect(id, change % 2 === 0 ? stranger : other, now); });
      net.run(30_000);
    }
    const strangers = net.log.slice(logged).filter(({ to }) => to.host === stranger.host || to.host === other.host);
    expect(strangers.length).toBeLessThan(changes * 1.5);
    // They are found all the same where they are.
    relay.isDown = false;
    visor.act((sessions, now) => { sessions.redirect(id, relay.address, now); });
    net.run(5_000);
    expect([...visor.of('established'), ...visor.of('restarted')].length).toBe(2);
  });
});
