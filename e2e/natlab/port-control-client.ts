/**
 * `node e2e/natlab/port-control-client.ts`: runs Waypost's client of port control behind real routers of a laboratory, one for each thing that a router can offer, and
 * checks by strangers who get in, or do not, that what it reports is true. Each check is a line, the last line is `N passed, N failed`. Where a laboratory cannot be built
 * it says what is missing, checks nothing and ends with `0 passed, 0 failed` and exit code 0.
 *
 * It asserts no time: what has to happen is waited for, generously, and days pass by putting clocks forward. What must not come is waited for in vain for a moment.
 */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Checks } from '../../scripts/processes/checks.ts';
import { Agent, type AgentSocket } from './agent.ts';
import { extendPath, Lab, missingRequirements, type RouterItem } from './lab.ts';
import { portControls, type PortControl } from './translator/policy.ts';
import type { ClientCommand, ClientLine } from './port-control-agent.ts';
import type { PortControlReport } from '../../src/main/host/port-control-host.ts';

const labName = 'natlab-port-control';
const program = path.join(import.meta.dirname, 'port-control-agent.ts');
const stranger = 'relay';
const grantSeconds = 600;
/** More than 5/8 of it, when the client has to have renewed, and less than all of it by more than any machine takes for the two commands. */
const ageSeconds = 450;
/** For what has to happen; a hanging client fails instead of hanging the script. */
const patienceMs = 15_000;
/** For what must not happen. */
const silenceMs = 400;
const pollMs = 10;

const routerOf = (offer: PortControl): string => `r-${offer}`;
const hostOf = (offer: PortControl): string => `h-${offer}`;
const inner = { router: 'inner', host: 'h-inner' } as const;

const routers: readonly RouterItem[] = [
  ...portControls.map((offer): RouterItem => ({ name: routerOf(offer), kind: 'translator', hosts: [hostOf(offer)], options: { portControl: offer, grantMaximumSeconds: grantSeconds, filtering: 'port' } })),
  { name: inner.router, kind: 'translator', behind: routerOf('off'), hosts: [inner.host], options: { portControl: 'both' } },
];

type Mapped = PortControlReport & { readonly kind: 'mapped' };

/** The client in one host, and what it told. */
class Client {
  readonly #child: ChildProcess;
  readonly #reports: PortControlReport[] = [];
  readonly #words = new Set<string>();
  /** Reports up to here were looked at. */
  #seen = 0;

