/** All sessions of this side, and by what each is found: its number, the index in a datagram, the other side's device key or identity. */
import { toHex } from '../wire/bytes.ts';
import { sameAddress, type SocketAddress } from '../wire/types.ts';
import type { Link, TransportKeys } from './link.ts';
import type { SessionId } from './types.ts';

export class LinkTable {
  readonly links = new Map<SessionId, Link>();
  /** Links by the peer's static key: device for device, also for anonymous dialers, whose key is their own for one session. */
  readonly #byStatic = new Map<string, Link>();
  readonly #byIdentity = new Map<string, Link>();
  readonly #byIndex = new Map<number, { readonly link: Link; readonly keys: TransportKeys }>();
  /** Links that are dialled from here: few, where a relay has thousands of others. */
  readonly #dialled = new Set<Link>();

  readonly #withPaths = new Set<Link>();

  get dialled(): Iterable<Link> { return this.#dialled; }
  get withPaths(): Iterable<Link> { return this.#withPaths; }

  /** Asked for handshakes alone. */
  hasPathAt(address: SocketAddress): boolean {
    for (const { paths } of this.#withPaths) for (const path of paths?.paths ?? []) if (path.provedMs !== undefined && sameAddress(path.address, address)) return true;
    return false;
  }

  get sizes(): { readonly links: number; readonly indices: number; readonly statics: number; readonly identities: number; readonly dialled: number } {
    return { links: this.links.size, indices: this.#byIndex.size, statics: this.#byStatic.size, identities: this.#byIdentity.size, dialled: this.#dialled.size };
  }

  add(link: Link): void {
    this.links.set(link.id, link);
    if (link.dial !== undefined) this.#dialled.add(link);
    if (link.paths !== undefined) this.#withPaths.add(link);
  }

  remove(link: Link): void {
    this.links.delete(link.id);
    this.#dialled.delete(link);
    this.#withPaths.delete(link);
    this.unindexIdentity(link);
  }

  /** It is dialled from here from now on, whoever began it. */
  setDialled(link: Link): void { this.#dialled.add(link); }

  keysAt(index: number): { readonly link: Link; readonly keys: TransportKeys } | undefined { return this.#byIndex.get(index); }
  addKeys(link: Link, keys: TransportKeys): void { this.#byIndex.set(keys.localIndex, { link, keys }); }
  removeKeys(keys: TransportKeys): void { this.#byIndex.delete(keys.localIndex); }

  withIdentity(identity: string): Link | undefined { return this.#byIdentity.get(identity); }

  /** By device key; else one that is being dialled to that identity and has no session yet. */
  linkOf(remoteStatic: Uint8Array, identity: string | undefined): Link | undefined {
    const known = this.#byStatic.get(toHex(remoteStatic));
    if (known !== undefined || identity === undefined) return known;
    for (const link of this.#dialled) if (link.keys === undefined && link.dial?.identity === identity && !link.dial.anonymous) return link;
    return undefined;
  }

  /** One that is, or is to be, with this identity by certificate. */
  certifiedLinkWith(identity: string): Link | undefined {
    const known = this.#byIdentity.get(identity);
    if (known !== undefined) return known;
    for (const link of this.#dialled) if (link.dial?.identity === identity && !link.dial.anonymous) return link;
    return undefined;
  }

  dialledTo(address: SocketAddress, remoteIndex: number): Link | undefined {
    // By address too: indices are chosen by the other sides, and two of them may choose alike.
    for (const link of this.#dialled) if (link.keys?.remoteIndex === remoteIndex && sameAddress(link.address, address)) return link;
    return undefined;
  }

  *dialledAt(address: SocketAddress): Iterable<Link> {
    for (const link of this.#dialled) if (sameAddress(link.address, address)) yield link;
  }

  /**
   * Anonymous dials are in no index: a handshake of the other side's, which knows us by name, must not end in them.
   * @param replaced is told of the one that has the same device key, before this one takes its place
   */
  indexIdentity(link: Link, replaced: (other: Link) => void): void {
    if (link.dial?.anonymous === true) return;
    const other = this.#byStatic.get(toHex(link.remoteStatic));
    if (other !== undefined && other !== link) replaced(other);
    this.#byStatic.set(toHex(link.remoteStatic), link);
    if (link.remoteCertificate !== undefined) this.#byIdentity.set(link.remoteCertificate.identity, link);
  }

  unindexIdentity(link: Link): void {
    if (this.#byStatic.get(toHex(link.remoteStatic)) === link) this.#byStatic.delete(toHex(link.remoteStatic));
    const identity = link.remoteCertificate?.identity;
    if (identity !== undefined && this.#byIdentity.get(identity) === link) this.#byIdentity.delete(identity);
  }
}
