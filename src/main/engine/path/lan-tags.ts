/**
 * The words by which two contacts know each other in a local network, and nobody else does.
 *
 * Both compute one secret from their device keys. A *tag* is made of it, of a quarter of an hour, and of who says it to whom: nobody else can make it, tell one from a random
 * number, or link two quarters. What we say ourselves is not what we listen for, so that our own words coming back are nothing. A *proof* binds a tag to the datagram that it
 * is in and to the address that it speaks for: copied into another datagram, or sent on from another address, it is nothing. Only tags are looked for in every datagram, in
 * a table; a proof is computed where a tag was found.
 */
import type { Crypto, KeyPair } from '../crypto.ts';
import { equalBytes, toHex, utf8Encode, Writer } from '../wire/bytes.ts';
import { lanProofBytes, lanTagBytes, lanKinds, type LanEntry, type LanKind } from '../wire/lan-announcement.ts';
import { hostToBytes } from '../wire/socket-address.ts';
import type { PublicKeyHex } from '../wire/types.ts';

/** Long enough for clocks that differ a little, and short enough that nobody is followed by it for a day. */
export const lanEpochMs = 900_000;
/** Clocks may differ by a quarter of an hour. */
const epochsAround = [-1, 0, 1] as const;
const secretLabel = utf8Encode('waypost lan discovery v1');
const tagLabel = 1;
const proofLabel = 2;
const hostBytesMaximum = 16;

export interface LanContact { readonly publicKey: PublicKeyHex; /** X25519, 32 bytes. */ readonly deviceKey: Uint8Array }

/** What a proof stands for, beside its tag. `host`: the address that it speaks for, a literal; a zone counts for nothing. */
export interface LanClaim { readonly kind: LanKind; readonly nonce: Uint8Array; readonly port: number; readonly host: string | undefined }

interface Known extends LanContact { readonly secret: Uint8Array }

export class LanTags {
  readonly #crypto: Crypto;
  #own: KeyPair | undefined;
  #known = new Map<PublicKeyHex, Known>();
  /** By the first bytes of a tag, which are random. */
  #listened = new Map<number, { readonly tag: Uint8Array; readonly known: Known }>();
  #epoch = Number.NaN;

  constructor(crypto: Crypto) { this.#crypto = crypto; }

  /** Who can be found. */
  get contacts(): Iterable<PublicKeyHex> { return this.#known.keys(); }

  /** Cheap when nothing has changed: keys are agreed on once, and tags made once in a quarter of an hour. Returns those who are new. */
  update(own: KeyPair, contacts: Iterable<LanContact>, wallMs: number): readonly PublicKeyHex[] {
    const isOther = this.#own === undefined || toHex(this.#own.publicKey) !== toHex(own.publicKey);
    this.#own = own;
    const before = this.#known;
    const known = new Map<PublicKeyHex, Known>();
    const added: PublicKeyHex[] = [];
    for (const contact of contacts) {
      const same = before.get(contact.publicKey);
      if (!isOther && same !== undefined && toHex(same.deviceKey) === toHex(contact.deviceKey)) { known.set(contact.publicKey, same); continue; }
      const shared = this.#crypto.x25519(own.secretKey, contact.deviceKey);
      if (shared === undefined) continue;
      known.set(contact.publicKey, { ...contact, secret: this.#crypto.hmacSha256(shared, secretLabel) });
      added.push(contact.publicKey);
    }
    const epoch = epochOf(wallMs);
    if (!isOther && added.length === 0 && known.size === before.size && epoch === this.#epoch) return added;
    this.#known = known;
    this.#epoch = epoch;
    this.#listened = new Map();
    for (const one of known.values()) {
      for (const around of epochsAround) {
        const tag = this.#tag(one.secret, epoch + around, one.deviceKey, own.publicKey);
        this.#listened.set(firstOf(tag), { tag, known: one });
      }
    }
    return added;
  }

  /** What we say to them. Undefined: they cannot be found. */
  entry(publicKey: PublicKeyHex, claim: LanClaim): LanEntry | undefined {
    const known = this.#known.get(publicKey);
    if (known === undefined || this.#own === undefined) return undefined;
    const tag = this.#tag(known.secret, this.#epoch, this.#own.publicKey, known.deviceKey);
    return { tag, proof: this.#proof(known.secret, tag, claim) };
  }

  /** Who says this to us; undefined: nobody whom we know, or not in this quarter of an hour. It is to be proved yet. */
  saidBy(tag: Uint8Array): PublicKeyHex | undefined {
    const found = this.#listened.get(firstOf(tag));
    return found !== undefined && equalBytes(found.tag, tag) ? found.known.publicKey : undefined;
  }

  /** Whether they say it themselves, in this datagram, and for that address. */
  isProved(publicKey: PublicKeyHex, { tag, proof }: LanEntry, claim: LanClaim): boolean {
    const secret = this.#known.get(publicKey)?.secret;
    if (secret === undefined || proof.length !== lanProofBytes) return false;
    // Without stopping at the first difference: how long it takes tells nothing of the right one.
    return this.#proof(secret, tag, claim).reduce((difference, byte, index) => difference | (byte ^ (proof[index] ?? 0)), 0) === 0;
  }

  #tag(secret: Uint8Array, epoch: number, from: Uint8Array, to: Uint8Array): Uint8Array {
    return this.#crypto.hmacSha256(secret, new Writer().u8(tagLabel).u64(epoch).bytes(from, 32).bytes(to, 32).finish()).slice(0, lanTagBytes);
  }

  #proof(secret: Uint8Array, tag: Uint8Array, { kind, nonce, port, host }: LanClaim): Uint8Array {
    const address = (host === undefined ? undefined : hostToBytes(host.split('%')[0] ?? '')) ?? new Uint8Array(0);
    const claim = new Writer().u8(proofLabel).bytes(tag, lanTagBytes).u8(lanKinds.indexOf(kind) + 1).bytes(nonce).u16(port).u8(address.length).bytes(address).zeros(hostBytesMaximum - address.length).finish();
    return this.#crypto.hmacSha256(secret, claim).slice(0, lanProofBytes);
  }
}

const firstOf = (tag: Uint8Array): number => (((tag[0] ?? 0) << 24) | ((tag[1] ?? 0) << 16) | ((tag[2] ?? 0) << 8) | (tag[3] ?? 0)) * 0x1_0000 + (((tag[4] ?? 0) << 8) | (tag[5] ?? 0));

export const epochOf = (wallMs: number): number => Math.max(1, Math.floor(wallMs / lanEpochMs));
