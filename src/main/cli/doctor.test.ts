/** `waypost doctor`: its words, and the verb as a real process beside a visor that this test plays. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Handlers } from '../../shared/contract.ts';
import { WaypostError } from '../../shared/errors.ts';
import { known, notChecked, type FamilyReport, type NetworkReport } from '../../shared/network-report.ts';
import { serveCall } from '../../shared/transport.ts';
import { serveControlSocket, type ControlSocket } from '../host/control-socket.ts';
import { profileAt } from '../host/profile.ts';
import { doctorWords } from './doctor-words.ts';

const entry = path.join(import.meta.dirname, 'index.ts');
const slow = 60_000;

const absent = notChecked('no-address');
const ipv6: FamilyReport = { udpBlocked: absent, mapping: absent, filtering: absent, allocation: absent, mappingLifetimeMs: notChecked('not-learned'), hairpin: absent, doubleNat: absent, publicHosts: absent, onePublicHost: absent, pathMtuBytes: notChecked('not-learned') };
const ipv4: FamilyReport = {
  ...ipv6, udpBlocked: known(false, 9), mapping: known('address-and-port-dependent', 4), filtering: notChecked('too-much-loss'), allocation: known({ kind: 'random' }, 8), hairpin: notChecked('hidden-by-router'),
  doubleNat: notChecked('no-port-control'), publicHosts: known(['198.18.7.1'], 9), onePublicHost: known(true, 9),
};
const report: NetworkReport = {
  families: { ipv4, ipv6 }, ipv6Inbound: absent, captivePortal: known(false, 9), portControl: known('none', 5),
  relays: [{ relay: 'mill.example:7400', roundTripMs: known(20.6, 3) }, { relay: 'far.example:7400', roundTripMs: notChecked('no-answer') }],
  candidates: [{ kind: 'host', family: 'ipv4', host: '10.0.0.5', port: 7_400, isPortSure: true }, { kind: 'reflexive', family: 'ipv4', host: '198.18.7.1', port: 61_000, isPortSure: false }], isComplete: true,
};
const connection = { kind: 'offline', relaysConnected: 0, relaysConfigured: 2, waitingMessages: 0 } as const;

describe('what the doctor says', () => {
  it('has the sentences first, then every fact, the relays and the candidates', () => {
    const lines = doctorWords({ report, checkedAtMs: 1_000 }, connection, 1_100).split('\n');
    expect(lines[0]).toContain('gives every conversation its own port');
    expect(lines.find((line) => line.includes('UDP gets through'))).toMatch(/^ {2}yes {10}UDP gets through +Relays answer over UDP\.$/);
    expect(lines.find((line) => line.includes('same outer port'))).toMatch(/^ {2}no /);
    expect(lines.find((line) => line.includes('Anybody gets in'))).toMatch(/^ {2}not checked .*Too many packets were lost to be sure\.$/);
    expect(lines.find((line) => line.includes('UPnP'))).toMatch(/^ {2}not checked /);
    expect(lines).toContain('  mill.example:7400  21 ms');
    expect(lines).toContain('  far.example:7400   nothing answered');
    expect(lines).toContain('  10.0.0.5:7400         this computer');
    expect(lines.join('\n')).not.toContain('61000');
    expect(lines.at(-1)).toContain('198.18.7.1:(differs)');
  });
  it('says how old it is, and what to do without a relay', () => {
    expect(doctorWords({ report, checkedAtMs: 1_000 }, connection, 21_000)).toContain('Checked 20 seconds ago.');
    const nothing: NetworkReport = { ...report, families: { ipv4: ipv6, ipv6 }, captivePortal: notChecked('no-answer'), portControl: notChecked('no-port-control'), relays: [], candidates: [] };
    const words = doctorWords({ report: nothing, checkedAtMs: 1_000 }, { ...connection, relaysConfigured: 0 }, 1_000);
    expect(words).toMatch(/^There is no relay yet/);
    expect(words).not.toMatch(/^ {2}no /m);
  });
});

let directory: string;
let server: ControlSocket | undefined;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'waypost-cli-doctor-')));
  mkdirSync(path.join(directory, 'p'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function play(check: Handlers['network']['check']): Promise<void> {
  const handlers = { state: { snapshot: () => Promise.resolve({ sequence: 0, view: { connection } }) }, network: { check } } as unknown as Partial<Handlers>;
  server = await serveControlSocket(profileAt(path.join(directory, 'p')).controlAddress, { invoke: (call, argument) => serveCall(handlers, call, argument), listen: () => () => undefined });
}

function doctor(...words: readonly string[]): Promise<{ readonly code: number | null; readonly out: string; readonly error: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [entry, 'doctor', '--profile', path.join(directory, 'p'), ...words], { env: process.env });
    let [out, error] = ['', ''];
    child.stdout.on('data', (data: Buffer) => { out += data.toString('utf8'); });
    child.stderr.on('data', (data: Buffer) => { error += data.toString('utf8'); });
    child.on('close', (code) => { resolve({ code, out, error }); });
    child.stdin.end();
  });
}

describe('waypost doctor', () => {
  it('prints the report of the running visor, for people and for programs', async () => {
    await play(() => Promise.resolve({ report, checkedAtMs: Date.now() }));
    const [text, json] = await Promise.all([doctor(), doctor('--json')]);
    expect([text.code, text.error, json.code]).toEqual([0, '', 0]);
    expect(text.out).toContain('not checked');
    const value = JSON.parse(json.out) as { report: unknown; isRunning: boolean; lines: { code: string }[]; facts: { code: string; answer: string }[] };
    expect([value.report, value.isRunning]).toEqual([report, true]);
    expect(value.lines.map(({ code }) => code)).toContain('ipv4.mapping.address-and-port-dependent');
    expect(value.facts.find(({ code }) => code === 'ipv4.filtering')?.answer).toBe('not checked');
  }, slow);

  it('ends with 1 where no relay answered, with the report all the same', async () => {
    await play(() => Promise.resolve({ report: { ...report, relays: report.relays.slice(1) }, checkedAtMs: Date.now() }));
    const { code, out } = await doctor();
    expect([code, out]).toEqual([1, expect.stringContaining('Relays:')]);
  }, slow);

  it('says what is wrong with a stable code, and takes no words', async () => {
    await play(() => Promise.reject(new WaypostError('refused', 'This Waypost does not check its network.')));
    const [refused, misused, help] = await Promise.all([doctor(), doctor('--unknown'), doctor('--help')]);
    expect([refused.code, refused.error]).toEqual([1, expect.stringContaining('(refused)')]);
    expect(misused.code).toBe(2);
    expect([help.code, help.out]).toEqual([0, expect.stringContaining('Exit code')]);
  }, slow);
});
