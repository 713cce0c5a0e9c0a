import { describe, expect, it } from 'vitest';
import { parseTtl } from './durations.ts';
import { parseSize } from './sizes.ts';
import { parseListenAddress, parsePort, reachableHost } from './listen-address.ts';
import { describeError, exitCodeOf, printable } from './terminal.ts';
import { WaypostError } from '../../shared/errors.ts';

describe('times to live', () => {
  it.each([['60s', 60], ['5m', 300], ['12h', 43_200], ['7d', 604_800], [' 30d ', 2_592_000]])('reads %s as %i seconds', (text, seconds) => {
    expect(parseTtl(text)).toBe(seconds);
  });

  it.each(['59s', '0m', '31d', '999999999d'])('says that %s is out of range', (text) => {
    expect(() => parseTtl(text)).toThrow(expect.objectContaining({ code: 'ttl-out-of-range' }) as Error);
  });

  it.each(['', '7', 'd', '-1d', '1.5h', '1w', '7d7d', '0x10s', 'constructor'])('says that "%s" is no time', (text) => {
    expect(() => parseTtl(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }) as Error);
  });
});

describe('sizes', () => {
  it.each([['2GiB', 2_147_483_648], ['256MiB', 268_435_456], ['1.5 gib', 1_610_612_736], [' 5GB ', 5_000_000_000], ['1048576B', 1_048_576]])('reads %s as %i bytes', (text, bytes) => {
    expect(parseSize(text, '--room', 2 ** 20)).toBe(bytes);
  });

  it.each(['', '2', 'GiB', '-1GiB', '1e3GiB', '0x1GiB', '2GiB2GiB', '999999999TiB', '2constructor', '1MB', '0GiB'])('refuses "%s"', (text) => {
    expect(() => parseSize(text, '--room', 2 ** 20)).toThrow(expect.objectContaining({ code: 'invalid-argument' }) as Error);
  });
});

describe('addresses to listen on', () => {
  it.each([
    ['0.0.0.0:7400', '0.0.0.0', 7_400], ['[::1]:0', '::1', 0], ['localhost:9', '127.0.0.1', 9], ['*:9', undefined, 9], [':9', undefined, 9],
  ])('reads %s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port });
  });

  it.each(['', '7400', '1.2.3.4', 'example.org:1', '1.2.3:4', '0.0.0.0:65536', '0.0.0.0:-1', '::1:9'])('refuses "%s"', (text) => {
    expect(() => parseListenAddress(text)).toThrow(expect.objectContaining({ code: 'invalid-argument' }) as Error);
  });

  it('reads a second port, which is another one than the first', () => {
    expect([parsePort('7401', '--observe-port', 7_400), parsePort('0', '--observe-port', 0)]).toEqual([7_401, 0]);
    for (const text of ['7400', '', '-1', '65536', '1e3', 'x', '7401 ']) {
      expect(() => parsePort(text, '--observe-port', 7_400)).toThrow(expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining('--observe-port') as string }) as Error);
    }
  });

  it('tells others an outside address when it listens on all', () => {
    const interfaces = { lo: [{ internal: true, family: 'IPv4', address: '127.0.0.1' }], eth0: [{ internal: false, family: 'IPv4', address: '10.0.0.2' }] } as unknown as Parameters<typeof reachableHost>[1];
    expect(reachableHost('0.0.0.0', interfaces)).toBe('10.0.0.2');
    expect(reachableHost('::', {})).toBe('127.0.0.1');
    expect(reachableHost('192.0.2.1', interfaces)).toBe('192.0.2.1');
  });
});

describe('the terminal', () => {
  it('shows no control characters of strangers', () => {
    expect(printable('a\u001b[2Jb\u202ec\r\n\td')).toBe('a\ufffd[2Jb\ufffdc\ufffd\n\td');
  });

  it('says errors in one sentence with their code, and nothing of unknown ones', () => {
    const error = new WaypostError('bad-link', 'This link is cut.');
    expect(describeError(error, false)).toBe('waypost: This link is cut. (bad-link)');
    expect(describeError(error, true)).toBe('{"error":{"code":"bad-link","message":"This link is cut."}}');
    expect(describeError(new Error('secret'), false)).not.toContain('secret');
    expect([exitCodeOf(error), exitCodeOf(new WaypostError('invalid-argument', 'x')), exitCodeOf(new Error('x'))]).toEqual([1, 2, 1]);
  });
});
