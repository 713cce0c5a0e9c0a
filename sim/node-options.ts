/** What a machine of the simulated world is made with: the world it stands in, as far as it sees it, and what kind of machine it is. */
import type { EventQueue } from './clock.ts';
import type { Checker } from './invariants.ts';
import type { Network } from './network.ts';
import type { Trace } from './trace.ts';
import type { Crypto } from '../src/main/engine/crypto.ts';
import type { MailboxQuota } from '../src/main/engine/mail/mail-store.ts';

export interface World {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly checker: Checker;
  readonly trace: Trace;
  readonly crypto: Crypto;
  resolve(host: string): readonly string[];
}

export interface NodeOptions {
  readonly name: string;
  readonly visor: boolean;
  readonly relay: boolean;
  readonly wallErrorMs: number;
  /** Smaller than the engine's own, so that full mailboxes happen. */
  readonly quota: MailboxQuota | undefined;
  /** As a relay: bytes of contents that it holds for each mailbox; undefined: as many as the engine does by itself. */
  readonly heldBytes?: number | undefined;
}
