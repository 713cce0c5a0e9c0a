import { describe, expect, it } from 'vitest';
import { sampleOutbox } from '../../dev/samples.ts';
import type { OutboxItemView } from '../../../shared/views.ts';
import { laneHeads } from './lanes.ts';

const template = sampleOutbox(1_000_000_000)[0];
if (template === undefined) throw new Error('There is no sample.');
const item = (messageId: string, change: Partial<OutboxItemView> = {}): OutboxItemView => ({ ...template, messageId, ...change });

describe('lanes of the outbox', () => {
  it('marks the oldest message others wait behind', () => {
    const items = [item('b', { queuedAtMs: 2 }), item('a', { queuedAtMs: 1 }), item('c', { conversationId: 'other', queuedAtMs: 0 })];
    expect([...laneHeads(items)]).toEqual(['a']);
  });
  it('does not blame what a relay already holds', () => {
    expect(laneHeads([item('a', { queuedAtMs: 1, headline: { state: 'stored', heldBy: [], wanted: 2 } }), item('b', { queuedAtMs: 2 })]).size).toBe(0);
  });
});
