/**
 * Two sides that guess ports behind modelled routers, in virtual time: what they tell each other, the sockets that they open, and what goes through the routers. Sessions are reduced to what
 * guessing needs of them: a probe is known for one, its answer goes back by the socket that it came to, and proves the way there. For tests.
 */
import { seededRandom as seededBytes } from '../session/testing.ts';
import { ModelRouter, seededRandom, type ModelAllocation, type RouterPolicy } from '../path/nat-model-testing.ts';
import type { PortAllocation } from '../../../shared/network-report.ts';
import type { Answer, RequestOptions } from '../directed/types.ts';
import type { VisorContext } from '../visor-context.ts';
import { decodeGuessOffer } from '../wire/guess-offer.ts';
import { sameAddress, type GuessFacts, type GuessOffer, type GuessSocket, type Instant, type OfferedCandidate, type RequestBody, type SocketAddress } from '../wire/types.ts';
import { PathGuessing } from './path-guessing.ts';
import { guessCapability } from './capabilities.ts';

export const at = (monotonicMs: number): Instant => ({ monotonicMs, wallMs: 1_700_000_000_000 + monotonicMs });
export const contact = `02${'a'.repeat(64)}`;
const relay: SocketAddress = { host: '198.19.0.1', port: 3_478 };
const mainPort = 41_000;
const oneWayMs = 30;
const stepsMaximum = 100_000;

const allocations: Readonly<Record<ModelAllocation, (policy: RouterPolicy, seen: SocketAddress) => PortAllocation>> = {
  random: () => ({ kind: 'random' }), preserving: () => ({ kind: 'preserving' }),
  sequential: ({ delta }) => ({ kind: 'sequential', delta }),
  // A check has seen eight ports or so: 7/9 of the block, and the one that relays see is among them.
  block: ({ blockPorts }, { port }) => ({ kind: 'block', first: Math.max(1_024, port - Math.floor(blockPorts / 3)), count: Math.floor(blockPorts * 0.7) }),
};

export class GuessSide {
  readonly guessing: PathGuessing;
  readonly router: ModelRouter;
  readonly main: SocketAddress;
  /** Of the main socket, as the relay sees it. */
  readonly seen: SocketAddress;
  readonly sockets = new Map<GuessSocket, SocketAddress>();
  readonly fresh = new Set<GuessSocket>();
  readonly sent: { readonly to: SocketAddress; readonly atMs: number }[] = [];
  readonly paths: SocketAddress[] = [];
  readonly counts = new Map<string, number>();
  mostSockets = 0;
  isAllowed = true;
  facts: GuessFacts;
  offered: readonly OfferedCandidate[];
  capabilities: readonly string[] = [guessCapability];
  other: GuessSide | undefined;
  /** Takes the place of the other side's answer. */
  instead: ((offer: GuessOffer) => Uint8Array) | undefined;
  readonly #world: GuessWorld;

  constructor(world: GuessWorld, index: number, policy: RouterPolicy, seed: number) {
    this.#world = world;
    this.router = new ModelRouter(policy, world.random);
    this.main = { host: `10.${String(index + 1)}.1.5`, port: mainPort };
    this.seen = this.router.out(this.main, relay);
    const { mapping, filtering } = policy;
    this.facts = { address: this.seen, mapping, filtering, onePublicHost: true, allocation: allocations[policy.allocation](policy, this.seen) };
    this.offered = [{ kind: 'host', address: this.main }, { kind: 'reflexive', address: this.seen }];
    const context = {
      random: seededBytes(seed),
      sessions: {
        view: () => ({ remoteCapabilities: this.capabilities, smoothedRoundTripMs: 2 * oneWayMs }), paths: () => this.paths.map((address) => ({ address })), concerns: () => true,
        probe: (_: number, to: SocketAddress) => { world.send(this, to); },
      },
      directed: { request: (_: number, body: RequestBody, options: RequestOptions, now: Instant) => { this.#ask(body, options, now); } },
      count: (counter: string) => { this.counts.set(counter, (this.counts.get(counter) ?? 0) + 1); },
    } as unknown as VisorContext;
    this.guessing = new PathGuessing(context, {
      isAllowed: () => this.isAllowed, facts: () => this.facts,
      bind: (socket) => {
        const inner = { host: this.main.host, port: 20_000 + this.sockets.size };
        this.sockets.set(socket, inner);
        this.fresh.add(socket);
        this.mostSockets = Math.max(this.mostSockets, this.sockets.size);
        world.later(1, (now) => { if (this.sockets.has(socket)) this.guessing.bound(socket, inner.port, now); });
      },
      unbind: (socket) => { this.sockets.delete(socket); },
    });
  }

  partner(): { readonly sessionId: number; readonly publicKey: string; readonly theirs: readonly OfferedCandidate[] } { return { sessionId: 1, publicKey: contact, theirs: this.other?.offered ?? [] }; }
  ask(now: Instant): void { this.guessing.ask(this.partner(), now); }
  answer(offer: GuessOffer, answer: Answer, now: Instant): void { this.guessing.asked(this.partner(), offer, answer, now); }

  #ask(body: RequestBody, { done }: RequestOptions, now: Instant): void {
    if (body.verb !== 'guess') return;
    const { offer } = body;
    const { instead } = this;
    if (instead !== undefined) { this.#world.later(2 * oneWayMs, (later) => { done({ kind: 'answered', payloads: [instead(offer)] }, later); }); return; }
    this.#world.later(oneWayMs, (later) => {
      const answered = (outcome: Parameters<typeof done>[0]): void => { this.#world.later(oneWayMs, (last) => { done(outcome, last); }); };
      this.other?.answer(offer, {
        respond: (payload) => { if (decodeGuessOffer(payload) !== undefined) answered({ kind: 'answered', payloads: [payload] }); },
        respondMany: () => undefined, refuse: (negative) => { answered({ kind: 'negative', negative }); },
      }, later);
    }, now);
  }
}

export class GuessWorld {
  readonly random: () => number;
  readonly sides: readonly [GuessSide, GuessSide];
  nowMs = 1_000;
  readonly #lossShare: number;
  #queue: { readonly atMs: number; readonly order: number; readonly act: (now: Instant) => void }[] = [];
  #order = 0;

