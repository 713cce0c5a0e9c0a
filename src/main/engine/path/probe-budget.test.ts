import { describe, expect, it } from 'vitest';
import { ProbeBudget } from './probe-budget.ts';

const limits = { perHost: 3, perAnsweredHost: 6, toUnanswered: 5 };
function spendAll(budget: ProbeBudget, host: string, nowMs: number): number {
  let count = 0;
  for (; budget.allows(host, nowMs) && count < 100; count += 1) budget.spend(host, nowMs);
  return count;
}

describe('the budget of probes', () => {
  it('ends for one host, and for all that have not answered, within any minute', () => {
    const budget = new ProbeBudget(limits);
    expect([spendAll(budget, 'a', 0), spendAll(budget, 'b', 10_000), spendAll(budget, 'c', 20_000)]).toEqual([3, 2, 0]);
    expect([spendAll(budget, 'c', 59_999), spendAll(budget, 'c', 60_000), spendAll(budget, 'b', 60_000), spendAll(budget, 'b', 70_000)]).toEqual([0, 3, 0, 2]);
  });
  it('is larger for a host that has answered, for ten minutes, and takes nothing from others', () => {
    const budget = new ProbeBudget(limits);
    budget.answered('a', 0);
    expect([spendAll(budget, 'a', 0), spendAll(budget, 'b', 0), spendAll(budget, 'c', 0)]).toEqual([6, 3, 2]);
    expect([spendAll(budget, 'a', 599_999), spendAll(budget, 'a', 700_000)]).toEqual([6, 3]);
  });
  it('remembers 64 hosts that answered', () => {
    const budget = new ProbeBudget(limits);
    for (let host = 0; host <= 64; host += 1) budget.answered(`host ${String(host)}`, 0);
    expect([spendAll(budget, 'host 0', 0), spendAll(budget, 'host 1', 0), spendAll(budget, 'host 64', 0)]).toEqual([3, 6, 6]);
  });
});
