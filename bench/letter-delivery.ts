/** From `send` to "delivered" on the sender's screen, both online, through a loopback relay in a process of its own. */
import { befriend, joinRelay, startVisor, visorFolder, whenChange } from './people.ts';
import { startRelay, temporaryFolder } from './relay-process.ts';
import type { Figure } from './run.ts';

const warmUp = 50;
const letters = 300;

export async function letterDelivery(): Promise<readonly Figure[]> {
  const relay = await startRelay();
  const folder = temporaryFolder();
  const ada = await startVisor(visorFolder(folder, 'ada'));
  const bob = await startVisor(visorFolder(folder, 'bob'));
  await joinRelay(ada, relay.hint);
  await joinRelay(bob, relay.hint);
  const to = await befriend(ada, bob);
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
  await bob.runtime.stop();
  relay.stop();
  times.sort((left, right) => left - right);
  return [
    { name: 'send to delivered, online, p50', value: times[Math.floor(times.length * 0.5)] ?? Number.NaN, unit: 'ms', aim: 'under 5' },
    { name: 'send to delivered, online, p99', value: times[Math.floor(times.length * 0.99)] ?? Number.NaN, unit: 'ms', aim: 'none' },
  ];
}
