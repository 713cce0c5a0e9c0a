import { describe, expect, it } from 'vitest';
import { sampleConversation } from '../../dev/samples.ts';
import { neighbourOf, sortedConversations } from './order.ts';

const conversation = (name: string, lastActivityMs: number, standing: 'contact' | 'pending' | 'request' | 'blocked' = 'contact') => sampleConversation(name, [], { lastActivityMs, standing });
const old = conversation('old', 1);
const fresh = conversation('fresh', 9, 'pending');
const request = conversation('request', 5, 'request');
const sorted = sortedConversations([old, conversation('blocked', 10, 'blocked'), request, fresh]);

describe('the list of conversations', () => {
  it('shows requests first, then the latest, and never blocked ones', () => {
    expect(sorted.map((one) => one.name)).toEqual(['request', 'fresh', 'old']);
  });
  it('moves to the neighbour and stops at the ends', () => {
    expect(neighbourOf(sorted, fresh.id, 1)).toBe(old);
    expect(neighbourOf(sorted, old.id, 1)).toBe(old);
    expect(neighbourOf(sorted, request.id, -1)).toBe(request);
    expect(neighbourOf(sorted, undefined, 1)).toBe(request);
    expect(neighbourOf(sorted, undefined, -1)).toBe(old);
    expect(neighbourOf([], undefined, 1)).toBeUndefined();
  });
});
