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

/** Of one name, the first of which is late. */
const atOnceMaximum = 2;

interface Question { readonly host: string; readonly answer: Promise<readonly string[]>; isLate: boolean }

export class Resolver {
  readonly #lookup: Lookup;
  readonly #lastGood = new Map<string, readonly string[]>();
  /** What the system is asked now: it has two places for such questions, and goes on with one long after nobody waits for it. */
  readonly #running = new Set<Question>();

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
    const question = this.#begin(host);
    if (question === undefined) return [];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => { resolve('late'); }, timeoutMs);
    });
    const found = await Promise.race([question.answer, late]);
    clearTimeout(timer);
    if (found !== 'late') return found;
    question.isLate = true;
    return [];
  }

  /** Undefined: it is not worth a place now. */
  #begin(host: string): Question | undefined {
    const ofHost = [...this.#running].filter((question) => question.host === host);
    const fresh = ofHost.find(({ isLate }) => !isLate);
    if (fresh !== undefined) return fresh;
    // A contact names the relays that their mail goes to. Whoever runs their name service must not fill all places with names that are never answered: what did not come in time is asked
    // once more, for the network may be another one by now, and not while the same goes on with another name, unless it was answered before.
    const isOfOthers = [...this.#running].some((question) => question.isLate && question.host !== host);
    if (ofHost.length >= atOnceMaximum || (ofHost.length > 0 && isOfOthers && !this.#lastGood.has(host))) return undefined;
    const question: Question = {
      host, isLate: false,
      answer: this.#lookup(host).catch(() => []).finally(() => { this.#running.delete(question); }),
    };
    this.#running.add(question);
    return question;
  }
}
