/** Whole engines: what a visor tells of its paths to a friend, of the direct one that it looks for, and of a friend who is not to be reached. */
import { describe, expect, it } from 'vitest';
import { befriend, secondMs, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { PeerStatus, SoughtPeer } from '../engine/inspection-types.ts';
import type { CheckedNetwork, NetworkCheck } from '../engine/path/observation-port.ts';
import { known, notChecked, type FamilyReport } from '../../shared/network-report.ts';

const host = '127.0.0.1';

/** Found out what a story says, before anybody asked. */
class ToldCheck implements NetworkCheck {
  port: number | undefined;
  get last(): CheckedNetwork | undefined {
    const open = notChecked('not-yet');
    const family: FamilyReport = { udpBlocked: known(false, 1), mapping: open, filtering: open, allocation: open, mappingLifetimeMs: open, hairpin: open, doubleNat: open, publicHosts: open, onePublicHost: open, pathMtuBytes: open };
    const candidates = this.port === undefined ? [] : [{ kind: 'host', family: 'ipv4', host, port: this.port, isPortSure: true } as const];
    return { checkedWallMs: 0, report: { families: { ipv4: family, ipv6: family }, ipv6Inbound: open, captivePortal: open, portControl: open, relays: [], candidates, isComplete: true } };
  }
  observed(): void { /* it asks nothing */ }
  bound(): void { /* nor binds */ }
  marked(): void { /* nor marks */ }
  answered(): void { /* nor asks the host */ }
  run(): void { /* it has run */ }
  relaysChanged(): void { /* which changes nothing */ }
  networkChanged(): void { /* it stays in this one */ }
  handleTimeout(): void { /* and waits for nothing */ }
  pollTimeout(): undefined { return undefined; }
}

function acquaintances() {
  const world = new StoryWorld({ visorsMeet: 'in circuits' });
  const [ofAda, ofBob] = [new ToldCheck(), new ToldCheck()];
  const relay = world.relay('relay');
  const ada = world.add('ada', { createNetworkCheck: () => ofAda });
  const bob = world.add('bob', { createNetworkCheck: () => ofBob });
  ada.addRelay(relay);
  bob.addRelay(relay);
  world.run(2 * secondMs);
  befriend(ada, bob);
  world.run(5 * secondMs);
  const findOut = (): void => { ofAda.port = ada.port; ofBob.port = bob.port; };
  return { world, ada, bob, relay, ofAda, ofBob, findOut };
}

const contactOf = (node: StoryNode): PeerStatus | undefined => node.engine.inspect.peers.find(({ role }) => role === 'contact');
const soughtBy = (node: StoryNode): SoughtPeer | undefined => node.engine.inspect.soughtPeers[0];
const reach = (from: StoryNode, to: StoryNode): void => { from.command({ name: 'reach', publicKey: to.publicKey }); };

describe('what is told of the paths to a friend', () => {
  it('is where they changed, and the circuit that stays in reserve', () => {
    const { world, ada, bob, relay, findOut } = acquaintances();
    findOut();
    reach(ada, bob);
    world.run(10 * secondMs);
    expect(contactOf(ada)).toMatchObject({ paths: [{ kind: 'lan', isCurrent: true }, { kind: 'relay', relay: relay.publicKey, isCurrent: false }], search: undefined });
    expect(contactOf(ada)?.switches.map(({ from, to, relay: through }) => [from, to, through])).toEqual([[undefined, 'relay', relay.publicKey], ['relay', 'lan', undefined]]);
    expect(contactOf(bob)?.switches.map(({ to }) => to)).toEqual(['relay', 'lan']);
    world.run(60 * secondMs);
    expect(contactOf(ada)?.roundTrips.at(-1)?.kind).toBe('lan');
  });

  it('is that a path does not answer any more, and that one is sought instead', () => {
    const { world, ada, bob, relay, findOut } = acquaintances();
    findOut();
    reach(ada, bob);
    world.run(10 * secondMs);
    world.passes = (from, to) => from === relay || to === relay;
    world.run(60 * secondMs);
    const contact = contactOf(ada);
    expect(contact).toMatchObject({ paths: [{ kind: 'relay', isCurrent: true }], });
    expect(contact?.problems.at(-1)).toMatchObject({ kind: 'lan', address: { host, port: bob.port }, reason: 'no-answer' });
    expect(contact?.roundTrips.some(({ kind, roundTripMs }) => kind === 'lan' && roundTripMs === undefined)).toBe(true);
    expect(contact?.switches.at(-1)).toMatchObject({ from: 'lan', to: 'relay' });
    expect(contact?.search).toMatchObject({ ownAddresses: 1, theirAddresses: 1, triedAddresses: 1, begins: 'own' });
    expect(['failed', 'trying']).toContain(contact?.search?.reason);
    expect(contactOf(bob)?.search).toMatchObject({ begins: 'theirs', nextAttemptWallMs: undefined });
  });
});

describe('what is told of the search for a direct path', () => {
  it('is that nobody knows of an address, and when the next attempt comes', () => {
    const { world, ada, bob } = acquaintances();
    reach(ada, bob);
    world.run(9 * secondMs);
    const search = contactOf(ada)?.search;
    expect(search).toMatchObject({ reason: 'no-addresses', ownAddresses: 0, theirAddresses: 0, triedAddresses: 0, begins: 'own' });
    expect(search?.attempts).toBeGreaterThan(0);
    expect(search?.nextAttemptWallMs).toBeGreaterThan(ada.now.wallMs);
  });

  it('tells apart who of the two knows of no address', () => {
    const { world, ada, bob, ofBob } = acquaintances();
    ofBob.port = bob.port;
    world.passes = (from, to) => !(from === ada && to === bob) && !(from === bob && to === ada);
    reach(ada, bob);
    world.run(30 * secondMs);
    // A machine that knows of no address does not know either that it is alone with its loopback.
    expect([contactOf(ada)?.search?.reason, contactOf(bob)?.search?.reason]).toEqual(['out-of-reach', 'no-their-addresses']);
  });

  it('is that the person hides the own address, whatever was found out', () => {
    const { world, ada, bob, findOut } = acquaintances();
    findOut();
    ada.command({ name: 'update-settings', settings: { hideAddress: true } });
    reach(ada, bob);
    world.run(20 * secondMs);
    expect(contactOf(ada)).toMatchObject({ paths: [{ kind: 'relay' }], search: { reason: 'hidden' } });
    expect(contactOf(bob)?.search?.reason).not.toBe('hidden');
  });

  it('begins at once when somebody asks for it by hand, and not twice', () => {
    const { world, ada, bob, findOut } = acquaintances();
    reach(ada, bob);
    world.run(200 * secondMs);
    const before = contactOf(ada)?.search;
    expect(before?.reason).toBe('no-addresses');
    findOut();
    reach(ada, bob);
    reach(ada, bob);
    world.run(2 * secondMs);
    expect(contactOf(ada)?.paths[0]).toMatchObject({ kind: 'lan', isCurrent: true });
  });
});

describe('a friend who is not to be reached', () => {
  it('is told with the reason and the time of the next try, for as long as they are wanted', () => {
    const { world, ada, bob } = acquaintances();
    bob.cutOff = true;
    world.run(900 * secondMs);
    expect(soughtBy(ada)).toBeUndefined();
    reach(ada, bob);
    expect(soughtBy(ada)).toMatchObject({ publicKey: bob.publicKey, isAsking: false, failures: 1, reason: 'not-connected' });
    expect(soughtBy(ada)?.nextAskWallMs).toBeGreaterThan(ada.now.wallMs);
    expect(contactOf(ada)).toBeUndefined();
    bob.cutOff = false;
    world.run(20 * secondMs);
    reach(ada, bob);
    world.run(5 * secondMs);
    expect([soughtBy(ada), contactOf(ada)?.publicKey]).toEqual([undefined, bob.publicKey]);
  });

  it('is asked for at once when somebody asks by hand, but not as often as they like', () => {
    const { world, ada, bob, relay } = acquaintances();
    bob.cutOff = true;
    world.run(200 * secondMs);
    reach(ada, bob);
    world.run(15 * secondMs);
    const asked = (): number => relay.engine.inspect.counters['circuit.refused.not-found'] ?? 0;
    const before = asked();
    const sinceMs = ada.now.monotonicMs;
    for (let number = 0; number < 20; number += 1) { reach(ada, bob); world.run(100); }
    expect(asked()).toBeGreaterThan(before);
    expect(asked()).toBeLessThanOrEqual(before + 2 + (ada.now.monotonicMs - sinceMs) / (2 * secondMs));
  });

  it('is told no more when they are blocked', () => {
    const { world, ada, bob } = acquaintances();
    bob.cutOff = true;
    world.run(200 * secondMs);
    reach(ada, bob);
    world.run(15 * secondMs);
    ada.command({ name: 'block', publicKey: bob.publicKey });
    world.run(secondMs);
    expect(soughtBy(ada)).toBeUndefined();
  });
});
