/**
 * Carrying for friends, as the process around a visor does it: while the person has agreed to it, and others can reach this computer, the relay beside the visor is open to the visor's
 * contacts, and they are told where it is.
 *
 * Whether it can be reached is what the check of the network says of the visor's own socket: no translation and no filter. That is not guessed: where it is not known yet nothing is offered, and what
 * was known once, also when Waypost ran last, counts until something else is known: when all relays are gone nobody can check. A person who has opened a port by hand names the address, and is believed.
 */
import path from 'node:path';
import { z } from 'zod';
import { createClient } from '../../shared/transport.ts';
import type { NetworkReport } from '../../shared/network-report.ts';
import { carriesNothing, type CarryingView } from '../../shared/relay-views.ts';
import type { View } from '../../shared/views.ts';
import type { RelayHint } from '../engine/wire/types.ts';
import { isReachable } from '../engine/path/address-scope.ts';
import { formatHostPort } from './api/presenter.ts';
import { readSmallFile, writeFileAtomically } from './atomic-file.ts';
import type { LocalRelay, OpenToFriends } from './local-relay.ts';
import type { VisorRuntime } from './visor-runtime.ts';

/** Contacts come in bursts, and the first look is at the first view. */
const gatherMs = 100;
/** How often the numbers are read. */
const countMs = 5_000;
/** Of each device of a friend: letters, their files, and what strangers and receipts get besides. With 64 friends of one device each that is three quarters of a gigabyte of disk at most. */
const lettersPerFriend = 256;
const bytesPerFriend = 4 * 1_048_576;
export const hourDefaultBytes = 256 * 1_048_576;
/** Datagrams are a kibibyte when there is something to say, and small when there is not. */
const bytesPerPacket = 512;

const reachedFileMaximumBytes = 1_024;
const reachedFileSchema = z.object({ host: z.string().max(64).refine(isReachable) });

export interface FriendCarrierOptions {
  readonly runtime: VisorRuntime;
  readonly relay: LocalRelay;
  /** Of the relay. */
  readonly directory: string;
  /** UDP port for friends; undefined: the one that the relay has. */
  readonly port?: number | undefined;
  /** Where others reach it, as the person says. */
  readonly announce?: { readonly host: string; readonly port: number } | undefined;
  /** That circuits carry in an hour. */
  readonly hourBytes?: number | undefined;
}

export type Reached = { readonly kind: 'at'; readonly host: string } | { readonly kind: 'nowhere' | 'unknown' };

/** Where others reach this computer as far as the report knows. */
export function reachedAt({ families, ipv6Inbound, candidates }: Pick<NetworkReport, 'families' | 'ipv6Inbound' | 'candidates'>): Reached {
  const { mapping, filtering, publicHosts } = families.ipv4;
  const [host] = publicHosts.state === 'known' ? publicHosts.value : [];
  if (mapping.state === 'known' && mapping.value === 'none' && filtering.state === 'known' && filtering.value === 'none' && host !== undefined && isReachable(host)) return { kind: 'at', host };
  const ipv6 = candidates.find((candidate) => candidate.kind === 'host' && candidate.family === 'ipv6' && isReachable(candidate.host));
  if (ipv6Inbound.state === 'known' && ipv6Inbound.value === 'open' && ipv6 !== undefined) return { kind: 'at', host: ipv6.host };
  const isKnown = mapping.state === 'known' && (mapping.value !== 'none' || filtering.state === 'known');
  return { kind: isKnown ? 'nowhere' : 'unknown' };
}

export class FriendCarrier {
  readonly #options: FriendCarrierOptions;
  readonly #opened: OpenToFriends;
  readonly #hourBytes: number;
  #host: string | undefined;
  #isHostKnown = false;
  #isHostRead = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;
  #counting: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();
  #view: CarryingView = carriesNothing;

  constructor(options: FriendCarrierOptions) {
    this.#options = options;
    this.#hourBytes = options.hourBytes ?? hourDefaultBytes;
    this.#opened = {
      port: options.port,
      policy: {
        mailbox: { letters: lettersPerFriend, bytes: bytesPerFriend }, heldPerRecipientBytes: bytesPerFriend,
        circuitsPerHour: { bytes: this.#hourBytes, packets: Math.ceil(this.#hourBytes / bytesPerPacket) },
      },
    };
  }

