import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { askForPage, isPortal } from './portal-page.ts';

let server: Server | undefined;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server?.close();
});

/** Says these bytes to whoever connects. */
async function serve(answer: string | Buffer, heard: string[] = []): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      heard.push(data.toString('latin1'));
      socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => { server?.listen(0, '127.0.0.1', resolve); });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
const ask = (port: number): Promise<string> => askForPage({ host: '127.0.0.1', port }, randomBytes);

describe('a page that does not exist', () => {
  it('is asked for under a name that nobody knows beforehand, and whoever sends elsewhere is a portal', async () => {
    const heard: string[] = [];
    const port = await serve('HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\n\r\n', heard);
    expect([await ask(port), await ask(port)]).toEqual(['intercepted', 'intercepted']);
    const [first, second] = heard.map((text) => /^GET (\S+) HTTP\/1\.1/.exec(text)?.[1]);
    expect(first).toMatch(/^\/\.well-known\/waypost-[0-9a-f]{16}$/);
    expect(first).not.toBe(second);
  });

  it.each([
    ['nonsense', 'what do you want\r\n\r\n'],
    ['a page', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi'],
    ['a head without end', `HTTP/1.1 302 Found\r\nx: ${'x'.repeat(100_000)}`],
    ['binary', Buffer.alloc(5_000, 0xff)],
  ])('proves nothing when the answer is %s', async (_name, answer) => {
    expect(await ask(await serve(answer))).toBe('failed');
  });

  it('proves nothing when nobody listens', async () => {
    const port = await serve('');
    await new Promise((resolve) => server?.close(resolve));
    expect(await ask(port)).toBe('failed');
    expect(await askForPage({ host: 'no host', port: 80 }, randomBytes)).toBe('failed');
  });
});

describe('an answer', () => {
  it.each([
    [511, undefined, true], [302, 'http://10.0.0.1/', true], [307, 'https://login.example/x', true], [303, '//login.example/', true],
    [302, '/login', false], [302, 'http://192.0.2.1/other', false], [302, 'https://192.0.2.1/', false], [301, 'https://www.example.org/', false], [308, 'https://www.example.org/', false],
    [302, 'mailto:somebody', false], [302, 'http://[', false], [302, undefined, false], [200, undefined, false], [404, 'http://login.example/', false], [undefined, undefined, false],
  ])('with %s to %s is a portal: %s', (status, location, expected) => {
    expect(isPortal('192.0.2.1', status, location)).toBe(expected);
  });
  it('may be of IPv6', () => {
    expect([isPortal('2001:db8::1', 302, 'http://[2001:db8::1]/'), isPortal('2001:db8::1', 302, 'http://[2001:db8::2]/')]).toEqual([false, true]);
  });
});
