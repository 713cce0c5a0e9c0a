/**
 * Measures, from inside of a host of a laboratory, what the network does to datagrams. Each verb but `serve` prints one line and ends.
 *
 *     probe.ts serve IP1 [IP2] [PORT]        the measuring server, on a public host
 *     probe.ts classify IP1 IP2 [PORT]       mapping, filtering, hairpin, routers passed (JSON)
 *     probe.ts mapped IP1 [PORT] [--bind P]  the public address of one local port
 *     probe.ts ping IP1 [PORT] [--count N] [--every MS] [--size B] [--wait MS]   round trips, loss, reordering (JSON)
 *     probe.ts tcp IP1 [PORT]                fetches 512 KiB over TCP (JSON)
 *     probe.ts punch IP1 [PORT] --name A --peer B [--for MS]   tries to reach the peer directly (JSON)
 *
 * Addresses are of IPv4 or of IPv6.
 */
import { connect, isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { classify } from './probe-classify.ts';
import { ask, endpointOf, openTowards, parse, say, textOf, type Endpoint } from './probe-datagrams.ts';
import { bulkBytes, serve } from './probe-server.ts';

const portDefault = 3_478;
const pingsDefault = 20;
const pingEveryDefaultMs = 20;
const pingWaitDefaultMs = 500;
/** Pings without a pause come in groups, between which answers are taken in. */
const pingGroup = 8;
const tcpSilenceMs = 2_000;
const punchDefaultMs = 3_000;
const punchEveryMs = 60;
/** Rounds in which the peer is still answered after it was heard, so that it hears as well. */
const punchFarewells = 5;

const [verb = '', ...commandLine] = process.argv.slice(2);
const flags = new Map<string, string>();
const words: string[] = [];
for (let index = 0; index < commandLine.length; index += 1) {
  const word = commandLine[index] ?? '';
  if (!word.startsWith('--')) { words.push(word); continue; }
  index += 1;
  flags.set(word.slice(2), commandLine[index] ?? '');
}
const addresses = words.filter((word) => isIP(word) !== 0);
const port = Number(words.find((word) => isIP(word) === 0) ?? portDefault);
const server: Endpoint = { address: addresses[0] ?? '', port };
const numberFlag = (name: string, otherwise: number): number => Number(flags.get(name) ?? otherwise);
const rounded = (value: number): number => Number(value.toFixed(2));

async function mapped(): Promise<string> {
  return (await ask(await openTowards(server, numberFlag('bind', 0)), server))?.mapped ?? 'none';
}

async function ping(): Promise<unknown> {
  const count = numberFlag('count', pingsDefault);
  const everyMs = numberFlag('every', pingEveryDefaultMs);
  const padding = 'x'.repeat(numberFlag('size', 0));
  const socket = await openTowards(server);
  const sentAtMs = new Map<number, number>();
  const roundTripsMs = new Map<number, number>();
  let highest = -1;
  let late = 0;
  let twice = 0;
  socket.on('message', (datagram) => {
    const id = Number(parse(datagram).id);
    const sentMs = sentAtMs.get(id);
    if (sentMs === undefined) return;
    if (roundTripsMs.has(id)) { twice += 1; return; }
    roundTripsMs.set(id, performance.now() - sentMs);
    if (id < highest) late += 1;
    else highest = id;
  });
  for (let id = 0; id < count; id += 1) {
    sentAtMs.set(id, performance.now());
    say(socket, { id, padding }, server);
    if (everyMs > 0) await pause(everyMs);
    else if (id % pingGroup === pingGroup - 1) await new Promise((resolve) => { setImmediate(resolve); });
  }
  await pause(numberFlag('wait', pingWaitDefaultMs));
  const sorted = [...roundTripsMs.values()].sort((left, right) => left - right);
  const at = (part: number): number | null => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
    return value === undefined ? null : rounded(value);
  };
  return { sent: count, received: sorted.length, loss: 1 - sorted.length / count, min: at(0), median: at(0.5), p90: at(0.9), max: at(1), late, twice, last: highest };
}

async function tcp(): Promise<unknown> {
  const startedMs = performance.now();
  let bytes = 0;
  const socket = connect(server.port, server.address);
  socket.setTimeout(tcpSilenceMs, () => { socket.destroy(); });
  socket.on('data', (chunk) => { bytes += chunk.length; }).on('error', () => undefined);
  await new Promise((resolve) => { socket.once('close', resolve); });
  const ms = performance.now() - startedMs;
  return { whole: bytes === bulkBytes, bytes, ms: rounded(ms), mbit: rounded(bytes * 8 / ms / 1_000) };
}

async function punch(): Promise<unknown> {
  const socket = await openTowards(server);
  const name = flags.get('name') ?? '';
  const peerName = flags.get('peer') ?? '';
  const untilMs = Date.now() + numberFlag('for', punchDefaultMs);
  const heardFrom: Endpoint[] = [];
  const heard: string[] = [];
  let peer: string | undefined;
  socket.on('message', (datagram, from) => {
    const said = parse(datagram);
    if (said.punch !== peerName) return;
    heardFrom.push(from);
    if (said.heard === true) heard.push(textOf(from));
    say(socket, { punch: name, heard: true }, from);
  });
  for (let farewells = 0; Date.now() < untilMs && farewells < punchFarewells;) {
    const hears = heardFrom.length > 0;
    // Asked anew each time: the name may still stand for an earlier socket of the peer.
    if (!hears) peer = (await ask(socket, server, { name, peer: peerName, tries: 1 }))?.peer ?? peer;
    if (peer !== undefined) say(socket, { punch: name, heard: hears }, endpointOf(peer));
    if (heard.length > 0 && hears) farewells += 1;
    await pause(punchEveryMs);
  }
  const [from] = heardFrom;
  return { direct: heard.length > 0 && from !== undefined, peer: peer ?? null, from: from === undefined ? null : textOf(from) };
}

const verbs: Readonly<Record<string, () => Promise<unknown>>> = { mapped, ping, tcp, punch, classify: () => classify(addresses, port) };

if (verb === 'serve' && addresses.length > 0) await serve(addresses, port);
else {
  const measure = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (measure === undefined || addresses.length === 0) {
    process.stderr.write('probe.ts serve|classify|mapped|ping|tcp|punch IP1 [IP2] [PORT]\n');
    process.exit(2);
  }
  const result = await measure();
  process.stdout.write(`${typeof result === 'string' ? result : JSON.stringify(result)}\n`, () => { process.exit(0); });
}
