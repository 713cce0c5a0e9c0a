import { describe, expect, it } from 'vitest';
import { isAllowedPermission, isAllowedRequest, isAppUrl, parseDevelopmentServer } from './origin.ts';

const server = parseDevelopmentServer('http://localhost:5173/', false);

describe('which addresses belong to the application', () => {
  it.each(['app://bundle/index.html', 'app://bundle/', 'app://bundle/assets/a.js?x=1#y'])('takes %s', (url) => {
    expect(isAppUrl(url)).toBe(true);
    expect(isAllowedRequest(url)).toBe(true);
  });

  it.each([
    '', 'about:blank', 'app://bundle.evil/index.html', 'app://other/index.html', 'app://user@bundle/', 'file:///etc/passwd', 'https://bundle/',
    'https://example.com/?app://bundle/', 'javascript:alert(1)', 'http://localhost:5173/', 'ws://localhost:5173/', 'devtools://devtools/x',
    'blob:https://example.com/1',
  ])('refuses %s', (url) => {
    expect(isAppUrl(url)).toBe(false);
    expect(isAllowedRequest(url)).toBe(false);
  });

  it('lets a page load what it holds in memory, but not navigate to it', () => {
    expect(isAllowedRequest('data:image/png;base64,AA==')).toBe(true);
    expect(isAllowedRequest('blob:app://bundle/6f1f')).toBe(true);
    expect(isAppUrl('data:text/html,x')).toBe(false);
  });

  it('lets the development server in only when one is named, and only that one', () => {
    expect(isAppUrl('http://localhost:5173/src/main.tsx', server)).toBe(true);
    expect(isAllowedRequest('ws://localhost:5173/', server)).toBe(true);
    expect(isAppUrl('http://localhost:5174/', server)).toBe(false);
    expect(isAppUrl('http://localhost:5173.evil.example/', server)).toBe(false);
  });

  it('ignores a development server that is not on this machine, or in a packaged build', () => {
    expect(parseDevelopmentServer('http://example.com:5173/', false)).toBeUndefined();
    expect(parseDevelopmentServer('https://localhost/', false)).toBeUndefined();
    expect(parseDevelopmentServer('http://localhost:5173/', true)).toBeUndefined();
    expect(parseDevelopmentServer(undefined, false)).toBeUndefined();
    expect(parseDevelopmentServer('nonsense', false)).toBeUndefined();
  });

  it('grants no permission but writing text to the clipboard', () => {
    expect(isAllowedPermission('clipboard-sanitized-write')).toBe(true);
    for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'midi', 'openExternal', '']) expect(isAllowedPermission(permission)).toBe(false);
  });
});
