/**
 * Whether packets that nobody here asked for come in, and what that makes of a straight path to somebody: one that was there for the taking, or one that both sides had to open. Each side
 * can find this out of its own network alone, so each tells the other (verb `candidates`).
 */
import { addressFamilies, type AddressFamily, type NetworkReport } from '../../../shared/network-report.ts';
import type { Inbound, InboundByFamily, SocketAddress } from '../wire/types.ts';
import { familyOf } from './address-scope.ts';
import { shortReport, type PathTraits } from './pairing.ts';

export const unknownInbound: InboundByFamily = { ipv4: undefined, ipv6: undefined };

export function inboundOf(report: NetworkReport | undefined): InboundByFamily {
  if (report === undefined) return unknownInbound;
  const { ipv4, ipv6 } = shortReport(report);
  return { ipv4: inboundBy(ipv4), ipv6: inboundBy(ipv6) };
}

/** Where each conversation gets a port of its own, that port is opened by the first packet to the other side, whatever the filter does: what is not known of it changes nothing then. */
function inboundBy(traits: PathTraits | undefined): Inbound | undefined {
  switch (traits?.filtering) {
    case 'none': case 'endpoint-independent': return 'open';
    case 'address-dependent': case 'address-and-port-dependent': return 'filtered';
    case undefined: return traits?.mapping === 'address-dependent' || traits?.mapping === 'address-and-port-dependent' ? 'filtered' : undefined;
  }
}

/** Each side's own word about itself, and where the other said that it is reached. */
export interface PathEnds {
  readonly own: InboundByFamily;
  readonly theirs: InboundByFamily;
  readonly offered: readonly SocketAddress[];
}

/**
 * Whether a straight path outside of the own network took openings on both sides. What is not known is not said: a path counts as punched only where it cannot have come about otherwise.
 * @param address where the other side is reached
 */
export function isPunched(address: SocketAddress, { own, theirs, offered }: PathEnds): boolean {
  const family: AddressFamily = familyOf(address.host);
  if (own[family] !== 'filtered') return false;
  // An address that they never told is a port that their first packet to us opened.
  return theirs[family] === 'filtered' || (theirs[family] === undefined && offered.length > 0 && !offered.some(({ host, port }) => host === address.host && port === address.port));
}

/** Whether there is something to tell to somebody who was told `told`. */
export const isInboundNews = (told: InboundByFamily, now: InboundByFamily): boolean => addressFamilies.some((family) => now[family] !== undefined && now[family] !== told[family]);
