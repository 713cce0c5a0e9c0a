/**
 * Two visors behind modelled routers that punch towards each other, in virtual time: latency, jitter and loss on the way, candidates as relays see them, probes that are
 * answered where they came from. Sessions are reduced to what punching needs of them: a probe is known for one, and so is an answer to it. For tests.
 */
import { seededRandom as seededBytes } from '../session/testing.ts';
import { socketAddressKey, type OfferedCandidate, type SocketAddress } from '../wire/types.ts';
import { isInOwnNetwork } from './path-tier.ts';
import { ModelRouter, seededRandom, type RouterPolicy } from './nat-model-testing.ts';
import { Punching } from './punching.ts';

/** A local network and the routers between it and everybody else, from the inside outwards. */
export interface Site {
  readonly routers: readonly RouterPolicy[];
  /** Hosts in it do not reach each other directly, as in networks for guests. */
  readonly isIsolated?: boolean;
}

export interface PunchWorld {
  readonly sites: readonly Site[];
  /** Whoever begins is the first. */
  readonly sides: readonly [SideOptions, SideOptions];
  readonly seed: number;
  readonly lossShare: number;
  /** From one to the other, outside; a hundredth of it inside one site. */
  readonly oneWayMs: number;
  readonly jitterMs: number;
  /** Of the path by way of the relay. */
  readonly relayRoundTripMs: number;
  /** The second side begins so much later than it should. */
  readonly lateMs?: number;
}

export interface SideOptions { readonly site: number; readonly host: string }

interface Route { readonly source: SocketAddress; readonly isNear: boolean; readonly receiver: () => Side | undefined }
interface Packet { readonly kind: 'probe' | 'answer'; readonly id: number }

export interface SideRun {
  readonly punching: Punching;
  readonly inner: SocketAddress;
  readonly startMs: number;
  readonly probes: readonly { readonly to: SocketAddress; readonly atMs: number }[];
  readonly heard: readonly SocketAddress[];
  readonly answers: readonly { readonly at: SocketAddress; readonly atMs: number }[];
}

interface Side extends SideRun {
  readonly site: number;
  readonly own: readonly SocketAddress[];
  readonly probes: { readonly to: SocketAddress; readonly atMs: number }[];
  readonly heard: SocketAddress[];
  readonly answers: { readonly at: SocketAddress; readonly atMs: number }[];
}

const relay: SocketAddress = { host: '198.19.0.1', port: 3_478 };
const mainPort = 41_000;
const startMs = 1_000;
/** More events than any attempt causes. */
const stepsMaximum = 20_000;

