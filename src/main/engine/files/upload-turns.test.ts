import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { othersFirstShownMaximum } from '../../../shared/file-views.ts';
import { dealTurns, turnMaximumMs, turnMs, uploadsMaximum, type TurnEvents } from './upload-turns.ts';
import { newUpload, type Upload } from './upload.ts';

const at = (monotonicMs: number): { readonly monotonicMs: number; readonly wallMs: number } => ({ monotonicMs, wallMs: 0 });
const silent: TurnEvents = { activated: () => undefined, yielded: () => undefined, moved: () => undefined };

function upload(id: number, change: Partial<Upload> = {}): Upload {
  const made = newUpload({
    messageId: String(id), conversationId: 'x:1', direction: 'out', name: '', mediaType: '', key: new Uint8Array(32), sizeBytes: 1, root: new Uint8Array(32), blobBytes: 17, stage: 'wanted',
    failure: undefined, heldBy: [], expiresAtMs: 0,
  });
  return Object.assign(made, change);
}
const uploads = (count: number): Upload[] => Array.from({ length: count }, (_, index) => upload(index));
const active = (all: readonly Upload[]): string => all.filter(({ turn }) => turn === 'active').map(({ id }) => id).join(' ');

describe('turns', () => {
  it('go to the oldest, and to no more than are worked on at once', () => {
    const all = uploads(uploadsMaximum + 3);
    dealTurns(all, at(0), silent);
    expect(active(all)).toBe('0 1 2 3 4 5 6 7');
    expect(all.slice(uploadsMaximum).map(({ othersFirst }) => othersFirst)).toEqual([8, 9, 10]);
  });
  it('go on when one ends', () => {
    const all = uploads(uploadsMaximum + 2);
    dealTurns(all, at(0), silent);
    all.splice(3, 1);
    dealTurns(all, at(1), silent);
    expect(active(all)).toBe('0 1 2 4 5 6 7 8');
    expect(all.at(-1)?.othersFirst).toBe(8);
  });
  it('go to those that had fewer in vain, and to those that no relay has', () => {
    const all = [upload(0, { turnsInVain: 2 }), upload(1, { holders: new Map([['relay', { heldBytes: 17, complete: true }]]) }), ...Array.from({ length: uploadsMaximum }, (_, index) => upload(2 + index))];
    dealTurns(all, at(0), silent);
    expect(active(all)).toBe('2 3 4 5 6 7 8 9');
    all.pop();
    dealTurns(all, at(0), silent);
    expect(active(all)).toBe('1 2 3 4 5 6 7 8');
  });
  it('come to everybody although eight others creep on without end', () => {
    const all = uploads(uploadsMaximum + 2);
    const waited = new Set(['8', '9']);
    for (let nowMs = 0; nowMs <= 2 * turnMaximumMs; nowMs += turnMs / 2) {
      for (const each of all.slice(0, uploadsMaximum)) if (each.turn === 'active') each.progressAtMs = nowMs;
      dealTurns(all, at(nowMs), silent);
      for (const { id, turn } of all) if (turn === 'active') waited.delete(id);
    }
    expect([...waited]).toEqual([]);
  });
  it('are given up by who makes no progress, only when somebody waits, and not while it is being asked about', () => {
    const all = uploads(uploadsMaximum);
    dealTurns(all, at(0), silent);
    expect(dealTurns(all, at(10 * turnMs), silent)).toBeUndefined();
    expect(active(all)).toBe('0 1 2 3 4 5 6 7');
    const [first, second] = all;
    if (first !== undefined) first.asking = true;
    if (second !== undefined) second.progressAtMs = 10 * turnMs;
    all.push(upload(8));
    const yielded: string[] = [];
    dealTurns(all, at(10 * turnMs), { ...silent, yielded: ({ id }) => { yielded.push(id); } });
    expect(yielded).toEqual(['2']);
    expect(active(all)).toBe('0 1 3 4 5 6 7 8');
    expect(all[2]).toMatchObject({ turn: 'waiting', turnsInVain: 1, othersFirst: uploadsMaximum });
  });
  it('are looked at again when the first may be given up', () => {
    const all = uploads(uploadsMaximum + 1);
    expect(dealTurns(all, at(500), silent)).toBe(500 + turnMs);
  });
  it('tell of what changed, and of no more files than are counted', () => {
    const all = uploads(1_000);
    let told = 0;
    const counting: TurnEvents = { ...silent, moved: () => { told += 1; } };
    dealTurns(all, at(0), counting);
    expect(all.at(-1)?.othersFirst).toBe(othersFirstShownMaximum + 1);
    told = 0;
    for (let round = 0; round < 10; round += 1) {
      all.shift();
      dealTurns(all, at(1), counting);
    }
    expect(told).toBeLessThanOrEqual(10 * othersFirstShownMaximum);
  });
  it('come to everybody, whoever never gets anywhere', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.func(fc.boolean()), (count, moves) => {
      const all = uploads(count);
      const had = new Set<string>();
      let nowMs = 0;
      for (let round = 0; round < count + 2; round += 1) {
        dealTurns(all, at(nowMs), { ...silent, activated: ({ id }) => { had.add(id); } });
        expect(all.filter(({ turn }) => turn === 'active').length).toBeLessThanOrEqual(uploadsMaximum);
        nowMs += turnMs;
        // Some make progress for a while, and none for ever.
        for (const one of all) if (one.turn === 'active' && round < 2 && moves(one.id)) one.progressAtMs = nowMs;
      }
      expect(had.size).toBe(count);
    }));
  });
});
