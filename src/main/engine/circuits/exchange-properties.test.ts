/** An exchange beside a model of it that is slow and plain: lists, and a look through all of them for each question. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seededRandom } from '../session/testing.ts';
import { attemptsPerPrefixPerMinute, circuitsPerOpenerMaximum, circuitsPerOwnerMaximum, connectsPerOwnerMaximum, idleMs, strayIntervalMs, tunnelBurstBytes, tunnelBytesPerSecond } from './circuit-budget.ts';
import { ExchangeWorld, mailboxOf, no, yes } from './exchange-testing.ts';
import type { RequestOutcome } from '../directed/types.ts';
import type { Asked, Wish } from './exchange-testing.ts';

const sessionIds = [1, 2, 3, 4, 5] as const;
/** Of two mailboxes: one with two sessions, one with one. Sessions 4 and 5 have registered nothing. */
const mailboxNumbers = [0, 0, 1] as const;

type Operation =
  | { readonly kind: 'wish'; readonly session: number; readonly mailbox: number }
  | { readonly kind: 'settle'; readonly which: number; readonly outcome: RequestOutcome }
  /** `end`: one that there is or was; otherwise any number. */
  | { readonly kind: 'frame' | 'hang-up'; readonly end: number | undefined; readonly session: number; readonly circuit: number; readonly sizeBytes: number }
  | { readonly kind: 'close'; readonly session: number; readonly lostFirst: boolean }
  | { readonly kind: 'wait'; readonly ms: number };

const session = fc.constantFrom(...sessionIds);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('wish' as const), session, mailbox: fc.nat(2) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), outcome: fc.constantFrom<RequestOutcome>(yes, yes, yes, no, { kind: 'timed-out' }) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('frame' as const), end: fc.option(fc.nat(), { nil: undefined, freq: 6 }), session, circuit: fc.nat(0xffff_ffff), sizeBytes: fc.constantFrom(0, 1, 500, 1_166, 1_167) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hang-up' as const), end: fc.option(fc.nat(), { nil: undefined, freq: 6 }), session, circuit: fc.nat(0xffff_ffff), sizeBytes: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), session, lostFirst: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 400, 1_000, 20_000, 60_000, 119_999, 130_000) }) },
);

interface ModelEnd { readonly session: number; readonly circuit: number }
interface ModelAttempt { readonly opener: number; readonly wish: Wish; readonly asked: { readonly request: Asked; readonly end: ModelEnd; wanted: boolean }[]; open: boolean; refused: boolean }
interface ModelCircuit { readonly opener: ModelEnd; readonly owner: ModelEnd; lastMs: number; bytes: number; bytesAtMs: number }

class Model {
  readonly world = new ExchangeWorld(seededRandom(7));
  attempts: ModelAttempt[] = [];
  circuits: ModelCircuit[] = [];
  readonly everEnds: ModelEnd[] = [];
  readonly told = new Map<number, number>();
  readonly rates = new Map<number, { readonly left: number; readonly atMs: number }>();
  /** Hang-ups that must have been asked for since the last look. */
  expected: ModelEnd[] = [];

  constructor() { for (const id of sessionIds) this.#arrive(id); }

  run(operation: Operation): void {
    switch (operation.kind) {
      case 'wish': this.#wish(operation.session, operation.mailbox); break;
      case 'settle': this.#settle(operation.which, operation.outcome); break;
      case 'frame': this.#frame(this.#endOf(operation), operation.sizeBytes); break;
      case 'hang-up': this.#hangUp(this.#endOf(operation)); break;
      case 'close': this.#close(operation.session, operation.lostFirst); break;
      case 'wait': this.#wait(operation.ms); break;
    }
    this.#check();
  }

  #arrive(id: number): void {
    this.world.connect(id, `10.0.${String(id)}.1`);
    const mailbox = mailboxNumbers[id - 1];
    if (mailbox !== undefined) this.world.register(id, mailboxOf(mailbox));
  }

