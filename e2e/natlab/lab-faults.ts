/**
 * The faults of the fault table: what is done to two visors in the middle of a conversation, and what shows that it was done. Every one of them names its proof: packets that were
 * dropped or hit, processes that are gone, letters that did not come while nothing could pass. Without it a fault that missed would look like one that did no harm.
 *
 * Not here but in the simulator (`sim/`), where clocks can be moved: a sleep of 12 hours, and clocks that are wrong.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../scripts/processes/waiting.ts';
import { isStraight } from '../../src/shared/peer-views.ts';
import { bothRelaysKilled, relayKilled, relaysRestartForAway } from './lab-faults-relays.ts';
import { flooded } from './lab-faults-flood.ts';
import { blackHole } from './lab-faults-mtu.ts';
import { packets, type Evidence, type FaultCourse } from './lab-fault-course.ts';
import { PacketRules } from './lab-nft.ts';
import type { ConversationPath, FaultScene } from './lab-fault-scene.ts';
import type { LinkCounts, LinkSettings } from './lab.ts';

export interface Fault {
  readonly name: string;
  readonly conversation: ConversationPath;
  /** The left one is a public host; otherwise both are behind routers of endpoint-independent mapping and port-dependent filtering. */
  readonly isLeftPublic?: boolean;
  /** In each letter, besides its number. */
  readonly fillerCharacters?: number;
  /** It needs the processors for itself: it runs after all others, one by one. */
  readonly isAlone?: boolean;
  /** Takes minutes, and sleeps in most of them: only when asked for, and beside the others. */
  readonly isSlow?: boolean;
  readonly begin: (scene: FaultScene) => Promise<FaultCourse>;
}

const rebindRange = '40000-59999';
const missedPatienceMs = 8_000;
/** Two attempts, after the old path was given up. */
const directPatienceMs = 25_000;
/** People who notice stop writing: thousands of letters would measure how fast they are sent, and not how soon. */
const writingMs = 30_000;
const blockedMs = 10_000;
/** Longer than it takes to give a path up. */
const oneWayMs = 20_000;
const impairedMs = 10_000;
/** The emulator writes its counts twice a second. */
const countsLagMs = 700;
const lossShare = 0.2;
const reorderShare = 0.2;
const duplicateShare = 0.2;
const reorderGapMs = 40;
const secondMs = 1_000;
const minuteMs = 60_000;

/** The cable of the left router is pulled. */
function linkCut(forMs: number): Fault['begin'] {
  return async (scene) => {
    await scene.lab.setLink(scene.leftRouter, 'down');
    const beganAtMs = Date.now();
    await pause(Math.min(forMs, writingMs));
    if (forMs > writingMs) {
      const bothWays = [scene.toLeft, scene.toRight];
      await Promise.all(bothWays.map((letters) => letters.pause()));
      await pause(forMs - writingMs);
      for (const letters of bothWays) letters.start();
    }
    const healedAtMs = Date.now();
    await scene.lab.setLink(scene.leftRouter, 'up');
    return { beganAtMs, healedAtMs, dark: { fromMs: beganAtMs, untilMs: healedAtMs }, evidence: () => [] };
  };
}

/** For people who look: whether the new addresses were found out, and tried. */
async function directAgain(scene: FaultScene, beganAtMs: number): Promise<Evidence> {
  // Until it is missed the old path looks like one.
  await until('the old path to be missed', missedPatienceMs, async () => ((await scene.paths()).every((current) => current?.kind === 'relay') ? true : undefined)).catch(() => undefined);
  const isDirect = await until('a direct path again', directPatienceMs, async () => ((await scene.paths()).every((current) => current !== undefined && isStraight(current.kind) && !current.isDoubtful) ? true : undefined)).catch(() => false);
  return { text: isDirect ? `direct again after ${String(Date.now() - beganAtMs)} ms` : 'not direct again', holds: true };
}

/** Its mappings are lost: what the left one sends leaves by other ports. */
async function rebinding(scene: FaultScene): Promise<FaultCourse> {
  const counted = scene.relays.map(({ host }) => new PacketRules(scene.lab, host, [`ip saddr ${scene.addressOf(scene.leftRouter)} udp sport ${rebindRange}`], 'accept'));
  await scene.lab.rebind(scene.leftRouter, 'ports');
  const beganAtMs = Date.now();
  const again = await directAgain(scene, beganAtMs);
  return { beganAtMs, evidence: () => [packets(counted.reduce((sum, rules) => sum + rules.lift(), 0), 'packets from other ports at the relays'), again] };
}

/** The left one's router gets another public address. */
async function newPublicAddress(scene: FaultScene): Promise<FaultCourse> {
  await scene.lab.rebind(scene.leftRouter, 'address');
  const beganAtMs = Date.now();
  const counted = scene.relays.map(({ host }) => new PacketRules(scene.lab, host, [`ip saddr ${scene.addressOf(scene.leftRouter)} meta l4proto udp`], 'accept'));
  const again = await directAgain(scene, beganAtMs);
  return { beganAtMs, evidence: () => [packets(counted.reduce((sum, rules) => sum + rules.lift(), 0), 'packets from the new address at the relays'), again] };
}

