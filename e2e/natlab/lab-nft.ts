/** Rules of nftables in one place of a laboratory, beside those of its routers: to drop packets and count them, and to read the counts. */
import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import type { Lab } from './lab.ts';

/** Before the laboratory's own translation, which begins at -300. */
const beforeTranslation = -400;
const outputMaximumBytes = 64 * 1_048_576;

/** Runs a program of the system inside of a host or router. @throws Error */
export function runInside(lab: Lab, host: string, words: readonly string[], input = ''): string {
  const [command = '', ...rest] = lab.commandLine(host, words);
  return execFileSync(command, rest, { input, encoding: 'utf8', maxBuffer: outputMaximumBytes });
}

const countersSchema = z.object({ nftables: z.array(z.looseObject({ counter: z.looseObject({ packets: z.number(), bytes: z.number() }).optional() })) });

let tablesMade = 0;

/** Rules at a router or host; each names what is hit, and all count together. */
export class PacketRules {
  readonly #lab: Lab;
  readonly #host: string;
  readonly #table: string;

  /** @param verdict what becomes of the packets; `accept` only counts them. */
  constructor(lab: Lab, host: string, rules: readonly string[], verdict: 'drop' | 'accept' = 'drop') {
    this.#lab = lab;
    this.#host = host;
    tablesMade += 1;
    this.#table = `lab_rules_${String(tablesMade)}`;
    runInside(lab, host, ['nft', '-f', '-'], `table inet ${this.#table} {
  counter hit { }
  chain in { type filter hook prerouting priority ${String(beforeTranslation)}; ${rules.map((rule) => `${rule} counter name hit ${verdict}; `).join('')} }
}`);
  }

  hits(): number { return this.count().packets; }

  /** Bytes with the headers of IP. */
  count(): { readonly packets: number; readonly bytes: number } {
    const { nftables } = countersSchema.parse(JSON.parse(runInside(this.#lab, this.#host, ['nft', '-j', 'list', 'counters', 'table', 'inet', this.#table])));
    return nftables.flatMap(({ counter }) => (counter === undefined ? [] : [counter]))[0] ?? { packets: 0, bytes: 0 };
  }

  /** Ends it, and says how many packets were hit. */
  lift(): number {
    const hits = this.hits();
    runInside(this.#lab, this.#host, ['nft', 'delete', 'table', 'inet', this.#table]);
    return hits;
  }
}
