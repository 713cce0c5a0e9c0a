/**
 * The link emulator: delays, drops, slows and reorders the frames of one link. `emulator.ts CONFIGURATION PIDFILE`, started by links.ts; SIGHUP reads the
 * configuration again. The kernel hands over the frames of both ends as VXLAN datagrams (RFC 7348), and gets them back the same way.
 */
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fillChecksum, isAddressResolution, vxlanHeaderBytes, writeVxlanHeader } from './frame.ts';
import { Schedule } from './schedule.ts';
import type { EmulatorConfiguration, EmulatorCounts, EmulatorEnd } from './emulator-files.ts';
import type { LinkCounts } from './model.ts';

const [configurationFile = '', pidFile = ''] = process.argv.slice(2);
const bufferBytes = 4 * 1_048_576;
const countsEveryMs = 500;
const queueDefaultMs = 200;
const gapDefaultMs = 10;

const readConfiguration = (): EmulatorConfiguration => JSON.parse(readFileSync(configurationFile, 'utf8')) as EmulatorConfiguration;

/** Uniform in [0, 1): mulberry32. The seed fixes which places in the sequence of frames are hit. */
function seededFraction(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

let configuration = readConfiguration();
let random = seededFraction(configuration.emulation.seed);
let countsChanged = false;
const schedule = new Schedule();
const noCounts = (): LinkCounts => ({ frames: 0, lost: 0, overflow: 0, reordered: 0, duplicated: 0, passedBytes: 0 });
const counts = { out: noCounts(), in: noCounts() };

class Direction {
  readonly #name: 'out' | 'in';
  readonly #to: Socket;
  readonly #network: number;
  /** When the frames before the rate will have been sent. */
  #freeAtMs = 0;
  #lastAtMs = 0;

  constructor(name: 'out' | 'in', to: Socket, network: number) {
    this.#name = name;
    this.#to = to;
    this.#network = network;
  }

  take(frame: Buffer): void {
    const settings = configuration.emulation[this.#name];
    const counted = counts[this.#name];
    const nowMs = performance.now();
    const isSpared = isAddressResolution(frame);
    const strikes = (share: number | undefined): boolean => !isSpared && share !== undefined && share > 0 && random() < share;
    counted.frames += 1;
    countsChanged = true;
    if (strikes(settings.lossShare)) { counted.lost += 1; return; }
    let atMs = nowMs;
    if (settings.rateBitsPerSecond !== undefined) {
      const startMs = Math.max(nowMs, this.#freeAtMs);
      if (startMs - nowMs > (settings.queueMs ?? queueDefaultMs)) { counted.overflow += 1; return; }
      this.#freeAtMs = startMs + (frame.length - vxlanHeaderBytes) * 8_000 / settings.rateBitsPerSecond;
      atMs = this.#freeAtMs;
    }
    atMs += settings.delayMs ?? 0;
    if (settings.jitterMs !== undefined) atMs += (2 * random() - 1) * settings.jitterMs;
    if (strikes(settings.reorderShare)) {
      atMs += settings.gapMs ?? gapDefaultMs;
      counted.reordered += 1;
    } else {
      // Jitter alone keeps the order.
      atMs = Math.max(atMs, this.#lastAtMs);
      this.#lastAtMs = atMs;
    }
    counted.passedBytes += frame.length - vxlanHeaderBytes;
    fillChecksum(frame);
    writeVxlanHeader(frame, this.#network);
    const isTwice = strikes(settings.duplicateShare);
    if (isTwice) counted.duplicated += 1;
    const send = (): void => { this.#to.send(frame, configuration.kernelPort, configuration.kernelAddress); };
    for (let copy = 0; copy < (isTwice ? 2 : 1); copy += 1) {
      if (atMs > nowMs || this.#lastAtMs > nowMs) schedule.at(atMs, send);
      else send();
    }
  }
}

async function open(name: string, { port }: EmulatorEnd): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes, sendBufferSize: bufferBytes });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, configuration.ownAddress, () => { socket.off('error', reject); resolve(); });
  });
  // A link that is being taken down refuses what is sent to it; that is no reason to stop.
  socket.on('error', (error) => { console.error(name, error.message); });
  return socket;
}

function acknowledge(): void { writeFileSync(`${configurationFile}.ack`, ''); }

const near = await open('near', configuration.near);
const far = await open('far', configuration.far);
const outward = new Direction('out', far, configuration.far.network);
const inward = new Direction('in', near, configuration.near.network);
near.on('message', (frame) => { outward.take(frame); });
far.on('message', (frame) => { inward.take(frame); });
process.on('SIGHUP', () => {
  configuration = readConfiguration();
  random = seededFraction(configuration.emulation.seed);
  acknowledge();
});
setInterval(() => {
  if (!countsChanged) return;
  countsChanged = false;
  // Whole or not at all, for whoever reads meanwhile.
  writeFileSync(`${configurationFile}.stats.new`, JSON.stringify({ atMs: Date.now(), ...counts } satisfies EmulatorCounts));
  renameSync(`${configurationFile}.stats.new`, `${configurationFile}.stats`);
}, countsEveryMs);
writeFileSync(pidFile, String(process.pid));
acknowledge();
