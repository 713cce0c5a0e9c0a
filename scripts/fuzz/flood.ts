/** Sends inputs as fast as the relay takes them: its own count of received datagrams says how far it is. */
import type { Socket } from 'node:dgram';
import type { Client } from '../../src/shared/contract.ts';
import { DeadlineError, untilTrue } from '../processes/waiting.ts';
import type { Generator } from './generator.ts';
import type { HostilePeer } from './hostile-peer.ts';

const host = '127.0.0.1';
/** What the kernel charges for a datagram in a receive buffer, its own bookkeeping included. */
const bufferedBytes = 2_304;
/** Only part of the buffer, so that the answers and the genuine visors have room. */
const bufferShare = 0.5;
const batchMaximum = 1_000;
const batchMinimum = 32;
/** A relay that has taken nothing for so long has lost what is missing, or is stuck. */
const patienceMs = 2_000;

export type Counters = Readonly<Record<string, number>>;

export interface FloodResult {
  readonly sent: number;
  /** Batches of which some datagrams never arrived. */
  readonly shortBatches: number;
}

export const countersOf = async (client: Client): Promise<Counters> => (await client.visor.statistics()).counters;

export async function flood(generator: Generator, peers: readonly HostilePeer[], client: Client, relayPort: number, inputs: number, progress: (sent: number) => void): Promise<FloodResult> {
  const bufferBytes = (await countersOf(client))['udp.receiveBufferBytes'] ?? 0;
  const batch = Math.max(batchMinimum, Math.min(batchMaximum, Math.floor((bufferBytes * bufferShare) / bufferedBytes)));
  let shortBatches = 0;
  for (let sent = 0; sent < inputs;) {
    for (const peer of peers) {
      if (!peer.isUp) await peer.dial();
      peer.askForTicket();
    }
    const size = Math.min(batch, inputs - sent);
    const before = (await countersOf(client))['udp.receivedDatagrams'] ?? 0;
    await sendBatch(generator, size, relayPort);
    sent += size;
    try {
      await untilTrue('the relay has taken a batch', patienceMs, async () => ((await countersOf(client))['udp.receivedDatagrams'] ?? 0) >= before + size);
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      shortBatches += 1;
    }
    progress(sent);
  }
  return { sent: inputs, shortBatches };
}

function sendBatch(generator: Generator, size: number, relayPort: number): Promise<void> {
  return new Promise((resolve) => {
    let open = size;
    const done = (): void => {
      open -= 1;
      if (open === 0) resolve();
    };
    for (let count = 0; count < size; count += 1) {
      const { datagram, from } = generator.next();
      sendOne(from, datagram, relayPort, done);
    }
  });
}

function sendOne(socket: Socket, datagram: Uint8Array, port: number, done: () => void): void {
  socket.send(datagram, port, host, done);
}
