import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { known, notChecked, type FamilyReport, type NetworkReport } from '../../shared/network-report.ts';
import { initialSettings, type View } from '../../shared/views.ts';
import type { CarryingView } from '../../shared/relay-views.ts';
import type { EngineCommand } from '../engine/command-types.ts';
import { FriendCarrier, reachedAt, type FriendCarrierOptions } from './friend-carrier.ts';
import type { LocalRelay, OpenToFriends } from './local-relay.ts';
import type { VisorRuntime } from './visor-runtime.ts';

const nothing = notChecked('not-yet');
const unchecked: FamilyReport = { udpBlocked: nothing, mapping: nothing, filtering: nothing, allocation: nothing, mappingLifetimeMs: nothing, hairpin: nothing, doubleNat: nothing, publicHosts: nothing, onePublicHost: nothing, pathMtuBytes: nothing };
const report = (ipv4: Partial<FamilyReport>, more: Partial<NetworkReport> = {}): NetworkReport => ({
  families: { ipv4: { ...unchecked, ...ipv4 }, ipv6: unchecked }, ipv6Inbound: nothing, captivePortal: nothing, portControl: nothing, relays: [], candidates: [], isComplete: true, ...more,
});
const open: Partial<FamilyReport> = { mapping: known('none', 4), filtering: known('none', 2), publicHosts: known(['203.0.113.5'], 4) };
const behindRouter: Partial<FamilyReport> = { mapping: known('endpoint-independent', 4), filtering: known('address-and-port-dependent', 4), publicHosts: known(['203.0.113.5'], 4) };

describe('whether others reach this computer', () => {
  it.each<[string, NetworkReport, ReturnType<typeof reachedAt>]>([
    ['no translation and no filter', report(open), { kind: 'at', host: '203.0.113.5' }],
    ['a router', report(behindRouter), { kind: 'nowhere' }],
    ['a filter', report({ ...open, filtering: known('address-and-port-dependent', 3) }), { kind: 'nowhere' }],
    ['a filter that is not known', report({ ...open, filtering: nothing }), { kind: 'unknown' }],
    ['nothing', report({}), { kind: 'unknown' }],
    ['itself only', report({ ...open, publicHosts: known(['127.0.0.1'], 4) }), { kind: 'nowhere' }],
    ['IPv6 that lets in', report(behindRouter, { ipv6Inbound: known('open', 1), candidates: [{ kind: 'host', family: 'ipv6', host: '2001:db8::5', port: 9, isPortSure: true }] }), { kind: 'at', host: '2001:db8::5' }],
    ['IPv6 behind a firewall', report(behindRouter, { ipv6Inbound: known('filtered', 1), candidates: [{ kind: 'host', family: 'ipv6', host: '2001:db8::5', port: 9, isPortSure: true }] }), { kind: 'nowhere' }],
  ])('is told by %s', (_name, from, expected) => { expect(reachedAt(from)).toEqual(expected); });
});

const emptyView: View = {
  identity: { publicKey: `02${'01'.repeat(32)}`, address: '', name: 'Fay', fingerprint: '', wordsConfirmed: true }, connection: { kind: 'online', relaysConnected: 2, relaysConfigured: 2, waitingMessages: 0 },
  conversations: [], relays: [], outbox: [], settings: initialSettings, echo: { state: 'absent' }, notices: [], network: undefined,
};

class World {
  view = emptyView;
  readonly commands: EngineCommand[] = [];
  readonly shown: CarryingView[] = [];
  readonly openings: (OpenToFriends | undefined)[] = [];
  members: readonly string[] = [];
  #patched: () => void = () => undefined;
  readonly carrier: FriendCarrier;

