/**
 * Which datagrams may be tried towards an address at all. A socket of ours cannot forbid fragmentation, so that beyond the interface's own MTU every
 * size would seem to fit, and one lost piece would lose all of it. The only interface whose MTU is known by its address is loopback.
 */
import { isCircuitAddress, tunnelledMaximumBytes } from '../circuits/tunnel.ts';
import { datagramLimitBytes } from '../wire/limits.ts';
import { ethernetDatagramBytes } from './sizes.ts';

export const datagramLimitFor = (host: string | undefined): number => host !== undefined && isCircuitAddress({ host, port: 0 }) ? tunnelledMaximumBytes : host !== undefined && isLoopback(host) ? datagramLimitBytes : ethernetDatagramBytes;

const isLoopback = (host: string): boolean => host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
