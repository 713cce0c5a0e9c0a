import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptedTcpAddress, hostOfTcp, isTcpAddress, tcpAddress } from '../wire/tcp-address.ts';
import { addressPrefix } from '../mail/mailbox-rate.ts';
import { tcpCapability, tcpPortOf } from './tcp-ports.ts';

describe('the capability that tells where a relay takes TCP', () => {
  it('is read as it is written', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 65_535 }), (port) => { expect(tcpPortOf(['store', tcpCapability(port), 'ack'])).toBe(port); }));
  });
  it('is none where it names no port', () => {
    for (const word of ['tcp/', 'tcp/0', 'tcp/01', 'tcp/65536', 'tcp/443x', 'tcp/-1', 'udp/443', 'TCP/443']) expect(tcpPortOf([word]), word).toBeUndefined();
  });
});

describe('addresses of connections over TCP', () => {
  it('are told from all others, and name their host', () => {
    for (const host of ['198.51.100.7', '2001:db8::1', 'fe80::1%eth0']) {
      for (const address of [tcpAddress(host, 443), acceptedTcpAddress(host, 50_000, 17)]) {
        expect([isTcpAddress(address), hostOfTcp(address.host)]).toEqual([true, host]);
      }
      expect([isTcpAddress({ host, port: 443 }), hostOfTcp(host)]).toEqual([false, host]);
    }
  });
  it('of one neighbourhood share its limits', () => {
    const hosts = ['198.51.100.7', acceptedTcpAddress('198.51.100.7', 1, 1).host, acceptedTcpAddress('198.51.100.99', 2, 2).host, tcpAddress('198.51.100.1', 443).host];
    expect(new Set(hosts.map(addressPrefix))).toEqual(new Set(['198.51.100']));
    expect(addressPrefix(acceptedTcpAddress('2001:db8::1', 1, 1).host)).toBe(addressPrefix('2001:db8::1'));
  });
});
