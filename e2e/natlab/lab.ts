/**
 * A laboratory as an object: what the command `natlab.ts` does, for programs that drive one themselves. One object for each name; nothing is kept in it, so that
 * several processes may work on the same laboratory. Every change is made under a lock and recorded when it is complete.
 *
 *     const lab = new Lab('bench');
 *     lab.guard();
 *     await lab.up('public server\npublic client\nrouter home translator mapping=port hosts=alice\n');
 *     await lab.emulate('client', { seed: 1, out: { delayMs: 50 }, in: { delayMs: 50, rateBitsPerSecond: 20e6, queueMs: 100 } });
 *     const child = lab.start('server', process.execPath, ['server.ts'], { stdio: 'inherit' });
 *     await lab.down();
 */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { addBridge, addNode, corePort, prefixLength, publicSegment, putAddresses, uplinkDevice } from './nodes.ts';
import { age, addCarrier, applyRules, makeRouter, rebind, setKind } from './routers.ts';
import { hostIpv6, publicIpv6 } from './ipv6.ts';
import { openPortal } from './portals.ts';
import { startGuard } from './guard.ts';
import { countsOf, setEmulation } from './links.ts';
import { createFolder, load, locked, nodeOf, Places, removeFolder, removeLock, routerOf, save } from './record.ts';
import { addNamespace, endProcesses, ip, namespaceFolder, namespacesWith, run } from './system.ts';
import { checkTopology, parseTopology, type RouterItem, type Topology } from './topology.ts';
import { misuse } from './usage-error.ts';
import { plainAddress, type Emulation, type HostNode, type LabNode, type LabState, type NatKind, type PublicNode, type RouterNode, type RouterOptions } from './model.ts';
import type { EmulatorCounts } from './emulator-files.ts';

export { extendPath, locateProgram, missingRequirements } from './requirements.ts';
export { UsageError } from './usage-error.ts';
export type { EmulatorCounts } from './emulator-files.ts';
export type { RouterItem, Topology } from './topology.ts';
export type { Emulation, LinkCounts, LinkSettings, NatKind, RouterOptions } from './model.ts';

/** The first host of a LAN; the gateway is 1. */
const firstHostNumber = 10;

export interface NodeStatus { readonly node: LabNode; readonly namespace: string; readonly counts: EmulatorCounts | undefined }

export class Lab {
  readonly #places: Places;

  /** @throws UsageError for a name that is none. */
  constructor(name: string) {
    this.#places = new Places(name);
  }

