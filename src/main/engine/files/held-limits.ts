/**
 * How much of files relays hold for one person. Each says so in its handshakes, as the capability `holds/BYTES`; one that says nothing is older, and what it holds
 * is not known. It is kept while this engine runs: an operator may change it with the next start of a relay, which makes a new handshake.
 */
import type { RelayHint } from '../wire/types.ts';

const capabilityPattern = /^holds\/(0|[1-9][0-9]{0,15})$/;
/** Relays that are remembered; those learned longest ago are forgotten first. */
const relaysMaximum = 1_024;

/** What a relay that holds so many bytes for one person says of itself. */
export const heldCapability = (heldPerRecipientBytes: number): string => `holds/${String(Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, Math.floor(heldPerRecipientBytes))))}`;

export class HeldLimits {
  readonly #byRelay = new Map<string, number>();

  /** After a handshake. True when something else is known now. */
  learn(relay: string, capabilities: readonly string[]): boolean {
    const before = this.#byRelay.get(relay);
    const bytes = limitOf(capabilities);
    this.#byRelay.delete(relay);
    if (bytes !== undefined) this.#byRelay.set(relay, bytes);
    for (const oldest of this.#byRelay.keys()) {
      if (this.#byRelay.size <= relaysMaximum) break;
      this.#byRelay.delete(oldest);
    }
    return before !== bytes;
  }

  /** The most that any of these holds; undefined when that is not known of all of them. */
  mostOf(relays: readonly Pick<RelayHint, 'publicKey'>[]): number | undefined {
    let most: number | undefined;
    for (const { publicKey } of relays) {
      const bytes = this.#byRelay.get(publicKey);
      if (bytes === undefined) return undefined;
      most = Math.max(most ?? 0, bytes);
    }
    return most;
  }
}

function limitOf(capabilities: readonly string[]): number | undefined {
  for (const capability of capabilities) {
    const bytes = Number(capabilityPattern.exec(capability)?.[1] ?? Number.NaN);
    if (Number.isSafeInteger(bytes)) return bytes;
  }
  return undefined;
}
