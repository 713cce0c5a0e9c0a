/** Routing tables of the three systems, as they are printed in several languages, and as nobody would print them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findGateways, haveGatewaysChanged, localAddressTowards, systemSources, type GatewayFinding, type GatewaySources } from './gateway.ts';
import { linuxIpv4Routes, linuxIpv6Routes, macRoutes, windowsRoutes } from './route-tables.ts';

const linuxHeading = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const linuxTable = [
  linuxHeading,
  'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
  'eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0',
  'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0',
  'eth0\t0000000A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
  'eth1\t00000000\t0102000A\t0003\t0\t0\t7\t000000FF\t0\t0\t0',
  'eth2\t00000000\t0103000A\t0002\t0\t0\t7\t00000000\t0\t0\t0',
  'eth3\t00000000\t0104000A\t0203\t0\t0\t7\t00000000\t0\t0\t0',
].join('\n');
const zeros = '0'.repeat(32);
const linuxTable6 = [
  `fd000000000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001     eth0`,
  `${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 00000400 00000003 00000000 00000003     eth0`,
  `${zeros} 00 ${zeros} 00 20010db8000000000000000000000001 00000064 00000003 00000000 00450003    wlan0`,
  `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo`,
].join('\n');
const macTable = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0
default            link#19            UCSIg             bridge100      !
default            10.0.0.1           UGScIg                en7
127                127.0.0.1          UCS                   lo0
192.168.1          link#11            UCS                   en0      !

Internet6:
Destination                             Gateway                                 Flags               Netif Expire
default                                 fe80::1e69:7aff:fe00:1%en0              UGcg                  en0
default                                 fe80::%utun0                            UGcIg               utun0
::1                                     ::1                                     UHL                   lo0
`;
const macTableOld = `Routing tables

Internet:
Destination        Gateway            Flags        Refs      Use   Netif Expire
default            192.168.0.254      UGSc           83        0     en1
`;
const windowsTable = `===========================================================================
Interface List
 12...00 15 5d 01 02 03 ......Intel(R) Ethernet Connection
  1...........................Software Loopback Interface 1
===========================================================================

IPv4 Route Table
===========================================================================
Active Routes:
Network Destination        Netmask          Gateway       Interface  Metric
          0.0.0.0          0.0.0.0      192.168.1.1     192.168.1.34     25
          0.0.0.0          0.0.0.0         On-link         10.8.0.2      5
          0.0.0.0          0.0.0.0       10.20.0.1       10.20.0.7     15
        127.0.0.0        255.0.0.0         On-link         127.0.0.1    331
===========================================================================
Persistent Routes:
  Network Address          Netmask  Gateway Address  Metric
          0.0.0.0          0.0.0.0      172.16.0.1  Default
          0.0.0.0          0.0.0.0      172.16.0.2        1
===========================================================================

IPv6 Route Table
===========================================================================
Active Routes:
 If Metric Network Destination      Gateway
 12    281 ::/0                     fe80::1
 14     41 ::/0                     fe80::1e69:7aff:fe00:1111:2222
 15     40 ::/0                     
                                    fe80::aaaa:bbbb:cccc:dddd
  1    331 ::1/128                  On-link
===========================================================================
`.replaceAll('\n', '\r\n');
/** As the console gives it, read byte by byte: what is not ASCII is broken. */
const windowsTableGerman = `IPv4-Routentabelle
===========================================================================
Aktive Routen:
     Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik
          0.0.0.0          0.0.0.0    192.168.178.1   192.168.178.20     35
        127.0.0.0        255.0.0.0   Auf Verbindung         127.0.0.1    331
===========================================================================
St\u0084ndige Routen:
  Netzwerkadresse          Netzmaske  Gatewayadresse  Metrik
          0.0.0.0          0.0.0.0    192.168.178.9  Standard
`.replaceAll('\n', '\r\n');
const windowsTableJapanese = `IPv4 \u0083\u008b\u0081[\u0083g \u0083e\u0081[\u0083u\u0083\u008b
\u0083l\u0083b\u0083g\u0083\u008f\u0081[\u0083N\u0088\u00b6\u0090\u00e6
          0.0.0.0          0.0.0.0      192.168.3.1      192.168.3.5     50
          0.0.0.0          0.0.0.0      \u0083\u008a\u0083\u0093\u0083N\u008f\u00e3      192.168.3.6     10
`;

const briefly = (routes: readonly { readonly gateway: string; readonly interfaceName: string | undefined; readonly localAddress: string | undefined }[]): readonly string[] =>
  routes.map(({ gateway, interfaceName, localAddress }) => [gateway, interfaceName, localAddress].filter((part) => part !== undefined).join(' '));

