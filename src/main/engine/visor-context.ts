/** What the cores of the visor role share: memory, commits, requests, keys. Made once by the engine; holds no rules of its own. */
import type { WaypostError } from '../../shared/errors.ts';
import type { Crypto, KeyPair, RandomBytes } from './crypto.ts';
import type { Directed } from './directed/types.ts';
import type { EngineChange } from './engine-types.ts';
import type { VisorMemory } from './mail/visor-memory.ts';
import type { VisorChange, VisorRequest, VisorResults } from './mail/visor-store.ts';
import type { UdpMemory } from './overlay/udp-memory.ts';
import type { Sessions } from './session/types.ts';
import type { ContentName, DeviceCertificate, Instant, PublicKeyHex } from './wire/types.ts';

export interface OwnDevice {
  readonly deviceId: string;
  readonly staticKeys: KeyPair;
  readonly ed25519Seed: Uint8Array;
  readonly certificate: DeviceCertificate;
}

export interface CommitOptions {
  readonly unlessSeen?: NonNullable<Extract<VisorRequest, { op: 'commit' }>['unlessSeen']>;
  /** Runs after the commit; `applied` is false only for a letter seen before. */
  readonly done?: (applied: boolean, now: Instant) => void;
  /** Told to the host after the commit. */
  readonly announce?: readonly EngineChange[];
}

export interface VisorContext {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  readonly identitySecret: Uint8Array;
  readonly publicKey: PublicKeyHex;
  readonly device: OwnDevice;
  readonly memory: VisorMemory;
  readonly sessions: Sessions;
  readonly directed: Directed;
  /** What is known of the network; undefined where the host carries nothing over TCP. */
  readonly udp: UdpMemory | undefined;
  commit(changes: readonly VisorChange[], options?: CommitOptions): void;
  facts(messageId: string, done: (result: VisorResults['facts'], now: Instant) => void): void;
  /** Whether a file that came long ago, and is not in memory any more, is this blob. */
  received(name: ContentName, done: (result: VisorResults['received'], now: Instant) => void): void;
  announce(...changes: readonly EngineChange[]): void;
  log(level: 'info' | 'warn', event: string, fields?: Readonly<Record<string, string | number>>): void;
  count(counter: string): void;
  /** Wall clock corrected by the median offset of at least two authenticated relays; else the own clock (architecture 12). */
  correctedWallMs(now: Instant): number;
}

export type CommandOutcome<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: WaypostError };
