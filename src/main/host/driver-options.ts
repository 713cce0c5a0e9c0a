/** What a driver (driver.ts) is made of, and whom it tells. */
import type { BlobOperation, BlobRequest, BlobResult } from '../engine/files/blob-store.ts';
import type { BlobShelfName, CreateEngine, EngineChange, EngineConfiguration } from '../engine/engine-types.ts';
import type { Clock } from './clock.ts';
import type { EngineStore } from './engine-store.ts';
import type { HostLan } from './lan-multicast.ts';
import type { HostNetwork } from './machine-network.ts';
import type { Resolver } from './resolver.ts';
import type { TcpCarrier } from './tcp/tcp-carrier.ts';

export interface DriverEvents {
  changed(changes: readonly EngineChange[]): void;
  /** A new engine took over (or none runs, with the failure): everything shown must be built anew. */
  replaced(): void;
  log(level: 'info' | 'warn', event: string, fields: Readonly<Record<string, string | number>>): void;
}

export interface DriverOptions {
  readonly createEngine: CreateEngine;
  readonly configuration: EngineConfiguration;
  readonly store: EngineStore;
  /** Large contents; whoever made it closes it, after the driver has stopped. */
  readonly blobs: Readonly<Record<BlobShelfName, BlobSubmitter>>;
  readonly clock: Clock;
  readonly listen: { readonly host: string | undefined; readonly port: number };
  /** Of a relay: port of a second socket, which answers for the first (0: the system chooses). Undefined: there is none. */
  readonly secondPort?: number | undefined;
  /** Carries datagrams over TCP; without it none are. */
  readonly tcp?: TcpCarrier | undefined;
  /** The operator vouches for the clock: letters may expire although the clock differs from the last run's (architecture 12). */
  readonly confirmClock: boolean;
  readonly events: DriverEvents;
  readonly resolver?: Resolver;
  /** Finds out for checks of the network what only the machine knows; without it that stays unknown. */
  readonly network?: HostNetwork;
  /** Reaches everybody in the local networks; without it nobody is looked for there. */
  readonly lan?: HostLan;
}

/** A blob store, as far as the engine asks for it. */
export interface BlobSubmitter {
  submit<Op extends BlobOperation>(request: Extract<BlobRequest, { op: Op }>, done: (result: BlobResult<Op>) => void): void;
  submit(request: BlobRequest, done: (result: BlobResult) => void): void;
}
