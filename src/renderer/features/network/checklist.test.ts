import { describe, expect, it } from 'vitest';
import type { ConnectionView } from '../../../shared/views.ts';
import type { RelayView } from '../../../shared/relay-views.ts';
import { sampleRelays } from '../../dev/samples.ts';
import { networkChecklist } from './checklist.ts';

const now = 1_795_000_000_000;
const connection = (change: Partial<ConnectionView> = {}): ConnectionView => ({ kind: 'online', relaysConnected: 2, relaysConfigured: 2, waitingMessages: 0, ...change });
const answer = (view: ConnectionView, relays: readonly RelayView[], question: string) => networkChecklist(view, relays, now).find((check) => check.question.startsWith(question));

describe('the network checklist', () => {
  it('never turns unknown into no', () => {
    const offline = connection({ kind: 'offline', relaysConnected: 0 });
    expect(answer(offline, [], 'UDP')?.answer).toBe('not checked');
    expect(answer(offline, [], 'The clock')?.answer).toBe('not checked');
  });
  it('answers yes from what has been seen to work', () => {
    expect(answer(connection(), [], 'UDP')?.answer).toBe('yes');
    expect(answer(connection(), [], 'Two relays')?.answer).toBe('yes');
    expect(answer(connection(), [], 'The clock')?.answer).toBe('yes');
  });
  it('says that UDP is blocked only where it was asked for and relays answer over TCP', () => {
    expect(answer(connection({ relaysOverTcp: 2, isUdpBlocked: true }), [], 'UDP')?.answer).toBe('no');
    expect(answer(connection({ relaysOverTcp: 2 }), [], 'UDP')?.answer).toBe('not checked');
    expect(answer(connection({ relaysOverTcp: 1 }), [], 'UDP')?.answer).toBe('yes');
  });
  it('has a line for each relay that was not removed', () => {
    const relays = sampleRelays(now);
    expect(relays.map((relay) => answer(connection(), relays, relay.name)?.answer)).toEqual(['yes', 'yes', 'no', 'yes', undefined]);
  });
  it('says which way the clock is wrong', () => {
    expect(answer(connection({ clockOffsetMs: 240_000 }), [], 'The clock')?.detail).toContain('4 minutes behind your relays');
    expect(answer(connection({ clockOffsetMs: -240_000 }), [], 'The clock')?.detail).toContain('4 minutes ahead of your relays');
  });
  it('asks for space when the disk is full', () => {
    expect(answer(connection({ kind: 'storage-failed' }), [], 'This disk')).toMatchObject({ answer: 'no' });
  });
});
