/** What describes a laboratory: typed items, and the text that they are read from, one a line (README.md lists the words). */
import { isNatKind, natKinds, publicHostsMaximum, routersMaximum, type Emulation, type NatKind, type RouterOptions } from './model.ts';
import { checkOptions, parseRouterOptions } from './router-options.ts';
import { parseEmulation } from './settings.ts';
import { misuse, UsageError } from './usage-error.ts';

export interface RouterItem {
  readonly name: string;
  readonly kind: NatKind;
  readonly hosts: readonly string[];
  /** The first three numbers of its LAN; undefined: one of its own. */
  readonly lan?: string | undefined;
  /** The router, named before, whose LAN it is plugged into; undefined: the public network. */
  readonly behind?: string | undefined;
  readonly options: RouterOptions;
}

export interface Topology {
  readonly publicHosts: readonly string[];
  readonly routers: readonly RouterItem[];
  /** Undefined: the line says `off`. */
  readonly emulations?: readonly { readonly name: string; readonly emulation: Emulation | undefined }[];
}

/** They become parts of the names of namespaces. */
const namePattern = /^[a-z0-9][a-z0-9_-]{0,15}$/;
const lanPattern = /^\d{1,3}\.\d{1,3}\.\d{1,3}$/;

export const carrierName = (router: string): string => `${router}-isp`;

function parseRouter(name: string, [kind, ...words]: readonly string[]): RouterItem {
  if (!isNatKind(kind)) return misuse(`unknown NAT kind '${kind ?? ''}'; known: ${natKinds.join(' ')}`);
  const valueOf = (word: string, option: string): string | undefined => (word.startsWith(`${option}=`) ? word.slice(option.length + 1) : undefined);
  let hosts: readonly string[] = [];
  let lan: string | undefined;
  let behind: string | undefined;
  const options: string[] = [];
  for (const word of words) {
    const isOther = valueOf(word, 'hosts') === undefined && valueOf(word, 'lan') === undefined && valueOf(word, 'behind') === undefined;
    hosts = valueOf(word, 'hosts')?.split(',').filter((host) => host !== '') ?? hosts;
    lan = valueOf(word, 'lan') ?? lan;
    behind = valueOf(word, 'behind') ?? behind;
    if (isOther) options.push(word);
  }
  return { name, kind, hosts, lan, behind, options: parseRouterOptions(options) };
}

/** Names that are used up, and routers that others can be behind. */
class Names {
  readonly #names = new Set<string>();
  readonly #routers = new Map<string, RouterItem>();

  claim(name: string): void {
    if (!namePattern.test(name)) misuse(`bad node name '${name}'`);
    if (this.#names.has(name)) misuse(`node '${name}' appears twice`);
    this.#names.add(name);
  }

  router(item: RouterItem): void {
    const { name, kind, hosts, lan, behind, options } = item;
    for (const each of [name, carrierName(name), ...hosts]) this.claim(each);
    if (lan !== undefined && !lanPattern.test(lan)) misuse('lan= takes the first three numbers of a /24, as lan=192.168.1');
    checkOptions(kind, options);
    if (behind !== undefined) {
      if (!this.#routers.has(behind)) misuse(`behind=${behind}: no such router before this one`);
      if (kind === 'none' || kind === 'cgnat') misuse(`a router behind another cannot be ${kind}`);
      if (options.ipv6 !== undefined) misuse('ipv6 is for routers in the public network');
    }
    if (kind === 'cgnat' && options.ipv6 !== undefined) misuse('ipv6 is for routers in the public network');
    this.#routers.set(name, item);
  }
}

/** How many like this one a laboratory can number; a `cgnat` counts once here. */
export const copiesThatFit = ({ publicHosts, routers }: Topology): number => Math.floor(Math.min(publicHostsMaximum / publicHosts.length, routersMaximum / routers.length));

/** @throws UsageError */
export function checkTopology({ publicHosts, routers }: Topology): void {
  if (publicHosts.length === 0) misuse('the topology needs at least one public host');
  if (publicHosts.length > publicHostsMaximum) misuse(`too many public hosts (${publicHostsMaximum} at most)`);
  const names = new Names();
  for (const name of publicHosts) names.claim(name);
  for (const item of routers) names.router(item);
}

/** @throws UsageError that names the line. */
export function parseTopology(text: string): Topology {
  const publicHosts: string[] = [];
  const routers: RouterItem[] = [];
  const emulations: { name: string; emulation: Emulation | undefined }[] = [];
  const names = new Names();
  const line = ([what, name = '', ...rest]: readonly string[]): void => {
    switch (what) {
      case 'public': names.claim(name); publicHosts.push(name); break;
      case 'router': {
        const item = parseRouter(name, rest);
        names.router(item);
        routers.push(item);
        break;
      }
      case 'netem': emulations.push({ name, emulation: parseEmulation(rest) }); break;
      default: misuse(`unknown word '${what ?? ''}'`);
    }
  };
  for (const [index, each] of text.split('\n').entries()) {
    const words = each.replace(/#.*/, '').trim().split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) continue;
    try {
      line(words);
    } catch (error) {
      if (error instanceof UsageError) misuse(`topology line ${index + 1}: ${error.message}`);
      throw error;
    }
  }
  const topology = { publicHosts, routers, emulations };
  checkTopology(topology);
  return topology;
}
