/**
 * `scripts/fuzz.ts [--inputs 100000] [--seed S]`: a live relay is sent damaged, replayed, spoofed and random datagrams, hostile handshakes and probes, and
 * through real sessions authentic frames that say anything at all. It must live, go on serving, account for what it dropped by reason,
 * and need at most 64 MiB more memory than before. Then a visor fetches published data by name from a relay that lies (fuzz/lying-relay.ts). The last line is `N passed, N failed`.
 */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { SeededRandom } from '../sim/random.ts';
import { chooseCrypto, createRandomBytes } from '../src/main/host/crypto.ts';
import { countersOf, flood, type Counters } from './fuzz/flood.ts';
import { Generator } from './fuzz/generator.ts';
import { HostilePeer } from './fuzz/hostile-peer.ts';
import { signedRecords } from './fuzz/hostile-records.ts';
import { fuzzFetches, fuzzNameCodecs, keptMaximum } from './fuzz/lying-relay.ts';
import { residentBytes } from './fuzz/memory.ts';
import { beginPair, type Pair } from './fuzz/people.ts';
import { RecordingProxy } from './fuzz/recording-proxy.ts';
import type { Checks } from './processes/checks.ts';
import { countOption, parseOptions } from './processes/options.ts';
import { runScript } from './processes/script.ts';
import { untilTrue } from './processes/waiting.ts';
import { WaypostProcess } from './processes/waypost-process.ts';

const defaultInputs = 100_000;
const mebibyte = 1_024 * 1_024;
const memoryMaximumBytes = 64 * mebibyte;
/**
 * Code is compiled, bounded tables fill and the heap finds its working size in the first inputs: a quarter more than are counted, so that what
 * is compared is growth and not the difference between an idle process and a busy one.
 */
const warmUpShare = 0.25;
const warmUpMinimum = 10_000;
const warmUpMaximum = 200_000;
/** Half-made handshakes are forgotten after 10 s, and the garbage of a flood is collected when there is nothing else to do. */
const settleMs = 12_000;
const settleDeadlineMs = 60_000;
const deliverDeadlineMs = 60_000;
const certifiedPeers = 2;
const anonymousPeers = 2;
const strangers = 8;
/** Bodies for every way a letter takes: inside the deposit, and pulled in fragments. */
const genuineSizes = [10, 100, 600, 3_000, 12_000, 50_000, 20, 300] as const;
const seenShare = 0.98;
const accountedTolerance = 0.1;
const reasonsMinimum = 8;
/** What a relay does about a probe that it does not drop. */
const observeAnswers = ['answered', 'asked-other', 'passed-on'] as const;
/** Fetches from a lying relay: so many for each input, within bounds, since each takes seconds of virtual time. */
const fetchShare = 0.01;
const fetchesMinimum = 100;
const fetchesMaximum = 2_000;

const relayLine = z.object({ hint: z.string(), publicKey: z.string(), port: z.number(), processId: z.number() });

async function record(pair: Pair): Promise<void> {
  for (const size of genuineSizes) await pair.deliver(`${size} `.padEnd(size, 'x'), deliverDeadlineMs);
  await pair.reconnect();
  await pair.deliver('after a new start', deliverDeadlineMs);
}

async function openStrangers(): Promise<ReturnType<typeof createSocket>[]> {
  const sockets = Array.from({ length: strangers }, () => createSocket('udp4'));
  for (const socket of sockets) {
    socket.on('message', () => undefined);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  }
  return sockets;
}

async function openPeers(relayPort: number): Promise<HostilePeer[]> {
  const tools = { crypto: chooseCrypto().crypto, random: createRandomBytes(), relayPort };
  const peers = Array.from({ length: certifiedPeers + anonymousPeers }, (_, index) => new HostilePeer(tools, index < certifiedPeers, Date.now()));
  for (const peer of peers) {
    await peer.open();
    await peer.dial();
  }
  return peers;
}

/** What grew, by counter, without those that did not. */
function growth(before: Counters, after: Counters): ReadonlyMap<string, number> {
  return new Map(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const).filter(([, grown]) => grown > 0));
}

