/**
 * What the machine around the engine finds out for a check of the network: its own addresses, what the router says to port control, and whether a portal answers for
 * a relay. Everything is bounded in time, nothing throws, and what cannot be found out is not answered by a guess.
 *
 * The router is asked from the first check that wants it, and from then on the port stays open for the main socket until `stop`, which has it closed again.
 */
import { networkInterfaces } from 'node:os';
import { familyOf, isReachable } from '../engine/path/address-scope.ts';
import type { RandomBytes } from '../engine/crypto.ts';
import type { NetworkAnswer, NetworkRequest } from '../engine/path/observation-port.ts';
import type { PortControlResult } from '../engine/path/types.ts';
import type { SocketAddress } from '../engine/wire/types.ts';
import type { Clock } from './clock.ts';
import { askForPage } from './portal-page.ts';
import { PortControlHost, type PortControlHostOptions, type PortControlReport } from './port-control-host.ts';

/** A machine with more has them for its guests. */
const localHostsMaximum = 64;
/** PCP at 0, 250 and 750 ms and NAT-PMP with the last two, until the client reports that nobody answers. */
const portControlQuestions = 5;
/** The client reports after two seconds; finding the gateway takes some milliseconds. */
const portControlPatienceMs = 3_500;

type Interfaces = ReturnType<typeof networkInterfaces>;
type Answered = (answer: NetworkAnswer) => void;

/** Of the main socket: where it listens (`0.0.0.0` or `::` for everywhere). */
export interface MainSocket { readonly address: SocketAddress; readonly reachesIpv6: boolean }

/** What a driver needs of the machine; a simulated one has none. */
export interface HostNetwork {
  ask(request: NetworkRequest, main: MainSocket | undefined, answered: Answered): void;
  networkChanged(): void;
  /** Ends within some seconds. */
  stop(): Promise<void>;
}

export interface MachineNetworkOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: (level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>) => void;
  /** For tests. */
  readonly interfaces?: () => Interfaces;
  readonly findGateways?: NonNullable<PortControlHostOptions['findGateways']>;
  readonly askForPage?: typeof askForPage;
}

/** The addresses that datagrams of that socket may leave from. Pure. */
export function localHostsOf(interfaces: Interfaces, { address, reachesIpv6 }: MainSocket): readonly string[] {
  const isEverywhere = address.host === '0.0.0.0' || address.host === '::';
  const all = Object.values(interfaces).flatMap((addresses) => (addresses ?? []).filter(({ internal }) => !internal).map((one) => one.address));
  return [...new Set(all)].filter((host) => isReachable(host) && (isEverywhere ? reachesIpv6 || familyOf(host) === 'ipv4' : host === address.host)).slice(0, localHostsMaximum);
}

/** What a check makes of it; `pending`: nothing yet. */
export function portControlResult(report: PortControlReport): PortControlResult | 'not-asked' | 'pending' {
  switch (report.kind) {
    case 'mapped': return { outcome: 'mapped', protocol: report.method, external: report.external };
    case 'refused': return { outcome: 'refused' };
    case 'none': return { outcome: 'silent', timesSent: portControlQuestions };
    case 'not-checked': return 'not-asked';
    case 'idle': case 'checking': return 'pending';
  }
}

export class MachineNetwork implements HostNetwork {
  readonly #options: MachineNetworkOptions;
  readonly #portControl: PortControlHost;
  #mappedPort: number | undefined;
  #waiting: { readonly done: (result: PortControlResult | undefined) => void; readonly timer: NodeJS.Timeout }[] = [];
  #isStopped = false;

  constructor(options: MachineNetworkOptions) {
    this.#options = options;
    const { clock, random, log, findGateways } = options;
    this.#portControl = new PortControlHost({
      clock, random, ...(findGateways === undefined ? {} : { findGateways }),
      onChange: (report) => {
        log('info', 'port-control', { state: report.kind, ...(report.kind === 'mapped' ? { method: report.method, lifetimeSeconds: report.lifetimeSeconds } : {}) });
        this.#settle();
      },
    });
  }

  ask(request: NetworkRequest, main: MainSocket | undefined, answered: Answered): void {
    if (this.#isStopped) return;
    const { check } = request;
    switch (request.kind) {
      case 'interfaces': answered({ kind: 'interfaces', check, ...this.#facts(main) }); return;
      case 'port-control': this.#ask(request.port, (result) => { answered({ kind: 'port-control', check, result }); }); return;
      case 'tcp-probe': {
        const { protocol, to } = request;
        // Relays take no TCP.
        if (protocol === 'tcp') answered({ kind: 'tcp-probe', check, result: { protocol, to, outcome: 'failed' } });
        else void (this.#options.askForPage ?? askForPage)(to, this.#options.random).then((outcome) => { answered({ kind: 'tcp-probe', check, result: { protocol, to, outcome } }); });
        return;
      }
    }
  }

  networkChanged(): void {
    if (!this.#isStopped) void this.#portControl.networkChanged();
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const { timer } of this.#waiting.splice(0)) clearTimeout(timer);
    await this.#portControl.stop();
  }

  #facts(main: MainSocket | undefined): Pick<Extract<NetworkAnswer, { kind: 'interfaces' }>, 'localHosts' | 'mainPorts'> {
    if (main === undefined) return { localHosts: [], mainPorts: {} };
    const { host, port } = main.address;
    const speaksIpv4 = host === '::' || familyOf(host) === 'ipv4';
    const speaksIpv6 = main.reachesIpv6 && familyOf(host) === 'ipv6';
    const mainPorts = { ...(speaksIpv4 ? { ipv4: port } : {}), ...(speaksIpv6 ? { ipv6: port } : {}) };
    try {
      return { localHosts: localHostsOf((this.#options.interfaces ?? networkInterfaces)(), main), mainPorts };
    } catch {
      // Some sandboxes forbid looking.
      return { localHosts: [], mainPorts };
    }
  }

  #ask(port: number, done: (result: PortControlResult | undefined) => void): void {
    const wait = {
      done,
      timer: setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== wait);
        done(undefined);
      }, portControlPatienceMs),
    };
    this.#waiting.push(wait);
    // An open port is not asked for again; whether a router that refused or kept silent has changed its mind is.
    if (this.#mappedPort === port && this.#portControl.report.kind === 'mapped') {
      this.#settle();
      return;
    }
    this.#mappedPort = port;
    this.#portControl.start(port).then(() => { this.#settle(); }, () => undefined);
  }

  #settle(): void {
    const result = portControlResult(this.#portControl.report);
    if (result === 'pending') return;
    for (const { done, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      done(result === 'not-asked' ? undefined : result);
    }
  }
}