  #endOf({ end, session: id, circuit }: { readonly end: number | undefined; readonly session: number; readonly circuit: number }): ModelEnd {
    return (end === undefined ? undefined : this.everEnds[end % Math.max(1, this.everEnds.length)]) ?? { session: id, circuit };
  }

  #circuitAt(end: ModelEnd): { readonly circuit: ModelCircuit; readonly other: ModelEnd } | undefined {
    for (const circuit of this.circuits) {
      if (circuit.opener.session === end.session && circuit.opener.circuit === end.circuit) return { circuit, other: circuit.owner };
      if (circuit.owner.session === end.session && circuit.owner.circuit === end.circuit) return { circuit, other: circuit.opener };
    }
    return undefined;
  }

  #pendingAt(end: ModelEnd): { wanted: boolean } | undefined {
    return this.attempts.flatMap(({ asked }) => asked).find((one) => one.wanted && one.end.session === end.session && one.end.circuit === end.circuit);
  }

  #wish(opener: number, mailboxNumber: number): void {
    const before = this.world.asked.length;
    const wish = this.world.wish(opener, mailboxOf(mailboxNumber));
    const asked = this.world.asked.slice(before);
    const here = sessionIds.filter((id) => id !== opener && mailboxNumbers[id - 1] === mailboxNumber);
    const pendingOf = (id: number): number => this.attempts.flatMap((one) => one.asked).filter(({ end }) => end.session === id).length;
    const opened = this.circuits.filter((one) => one.opener.session === opener).length + this.attempts.filter((one) => one.open && one.opener === opener).length;
    const ownedBy = (id: number): number => this.circuits.filter(({ owner }) => owner.session === id).length;
    const askable = here.filter((id) => pendingOf(id) < connectsPerOwnerMaximum && ownedBy(id) + pendingOf(id) < circuitsPerOwnerMaximum);
    const expected = !this.#takeRate(opener) ? 'busy' : here.length === 0 ? 'not-found' : opened >= circuitsPerOpenerMaximum || askable.length === 0 ? 'busy' : undefined;
    if (expected !== undefined) {
      expect([wish.answer, asked]).toEqual([expect.objectContaining({ code: expected }), []]);
      return;
    }
    expect([wish.answer, asked.map(({ sessionId }) => sessionId).sort()]).toEqual([undefined, askable]);
    const attempt: ModelAttempt = { opener, wish, asked: [], open: true, refused: false };
    for (const request of asked) {
      if (request.body.verb !== 'connect') throw new Error('an opening asks for nothing else');
      const end = { session: request.sessionId, circuit: request.body.circuit };
      expect([end.circuit > 0, this.#circuitAt(end), this.#pendingAt(end)]).toEqual([true, undefined, undefined]);
      attempt.asked.push({ request, end, wanted: true });
      this.everEnds.push(end);
    }
    this.attempts.push(attempt);
  }

  #takeRate(id: number): boolean {
    const known = this.rates.get(id) ?? { left: attemptsPerPrefixPerMinute, atMs: 0 };
    const left = Math.min(attemptsPerPrefixPerMinute, known.left + ((this.world.ms - known.atMs) * attemptsPerPrefixPerMinute) / 60_000);
    this.rates.set(id, { left: left >= 1 ? left - 1 : left, atMs: this.world.ms });
    return left >= 1;
  }

  #settle(which: number, outcome: RequestOutcome): void {
    const connects = this.world.waiting('connect');
    const request = connects[which % Math.max(1, connects.length)]?.asked;
    if (request === undefined) return;
    this.#outcome(request, outcome, () => { this.world.settle(request, outcome); });
  }

  /** What an outcome of a `connect` comes to; `tell` tells the exchange. */
  #outcome(request: Asked, outcome: RequestOutcome, tell: () => void): void {
    const attempt = this.attempts.find(({ asked }) => asked.some((one) => one.request === request));
    const one = attempt?.asked.find((candidate) => candidate.request === request);
    if (attempt === undefined || one === undefined) throw new Error('the model has all that is asked');
    attempt.asked.splice(attempt.asked.indexOf(one), 1);
    if (attempt.asked.length === 0) this.attempts.splice(this.attempts.indexOf(attempt), 1);
    tell();
    if (outcome.kind === 'answered' && one.wanted && attempt.open) {
      attempt.open = false;
      if (typeof attempt.wish.answer !== 'number') throw new Error('an opening that is wanted is granted');
      const opener = { session: attempt.opener, circuit: attempt.wish.answer };
      expect([opener.circuit > 0, this.#circuitAt(opener), this.#pendingAt(opener)]).toEqual([true, undefined, undefined]);
      this.everEnds.push(opener);
      this.circuits.push({ opener, owner: one.end, lastMs: this.world.ms, bytes: tunnelBurstBytes, bytesAtMs: this.world.ms });
      return;
    }
    if (outcome.kind === 'answered' && one.wanted) this.expected.push(one.end);
    if (outcome.kind === 'answered' || outcome.kind === 'negative') attempt.refused = true;
    if (attempt.asked.length > 0 || !attempt.open) return;
    attempt.open = false;
    expect(attempt.wish.answer).toMatchObject({ code: attempt.refused ? 'refused' : 'not-found' });
  }

  #frame(end: ModelEnd, sizeBytes: number): void {
    this.world.sent.length = 0;
    this.world.frame(end.session, end.circuit, new Uint8Array(sizeBytes).fill(sizeBytes));
    const there = this.#circuitAt(end);
    if (sizeBytes === 0 || sizeBytes > 1_166) { expect(this.world.sent).toEqual([]); return; }
    if (there === undefined) {
      expect(this.world.sent).toEqual([]);
      if (this.#pendingAt(end) !== undefined || this.world.ms - (this.told.get(end.session) ?? -Infinity) < strayIntervalMs) return;
      this.told.set(end.session, this.world.ms);
      this.expected.push(end);
      return;
    }
    const { circuit, other } = there;
    circuit.bytes = Math.min(tunnelBurstBytes, circuit.bytes + (this.world.ms - circuit.bytesAtMs) * tunnelBytesPerSecond / 1_000);
    circuit.bytesAtMs = this.world.ms;
    if (circuit.bytes < sizeBytes) { expect(this.world.sent).toEqual([]); return; }
    circuit.bytes -= sizeBytes;
    circuit.lastMs = this.world.ms;
    expect(this.world.sent).toEqual([{ sessionId: other.session, circuit: other.circuit, datagram: new Uint8Array(sizeBytes).fill(sizeBytes) }]);
  }

  #hangUp(end: ModelEnd): void {
    expect(this.world.hangUp(end.session, end.circuit)).toBe(1);
    const there = this.#circuitAt(end);
    const pending = this.#pendingAt(end);
    if (there !== undefined) {
      this.circuits.splice(this.circuits.indexOf(there.circuit), 1);
      this.expected.push(there.other);
    } else if (pending !== undefined) pending.wanted = false;
  }

  #close(id: number, lostFirst: boolean): void {
    const asked = this.world.waiting('connect', id).map((one) => one.asked);
    const wishes = this.attempts.filter((one) => one.open && one.opener === id);
    this.world.close(id, lostFirst);
    for (const attempt of wishes) attempt.open = false;
    for (const request of asked) this.#outcome(request, { kind: 'session-lost' }, () => undefined);
    for (const circuit of this.circuits.filter((one) => one.opener.session === id || one.owner.session === id)) {
      this.circuits.splice(this.circuits.indexOf(circuit), 1);
      this.expected.push(circuit.opener.session === id ? circuit.owner : circuit.opener);
    }
    this.told.delete(id);
    this.#arrive(id);
  }

  #wait(ms: number): void {
    this.world.runTo(this.world.ms + ms);
    for (const circuit of this.circuits.filter(({ lastMs }) => lastMs + idleMs <= this.world.ms)) {
      this.circuits.splice(this.circuits.indexOf(circuit), 1);
      this.expected.push(circuit.opener, circuit.owner);
    }
  }

  #check(): void {
    const order = (ends: readonly ModelEnd[]): string[] => ends.map(({ session: id, circuit }) => `${String(id)}/${String(circuit)}`).sort();
    const told = this.world.settleAll('hang-up', yes);
    expect(order(told.map(({ sessionId, circuit }) => ({ session: sessionId, circuit })))).toEqual(order(this.expected));
    this.expected = [];
    const pending = this.attempts.flatMap(({ asked }) => asked);
    const open = this.attempts.filter((one) => one.open);
    const busy = new Set([...this.circuits.flatMap(({ opener, owner }) => [opener.session, owner.session]), ...pending.map(({ end }) => end.session), ...open.map(({ opener }) => opener)]);
    expect(this.world.exchange.sizes).toMatchObject({
      circuits: this.circuits.length, attempts: open.length, connects: pending.length, hangUps: 0, ends: 2 * this.circuits.length + pending.filter(({ wanted }) => wanted).length, sessions: busy.size,
      neighbourhoods: new Set([...this.circuits.map(({ opener }) => opener.session), ...open.map(({ opener }) => opener)]).size,
    });
  }
}

it('an exchange does what its model does, whatever sessions and owners do in whatever order', () => {
  let [mostEnds, mostCircuits] = [0, 0];
  fc.assert(fc.property(fc.array(operation, { maxLength: 120, size: 'max' }), (operations) => {
    const model = new Model();
    for (const one of operations) {
      model.run(one);
      mostCircuits = Math.max(mostCircuits, model.circuits.length);
    }
    mostEnds = Math.max(mostEnds, model.everEnds.length);
    // And in the end there is nothing.
    for (const id of sessionIds) model.run({ kind: 'close', session: id, lostFirst: true });
    expect(model.world.exchange.sizes).toMatchObject({ circuits: 0, attempts: 0, connects: 0, sessions: 0, ends: 0, hangUps: 0, neighbourhoods: 0 });
  }), { numRuns: 300 });
  // The operations do come to something.
  expect([mostEnds > 20, mostCircuits > 5]).toEqual([true, true]);
});
