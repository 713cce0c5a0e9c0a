/** Real sockets, in whatever network this machine is; where it is in none, nothing is opened and nothing is heard. */
import { describe, expect, it } from 'vitest';
import type { LanFacts } from '../engine/path/lan-network.ts';
import { LanMulticast } from './lan-multicast.ts';

const main = { address: { host: '0.0.0.0', port: 4_711 }, reachesIpv6: false };
/** Not the one that programs in use have. */
const port = 27_000 + (process.pid % 400);

interface Speaker { readonly lan: LanMulticast; readonly facts: LanFacts; readonly heard: { readonly host: string; readonly bytes: Uint8Array }[] }

function speaker(failures: string[]): Promise<Speaker> {
  return new Promise((resolve) => {
    const heard: Speaker['heard'] = [];
    const lan = new LanMulticast({ port, log: (_level, event) => { failures.push(event); } });
    lan.start({ main: () => main, facts: (facts) => { if (facts.interfaces.length > 0) resolve({ lan, facts, heard }); }, datagram: ({ host }, bytes) => { heard.push({ host, bytes }); } });
    // A machine in no network.
    setTimeout(() => { resolve({ lan, facts: { port: undefined, interfaces: [], networks: [] }, heard }); }, 4_000).unref();
  });
}

describe('multicasts', () => {
  it('are heard by another program on this machine, from the address that was to say them, and end with it', async () => {
    const failures: string[] = [];
    const [one, other] = await Promise.all([speaker(failures), speaker(failures)]);
    const host = one.facts.interfaces[0]?.host;
    if (host !== undefined) {
      for (let count = 0; count < 100 && other.heard.length === 0 && failures.length === 0; count += 1) {
        one.lan.announce(host, Uint8Array.of(11, 1, count));
        await new Promise((resolve) => { setTimeout(resolve, 20); });
      }
      // A sandbox may refuse any of it: that is told, and harms nobody.
      if (failures.length === 0) expect(other.heard[0]).toMatchObject({ host });
    }
    one.lan.announce('192.0.2.77', Uint8Array.of(11));
    await Promise.all([one.lan.stop(), other.lan.stop()]);
    one.lan.announce(host ?? '192.0.2.77', Uint8Array.of(11));
    expect(failures.filter((event) => event !== 'lan-socket-failed')).toEqual([]);
  });
});
