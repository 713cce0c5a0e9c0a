/** The transport keys of links: which set is current when a handshake has yielded new ones, and how long the one before is still read. */
import { toHex } from '../wire/bytes.ts';
import { overlapMs } from './constants.ts';
import { viewOf, type Link, type Pending, type TransportKeys } from './link.ts';
import type { Instant } from '../wire/types.ts';
import type { LinkTable } from './link-table.ts';
import type { SessionTable } from './sessions.ts';

export class KeySets {
  readonly #sessions: SessionTable;
  readonly #table: LinkTable;
  /** Lower wins where both sides dialled at once. */
  readonly #ownIdentity: string;
  readonly #revived: (link: Link, now: Instant) => void;
  #established = 0;

  /** @param revived something new is known of the link: it is not silent any more. */
  constructor(sessions: SessionTable, table: LinkTable, ownIdentity: string, revived: (link: Link, now: Instant) => void) {
    this.#sessions = sessions;
    this.#table = table;
    this.#ownIdentity = ownIdentity;
    this.#revived = revived;
  }

  /** Links with keys. */
  get establishedCount(): number { return this.#established; }

  /**
   * New transport keys for a link: current from now on, the old ones still read for a while. When both sides dialled at once, both sets exist on
   * both sides: the one initiated by the lower identity key stays current, on either side by the same rule, so one session remains.
   */
  install(link: Link, keys: TransportKeys, peer: Pick<Pending, 'certificate' | 'remoteStatic' | 'capabilities' | 'bootId'>, now: Instant): void {
    const before = link.keys;
    // Forgotten counts as restarted although the boot id is the same: whatever was bound to the old session there has gone with it.
    const restarted = link.announced && (link.forgotten || toHex(link.remoteBootId) !== toHex(peer.bootId));
    link.forgotten = false;
    this.#table.unindexIdentity(link);
    // A handshake without certificate under the same device key does not take the identity away.
    if (peer.certificate !== undefined || toHex(peer.remoteStatic) !== toHex(link.remoteStatic)) link.remoteCertificate = peer.certificate;
    link.remoteStatic = peer.remoteStatic;
    link.remoteCapabilities = peer.capabilities;
    link.remoteBootId = peer.bootId;
    this.#table.indexIdentity(link, (other) => { this.#sessions.end(other, 'replaced'); });
    this.#table.addKeys(link, keys);
    if (before !== undefined && !restarted && this.#staysCurrent(link, before, keys, now)) {
      this.#keepPrevious(link, keys, now);
      return;
    }
    if (before !== undefined) this.#keepPrevious(link, before, now);
    link.keys = keys;
    if (before === undefined) this.#established += 1;
    // The other side may have come back at another port.
    if (restarted) for (const path of link.paths?.paths ?? []) path.isShaken = true;
    if (restarted) { link.roundTripsMs = undefined; link.smoothedRoundTripMs = undefined; }
    const wasSilent = link.silent;
    this.#revived(link, now);
    if (!link.announced || (wasSilent && !restarted)) { link.announced = true; this.#sessions.output({ kind: 'established', session: viewOf(link) }); }
    else if (restarted) this.#sessions.output({ kind: 'restarted', session: viewOf(link) });
  }

  /** When their time is over. */
  dropPrevious(link: Link, now: Instant): void {
    if (link.previous === undefined) return;
    // As long as nothing came under the new keys, the other side may have none but the old ones.
    if (link.keys?.confirmed === false && link.previous.untilMs <= now.monotonicMs) link.previous = { keys: link.previous.keys, untilMs: now.monotonicMs + overlapMs };
    if (link.previous.untilMs > now.monotonicMs) { this.#sessions.arm(link, link.previous.untilMs); return; }
    this.#retire(link.previous.keys);
    link.previous = undefined;
  }

  /** Of a link that has ended. */
  forget(link: Link): void {
    this.#retire(link.keys);
    this.#retire(link.previous?.keys);
    if (link.keys !== undefined) this.#established -= 1;
  }

  #staysCurrent(link: Link, current: TransportKeys, fresh: TransportKeys, now: Instant): boolean {
    const theirs = link.remoteCertificate?.identity;
    if (theirs === undefined || current.initiator === fresh.initiator || now.monotonicMs - current.establishedMs > overlapMs || link.silent) return false;
    const oursIsLower = this.#ownIdentity < theirs;
    return current.initiator === oursIsLower;
  }

  #keepPrevious(link: Link, keys: TransportKeys, now: Instant): void {
    this.#retire(link.previous?.keys);
    link.previous = { keys, untilMs: now.monotonicMs + overlapMs };
    this.#sessions.arm(link, link.previous.untilMs);
  }

  #retire(keys: TransportKeys | undefined): void {
    if (keys === undefined) return;
    this.#table.removeKeys(keys);
    keys.send.destroy();
    keys.receive.destroy();
  }
}
