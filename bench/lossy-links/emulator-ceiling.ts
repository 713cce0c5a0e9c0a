/** What the emulator itself carries: a link without a rate, over which the kernel's TCP sends as fast as it can. The links that are measured have to be far below. */
import { setTimeout as pause } from 'node:timers/promises';
import { holder, requester } from './measure.ts';
import { dial, serve } from './processes.ts';
import type { Lab } from '../../e2e/natlab/lab.ts';

const settleSeconds = 1;
const seconds = 3;
/** So that frames pass the emulator's schedule as they do on the links that are measured. */
const delayMs = 5;

export async function emulatorCeilingMbit(lab: Lab): Promise<number> {
  await lab.emulate(requester, { seed: 1, in: { delayMs }, out: { delayMs } });
  const server = await serve(lab, holder, 'tcp');
  const transfer = await dial(lab, requester, 'tcp', server.address, settleSeconds + seconds);
  try {
    transfer.begin();
    await pause((settleSeconds + seconds) * 1_000);
    const samples = await transfer.samples();
    const last = samples.at(-1);
    const first = samples.find(({ atMs }) => atMs >= (samples[0]?.atMs ?? 0) + settleSeconds * 1_000);
    return first === undefined || last === undefined ? 0 : (last.bytes - first.bytes) * 8 / (last.atMs - first.atMs) / 1_000;
  } finally {
    transfer.stop();
    server.stop();
  }
}
