/** The text that describes a laboratory, one item a line (README.md lists the words), as typed items. */
import { isNatKind, natKinds, type Emulation, type NatKind, type RouterOptions } from './model.ts';
import { parseEmulation, parseRouterOptions } from './settings.ts';
import { misuse, UsageError } from './usage-error.ts';

export interface RouterItem {
  readonly name: string;
  readonly kind: NatKind;
  readonly hosts: readonly string[];
  /** The first three numbers of its LAN; undefined: one of its own. */
  readonly lan: string | undefined;
  readonly options: RouterOptions;
}

export interface Topology {
  readonly publicHosts: readonly string[];
  readonly routers: readonly RouterItem[];
  /** Undefined: the line says `off`. */
  readonly emulations: readonly { readonly name: string; readonly emulation: Emulation | undefined }[];
}

/** They become parts of the names of namespaces. */
const namePattern = /^[a-z0-9][a-z0-9_-]{0,15}$/;
const lanPattern = /^\d{1,3}\.\d{1,3}\.\d{1,3}$/;

export const carrierName = (router: string): string => `${router}-isp`;

class TopologyReader {
  readonly publicHosts: string[] = [];
  readonly routers: RouterItem[] = [];
  readonly emulations: { name: string; emulation: Emulation | undefined }[] = [];
  readonly #names = new Set<string>();

  line(words: readonly string[]): void {
    const [what, name = '', ...rest] = words;
    switch (what) {
      case 'public': this.publicHosts.push(this.#claim(name)); break;
      case 'router': this.routers.push(this.#router(name, rest)); break;
      case 'netem': this.emulations.push({ name, emulation: parseEmulation(rest) }); break;
      default: misuse(`unknown word '${what ?? ''}'`);
    }
  }

  #router(name: string, words: readonly string[]): RouterItem {
    const [kind, ...rest] = words;
    if (!isNatKind(kind)) return misuse(`unknown NAT kind '${kind ?? ''}'; known: ${natKinds.join(' ')}`);
    this.#claim(name);
    this.#claim(carrierName(name));
    let hosts: readonly string[] = [];
    let lan: string | undefined;
    const options: string[] = [];
    for (const word of rest) {
      if (word.startsWith('hosts=')) hosts = word.slice('hosts='.length).split(',').filter((host) => host !== '').map((host) => this.#claim(host));
      else if (word.startsWith('lan=')) {
        lan = word.slice('lan='.length);
        if (!lanPattern.test(lan)) misuse('lan= takes the first three numbers of a /24, as lan=192.168.1');
      } else options.push(word);
    }
    return { name, kind, hosts, lan, options: parseRouterOptions(options) };
  }

  #claim(name: string): string {
    if (!namePattern.test(name)) misuse(`bad node name '${name}'`);
    if (this.#names.has(name)) misuse(`node '${name}' appears twice`);
    this.#names.add(name);
    return name;
  }
}

/** @throws UsageError that names the line. */
export function parseTopology(text: string): Topology {
  const reader = new TopologyReader();
  for (const [index, line] of text.split('\n').entries()) {
    const words = line.replace(/#.*/, '').trim().split(/\s+/).filter((word) => word !== '');
    if (words.length === 0) continue;
    try {
      reader.line(words);
    } catch (error) {
      if (error instanceof UsageError) misuse(`topology line ${index + 1}: ${error.message}`);
      throw error;
    }
  }
  if (reader.publicHosts.length === 0) misuse('the topology needs at least one public host');
  return { publicHosts: reader.publicHosts, routers: reader.routers, emulations: reader.emulations };
}