/** The left one itself gets another address, as when it joins another network. */
function newHostAddress(scene: FaultScene): Promise<FaultCourse> {
  const { left } = scene.places;
  const [before, gateway] = [scene.addressOf(left), scene.lab.gateway(left)];
  const after = before.replace(/\d+$/, '77');
  const rules = new PacketRules(scene.lab, scene.leftRouter, [`iifname "lan" ip saddr ${after} meta l4proto udp`], 'accept');
  scene.inside(left, ['sh', '-ec', `ip addr del ${before}/24 dev eth0; ip addr add ${after}/24 dev eth0; ip route replace default via ${gateway}`]);
  return Promise.resolve({ beganAtMs: Date.now(), evidence: () => [packets(rules.lift(), 'packets from the new address at the router')] });
}

/** Drops what the rules say at the left router, for a while or for good. */
function dropping(rulesFor: (scene: FaultScene) => readonly string[], forMs?: number): Fault['begin'] {
  return async (scene) => {
    const rules = new PacketRules(scene.lab, scene.leftRouter, rulesFor(scene));
    const beganAtMs = Date.now();
    if (forMs === undefined) return { beganAtMs, evidence: () => [packets(rules.lift(), 'packets dropped')] };
    await pause(forMs);
    const healedAtMs = Date.now();
    const dropped = rules.lift();
    return { beganAtMs, healedAtMs, evidence: () => [packets(dropped, 'packets dropped')] };
  };
}

/** What the left router's link does to packets, both ways, until the letters are at their end. */
function impaired(settings: LinkSettings, counted: keyof LinkCounts, what: string): Fault['begin'] {
  return async (scene) => {
    const router = scene.leftRouter;
    await scene.lab.emulate(router, { seed: 1, out: settings, in: settings });
    const beganAtMs = Date.now();
    await pause(impairedMs);
    return {
      beganAtMs,
      evidence: async () => {
        await pause(countsLagMs);
        const counts = scene.lab.status().find(({ node }) => node.name === router)?.counts;
        return [packets(counts?.out[counted] ?? 0, `packets ${what} outward`), packets(counts?.in[counted] ?? 0, `${what} inward`)];
      },
    };
  };
}

const otherRouter = (scene: FaultScene): string => scene.addressOf(scene.places.rightRouter);

export const faults: readonly Fault[] = [
  { name: 'relay in use killed', conversation: 'relay', begin: relayKilled },
  { name: 'both relays killed, one restarted', conversation: 'relay', begin: bothRelaysKilled('relay') },
  { name: 'both relays killed, direct path', conversation: 'direct', begin: bothRelaysKilled('direct') },
  { name: 'relays restart, mail for one away', conversation: 'relay', begin: relaysRestartForAway },
  { name: 'NAT rebinding', conversation: 'direct', begin: rebinding },
  { name: 'new public address', conversation: 'direct', begin: newPublicAddress },
  { name: 'new address of the host', conversation: 'direct', begin: newHostAddress },
  { name: 'link cut for 1 s', conversation: 'direct', begin: linkCut(secondMs) },
  { name: 'link cut for 30 s', conversation: 'direct', begin: linkCut(30 * secondMs) },
  { name: 'link cut for 10 min', conversation: 'direct', isSlow: true, begin: linkCut(10 * minuteMs) },
  { name: 'all UDP blocked for 10 s', conversation: 'direct', begin: dropping(() => ['meta l4proto udp'], blockedMs) },
  { name: 'direct path dies', conversation: 'direct', begin: dropping((scene) => [`iifname "lan" ip daddr ${otherRouter(scene)}`, `iifname "wan" ip saddr ${otherRouter(scene)}`]) },
  { name: 'left to right dead for 20 s', conversation: 'direct', begin: dropping((scene) => [`iifname "lan" ip daddr ${otherRouter(scene)}`], oneWayMs) },
  { name: 'path MTU black hole', conversation: 'direct', fillerCharacters: 4_000, begin: blackHole },
  { name: '20 % loss', conversation: 'direct', begin: impaired({ lossShare }, 'lost', 'lost') },
  { name: '20 % overtaken', conversation: 'direct', begin: impaired({ reorderShare, gapMs: reorderGapMs }, 'reordered', 'held back') },
  { name: '20 % duplicated', conversation: 'direct', begin: impaired({ duplicateShare }, 'duplicated', 'sent twice') },
  { name: 'flood at a visor', conversation: 'direct', isLeftPublic: true, isAlone: true, begin: flooded('visor') },
  { name: 'flood at the relay in use', conversation: 'relay', isAlone: true, begin: flooded('relay') },
];
