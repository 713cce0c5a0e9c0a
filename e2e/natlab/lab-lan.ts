/**
 * `node e2e/natlab/lab-lan.ts [--ipv6]`, as root: whether two contacts in one LAN write to each other with no relay and no Internet.
 *
 * Two visors behind one router become contacts through a relay outside. Then the relay ends, the router's cable is pulled, and both visors are started anew: nothing is left of what they
 * had with each other but that they are contacts. From then on each writes to the other. It fails where they do not find each other, where a letter is lost or
 * comes twice, and where they do not find each other again after one of them was started once more. Then one of them marks the network as not trusted: they must not find each other
 * until it is trusted again. With `--ipv6` the LAN has no addresses but the link-local ones of IPv6 by then. Times are printed and not asserted. Where a laboratory cannot be built it says what is missing and ends with `0 passed, 0 failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { until } from '../../scripts/processes/waiting.ts';
import { Letters } from './lab-letters.ts';
import { LabVisor, startRelay, type LabRelay } from './lab-visor.ts';
import { extendPath, Lab, missingRequirements } from './lab.ts';

const { values } = parseArgs({ options: { ipv6: { type: 'boolean', default: false } } });
const relayPort = 7_400;
const hosts = ['left', 'right'] as const;
const router = 'home';
const patienceMs = 30_000;
/** After a network was marked nothing may happen; questions would have been asked three times by then. */
const silenceMs = 15_000;
const writeForMs = 3_000;
const letterPatienceMs = 20_000;

let [passed, failed] = [0, 0];
function check(name: string, isGood: boolean, detail: string): void {
  if (isGood) passed += 1;
  else failed += 1;
  process.stdout.write(`${isGood ? 'ok    ' : 'FAILED'} ${name}  ${detail}\n`);
}

const pathKind = async ({ client }: LabVisor, other: LabVisor): Promise<string | undefined> => (await client.peers.list()).peers.find(({ publicKey }) => publicKey === other.publicKey)?.paths[0]?.kind;

async function becomeContacts(visors: readonly [LabVisor, LabVisor], hint: string): Promise<void> {
  const [left, right] = visors;
  for (const { client } of visors) {
    await client.relays.add({ hint });
    await until('the relay', patienceMs, async () => (await client.state.snapshot()).view.connection.relaysConnected === 1 ? true : undefined);
  }
  const { link } = await left.client.invites.create();
  await right.client.contacts.add({ link });
  const letters = [new Letters(right, left), new Letters(left, right)] as const;
  letters[0].start();
  await until('both to be contacts', patienceMs, async () => (await left.client.state.snapshot()).view.conversations.some(({ publicKey }) => publicKey === right.publicKey) ? true : undefined);
  letters[1].start();
  await pause(writeForMs);
  const counts = await Promise.all(letters.map((one) => one.end(letterPatienceMs)));
  check('letters with a relay outside', counts.every(({ lost, doubled }) => lost === 0 && doubled === 0), counts.map(({ sent, lost, doubled }) => `${String(sent)}/${String(lost)}/${String(doubled)}`).join('  '));
}

/** Both write at once: each letter is to be delivered, once, by a session in the LAN. */
async function write(name: string, [left, right]: readonly [LabVisor, LabVisor]): Promise<void> {
  const startedMs = performance.now();
  const sent = await Promise.all([left, right].map((from, index) => from.client.messages.send({ to: (index === 0 ? right : left).publicKey, text: `${name} ${String(index)}` })));
  const arrivedMs = await Promise.all([left, right].map(async (from, index) => {
    const id = sent[index]?.id ?? '';
    return until(`a letter ${name}`, patienceMs, async () => ((await from.client.messages.hops({ messageId: id })).hops.some(({ kind, future }) => kind === 'delivered' && !future) ? performance.now() - startedMs : undefined)).catch(() => undefined);
  }));
  const kinds = [await pathKind(left, right), await pathKind(right, left)];
  const copies = await Promise.all([left, right].map(async (to, index) => {
    let count = 0;
    for (let afterRow = 0; ;) {
      const { messages, nextRow } = await to.client.messages.inbox({ afterRow, limit: 200 });
      count += messages.filter(({ text }) => text === `${name} ${String(1 - index)}`).length;
      if (messages.length === 0) return count;
      afterRow = nextRow;
    }
  }));
  check(name, arrivedMs.every((ms) => ms !== undefined) && copies.every((count) => count === 1) && kinds.every((kind) => kind === 'lan'),
    `delivered after ${arrivedMs.map((ms) => (ms === undefined ? 'never' : `${ms.toFixed(0)} ms`)).join(', ')}; copies ${copies.join(', ')}; ${kinds.map((kind) => kind ?? 'no session').join(' / ')}`);
}