export function runPunching(world: PunchWorld): readonly [SideRun, SideRun] {
  const random = seededRandom(world.seed);
  const sites = world.sites.map(({ routers, isIsolated = false }) => ({ routers: routers.map((policy) => new ModelRouter(policy, random)), isIsolated }));
  const queue: { readonly atMs: number; readonly order: number; readonly act: (nowMs: number) => void }[] = [];
  const sentTo = new Map<number, SocketAddress>();
  let order = 0;
  const later = (atMs: number, act: (nowMs: number) => void): void => { order += 1; queue.push({ atMs, order, act }); };

  const routersOf = (side: { readonly site: number }): readonly ModelRouter[] => sites[side.site]?.routers ?? [];
  const makeSide = ({ site, host }: SideOptions, index: number): Side => {
    const inner = { host, port: mainPort + index };
    const seen = routersOf({ site }).reduce<SocketAddress>((source, router) => router.out(source, relay), inner);
    const own = [inner, seen];
    return { site, inner, own, punching: new Punching({ random: seededBytes(world.seed * 2 + index) }), startMs: startMs + world.relayRoundTripMs / 2, probes: [], heard: [], answers: [] };
  };
  const [left, right]: readonly [Side, Side] = [makeSide(world.sides[0], 0), makeSide(world.sides[1], 1)];
  const sides = [left, right];
  const offerOf = ({ own }: Side): readonly OfferedCandidate[] => own.map((address, index) => ({ kind: index === 0 ? 'host' : 'reflexive', address }));

  const sideAt = (site: number | undefined, address: SocketAddress): Side | undefined => sides.find((side) => (site === undefined || side.site === site) && socketAddressKey(side.inner) === socketAddressKey(address));
  /** Whom it seems to come from, and who gets it: to be asked when it arrives, for what routers let in by then. */
  const route = (from: Side, to: SocketAddress): Route | undefined => {
    const site = sites[from.site];
    if (site === undefined) return undefined;
    if (isInOwnNetwork(to.host, [from.inner.host])) return site.isIsolated ? undefined : { source: from.inner, isNear: true, receiver: () => sideAt(from.site, to) };
    let source = from.inner;
    for (const [level, router] of site.routers.entries()) {
      const turnsBack = router.hasOuter(to.host);
      if (turnsBack && !router.policy.hairpin) return undefined;
      source = router.out(source, to);
      const seen = source;
      if (turnsBack) return { source: seen, isNear: true, receiver: () => sideBehind(from.site, site.routers.slice(0, level + 1), to, seen) };
    }
    const index = sites.findIndex(({ routers }, site) => {
      const outermost = routers.at(-1);
      return outermost === undefined || outermost.policy.mapping === 'none' ? sideAt(site, to) !== undefined : outermost.hasOuter(to.host);
    });
    return { source, isNear: false, receiver: () => sideBehind(index, sites[index]?.routers ?? [], to, source) };
  };
  const sideBehind = (site: number, routers: readonly ModelRouter[], to: SocketAddress, from: SocketAddress): Side | undefined => {
    const inner = routers.toReversed().reduce<SocketAddress | undefined>((place, router) => (place === undefined ? undefined : router.in(place, from)), to);
    return inner === undefined ? undefined : sideAt(site, inner);
  };

  const send = (from: Side, to: SocketAddress, packet: Packet, nowMs: number): void => {
    // Routers see it leave in any case; what is lost is lost behind them.
    const arrived = route(from, to);
    if (arrived === undefined || random() < world.lossShare) return;
    const oneWayMs = arrived.isNear ? world.oneWayMs / 100 : world.oneWayMs + random() * world.jitterMs;
    later(nowMs + oneWayMs, (atMs) => {
      const receiver = arrived.receiver();
      if (receiver !== undefined) receive(receiver, arrived.source, packet, atMs);
    });
  };
  const receive = (side: Side, source: SocketAddress, packet: Packet, nowMs: number): void => {
    side.heard.push(source);
    side.punching.heardFrom(source, nowMs);
    if (packet.kind === 'probe') send(side, source, { kind: 'answer', id: packet.id }, nowMs);
    const at = packet.kind === 'answer' ? sentTo.get(packet.id) : undefined;
    if (at !== undefined) {
      side.answers.push({ at, atMs: nowMs });
      side.punching.answered(at, nowMs);
    }
    drain(side, nowMs);
  };
  const drain = (side: Side, nowMs: number): void => {
    for (let to = side.punching.pollProbe(); to !== undefined; to = side.punching.pollProbe()) {
      side.probes.push({ to, atMs: nowMs });
      sentTo.set(sentTo.size, to);
      send(side, to, { kind: 'probe', id: sentTo.size - 1 }, nowMs);
    }
  };

  const begin = (side: Side, other: Side, waitMs: number, atMs: number): void => { later(atMs, (nowMs) => {
    side.punching.begin({ theirs: offerOf(other), ownHosts: [side.inner.host, '127.0.0.1'], ownAddresses: side.own, waitMs }, nowMs);
    drain(side, nowMs);
  }); };
  begin(left, right, world.relayRoundTripMs / 2, startMs);
  begin(right, left, 0, startMs + world.relayRoundTripMs / 2 + random() * world.jitterMs + (world.lateMs ?? 0));

  for (let step = 0; step < stepsMaximum; step += 1) {
    queue.sort((first, second) => first.atMs - second.atMs || first.order - second.order);
    const timers = sides.flatMap((side) => { const atMs = side.punching.pollTimeout(); return atMs === undefined ? [] : [{ side, atMs }]; }).toSorted((first, second) => first.atMs - second.atMs);
    const [due] = queue;
    const [timer] = timers;
    if (due !== undefined && (timer === undefined || due.atMs <= timer.atMs)) {
      queue.shift();
      due.act(due.atMs);
    } else if (timer !== undefined) {
      timer.side.punching.handleTimeout(timer.atMs);
      drain(timer.side, timer.atMs);
    } else {
      return [left, right];
    }
  }
  throw new Error(`punching goes on for ever (seed ${String(world.seed)})`);
}
