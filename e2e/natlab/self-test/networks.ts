/** Networks that are more than a translation: IPv6 behind a firewall, UDP blocked, a captive portal. */
import { endpointOf, textOf } from '../probe-datagrams.ts';
import type { PolicyBench } from './policy-bench.ts';

const silentTries = 3;
const web = 80;
const secureWeb = 443;
const ownText = 'the real server';
const request = (host: string, method = 'GET', path = '/'): string => `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`;

export async function networks(bench: PolicyBench): Promise<void> {
  for (const port of [web, secureWeb]) await bench.agent('relay').serveTcp(port, ownText);
  await ipv6(bench);
  await blocked(bench);
  await portal(bench);
}

async function ipv6(bench: PolicyBench): Promise<void> {
  const own = bench.lab.ipv6Address('six1') ?? '';
  const socket = await bench.open('six1', 0, 'ipv6');
  const seen = await socket.ask(bench.serverIpv6);
  bench.check('ipv6: a host is seen with its own global address and port', seen === textOf({ address: own, port: socket.port }), seen);
  const stranger = await bench.open('relay2', 0, 'ipv6');
  const strangerAt = { address: bench.lab.ipv6Address('relay2') ?? '', port: stranger.port };
  await stranger.say('unasked', { address: own, port: socket.port });
  const unasked = await socket.hear('unasked');
  await socket.say('opens', strangerAt);
  const opens = await stranger.hear('opens');
  await stranger.say('answer', { address: own, port: socket.port });
  const answer = await socket.hear('answer');
  const elsewhere = await bench.open('relay2', 0, 'ipv6');
  await elsewhere.say('other-port', { address: own, port: socket.port });
  const otherPort = await socket.hear('other-port');
  bench.check('ipv6=firewall: only answers to what went out come in', unasked === undefined && opens !== undefined && answer !== undefined && otherPort === undefined, [unasked, opens, answer, otherPort]);

  const peer = await bench.open('sixb1', 0, 'ipv6');
  const peerAt = { address: bench.lab.ipv6Address('sixb1') ?? '', port: peer.port };
  const [left, right] = await Promise.all([socket.punch(peerAt, 'six', 'sixb'), peer.punch({ address: own, port: socket.port }, 'sixb', 'six')]);
  bench.check('ipv6=firewall: two hosts reach each other by plain punching', left.isHeard && right.isHeard, [left, right]);

  await bench.lab.setNat('six', 'port-restricted', { ipv6: 'open' });
  await elsewhere.say('now-open', { address: own, port: socket.port });
  bench.check('ipv6=open: everybody gets in', await socket.hear('now-open') !== undefined, own);
  const old = await (await bench.open('six1')).ask(bench.server());
  bench.check('ipv6: IPv4 beside it is translated', old !== undefined && endpointOf(old).address === bench.lab.addresses('six')[0], old);
}

async function blocked(bench: PolicyBench): Promise<void> {
  const agent = bench.agent('block1');
  const { address } = bench.server();
  const datagram = await (await agent.open()).ask(bench.server(), 'same', silentTries);
  const [plain, secure] = await Promise.all([web, secureWeb].map((port) => agent.fetchTcp({ address, port })));
  bench.check('udp-blocked tcp=443: no UDP, no TCP but to port 443', datagram === undefined && plain === undefined && secure === ownText, [datagram, plain, secure]);
  await bench.lab.setNat('block', 'udp-blocked', { tcp: 'any' });
  const open = await agent.fetchTcp({ address, port: web });
  bench.check('udp-blocked tcp=any: other ports too', open === ownText, open);
}

async function portal(bench: PolicyBench): Promise<void> {
  const agent = bench.agent('portal1');
  const { address } = bench.server();
  const gateway = bench.lab.gateway('portal1');
  const socket = await agent.open();
  const [redirected, secure, datagram] = await Promise.all([agent.fetchTcp({ address, port: web }, request('example.org')), agent.fetchTcp({ address, port: secureWeb }), socket.ask(bench.server(), 'same', silentTries)]);
  bench.check('captive-portal: TCP port 80 of any address leads to the portal', redirected?.startsWith('HTTP/1.1 302') === true && redirected.includes(`http://${gateway}/`), redirected);
  bench.check('captive-portal: nothing else passes', secure === undefined && datagram === undefined, [secure, datagram]);
  const page = await agent.fetchTcp({ address: gateway, port: web }, request(gateway));
  const accepted = await agent.fetchTcp({ address: gateway, port: web }, request(gateway, 'POST', '/accept'));
  const [real, realSecure, mapped] = await Promise.all([agent.fetchTcp({ address, port: web }), agent.fetchTcp({ address, port: secureWeb }), socket.ask(bench.server())]);
  bench.check('captive-portal: whoever accepts on its page is let out', page?.includes('natlab portal') === true && accepted?.includes('connected') === true && real === ownText && realSecure === ownText && mapped !== undefined, [page, accepted, real, realSecure, mapped]);
  const other = await bench.open('portal2');
  const before = await other.ask(bench.server(), 'same', silentTries);
  await bench.lab.openPortal('portal2');
  const after = await other.ask(bench.server());
  bench.check('captive-portal: each host for itself, and it can be opened from here', before === undefined && after !== undefined, [before, after]);
}
