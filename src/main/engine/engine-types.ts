/** The surface of the whole engine: what a host (or the simulated world) hands in, and what it gets back. */
import type { CreatePeerSessions } from './overlay/peer-sessions.ts';
import type { Crypto, RandomBytes } from './crypto.ts';
import type { MemoryUse } from './directed/types.ts';
import type { BlobInfo, BlobRequest, BlobResult } from './files/blob-store.ts';
import type { MailOperation, MailRequest, MailResults } from './mail/mail-store.ts';
import type { VisorOperation, VisorRequest, VisorResults, VisorState } from './mail/visor-store.ts';
import type { CreateNetworkCheck, EngineSocket, NetworkAnswer, NetworkRequest, SpareSocket } from './path/observation-port.ts';
import type { LanFacts } from './path/lan-network.ts';
import type { GuessSocket, Instant, PublicKeyHex, RelayHint, SocketAddress } from './wire/types.ts';
import type { CommandReply, EngineCommand } from './command-types.ts';
import type { EngineInspection } from './inspection-types.ts';

export interface RelayPolicy {
  /** Who may register a mailbox: anyone, or the listed identities (hex). */
  readonly registration: 'open' | { readonly list: readonly PublicKeyHex[] };
  /** Bytes of files that are held for one recipient; undefined: `fileHeldMaximumBytes` (shared/file-views.ts). */
  readonly heldPerRecipientBytes?: number;
  /** Relays that are asked for records that are not here (engine/directory); at most 8 are. */
  readonly peers?: readonly RelayHint[];
  /** Of letters in one mailbox; undefined: as much as a relay for everybody holds. */
  readonly mailbox?: { readonly letters: number; readonly bytes: number };
  /** That all circuits together may carry; undefined: each as much as it may. */
  readonly circuitsPerHour?: HourlyCircuits;
}

export interface HourlyCircuits { readonly packets: number; readonly bytes: number }

export interface EngineConfiguration {
  readonly crypto: Crypto;
  readonly random: RandomBytes;
  /** 32 bytes; the host keeps it in the vault and hands it over for the life of the engine. */
  readonly identitySecret: Uint8Array;
  /** Shown in introductions when the store has no name yet. */
  readonly initialName: string;
  /** Sends, receives and shows mail. False for a dedicated relay. */
  readonly visor: boolean;
  /** Carries mail for others. */
  readonly relay: RelayPolicy | undefined;
  /** The host carries datagrams over TCP: `tcp/...` addresses mean something to it (wire/tcp-address.ts). */
  readonly carriesTcp?: boolean;
  /** Of a visor: what finds out about the network that it is in. */
  readonly createNetworkCheck?: CreateNetworkCheck;
  /** Of a visor: sessions with contacts themselves. */
  readonly createPeerSessions?: CreatePeerSessions;
}

/** What changed, by name; the host builds views from `inspect` and the store's queries. */
export type EngineChange =
  | { readonly kind: 'message'; readonly messageId: string; readonly conversationId: string }
  | { readonly kind: 'conversation'; readonly conversationId: string }
  | { readonly kind: 'outbox'; readonly messageId: string }
  | { readonly kind: 'outbox-removed'; readonly messageId: string }
  | { readonly kind: 'relay'; readonly publicKey: PublicKeyHex }
  | { readonly kind: 'relay-removed'; readonly publicKey: PublicKeyHex }
  | { readonly kind: 'connection' } | { readonly kind: 'identity' } | { readonly kind: 'settings' } | { readonly kind: 'notices' } | { readonly kind: 'network' };

/** Files of one's own, and contents that are held for others: kept apart, so that forgetting one never takes the other. */
export type BlobShelfName = 'own-blobs' | 'held-blobs';