describe('routing tables', () => {
  test('Linux: routes that are up and lead to a gateway, the best first', () => {
    expect(briefly(linuxIpv4Routes(linuxTable, 'LE'))).toEqual(['10.0.0.1 eth0', '192.168.1.1 wlan0']);
  });

  test('Linux on a machine of the other order of bytes', () => {
    expect(briefly(linuxIpv4Routes('eth0 00000000 0A000001 0003 0 0 0 00000000 0 0 0', 'BE'))).toEqual(['10.0.0.1 eth0']);
  });

  test('Linux with IPv6: a link-local gateway has the zone of its interface', () => {
    expect(briefly(linuxIpv6Routes(linuxTable6))).toEqual(['2001:db8::1 wlan0', 'fe80::1%eth0 eth0']);
  });

  test('macOS, new and old: routes for one interface alone come last', () => {
    expect(briefly(macRoutes(macTable))).toEqual(['192.168.1.1 en0', 'fe80::1e69:7aff:fe00:1%en0 en0', '10.0.0.1 en7']);
    expect(briefly(macRoutes(macTableOld))).toEqual(['192.168.0.254 en1']);
  });

  test('Windows: the interface column is the address; a route that is only kept for later does not count', () => {
    expect(briefly(windowsRoutes(windowsTable))).toEqual(['10.20.0.1 10.20.0.7', '192.168.1.1 192.168.1.34', 'fe80::aaaa:bbbb:cccc:dddd%15 15', 'fe80::1e69:7aff:fe00:1111:2222%14 14', 'fe80::1%12 12']);
  });

  test('Windows in other languages', () => {
    expect(briefly(windowsRoutes(windowsTableGerman))).toEqual(['192.168.178.1 192.168.178.20']);
    expect(briefly(windowsRoutes(windowsTableJapanese))).toEqual(['192.168.3.1 192.168.3.5']);
  });

  test.each([
    ['default 127.0.0.1 UG en0'], ['default 224.0.0.1 UG en0'], ['default 0.0.0.0 UG en0'], ['default 1.2.3.4.5 UG en0'], ['default fe80::1%en0%en1 UG en0'], ['default fe80::1%$(x) UG en0'],
    ['default 10.0.0.1 UGR en0'], ['default 10.0.0.1 UC en0'], ['default 10.0.0.1%en0 UG en0'], ['default example.org UG en0'],
  ])('%s is no gateway', (row) => {
    expect(macRoutes(`Destination Gateway Flags Netif\n${row}\n`)).toEqual([]);
  });

  test('any text gives a bounded number of gateways that are addresses', () => {
    const pieces = fc.constantFrom('default', '0.0.0.0', '00000000', '0101A8C0', '0003', '::/0', zeros, '00', 'fe80::1', '10.0.0.1', '\n', '\r\n', ' ', '\t', 'Netif', 'UG', '%', '99999999999999999999', 'eth0', '-1');
    const texts = fc.oneof(fc.string({ maxLength: 300 }), fc.array(pieces, { maxLength: 60 }).map((words) => words.join(' ')));
    fc.assert(fc.property(texts, (text) => {
      for (const routes of [linuxIpv4Routes(text), linuxIpv6Routes(text), macRoutes(text), windowsRoutes(text)]) {
        expect(routes.length).toBeLessThanOrEqual(16);
        for (const { gateway } of routes) expect(gateway).toMatch(/^[\da-f.:]+(?:%[\w.:-]+)?$/);
      }
    }), { numRuns: 500 });
    expect(macRoutes(`Destination Gateway Flags Netif\n${Array.from({ length: 20_000 }, (_, index) => `default 10.0.${String(index >> 8)}.${String((index & 0xff) + 1)} UG en0`).join('\n')}`)).toHaveLength(16);
    expect(windowsRoutes(`0.0.0.0${' '.repeat(1_000_000)}0.0.0.0`)).toEqual([]);
  });
});

const ipv4 = (address: string, netmask = '255.255.255.0', internal = false) => ({ address, netmask, family: 'IPv4' as const, mac: '', internal, cidr: null });
const ipv6 = (address: string, scopeid = 0) => ({ address, netmask: 'ffff:ffff:ffff:ffff::', family: 'IPv6' as const, mac: '', internal: false, cidr: null, scopeid });
const route = { family: 'ipv4', gateway: '10.0.0.1', interfaceName: 'eth0', localAddress: undefined, metric: 0 } as const;
const route6 = { family: 'ipv6', gateway: 'fe80::1%eth0', interfaceName: 'eth0', localAddress: undefined, metric: 0 } as const;

