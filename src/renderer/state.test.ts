import { describe, expect, it } from 'vitest';
import { sampleMessage, sampleView } from './dev/samples.ts';
import { applyPatch, mergeMessages, placeMessage, prependPage, type LiveState } from './state.ts';

const start = (): LiveState => ({ sequence: 7, view: sampleView(), pages: {} });
const first = sampleMessage({ row: 10, text: 'first' });
const second = sampleMessage({ row: 20, text: 'second' });

describe('the live state of the window', () => {
  it('applies the patch that follows', () => {
    const result = applyPatch(start(), { sequence: 8, changes: [{ kind: 'notices', value: ['TCP instead of UDP'] }] });
    expect(result.kind).toBe('applied');
    if (result.kind === 'gap') return;
    expect(result.state.sequence).toBe(8);
    expect(result.state.view.notices).toEqual(['TCP instead of UDP']);
  });
  it('ignores a patch that the snapshot already had', () => {
    const state = start();
    expect(applyPatch(state, { sequence: 7, changes: [{ kind: 'notices', value: ['old'] }] })).toEqual({ kind: 'known', state });
  });
  it('reports a gap instead of guessing', () => {
    expect(applyPatch(start(), { sequence: 9, changes: [] })).toEqual({ kind: 'gap' });
  });
  it('brings a changed message into the page that is loaded, and leaves other conversations unloaded', () => {
    const state = { ...start(), pages: { [first.conversationId]: { messages: [first], more: false } } };
    const read = { ...first, headline: { state: 'read' as const, atMs: 5 } };
    const other = sampleMessage({ row: 1, conversationId: `03${'cd'.repeat(32)}:1` });
    const result = applyPatch(state, { sequence: 8, changes: [{ kind: 'message', value: read }, { kind: 'message', value: second }, { kind: 'message', value: other }] });
    if (result.kind === 'gap') throw new Error('not a gap');
    expect(result.state.pages[first.conversationId]?.messages).toEqual([read, second]);
    expect(Object.keys(result.state.pages)).toEqual([first.conversationId]);
  });
  it('forgets the page of a conversation that is removed', () => {
    const state = { ...start(), pages: { [first.conversationId]: { messages: [first], more: false } } };
    const result = applyPatch(state, { sequence: 8, changes: [{ kind: 'conversation-removed', id: first.conversationId }] });
    if (result.kind === 'gap') throw new Error('not a gap');
    expect(result.state.pages).toEqual({});
  });
});

describe('pages of messages', () => {
  it('orders by row and keeps one of each', () => {
    expect(mergeMessages([second], [first, second]).map((message) => message.text)).toEqual(['first', 'second']);
  });
  it('inserts a late earlier message between the ones it belongs to', () => {
    const late = sampleMessage({ row: 15, text: 'late' });
    expect(placeMessage({ messages: [first, second], more: true }, late).messages).toEqual([first, late, second]);
  });
  it('leaves a message that is older than the loaded stretch for its own page', () => {
    const page = { messages: [second], more: true };
    expect(placeMessage(page, first)).toBe(page);
    expect(placeMessage({ ...page, more: false }, first).messages).toEqual([first, second]);
  });
  it('puts an older page before the loaded one', () => {
    expect(prependPage({ messages: [second], more: true }, { messages: [first], more: false })).toEqual({ messages: [first, second], more: false });
    expect(prependPage(undefined, { messages: [first], more: true })).toEqual({ messages: [first], more: true });
  });
});
