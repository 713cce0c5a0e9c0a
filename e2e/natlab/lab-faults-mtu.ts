/**
 * A path that from one moment on swallows all packets over 1,280 bytes, without a word: what a tunnel does that comes into the way. Waypost sends nothing
 * that large over Ethernet: what falls into the hole are datagrams of a stranger, which show that it is there. A file is under way meanwhile, in the largest datagrams there are.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import { PacketRules } from './lab-nft.ts';
import { packets, type FaultCourse } from './lab-fault-course.ts';
import type { FaultScene } from './lab-fault-scene.ts';

const holeBytes = 1_280;
const strayBytes = 1_400;
const strays = 3;
/** The port of discard. */
const nobodysPort = 9;
const fileBytes = 4 * 1_048_576;
const fetchedPatienceMs = 60_000;
const afterwardsMs = 3_000;

export async function blackHole(scene: FaultScene): Promise<FaultCourse> {
  const large = `meta l4proto udp meta length > ${String(holeBytes)}`;
  const [strange, own] = [`${large} udp dport ${String(nobodysPort)}`, `${large} udp dport != ${String(nobodysPort)}`].map((rule) => new PacketRules(scene.lab, scene.leftRouter, [rule]));
  const beganAtMs = Date.now();
  const sendStrays = `const s = require('node:dgram').createSocket('udp4'); let left = ${String(strays)}; const one = () => { left -= 1; s.send(Buffer.alloc(${String(strayBytes)}), ${String(nobodysPort)}, '${scene.addressOf(scene.leftRouter)}', () => { if (left > 0) one(); else s.close(); }); }; one();`;
  scene.inside(scene.places.stranger, [process.execPath, '-e', sendStrays]);
  const file = path.join(scene.folder, 'under-way');
  writeFileSync(file, randomBytes(fileBytes));
  await scene.left.client.files.send({ to: scene.right.publicKey, file: { by: 'path', path: file }, text: '' });
  const arrived = await until('the file', fetchedPatienceMs, async () => ((await scene.toRight.files()).some((each) => each.state.state === 'ready') ? true : undefined)).catch(() => false);
  const tookMs = Date.now() - beganAtMs;
  await pause(afterwardsMs);
  return {
    beganAtMs,
    evidence: () => [
      packets(strange?.lift() ?? 0, `of ${String(strays)} strange packets dropped`), { text: `${String(own?.lift() ?? 0)} of Waypost`, holds: true },
      { text: arrived ? `a file of 4 MiB came in ${(tookMs / 1_000).toFixed(1)} s` : 'a file of 4 MiB did not come', holds: arrived },
    ],
  };
}
