/**
 * Runs one engine on a real machine: its sockets (sockets.ts), one timer, one store. After every input it drains the engine's
 * outputs and arms the timer anew; it contains no rule of the protocol.
 *
 * Memory is never ahead of the disk: when a commit fails, the engine is thrown away with everything it has not said yet, and after a pause
 * a new one starts from what the store holds. Every engine has a generation number; answers to an older one are dropped.
 */
import { WaypostError } from '../../shared/errors.ts';
import type { BlobResult } from '../engine/files/blob-store.ts';
import type { Engine, EngineOutput } from '../engine/engine-types.ts';
import type { CommandName, CommandResults, EngineCommand } from '../engine/command-types.ts';
import type { EngineInspection } from '../engine/inspection-types.ts';
import type { EngineSocket } from '../engine/path/observation-port.ts';
import type { PublicKeyHex, SocketAddress } from '../engine/wire/types.ts';
import type { MailOperation, MailResults } from '../engine/mail/mail-store.ts';
import type { StoreFailure, VisorOperation, VisorResults } from '../engine/mail/visor-store.ts';
import type { LanFacts } from '../engine/path/lan-network.ts';
import type { DriverOptions } from './driver-options.ts';
import { storeError, toStoreFailure, type EngineStore, type StoreOutcome } from './engine-store.ts';
import { GatheredDatagrams } from './gathered-datagrams.ts';
import { networkKey, watchNetwork, type NetworkWatch } from './network-watch.ts';
import { Resolver } from './resolver.ts';
import { readStored } from './stored-state.ts';
import { Sockets } from './sockets.ts';
import { freeDatagram, type UdpSocket } from './udp.ts';
import { WaitingCommands } from './waiting-commands.ts';

/** After a failed commit: a full disk does not get room within milliseconds, and a person should not wait long once it has. */
const restartFirstMs = 500;
const restartMaximumMs = 30_000;
/** Node's timers overflow above 2^31-1 ms. */
const timerMaximumMs = 2_000_000_000;
/** Inputs are kept short so that a burst of datagrams cannot hold off the timer: libuv hands over at most 32 at a time by itself. */
const outputsMaximum = 100_000;

