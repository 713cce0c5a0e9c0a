import { describe, expect, it } from 'vitest';
import { GroupCommit } from './group-commit.ts';
import type { BatchTarget, GroupCommitOptions, Outcome } from './group-commit.ts';

class Recorder implements BatchTarget<number, string> {
  readonly events: string[] = [];
  failNext = false;

  commit(requests: readonly number[]): readonly string[] {
    if (this.failNext) throw new Error('staged');
    this.events.push(`commit ${requests.join(',')}`);
    return requests.map((request) => `result ${String(request)}`);
  }

  recover(): { readonly code: 'disk-full'; readonly message: string } {
    this.failNext = false;
    this.events.push('recover');
    return { code: 'disk-full', message: 'full' };
  }

  maintain(): void { this.events.push('maintain'); }
  sizeOf(request: number): number { return request; }
}

function setUp(options: GroupCommitOptions = {}) {
  const target = new Recorder();
  const group = new GroupCommit(target, options);
  const submit = (request: number, then?: () => void): void => {
    group.submit(request, (outcome: Outcome<string>) => {
      target.events.push(outcome.ok ? outcome.result : outcome.failure.code);
      then?.();
    });
  };
  return { target, group, submit };
}

describe('group commit', () => {
  it('answers a batch in order, only after its commit, and maintains after the answers', () => {
    const { target, group, submit } = setUp({ answered: () => { target.events.push('answered'); } });
    submit(1);
    submit(2);
    expect(target.events).toEqual([]);
    expect(group.flush()).toBe(2);
    expect(target.events).toEqual(['commit 1,2', 'result 1', 'result 2', 'answered', 'maintain']);
    expect(group.pending).toBe(0);
  });

  it('bounds a batch by requests and by bytes, but always takes the first', () => {
    const { target, group, submit } = setUp({ mostRequests: 2, mostBytes: 100 });
    for (const request of [500, 60, 40, 1, 60, 41]) submit(request);
    group.drain();
    expect(target.events.filter((event) => event.startsWith('commit'))).toEqual(['commit 500', 'commit 60,40', 'commit 1,60', 'commit 41']);
  });

  it('fails the whole batch and nothing of the next', () => {
    const { target, group, submit } = setUp({ mostRequests: 2 });
    for (const request of [1, 2, 3]) submit(request);
    target.failNext = true;
    group.drain();
    expect(target.events).toEqual(['recover', 'disk-full', 'disk-full', 'maintain', 'commit 3', 'result 3', 'maintain']);
  });

  it('puts what a callback submits into the next batch', () => {
    const { target, group, submit } = setUp();
    submit(1, () => { submit(2); });
    expect(group.flush()).toBe(1);
    expect(group.pending).toBe(1);
    group.flush();
    expect(target.events.filter((event) => event.startsWith('commit'))).toEqual(['commit 1', 'commit 2']);
  });

  it('asks for one turn at a time and for another while something waits', () => {
    const turns: (() => void)[] = [];
    const { group, submit } = setUp({ mostRequests: 2, schedule: (flush) => { turns.push(flush); } });
    for (const request of [1, 2, 3]) submit(request);
    expect(turns).toHaveLength(1);
    turns.shift()?.();
    expect(turns).toHaveLength(1);
    turns.shift()?.();
    expect(group.pending).toBe(0);
    expect(turns).toHaveLength(0);
  });

  it('never answers what a crash took', () => {
    const { target, group, submit } = setUp();
    submit(1);
    group.forget();
    group.drain();
    submit(2);
    group.silence();
    group.drain();
    expect(target.events).toEqual(['commit 2', 'maintain']);
  });
});
