/** From `send` to "delivered" on the sender's screen, both online: sender, relay and recipient each in a process of its own, as on three machines. */
import { fork } from 'node:child_process';
import path from 'node:path';
import { joinRelay, startVisor, visorFolder, whenChange } from './people.ts';
import { formatRelayHint } from '../src/main/engine/wire/relay-hint.ts';
import { startRelay, temporaryFolder } from './relay-process.ts';
import type { Figure } from './run.ts';

const warmUp = 50;
const letters = 300;

export async function letterDelivery(): Promise<readonly Figure[]> {
  const relay = await startRelay();
  const folder = temporaryFolder();
  const ada = await startVisor(visorFolder(folder, 'ada'));
  await joinRelay(ada, relay.hint);
  const bob = fork(path.join(import.meta.dirname, 'recipient.ts'), [formatRelayHint(relay.hint), visorFolder(folder, 'bob').directory], { execArgv: [] });
  const link = await new Promise<string>((resolve, reject) => {
    bob.once('message', (message) => { resolve(typeof message === 'string' ? message : ''); });
    bob.once('exit', () => { reject(new Error('the recipient ended')); });
  });
  const accepted = whenChange(ada, (change) => change.kind === 'conversation' && change.value.standing === 'contact');
  const { conversationId: to } = await ada.client.contacts.add({ link });
  await accepted;
  const times: number[] = [];
  for (let index = 0; index < warmUp + letters; index += 1) {
    const text = `letter ${String(index)}`;
    const delivered = whenChange(ada, (change) => change.kind === 'message' && change.value.text === text && (change.value.headline.state === 'delivered' || change.value.headline.state === 'read'));
    const startMs = performance.now();
    await ada.client.messages.send({ to, text });
    await delivered;
    if (index >= warmUp) times.push(performance.now() - startMs);
  }
  await ada.runtime.stop();
  bob.kill();
  relay.stop();
  times.sort((left, right) => left - right);
  return [
    { name: 'send to delivered, online, p50', value: times[Math.floor(times.length * 0.5)] ?? Number.NaN, unit: 'ms', aim: 'under 5' },
    { name: 'send to delivered, online, p99', value: times[Math.floor(times.length * 0.99)] ?? Number.NaN, unit: 'ms', aim: 'none' },
  ];
}
