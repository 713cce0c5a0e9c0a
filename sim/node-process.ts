/**
 * The program running on a machine: one engine from its creation to its end, driven exactly as the real host drives it. Every input
 * is followed by draining the outputs and arming one timer; results and answers that arrive after the end are for nobody. A machine that
 * starts again gets a new process.
 */
import type { MachineClock } from './clock.ts';
import type { Disk, StoreAsk } from './disk.ts';
import type { NodeOptions, World } from './node-options.ts';
import type { NodeWatch } from './node-watch.ts';
import type { SeededRandom } from './random.ts';
import type { NetworkRequest } from '../src/main/engine/path/observation-port.ts';
import type { CommandReply, EngineCommand } from '../src/main/engine/command-types.ts';
import type { Engine, EngineOutput } from '../src/main/engine/engine-types.ts';
import type { Instant, SocketAddress } from '../src/main/engine/wire/types.ts';

/** How late a timer of the operating system may be. */
const timerLatenessMs = 3;
const outputsPerInputMaximum = 20_000;
const resolveMaximumMs = 200;
/** What comes so soon after a leaf of a file is handed over with it, as by a host that finds several datagrams at its socket. */
const turnMs = 0.5;
/** What stands in memory that was given back: whoever still looks at it finds that. */
const freedByte = 0xee;

/** What a process finds on the machine that it runs on. */
export interface ProcessMachine {
  readonly world: World;
  readonly options: NodeOptions;
  readonly random: SeededRandom;
  readonly clock: MachineClock;
  readonly disk: Disk;
  readonly watch: NodeWatch;
  isAsleep(): boolean;
  /** The process is over, whatever ended it. */
  ended(): void;
  /** It is over because its engine threw. */
  broke(): void;
}

export class NodeProcess {
  readonly #machine: ProcessMachine;
  readonly #commands = new Map<number, (reply: CommandReply | undefined) => void>();
  #engine: Engine | undefined;
  #nextTicket = 1;
  #armedForMs: number | undefined;
  /** Datagrams of which nothing is used any more once the engine has been drained. */
  readonly #gathered: Uint8Array[] = [];
  #isTurnEnding = false;

  constructor(machine: ProcessMachine) { this.#machine = machine; }

  /** Undefined once it is over. */
  get engine(): Engine | undefined { return this.#engine; }

  start(create: () => Engine): void {
    this.#guard('create', () => { this.#engine = create(); });
    this.#drain();
  }

  /** At once and without a word. */
  end(): void {
    this.#engine = undefined;
    this.#machine.ended();
    const waiting = [...this.#commands.values()];
    this.#commands.clear();
    for (const done of waiting) done(undefined);
  }

  // --- inputs -------------------------------------------------------------------------------------------------------------

  /** `done` gets undefined when the process ends before the answer. */
  command(command: EngineCommand, done: (reply: CommandReply | undefined) => void): void {
    const ticket = this.#nextTicket;
    this.#nextTicket += 1;
    this.#commands.set(ticket, done);
    this.#machine.watch.commandGiven(command);
    this.#input(`command ${command.name}`, (engine, now) => { engine.command(ticket, command, now); });
  }

  receive(from: SocketAddress, datagram: Uint8Array): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    const use = this.#guard('handleDatagram', () => engine.handleDatagram(from, datagram, this.#machine.clock.now()));
    if (use === 'none' || use === 'until-flush') this.#gathered.push(datagram);
    if (use === 'until-flush') this.#endTurnLater();
    else this.#drain();
  }

  networkChanged(): void { this.#input('networkChanged', (engine, now) => { engine.networkChanged(now); }); }

  /** After sleep the timer that was armed is no good: the clock it was reckoned by may have stood still. */
  forgetTimer(): void { this.#armedForMs = undefined; }

  /** Lets the engine say goodbye. */
  stop(): void { this.#input('stop', (engine, now) => { engine.stop(now); }); }

  lookAtOutbox(): void {
    const engine = this.#engine;
    if (engine !== undefined) this.#guard('inspect', () => { this.#machine.watch.lookAtOutbox(engine); });
  }

  #input(call: string, hand: (engine: Engine, now: Instant) => void): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#guard(call, () => { hand(engine, this.#machine.clock.now()); });
    this.#drain();
  }

  /** Undefined when the engine threw, which ends it. */
  #guard<Result>(call: string, run: () => Result): Result | undefined {
    try {
      return run();
    } catch (error) {
      this.#machine.watch.threw(call, error);
      this.end();
      this.#machine.broke();
      return undefined;
    }
  }

  // --- outputs ------------------------------------------------------------------------------------------------------------

  /** What only a machine knows. There is no router that opens ports, and nothing but UDP. */
  #findOut(request: NetworkRequest): void {
    const address = this.#machine.world.network.addressOf(this.#machine.options.name);
    if (request.kind !== 'interfaces' || address === undefined) return;
    this.#machine.world.queue.after(0, () => {
      this.#input('handleNetwork interfaces', (engine, now) => { engine.handleNetwork?.({ kind: 'interfaces', check: request.check, localHosts: [address.host], mainPorts: { ipv4: address.port } }, now); });
    });
  }