describe('the local address towards a gateway', () => {
  test('is that of the interface which is in the gateway\'s network', () => {
    expect(localAddressTowards(route, { eth0: [ipv4('192.168.5.5'), ipv4('10.0.0.9')], eth1: [ipv4('10.0.0.8')] })).toBe('10.0.0.9');
    expect(localAddressTowards(route, { eth0: [ipv4('192.168.5.5', '255.255.255.255')] })).toBe('192.168.5.5');
  });

  test('for IPv6 is one that is valid outside, also where interfaces have numbers', () => {
    const interfaces = { eth0: [ipv6('fe80::5', 12), ipv6('fd00::5'), ipv6('2001:db8::5')], eth1: [ipv6('fe80::6', 13), ipv6('2001:db8::6')] };
    expect(localAddressTowards(route6, interfaces)).toBe('2001:db8::5');
    expect(localAddressTowards({ ...route6, interfaceName: '13' }, interfaces)).toBe('2001:db8::6');
    expect(localAddressTowards(route6, { eth0: [ipv6('fe80::5', 12)] })).toBeUndefined();
  });

  test('is unknown where the interface has none, and where the one that was told is gone', () => {
    expect(localAddressTowards(route, { eth1: [ipv4('10.0.0.8')], eth0: [] })).toBeUndefined();
    expect(localAddressTowards({ ...route, localAddress: '10.0.0.7' }, { x: [ipv4('10.0.0.8')] })).toBeUndefined();
    expect(localAddressTowards({ ...route, localAddress: '10.0.0.8' }, { x: [ipv4('10.0.0.8')] })).toBe('10.0.0.8');
  });
});

const sources = (changes: Partial<GatewaySources>): GatewaySources => ({
  platform: 'linux', interfaces: () => ({ eth0: [ipv4('10.0.0.9')], wlan0: [ipv4('192.168.1.34')] }), readText: () => Promise.reject(new Error('no such file')), runProgram: () => Promise.reject(new Error('no such program')), ...changes,
});

describe('finding gateways', () => {
  test('on Linux from two files, of which that of IPv6 may be missing', async () => {
    const readText = (file: string): Promise<string> => (file === '/proc/net/route' ? Promise.resolve(linuxTable) : Promise.reject(new Error('no IPv6')));
    expect(await findGateways(sources({ readText }))).toEqual({
      state: 'known', gateways: [{ family: 'ipv4', address: '10.0.0.1', localAddress: '10.0.0.9' }, { family: 'ipv4', address: '192.168.1.1', localAddress: '192.168.1.34' }],
    });
  });

  test.each([['darwin', '/usr/sbin/netstat -rn', macTable], ['win32', /\\System32\\route\.exe print$/, windowsTable]] as const)('on %s by one program without a shell', async (platform, expected, table) => {
    const ran: string[] = [];
    const runProgram = (program: string, words: readonly string[]): Promise<string> => { ran.push([program, ...words].join(' ')); return Promise.resolve(table); };
    const finding = await findGateways(sources({ platform, runProgram, interfaces: () => ({ en0: [ipv4('192.168.1.34')] }) }));
    expect(finding).toEqual({ state: 'known', gateways: [{ family: 'ipv4', address: '192.168.1.1', localAddress: '192.168.1.34' }] });
    expect(ran).toHaveLength(1);
    expect(ran[0]).toMatch(expected);
  });

  test('no default route is known to be none', async () => {
    expect(await findGateways(sources({ readText: () => Promise.resolve(linuxHeading) }))).toEqual({ state: 'known', gateways: [] });
  });

  test('what the system does not tell is not checked, with a reason', async () => {
    const denied = Object.assign(new Error('no'), { code: 'EACCES' });
    const findings = [
      await findGateways(sources({ readText: () => Promise.reject(denied) })),
      await findGateways(sources({ platform: 'darwin', runProgram: () => Promise.reject(denied) })),
      await findGateways(sources({ platform: 'aix' })),
      await findGateways(sources({ readText: () => Promise.resolve(linuxTable), interfaces: () => { throw denied; } })),
      await findGateways(sources({ readText: () => Promise.resolve(linuxTable), interfaces: () => ({}) })),
    ];
    expect(findings.map(({ state }) => state)).toEqual(new Array(5).fill('not-checked'));
    expect(findings.map((finding) => (finding.state === 'not-checked' ? /\(([^)]*)\)/.exec(finding.reason)?.[1] : ''))).toEqual(['EACCES', 'EACCES', 'aix', 'EACCES', undefined]);
  });

  test('on this machine it comes to an end', async () => {
    expect(['known', 'not-checked']).toContain((await findGateways(systemSources)).state);
  });

  test('a change is another gateway or another address of ours; what was not checked is none', () => {
    const known = (address: string, localAddress: string): GatewayFinding => ({ state: 'known', gateways: [{ family: 'ipv4', address, localAddress }] });
    const unknown: GatewayFinding = { state: 'not-checked', reason: '' };
    expect(haveGatewaysChanged(known('a', 'b'), known('a', 'b'))).toBe(false);
    expect(haveGatewaysChanged(known('a', 'b'), known('c', 'b'))).toBe(true);
    expect(haveGatewaysChanged(known('a', 'b'), known('a', 'c'))).toBe(true);
    expect(haveGatewaysChanged(known('a', 'b'), { state: 'known', gateways: [] })).toBe(true);
    expect([haveGatewaysChanged(unknown, known('a', 'b')), haveGatewaysChanged(known('a', 'b'), unknown)]).toEqual([false, false]);
  });
});
