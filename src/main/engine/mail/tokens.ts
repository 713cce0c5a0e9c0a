/**
 * The deposit tokens that our relays honour: one per contact and one per invite link. Relays know only their hashes and a version number;
 * when the version they report differs from ours they are told the whole set again.
 */
import { toHex, utf8Encode, Writer } from '../wire/bytes.ts';
import type { RequestBody } from '../wire/types.ts';
import type { VisorContext } from '../visor-context.ts';
import type { VisorChange } from './visor-store.ts';

type TokensBody = Extract<RequestBody, { verb: 'tokens' }>;
const tokensPerRequest = 32;
const versionKey = 'tokens-version';
/** Of which device relays are told the token for test letters. */
const ownKey = 'own-token';
const ownLabel = utf8Encode('waypost own deposit token');
const tokenBytes = 16;

export class DepositTokens {
  readonly #context: VisorContext;
  constructor(context: VisorContext) { this.#context = context; }

  get version(): number { return this.#context.memory.numberValue(versionKey); }

  /** Goes into the same commit as the contact or invite that changes the set. */
  bumped(): VisorChange { return { kind: 'put-value', key: versionKey, value: String(this.version + 1) }; }

  /** With which this device lays down letters for itself (overlay/canary-letter.ts): among those of contacts and invites it looks like any other. */
  own(): Uint8Array {
    const { crypto, device } = this.#context;
    return crypto.blake3(new Writer().bytes(ownLabel).bytes(device.ed25519Seed).finish()).slice(0, tokenBytes);
  }

  /** What to commit before relays honour it; empty when it is granted already. */
  ownGranted(): readonly VisorChange[] {
    const { deviceId } = this.#context.device;
    return this.#context.memory.values.get(ownKey) === deviceId ? [] : [{ kind: 'put-value', key: ownKey, value: deviceId }, this.bumped()];
  }

  granted(): readonly Uint8Array[] {
    const tokens: Uint8Array[] = this.ownGranted().length === 0 ? [this.own()] : [];
    for (const contact of this.#context.memory.contacts.values()) {
      if (contact.grantedToken !== undefined && contact.standing !== 'blocked') tokens.push(contact.grantedToken);
    }
    for (const invite of this.#context.memory.invites.values()) if (!invite.revoked) tokens.push(invite.token);
    return tokens;
  }

  /** Of contacts that are blocked: named as such, since a relay treats a token it merely does not know as a stranger's. */
  #revoked(): readonly Uint8Array[] {
    return [...this.#context.memory.contacts.values()].flatMap((contact) => (contact.standing === 'blocked' && contact.grantedToken !== undefined ? [contact.grantedToken] : []));
  }

  /** Only the last request carries our version, so that a relay which heard half of the set is told again. */
  fullUpdate(): readonly TokensBody[] {
    const hashed = (granted: boolean) => (token: Uint8Array) => ({ granted, hash: this.#context.crypto.blake3(token) });
    const tokens = [...this.granted().map(hashed(true)), ...this.#revoked().map(hashed(false))];
    const requests: TokensBody[] = [];
    for (let start = 0; start === 0 || start < tokens.length; start += tokensPerRequest) {
      const last = start + tokensPerRequest >= tokens.length;
      requests.push({ verb: 'tokens', version: last ? this.version : 0, reset: start === 0, tokens: tokens.slice(start, start + tokensPerRequest) });
    }
    return requests;
  }

  delta(token: Uint8Array, granted: boolean): TokensBody {
    return { verb: 'tokens', version: this.version, reset: false, tokens: [{ granted, hash: this.#context.crypto.blake3(token) }] };
  }

  /** Whose token a relay refused, by its hash. */
  contactOf(hash: Uint8Array): string | undefined {
    const wanted = toHex(hash);
    for (const contact of this.#context.memory.contacts.values()) {
      if (contact.grantedToken !== undefined && toHex(this.#context.crypto.blake3(contact.grantedToken)) === wanted) return contact.publicKey;
    }
    return undefined;
  }
}
