/** Hosts of a laboratory as objects: a test opens sockets in them and says what they shall send, and learns what they heard. The other end is probe-agent.ts. */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from './lab.ts';
import type { Endpoint, Reply } from './probe-datagrams.ts';
import type { AgentAnswer, AgentCommand, NumberedAnswer, NumberedCommand } from './probe-agent.ts';

const program = path.join(import.meta.dirname, 'probe-agent.ts');
const triesDefault = 10;
/** What does not come within this does not come; nothing on a laboratory's network takes a tenth of it. */
const silenceMs = 400;
const tcpWithinMs = 1_500;
/** Ten rounds a second. */
const punchRounds = 20;

/** How punching went for one of the two. */
export interface Punched { readonly hears: boolean; readonly isHeard: boolean }

export class Agent {
  readonly host: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: AgentAnswer) => void>();
  #asked = 0;

  constructor(lab: Lab, host: string) {
    this.host = host;
    this.#child = lab.start(host, process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.once('exit', () => { for (const resolve of this.#waiting.values()) resolve({}); });
    if (this.#child.stdout === null) return;
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { id, answer } = JSON.parse(line) as NumberedAnswer;
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  /** An agent that has ended answers nothing. */
  command(command: AgentCommand): Promise<AgentAnswer> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null) { resolve({}); return; }
      this.#waiting.set(id, resolve);
      this.#child.stdin?.write(`${JSON.stringify({ id, command } satisfies NumberedCommand)}\n`);
    });
  }

  async open(port = 0, family: 'ipv4' | 'ipv6' = 'ipv4'): Promise<AgentSocket> {
    const opened = await this.command({ do: 'open', port, isIpv6: family === 'ipv6' });
    if (opened.socket === undefined || opened.port === undefined) throw new Error(`${this.host}: no socket at port ${port}`);
    return new AgentSocket(this, opened.socket, opened.port);
  }

  /** Answers whoever says something with this text. */
  async serveTcp(port: number, text: string): Promise<void> { await this.command({ do: 'serve-tcp', port, text }); }

  async fetchTcp(server: Endpoint, text = 'hello\n'): Promise<string | undefined> {
    return (await this.command({ do: 'fetch-tcp', server, text, withinMs: tcpWithinMs })).text;
  }

  end(): void { this.#child.stdin?.end(); }
}

export class AgentSocket {
  readonly #agent: Agent;
  readonly #socket: number;
  readonly port: number;

  constructor(agent: Agent, socket: number, port: number) {
    this.#agent = agent;
    this.#socket = socket;
    this.port = port;
  }

  /** Where the server sees this socket; undefined: no answer came. */
  async ask(server: Endpoint, reply: Reply = 'same', tries = triesDefault): Promise<string | undefined> {
    return (await this.#agent.command({ do: 'ask', socket: this.#socket, server, reply, tries })).mapped;
  }

  async say(word: string, to: Endpoint): Promise<void> { await this.#agent.command({ do: 'say', socket: this.#socket, word, to }); }

  /** Where the datagram with this word came from; undefined: it did not come. */
  async hear(word: string, withinMs = silenceMs): Promise<string | undefined> {
    return (await this.#agent.command({ do: 'hear', socket: this.#socket, word, withinMs })).from;
  }

  /** What came back; undefined: nothing. */
  async exchange(bytes: Uint8Array, to: Endpoint, tries = triesDefault): Promise<Buffer | undefined> {
    const answer = await this.#agent.command({ do: 'exchange', socket: this.#socket, bytes: Buffer.from(bytes).toString('hex'), to, tries });
    return answer.bytes === undefined ? undefined : Buffer.from(answer.bytes, 'hex');
  }

  /** With another socket that does the same at this time. */
  async punch(to: Endpoint, word: string, peerWord: string): Promise<Punched> {
    const { hears = false, isHeard = false } = await this.#agent.command({ do: 'punch', socket: this.#socket, word, peerWord, to, rounds: punchRounds });
    return { hears, isHeard };
  }
}
