/** A path that carries large datagrams and from one moment on swallows all over 1,280 bytes, without a word: what a tunnel does that comes into the way. */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import { PacketRules } from './lab-nft.ts';
import { packets, type FaultCourse } from './lab-fault-course.ts';
import type { FaultScene } from './lab-fault-scene.ts';

const holeBytes = 1_280;
const foundPatienceMs = 20_000;
const inHoleMs = 12_000;

export async function blackHole(scene: FaultScene): Promise<FaultCourse> {
  const large = [`meta l4proto udp meta length > ${String(holeBytes)}`];
  const before = new PacketRules(scene.lab, scene.leftRouter, large, 'accept');
  await until('datagrams over 1,280 bytes', foundPatienceMs, () => (before.hits() > 0 ? true : undefined)).catch(() => undefined);
  const passed = before.lift();
  const rules = new PacketRules(scene.lab, scene.leftRouter, large);
  const beganAtMs = Date.now();
  await pause(inHoleMs);
  return { beganAtMs, evidence: () => [packets(passed, 'larger packets before'), packets(rules.lift(), 'packets dropped')] };
}
