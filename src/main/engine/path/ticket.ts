/** What a relay gives inside a session for probes outside of it (verb `observe`), and its layout. */
import { Reader, Writer } from '../wire/bytes.ts';
import { addressBytes, decodeAddress, encodeAddress } from '../wire/socket-address.ts';
import { probesMaximum, ticketIdBytes, ticketKeyBytes } from './observe-codec.ts';
import type { SocketAddress } from '../wire/types.ts';

export interface Ticket {
  /** 8 bytes; names the ticket on the wire and is no secret. */
  readonly id: Uint8Array;
  /** 32 bytes, which travel inside the session alone. */
  readonly key: Uint8Array;
  readonly lastsSeconds: number;
  /** From 1 to 32. */
  readonly probes: number;
  /** Of the relay, at the same host; undefined when it has none. */
  readonly secondPort: number | undefined;
  /** Where the relay sees the session that asked. */
  readonly seen: SocketAddress;
}

const payloadBytes = ticketIdBytes + ticketKeyBytes + 2 + 1 + 2 + addressBytes;

/** Undefined when the session is at an address that cannot be told, such as one with a zone. */
export function encodeTicket(ticket: Ticket): Uint8Array | undefined {
  const seen = encodeAddress(ticket.seen);
  if (seen === undefined) return undefined;
  return new Writer(payloadBytes).bytes(ticket.id, ticketIdBytes).bytes(ticket.key, ticketKeyBytes).u16(ticket.lastsSeconds).u8(ticket.probes).u16(ticket.secondPort ?? 0).bytes(seen).finish();
}

/** Bytes are copies. */
export function decodeTicket(payload: Uint8Array): Ticket | undefined {
  const reader = new Reader(payload);
  const id = reader.bytes(ticketIdBytes).slice();
  const key = reader.bytes(ticketKeyBytes).slice();
  const lastsSeconds = reader.u16();
  const probes = reader.u8();
  const secondPort = reader.u16();
  const seen = decodeAddress(reader.bytes(addressBytes));
  if (!reader.atEnd || seen === undefined || probes === 0 || probes > probesMaximum) return undefined;
  return { id, key, lastsSeconds, probes, secondPort: secondPort === 0 ? undefined : secondPort, seen };
}
