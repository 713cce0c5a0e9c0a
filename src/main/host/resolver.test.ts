import { describe, expect, it } from 'vitest';
import { Resolver } from './resolver.ts';

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
});
