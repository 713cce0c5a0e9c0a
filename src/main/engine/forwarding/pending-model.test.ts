/** The pending-interest table beside a naive one: flat lists that are searched from end to end, and no care for cost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PendingInterests } from './pending-interests.ts';
import type { ItemKind, ResponsePart } from './types.ts';

const limits = { lifetimeMs: 100, perSession: 4, total: 9, nonces: { lifetimeMs: 200, perSession: 3, total: 8 } };
const spacingFirstMs = 10;
const spacingLastMs = 640;
const askedKept = 4;

interface Wait { readonly session: number; readonly item: NaiveItem; expiresAtMs: number; sent: Set<string> }
interface NaiveItem {
  readonly key: string; readonly nameId: string; readonly kind: ItemKind; readonly number: number;
  asked: { session: number; lastAtMs: number; open: boolean }[];
  handedOutAtMs: number | undefined; spacingMs: number; partly: boolean;
}

const keyOf = (nameId: string, kind: ItemKind, number: number): string => `${nameId}/${kind}/${String(number)}`;
const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

class NaiveTable {
  /** Least recently asked first. */
  waits: Wait[] = [];
  nonces: { key: string; from: number; atMs: number }[] = [];

  items(): NaiveItem[] { return unique(this.waits.map((wait) => wait.item)); }
  find(nameId: string, kind: ItemKind, number: number): NaiveItem | undefined { return this.items().find((item) => item.key === keyOf(nameId, kind, number)); }
  waitersOf(item: NaiveItem): number[] { return this.waits.filter((wait) => wait.item === item).map((wait) => wait.session); }

  interested(from: number, nameId: string, kind: ItemKind, numbers: readonly number[], nonce: string, hopLimit: number, nowMs: number): string {
    if (hopLimit === 0) return 'hop-limit';
    if (this.#noteNonce(`${nameId}/${nonce}`, from, nowMs)) return 'loop';
    const live = (item: NaiveItem): number[] => item.asked.filter((asked) => asked.open && asked.lastAtMs > nowMs - limits.lifetimeMs).map((asked) => asked.session);
    const due: number[] = [];
    let crossed = 0;
    for (const number of numbers) {
      let item = this.find(nameId, kind, number);
      if (item !== undefined && live(item).length > 0 && live(item).every((session) => session === from)) { crossed += 1; continue; }
      const wait = this.waits.find((entry) => entry.item === item && entry.session === from);
      if (item !== undefined && wait !== undefined) {
        this.waits = [...this.waits.filter((entry) => entry !== wait), { session: from, item, expiresAtMs: nowMs + limits.lifetimeMs, sent: new Set() }];
        if (live(item).length > 0 && nowMs - (item.handedOutAtMs ?? 0) < item.spacingMs) continue;
      } else {
        const own = this.waits.filter((entry) => entry.session === from);
        if (own.length >= limits.perSession) this.waits = this.waits.filter((entry) => entry !== own[0]);
        if (this.waits.length >= limits.total) this.waits = this.waits.slice(1);
        item = this.find(nameId, kind, number)
          ?? { key: keyOf(nameId, kind, number), nameId, kind, number, asked: [], handedOutAtMs: undefined, spacingMs: 0, partly: false };
        this.waits.push({ session: from, item, expiresAtMs: nowMs + limits.lifetimeMs, sent: new Set() });
        if (live(item).length > 0 && !item.partly) continue;
      }
      item.spacingMs = item.handedOutAtMs === undefined ? spacingFirstMs : Math.min(item.spacingMs * 2, spacingLastMs);
      item.handedOutAtMs = nowMs;
      item.partly = false;
      due.push(number);
    }
    if (due.length > 0) return `forward ${due.join()} with ${String(Math.min(hopLimit, 8) - 1)}`;
    return crossed > 0 && crossed === numbers.length ? 'loop' : 'pending';
  }

  forwarded(nameId: string, kind: ItemKind, numbers: readonly number[], to: number, nowMs: number): void {
    for (const number of numbers) {
      const item = this.find(nameId, kind, number);
      if (item === undefined) continue;
      const known = item.asked.find((asked) => asked.session === to);
      if (known !== undefined) { known.lastAtMs = nowMs; known.open = true; continue; }
      if (item.asked.length >= askedKept) {
        const least = Math.min(...item.asked.map((asked) => asked.lastAtMs));
        // The table puts the new one into the place of the old one.
        item.asked[item.asked.findIndex((asked) => asked.lastAtMs === least)] = { session: to, lastAtMs: nowMs, open: true };
      } else item.asked.push({ session: to, lastAtMs: nowMs, open: true });
    }
  }

  answered(nameId: string, part: ResponsePart, number: number, from: number): number[] {
    const item = this.find(nameId, part === 'fragment' ? 'fragment' : 'proof', number);
    if (item?.asked.some((asked) => asked.session === from && asked.open) !== true) return [];
    const waits = this.waits.filter((wait) => wait.item === item && !wait.sent.has(part));
    for (const wait of waits) wait.sent.add(part);
    if (waits.length > 0) item.partly = true;
    const ends = (wait: Wait): boolean => part === 'fragment' || part === 'whole' || (wait.sent.has('path') && wait.sent.has('ahead'));
    this.waits = this.waits.filter((wait) => wait.item !== item || !ends(wait));
    return waits.map((wait) => wait.session).filter((session) => session !== from);
  }

  rejected(chosen: (item: NaiveItem) => boolean, from: number): string[] {
    const closed = this.items().filter((item) => chosen(item) && item.asked.some((asked) => asked.session === from && asked.open));
    for (const item of closed) for (const asked of item.asked) if (asked.session === from) asked.open = false;
    return closed.filter((item) => !item.asked.some((asked) => asked.open)).map((item) => item.key);
  }

  refused(keys: readonly string[]): number[] {
    const waits = this.waits.filter((wait) => keys.includes(wait.item.key));
    this.waits = this.waits.filter((wait) => !waits.includes(wait));
    return unique(waits.map((wait) => wait.session));
  }

  expire(nowMs: number): void { this.waits = this.waits.filter((wait) => wait.expiresAtMs > nowMs); }

  /** Whether it is a loop. */
  #noteNonce(key: string, from: number, nowMs: number): boolean {
    this.nonces = this.nonces.filter((nonce) => nonce.atMs + limits.nonces.lifetimeMs > nowMs);
    const known = this.nonces.find((nonce) => nonce.key === key);
    if (known !== undefined && known.from !== from) return true;
    this.nonces = [...this.nonces.filter((nonce) => nonce !== known), { key, from, atMs: nowMs }];
    const own = this.nonces.filter((nonce) => nonce.from === from);
    if (own.length > limits.nonces.perSession) this.nonces = this.nonces.filter((nonce) => nonce !== own[0]);
    if (this.nonces.length > limits.nonces.total) this.nonces = this.nonces.slice(1);
    return false;
  }
}

