/** A laboratory for what the translator and the other programs beside routers do, driven from this process, with an agent in each host that is asked for. */
import path from 'node:path';
import { once } from 'node:events';
import { Agent, type AgentSocket } from '../agent.ts';
import { Lab, type RouterItem } from '../lab.ts';
import { matrixKinds, translatorOptions, type MatrixKind } from '../nat-matrix.ts';
import type { Endpoint } from '../probe-datagrams.ts';
import type { RouterOptions } from '../model.ts';
import type { Checks } from '../../../scripts/processes/checks.ts';

export const policyLab = 'natlab-self-test-3';
const probeProgram = path.join(import.meta.dirname, '../probe.ts');
const serverPort = 3_478;
const relays = ['relay', 'relay2'] as const;

/** Two routers of each kind of the matrix, and one host behind each. */
export const sides = ['left', 'right'] as const;
export type Side = (typeof sides)[number];

const routerOf = (side: Side, kind: MatrixKind): string => `${side === 'left' ? 'l' : 'r'}-${kind}`;
export const hostOf = (side: Side, kind: MatrixKind): string => `${routerOf(side, kind)}1`;

const matrixRouters: readonly RouterItem[] = sides.flatMap((side) => matrixKinds.map((kind) => (
  { name: routerOf(side, kind), kind: 'translator', hosts: [hostOf(side, kind)], options: translatorOptions(kind) }
)));

const routers: readonly RouterItem[] = [
  ...matrixRouters,
  { name: 'flex', kind: 'translator', hosts: ['flex1', 'flex2'], options: {} },
  { name: 'carrier', kind: 'translator', hosts: [], options: { filtering: 'port', ports: 'block', hairpin: true } },
  { name: 'home', kind: 'translator', behind: 'carrier', hosts: ['home1'], options: { portControl: 'both' } },
  { name: 'home2', kind: 'port-restricted', behind: 'carrier', hosts: ['homeb1'], options: {} },
  { name: 'six', kind: 'port-restricted', hosts: ['six1'], options: { ipv6: 'firewall' } },
  { name: 'six2', kind: 'symmetric', hosts: ['sixb1'], options: { ipv6: 'firewall' } },
  { name: 'block', kind: 'udp-blocked', hosts: ['block1'], options: { tcp: '443' } },
  { name: 'portal', kind: 'captive-portal', hosts: ['portal1', 'portal2'], options: {} },
];

export class PolicyBench {
  readonly lab = new Lab(policyLab);
  readonly #checks: Checks;
  readonly #agents = new Map<string, Agent>();

  private constructor(checks: Checks) {
    this.#checks = checks;
  }

  static async begin(checks: Checks): Promise<PolicyBench> {
    const bench = new PolicyBench(checks);
    await bench.lab.up({ publicHosts: relays, routers });
    const addresses = bench.lab.addresses('relay');
    for (const served of [addresses, [bench.relayIpv6]]) {
      const child = bench.lab.start('relay', process.execPath, [probeProgram, 'serve', ...served], { stdio: ['ignore', 'pipe', 'inherit'] });
      if (child.stdout !== null) await once(child.stdout, 'data');
    }
    return bench;
  }

  get relayIpv6(): string { return this.lab.ipv6Address('relay') ?? ''; }

  /** The measuring server: at its first or second address, and its first or second port. */
  server(address: 0 | 1 = 0, port: 0 | 1 = 0): Endpoint {
    return { address: this.lab.addresses('relay')[address] ?? '', port: serverPort + port };
  }

  get serverIpv6(): Endpoint { return { address: this.relayIpv6, port: serverPort }; }

  agent(host: string): Agent {
    const known = this.#agents.get(host) ?? new Agent(this.lab, host);
    this.#agents.set(host, known);
    return known;
  }

  open(host: string, port = 0, family: 'ipv4' | 'ipv6' = 'ipv4'): Promise<AgentSocket> { return this.agent(host).open(port, family); }

  /** The router `flex` anew, with nothing left of before; what is not said is as in a new router. */
  async flex(options: RouterOptions): Promise<void> {
    const plain: RouterOptions = {
      mapping: 'independent', filtering: 'port', ports: 'random', timeoutSeconds: 120, refresh: 'both', hairpin: false, portControl: 'off', grantMaximumSeconds: 86_400,
    };
    await this.lab.setNat('flex', 'translator', { ...plain, ...options });
  }

  check(promise: string, holds: boolean, found: unknown): void {
    this.#checks.check(promise, holds, holds && process.env['VERBOSE'] === undefined ? '' : JSON.stringify(found));
  }
}
