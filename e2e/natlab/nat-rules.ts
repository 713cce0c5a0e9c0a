/** The nftables rules of one emulated NAT router: its mapping, its filtering and its hairpin, in the terms of RFC 4787. */
import type { NatKind, PortChoice } from './model.ts';

export interface RulesOptions {
  /** A `cgnat` router has the rules of its inner kind. */
  readonly kind: Exclude<NatKind, 'cgnat'>;
  readonly publicAddress: string;
  readonly lanNetwork: string;
  /** A new one has a conntrack zone and a range of ports of its own: every earlier mapping is gone at once. */
  readonly generation: number;
  readonly isRebound: boolean;
  readonly ports: PortChoice;
  readonly timeoutSeconds: number;
  readonly hairpin: boolean;
  readonly tcp: 'any' | '443';
}

type Filtering = 'any' | 'address' | 'port';

/** Conntrack zones are 16 bits wide. */
const zones = 60_000;
/** Two ranges that share no port, for even and odd generations: a rebind always changes the port. */
const rangeStarts = [20_000, 40_000] as const;
const rangePorts = 20_000;
/** More than one inside has at a time. The kernel walks through the places of each set every second, so many routers with large ones keep it busy. */
const mappingsMaximum = 8_192;

const filteringOf: Partial<Record<NatKind, Filtering>> = {
  'full-cone': 'any', restricted: 'address', 'port-restricted': 'port', 'captive-portal': 'port',
};

export const zoneOf = (generation: number): number => 1 + (generation % zones);

function chain(name: string, hook: string | undefined, rules: readonly string[]): readonly string[] {
  return [` chain ${name} {`, ...(hook === undefined ? [] : [`  type ${hook}; policy accept;`]), ...rules.map((rule) => `  ${rule}`), ' }'];
}

/** Replaces whatever rules were there, in one transaction. */
function table(lines: readonly string[]): string {
  return `table ip natlab\ndelete table ip natlab\ntable ip natlab {\n${lines.join('\n')}\n}\n`;
}

/** The hosts that have accepted, and the way of all others to the page. */
const portalChains: readonly string[] = [
  ' set opened { type ipv4_addr; }',
  ...chain('portal', 'nat hook prerouting priority -110', ['iifname "lan" ip saddr != @opened tcp dport 80 redirect']),
];

/** A file for `nft -f` that lets a host behind a captive portal out. */
export const openForHost = (address: string): string => `add element ip natlab opened { ${address} }
`;

/** A file for `nft -f`. The devices of the router are `wan` and `lan`. */
export function rulesOf(options: RulesOptions): string {
  const { kind, publicAddress, generation } = options;
  const zone = zoneOf(generation);
  const low = generation % 2 === 0 ? rangeStarts[0] : rangeStarts[1];
  const range = `${low}-${low + rangePorts - 1}`;
  const common = [
    // What the translator translates is not the kernel's to follow.
    ...chain('zone_in', 'filter hook prerouting priority -300', [...(kind === 'translator' ? ['meta l4proto udp notrack accept'] : []), `ct zone set ${zone}`]),
    ...chain('zone_out', 'filter hook output priority -300', [`ct zone set ${zone}`]),
    // The router itself never answers: what nobody asked for vanishes.
    ...chain('local', 'filter hook input priority 0', [...(kind === 'captive-portal' ? ['iifname "lan" tcp dport 80 accept'] : []), 'meta l4proto { udp, tcp } drop']),
    ...(kind === 'captive-portal' ? portalChains : []),
  ];
  if (kind === 'none') return table(common);

  const passing = chain('passing', 'filter hook forward priority 0', [
    ...(kind === 'udp-blocked' ? ['meta l4proto udp drop'] : []),
    ...(kind === 'udp-blocked' && options.tcp === '443' ? ['iifname "lan" meta l4proto tcp tcp dport != 443 drop'] : []),
    ...(kind === 'captive-portal' ? ['iifname "lan" ip saddr != @opened drop'] : []),
    // From outside only what the translation let in.
    'iifname "wan" ct direction original ct status & dnat == 0 drop',
  ]);
  const filtering = filteringOf[kind];
  if (filtering !== undefined) return table(coneRules(options, filtering, range, [...common, ...passing]));
  // Symmetric: the kernel's own mapping, one for each destination. Where UDP is blocked it is for TCP only.
  return table([...common, ...passing, ...chain('source', 'nat hook postrouting priority 100', [
    `oifname "wan" meta l4proto udp snat to ${publicAddress}:${range} fully-random`,
    'oifname "wan" masquerade',
  ])]);
}

