/**
 * Gives the client of port control (engine/path/port-control) a gateway, a socket and the clock, and hands out what comes of it. The socket is one of its own, bound to
 * the address that the gateway knows us by; the port that is mapped is that of the main socket. Of several gateways the best one of IPv4 is asked, before one of IPv6:
 * where there is translation a granted port matters most.
 *
 * UPnP IGD is not asked, and is reported as not checked.
 */
import { PortControl, type PortControlState } from '../engine/path/port-control/port-control.ts';
import { findGateways, type Gateway, type GatewayFinding } from './gateway.ts';
import { bindUdp, type UdpSocket } from './udp.ts';
import { toErrorView } from '../../shared/errors.ts';
import type { Clock } from './clock.ts';
import type { RandomBytes } from '../engine/crypto.ts';

export type PortControlReport = PortControlState | { readonly kind: 'not-checked'; readonly reason: string };

/** For reports, beside PCP and NAT-PMP. */
export const upnpReport: PortControlReport = { kind: 'not-checked', reason: 'This version does not ask routers by UPnP.' };

/** No timer of Node runs longer. */
const timerMaximumMs = 0x7fff_ffff;

export interface PortControlHostOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly onChange: (report: PortControlReport) => void;
  /** For tests. */
  readonly findGateways?: () => Promise<GatewayFinding>;
}

export class PortControlHost {
  readonly #options: PortControlHostOptions;
  #client: PortControl;
  #report: PortControlReport = { kind: 'idle' };
  #mainPort: number | undefined;
  #socket: { readonly udp: UdpSocket; readonly localAddress: string } | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** A look at the network that a later one has overtaken ends without effect. */
  #turn = 0;
  #whenIdle: (() => void) | undefined;

  constructor(options: PortControlHostOptions) {
    this.#options = options;
    this.#client = new PortControl(options);
  }

  get report(): PortControlReport { return this.#report; }

  /** Also when the main socket has another port. Never rejects: what cannot be done is reported. */
  async start(mainPort: number): Promise<void> {
    this.#mainPort = mainPort;
    await this.#look();
  }

  /** The machine slept, or interfaces, addresses or routes are others. */
  async networkChanged(): Promise<void> {
    if (this.#mainPort !== undefined) await this.#look();
  }

  /** The clock went on without the timers: what is due by now is done. */
  clockMoved(): void {
    this.#client.handleTimeout(this.#nowMs());
    this.#pump();
  }

  /** Deletes the mapping, and ends within a second whether that is answered or not. */
  async stop(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#mainPort = undefined;
    this.#client.stop(this.#nowMs());
    this.#pump();
    if (this.#socket !== undefined && !this.#client.isIdle) await new Promise<void>((resolve) => { this.#whenIdle = resolve; });
    // Started again meanwhile.
    if (turn !== this.#turn) return;
    await this.#closeSocket();
    this.#tell({ kind: 'idle' });
  }

  async #look(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#whenIdle?.();
    const finding = await (this.#options.findGateways ?? findGateways)();
    if (turn !== this.#turn) return;
    if (finding.state === 'not-checked') { await this.#giveUp(finding.reason); return; }
    const gateway = finding.gateways.find(({ family }) => family === 'ipv4') ?? finding.gateways[0];
    if (gateway === undefined) { await this.#giveUp('There is no default gateway that could be asked.'); return; }
    if (this.#socket?.localAddress !== gateway.localAddress) {
      await this.#closeSocket();
      if (turn !== this.#turn) return;
      const failure = await this.#bind(gateway, turn);
      if (turn !== this.#turn) return;
      if (failure !== undefined) { await this.#giveUp(failure); return; }
    }
    if (this.#mainPort === undefined) return;
    this.#client.start(gateway.address, gateway.localAddress, this.#mainPort, this.#nowMs());
    this.#pump();
  }

  /** Undefined: it is bound. */
  async #bind({ localAddress }: Gateway, turn: number): Promise<string | undefined> {
    try {
      const udp = await bindUdp({
        host: localAddress, port: 0,
        onDatagram: (from, datagram) => {
          this.#client.handleDatagram(from, datagram, this.#nowMs());
          this.#pump();
        },
        onBroken: (reason) => { if (this.#socket?.udp === udp) void this.#giveUp(`The socket towards the gateway broke (${reason}).`); },
      });
      if (turn === this.#turn) this.#socket = { udp, localAddress };
      else await udp.close();
      return undefined;
    } catch (error) {
      return `No socket could be opened towards the gateway (${toErrorView(error).code}).`;
    }
  }

  /** Without a way to the gateway there is nothing to delete by. */
  async #giveUp(reason: string): Promise<void> {
    this.#client = new PortControl(this.#options);
    this.#tell({ kind: 'not-checked', reason });
    this.#pump();
    await this.#closeSocket();
  }

  async #closeSocket(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    await socket?.udp.close();
  }

  #pump(): void {
    for (let next = this.#client.pollTransmit(); next !== undefined; next = this.#client.pollTransmit()) this.#socket?.udp.send(next.to, next.datagram);
    for (let state = this.#client.pollChange(); state !== undefined; state = this.#client.pollChange()) this.#tell(state);
    clearTimeout(this.#timer);
    const atMs = this.#client.pollTimeout();
    if (atMs !== undefined) this.#timer = setTimeout(() => { this.clockMoved(); }, Math.min(Math.max(0, Math.ceil(atMs - this.#nowMs())), timerMaximumMs));
    if (this.#client.isIdle) this.#whenIdle?.();
  }

  #tell(report: PortControlReport): void {
    if (report.kind === 'idle' && this.#report.kind === 'idle') return;
    this.#report = report;
    this.#options.onChange(report);
  }

  #nowMs(): number { return this.#options.clock.now().monotonicMs; }
}
