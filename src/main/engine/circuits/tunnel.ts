/**
 * What goes through a circuit: a whole datagram of somebody else's session, inside a frame of ours: kind (1: 3), circuit (4), datagram. And the
 * address that stands for "the other end of that circuit" wherever a session core wants an address.
 */
import { frameMaximumBytes } from '../wire/frame.ts';
import type { SessionId } from '../session/types.ts';
import type { SocketAddress } from '../wire/types.ts';

export const tunnelKind = 3;
/** Kind and circuit. */
export const tunnelHeaderBytes = 1 + 4;
/** The longest datagram that fits a tunnel inside a session whose path carries 1,200 bytes. */
export const tunnelledMaximumBytes = frameMaximumBytes - tunnelHeaderBytes;

export const isTunnelFrame = (frame: Uint8Array): boolean => frame[0] === tunnelKind;

export const circuitOf = (frame: Uint8Array): number => (((frame[1] ?? 0) << 24) | ((frame[2] ?? 0) << 16) | ((frame[3] ?? 0) << 8) | (frame[4] ?? 0)) >>> 0;

/** A view of the frame. */
export const tunnelled = (frame: Uint8Array): Uint8Array => frame.subarray(tunnelHeaderBytes);

/** Made in `room`, which is overwritten. */
export function writeTunnelFrame(room: (sizeBytes: number) => Uint8Array, circuit: number, datagram: Uint8Array): Uint8Array {
  const frame = room(tunnelHeaderBytes + datagram.length);
  frame[0] = tunnelKind;
  frame[1] = circuit >>> 24;
  frame[2] = circuit >>> 16;
  frame[3] = circuit >>> 8;
  frame[4] = circuit;
  frame.set(datagram, tunnelHeaderBytes);
  return frame;
}

/** No host name has such a beginning, so that no datagram can come from one. */
const prefix = 'circuit/';

/** The text stands for the session that carries the circuit; the port for nothing. */
export const circuitAddress = (sessionId: SessionId, circuit: number): SocketAddress => ({ host: `${prefix}${String(sessionId)}/${String(circuit)}`, port: 0 });

export const isCircuitAddress = (address: SocketAddress): boolean => address.host.startsWith(prefix);
