/** A visor that does not listen answers handshakes from those who are expected at their address, and nobody else gets a byte. */
import { describe, expect, it } from 'vitest';
import { nobleCrypto as crypto } from '../noble-crypto.ts';
import { sameAddress, type SocketAddress } from '../wire/types.ts';
import { answerFrame, Net, type Node } from './testing.ts';
import type { SessionConfiguration } from './types.ts';

interface World { readonly net: Net; readonly ada: Node; readonly ben: Node; expected: { readonly address: SocketAddress; readonly identity: string } | undefined }

/** Ben expects whom the test says; Ada is one who may dial him. */
function world(limits: Partial<SessionConfiguration> = {}): World {
  const net = new Net(5, crypto);
  const ada = net.add('ada', { listening: false, inCircuits: true });
  const made: World = { net, ada, ben: net.add('ben', {
    listening: false, inCircuits: true, ...limits,
    expects: (from, identity) => made.expected !== undefined && sameAddress(made.expected.address, from) && (identity === undefined || identity === made.expected.identity),
  }), expected: undefined };
  return made;
}

const sentBy = ({ net, ben }: World): number => net.log.filter(({ from }) => sameAddress(from, ben.address)).length;
const expectAda = (made: World): void => { made.expected = { address: made.ada.address, identity: made.ada.person.identity }; };

describe('a visor that does not listen', () => {
  it('makes a session with who is expected, one of several paths at both ends', () => {
    const made = world();
    const { net, ada, ben } = made;
    expectAda(made);
    const id = ada.dial(ben, { announced: true });
    net.run(1_000);
    expect([ada.only.address, ben.only.address]).toEqual([ben.address, ada.address]);
    for (const side of [ada, ben]) expect(side.sessions.paths(side.only.id, net.now)).toMatchObject([{ isCurrent: true }]);
    ada.send(id, answerFrame('at home', net.random));
    net.run(200);
    expect(ben.frames).toEqual(['at home']);
    // New keys are agreed on by the path, whether anybody is expected or not.
    made.expected = undefined;
    net.run(200_000);
    ada.send(id, answerFrame('later', net.random));
    net.run(200);
    expect(ben.frames).toEqual(['at home', 'later']);
  });

  it('is silent to a stranger, to a contact who is expected elsewhere, and to a stranger where a contact is expected', () => {
    const made = world();
    const { net, ada, ben } = made;
    ada.dial(ben, { announced: true });
    net.run(5_000);
    made.expected = { address: { host: '203.0.113.9', port: 9 }, identity: ada.person.identity };
    net.run(5_000);
    made.expected = { address: ada.address, identity: ben.person.identity };
    net.run(10_000);
    expect(sentBy(made)).toBe(0);
    expect([ada.live, ben.live]).toEqual([[], []]);
    expect(ben.drops()['not-listening']).toBeGreaterThan(4);
  });

  it('does not answer the pattern that tells its own key first, and who dials does not use it', () => {
    const made = world();
    const { net, ada, ben } = made;
    expectAda(made);
    ada.dial(ben, { remoteStatic: undefined });
    net.run(3_000);
    expect(sentBy(made)).toBe(0);
    const other = net.add('other', { listening: false });
    other.dial(ada, { announced: true });
    net.run(20_000);
    expect(new Set(net.log.filter(({ from }) => sameAddress(from, other.address)).map(({ datagram }) => datagram[1]))).toEqual(new Set([1]));
  });

  it('keeps silent under load instead of asking for a cookie', () => {
    const made = world({ limits: { cookieThresholdPerSecond: 0 } });
    const { net, ada, ben } = made;
    expectAda(made);
    ada.dial(ben, { announced: true });
    net.run(5_000);
    expect(sentBy(made)).toBe(0);
    expect(ben.drops()['cookie-demanded']).toBeGreaterThan(0);
  });

  it('keeps one session when both dial at once', () => {
    const net = new Net(8, crypto);
    const visor = { listening: false, inCircuits: true, expects: () => true };
    const [ada, ben] = [net.add('ada', visor), net.add('ben', visor)];
    ada.dial(ben, { announced: true });
    ben.dial(ada, { announced: true });
    net.run(5_000);
    ada.send(ada.only.id, answerFrame('one', net.random));
    ben.send(ben.only.id, answerFrame('two', net.random));
    net.run(1_000);
    expect([ada.frames, ben.frames]).toEqual([['two'], ['one']]);
  });
});
