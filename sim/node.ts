/**
 * One machine: a clock, a disk, an address, and as long as it has power the program on it (node-process.ts). It can lose power at
 * any step of storage, start again from its disk, sleep, move to another address and have its clock set. Its checker sees it
 * through node-watch.ts.
 */
import { createNetworkChecks } from '../src/main/engine/path/network-checks.ts';
import { createEngine } from '../src/main/engine/engine.ts';
import { identityPublicKey, isValidSecretKey } from '../src/main/engine/wire/identity.ts';
import { MachineClock } from './clock.ts';
import { Disk, type CrashStep } from './disk.ts';
import type { Endpoint } from './network.ts';
import type { NodeOptions, World } from './node-options.ts';
import { NodeProcess, type ProcessMachine } from './node-process.ts';
import { NodeWatch } from './node-watch.ts';
import type { SeededRandom } from './random.ts';
import type { CommandReply, EngineCommand } from '../src/main/engine/command-types.ts';
import type { Engine } from '../src/main/engine/engine-types.ts';
import type { MailResults } from '../src/main/engine/mail/mail-store.ts';
import type { VisorQuery, VisorQueryResults, VisorState } from '../src/main/engine/mail/visor-store.ts';
import type { SocketAddress } from '../src/main/engine/wire/types.ts';

/** The host's pause before it starts a new engine after a failed commit. */
const afterFailureMs = 500;

export class SimNode implements Endpoint {
  readonly name: string;
  readonly publicKey: string;
  readonly clock: MachineClock;
  readonly disk: Disk;
  readonly #options: NodeOptions;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #identitySecret: Uint8Array;
  readonly #watch: NodeWatch;
  readonly #machine: ProcessMachine;
  #process: NodeProcess | undefined;
  #asleepUntilMs = 0;
  #starts = 0;