  constructor(directory: string, options: Partial<FriendCarrierOptions> = {}) {
    const runtime = {
      pipe: { invoke: () => Promise.resolve({ ok: true, value: { sequence: 1, view: this.view } }), listen: (_path: string, listener: () => void) => { this.#patched = listener; return () => undefined; } },
      command: (command: EngineCommand) => { this.commands.push(command); return Promise.resolve(command.name === 'carry-members' ? { members: ['anna', 'ben'] } : undefined); },
      setCarrying: (carrying: CarryingView) => { this.shown.push(carrying); },
    } as unknown as VisorRuntime;
    const relay = {
      isOpen: false,
      open: (opened: OpenToFriends | undefined) => { this.openings.push(opened); Object.assign(relay, { isOpen: opened !== undefined }); return Promise.resolve({ publicKey: `02${'ab'.repeat(32)}`, host: '127.0.0.1', port: 7_500 }); },
      setMembers: (members: readonly string[]) => { this.members = members; },
      counters: () => Promise.resolve({ 'mailbox.stored': 3, 'circuit.hour.bytes': 4_096 }),
    } as unknown as LocalRelay;
    this.carrier = new FriendCarrier({ runtime, relay, directory, ...options });
  }

  async change(settings: Partial<View['settings']>, network?: NetworkReport): Promise<void> {
    this.view = { ...this.view, settings: { ...this.view.settings, ...settings }, network: network === undefined ? undefined : { report: network, checkedAtMs: 1 } };
    this.#patched();
    await this.settle();
  }
  /** Files are read and written beside the clock of the test. */
  async settle(): Promise<void> { await vi.advanceTimersByTimeAsync(150); await this.carrier.idle; }
  get offers(): readonly unknown[] { return this.commands.flatMap((command) => (command.name === 'carry' ? [command.offer] : [])); }
  get last(): CarryingView | undefined { return this.shown.at(-1); }
}

describe('carrying for friends', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'waypost-carrier-'));
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
    rmSync(directory, { recursive: true, force: true });
  });

  it('begins when the person agrees and others get in, and ends when either is over', async () => {
    const world = new World(directory);
    world.carrier.start();
    await world.settle();
    expect([world.offers, world.openings]).toEqual([[undefined], []]);
    await world.change({ carryForFriends: true });
    expect(world.last?.state).toBe('checking');
    expect(world.offers.length).toBe(1);
    await world.change({}, report(open));
    expect(world.offers.at(-1)).toEqual({ hint: { publicKey: `02${'ab'.repeat(32)}`, host: '203.0.113.5', port: 7_500 }, quotaBytes: 4 * 1_048_576 });
    expect(world.members).toEqual(['anna', 'ben']);
    expect(world.commands.map(({ name }) => name).slice(-3)).toEqual(['carry-members', 'add-relay', 'carry']);
    expect(world.last).toMatchObject({ state: 'on', address: '203.0.113.5:7500', members: 2 });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(world.last).toMatchObject({ letters: 3, hourBytes: 4_096 });
    // The network is looked at anew: what was known counts until something else is.
    await world.change({});
    expect(world.last?.state).toBe('on');
    await world.change({}, report(behindRouter));
    expect([world.offers.at(-1), world.openings.at(-1), world.last?.state]).toEqual([undefined, undefined, 'unreachable']);
    await world.change({}, report(open));
    await world.change({ hideAddress: true }, report(open));
    expect([world.offers.at(-1), world.openings.at(-1), world.last?.state]).toEqual([undefined, undefined, 'off']);
    await world.carrier.stop();
  });

  it('goes on after a restart without any relay that could tell', async () => {
    const before = new World(directory);
    before.carrier.start();
    await before.change({ carryForFriends: true }, report(open));
    await before.settle();
    await before.carrier.stop();
    const after = new World(directory);
    after.view = { ...after.view, settings: { ...after.view.settings, carryForFriends: true } };
    after.carrier.start();
    await after.settle();
    expect(after.last).toMatchObject({ state: 'on', address: '203.0.113.5:7500' });
    await after.carrier.stop();
  });

  it('believes the address that a person names, and keeps the budget that they set', async () => {
    const world = new World(directory, { announce: { host: 'me.example.org', port: 7_777 }, port: 7_500, hourBytes: 2 ** 20 });
    world.carrier.start();
    await world.change({ carryForFriends: true }, report(behindRouter));
    expect(world.offers.at(-1)).toMatchObject({ hint: { host: 'me.example.org', port: 7_777 } });
    expect(world.openings.at(-1)).toMatchObject({ port: 7_500, policy: { circuitsPerHour: { bytes: 2 ** 20, packets: 2_048 } } });
    await world.carrier.stop();
  });
});