export class Driver {
  readonly #options: DriverOptions;
  readonly #resolver: Resolver;
  readonly #sockets: Sockets;
  #engine: Engine | undefined;
  #generation = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = 0;
  #watch: NetworkWatch | undefined;
  /** A new engine has not heard of them. */
  #lanFacts: LanFacts | undefined;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartDelayMs = restartFirstMs;
  #drainScheduled = false;
  readonly #gathered = new GatheredDatagrams(() => { this.#drain(); });
  #draining = false;
  #stopped = false;
  #failure: StoreFailure | undefined;
  #members: readonly PublicKeyHex[] | undefined;
  readonly #commands = new WaitingCommands();
  readonly #counters = { engineRestarts: 0, storeFailures: 0, networkChanges: 0, resolves: 0 };

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#resolver = options.resolver ?? new Resolver();
    this.#sockets = new Sockets({
      listen: options.listen,
      secondPort: options.secondPort,
      tcp: options.tcp,
      onDatagram: (socket, from, datagram) => { this.#receive(socket, from, datagram); },
      onReplaced: () => { this.networkChanged(); },
      onBound: (socket, port) => {
        this.#engine?.handleBound?.(socket, port, options.clock.now());
        // Not at once: a socket that is refused is told of while the engine is being drained.
        this.#scheduleDrain();
      },
      log: (level, event, fields) => { options.events.log(level, event, fields); },
    });
  }

  /** @throws WaypostError when the port is taken or the store does not open. */
  async start(): Promise<void> {
    await this.#sockets.open();
    try {
      await this.#openTcp();
    } catch (error) {
      await this.#sockets.close();
      throw error;
    }
    try {
      await this.#startEngine();
    } catch (error) {
      await this.#sockets.close();
      throw storeError(toStoreFailure(error));
    }
    this.#options.lan?.start({
      main: () => this.#sockets.main,
      facts: (facts) => {
        this.#lanFacts = facts;
        this.#engine?.handleLan?.(facts, this.#options.clock.now());
        this.#scheduleDrain();
      },
      datagram: (from, datagram) => {
        this.#engine?.handleAnnouncement?.(from, datagram, this.#options.clock.now());
        this.#drain();
      },
    });
    this.#watch = watchNetwork(this.#options.clock, (reason) => {
      this.#options.events.log('info', 'network-changed', { reason });
      this.networkChanged();
    });
  }

  get inspect(): EngineInspection | undefined { return this.#engine?.inspect; }
  /** Set while no engine runs because a commit failed. */
  get storageFailure(): StoreFailure | undefined { return this.#failure; }
  get socket(): UdpSocket | undefined { return this.#sockets.main; }
  /** Of a relay's second socket. */
  get secondPort(): number | undefined { return this.#sockets.secondPort; }
  get store(): EngineStore { return this.#options.store; }
  get counters(): Readonly<Record<string, number>> { return { ...this.#counters, ...this.#sockets.counters }; }

  /** @throws WaypostError with the engine's code, or the store's where the commit failed. */
  command<Name extends CommandName>(command: Extract<EngineCommand, { name: Name }>): Promise<CommandResults[Name]> {
    const engine = this.#engine;
    if (engine === undefined) return Promise.reject(this.#failure === undefined ? notRunning() : storeError(this.#failure));
    return this.#commands.wait(command, (ticket, given) => {
      engine.command(ticket, given, this.#options.clock.now());
      this.#drain();
    });
  }

  #receive(socket: EngineSocket, from: SocketAddress, datagram: Uint8Array): void {
    if (this.#engine === undefined) return;
    const use = this.#engine.handleDatagram(from, datagram, this.#options.clock.now(), socket);
    if (use === 'until-flush') {
      this.#gathered.add(datagram);
      return;
    }
    this.#drain();
    if (use === 'none') freeDatagram(datagram);
  }

  /** Of a relay for listed people; the list outlives the engine. */
  setMembers(members: readonly PublicKeyHex[]): void {
    this.#members = members;
    this.#engine?.setMembers?.(members, this.#options.clock.now());
    this.#drain();
  }

  /** Every path is unproven from now on; all that waits is tried. */
  networkChanged(): void {
    if (this.#engine === undefined) return;
    this.#counters.networkChanges += 1;
    this.#options.network?.networkChanged();
    this.#options.lan?.networkChanged();
    this.#options.tcp?.networkChanged();
    this.#engine.networkChanged(this.#options.clock.now(), networkKey());
    this.#drain();
  }

  /** Says goodbye to all sessions and waits for what is being committed. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#watch?.stop();
    clearTimeout(this.#restartTimer);
    this.#sockets.leaveAlone();
    const engine = this.#engine;
    if (engine !== undefined) {
      engine.stop(this.#options.clock.now());
      this.#drain();
    }
    clearTimeout(this.#timer);
    await Promise.all([this.#options.store.close(), this.#options.network?.stop(), this.#options.lan?.stop()]);
    this.#engine = undefined;
    this.#commands.rejectAll(notRunning());
    await this.#sockets.close();
  }

  async #openTcp(): Promise<void> {
    await this.#options.tcp?.open({
      datagram: (from, datagram) => { this.#receive('main', from, datagram); },
      lost: (address) => {
        this.#engine?.connectionLost?.(address, this.#options.clock.now());
        this.#drain();
      },
    });
  }

  async #startEngine(): Promise<void> {
    const { configuration, clock, createEngine } = this.#options;
    const stored = await readStored(this.#options);
    if (this.#stopped) return;
    this.#generation += 1;
    this.#engine = createEngine({ configuration, ...stored, secondPort: this.#sockets.secondPort, tcpPort: this.#options.tcp?.listenPort, network: networkKey(), now: clock.now() });
    this.#failure = undefined;
    if (this.#options.confirmClock) this.#engine.confirmClock(clock.now());
    if (this.#lanFacts !== undefined) this.#engine.handleLan?.(this.#lanFacts, clock.now());
    if (this.#members !== undefined) this.#engine.setMembers?.(this.#members, clock.now());
    this.#drain();
  }

  /** Results of one batch arrive in a row; draining after the last lets the engine act on them together (one signature per batch). */
  #scheduleDrain(): void {
    if (this.#drainScheduled) return;
    this.#drainScheduled = true;
    queueMicrotask(() => {
      this.#drainScheduled = false;
      this.#drain();
    });
  }

  #drain(): void {
    const engine = this.#engine;
    if (engine === undefined || this.#draining) return;
    this.#draining = true;
    try {
      for (let count = 0; count < outputsMaximum; count += 1) {
        const output = engine.pollOutput();
        if (output === undefined) {
          this.#gathered.free();
          break;
        }
        this.#perform(output);
      }
    } finally {
      this.#draining = false;
    }
    if (!this.#stopped) this.#armTimer(engine);
  }

  #armTimer(engine: Engine): void {
    const timeout = engine.pollTimeout();
    // A timer that is early finds out that nothing is due, which costs less than setting it anew for every datagram.
    if (timeout === undefined || (this.#timer !== undefined && this.#timerAtMs <= timeout.atMs)) return;
    clearTimeout(this.#timer);
    const nowMs = this.#options.clock.now().monotonicMs;
    this.#timerAtMs = Math.max(timeout.atMs, nowMs);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#engine !== engine) return;
      engine.handleTimeout(this.#options.clock.now());
      this.#drain();
    }, Math.min(timerMaximumMs, Math.ceil(this.#timerAtMs - nowMs)));
  }

  #perform(output: EngineOutput): void {
    const { events } = this.#options;
    switch (output.kind) {
      case 'transmit': if (this.#sockets.send(output.via ?? 'main', output.to, output.datagram)) this.#engine?.recycle(output.datagram); return;
      case 'bind': this.#sockets.bind(output.socket); return;
      case 'bind-guess': this.#sockets.bindGuess(output.socket, output.firstHops); return;
      case 'unbind': this.#sockets.unbind(output.socket); return;
      case 'announce': this.#options.lan?.announce(output.fromHost, output.datagram); return;
      case 'network': this.#performNetwork(output); return;
      case 'store': this.#performStore(output); return;
      case 'blobs': this.#performBlobs(output); return;
      case 'resolve': this.#resolve(output.ticket, output.host); return;
      case 'reply': this.#commands.replied(output.ticket, output.reply); return;
      case 'changed': events.changed(output.changes); return;
      case 'log': events.log(output.level, output.event, output.fields); return;
    }
  }

  #performNetwork({ request }: Extract<EngineOutput, { kind: 'network' }>): void {
    const generation = this.#generation;
    this.#options.network?.ask(request, this.#sockets.main, (answer) => {
      if (generation !== this.#generation) return;
      this.#engine?.handleNetwork?.(answer, this.#options.clock.now());
      this.#scheduleDrain();
    });
  }

  /** A failure of theirs is an answer like another: it ends no engine. */
  #performBlobs(output: Extract<EngineOutput, { kind: 'blobs' }>): void {
    const generation = this.#generation;
    this.#options.blobs[output.shelf].submit(output.request, (result: BlobResult) => {
      if (generation !== this.#generation) return;
      this.#engine?.handleStored(output.ticket, result, this.#options.clock.now());
      this.#scheduleDrain();
    });
  }

  #performStore(output: Extract<EngineOutput, { kind: 'store' }>): void {
    const generation = this.#generation;
    const done = (outcome: StoreOutcome<VisorResults[VisorOperation] | MailResults[MailOperation]>): void => {
      if (generation !== this.#generation) return;
      if (!outcome.ok) {
        this.#discardEngine(outcome.failure);
        return;
      }
      this.#restartDelayMs = restartFirstMs;
      this.#engine?.handleStored(output.ticket, outcome.result, this.#options.clock.now());
      this.#scheduleDrain();
    };
    if (output.store === 'visor') this.#options.store.submit('visor', output.request, done);
    else this.#options.store.submit('mail', output.request, done);
  }

  #resolve(ticket: number, host: string): void {
    const generation = this.#generation;
    this.#counters.resolves += 1;
    void this.#resolver.resolve(host, this.#sockets.main?.reachesIpv6 ?? false).then((addresses) => {
      if (generation !== this.#generation || this.#engine === undefined) return;
      this.#engine.handleResolved(ticket, addresses, this.#options.clock.now());
      this.#drain();
    });
  }

  #discardEngine(failure: StoreFailure): void {
    if (this.#stopped) return;
    this.#generation += 1;
    this.#engine = undefined;
    this.#sockets.unbindAll();
    this.#failure = failure;
    this.#counters.storeFailures += 1;
    clearTimeout(this.#timer);
    this.#commands.rejectAll(storeError(failure));
    this.#options.events.log('warn', 'storage-failed', { code: failure.code });
    this.#options.events.replaced();
    this.#restartLater();
  }

  #restartLater(): void {
    const delayMs = this.#restartDelayMs;
    this.#restartDelayMs = Math.min(restartMaximumMs, delayMs * 2);
    this.#restartTimer = setTimeout(() => {
      this.#startEngine().then(
        () => {
          if (this.#stopped) return;
          this.#counters.engineRestarts += 1;
          this.#options.events.log('info', 'engine-restarted', { afterMs: delayMs });
          this.#options.events.replaced();
        },
        (error: unknown) => {
          this.#failure = toStoreFailure(error);
          this.#restartLater();
        },
      );
    }, delayMs);
  }
}

function notRunning(): WaypostError {
  return new WaypostError('not-running', 'Waypost is not running: it is starting or stopping. Try again in a moment.');
}