  /**
   * Builds it, from typed items or from their text; what there was of that name, whole or half-built, is taken down first.
   * @throws UsageError for a wrong topology, Error where the system refuses.
   */
  async up(description: string | Topology): Promise<void> {
    const topology = typeof description === 'string' ? parseTopology(description) : description;
    checkTopology(topology);
    await locked(this.#places, async () => {
      this.#remove();
      createFolder(this.#places);
      try {
        save(this.#places, await this.#build(topology));
      } catch (error) {
        this.#remove();
        throw error;
      }
    });
  }

  /** Ends the programs inside and removes it. There may be nothing to remove. */
  async down(): Promise<void> {
    await locked(this.#places, () => {
      this.#remove();
      removeLock(this.#places);
    });
  }

  /** From now on the laboratory is taken down when this process ends, however it ends. Returns what calls that off. */
  guard(): () => Promise<void> {
    return startGuard(this.#places.lab);
  }

  /** Runs a program inside of a host or router; it is the child itself that is signalled and whose exit code comes. @throws UsageError */
  start(host: string, command: string, words: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = '', ...rest] = this.commandLine(host, [command, ...words]);
    return spawn(program, rest, { ...options, env: { ...process.env, ...options.env, ...this.environmentOf(host) } });
  }

  /** What to run instead of `words` so that they run inside of `host`. @throws UsageError */
  commandLine(host: string, words: readonly string[]): readonly string[] {
    const namespace = this.#places.namespaceOf(host);
    if (!existsSync(path.join(namespaceFolder, namespace))) misuse(`no host '${host}' in lab '${this.#places.lab}'`);
    return ['ip', 'netns', 'exec', namespace, ...words];
  }

  /** What a program inside can know of where it is. */
  environmentOf(host: string): Record<string, string> {
    return { NATLAB: this.#places.lab, NATLAB_HOST: host };
  }

  /** Changes the kind of NAT. Earlier mappings are gone, running programs are not. `name` is a router or a host behind it. */
  async setNat(name: string, kind: NatKind, options: RouterOptions = {}): Promise<void> {
    await this.#change((state) => setKind(this.#places, state, routerOf(state, name), kind, options));
  }

  /** Forgets every mapping: each flow gets a different public port; with `address` the router moves to another public address. */
  async rebind(name: string, what: 'ports' | 'address' = 'ports'): Promise<void> {
    await this.#change((state) => rebind(this.#places, state, routerOf(state, name), what));
  }

  /** Puts the clock of a translator forward: mappings that this leaves without life are gone, and nobody had to wait. */
  async age(name: string, seconds: number): Promise<void> {
    await this.#change((state) => age(this.#places, state, routerOf(state, name), seconds));
  }

  /** Lets a host behind a captive portal out, as if it had accepted. */
  async openPortal(host: string): Promise<void> {
    await this.#change((state) => {
      const node = nodeOf(state, host);
      if (node.type === 'host') openPortal(this.#places, routerOf(state, host), node);
      else misuse(`'${host}' is not behind a router`);
    });
  }

  /** Pulls or plugs the cable of a node. With `admin` the interface itself goes down, so that sending fails with an error. */
  async setLink(name: string, link: 'up' | 'down', how: 'cable' | 'admin' = 'cable'): Promise<void> {
    await this.#change((state) => {
      const node = nodeOf(state, name);
      if (link === 'down' && how === 'admin') ip(this.#places.namespaceOf(name), [`link set ${uplinkDevice(node)} down`]);
      else ip(this.#places.core, [`link set ${corePort(node)} ${link}`]);
      if (link === 'up') putAddresses(this.#places, state, node);
      node.link = link;
    });
  }

  /** Emulates the uplink of a node, a router's for all its hosts; undefined ends it. Replaces what was emulated before. */
  async emulate(name: string, emulation: Emulation | undefined): Promise<void> {
    await this.#change((state) => setEmulation(this.#places, nodeOf(state, name), emulation));
  }

  /** Of the uplink. */
  addresses(name: string): readonly string[] {
    return nodeOf(load(this.#places), name).addresses.map(plainAddress);
  }

  /** Of the uplink; undefined for a node that speaks IPv4 only. */
  ipv6Address(name: string): string | undefined {
    const { ipv6 } = nodeOf(load(this.#places), name);
    return ipv6 === undefined ? undefined : plainAddress(ipv6.address);
  }

  /** Of the host's router, on the LAN: where PCP and NAT-PMP are answered. */
  gateway(host: string): string {
    return `${routerOf(load(this.#places), host).lan}.1`;
  }

  status(): readonly NodeStatus[] {
    return Object.values(load(this.#places).nodes).map((node) => ({ node, namespace: this.#places.namespaceOf(node.name), counts: countsOf(this.#places, node) }));
  }

  async #change(action: (state: LabState) => void | Promise<void>): Promise<void> {
    await locked(this.#places, async () => {
      const state = load(this.#places);
      await action(state);
      save(this.#places, state);
    });
  }

  #remove(): void {
    const namespaces = namespacesWith(this.#places.prefix);
    endProcesses(namespaces);
    for (const namespace of namespaces) run('ip', ['netns', 'del', namespace]);
    removeFolder(this.#places);
  }

  async #build(topology: Topology): Promise<LabState> {
    const places = this.#places;
    const state: LabState = { lab: places.lab, nextId: 1, nextNetwork: 1, nodes: {} };
    addNamespace(places.core);
    addBridge(places, publicSegment);
    const hasIpv6 = topology.routers.some(({ options }) => options.ipv6 !== undefined);
    for (const [index, name] of topology.publicHosts.entries()) addNode(places, state, publicNode(state, name, index + 1, hasIpv6));
    const routers = topology.routers.map((item) => this.#buildRouter(state, item));
    for (const router of routers) {
      if (router.kind === 'cgnat') await addCarrier(places, state, router);
      await applyRules(places, state, router);
    }
    // The first of them did not know the way to the last.
    if (hasIpv6) for (const node of Object.values(state.nodes)) if (node.ipv6 !== undefined) putAddresses(places, state, node);
    for (const { name, emulation } of topology.emulations ?? []) await setEmulation(places, nodeOf(state, name), emulation);
    return state;
  }

  #buildRouter(state: LabState, { name, kind, options, lan, behind, hosts }: RouterItem): RouterNode {
    const outer = behind === undefined ? undefined : routerOf(state, behind);
    const router = makeRouter(this.#places, state, { name, kind, options, lan, behind: outer });
    for (const [index, host] of hosts.entries()) {
      const number = firstHostNumber + index;
      const node: HostNode = {
        ...commonOf(state, host), type: 'host', router: name, segment: router.lanBridge,
        addresses: [`${router.lan}.${number}/${prefixLength.lan}`], gateway: `${router.lan}.1`,
        ipv6: router.ipv6 === undefined ? undefined : hostIpv6(router.network, number),
      };
      addNode(this.#places, state, node);
    }
    return router;
  }
}

function commonOf(state: LabState, name: string): Pick<PublicNode, 'name' | 'id' | 'gateway' | 'ipv6' | 'link' | 'emulation'> {
  const id = state.nextId;
  state.nextId += 1;
  return { name, id, gateway: undefined, ipv6: undefined, link: 'up', emulation: undefined };
}

/** Public hosts have two addresses, as a server that measures NATs needs. */
function publicNode(state: LabState, name: string, number: number, hasIpv6: boolean): PublicNode {
  const addresses = [`198.19.0.${number}/${prefixLength.public}`, `198.19.1.${number}/${prefixLength.public}`];
  return { ...commonOf(state, name), type: 'public', segment: publicSegment, addresses, ipv6: hasIpv6 ? publicIpv6(number) : undefined };
}
