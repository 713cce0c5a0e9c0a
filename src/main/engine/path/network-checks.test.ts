import { describe, expect, it } from 'vitest';
import { known, notChecked, valueOf, type NetworkReport } from '../../../shared/network-report.ts';
import { decodeObserve } from './observe-codec.ts';
import { automaticAfterMs, automaticEveryMs, NetworkChecks, repeatAfterMs, wholeMaximumMs } from './network-checks.ts';
import { TestPaths, type Sent } from './path-testing.ts';
import type { CheckedNetwork, NetworkRequest, SpareSocket } from './observation-port.ts';
import type { PortControlResult, TcpProbeResult } from './types.ts';

const inside = '10.77.1.10';
const outside = '203.0.113.5';
const mainPort = 40_000;

/** A visor behind a router that keeps ports; its checks, its relays, and what its host answers. */
class Checked {
  readonly world = new TestPaths();
  readonly checks: NetworkChecks;
  portControl: PortControlResult | undefined = { outcome: 'silent', timesSent: 5 };
  page: TcpProbeResult['outcome'] = 'failed';
  answersInterfaces = true;
  readonly asked: NetworkRequest['kind'][] = [];
  #spares = 0;
  #wantsBound: SpareSocket[] = [];

  constructor(hosts: readonly string[] = ['192.0.2.1', '198.51.100.2']) {
    this.checks = new NetworkChecks(this.world.observing);
    this.world.observing.check = this.checks;
    for (const host of hosts) this.world.relay(host);
  }

  /** A round trip of 20 ms, and what the host does. */
  step(): void {
    const { world, checks } = this;
    for (const request of world.requests.splice(0)) {
      this.asked.push(request.kind);
      const { check } = request;
      if (request.kind === 'interfaces' && this.answersInterfaces) checks.answered({ kind: 'interfaces', check, localHosts: [inside], mainPorts: { ipv4: mainPort } }, world.now);
      if (request.kind === 'port-control') checks.answered({ kind: 'port-control', check, result: this.portControl }, world.now);
      if (request.kind === 'tcp-probe') checks.answered({ kind: 'tcp-probe', check, result: { protocol: request.protocol, to: request.to, outcome: this.page } }, world.now);
    }
    for (const text of world.asks.splice(0)) {
      const [verb, socket] = text.split(' ');
      if (verb === 'bind' && socket?.startsWith('spare-') === true) this.#wantsBound.push(socket as SpareSocket);
      if (verb === 'unbind' && socket?.startsWith('spare-') === true) world.ports.delete(socket as SpareSocket);
    }
    for (const socket of this.#wantsBound.splice(0)) {
      this.#spares += 7;
      const port = 41_000 + this.#spares;
      world.ports.set(socket, port);
      world.observing.handleBound(socket, port, world.now);
    }
    if (world.wire.length > 0) world.ms += 20;
    world.run();
  }

  /** Until then, with all deadlines. */
  pass(forMs: number): void {
    const endMs = this.world.ms + forMs;
    while (this.world.ms < endMs) {
      this.step();
      const due = this.checks.pollTimeout()?.atMs ?? Infinity;
      this.world.ms = Math.min(endMs, Math.max(this.world.ms + 1, Math.min(due, this.world.ms + 5)));
      if (due <= this.world.ms) this.checks.handleTimeout(this.world.now);
    }
    this.step();
  }

  run(): CheckedNetwork {
    let result: CheckedNetwork | undefined;
    const sinceMs = this.world.ms;
    this.checks.run(this.world.now, (checked) => { result = checked; });
    while (result === undefined && this.world.ms - sinceMs <= wholeMaximumMs) this.pass(20);
    if (result === undefined) throw new Error('no answer in time');
    this.step();
    return result;
  }
}

/** Lets in only what comes from where the socket has sent to. */
function filtered(world: TestPaths): void {
  world.hook = (sent) => {
    const isInbound = sent.to.host === outside && sent.from.host !== outside;
    const isAnswered = world.log.some((one) => one !== sent && one.from.port === sent.to.port && one.from.host === outside && one.to.host === sent.from.host && one.to.port === sent.from.port);
    return isInbound && !isAnswered ? [] : hairpinless(sent);
  };
}
const hairpinless = (sent: Sent): readonly Sent[] => (sent.from.host === outside && sent.to.host === outside ? [] : [sent]);
const ipv4 = ({ report }: CheckedNetwork): NetworkReport['families']['ipv4'] => report.families.ipv4;