/** They come when the interface does, and take a second to be found to be nobody else's. */
function leaveLinkLocal(lab: Lab, host: string): void {
  const [program = '', ...words] = lab.commandLine(host, ['sh', '-c', 'for each in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 > $each; done; ip addr flush dev eth0; ip link set eth0 down; ip link set eth0 up; sleep 3']);
  if (spawnSync(program, words).status !== 0) throw new Error(`${host} has no IPv6`);
}

async function run(lab: Lab, folder: string): Promise<void> {
  await lab.up({ publicHosts: ['relay1'], routers: [{ name: router, kind: 'port-restricted', hosts: [...hosts], options: {} }] });
  const relay: LabRelay = await startRelay(lab, 'relay1', folder, relayPort, 0);
  const directories = hosts.map((host) => path.join(folder, host));
  const [leftFolder = '', rightFolder = ''] = directories;
  let left = await LabVisor.start(lab, 'left', leftFolder);
  let right = await LabVisor.start(lab, 'right', rightFolder);
  try {
    await becomeContacts([left, right], `${relay.publicKey}@${lab.addresses('relay1')[0] ?? ''}:${String(relayPort)}`);
    await Promise.all([left.stop(), right.stop(), relay.stop()]);
    await lab.setLink(router, 'down');
    if (values.ipv6) for (const host of hosts) leaveLinkLocal(lab, host);
    [left, right] = await Promise.all([LabVisor.again(lab, 'left', leftFolder, left.publicKey), LabVisor.again(lab, 'right', rightFolder, right.publicKey)]);
    await write('with no relay and no Internet', [left, right]);
    await right.stop();
    right = await LabVisor.again(lab, 'right', rightFolder, right.publicKey);
    await write('after one was started again', [left, right]);
    await right.client.network.trust({ trusted: false });
    await Promise.all([left.stop(), right.stop()]);
    [left, right] = await Promise.all([LabVisor.again(lab, 'left', leftFolder, left.publicKey), LabVisor.again(lab, 'right', rightFolder, right.publicKey)]);
    await left.client.messages.send({ to: right.publicKey, text: 'nobody is found' });
    await pause(silenceMs);
    const [kind, lan] = [await pathKind(left, right), await right.client.network.lan()];
    check('in a network that is not trusted', kind === undefined && lan.state === 'untrusted', `${kind ?? 'no session'}, ${lan.state}`);
    await right.client.network.trust({ trusted: true });
    await write('once it is trusted again', [left, right]);
  } finally {
    await Promise.all([left.stop(), right.stop(), relay.stop()]);
  }
}

extendPath();
const missing = missingRequirements();
if (missing.length > 0) process.stdout.write(`\n*** LAN DISCOVERY WAS NOT TESTED: this machine cannot carry a laboratory. Missing:\n${missing.map((sentence) => `***   ${sentence}\n`).join('')}\n0 passed, 0 failed\n`);
else {
  const lab = new Lab('natlab-lan');
  const callOff = lab.guard();
  const folder = mkdtempSync(path.join(tmpdir(), 'natlab-lan-'));
  await run(lab, folder).finally(async () => {
    await lab.down();
    await callOff();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
