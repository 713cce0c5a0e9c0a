import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveAsset, serveAsset } from './assets.ts';
import { contentSecurityPolicy, metaContentSecurityPolicy } from './content-security-policy.ts';

let parent = '';
let root = '';

beforeAll(() => {
  parent = mkdtempSync(path.join(os.tmpdir(), 'waypost-assets-'));
  root = path.join(parent, 'renderer');
  mkdirSync(path.join(root, 'assets'), { recursive: true });
  mkdirSync(path.join(parent, 'renderer-secret'));
  writeFileSync(path.join(root, 'index.html'), '<!doctype html>');
  writeFileSync(path.join(root, 'assets', 'a.js'), 'export {};');
  writeFileSync(path.join(root, 'assets', 'a.js.map'), '{}');
  writeFileSync(path.join(parent, 'secret.js'), 'secret');
  writeFileSync(path.join(parent, 'renderer-secret', 'secret.js'), 'secret');
});

afterAll(() => {
  rmSync(parent, { recursive: true });
});

const get = (url: string, method = 'GET'): Promise<Response> => serveAsset(root, { url, method });

describe('serving the application files', () => {
  it('serves pages and scripts with their type and the strict headers', async () => {
    const page = await get('app://bundle/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toBe(contentSecurityPolicy);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(page.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(await page.text()).toBe('<!doctype html>');
    const script = await get('app://bundle/assets/a.js?v=1');
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  });

  it.each([
    '../secret.js', '..%2fsecret.js', '%2e%2e/secret.js', '%2e%2e%2fsecret.js', 'assets/..%2f..%2fsecret.js', '..%5csecret.js', '%252e%252e%252fsecret.js',
    '..%2frenderer-secret/secret.js', '%00', 'index.html%00.js', '%', 'assets', 'assets/', 'assets/a.js.map', 'missing.js', '//etc/passwd', '%2fetc%2fpasswd',
  ])('refuses %s with a client error', async (rest) => {
    const answer = await get(`app://bundle/${rest}`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(await answer.text()).toBe('');
  });

  it('refuses other hosts, schemes and methods', async () => {
    expect((await get('app://other/index.html')).status).toBe(403);
    expect((await get('https://bundle/index.html')).status).toBe(403);
    expect((await get('nonsense')).status).toBe(403);
    expect((await get('app://bundle/index.html', 'POST')).status).toBe(405);
  });

  it('never resolves any address to a file outside the folder', () => {
    const piece = fc.oneof(fc.constantFrom('..', '.', '%2e%2e', '%2f', '%5c', '/', '\\', 'a.js', '~', '%00', '%25', ':', 'C:'), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const asset = resolveAsset('/base/root', `app://bundle/${pieces.join('')}`);
        expect(asset.kind === 'refused' || asset.file.startsWith('/base/root/')).toBe(true);
      }),
    );
  });

  it('states the policy without any unsafe source, and the meta form without frame-ancestors', () => {
    expect(contentSecurityPolicy).not.toContain('unsafe');
    expect(contentSecurityPolicy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(contentSecurityPolicy).toContain("frame-ancestors 'none'");
    expect(metaContentSecurityPolicy).not.toContain('frame-ancestors');
  });
});