  constructor(left: RouterPolicy, right: RouterPolicy, seed: number, lossShare = 0) {
    this.random = seededRandom(seed);
    this.#lossShare = lossShare;
    this.sides = [new GuessSide(this, 0, left, 2 * seed), new GuessSide(this, 1, right, 2 * seed + 1)];
    const [one, other] = this.sides;
    one.other = other;
    other.other = one;
  }

  get now(): Instant { return at(this.nowMs); }
  get isReached(): boolean { return this.sides.every(({ paths }) => paths.length > 0); }

  later(afterMs: number, act: (now: Instant) => void, from: Instant = this.now): void {
    this.#order += 1;
    this.#queue.push({ atMs: from.monotonicMs + afterMs, order: this.#order, act });
  }

  /** A probe: whoever gets it answers to where it came from, and is asked back. */
  send(side: GuessSide, to: SocketAddress): void {
    side.sent.push({ to, atMs: this.nowMs });
    const inner = to.socket === undefined ? side.main : side.sockets.get(to.socket);
    if (inner === undefined) return;
    // The first of each socket opens the own router and gets no farther.
    const isNearSighted = to.socket !== undefined && side.fresh.delete(to.socket);
    this.#through(side, inner, to, isNearSighted, (other, socket, source, now) => {
      const from = { ...source, ...(socket === undefined ? {} : { socket }) };
      other.guessing.path(1, 'heard', from, now);
      this.#through(other, socket === undefined ? other.main : other.sockets.get(socket), source, false, (_, __, ___, later) => {
        this.#proved(side, to, later);
        // From now on the session sends that way, and what is lost is soon followed by something else.
        for (let times = 0; times < 4; times += 1) this.later(500 * times, () => { this.#through(side, inner, to, false, (____, _____, ______, last) => { this.#proved(other, from, last); }); });
      });
    });
  }

  /** Until nothing happens any more, or that time. */
  run(untilMs = Infinity): void {
    for (let step = 0; step < stepsMaximum; step += 1) {
      this.#queue.sort((left, right) => left.atMs - right.atMs || left.order - right.order);
      const timers = this.sides.flatMap((side) => { const next = side.guessing.pollTimeout(); return next === undefined ? [] : [{ side, atMs: Math.max(next.atMs, this.nowMs) }]; }).toSorted((left, right) => left.atMs - right.atMs);
      const [[due], [timer]] = [this.#queue, timers];
      const nextMs = Math.min(due?.atMs ?? Infinity, timer?.atMs ?? Infinity);
      if (nextMs === Infinity || nextMs > untilMs) return;
      this.nowMs = nextMs;
      if (due !== undefined && due.atMs <= nextMs) {
        this.#queue.shift();
        due.act(this.now);
      } else timer?.side.guessing.handleTimeout(this.now);
    }
    throw new Error('guessing goes on for ever');
  }

  #proved(side: GuessSide, address: SocketAddress, now: Instant): void {
    if (!side.paths.some((path) => sameAddress(path, address))) side.paths.push(address);
    side.guessing.path(1, 'proved', address, now);
  }

  #through(side: GuessSide, inner: SocketAddress | undefined, to: SocketAddress, isNearSighted: boolean, arrive: (other: GuessSide, socket: GuessSocket | undefined, source: SocketAddress, now: Instant) => void): void {
    const { other } = side;
    if (inner === undefined || other === undefined) return;
    const source = side.router.out(inner, { host: to.host, port: to.port });
    if (isNearSighted || this.random() < this.#lossShare) return;
    this.later(oneWayMs, (now) => {
      const place = other.router.in({ host: to.host, port: to.port }, source);
      if (place === undefined) return;
      const socket = [...other.sockets].find(([, own]) => sameAddress(own, place))?.[0];
      if (socket !== undefined || sameAddress(place, other.main)) arrive(other, socket, source, now);
    });
  }
}
