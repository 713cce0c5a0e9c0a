/** Plays one round: writing and killing at the same time, until everybody is up again. */
import { setTimeout as pause } from 'node:timers/promises';
import { WaypostError } from '../../src/shared/errors.ts';
import type { SeededRandom } from '../../sim/random.ts';
import { Moments } from './moments.ts';
import { planRound, textOf, type PlannedKill, type Round } from './plan.ts';
import type { Sent } from './verdict.ts';
import type { World } from './world.ts';

/** What a kill waits for may have been prevented by another one. */
const momentPatienceMs = 700;

export async function playRound(world: World, random: SeededRandom, number: number): Promise<readonly Sent[]> {
  const round = planRound(random.fork('plan'));
  world.moments = new Moments();
  const [sent] = await Promise.all([write(world, random.fork('texts'), number, round), ...round.kills.map((kill) => strike(world, kill))]);
  return sent;
}

async function write(world: World, random: SeededRandom, number: number, { messages, together }: Round): Promise<readonly Sent[]> {
  const texts = messages.map(({ sizeBytes }, index) => textOf(random, number, index + 1, sizeBytes));
  if (together) return Promise.all(texts.map(async (text) => ({ text, messageId: await send(world, text) })));
  const sent: Sent[] = [];
  for (const [index, text] of texts.entries()) {
    const pauseMs = messages[index]?.pauseMs ?? 0;
    if (pauseMs > 0) await pause(pauseMs);
    sent.push({ text, messageId: await send(world, text) });
  }
  return sent;
}

/** The id when the sender said that the message is safe; undefined when it was killed before it could say anything. */
async function send(world: World, text: string): Promise<string | undefined> {
  try {
    const { client } = await world.connection('sender');
    const { id } = await client.messages.send({ to: world.recipient, text });
    world.moments.note('acknowledged');
    return id;
  } catch (error) {
    // Any other answer than a broken connection would be a finding.
    if (error instanceof WaypostError && error.code !== 'not-running') throw error;
    return undefined;
  }
}

async function strike(world: World, kill: PlannedKill): Promise<void> {
  if (kill.after.kind !== 'start') await world.moments.reached(kill.after.kind, kill.after.count, momentPatienceMs);
  if (kill.delayMs > 0) await pause(kill.delayMs);
  await world.kill(kill.who);
  if (kill.downMs > 0) await pause(kill.downMs);
  if (kill.againMs !== undefined) {
    const starting = world.start(kill.who);
    await pause(kill.againMs);
    await world.kill(kill.who);
    await starting;
  }
  await world.start(kill.who);
}