describe('the checks of a visor', () => {
  it('find out what an open router does, within five seconds, and leave no socket open', () => {
    const visor = new Checked();
    const startMs = visor.world.ms;
    const checked = visor.run();
    expect(visor.world.ms - startMs).toBeLessThan(wholeMaximumMs);
    expect([ipv4(checked).mapping, ipv4(checked).filtering, ipv4(checked).hairpin].map((fact) => (fact.state === 'known' ? fact.value : fact.reason))).toEqual(['endpoint-independent', 'endpoint-independent', true]);
    expect(checked.report.portControl).toMatchObject({ value: 'none' });
    expect(checked.report.relays).toMatchObject([{ relay: '192.0.2.1', roundTripMs: { state: 'known' } }, { relay: '198.51.100.2', roundTripMs: { state: 'known' } }]);
    expect(checked.report.candidates).toContainEqual({ kind: 'reflexive', family: 'ipv4', host: outside, port: mainPort, isPortSure: true });
    expect([checked.report.isComplete, visor.checks.last, visor.world.ports.size]).toEqual([true, checked, 1]);
    expect(visor.world.reports).toBeGreaterThan(0);
    expect(visor.asked).toEqual(['interfaces', 'port-control']);
  });

  it('find a filter, and that the router does not bring its own hosts together', () => {
    const visor = new Checked();
    filtered(visor.world);
    const checked = visor.run();
    expect([valueOf(ipv4(checked).mapping), valueOf(ipv4(checked).filtering), valueOf(ipv4(checked).hairpin)]).toEqual(['endpoint-independent', 'address-and-port-dependent', false]);
  });

  it('take a mark that came once and no other', () => {
    const visor = new Checked();
    let marks = 0;
    visor.world.hook = (sent) => {
      if (decodeObserve(sent.datagram)?.type !== 'mark') return [sent];
      marks += 1;
      // Somebody makes one up, sends another twice, and to the wrong socket.
      return [{ ...sent, datagram: new Uint8Array(17).fill(10, 0, 1) }, { ...sent, to: { host: outside, port: sent.from.port } }, { ...sent, to: { host: outside, port: mainPort } }];
    };
    expect(ipv4(visor.run()).hairpin).toEqual(known(false, expect.any(Number) as number));
    expect(marks).toBeGreaterThan(4);
    expect(visor.world.count('drop.unknown-mark')).toBeGreaterThanOrEqual(marks);
    expect(visor.world.count('drop.elsewhere')).toBeGreaterThan(marks);
  });

  it('never take for silence what relays would not let them ask', () => {
    const visor = new Checked();
    filtered(visor.world);
    let given = 0;
    visor.world.hook = ((before) => (sent) => before(sent))(visor.world.hook);
    const tickets = visor.world.relays.map((relay) => relay.ticket.bind(relay));
    for (const [index, relay] of visor.world.relays.entries()) {
      relay.ticket = (sessionId) => {
        given += 1;
        return given > 2 ? { code: 'busy', retryAfterSeconds: 60, detail: 0 } : tickets[index]?.(sessionId) ?? { code: 'gone', retryAfterSeconds: 0, detail: 0 };
      };
    }
    // So much is lost that tickets are used up.
    const { hook } = visor.world;
    let count = 0;
    visor.world.hook = (sent) => { count += 1; return count % 2 === 0 ? [] : hook(sent); };
    const checked = visor.run();
    expect(given).toBeGreaterThan(2);
    expect([undefined, 'address-and-port-dependent']).toContain(valueOf(ipv4(checked).filtering));
    expect([undefined, 'endpoint-independent']).toContain(valueOf(ipv4(checked).mapping));
  });

  it('are shared by all who ask at the same time, and repeated after a while', () => {
    const visor = new Checked();
    const heard: CheckedNetwork[] = [];
    for (let index = 0; index < 3; index += 1) visor.checks.run(visor.world.now, (checked) => { heard.push(checked); });
    visor.pass(wholeMaximumMs);
    expect([heard.length, new Set(heard).size, visor.asked.filter((kind) => kind === 'interfaces').length]).toEqual([3, 1, 1]);
    expect(visor.run()).toBe(heard[0]);
    visor.pass(repeatAfterMs);
    expect(visor.run()).not.toBe(heard[0]);
  });

  it('run by themselves once relays are there, and again for a new one, every five minutes at most', () => {
    const visor = new Checked();
    const starts = (): number => visor.asked.filter((kind) => kind === 'interfaces').length;
    visor.checks.relaysChanged(visor.world.now);
    visor.pass(automaticAfterMs - 100);
    expect(starts()).toBe(0);
    visor.pass(10_000);
    expect([starts(), visor.checks.last?.report.isComplete]).toEqual([1, true]);
    visor.checks.relaysChanged(visor.world.now);
    visor.pass(automaticEveryMs + 30_000);
    expect(starts()).toBe(1);
    visor.run();
    visor.world.relay('198.51.100.77');
    for (let index = 0; index < 3; index += 1) visor.checks.relaysChanged(visor.world.now);
    visor.pass(automaticEveryMs - 30_000);
    expect(starts()).toBe(2);
    visor.pass(60_000);
    expect([starts(), visor.checks.last?.report.relays.length]).toEqual([3, 3]);
  });

  it('forget what they know of a network that was left, and begin afresh', () => {
    const visor = new Checked();
    filtered(visor.world);
    let result: CheckedNetwork | undefined;
    visor.checks.run(visor.world.now, (checked) => { result = checked; });
    visor.pass(100);
    expect(visor.world.ports.size).toBeGreaterThan(1);
    visor.world.observing.networkChanged(visor.world.now);
    visor.pass(wholeMaximumMs);
    expect([visor.asked.filter((kind) => kind === 'interfaces').length, result?.report.isComplete, visor.world.ports.size]).toEqual([2, true, 1]);
    visor.world.observing.networkChanged(visor.world.now);
    expect(visor.checks.last).toBeUndefined();
    visor.pass(automaticAfterMs + wholeMaximumMs);
    expect(visor.asked.filter((kind) => kind === 'interfaces')).toHaveLength(3);
    expect(visor.checks.last?.report.isComplete).toBe(true);
  });

  it('answer in time while the network changes all the time', () => {
    const visor = new Checked();
    filtered(visor.world);
    let result: CheckedNetwork | undefined;
    visor.checks.run(visor.world.now, (checked) => { result = checked; });
    for (let index = 0; index < 8; index += 1) {
      visor.pass(wholeMaximumMs / 8);
      visor.world.observing.networkChanged(visor.world.now);
    }
    visor.pass(20);
    expect(result).toBeDefined();
    expect(valueOf(result?.report.families.ipv4.filtering ?? notChecked('not-yet'))).toBeUndefined();
  });

  it('ask for a page where no relay is heard, and tell a portal', () => {
    const visor = new Checked([]);
    visor.world.absent.push({ relay: '02aa', name: 'harbour.example:7400', address: { host: '192.0.2.1', port: 7_400 }, isConnected: false, roundTripMs: undefined });
    visor.page = 'intercepted';
    const { report } = visor.run();
    expect(visor.asked).toEqual(['interfaces', 'port-control', 'tcp-probe']);
    expect(report.captivePortal).toMatchObject({ state: 'known', value: true });
    expect([report.families.ipv4.mapping.state, report.families.ipv4.filtering.state, report.families.ipv4.udpBlocked.state]).toEqual(['not-checked', 'not-checked', 'not-checked']);
    expect(visor.world.log).toEqual([]);
    expect(report.relays).toEqual([{ relay: 'harbour.example:7400', roundTripMs: notChecked('no-answer') }]);
  });

  it('do not take the word of relays in the own network about what is outside of it', () => {
    for (const host of ['127.0.0.1', '10.77.1.20', '192.168.1.9']) {
      const visor = new Checked([host]);
      visor.checks.relaysChanged(visor.world.now);
      visor.pass(automaticAfterMs + 1_000);
      expect(visor.asked).toEqual([]);
      const { report } = visor.run();
      expect(report.families.ipv4.mapping).toEqual(notChecked('no-relay'));
      expect(report.relays).toEqual([{ relay: host, roundTripMs: known(30, 1) }]);
      expect(visor.world.log).toEqual([]);
    }
  });

  it('take what the router says, also that it was not asked', () => {
    const results: readonly [PortControlResult | undefined, string | undefined][] = [
      [{ outcome: 'mapped', protocol: 'pcp', external: { host: outside, port: mainPort } }, 'pcp'], [{ outcome: 'refused' }, 'refused'], [{ outcome: 'silent', timesSent: 5 }, 'none'], [undefined, undefined],
    ];
    for (const [result, value] of results) {
      const visor = new Checked();
      visor.portControl = result;
      const { report } = visor.run();
      expect(valueOf(report.portControl)).toBe(value);
      expect(valueOf(report.families.ipv4.doubleNat)).toBe(value === 'pcp' ? false : undefined);
    }
  });

  it('end although the host answers nothing', () => {
    const visor = new Checked();
    visor.answersInterfaces = false;
    const { report } = visor.run();
    expect([report.families.ipv4.mapping.state, report.families.ipv4.filtering.state, report.candidates]).toEqual(['not-checked', 'not-checked', []]);
  });

  it('find out anew where we are when that seems not to hold any more, however young the last report is, and tell it before all the rest', () => {
    const visor = new Checked();
    filtered(visor.world);
    const before = visor.run();
    visor.world.ports.set('main', mainPort + 9);
    expect(visor.run()).toBe(before);
    const { reports } = visor.world;
    visor.checks.runAnew(visor.world.now);
    visor.pass(100);
    const last = (): CheckedNetwork => visor.checks.last ?? before;
    const reflexive = (): readonly number[] => last().report.candidates.filter(({ kind }) => kind === 'reflexive').map(({ port }) => port);
    expect([reflexive(), visor.world.reports > reports, visor.checks.isRunning]).toEqual([[mainPort + 9], true, true]);
    expect([last().report.isComplete, valueOf(ipv4(last()).filtering)]).toEqual([true, 'address-and-port-dependent']);
    visor.pass(wholeMaximumMs);
    expect([reflexive(), visor.checks.isRunning, visor.world.ports.size]).toEqual([[mainPort + 9], false, 1]);
  });

  it('keep what they know of where we are while relays give no more tickets', () => {
    const visor = new Checked();
    visor.run();
    for (let round = 0; round < 8; round += 1) {
      visor.checks.runAnew(visor.world.now);
      visor.pass(wholeMaximumMs);
    }
    expect(visor.world.relays[0]?.count('ticket-refused')).toBeGreaterThan(0);
    expect(visor.checks.last?.report.candidates).toContainEqual({ kind: 'reflexive', family: 'ipv4', host: outside, port: mainPort, isPortSure: true });
  });
});
