import { describe, expect, it } from 'vitest';
import { toAppUrl, toBrowserPolicy, toBrowserUrl } from './url-mapping.ts';

const schemes = new Set(['app']);

describe('the address mapping', () => {
  it.each([
    ['app://bundle/index.html?a=1#b', 'https://bundle.app.invalid/index.html?a=1#b'],
    ['app://bundle', 'https://bundle.app.invalid'],
  ])('maps %s and back', (appUrl, browserUrl) => {
    expect(toBrowserUrl(appUrl, schemes)).toBe(browserUrl);
    expect(toAppUrl(browserUrl, schemes)).toBe(appUrl);
  });

  it.each(['https://example.com/', 'file:///x', 'other://bundle/x', 'about:blank', 'https://bundle.other.invalid/', 'https://example.com/bundle.app.invalid/'])('leaves %s alone', (url) => {
    expect(toBrowserUrl(url, schemes)).toBe(url);
    expect(toAppUrl(url, schemes)).toBe(url);
  });

  it('rewrites the scheme in a policy, and nothing that looks like it', () => {
    expect(toBrowserPolicy("default-src 'none'; script-src app: data:; img-src app:", schemes)).toBe("default-src 'none'; script-src https://*.app.invalid data:; img-src https://*.app.invalid");
    expect(toBrowserPolicy("connect-src 'self' https://app:8080", schemes)).toBe("connect-src 'self' https://app:8080");
  });
});