export type EngineOutput =
  /** Without `via`: from the main socket. */
  | { readonly kind: 'transmit'; readonly to: SocketAddress; readonly datagram: Uint8Array; readonly via?: EngineSocket }
  | { readonly kind: 'store'; readonly ticket: number; readonly store: 'visor'; readonly request: VisorRequest }
  | { readonly kind: 'store'; readonly ticket: number; readonly store: 'mail'; readonly request: MailRequest }
  /** Unlike the other two it may fail, with an answer that says so. */
  | { readonly kind: 'blobs'; readonly ticket: number; readonly shelf: BlobShelfName; readonly request: BlobRequest }
  /** Resolve a host name to literal addresses; answer with `handleResolved`. Literal addresses never come here. */
  | { readonly kind: 'resolve'; readonly ticket: number; readonly host: string }
  /** Another socket, at a port that the system chooses: answer with `handleBound`. At most 16 at once, and no name twice. */
  | { readonly kind: 'bind'; readonly socket: SpareSocket }
  /** Of IPv4, to guess ports with: at most 512 at once, answered alike. The first datagram goes `firstHops` hops far and no farther, all others as far as ever. */
  | { readonly kind: 'bind-guess'; readonly socket: GuessSocket; readonly firstHops: number }
  | { readonly kind: 'unbind'; readonly socket: SpareSocket | GuessSocket }
  /** To everybody in the local network that the interface with that address is in. */
  | { readonly kind: 'announce'; readonly fromHost: string; readonly datagram: Uint8Array }
  /** Find out what only the machine knows; answer with `handleNetwork`, or not at all. */
  | { readonly kind: 'network'; readonly request: NetworkRequest }
  | { readonly kind: 'reply'; readonly ticket: number; readonly reply: CommandReply }
  | { readonly kind: 'changed'; readonly changes: readonly EngineChange[] }
  /** For the ring log: a stable event name and non-secret fields (ids shortened). */
  | { readonly kind: 'log'; readonly level: 'info' | 'warn'; readonly event: string; readonly fields: Readonly<Record<string, string | number>> };

/**
 * Drive it: after every input call `pollOutput` until undefined, then arm one timer for `pollTimeout`. Store requests must be applied in
 * order, each answered by `handleStored` after its commit. When a commit fails the host discards the engine and starts a new one
 * from the store: memory is never ahead of the disk.
 */
export interface Engine {
  /**
   * Takes the datagram over: its bytes are changed. Says what is still used of its memory; `until-flush` means until `pollOutput` has returned undefined, and that the
   * host had better hand over the other datagrams that are there before it calls that: they are worked on together.
   * `socket`: where it came to; without it, the main one.
   */
  handleDatagram(from: SocketAddress, datagram: Uint8Array, now: Instant, socket?: EngineSocket): MemoryUse;
  /** A transmitted datagram has gone out, and its memory may be used again. A host that does not say so costs memory and nothing else. */
  recycle(datagram: Uint8Array): void;
  handleStored(ticket: number, result: VisorResults[VisorOperation] | MailResults[MailOperation] | BlobResult, now: Instant): void;
  handleResolved(ticket: number, hosts: readonly string[], now: Instant): void;
  /** A spare socket is bound to that local port, or (undefined) could not be or broke. Of a relay's second one: it broke, or there is one again. A host without such sockets answers nothing. */
  handleBound?(socket: Exclude<EngineSocket, 'main'>, port: number | undefined, now: Instant): void;
  handleNetwork?(answer: NetworkAnswer, now: Instant): void;
  /** The local networks that the machine is in, at the start and whenever they may be others. A host that never says finds nobody in them. */
  handleLan?(facts: LanFacts, now: Instant): void;
  /** Somebody said that to everybody in a local network. */
  handleAnnouncement?(from: SocketAddress, datagram: Uint8Array, now: Instant): void;
  /** A connection that was made from here has ended, or could not be made although one had been. */
  connectionLost?(address: SocketAddress, now: Instant): void;
  handleTimeout(now: Instant): void;
  /** @param network tells this network from others */
  networkChanged(now: Instant, network?: string): void;
  command(ticket: number, command: EngineCommand, now: Instant): void;
  /** Relay role: the operator vouches for the wall clock; expiry goes on. */
  confirmClock(now: Instant): void;
  /** Relay role with a list of those who may have a mailbox: another list from now on. Whoever is on it no longer is heard no longer. */
  setMembers?(members: readonly PublicKeyHex[], now: Instant): void;
  pollOutput(): EngineOutput | undefined;
  pollTimeout(): { readonly atMs: number; readonly reason: string } | undefined;
  readonly inspect: EngineInspection;
  /** Says goodbye to all sessions (a clean stop); durability never depends on it. */
  stop(now: Instant): void;
}

/** `state` is the result of the visor store's `load`, `mail` that of the mail store's `open` where there is a relay role. */
export interface StartArguments {
  readonly configuration: EngineConfiguration;
  readonly state: VisorState;
  readonly mail: MailResults['open'] | undefined;
  /** What the blob stores have. */
  readonly blobs: { readonly own: readonly BlobInfo[]; readonly held: readonly BlobInfo[] };
  /** Of a relay: the port of its second socket, which answers for the first one (engine/path). Undefined: it has none. */
  readonly secondPort?: number | undefined;
  /** Of a relay: the port at which it takes TCP. Undefined: it takes none. */
  readonly tcpPort?: number | undefined;
  /** Tells this network from others. */
  readonly network?: string | undefined;
  readonly now: Instant;
}
export type CreateEngine = (start: StartArguments) => Engine;