const sumOf = (counters: ReadonlyMap<string, number>, prefix: string): number => [...counters].reduce((sum, [name, value]) => (name.startsWith(prefix) ? sum + value : sum), 0);
const mebibytes = (bytes: number): string => `${(bytes / mebibyte).toFixed(1)} MiB`;

async function fuzz(checks: Checks, directory: string, inputs: number, seed: string): Promise<void> {
  process.stdout.write(`seed ${seed}, ${inputs} inputs\n`);
  const relay = new WaypostProcess(path.join(directory, 'relay'), ['relay', '--listen', '127.0.0.1:0', '--json']);
  const { publicKey, port, processId } = relayLine.parse(JSON.parse(await relay.firstLine()));
  const { client } = await relay.connect();
  const proxy = new RecordingProxy(port);
  const pair = await beginPair(directory, `${publicKey}@127.0.0.1:${await proxy.listen()}`);
  await record(pair);
  const { fromVisors, fromRelay } = proxy.corpus;
  const [peers, sockets] = [await openPeers(port), await openStrangers()];
  const firstBytes = residentBytes(processId) ?? 0;
  process.stdout.write(`recorded ${fromVisors.length} datagrams to the relay and ${fromRelay.length} from it; memory ${mebibytes(firstBytes)}\n`);

  try {
    const sources = { fromVisors, fromRelay, genuineSockets: proxy.genuineSockets, strangers: sockets, peers, crypto: chooseCrypto().crypto, relayPort: port };
    const warmUpInputs = Math.min(warmUpMaximum, Math.max(warmUpMinimum, Math.round(inputs * warmUpShare)));
    const warmUp = new Generator(`${seed} warm-up`, createRandomBytes(), sources);
    await flood(warmUp, peers, client, port, warmUpInputs, () => undefined);
    const before = await countersOf(client);
    const beforeBytes = residentBytes(processId) ?? 0;
    process.stdout.write(`memory after ${warmUpInputs} inputs to warm up: ${mebibytes(beforeBytes)}\n`);

    const generator = new Generator(seed, createRandomBytes(), sources);
    const answeredBefore = answered(peers);
    const startedMs = performance.now();
    let shownAt = 0;
    const { shortBatches } = await flood(generator, peers, client, port, inputs, (sent) => {
      if (sent - shownAt < inputs / 5) return;
      shownAt = sent;
      process.stdout.write(`${sent} sent, memory ${mebibytes(residentBytes(processId) ?? 0)}\n`);
    });
    const seconds = (performance.now() - startedMs) / 1000;
    const after = await countersOf(client);
    const grown = growth(before, after);
    const seen = grown.get('udp.receivedDatagrams') ?? 0;
    const drops = [...grown].filter(([name]) => name.includes('.drop.'));
    // A frame that is too short was an authentic input before it was dropped; it must not count twice.
    const dropped = sumOf(grown, 'session.drop.') - (grown.get('session.drop.bad-frame') ?? 0);
    const observed = sumOf(grown, 'observe.drop.') + observeAnswers.reduce((sum, name) => sum + (grown.get(`observe.${name}`) ?? 0), 0);
    const authentic = (generator.counts.get('frame') ?? 0) + (generator.counts.get('close') ?? 0);
    const accounted = dropped + observed + authentic + answered(peers) - answeredBefore;
    process.stdout.write(`${inputs} sent in ${seconds.toFixed(1)} s, ${Math.round(inputs / seconds)} a second; ${shortBatches} batches came incomplete\n`);
    process.stdout.write(`inputs: ${[...generator.counts].map(([kind, count]) => `${kind} ${count}`).join(', ')}\n`);
    process.stdout.write(`dropped: ${drops.map(([name, count]) => `${name.replace('.drop.', ' ')} ${count}`).join(', ')}\n`);

    checks.check('the relay lives', relay.isRunning);
    checks.check('it has seen nearly all inputs', seen >= inputs * seenShare, `${seen} of ${inputs}`);
    checks.check('it dropped for many different reasons', drops.length >= reasonsMinimum, `${drops.length} reasons`);
    checks.check('what it dropped, answered and took adds up to the inputs', Math.abs(accounted - inputs) <= inputs * accountedTolerance, `${accounted} of ${inputs}`);
    checks.check('records of published data were judged too', (after['mailbox.names-verified'] ?? 0) > 0, `${after['mailbox.names-verified'] ?? 0} signatures verified`);
    checks.check('probes without a true ticket were dropped, and some with one were answered', (grown.get('observe.drop.no-ticket') ?? 0) > 0 && (after['observe.answered'] ?? 0) > 0,
      `${sumOf(grown, 'observe.drop.')} dropped, ${after['observe.answered'] ?? 0} answered, ${after['observe.asked-other'] ?? 0} passed to others, ${after['observe.passed-on'] ?? 0} for others`);
    checks.check('authentic frames were judged too', sumOf(grown, 'request.drop.') > 0, `${sumOf(grown, 'request.drop.')} refused by the codecs`);
    checks.check('no engine was thrown away and no commit failed', (grown.get('host.engineRestarts') ?? 0) === 0 && (grown.get('host.storeFailures') ?? 0) === 0);

    await pause(settleMs);
    const text = 'still serving?';
    await pair.deliver(text, deliverDeadlineMs);
    checks.check('it still serves: a message of two others was delivered, once', await pair.timesKept(text) === 1);
    checks.check('within 64 MiB of its memory before', await settles(processId, beforeBytes), `${mebibytes(beforeBytes)} before, ${mebibytes(residentBytes(processId) ?? 0)} after`);
    checks.check('it ends cleanly', (await relay.stop()).code === 0);
  } finally {
    proxy.close();
    for (const socket of sockets) socket.close();
    for (const peer of peers) peer.close();
  }
}

