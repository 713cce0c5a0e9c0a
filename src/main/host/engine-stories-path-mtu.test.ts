/** Whole engines: what a transfer finds out about the size of packets is told in the report on the network, and nothing before. */
import { describe, expect, it } from 'vitest';
import { known, notChecked, type FamilyReport, type NetworkReport } from '../../shared/network-report.ts';
import { networkFacts } from '../../shared/network-facts.ts';
import { RelayPathMtus } from '../engine/overlay/relay-path-mtus.ts';
import { befriend, secondMs, seeded, StoryWorld, type StoryNode } from './engine-stories-testing.ts';
import type { NetworkCheck, OwnRelay } from '../engine/path/observation-port.ts';

const none = notChecked('not-learned');
const family: FamilyReport = { udpBlocked: none, mapping: none, filtering: none, allocation: none, mappingLifetimeMs: none, hairpin: none, doubleNat: none, publicHosts: none, onePublicHost: none, pathMtuBytes: none };
const reportOf = (...relays: readonly string[]): NetworkReport => ({
  families: { ipv4: family, ipv6: family }, ipv6Inbound: none, captivePortal: none, portControl: none, relays: relays.map((relay) => ({ relay, roundTripMs: known(20, 1) })), candidates: [], isComplete: true,
});
const checkWith = (report: NetworkReport): NetworkCheck => ({
  last: { report, checkedWallMs: 1 }, observed: () => undefined, bound: () => undefined, marked: () => undefined, answered: () => undefined, run: () => undefined, relaysChanged: () => undefined,
  networkChanged: () => undefined, handleTimeout: () => undefined, pollTimeout: () => undefined,
});
const ownRelay = (relay: string, host: string): OwnRelay => ({ relay, name: `${host}:7400`, address: { host, port: 7_400 }, isConnected: true, roundTripMs: 20 });

describe('the size of packets in the report', () => {
  it('is not checked before a transfer, and known by it', () => {
    const world = new StoryWorld();
    const relay = world.relay('relay');
    const ada = world.add('ada');
    const bob: StoryNode = world.add('bob', { createNetworkCheck: () => checkWith(reportOf(`127.0.0.1:${String(relay.port)}`)) });
    for (const node of [ada, bob]) node.addRelay(relay);
    befriend(ada, bob);
    expect(bob.engine.inspect.network?.report.relays[0]?.pathMtuBytes).toEqual(none);
    const content = seeded('file')(4_000_000);
    const { root, blobBytes } = ada.ownBlobs.addFile(new Uint8Array(32).fill(7), content);
    ada.command({ name: 'send-file', to: bob.publicKey, port: 1, text: 'look', ttlSeconds: undefined, file: { name: 'a.bin', mediaType: 'application/octet-stream', sizeBytes: content.length, key: new Uint8Array(32).fill(7), root, blobBytes } });
    world.runUntil(() => bob.files()[0]?.stage === 'ready', 120 * secondMs);
    const report = bob.engine.inspect.network?.report;
    const fact = report?.relays[0]?.pathMtuBytes;
    expect(fact).toMatchObject({ state: 'at-least' });
    expect(fact?.state === 'at-least' ? fact.value : 0).toBeGreaterThan(1_400);
    expect(report?.families.ipv4.pathMtuBytes).toEqual(fact);
    expect(report?.families.ipv6.pathMtuBytes).toEqual(none);
    bob.engine.networkChanged(bob.now);
    expect(bob.engine.inspect.network?.report.relays[0]?.pathMtuBytes).toEqual(none);
  });

  it('of a family is the least of its relays, with the headers that its packets have', () => {
    const mtus = new RelayPathMtus();
    const own = [ownRelay('02aa', '192.0.2.1'), ownRelay('02bb', '198.51.100.2'), ownRelay('02cc', '2001:db8::1')];
    mtus.carries('02aa', '192.0.2.1', 2_163);
    mtus.carries('02bb', '198.51.100.2', 1_452);
    mtus.carries('02cc', '2001:db8::1', 1_452);
    const told = mtus.toldIn({ report: reportOf(...own.map(({ name }) => name), 'elsewhere:1'), checkedWallMs: 1 }, own);
    expect(told?.report.relays.map(({ pathMtuBytes }) => (pathMtuBytes?.state === 'at-least' ? pathMtuBytes.value : pathMtuBytes?.state))).toEqual([2_191, 1_480, 1_500, 'not-checked']);
    expect([told?.report.families.ipv4.pathMtuBytes, told?.report.families.ipv6.pathMtuBytes]).toEqual([{ state: 'at-least', value: 1_480, samples: 2 }, { state: 'at-least', value: 1_500, samples: 1 }]);
    const facts = told === undefined ? [] : networkFacts(told.report).filter(({ code }) => code.startsWith('relay.pathMtu'));
    expect(facts.map(({ answer, detail }) => [answer, detail])).toEqual([['yes', 'At least 2,191 bytes.'], ['yes', 'At least 1,480 bytes.'], ['yes', 'At least 1,500 bytes.'], ['not checked', 'Not tried on this network yet.']]);
    expect(mtus.toldIn(undefined, own)).toBeUndefined();
  });

  it('is kept for 64 relays', () => {
    const mtus = new RelayPathMtus();
    for (let index = 0; index < 70; index += 1) mtus.carries(`02${String(index)}`, '192.0.2.1', 1_452);
    const own = Array.from({ length: 70 }, (_, index) => ({ ...ownRelay(`02${String(index)}`, '192.0.2.1'), name: `relay ${String(index)}` }));
    const told = mtus.toldIn({ report: reportOf(...own.map(({ name }) => name)), checkedWallMs: 1 }, own);
    expect(told?.report.relays.filter(({ pathMtuBytes }) => pathMtuBytes?.state === 'at-least').length).toBe(64);
  });
});
