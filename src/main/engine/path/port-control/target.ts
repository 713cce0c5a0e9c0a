/** The one mapping that is asked for: at which gateway, for which address and port of ours, and the datagrams about it. */
import { addressField, isIpv4Field } from './address-field.ts';
import { encodeNatPmpMap } from './nat-pmp-codec.ts';
import { encodePcpMap, pcpNonceBytes } from './pcp-codec.ts';
import type { PortControlMethod } from './port-control-types.ts';
import type { RandomBytes } from '../../crypto.ts';
import type { SocketAddress } from '../../wire/types.ts';

export interface Target {
  readonly gateway: string;
  readonly localAddress: string;
  /** The same as 16 bytes. */
  readonly clientField: Uint8Array;
  readonly localPort: number;
  /** Ours alone: who does not see our datagrams cannot answer for the gateway (RFC 6887 section 18.1). */
  readonly nonce: Uint8Array;
  /** NAT-PMP knows nothing else. */
  readonly isIpv4: boolean;
}

/** @throws RangeError when the local address is no literal one, or the port none. */
export function makeTarget(gateway: string, localAddress: string, localPort: number, random: RandomBytes): Target {
  const clientField = addressField(localAddress);
  if (clientField === undefined) throw new RangeError(`'${localAddress}' is no IP address`);
  if (!Number.isInteger(localPort) || localPort < 1 || localPort > 0xffff) throw new RangeError(`${String(localPort)} is no UDP port`);
  return { gateway, localAddress, clientField, localPort, nonce: random(pcpNonceBytes), isIpv4: isIpv4Field(clientField) };
}

/**
 * @param had the external address of before: whoever names it may get it again from a gateway that has forgotten it (RFC 6887 section 11.2.1). Without one our own port is
 * suggested, so that it stays the same after a restart.
 */
export function mapDatagram({ clientField, localPort, nonce }: Target, method: PortControlMethod, lifetimeSeconds: number, had: SocketAddress | undefined): Uint8Array {
  const suggested = { host: had?.host, port: had?.port ?? localPort };
  switch (method) {
    case 'pcp': return encodePcpMap({ nonce, lifetimeSeconds, clientField, internalPort: localPort, suggested });
    case 'nat-pmp': return encodeNatPmpMap({ internalPort: localPort, suggestedPort: suggested.port, lifetimeSeconds });
  }
}

export function deleteDatagram({ clientField, localPort, nonce }: Target, method: PortControlMethod): Uint8Array {
  switch (method) {
    case 'pcp': return encodePcpMap({ nonce, lifetimeSeconds: 0, clientField, internalPort: localPort, suggested: undefined });
    case 'nat-pmp': return encodeNatPmpMap({ internalPort: localPort, suggestedPort: 0, lifetimeSeconds: 0 });
  }
}
