/**
 * A probe that stays: `probe-agent.ts` inside of a host takes one command a line from its standard input, as JSON, and answers each with a line when it is done; several
 * may be under way. Its sockets stay open between commands, so that a test can ask what became of a mapping. It ends with its input. `agent.ts` is the other end.
 */
import type { Socket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { ask, endpointOf, open, parse, say, textOf, type Endpoint, type Reply } from './probe-datagrams.ts';

export type AgentCommand =
  /** A socket at this port; 0: any. Later commands name it by the number that is answered. */
  | { readonly do: 'open'; readonly port: number; readonly isIpv6: boolean }
  /** Asks a measuring server where it sees the socket, and lets it answer from elsewhere. */
  | { readonly do: 'ask'; readonly socket: number; readonly server: Endpoint; readonly reply: Reply; readonly tries: number }
  | { readonly do: 'say'; readonly socket: number; readonly word: string; readonly to: Endpoint }
  /** Waits until a datagram with this word has come, also before the command. */
  | { readonly do: 'hear'; readonly socket: number; readonly word: string; readonly withinMs: number }
  /** Tries to reach a peer that tries the same at this time; whatever comes from it is answered where it came from. */
  | { readonly do: 'punch'; readonly socket: number; readonly word: string; readonly peerWord: string; readonly to: Endpoint; readonly rounds: number }
  /** A datagram of any protocol, and the first that comes back, in hexadecimal. */
  | { readonly do: 'exchange'; readonly socket: number; readonly bytes: string; readonly to: Endpoint; readonly tries: number }
  | { readonly do: 'serve-tcp'; readonly port: number; readonly text: string }
  /** Sends the text to a server of TCP and returns what it says until it closes. */
  | { readonly do: 'fetch-tcp'; readonly server: Endpoint; readonly text: string; readonly withinMs: number };

export interface AgentAnswer {
  readonly socket?: number;
  readonly port?: number;
  readonly mapped?: string;
  readonly from?: string;
  readonly bytes?: string;
  readonly text?: string;
  /** Of punching: whether the peer was heard, and whether it said that it heard us. */
  readonly hears?: boolean;
  readonly isHeard?: boolean;
}

const tryMs = 150;
const punchEveryMs = 100;
/** Rounds in which the peer is still answered after it said that it hears us, so that it learns as much. */
const punchFarewells = 3;

interface Heard { readonly word: string; readonly from: string; readonly isAnswer: boolean }
interface Kept { readonly socket: Socket; readonly heard: Heard[]; readonly wakers: Set<() => void>; last: Buffer | undefined }

const sockets: Kept[] = [];

function kept(number: number): Kept {
  const found = sockets[number];
  if (found === undefined) throw new Error(`no socket ${number}`);
  return found;
}

async function openSocket(port: number, isIpv6: boolean): Promise<AgentAnswer> {
  const socket = await open(port, isIpv6 ? '::' : undefined);
  const own: Kept = { socket, heard: [], wakers: new Set(), last: undefined };
  socket.on('message', (datagram, from) => {
    own.last = datagram;
    const { word, heard = false } = parse(datagram);
    if (word !== undefined) own.heard.push({ word, from: textOf(from), isAnswer: heard });
    for (const wake of own.wakers) wake();
  });
  return { socket: sockets.push(own) - 1, port: socket.address().port };
}

/** The first that `find` finds, now or when something comes; undefined after that time. */
function awaited<Found>(own: Kept, withinMs: number, find: () => Found | undefined): Promise<Found | undefined> {
  return new Promise((resolve) => {
    const finish = (found: Found | undefined): void => { clearTimeout(timer); own.wakers.delete(look); resolve(found); };
    const look = (): void => { const found = find(); if (found !== undefined) finish(found); };
    const timer = setTimeout(() => { finish(undefined); }, withinMs);
    own.wakers.add(look);
    look();
  });
}

async function punch(own: Kept, word: string, peerWord: string, to: Endpoint, rounds: number): Promise<AgentAnswer> {
  const fromPeer = (): readonly Heard[] => own.heard.filter((each) => each.word === peerWord);
  const isHeard = (): boolean => fromPeer().some(({ isAnswer }) => isAnswer);
  for (let round = 0, farewells = 0; round < rounds && farewells < punchFarewells; round += 1) {
    const sources = new Set(fromPeer().map(({ from }) => from));
    const hears = sources.size > 0;
    for (const target of new Set([textOf(to), ...sources])) say(own.socket, { word, heard: hears }, endpointOf(target));
    if (isHeard()) farewells += 1;
    await pause(punchEveryMs);
  }
  return { hears: fromPeer().length > 0, isHeard: isHeard() };
}

async function exchange(own: Kept, bytes: string, to: Endpoint, tries: number): Promise<AgentAnswer> {
  own.last = undefined;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    own.socket.send(Buffer.from(bytes, 'hex'), to.port, to.address, () => undefined);
    const answer = await awaited(own, tryMs, () => own.last);
    if (answer !== undefined) return { bytes: answer.toString('hex') };
  }
  return {};
}

function serveTcp(port: number, text: string): Promise<AgentAnswer> {
  const server = createServer((socket) => { socket.on('error', () => undefined).once('data', () => { socket.end(text); }); });
  return new Promise((resolve) => { server.listen(port, () => { resolve({ port }); }); });
}

function fetchTcp(server: Endpoint, text: string, withinMs: number): Promise<AgentAnswer> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect(server.port, server.address, () => { socket.write(text); });
    const timer = setTimeout(() => { socket.destroy(); }, withinMs);
    socket.on('data', (chunk) => { got += chunk.toString(); }).on('error', () => undefined);
    socket.once('close', () => { clearTimeout(timer); resolve(got === '' ? {} : { text: got }); });
  });
}

async function obey(command: AgentCommand): Promise<AgentAnswer> {
  switch (command.do) {
    case 'open': return openSocket(command.port, command.isIpv6);
    case 'ask': {
      const mapped = (await ask(kept(command.socket).socket, command.server, { reply: command.reply, tries: command.tries }))?.mapped;
      return mapped === undefined ? {} : { mapped };
    }
    case 'say': say(kept(command.socket).socket, { word: command.word }, command.to); return {};
    case 'hear': {
      const own = kept(command.socket);
      const from = (await awaited(own, command.withinMs, () => own.heard.find(({ word }) => word === command.word)))?.from;
      return from === undefined ? {} : { from };
    }
    case 'punch': return punch(kept(command.socket), command.word, command.peerWord, command.to, command.rounds);
    case 'exchange': return exchange(kept(command.socket), command.bytes, command.to, command.tries);
    case 'serve-tcp': return serveTcp(command.port, command.text);
    case 'fetch-tcp': return fetchTcp(command.server, command.text, command.withinMs);
  }
}

/** What a line holds, and the answer's line. */
export interface NumberedCommand { readonly id: number; readonly command: AgentCommand }
export interface NumberedAnswer { readonly id: number; readonly answer: AgentAnswer }

for await (const line of createInterface({ input: process.stdin })) {
  const { id, command } = JSON.parse(line) as NumberedCommand;
  void obey(command).then((answer) => process.stdout.write(`${JSON.stringify({ id, answer } satisfies NumberedAnswer)}\n`));
}
process.exit(0);
