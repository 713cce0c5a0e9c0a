import { describe, expect, it } from 'vitest';
import { isTrustedSender } from './sender.ts';

const trusted = new Set([7]);
const isOwnUrl = (url: string): boolean => url === 'app://bundle/index.html';
const own = { url: 'app://bundle/index.html', isTop: true };

describe('whether a sender may call the main process', () => {
  it('lets the top frame of a window of ours call', () => {
    expect(isTrustedSender({ frame: own, contentsId: 7 }, trusted, isOwnUrl)).toBe(true);
  });

  it.each([
    ['a frame that is gone', { frame: undefined, contentsId: 7 }],
    ['a frame inside a page', { frame: { ...own, isTop: false }, contentsId: 7 }],
    ['another page', { frame: { ...own, url: 'https://example.org/' }, contentsId: 7 }],
    ['another window', { frame: own, contentsId: 8 }],
  ])('refuses %s', (_what, facts) => {
    expect(isTrustedSender(facts, trusted, isOwnUrl)).toBe(false);
  });
});
