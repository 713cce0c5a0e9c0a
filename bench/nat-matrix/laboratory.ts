/**
 * The laboratory of one lane of the benchmark: a public host with as many addresses as helpers want, and two hosts behind a NAT each, whose kind changes from cell to
 * cell. A packet that was sent with few hops to live, to open one's own NAT and get no further, gets no further here either, though there is no other router between the
 * two: it is dropped where it arrives. Packets are counted where the dialling host's interface is: those from and to the other NAT's outer address, and those from and to the helpers.
 */
import { execFileSync } from 'node:child_process';
import { Lab } from '../../e2e/natlab/lab.ts';
import { translatorOptions, type MatrixKind } from '../../e2e/natlab/nat-matrix.ts';

export const helper = 'helper';
export const diallingHost = 'dialler';
export const servingHost = 'server';
const diallingRouter = 'left';
const servingRouter = 'right';

/** A node each: whoever classifies a NAT by what several nodes see needs them at addresses of their own, as they have in the world. */
const helperAddresses = 20;
const helperNetwork = '198.19.0.0/16';
const publicPrefixLength = 15;
const table = 'nat-matrix';

/** Before the rules of the laboratory's own, which begin at -300. */
const beforeTranslation = -400;

/** What each router adds in each direction, and how many hops the path from anywhere to a router is longer than it is in the laboratory. */
export interface Distance { readonly delayMs: number; readonly hops: number }

/** Bytes of packets in both directions, headers included. */
export interface Counted { readonly peerBytes: number; readonly helperBytes: number }

interface NftListing { readonly nftables: readonly { readonly counter?: { readonly name: string; readonly bytes: number } }[] }

export class Laboratory {
  readonly lab: Lab;
  readonly #distance: Distance;

  constructor(name: string, distance: Distance) {
    this.lab = new Lab(name);
    this.#distance = distance;
  }

  async up(): Promise<void> {
    this.lab.guard();
    const router = (name: string, host: string): string => `router ${name} translator hosts=${host}`;
    await this.lab.up(`public ${helper}\n${router(diallingRouter, diallingHost)}\n${router(servingRouter, servingHost)}\n`);
    for (const address of this.helperAddresses.slice(1)) this.#run(helper, ['ip', 'address', 'add', `${address}/${publicPrefixLength}`, 'dev', 'eth0']);
    const { delayMs, hops } = this.#distance;
    for (const router of [diallingRouter, servingRouter]) {
      if (delayMs > 0) await this.lab.emulate(router, { seed: 1, in: { delayMs }, out: { delayMs } });
      this.#run(router, ['nft', '-f', '-'], `table ip ${table} {
        chain in { type filter hook prerouting priority ${beforeTranslation}; iifname "wan" ip ttl <= ${hops} counter drop; }
      }`);
    }
    const [peer = ''] = this.lab.addresses(servingRouter);
    this.#run(diallingHost, ['nft', '-f', '-'], `table ip ${table} {
      counter peer { }
      counter helper { }
      chain in { type filter hook input priority 0; ip saddr ${peer} counter name peer; ip saddr ${helperNetwork} counter name helper; }
      chain out { type filter hook output priority 0; ip daddr ${peer} counter name peer; ip daddr ${helperNetwork} counter name helper; }
    }`);
  }

  get helperAddresses(): readonly string[] {
    return Array.from({ length: helperAddresses }, (_, index) => (index === 0 ? this.lab.addresses(helper)[0] ?? '' : `198.19.2.${index}`));
  }

  /** New NATs: no mapping of before is left. */
  async setKinds(dialling: MatrixKind, serving: MatrixKind): Promise<void> {
    await this.lab.setNat(diallingRouter, 'translator', translatorOptions(dialling));
    await this.lab.setNat(servingRouter, 'translator', translatorOptions(serving));
  }

  count(): Counted {
    const { nftables } = JSON.parse(this.#run(diallingHost, ['nft', '-j', 'list', 'counters', 'table', 'ip', table])) as NftListing;
    const bytesOf = (name: string): number => nftables.find(({ counter }) => counter?.name === name)?.counter?.bytes ?? 0;
    return { peerBytes: bytesOf('peer'), helperBytes: bytesOf('helper') };
  }

  async down(): Promise<void> { await this.lab.down(); }

  #run(host: string, words: readonly string[], input = ''): string {
    const [command = '', ...rest] = this.lab.commandLine(host, words);
    return execFileSync(command, rest, { input, encoding: 'utf8' });
  }
}
