/**
 * `node e2e/natlab/doctor.ts`: runs `waypost doctor` behind every kind of router that the laboratory has, with two relays outside, and compares what it says with what
 * the laboratory knows (doctor-places.ts). Each place is a line, the last line is `N passed, N failed`. Where a laboratory cannot be built it says what is missing, checks
 * nothing and ends with `0 passed, 0 failed` and exit code 0.
 *
 * A place passes when everything that can be found out there was found, and nothing else was told: what nobody could check has to be "not checked". It asserts no
 * time, but prints how long the doctor took, process and all. What a busy machine kept from being found may be found by a second look; what is wrong may not.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Checks } from '../../scripts/processes/checks.ts';
import { createIdentitySecret } from '../../src/main/host/identity-setup.ts';
import { createProfileDirectory, profileAt } from '../../src/main/host/profile.ts';
import { createLocalKey, createVault } from '../../src/main/host/vault.ts';
import { startVisorRuntime } from '../../src/main/host/visor-runtime.ts';
import { networkReportSchema } from '../../src/shared/network-report-schema.ts';
import type { FamilyReport, Known, NetworkReport, PortAllocation } from '../../src/shared/network-report.ts';
import { carrierName } from './topology.ts';
import { places, publicHost, type Place, type Truth } from './doctor-places.ts';
import { extendPath, Lab, missingRequirements } from './lab.ts';

const labName = 'natlab-doctor';
const entry = path.join(import.meta.dirname, '../../src/main/cli/index.ts');
const relays = ['relay1', 'relay2'] as const;
const relayPort = 7_400;
/** Processes at a time: more would wait for each other longer than the doctor does for answers. */
const sideBySide = 3;
const startPatienceMs = 30_000;

interface Ended { readonly code: number | null; readonly out: string; readonly error: string; readonly tookMs: number }

class Bench {
  readonly lab: Lab;
  readonly folder: string;
  readonly hints = new Map<string, string>();
  readonly #relays: (() => void)[] = [];

  constructor(lab: Lab, folder: string) {
    this.lab = lab;
    this.folder = folder;
  }

