/** Finds out what kind of NAT is between this host and the server, in the terms of RFC 4787: mapping, filtering, hairpin, and how many routers there are. */
import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ask, endpointOf, isIpv6, openTowards, parse, say, textOf, type Endpoint } from './probe-datagrams.ts';

export type Behaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

export interface Classification {
  readonly class: string;
  readonly local?: string;
  readonly mapped?: string;
  readonly mapping?: Behaviour | 'none';
  readonly filtering?: Behaviour;
  readonly hairpin?: boolean;
  readonly preservesPort?: boolean;
  /** Undefined: more than are looked for. */
  readonly routers?: number | undefined;
}

const filteringTries = 3;
const hopTries = 2;
const hopsMaximum = 5;
const hairpinRounds = 4;
const hairpinRoundMs = 80;
const tcpWithinMs = 1_000;

/** @param addresses both of the server's. */
export async function classify([first = '', second = '']: readonly string[], port: number): Promise<Classification> {
  const server = { address: first, port };
  const socket = await openTowards(server);
  const mapped = (await ask(socket, server))?.mapped;
  if (mapped === undefined) return { class: await answersTcp(server) ? 'udp-blocked' : 'unreachable' };
  const local = textOf({ address: await sourceAddress(server), port: socket.address().port });
  const [mapping, filtering, hairpin, routers] = await Promise.all([
    mappingOf(socket, local, mapped, [{ address: first, port: port + 1 }, { address: second, port }, { address: second, port: port + 1 }]),
    filteringOf(server), hasHairpin(server), routersTo(server),
  ]);
  const preservesPort = endpointOf(mapped).port === socket.address().port;
  return { class: classOf(mapping, filtering), local, mapped, mapping, filtering, hairpin, preservesPort, routers };
}

function classOf(mapping: Behaviour | 'none', filtering: Behaviour): string {
  if (mapping === 'none') return filtering === 'endpoint-independent' ? 'none' : 'firewall';
  if (mapping !== 'endpoint-independent') return 'symmetric';
  switch (filtering) {
    case 'endpoint-independent': return 'full-cone';
    case 'address-dependent': return 'restricted';
    case 'address-and-port-dependent': return 'port-restricted';
  }
}

async function mappingOf(socket: Socket, local: string, mapped: string, others: readonly Endpoint[]): Promise<Behaviour | 'none'> {
  const seen: (string | undefined)[] = [];
  for (const other of others) seen.push((await ask(socket, other))?.mapped);
  const [otherPort, otherAddress, both] = seen;
  if (local === mapped) return 'none';
  if (seen.every((each) => each === mapped)) return 'endpoint-independent';
  return otherPort === mapped && otherAddress === both ? 'address-dependent' : 'address-and-port-dependent';
}

async function filteringOf(server: Endpoint): Promise<Behaviour> {
  const socket = await openTowards(server);
  await ask(socket, server);
  if (await ask(socket, server, { reply: 'both', tries: filteringTries }) !== undefined) return 'endpoint-independent';
  return await ask(socket, server, { reply: 'port', tries: filteringTries }) === undefined ? 'address-and-port-dependent' : 'address-dependent';
}

/** Whether two sockets here hear each other by their public addresses. */
async function hasHairpin(server: Endpoint): Promise<boolean> {
  const ends = await Promise.all([0, 1].map(async () => {
    const socket = await openTowards(server);
    const mapped = (await ask(socket, server))?.mapped;
    const end = { socket, mapped: mapped === undefined ? undefined : endpointOf(mapped), hears: false };
    socket.on('message', (datagram) => { if (parse(datagram).hairpin === true) end.hears = true; });
    return end;
  }));
  for (let round = 0; round < hairpinRounds && !ends.every(({ hears }) => hears); round += 1) {
    for (const [index, { socket }] of ends.entries()) {
      const other = ends[1 - index]?.mapped;
      if (other === undefined) return false;
      say(socket, { hairpin: true }, other);
    }
    await pause(hairpinRoundMs);
  }
  return ends.every(({ hears }) => hears);
}

/** By how few hops a datagram may live and still arrive. */
async function routersTo(server: Endpoint): Promise<number | undefined> {
  const socket = await openTowards(server);
  for (let hops = 1; hops <= hopsMaximum; hops += 1) {
    socket.setTTL(hops);
    if (await ask(socket, server, { tries: hopTries }) !== undefined) return hops - 1;
  }
  return undefined;
}

/** The address that datagrams to the server have before any router. */
function sourceAddress({ address, port }: Endpoint): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIpv6(address) ? 'udp6' : 'udp4');
    socket.connect(port, address, () => {
      const { address: own } = socket.address();
      socket.close();
      resolve(own);
    });
  });
}

function answersTcp(server: Endpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(server.port, server.address);
    const end = (answers: boolean): void => { socket.destroy(); resolve(answers); };
    socket.setTimeout(tcpWithinMs, () => { end(false); });
    socket.once('connect', () => { end(true); }).on('error', () => { end(false); });
  });
}

