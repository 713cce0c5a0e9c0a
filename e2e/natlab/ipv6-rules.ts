/** The nftables rules of one router for IPv6: nothing is translated, and the firewall lets in the answers to what went out. */
import type { Ipv6Filtering, NatKind } from './model.ts';

export interface Ipv6RulesOptions {
  readonly kind: NatKind;
  readonly filtering: Ipv6Filtering;
  readonly zone: number;
  readonly tcp: 'any' | '443';
}

function passing({ kind, filtering, tcp }: Ipv6RulesOptions): readonly string[] {
  if (kind === 'captive-portal') return ['drop'];
  return [
    ...(kind === 'udp-blocked' ? ['meta l4proto udp drop', ...(tcp === '443' ? ['iifname "lan" tcp dport != 443 drop'] : [])] : []),
    ...(filtering === 'firewall' ? ['iifname "wan" ct state != { established, related } drop'] : []),
  ];
}

/** A file for `nft -f`, which replaces what was there. */
export function ipv6RulesOf(options: Ipv6RulesOptions): string {
  const chains = [
    ['zone_in', 'filter hook prerouting priority -300', [`ct zone set ${options.zone}`]],
    ['zone_out', 'filter hook output priority -300', [`ct zone set ${options.zone}`]],
    ['local', 'filter hook input priority 0', ['meta l4proto { udp, tcp } drop']],
    ['passing', 'filter hook forward priority 0', passing(options)],
  ] as const;
  const text = chains.map(([name, hook, rules]) => ` chain ${name} {\n  type ${hook}; policy accept;\n${rules.map((rule) => `  ${rule}\n`).join('')} }`);
  return `table ip6 natlab\ndelete table ip6 natlab\ntable ip6 natlab {\n${text.join('\n')}\n}\n`;
}
