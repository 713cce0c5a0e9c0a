/**
 * Host names of relays to literal addresses, through the system's resolver. Bounded in time, and with a memory: where the name service
 * fails now, the last good answer is better than none, since relays seldom move.
 */
import { lookup } from 'node:dns/promises';

/** The system's resolver may take half a minute for a dead name server; the engine asks again by itself. */
const timeoutMs = 5_000;
const rememberedMaximum = 64;

export type Lookup = (host: string) => Promise<readonly string[]>;

const systemLookup: Lookup = async (host) => {
  const answers = await lookup(host, { all: true, order: 'verbatim' });
  return answers.map((answer) => answer.address);
};

export class Resolver {
  readonly #lookup: Lookup;
  readonly #lastGood = new Map<string, readonly string[]>();

  constructor(lookupHost: Lookup = systemLookup) {
    this.#lookup = lookupHost;
  }

  /** Never rejects; an empty list when the name has no address and never had. IPv4 comes first where IPv6 cannot be sent to. */
  async resolve(host: string, reachesIpv6: boolean): Promise<readonly string[]> {
    const fresh = await this.#ask(host);
    if (fresh.length > 0) {
      if (this.#lastGood.size >= rememberedMaximum && !this.#lastGood.has(host)) this.#lastGood.clear();
      this.#lastGood.set(host, fresh);
    }
    const addresses = fresh.length > 0 ? fresh : (this.#lastGood.get(host) ?? []);
    const ipv4 = addresses.filter((address) => !address.includes(':'));
    // IPv4 first: without happy eyeballs, a machine with a broken IPv6 route would otherwise never get through.
    return reachesIpv6 ? [...ipv4, ...addresses.filter((address) => address.includes(':'))] : ipv4;
  }

  async #ask(host: string): Promise<readonly string[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly string[]>((resolve) => {
      timer = setTimeout(() => { resolve([]); }, timeoutMs);
    });
    try {
      return await Promise.race([this.#lookup(host), late]);
    } catch {
      return [];
    } finally {
      clearTimeout(timer);
    }
  }
}
