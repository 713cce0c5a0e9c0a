/** What asking a gateway for a port comes to, in types. */
import type { SocketAddress } from '../../wire/types.ts';

/** RFC 6887 section 3.1.1 and RFC 6886 section 3.1. */
export const portControlPort = 5_351;

export type PortControlMethod = 'pcp' | 'nat-pmp';

/**
 * Why a gateway that does answer gives no port. `not-authorised`: it is forbidden there, or another program has the port. `no-resources`: no port, or none for long
 * enough. `unsupported`: it knows the protocol and not this use of it. `network-failure`: it has no connection itself. `address-mismatch`: it sees us at another
 * address than we do, so something translates between us and it.
 */
export type RefusalReason = 'not-authorised' | 'no-resources' | 'unsupported' | 'network-failure' | 'address-mismatch';

export type PortControlState =
  /** Not started, or stopped. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'checking' }
  | {
      readonly kind: 'mapped';
      /** Where the gateway says that we are reached: its word, which nobody has tried yet. */
      readonly external: SocketAddress;
      /** As granted, never more than a day. */
      readonly lifetimeSeconds: number;
      /** Monotonic. */
      readonly expiresAtMs: number;
      readonly method: PortControlMethod;
    }
  /** Nobody answered: the gateway has neither protocol, or both are switched off. */
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

export interface PortControlDatagram { readonly to: SocketAddress; readonly datagram: Uint8Array }
