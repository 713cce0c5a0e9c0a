/** Faults of relays: killed without a word, killed together, killed while they keep mail for somebody who is away. */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import type { FaultScene } from './lab-fault-scene.ts';
import type { FaultCourse } from './lab-fault-course.ts';

const outageMs = 8_000;
const writtenForAwayMs = 3_000;
const heldPatienceMs = 40_000;

const runningIn = (scene: FaultScene): number => scene.relays.filter(({ isRunning }) => isRunning).length;

/** The one that carries the conversation; the other one stays. */
export async function relayKilled(scene: FaultScene): Promise<FaultCourse> {
  const relay = await scene.relayInUse();
  await relay.kill();
  const beganAtMs = Date.now();
  return { beganAtMs, evidence: () => [{ text: `${relay.host} gone`, holds: !relay.isRunning }] };
}

/** Both, and one of them comes back. Without a direct path no letter can come meanwhile. */
export function bothRelaysKilled(conversation: 'direct' | 'relay'): (scene: FaultScene) => Promise<FaultCourse> {
  return async (scene) => {
    await Promise.all(scene.relays.map((relay) => relay.kill()));
    const beganAtMs = Date.now();
    const killed = scene.relays.length - runningIn(scene);
    await pause(outageMs);
    const untilMs = Date.now();
    await scene.relays[0].start();
    return {
      beganAtMs, healedAtMs: Date.now(), ...(conversation === 'relay' ? { dark: { fromMs: beganAtMs, untilMs } } : {}),
      evidence: () => [{ text: `${String(killed)} relay processes gone`, holds: killed === scene.relays.length }],
    };
  };
}

/**
 * The right one is away, what is written to it waits at relays, the writer loses its network, the relays restart, and only then the right one comes back: all it gets was kept by
 * relays that were killed. Then the writer is back too, and both go on.
 */
export async function relaysRestartForAway(scene: FaultScene): Promise<FaultCourse> {
  await scene.toLeft.pause();
  await scene.right.stop();
  const beganAtMs = Date.now();
  await pause(writtenForAwayMs);
  await scene.toRight.pause();
  await until('all letters to be held by relays', heldPatienceMs, async () => {
    const { outbox } = (await scene.left.client.state.snapshot()).view;
    return outbox.every(({ kind, headline: { state } }) => kind !== 'message' || state === 'stored') ? true : undefined;
  });
  const heldMs = Date.now() - beganAtMs - writtenForAwayMs;
  const held = scene.toRight.sentSince(beganAtMs);
  await scene.lab.setLink(scene.leftRouter, 'down');
  await Promise.all(scene.relays.map((relay) => relay.kill()));
  const killed = scene.relays.length - runningIn(scene);
  await Promise.all(scene.relays.map((relay) => relay.start()));
  await scene.startRightAgain();
  const healedAtMs = Date.now();
  await until('what the relays kept', heldPatienceMs, async () => ((await scene.toRight.arrivals()).length === scene.toRight.sent ? true : undefined)).catch(() => undefined);
  const kept = (await scene.toRight.arrivals()).filter(({ sentAtMs }) => sentAtMs >= beganAtMs).length;
  await scene.lab.setLink(scene.leftRouter, 'up');
  scene.toLeft.start();
  scene.toRight.start();
  return {
    beganAtMs, healedAtMs,
    evidence: () => [{ text: `${String(killed)} relay processes gone`, holds: killed === scene.relays.length }, { text: `${String(kept)} of ${String(held)} letters came from the relays alone, which had them ${String(heldMs)} ms after the last was written`, holds: held > 0 && kept >= held }],
  };
}