/** Endpoint-independent mapping: the first flow of an inside endpoint takes a port, and the maps hand the same port to all its later flows. */
function coneRules(options: RulesOptions, filtering: Filtering, range: string, before: readonly string[]): readonly string[] {
  const { publicAddress, lanNetwork, hairpin, timeoutSeconds } = options;
  const dynamic = (type: string): string => `{ type ${type}; size ${String(mappingsMaximum)}; flags dynamic,timeout; timeout ${timeoutSeconds}s; }`;
  const peer = filtering === 'address' ? 'ipv4_addr' : 'ipv4_addr . inet_service';
  return [
    ` map by_inside ${dynamic('ipv4_addr . inet_service : ipv4_addr . inet_service')}`,
    ` map by_port ${dynamic('inet_service : ipv4_addr . inet_service')}`,
    ` set taken ${dynamic('inet_service')}`,
    ` set owner ${dynamic('inet_service . ipv4_addr . inet_service')}`,
    ...(filtering === 'any' ? [] : [` set allowed ${dynamic(`inet_service . ${peer}`)}`]),
    ...before,
    ...chain('dest', 'nat hook prerouting priority -100', [
      `${hairpin ? '' : 'iifname "wan" '}ip daddr ${publicAddress} meta l4proto udp dnat ip to udp dport map @by_port`,
    ]),
    ...chain('choose', undefined, [
      'snat ip to ip saddr . udp sport map @by_inside',
      ...(options.ports === 'preserve' && !options.isRebound ? [`udp sport != @taken snat to ${publicAddress}`] : []),
      `meta l4proto udp snat to ${publicAddress}:${range} fully-random`,
    ]),
    ...chain('source', 'nat hook postrouting priority 100', [
      'oifname "wan" meta l4proto udp jump choose',
      ...(hairpin ? [`oifname "lan" ip saddr ${lanNetwork} meta l4proto udp ct status dnat jump choose`] : []),
      'oifname "wan" masquerade',
    ]),
    ...chain('track', 'filter hook postrouting priority 110', trackingRules(filtering, hairpin)),
  ];
}

/** Keeps the maps alive with each packet, in either direction, and drops what the filtering does not let in. */
function trackingRules(filtering: Filtering, hairpin: boolean): readonly string[] {
  const translatedSource = 'meta l4proto udp ct status snat';
  const translatedDestination = 'meta l4proto udp ct status dnat';
  const outward = { inside: 'ct original ip saddr . ct original proto-src', port: 'ct reply proto-dst', address: 'ct reply ip daddr' };
  const inward = { inside: 'ct reply ip saddr . ct reply proto-src', port: 'ct original proto-dst', address: 'ct original ip daddr' };
  const keep = (when: string, { inside, port, address }: typeof outward): readonly string[] => [
    `${when} update @by_inside { ${inside} : ${address} . ${port} }`,
    `${when} update @by_port { ${port} : ${inside} }`,
    `${when} update @owner { ${port} . ${inside} }`,
    `${when} update @taken { ${port} }`,
  ];
  const from = filtering === 'address' ? 'ip saddr' : 'ip saddr . udp sport';
  const to = filtering === 'address' ? 'ip daddr' : 'ip daddr . udp dport';
  const own = (port: string): string => (filtering === 'address' ? 'ip saddr' : `ip saddr . ${port}`);
  const filter = filtering === 'any' ? [] : [
    `oifname "wan" update @allowed { udp sport . ${to} }`,
    ...(hairpin ? [
      `oifname "lan" ${translatedSource} ct status dnat ct direction original update @allowed { udp sport . ${own(inward.port)} }`,
      `oifname "lan" ${translatedSource} ct status dnat ct direction reply update @allowed { udp sport . ${own(outward.port)} }`,
    ] : []),
    `${translatedDestination} ct direction original ${inward.port} . ${from} != @allowed drop`,
  ];
  return [
    'meta l4proto != udp accept',
    // A random port that another inside endpoint holds: drop, the next packet draws again.
    `${translatedSource} ${outward.port} @taken ${outward.port} . ${outward.inside} != @owner drop`,
    ...keep(translatedSource, outward),
    ...filter,
    ...keep(translatedDestination, inward),
  ];
}
