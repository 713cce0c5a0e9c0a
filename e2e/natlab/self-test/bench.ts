/** What the checks share: laboratories driven by the command, as a person would, and probes inside of their hosts. */
import { spawnSync, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent } from '../agent.ts';
import { Lab } from '../lab.ts';
import type { Endpoint } from '../probe-datagrams.ts';
import type { Checks } from '../../../scripts/processes/checks.ts';

export const firstLab = 'natlab-self-test';
/** Its name begins with the other's: taking that down must leave it alone. */
export const secondLab = 'natlab-self-test-2';
const command = path.join(import.meta.dirname, '../natlab.ts');
const probeProgram = path.join(import.meta.dirname, '../probe.ts');
const serveWithinMs = 10_000;
const serverPort = 3_478;

const topology = `
public relay
public relay2
router full full-cone hosts=full1,full2
router rest restricted hosts=rest1
router port port-restricted hosts=port1,port2
router keep port-restricted ports=preserve hosts=keep1,keep2
router hair port-restricted hairpin=on hosts=hair1
router hairf full-cone hairpin=on hosts=hairf1
router sym symmetric hosts=sym1
router sym2 symmetric hosts=symb1
router block udp-blocked hosts=block1
router home cgnat hosts=home1
router hard cgnat carrier=symmetric hosts=hard1
router open none hosts=open1
router twin port-restricted lan=192.168.1 hosts=twin1
router twin2 port-restricted lan=192.168.1 hosts=twinb1
`;

export interface VerbEnd { readonly code: number | null; readonly output: string; readonly errors: string }

/** One verb of the command, whatever comes of it. */
export function verb(lab: string, words: readonly string[], input = ''): VerbEnd {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, '--lab', lab, ...words], { encoding: 'utf8', input });
  return { code: status, output: stdout.trim(), errors: stderr.trim() };
}

/** What a probe may find; a field that it did not print is undefined. */
export interface Finding {
  readonly class?: string;
  readonly mapping?: string;
  readonly filtering?: string;
  readonly hairpin?: boolean;
  readonly preservesPort?: boolean;
  readonly routers?: number;
  readonly mapped?: string;
  readonly whole?: boolean;
  readonly mbit?: number;
  readonly direct?: boolean;
  readonly received?: number;
  readonly loss?: number;
  readonly min?: number;
  readonly p90?: number;
  readonly late?: number;
  readonly twice?: number;
  readonly last?: number;
}

export interface Server { readonly addresses: readonly string[]; readonly child: ChildProcess }

function startProbe(lab: string, host: string, words: readonly (string | number)[]): { readonly child: ChildProcess; readonly text: () => string } {
  const child = new Lab(lab).start(host, process.execPath, [probeProgram, ...words.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  return { child, text: () => text.trim() };
}

/** The measuring server on a public host. */
export async function serve(lab: string, host: string): Promise<Server> {
  const addresses = verb(lab, ['addr', host]).output.split('\n');
  const { child, text } = startProbe(lab, host, ['serve', ...addresses]);
  for (const untilMs = Date.now() + serveWithinMs; Date.now() < untilMs && !text().includes('serving');) await pause(20);
  return { addresses, child };
}

/** The line that a probe prints. */
export async function probeLine(lab: string, host: string, ...words: readonly (string | number)[]): Promise<string> {
  const { child, text } = startProbe(lab, host, words);
  await new Promise((resolve) => { child.once('close', resolve); });
  return text();
}

export class Bench {
  readonly checks: Checks;
  readonly server: Server;
  readonly #agents = new Map<string, Agent>();

  private constructor(checks: Checks, server: Server) {
    this.checks = checks;
    this.server = server;
  }

  static async begin(checks: Checks): Promise<Bench> {
    // What a crashed run may have left: a half-built laboratory without its record.
    done(firstLab, ['up', '-'], 'public relay\nrouter a full-cone hosts=h\nnetem h delay=1ms\n');
    rmSync(`/run/natlab/${firstLab}/state.json`);
    const startedMs = performance.now();
    done(firstLab, ['up', '-'], topology);
    checks.check('comes up over a crashed one', true, `${(performance.now() - startedMs).toFixed(0)} ms`);
    return new Bench(checks, await serve(firstLab, 'relay'));
  }

  get endpoint(): Endpoint { return { address: this.serverAddress, port: serverPort }; }

  agent(host: string): Agent {
    const known = this.#agents.get(host) ?? new Agent(new Lab(firstLab), host);
    this.#agents.set(host, known);
    return known;
  }

  get serverAddress(): string { return this.server.addresses[0] ?? ''; }

  /** A verb that has to succeed. */
  lab(...words: readonly string[]): string { return done(firstLab, words); }

  async probe(host: string, ...words: readonly (string | number)[]): Promise<Finding> {
    return JSON.parse(await probeLine(firstLab, host, ...words)) as Finding;
  }

  classify(host: string): Promise<Finding> { return this.probe(host, 'classify', ...this.server.addresses); }
  ping(host: string, ...words: readonly (string | number)[]): Promise<Finding> { return this.probe(host, 'ping', this.serverAddress, ...words); }

  /** The public address and port of a host's socket. */
  mapped(host: string, boundPort = 0, serverAddress = this.serverAddress): Promise<string> {
    return probeLine(firstLab, host, 'mapped', serverAddress, '--bind', boundPort);
  }

  check(promise: string, holds: boolean, found: unknown): void {
    this.checks.check(promise, holds, holds && process.env['VERBOSE'] === undefined ? '' : JSON.stringify(found));
  }
}

function done(lab: string, words: readonly string[], input = ''): string {
  const { code, output, errors } = verb(lab, words, input);
  if (code !== 0) throw new Error(`natlab ${words.join(' ')}: exit code ${String(code)}: ${errors}`);
  return output;
}

export const portOf = (mapped: string): string => mapped.split(':')[1] ?? '';
export const hostOf = (mapped: string): string => mapped.split(':')[0] ?? '';
export const isBetween = (value: number | undefined, low: number, high: number): boolean => value !== undefined && value >= low && value <= high;