/** Answers to handshakes that had no session as their aim: neither dropped nor a frame. */
const answered = (peers: readonly HostilePeer[]): number => peers.reduce((sum, peer) => sum + peer.answeredHandshakes, 0);

/** What is published under names, as a reader and a publisher meet it: the flood has shown the relay's side. */
function fuzzNames(checks: Checks, inputs: number, seed: string): void {
  const random = new SeededRandom(`${seed} names`);
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const codecs = fuzzNameCodecs(random, signedRecords(random, random.bytes(32), nowSeconds), inputs);
  const fetches = fuzzFetches(random, Math.min(fetchesMaximum, Math.max(fetchesMinimum, Math.round(inputs * fetchShare))));
  process.stdout.write(`names: ${codecs.decoded} of ${inputs} damaged records decoded; ${fetches.rounds} fetches from a lying relay: ${[...fetches.ends].map(([end, count]) => `${end} ${count}`).join(', ')}\n`);
  checks.check('records and answers of published data are read or refused, and nothing is out of bounds', codecs.wrong === 0 && codecs.decoded > 0, `${codecs.wrong} wrong`);
  checks.check('a lying relay makes nothing throw', fetches.thrown === undefined, fetches.thrown);
  checks.check('what a lying relay says is believed exactly when the publisher signed it for that name', fetches.misjudged === 0 && (fetches.ends.get('found') ?? 0) > 0, `${fetches.misjudged} misjudged`);
  checks.check('records that are not believed are counted', fetches.badRecords > 0, `${fetches.badRecords} counted`);
  checks.check('a reader keeps a bounded number of what never came', fetches.mostKept <= keptMaximum, `${fetches.mostKept} at most`);
  checks.check('a publisher goes on until its relay holds what is published', fetches.isHeldInTheEnd);
}

async function settles(processId: number, beforeBytes: number): Promise<boolean> {
  try {
    await untilTrue('memory given back', settleDeadlineMs, () => (residentBytes(processId) ?? Infinity) - beforeBytes <= memoryMaximumBytes);
    return true;
  } catch {
    return false;
  }
}

const options = parseOptions(process.argv.slice(2), ['inputs', 'seed']);
const seed = options.get('seed') ?? randomBytes(4).toString('hex');
const inputs = countOption(options, 'inputs', defaultInputs);
process.exitCode = await runScript('fuzz', async (checks, directory) => {
  await fuzz(checks, directory, inputs, seed);
  fuzzNames(checks, inputs, seed);
  if (checks.failed > 0) process.stdout.write(`play it again: --inputs ${inputs} --seed ${seed}\n`);
});