  constructor(world: World, random: SeededRandom, options: NodeOptions) {
    this.#world = world;
    this.#random = random;
    this.#options = options;
    this.name = options.name;
    this.#identitySecret = drawSecret(random.fork('identity'));
    this.publicKey = identityPublicKey(this.#identitySecret);
    this.#watch = new NodeWatch(world, options, this.publicKey, (name) => this.disk.blobs['own-blobs'].bytesOf(name));
    this.clock = new MachineClock(world.queue, random.between(0, 1_000_000), options.wallErrorMs);
    this.disk = new Disk(world.queue, random.fork('disk'), world.crypto, {
      committed: (ask, result) => { this.#watch.committed(ask, result); },
      failed: (failure) => {
        this.#watch.line(`commit failed: ${failure.code}`);
        this.#endProcess();
        this.#startLater();
      },
      refused: (asks, failure) => {
        this.#watch.refused(asks, failure);
        this.#endProcess();
        this.#startLater();
      },
      blobDone: (shelf, request) => { this.#watch.blobDone(shelf, request); },
      crashStep: (step) => { this.crash(step); },
      asleepUntilMs: () => this.#asleepUntilMs,
    });
    this.#machine = {
      world, options, random, clock: this.clock, disk: this.disk, watch: this.#watch,
      isAsleep: () => this.#asleepUntilMs > world.queue.nowMs,
      ended: () => { this.#powerGone(); },
      broke: () => { this.#startLater(); },
    };
  }

  get engine(): Engine | undefined { return this.#process?.engine; }
  get isUp(): boolean { return this.engine !== undefined; }
  get isAwake(): boolean { return this.isUp && !this.#machine.isAsleep(); }
  /** Engines that were started. */
  get starts(): number { return this.#starts; }

  // --- power --------------------------------------------------------------------------------------------------------------

  start(): void {
    if (this.isUp) return;
    const { crypto } = this.#world;
    const { visor, relay, heldBytes } = this.#options;
    this.#starts += 1;
    this.clock.restarted(this.#random.between(0, 100_000));
    this.#watch.line('starts');
    const random = this.#random.fork(`engine ${String(this.#starts)}`);
    const now = this.clock.now();
    const state = this.disk.applyNow({ store: 'visor', request: { op: 'load' } }) as VisorState;
    const mail = relay ? this.disk.applyNow({ store: 'mail', request: { op: 'open', freshEpoch: random.bytes(8), wallMs: now.wallMs } }) as MailResults['open'] : undefined;
    const started = new NodeProcess(this.#machine);
    this.#process = started;
    started.start(() => createEngine({
      configuration: {
        crypto, random: random.bytes, identitySecret: this.#identitySecret, initialName: this.name, visor, relay: relay ? { registration: 'open', ...(heldBytes === undefined ? {} : { heldPerRecipientBytes: heldBytes }) } : undefined,
        ...(visor ? { createNetworkCheck: createNetworkChecks } : {}),
      },
      state, mail, blobs: { own: this.disk.blobs['own-blobs'].all, held: this.disk.blobs['held-blobs'].all }, now,
    }));
    if (started.engine !== undefined) this.#watch.screenOpened(started.engine);
  }

  /** Power is gone. */
  crash(step: CrashStep | 'now'): void {
    if (!this.isUp) return;
    this.#watch.line(`crashes (${step})`);
    this.#endProcess();
  }

  /** Says goodbye and waits for its disk. */
  stop(): void {
    if (!this.isUp) return;
    this.#watch.line('stops');
    this.#process?.stop();
    this.disk.flush();
    this.#endProcess();
  }

  #endProcess(): void { this.#process?.end(); }

  #startLater(): void { this.#world.queue.after(afterFailureMs, () => { this.start(); }); }

  #powerGone(): void {
    this.#asleepUntilMs = 0;
    this.disk.crash();
    this.#watch.outboxForgotten();
  }

  // --- what happens to it -------------------------------------------------------------------------------------------------

  moveTo(address: SocketAddress, isNoticed: boolean): void {
    this.#watch.line(`moves to ${address.host}:${String(address.port)}${isNoticed ? '' : ' without noticing'}`);
    this.#world.network.attach(this, address);
    if (isNoticed) this.#networkChanged();
  }

  #networkChanged(): void { if (this.isAwake) this.#process?.networkChanged(); }

  /** Handles nothing until then; on some systems the monotonic clock does not count either. */
  sleep(forMs: number, monotonicStops: boolean): void {
    const sleeping = this.#process;
    if (sleeping === undefined || !this.isAwake) return;
    this.#watch.line(`sleeps for ${(forMs / 1000).toFixed(1)} s`);
    const { queue } = this.#world;
    this.#asleepUntilMs = queue.nowMs + forMs;
    queue.at(this.#asleepUntilMs, () => {
      if (sleeping.engine === undefined) return;
      this.#watch.line('wakes');
      if (monotonicStops) this.clock.stoodStill(forMs);
      sleeping.forgetTimer();
      this.#networkChanged();
    });
  }

  jumpClock(byMs: number): void {
    this.#watch.line(`clock set by ${(byMs / 1000).toFixed(1)} s`);
    this.clock.jumpWall(byMs);
  }

  receive(from: SocketAddress, datagram: Uint8Array): void {
    if (this.isAwake) this.#process?.receive(from, datagram);
  }

  // --- what its owner and the checker do ----------------------------------------------------------------------------------

  /** `done` gets undefined when nobody answers: the machine is off or asleep, or its engine ends first. */
  command(command: EngineCommand, done: (reply: CommandReply | undefined) => void = () => undefined): void {
    if (this.#process === undefined || !this.isAwake) done(undefined);
    else this.#process.command(command, done);
  }

  query<Name extends VisorQuery['query']>(query: Extract<VisorQuery, { query: Name }>): VisorQueryResults[Name] { return this.disk.query(query); }

  lookAtOutbox(): void {
    if (this.isAwake) this.#process?.lookAtOutbox();
    else this.#watch.outboxForgotten();
  }

  lookAtMailboxes(): void { this.#watch.lookAtMailboxes(this.disk); }
  loseMailboxes(): void { this.#watch.mailboxesLost(); }
}

function drawSecret(random: SeededRandom): Uint8Array {
  let secret = random.bytes(32);
  while (!isValidSecretKey(secret)) secret = random.bytes(32);
  return secret;
}
