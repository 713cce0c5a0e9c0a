/** Tries each way out of the page and expects every one to be closed. The controls open one on purpose, to show that a check can fail. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ElectronApplication, Page } from '@playwright/test';
import { expect, test } from './fixture.ts';

/** Replaces the page by one that is served without any of our headers. */
async function showUnprotectedPage(application: ElectronApplication, window: Page): Promise<void> {
  await application.evaluate(({ BrowserWindow, protocol }) => {
    protocol.unhandle('app');
    protocol.handle('app', () => new Response('<!doctype html><title>Unprotected</title><body>', { headers: { 'content-type': 'text/html' } }));
    BrowserWindow.getAllWindows()[0]?.webContents.reload();
  });
  await expect(window).toHaveTitle('Unprotected');
}

/** Runs a script element as injected markup would; playwright's own evaluate is not subject to the page's policy. */
function runInlineScript(window: Page): Promise<{ readonly didRun: boolean; readonly violated: string }> {
  return window.evaluate(async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    addEventListener('securitypolicyviolation', (event) => {
      resolve(event.effectiveDirective);
    }, { once: true });
    const script = document.createElement('script');
    script.textContent = "document.documentElement.dataset.inlineScript = 'ran'";
    document.head.append(script);
    const didRun = document.documentElement.dataset['inlineScript'] === 'ran';
    return { didRun, violated: didRun ? '' : await promise };
  });
}

test('the page has no part of Node and only the bridge of the preload, frozen', async ({ window }) => {
  const names = await window.evaluate(() => ['require', 'process', 'module', 'Buffer', 'global', 'electron'].filter((name) => name in globalThis));
  expect(names).toEqual([]);
  const bridge = await window.evaluate(() => {
    const value: unknown = Reflect.get(globalThis, 'waypost');
    const isReplaced = Reflect.set(globalThis, 'waypost', 1);
    return { type: typeof value, isFrozen: Object.isFrozen(value), isReplaced };
  });
  expect(bridge).toEqual({ type: 'object', isFrozen: true, isReplaced: false });
});

test('the policy blocks inline scripts, evaluated text, frames and the network', async ({ window }) => {
  expect(await runInlineScript(window)).toEqual({ didRun: false, violated: 'script-src-elem' });
  const frame = await window.evaluate(async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    addEventListener('securitypolicyviolation', (event) => {
      resolve(event.effectiveDirective);
    }, { once: true });
    const element = document.createElement('iframe');
    element.src = 'https://example.com/';
    document.body.append(element);
    return promise;
  });
  expect(frame).toBe('frame-src');
  expect(await window.evaluate(() => fetch('https://example.com/').then(() => 'loaded', () => 'blocked'))).toBe('blocked');
});

test('requests are refused by the session too, not only by the policy of the page', async ({ application, window }) => {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end('x');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/`;
  const load = (): Promise<string> => window.evaluate((target) => fetch(target).then((answer) => answer.text(), () => 'blocked'), url);

  await showUnprotectedPage(application, window);
  expect(await load()).toBe('blocked');
  expect(requests).toBe(0);
  // Control: it was the session's filter, and nothing else, that kept the request in.
  await application.evaluate(({ session }) => {
    session.defaultSession.webRequest.onBeforeRequest(null);
  });
  expect(await load()).toBe('x');
  expect(requests).toBe(1);
  server.close();
});

test('the page cannot navigate away or open windows', async ({ application, window }) => {
  await window.evaluate(() => {
    Reflect.set(globalThis, 'stillHere', true);
  });
  for (const target of ['https://example.com/away', 'http://localhost:5173/', 'data:text/html,<p>x', 'file:///etc/passwd']) {
    await window.evaluate((url) => {
      location.href = url;
    }, target);
  }
  const opened = await window.evaluate(() => ['https://example.com/', 'about:blank', '/index.html'].map((url) => open(url)));
  expect(opened).toEqual([null, null, null]);
  await window.evaluate(() => {
    const link = document.createElement('a');
    link.href = 'https://example.com/';
    link.target = '_blank';
    document.body.append(link);
    link.click();
  });
  // Every earlier step has been answered once a round trip through the main process is back.
  expect(await application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((each) => each.webContents.getURL()))).toEqual(['app://bundle/index.html']);
  expect(await window.evaluate(() => Reflect.get(globalThis, 'stillHere') as unknown)).toBe(true);
  expect(application.windows()).toHaveLength(1);
});

test('addresses of the bundle never lead outside its folder', async ({ window }) => {
  const paths = ['/../../package.json', '/..%2f..%2fpackage.json', '/%2e%2e/%2e%2e/package.json', '/assets/..%5c..%5cpackage.json', '/..%2fmain/index.js', '/%00', '/missing.js', '//etc/passwd'];
  const statuses = await window.evaluate((list) => Promise.all(list.map((path) => fetch(`${location.origin}${path}`).then((answer) => answer.status))), paths);
  for (const [index, status] of statuses.entries()) expect(status, paths[index]).toBeGreaterThanOrEqual(400);
  for (const [index, status] of statuses.entries()) expect(status, paths[index]).toBeLessThan(500);
});

test('answers carry the strict headers', async ({ window }) => {
  const headers = await window.evaluate(() => fetch(`${location.origin}/index.html`).then((answer) => [...answer.headers.entries()]));
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(Object.fromEntries(headers)['content-security-policy']).toContain("default-src 'none'");
});

test('permissions are denied without asking anyone', async ({ window }) => {
  const states = await window.evaluate(() =>
    Promise.all((['geolocation', 'notifications', 'camera', 'clipboard-read'] as PermissionName[]).map((name) => navigator.permissions.query({ name }).then((status) => status.state))),
  );
  expect(states).toEqual(['denied', 'denied', 'denied', 'denied']);
  expect(await window.evaluate(() => Notification.requestPermission())).toBe('denied');
});

test('negative control: without the policy an inline script runs, and an unprotected page navigates', async ({ application, window }) => {
  expect((await runInlineScript(window)).didRun).toBe(false);
  await showUnprotectedPage(application, window);
  await application.evaluate(({ BrowserWindow }) => {
    const [first] = BrowserWindow.getAllWindows();
    first?.webContents.removeAllListeners('will-navigate');
    first?.webContents.removeAllListeners('will-frame-navigate');
  });
  expect((await runInlineScript(window)).didRun).toBe(true);
  await window.evaluate(() => {
    location.href = '/elsewhere.html';
  });
  await expect.poll(() => application.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getURL())).toBe('app://bundle/elsewhere.html');
});
