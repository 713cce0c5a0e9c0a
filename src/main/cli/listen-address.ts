/** `HOST:PORT` of the command line, and where others reach what listens there. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { WaypostError } from '../../shared/errors.ts';

export interface ListenAddress {
  /** Literal address; undefined for all, IPv6 included. */
  readonly host: string | undefined;
  readonly port: number;
}

const pattern = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/;
const portMaximum = 65_535;

/** `*:7400` and `:7400` mean all addresses; port 0 lets the system choose. @throws WaypostError `invalid-argument` */
export function parseListenAddress(text: string): ListenAddress {
  const match = pattern.exec(text.trim());
  const port = Number(match?.[3] ?? Number.NaN);
  const host = match?.[1] ?? match?.[2] ?? '';
  const isAll = host === '' || host === '*';
  if (match === null || port > portMaximum || (!isAll && host !== 'localhost' && isIP(host) === 0)) {
    throw new WaypostError('invalid-argument', `"${text.slice(0, 80)}" is not an address to listen on. Write an address of this machine and a port, such as 0.0.0.0:7400 or [::1]:7400.`);
  }
  return { host: isAll ? undefined : host === 'localhost' ? '127.0.0.1' : host, port };
}

/** Of a literal address: nobody but this machine comes there. */
export const isLoopback = (host: string): boolean => host === '::1' || host.startsWith('127.');

/** A UDP port of its own, 0 for whichever the system chooses. @throws WaypostError `invalid-argument` */
export function parsePort(text: string, option: string, taken: number): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= portMaximum)) throw new WaypostError('invalid-argument', `"${text.slice(0, 80)}" is not a port. ${option} takes a number from 1 to 65535, or 0 to let the system choose.`);
  if (port !== 0 && port === taken) throw new WaypostError('invalid-argument', `${option} and --listen name the same port, ${port}. Give ${option} another one.`);
  return port;
}

/** What to put into a hint for a socket that listens on `host`: itself, or the first outside address where it listens on all. */
export function reachableHost(host: string, interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  if (host !== '0.0.0.0' && host !== '::') return host;
  const addresses = Object.values(interfaces).flatMap((list) => list ?? []).filter((address) => !address.internal);
  const ipv4 = addresses.find((address) => address.family === 'IPv4');
  return ipv4?.address ?? (host === '::' ? addresses.find((address) => !address.address.startsWith('fe80'))?.address : undefined) ?? '127.0.0.1';
}