  start(): void {
    this.#options.runtime.pipe.listen('state.patch', () => { this.#soon(); });
    this.#counting = setInterval(() => { void this.#count(); }, countMs);
    this.#counting.unref();
    this.#soon();
  }

  /** The visor is about to end; friends are told nothing, for it may be back in a moment. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#counting);
    await this.#working;
  }

  /** When what was begun is done. */
  get idle(): Promise<void> { return this.#working; }

  /** The relay broke and runs again. */
  restarted(): void { this.#soon(); }

  #soon(): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#working = this.#working.then(() => this.#look()).catch(() => { this.#show({ ...this.#view, state: 'failed' }); });
    }, gatherMs);
  }

  async #look(): Promise<void> {
    if (this.#isStopped) return;
    const { view } = await createClient(this.#options.runtime.pipe).state.snapshot();
    await this.#learn(view);
    const { runtime, relay, announce } = this.#options;
    const isWanted = view.settings.carryForFriends && !view.settings.hideAddress;
    const host = announce?.host ?? this.#host;
    if (!isWanted || host === undefined) {
      // What is not known is not said: those who were told before keep it.
      if (!isWanted || this.#isHostKnown) await runtime.command({ name: 'carry', offer: undefined });
      if (relay.isOpen) await relay.open(undefined);
      this.#show({ ...carriesNothing, state: !isWanted ? 'off' : this.#isHostKnown ? 'unreachable' : 'checking' });
      return;
    }
    const { members } = await runtime.command({ name: 'carry-members' });
    relay.setMembers(members);
    const local = await relay.open(this.#opened);
    if (local === undefined) return;
    await this.#useIt(view, local);
    const hint: RelayHint = { publicKey: local.publicKey, host, port: announce?.port ?? local.port };
    await runtime.command({ name: 'carry', offer: { hint, quotaBytes: bytesPerFriend } });
    this.#show({ ...this.#view, state: 'on', address: formatHostPort(hint.host, hint.port), members: members.length, hourMaximumBytes: this.#hourBytes });
  }

  async #learn(view: View): Promise<void> {
    if (!this.#isHostRead) {
      this.#isHostRead = true;
      this.#host = await this.#remembered();
    }
    const found = view.network === undefined ? { kind: 'unknown' } as const : reachedAt(view.network.report);
    if (found.kind === 'unknown') return;
    this.#isHostKnown = true;
    const host = found.kind === 'at' ? found.host : undefined;
    if (host === this.#host || !view.settings.carryForFriends) { this.#host = host; return; }
    this.#host = host;
    await writeFileAtomically(this.#reachedFile, `${JSON.stringify({ host })}\n`).catch(() => undefined);
  }

  get #reachedFile(): string { return path.join(this.#options.directory, 'reached.json'); }

  async #remembered(): Promise<string | undefined> {
    try {
      return reachedFileSchema.parse(JSON.parse((await readSmallFile(this.#reachedFile, reachedFileMaximumBytes)) ?? '')).host;
    } catch {
      return undefined;
    }
  }

  /** Friends reach this visor by it, too. */
  async #useIt(view: View, local: RelayHint): Promise<void> {
    const known = view.relays.find(({ publicKey }) => publicKey === local.publicKey);
    if (known?.role === 'local' && known.address === formatHostPort(local.host, local.port)) return;
    await this.#options.runtime.command({ name: 'add-relay', hint: local, role: 'local' });
  }

  async #count(): Promise<void> {
    if (this.#isStopped || this.#view.state !== 'on') return;
    const counters = await this.#options.relay.counters().catch(() => undefined);
    if (counters === undefined) return;
    this.#show({ ...this.#view, letters: counters['mailbox.stored'] ?? 0, hourBytes: counters['circuit.hour.bytes'] ?? 0 });
  }

  #show(view: CarryingView): void {
    if (this.#isStopped || JSON.stringify(view) === JSON.stringify(this.#view)) return;
    this.#view = view;
    this.#options.runtime.setCarrying(view);
  }
}