  constructor(lab: Lab, host: string) {
    this.#child = lab.start(host, process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin?.on('error', () => undefined);
    if (this.#child.stdout === null) return;
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as ClientLine;
      if ('report' in told) this.#reports.push(told.report);
      else if ('word' in told) this.#words.add(told.word);
    });
  }

  command(command: ClientCommand): void { this.#child.stdin?.write(`${JSON.stringify(command)}\n`); }

  /** The next report of this kind; undefined: it did not come. */
  async next(kind: PortControlReport['kind']): Promise<PortControlReport | undefined> {
    const endMs = performance.now() + patienceMs;
    while (performance.now() < endMs) {
      while (this.#seen < this.#reports.length) {
        const report = this.#reports[this.#seen];
        this.#seen += 1;
        if (report?.kind === kind) return report;
      }
      await pause(pollMs);
    }
    return undefined;
  }

  async mapped(): Promise<Mapped | undefined> {
    const report = await this.next('mapped');
    return report?.kind === 'mapped' ? report : undefined;
  }

  async hears(word: string, withinMs: number): Promise<boolean> {
    const endMs = performance.now() + withinMs;
    while (!this.#words.has(word) && performance.now() < endMs) await pause(pollMs);
    return this.#words.has(word);
  }

  get reports(): readonly PortControlReport[] { return this.#reports; }
  end(): void { this.#child.stdin?.end(); }
}

let words = 0;

class Bench {
  readonly lab: Lab;
  readonly #checks: Checks;
  #stranger: AgentSocket | undefined;

  constructor(lab: Lab, checks: Checks) {
    this.lab = lab;
    this.#checks = checks;
  }

  async begin(): Promise<void> {
    await this.lab.up({ publicHosts: [stranger], routers });
    this.#stranger = await new Agent(this.lab, stranger).open();
  }

  check(promise: string, holds: boolean, found: unknown): void {
    this.#checks.check(promise, holds, holds && process.env['VERBOSE'] === undefined ? '' : JSON.stringify(found));
  }

  /** Whether a stranger gets in where the client says that it is reached. */
  async letsIn(client: Client, report: PortControlReport | undefined, withinMs: number): Promise<boolean> {
    if (report?.kind !== 'mapped') return false;
    words += 1;
    const word = `knock-${words}`;
    await this.#stranger?.say(word, { address: report.external.host, port: report.external.port });
    return client.hears(word, withinMs);
  }

  /** The router's time and the client's. */
  async age(client: Client, router: string): Promise<void> {
    await this.lab.age(router, ageSeconds);
    client.command({ do: 'age', seconds: ageSeconds });
  }
}

async function offering(bench: Bench, offer: Exclude<PortControl, 'off'>): Promise<void> {
  const { lab } = bench;
  const [router, client] = [routerOf(offer), new Client(lab, hostOf(offer))];
  const about = (promise: string): string => `port-control=${offer}: ${promise}`;
  const method = offer === 'nat-pmp' ? 'nat-pmp' : 'pcp';
  const address = lab.addresses(router)[0];

  const first = await client.mapped();
  bench.check(about('a mapping is made, and the external address is the router\'s'), first?.method === method && first.external.host === address && first.lifetimeSeconds === grantSeconds, [first, address, client.reports]);
  bench.check(about('strangers get in there'), await bench.letsIn(client, first, patienceMs), first);

  await bench.age(client, router);
  const second = await client.mapped();
  await bench.age(client, router);
  const third = await client.mapped();
  bench.check(about('it is renewed before its end, with the same port'), second?.external.port === first?.external.port && third?.external.port === first?.external.port && await bench.letsIn(client, third, patienceMs), [first, second, third]);

  await lab.rebind(router);
  const lost = !await bench.letsIn(client, third, silenceMs);
  await bench.age(client, router);
  const fourth = await client.mapped();
  bench.check(about('after a restart of the router it is made anew'), lost && fourth !== undefined && await bench.letsIn(client, fourth, patienceMs), [lost, third, fourth]);

  await lab.rebind(router, 'address');
  client.command({ do: 'changed' });
  const fifth = await client.mapped();
  bench.check(about('with another address of the router it has that'), fifth?.external.host === lab.addresses(router)[0] && fifth?.external.host !== address && await bench.letsIn(client, fifth, patienceMs), [address, fifth]);

  client.command({ do: 'stop' });
  const stopped = await client.next('idle');
  bench.check(about('when the client stops, the mapping is gone before its end'), stopped !== undefined && !await bench.letsIn(client, fifth, silenceMs), stopped);
  client.end();
}

/** What a router offers may change while it is used. */
async function changing(bench: Bench): Promise<void> {
  const { lab } = bench;
  const [router, client] = [routerOf('both'), new Client(lab, hostOf('both'))];
  await client.mapped();
  await lab.setNat(router, 'translator', { portControl: 'nat-pmp' });
  await bench.age(client, router);
  const other = await client.mapped();
  bench.check('a router that has NAT-PMP alone from now on is followed', other?.method === 'nat-pmp' && await bench.letsIn(client, other, patienceMs), other);
  await lab.setNat(router, 'translator', { portControl: 'off' });
  client.command({ do: 'changed' });
  bench.check('one that has neither from now on gives none', await client.next('none') !== undefined, client.reports);
  client.end();
}

async function nothing(bench: Bench): Promise<void> {
  const client = new Client(bench.lab, hostOf('off'));
  const none = await client.next('none');
  bench.check('port-control=off: gives none', none !== undefined && client.reports.every(({ kind }) => kind === 'checking' || kind === 'none'), client.reports);
  client.command({ do: 'stop' });
  bench.check('port-control=off: stopping ends too', await client.next('idle') !== undefined, client.reports);
  client.end();
}

async function behindTwo(bench: Bench): Promise<void> {
  const client = new Client(bench.lab, inner.host);
  const report = await client.mapped();
  bench.check('behind two routers the outer address of the inner one is told as it is', report?.external.host === bench.lab.addresses(inner.router)[0], [report, bench.lab.addresses(inner.router)]);
  client.end();
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stdout.write(`\n*** PORT CONTROL WAS NOT TESTED AT REAL ROUTERS: this machine cannot carry a laboratory. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const checks = new Checks();
  const lab = new Lab(labName);
  const callOff = lab.guard();
  try {
    const bench = new Bench(lab, checks);
    await bench.begin();
    const both = async (): Promise<void> => {
      await offering(bench, 'both');
      await changing(bench);
    };
    // Each has a router of its own.
    const ends = await Promise.allSettled([nothing(bench), offering(bench, 'pcp'), offering(bench, 'nat-pmp'), both(), behindTwo(bench)]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } catch (error) {
    checks.check('the script runs to its end', false, error instanceof Error ? error.stack : String(error));
  }
  await lab.down();
  await callOff();
  process.exitCode = checks.finish();
}