const session = fc.integer({ min: 1, max: 6 });
const nameId = fc.constantFrom('a', 'b');
const kind = fc.constantFrom<ItemKind>('fragment', 'proof');
const number = fc.integer({ min: 0, max: 2 });
const numbers = fc.uniqueArray(number, { minLength: 1, maxLength: 3 });
const interest = fc.record({
  do: fc.constant('interest' as const), from: session, nameId, kind, numbers, to: fc.option(session),
  nonce: fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8'), hopLimit: fc.constantFrom(0, 1, 4, 4, 4, 20),
});
const answer = fc.record({ do: fc.constant('answer' as const), from: session, nameId, part: fc.constantFrom<ResponsePart>('fragment', 'fragment', 'whole', 'path', 'ahead'), number });
const stepOf = fc.oneof(
  { weight: 6, arbitrary: interest },
  { weight: 3, arbitrary: answer },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('rejected' as const, 'negative' as const), from: session, nameId, scope: fc.option(fc.record({ kind, items: numbers })) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refused' as const), nameId, kind, numbers }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lost' as const), session }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 120 }), sweep: fc.boolean() }) },
);

const sorted = (values: readonly number[]): number[] => [...values].sort((left, right) => left - right);

describe('beside a naive table', () => {
  it('the table hands out, aggregates, answers, evicts and expires the same', () => {
    fc.assert(fc.property(fc.array(stepOf, { maxLength: 150, size: 'max' }), (steps) => {
      const table = new PendingInterests(limits);
      const naive = new NaiveTable();
      let nowMs = 0;
      const keysOf = (stranded: readonly { nameId: string; kind: ItemKind; items: readonly number[] }[]): string[] =>
        stranded.flatMap((strand) => strand.items.map((item) => keyOf(strand.nameId, strand.kind, item)));
      for (const step of steps) {
        switch (step.do) {
          case 'interest': {
            const { from, nonce, hopLimit } = step;
            const outcome = table.interested({ from, nameId: step.nameId, kind: step.kind, items: step.numbers, nonce, hopLimit }, nowMs);
            const told = outcome.kind === 'forward' ? `forward ${outcome.items.join()} with ${String(outcome.hopLimit)}` : outcome.kind === 'refused' ? outcome.reason : 'pending';
            expect(told).toBe(naive.interested(from, step.nameId, step.kind, step.numbers, nonce, hopLimit, nowMs));
            if (outcome.kind !== 'forward' || step.to === null) break;
            table.forwarded(step.nameId, step.kind, outcome.items, step.to, nowMs);
            naive.forwarded(step.nameId, step.kind, outcome.items, step.to, nowMs);
            break;
          }
          case 'answer': {
            const sessions = table.answered(step.nameId, step.part, step.number, step.from);
            expect(new Set(sessions).size).toBe(sessions.length);
            expect(sorted(sessions)).toEqual(sorted(naive.answered(step.nameId, step.part, step.number, step.from)));
            break;
          }
          case 'rejected':
          case 'negative': {
            const scope = step.scope ?? undefined;
            const inScope = (item: NaiveItem): boolean => item.nameId === step.nameId && (scope === undefined || (item.kind === scope.kind && scope.items.includes(item.number)));
            const keys = naive.rejected(inScope, step.from);
            if (step.do === 'rejected') expect(keysOf(table.rejected(step.nameId, step.from, scope)).sort()).toEqual(keys.sort());
            else expect(sorted(table.answeredNegative(step.nameId, step.from, scope))).toEqual(sorted(naive.refused(keys)));
            break;
          }
          case 'refused':
            expect(sorted(table.refused(step.nameId, step.kind, step.numbers))).toEqual(sorted(naive.refused(step.numbers.map((item) => keyOf(step.nameId, step.kind, item)))));
            break;
          case 'lost': {
            naive.waits = naive.waits.filter((wait) => wait.session !== step.session);
            const keys = naive.rejected(() => true, step.session);
            expect(keysOf(table.sessionLost(step.session)).sort()).toEqual(keys.sort());
            break;
          }
          case 'wait':
            nowMs += step.ms;
            if (!step.sweep) break;
            table.handleTimeout(nowMs);
            naive.expire(nowMs);
            break;
        }
        expect(table.size).toBe(naive.waits.length);
        expect(table.size).toBeLessThanOrEqual(limits.total);
        expect(table.nameCount).toBe(unique(naive.items().map((item) => item.nameId)).length);
        expect(table.nonceCount).toBeLessThanOrEqual(limits.nonces.total);
        for (let from = 1; from <= 6; from += 1) {
          const own = naive.waits.filter((wait) => wait.session === from).length;
          expect(table.waitingOf(from)).toBe(own);
          expect(own).toBeLessThanOrEqual(limits.perSession);
        }
        for (const item of naive.items()) {
          for (const { session: asked, open } of item.asked) expect(table.isAskedOf(asked, item.nameId, item.kind, item.number)).toBe(open);
        }
      }
      // Nothing stays behind, and every deadline that is announced has something to do.
      for (let due = table.pollTimeout(), rounds = 0; due !== undefined; due = table.pollTimeout(), rounds += 1) {
        table.handleTimeout(due.atMs);
        expect(rounds).toBeLessThan(100);
      }
      expect([table.size, table.nameCount, table.nonceCount]).toEqual([0, 0, 0]);
    }), { numRuns: 300 });
  });
});
