/** Runs a check through a model of a network in virtual time, and says what it should find. For tests. */
import type { AddressFamily, NetworkReport } from '../../../shared/network-report.ts';
import { sameAddress, type SocketAddress } from '../wire/types.ts';
import type { CheckEffect } from './check-effects.ts';
import { seededRandom, sendThrough, ModelRouter, type ModelRelay, type NetworkModel, type RouterPolicy } from './nat-model-testing.ts';
import { CheckMachine } from './network-check.ts';
import type { CheckRelay, PortControlResult, ProbeSocket } from './types.ts';

export interface Place {
  readonly family: AddressFamily;
  readonly routers: readonly RouterPolicy[];
  readonly udpBlocked: boolean;
  readonly portal: boolean;
  readonly portControl: 'none' | 'address' | 'mapped';
  readonly relays: number;
  readonly lossShare: number;
  readonly oneWayMs: number;
  readonly seed: number;
}

export const usualPlace: Place = { family: 'ipv4', routers: [], udpBlocked: false, portal: false, portControl: 'none', relays: 3, lossShare: 0, oneWayMs: 20, seed: 1 };
export const usualRouter: RouterPolicy = { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', allocation: 'preserving', delta: 1, blockPorts: 256, hairpin: false, outerHosts: ['198.18.7.1'] };
export const carrierHosts: readonly string[] = ['100.64.7.2'];

export interface CheckRun {
  readonly check: CheckMachine;
  readonly report: NetworkReport;
  /** Every one that was asked for, and some read in between. */
  readonly reports: readonly NetworkReport[];
  readonly firstReportMs: number;
  readonly endedMs: number;
  readonly effects: readonly CheckEffect[];
}

interface Due { readonly atMs: number; readonly order: number; readonly act: (nowMs: number) => void }

const mainPort = 41_000;
const startMs = 1_000;
const bindMs = 1;

export function runCheck(place: Place): CheckRun {
  const random = seededRandom(place.seed);
  const hostIsPublic = place.routers.every(({ mapping }) => mapping === 'none');
  const localHost = place.family === 'ipv6' ? '2001:db8:1:7::10' : hostIsPublic ? '198.18.9.9' : '10.77.7.10';
  const relays: readonly ModelRelay[] = Array.from({ length: place.relays }, (_, index) => {
    const host = place.family === 'ipv6' ? `2001:db8::${String(index + 1)}` : `198.19.0.${String(index + 1)}`;
    return { first: { host, port: 3_478 }, second: { host, port: 3_479 } };
  });
  const routers = place.routers.map((policy) => new ModelRouter(policy, random));
  const model: NetworkModel = { routers, relays, udpBlocked: place.udpBlocked || place.portal, lossShare: place.lossShare, random };
  const checkRelays: readonly CheckRelay[] = relays.map(({ first, second }, index) => ({ relay: `relay ${String(index)}`, first, second, hasOtherRelay: place.relays > 1, tcp: { host: first.host, port: 443 } }));
  const check = new CheckMachine({ nowMs: startMs, relays: checkRelays, localHosts: [localHost, '127.0.0.1'], mainPorts: { [place.family]: mainPort } });

  const ports = new Map<ProbeSocket, number>([['main', mainPort]]);
  const queue: Due[] = [];
  const effects: CheckEffect[] = [];
  const reports: NetworkReport[] = [];
  let order = 0;
  let firstReportMs = Number.POSITIVE_INFINITY;
  const later = (atMs: number, act: (nowMs: number) => void): void => { order += 1; queue.push({ atMs, order, act }); };
  const addressOf = (socket: ProbeSocket): SocketAddress => ({ host: localHost, port: ports.get(socket) ?? 0 });
  const socketAt = (at: SocketAddress): ProbeSocket | undefined => [...ports.keys()].find((socket) => sameAddress(addressOf(socket), at));

  const perform = (effect: CheckEffect, nowMs: number): void => {
    effects.push(effect);
    switch (effect.kind) {
      case 'probe': {
        const outcome = sendThrough(model, addressOf(effect.socket), effect.to, effect.answerFrom);
        if (outcome?.kind !== 'answer') return;
        const roundTripMs = 2 * place.oneWayMs + Math.floor(random() * 5);
        later(nowMs + roundTripMs, (atMs) => { check.handleObservation({ socket: effect.socket, asked: effect.to, answerFrom: effect.answerFrom, from: outcome.from, seen: outcome.seen, roundTripMs }, atMs); });
        return;
      }
      case 'hairpin-probe': {
        const outcome = sendThrough(model, addressOf(effect.socket), effect.to, 'asked');
        const at = outcome?.kind === 'hairpin' ? socketAt(outcome.to) : undefined;
        if (at !== undefined && at !== 'main') later(nowMs + 2, (atMs) => { check.handleHairpin(at, atMs); });
        return;
      }
      case 'bind-spare':
        // No two sockets have the same.
        ports.set(effect.socket, 32_768 + 16 * Math.floor(random() * 1_700) + ports.size);
        later(nowMs + bindMs, (atMs) => { check.handleSpareBound(effect.socket, ports.get(effect.socket) ?? 0, atMs); });
        return;
      case 'release-spare':
        return;
      case 'port-control': {
        // The router opens the port when the request is there, and what leaves from then on leaves by it; that it did is known later.
        later(nowMs + Math.floor(random() * 80), (atMs) => {
          const result = askRouter(place, routers[0], addressOf('main'));
          later(atMs + 1 + Math.floor(random() * 40), (thenMs) => { check.handlePortControl(result, thenMs); });
        });
        return;
      }
      case 'tcp-probe': {
        const isPage = effect.protocol === 'http';
        const outcome = place.portal ? (isPage ? 'intercepted' : 'failed') : 'reached';
        later(nowMs + 2 * place.oneWayMs, (atMs) => { check.handleTcp({ protocol: effect.protocol, to: effect.to, outcome }, atMs); });
        return;
      }
      case 'report':
        if (effect.stage === 'first' || firstReportMs === Number.POSITIVE_INFINITY) firstReportMs = nowMs - startMs;
        reports.push(effect.report);
    }
  };
  const drain = (nowMs: number): void => {
    for (let effect = check.pollEffect(); effect !== undefined; effect = check.pollEffect()) perform(effect, nowMs);
  };

  let nowMs = startMs;
  drain(nowMs);
  while (!check.isComplete) {
    queue.sort((left, right) => left.atMs - right.atMs || left.order - right.order);
    const timeoutMs = check.pollTimeout() ?? Number.POSITIVE_INFINITY;
    const [due] = queue;
    if (due !== undefined && due.atMs <= timeoutMs) {
      queue.shift();
      nowMs = due.atMs;
      due.act(nowMs);
    } else {
      nowMs = timeoutMs;
      check.handleTimeout(nowMs);
    }
    drain(nowMs);
    if (random() < 0.05) reports.push(check.report());
  }
  const last = check.report();
  return { check, report: last, reports: [...reports, last], firstReportMs, endedMs: nowMs - startMs, effects };
}

function askRouter({ portControl }: Place, router: ModelRouter | undefined, main: SocketAddress): PortControlResult {
  if (portControl === 'none' || router === undefined) return { outcome: 'silent', timesSent: 10 };
  if (portControl === 'mapped') return { outcome: 'mapped', protocol: 'pcp', external: router.open(main) };
  return { outcome: 'address', protocol: 'nat-pmp', host: router.policy.outerHosts[0] ?? '' };
}
