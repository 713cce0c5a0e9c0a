/**
 * How large packets get through between relays and us in one piece, as transfers found out (engine/path-mtu), for the report on the network. Sizes are tried in steps, so what
 * is known is always a least: the true value is somewhere below the next step.
 */
import { addressFamilies, notChecked, type KnownBound, type NetworkReport } from '../../../shared/network-report.ts';
import { familyOf } from '../path/address-scope.ts';
import type { CheckedNetwork, OwnRelay } from '../path/observation-port.ts';
import type { PublicKeyHex } from '../wire/types.ts';

/** Of relays, the one that was heard of longest ago is forgotten. */
const relaysMaximum = 64;
const udpHeaderBytes = 8;
const ipHeaderBytes = { ipv4: 20, ipv6: 40 } as const;

export class RelayPathMtus {
  readonly #known = new Map<PublicKeyHex, { readonly packetBytes: number; readonly samples: number }>();

  /** @param host where the relay is. @param datagramBytes of UDP payload. */
  carries(relay: PublicKeyHex, host: string, datagramBytes: number): void {
    const samples = (this.#known.get(relay)?.samples ?? 0) + 1;
    this.#known.delete(relay);
    this.#known.set(relay, { packetBytes: datagramBytes + udpHeaderBytes + ipHeaderBytes[familyOf(host)], samples });
    for (const oldest of this.#known.keys()) if (this.#known.size > relaysMaximum) this.#known.delete(oldest);
  }

  /** It was about another network. */
  forget(): void { this.#known.clear(); }

  /** The report with what is known of its relays; a family's own is that of all of them together. */
  toldIn(checked: CheckedNetwork | undefined, own: Iterable<OwnRelay>): CheckedNetwork | undefined {
    if (checked === undefined) return undefined;
    const byName = new Map([...own].map((relay) => [relay.name, relay]));
    const factOf = (name: string): KnownBound<number> => {
      const known = this.#known.get(byName.get(name)?.relay ?? '');
      return known === undefined ? notChecked('not-learned') : { state: 'at-least', value: known.packetBytes, samples: known.samples };
    };
    const relays = checked.report.relays.map((relay) => ({ ...relay, pathMtuBytes: factOf(relay.relay) }));
    const families: NetworkReport['families'] = { ...checked.report.families };
    for (const family of addressFamilies) {
      const facts = relays.flatMap(({ relay, pathMtuBytes }) => (pathMtuBytes.state === 'at-least' && familyOf(byName.get(relay)?.address?.host ?? '') === family ? [pathMtuBytes] : []));
      if (facts.length > 0) Object.assign(families, { [family]: { ...families[family], pathMtuBytes: { state: 'at-least', value: Math.min(...facts.map(({ value }) => value)), samples: facts.reduce((sum, { samples }) => sum + samples, 0) } } });
    }
    return { ...checked, report: { ...checked.report, families, relays } };
  }
}
