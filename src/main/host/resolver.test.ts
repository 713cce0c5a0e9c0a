import { afterEach, describe, expect, it, vi } from 'vitest';
import { Resolver } from './resolver.ts';

afterEach(() => { vi.useRealTimers(); });

describe('resolving names of relays', () => {
  it('puts IPv4 first, and leaves IPv6 out where it cannot be sent to', async () => {
    const resolver = new Resolver(() => Promise.resolve(['2001:db8::1', '192.0.2.1']));
    expect(await resolver.resolve('relay.example', true)).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(await resolver.resolve('relay.example', false)).toEqual(['192.0.2.1']);
  });

  it('gives the last good answer when the name service fails, and nothing for a name that never had one', async () => {
    let works = true;
    const resolver = new Resolver(() => (works ? Promise.resolve(['192.0.2.1']) : Promise.reject(new Error('ENOTFOUND'))));
    await resolver.resolve('relay.example', true);
    works = false;
    expect(await resolver.resolve('relay.example', true)).toEqual(['192.0.2.1']);
    expect(await resolver.resolve('other.example', true)).toEqual([]);
  });

  it('asks the system no more than it must for names that are never answered, and for another name at once', async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    const resolver = new Resolver((host) => {
      asked.push(host);
      return host === 'own.example' ? Promise.resolve(['192.0.2.1']) : new Promise(() => undefined);
    });
    const slow = ['a.example', 'b.example', 'c.example'];
    for (let round = 0; round < 5; round += 1) {
      const wanted = [...slow, ...slow].map((host) => resolver.resolve(host, true));
      await vi.advanceTimersByTimeAsync(6_000);
      expect((await Promise.all(wanted)).flat()).toEqual([]);
    }
    expect(asked).toEqual(slow);
    expect(await resolver.resolve('own.example', true)).toEqual(['192.0.2.1']);
  });

  it('asks anew after a while where the first question hangs in a network that we have left', async () => {
    vi.useFakeTimers();
    let asked = 0;
    const resolver = new Resolver(() => {
      asked += 1;
      return asked === 1 ? new Promise(() => undefined) : Promise.resolve(['192.0.2.1']);
    });
    const first = resolver.resolve('relay.example', true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await first).toEqual([]);
    expect(await resolver.resolve('relay.example', true)).toEqual(['192.0.2.1']);
  });
});
