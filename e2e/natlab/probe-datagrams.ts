/**
 * How the probe and its server talk: one JSON object a datagram. A request is `{id, reply}`, where `reply` says from which of the server's sockets the answer is to come;
 * an answer tells the address that the request came from. Everything else is `{hairpin}` and `{punch, heard}`, between two probes.
 */
import { createSocket, type Socket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';

export const replies = ['same', 'port', 'address', 'both'] as const;
export type Reply = (typeof replies)[number];

export interface Datagram {
  readonly id?: string | number;
  readonly reply?: string;
  /** The name that the asker goes by, and the one it looks for. */
  readonly name?: string;
  readonly peer?: string;
  readonly mapped?: string;
  readonly hairpin?: boolean;
  readonly punch?: string;
  readonly heard?: boolean;
  readonly padding?: string;
  /** From one agent to another. */
  readonly word?: string;
}

export interface Endpoint { readonly address: string; readonly port: number }

const tryMs = 120;
const triesDefault = 5;

export const isIpv6 = (address: string | undefined): boolean => address?.includes(':') ?? false;

export const textOf = ({ address, port }: Endpoint): string => (isIpv6(address) ? `[${address}]:${port}` : `${address}:${port}`);

export function endpointOf(text: string): Endpoint {
  const at = text.lastIndexOf(':');
  return { address: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) };
}

/** @param address to bind to; one of IPv6, as `::`, makes it a socket of IPv6 alone. */
export async function open(port = 0, address?: string): Promise<Socket> {
  const socket = isIpv6(address) ? createSocket({ type: 'udp6', ipv6Only: true }) : createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => { socket.off('error', reject); resolve(); });
  });
  // A cable that was pulled shows as an error of sending; whether answers come says it all.
  socket.on('error', () => undefined);
  return socket;
}

/** At any address of the server's family. */
export function openTowards(server: Endpoint, port = 0): Promise<Socket> {
  return open(port, isIpv6(server.address) ? '::' : undefined);
}

/** Nothing but these programs is inside a laboratory; what is not theirs is an empty object. */
export function parse(datagram: Buffer): Datagram {
  try { return JSON.parse(datagram.toString()) as Datagram; } catch { return {}; }
}

export function say(socket: Socket, what: Datagram, { address, port }: Endpoint): void {
  // Where an address was asked for and no answer came.
  if (port === 0) return;
  socket.send(JSON.stringify(what), port, address, () => undefined);
}

let asked = 0;

export interface Question { readonly reply?: Reply; readonly name?: string; readonly peer?: string; readonly tries?: number }

/** Asks until an answer comes; undefined when none did. */
export async function ask(socket: Socket, server: Endpoint, { tries = triesDefault, reply = 'same', ...rest }: Question = {}): Promise<Datagram | undefined> {
  asked += 1;
  const id = `${process.pid}.${asked}`;
  const answers: Datagram[] = [];
  let wake: (() => void) | undefined;
  const hear = (datagram: Buffer): void => {
    const said = parse(datagram);
    if (said.id !== id || said.mapped === undefined) return;
    answers.push(said);
    wake?.();
  };
  socket.on('message', hear);
  for (let attempt = 0; attempt < tries && answers.length === 0; attempt += 1) {
    say(socket, { id, reply, ...rest }, server);
    await Promise.race([pause(tryMs), new Promise<void>((resolve) => { wake = resolve; })]);
  }
  socket.off('message', hear);
  return answers[0];
}