  #endTurnLater(): void {
    if (this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    this.#machine.world.queue.after(turnMs, () => {
      this.#isTurnEnding = false;
      // A machine that fell asleep meanwhile goes on with the first thing that it is given.
      if (!this.#machine.isAsleep()) this.#drain();
    });
  }

  #drain(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#guard('pollOutput', () => {
      let count = 0;
      for (let output = engine.pollOutput(); output !== undefined && this.#engine !== undefined; output = engine.pollOutput()) {
        this.#perform(output);
        count += 1;
        if (count > outputsPerInputMaximum) {
          this.#machine.watch.spins(`more than ${String(outputsPerInputMaximum)} outputs for one input, now ${output.kind}`);
          this.end();
          return;
        }
      }
      for (const datagram of this.#gathered) datagram.fill(freedByte);
      this.#gathered.length = 0;
    });
    this.#arm();
  }

  #perform(output: EngineOutput): void {
    const { world, options, watch } = this.#machine;
    switch (output.kind) {
      case 'transmit': world.network.send(options.name, output.to, output.datagram); return;
      case 'store': this.#store(output); return;
      case 'blobs':
        this.#machine.disk.submitBlob(output.shelf, output.request, (result) => {
          this.#input(`handleStored ${output.request.op}`, (engine, now) => { engine.handleStored(output.ticket, result, now); });
        });
        return;
      case 'network': this.#findOut(output.request); return;
      case 'resolve':
        world.queue.after(this.#machine.random.between(1, resolveMaximumMs), () => {
          this.#input('handleResolved', (engine, now) => { engine.handleResolved(output.ticket, world.resolve(output.host), now); });
        });
        return;
      case 'reply': {
        const done = this.#commands.get(output.ticket);
        this.#commands.delete(output.ticket);
        if (!output.reply.ok) watch.line(`refuses: ${output.reply.code}`);
        done?.(output.reply);
        return;
      }
      // Checks of the network are not made here: they ask for no sockets.
      // Nobody has said which local networks there are, so nobody is looked for in them.
      case 'bind': case 'bind-guess': case 'unbind': case 'announce': return;
      case 'changed': if (this.#engine !== undefined) watch.changed(this.#engine, output.changes); return;
      case 'log': watch.line(`log ${output.event} ${JSON.stringify(output.fields)}`); return;
    }
  }

  #store(output: Extract<EngineOutput, { kind: 'store' }>): void {
    const ask: StoreAsk = output.store === 'visor' ? { store: 'visor', request: output.request } : { store: 'mail', request: this.#withQuota(output.request) };
    this.#machine.disk.submit(ask, (result) => {
      this.#input(`handleStored ${ask.request.op}`, (engine, now) => { engine.handleStored(output.ticket, result, now); });
    });
  }

  #withQuota(request: Extract<StoreAsk, { store: 'mail' }>['request']): Extract<StoreAsk, { store: 'mail' }>['request'] {
    const { quota } = this.#machine.options;
    return quota !== undefined && (request.op === 'deposit' || request.op === 'check-deposit')
      ? { ...request, quota: { ...quota, strangerLetters: Math.min(quota.strangerLetters, request.quota.strangerLetters) } } : request;
  }

  // --- the timer ----------------------------------------------------------------------------------------------------------

  #arm(): void {
    const engine = this.#engine;
    const timeout = engine?.pollTimeout();
    if (engine === undefined || timeout === undefined) return;
    const { world: { queue }, clock, random } = this.#machine;
    const atMs = Math.max(queue.nowMs, clock.worldMsOf(timeout.atMs));
    // An earlier timer looks again when it fires.
    if (this.#armedForMs !== undefined && this.#armedForMs <= atMs) return;
    this.#armedForMs = atMs;
    queue.at(atMs + random.between(0.05, timerLatenessMs), () => {
      if (this.#engine === undefined || this.#armedForMs !== atMs) return;
      this.#armedForMs = undefined;
      if (!this.#machine.isAsleep()) this.#timerFired(engine);
    });
  }

  #timerFired(engine: Engine): void {
    const { world: { queue }, clock, watch } = this.#machine;
    const due = engine.pollTimeout();
    if (due === undefined || clock.worldMsOf(due.atMs) > queue.nowMs) { this.#arm(); return; }
    if (watch.timeoutIsPlausible(due.reason)) this.#input('handleTimeout', (running, now) => { running.handleTimeout(now); });
    else this.end();
  }
}