  async begin(): Promise<void> {
    await this.lab.up({ publicHosts: [...relays, publicHost], routers: places.flatMap(({ routers }) => routers) });
    await Promise.all(relays.map((relay) => this.#startRelay(relay)));
  }

  end(): void { for (const stop of this.#relays) stop(); }

  waypost(host: string, ...words: readonly string[]): Promise<Ended> {
    const startedMs = performance.now();
    return new Promise((resolve) => {
      const child = this.lab.start(host, process.execPath, [entry, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
      let [out, error] = ['', ''];
      child.stdout?.on('data', (data: Buffer) => { out += data.toString(); });
      child.stderr?.on('data', (data: Buffer) => { error += data.toString(); });
      child.once('close', (code) => { resolve({ code, out, error, tookMs: performance.now() - startedMs }); });
    });
  }

  /** A person of that place, with both relays. Made here, where nobody is reached: in its place the doctor shall be the first. */
  async prepare(place: Place): Promise<string> {
    const profile = profileAt(path.join(this.folder, place.host));
    createProfileDirectory(profile);
    const contents = { identitySecret: createIdentitySecret(), localKey: createLocalKey() };
    await createVault(profile.identityFile, contents, { kind: 'file' }, { name: place.name, wordsConfirmed: true, nowMs: Date.now() });
    const runtime = await startVisorRuntime({
      directory: profile.directory, ...contents, initialName: place.name, visor: true, relay: undefined, listenHost: '127.0.0.1', listenPort: 0, confirmClock: false, notices: [],
    });
    for (const relay of relays) {
      const [key = ''] = (this.hints.get(relay) ?? '').split('@');
      const host = place.byIpv6 === true ? this.lab.ipv6Address(relay) : this.lab.addresses(relay)[0];
      if (host === undefined) throw new Error(`${relay} has no address`);
      await runtime.command({ name: 'add-relay', hint: { publicKey: key, host, port: relayPort }, role: 'own' });
    }
    await runtime.stop();
    return profile.directory;
  }

  #startRelay(relay: string): Promise<void> {
    const profile = path.join(this.folder, relay);
    mkdirSync(profile);
    const child = this.lab.start(relay, process.execPath, [entry, 'relay', '--listen', `*:${String(relayPort)}`, '--observe-port', relay === relays[0] ? String(relayPort + 1) : '0', '--profile', profile], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#relays.push(() => { child.kill(); });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => { reject(new Error(`${relay} did not start`)); }, startPatienceMs);
      if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', (line) => { clearTimeout(timer); this.hints.set(relay, line); resolve(); });
    });
  }
}

function said({ state, ...rest }: Known<boolean | string | PortAllocation>): string | boolean | undefined {
  if (state === 'not-checked' || !('value' in rest)) return undefined;
  return typeof rest.value === 'object' ? rest.value.kind : rest.value;
}

/** What was told, by the names of what the laboratory knows. */
function found(report: NetworkReport, place: Place): Omit<Truth, 'isTranslated'> {
  const family: FamilyReport = report.families[place.byIpv6 === true ? 'ipv6' : 'ipv4'];
  const { udpBlocked, mapping, filtering, allocation, hairpin, doubleNat } = family;
  const facts = { udpBlocked, mapping, filtering, allocation, hairpin, doubleNat, portControl: report.portControl, captivePortal: report.captivePortal };
  return Object.fromEntries(Object.entries(facts).flatMap(([name, fact]) => (said(fact) === undefined ? [] : [[name, said(fact)]])));
}

interface Comparison { readonly wrong: readonly string[]; readonly missing: readonly string[] }

function compare(bench: Bench, place: Place, report: NetworkReport): Comparison {
  const { isTranslated, ...truth } = place.truth;
  const told = new Map<string, string | boolean>(Object.entries(found(report, place)));
  const expected = new Map<string, string | boolean>(Object.entries(truth));
  const wrong = [...told].filter(([name, value]) => expected.get(name) !== value).map(([name, value]) => `${name} ${String(value)} instead of ${String(expected.get(name) ?? 'not checked')}`);
  const missing = [...expected.keys()].filter((name) => !told.has(name));
  return isTranslated === undefined ? { wrong, missing } : withAddresses(bench, place, report, { wrong, missing });
}

/** From where relays see it, and where others may reach it. */
function withAddresses({ lab }: Bench, place: Place, report: NetworkReport, { wrong, missing }: Comparison): Comparison {
  const outermost = place.routers[0];
  const node = place.truth.isTranslated !== true || outermost === undefined ? place.host : outermost.kind === 'cgnat' ? carrierName(outermost.name) : outermost.name;
  const own = place.byIpv6 === true ? [lab.ipv6Address(place.host) ?? ''] : lab.addresses(node);
  const { publicHosts } = report.families[place.byIpv6 === true ? 'ipv6' : 'ipv4'];
  const strangers = publicHosts.state === 'known' ? publicHosts.value.filter((host) => !own.includes(host)) : [];
  const isMapped = (place.truth.portControl === 'pcp' || place.truth.portControl === 'nat-pmp') && place.truth.doubleNat === false;
  const kind = isMapped ? 'mapped' : place.truth.isTranslated === true ? 'reflexive' : 'host';
  const hasPlace = report.candidates.some((candidate) => candidate.kind === kind && own.includes(candidate.host));
  const unanswered = report.relays.filter(({ roundTripMs }) => roundTripMs.state === 'not-checked').map(({ relay }) => `round trip to ${relay}`);
  return { wrong: [...wrong, ...strangers.map((host) => `seen at ${host} instead of ${own.join(' or ')}`)], missing: [...missing, ...(hasPlace ? [] : [`a ${kind} candidate`]), ...unanswered] };
}

async function visit(bench: Bench, place: Place, checks: Checks): Promise<void> {
  const profile = await bench.prepare(place);
  let comparison: Comparison = { wrong: [], missing: ['a report'] };
  let detail = '';
  for (let look = 0; look < 2 && comparison.wrong.length === 0 && comparison.missing.length > 0; look += 1) {
    const { out, error, code, tookMs } = await bench.waypost(place.host, 'doctor', '--json', '--profile', profile);
    const report = reportOf(out);
    comparison = report === undefined ? { wrong: [`no report: code ${String(code)}, ${error.slice(0, 300)}`], missing: [] } : compare(bench, place, report);
    const facts = report === undefined ? [] : Object.entries(found(report, place)).map(([name, value]) => `${name} ${String(value)}`);
    detail = `${(tookMs / 1_000).toFixed(1)} s${look === 0 ? '' : ', at a second look'}: ${facts.length === 0 ? 'all not checked' : facts.join(', ')}`;
    if (process.env['VERBOSE'] !== undefined) process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  const problems = [...comparison.wrong, ...comparison.missing.map((name) => `${name} is missing`)];
  checks.check(place.name, problems.length === 0, [...problems, detail].join('; '));
}

function reportOf(out: string): NetworkReport | undefined {
  try {
    const value: unknown = JSON.parse(out);
    return typeof value === 'object' && value !== null && 'report' in value ? networkReportSchema.parse(value.report) : undefined;
  } catch {
    return undefined;
  }
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) {
  process.stdout.write(`\n*** THE DOCTOR WAS NOT TESTED BEHIND REAL ROUTERS: this machine cannot carry a laboratory. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
} else {
  const checks = new Checks();
  const startedMs = performance.now();
  const lab = new Lab(labName);
  const callOff = lab.guard();
  const bench = new Bench(lab, mkdtempSync(path.join(tmpdir(), 'natlab-doctor-')));
  try {
    await bench.begin();
    const [only] = process.argv.slice(2);
    const waiting = places.filter(({ name }) => only === undefined || name === only);
    await Promise.all(Array.from({ length: sideBySide }, async () => {
      for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) await visit(bench, place, checks);
    }));
  } catch (error) {
    checks.check('the script runs to its end', false, error instanceof Error ? error.stack : String(error));
  }
  bench.end();
  await lab.down();
  await callOff();
  rmSync(bench.folder, { recursive: true, force: true, maxRetries: 5 });
  process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(1)} s\n`);
  process.exitCode = checks.finish();
}
