/** A third host sends 20,000 forged datagrams a second to a visor at a public address, or to the relay that carries the conversation: from addresses of its own, and from that of the other side. */
import { once } from 'node:events';
import path from 'node:path';
import { PacketRules } from './lab-nft.ts';
import type { FaultScene } from './lab-fault-scene.ts';
import type { Evidence, FaultCourse } from './lab-fault-course.ts';

const program = path.join(import.meta.dirname, 'lab-flood.ts');
const wantedPerSecond = 20_000;
/** What a busy machine still makes: less is no flood. */
const leastPerSecond = 5_000;
const forSeconds = 8;
/** Of the sender: it starts, and makes its datagrams. */
const startedByMs = 1_500;
/** Spoiled datagrams that were looked at and refused, at least. */
const refusedMinimum = 1_000;

/** The host has both addresses, and answers for the first alone; the other side's it sends from without owning it. */
function takeAddress(scene: FaultScene, address: string): void {
  scene.inside(scene.places.stranger, ['sh', '-ec', `
    echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore
    echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce
    ip addr add ${address}/32 dev lo`]);
}

/** By which port the host behind a router is seen: its first mapping. */
function mappedPort(scene: FaultScene, router: string): string {
  const [, port = ''] = /elements = \{ (\d+) /.exec(scene.inside(router, ['nft', 'list', 'map', 'ip', 'natlab', 'by_port'])) ?? [];
  return port;
}

const dropsOf = (counters: Readonly<Record<string, number>>): number => Object.entries(counters).reduce((sum, [name, value]) => sum + (name.startsWith('session.drop.') ? value : 0), 0);

export function flooded(target: 'visor' | 'relay'): (scene: FaultScene) => Promise<FaultCourse> {
  return async (scene) => {
    const { places, lab } = scene;
    const relay = target === 'relay' ? await scene.relayInUse() : undefined;
    const statistics = async (): Promise<{ readonly counters: Readonly<Record<string, number>>; readonly listen: string }> => scene.left.client.visor.statistics();
    const { counters, listen } = await statistics();
    const [host, address, port] = relay === undefined ? [places.left, scene.addressOf(places.left), listen.split(':').at(-1) ?? ''] : [relay.host, relay.address, String(relay.port)];
    const other = places.rightRouter;
    const own = lab.addresses(places.stranger);
    takeAddress(scene, scene.addressOf(other));
    const hardware = scene.inside(places.stranger, ['cat', '/sys/class/net/eth0/address']).trim();
    const arrived = new PacketRules(lab, host, [`ether saddr ${hardware} udp dport ${port}`], 'accept');
    const [asked, answered] = [new PacketRules(lab, host, [`ip saddr { ${own.join(', ')} }`], 'accept'), new PacketRules(lab, places.stranger, ['iifname "eth0" meta l4proto udp'], 'accept')];
    const sender = lab.start(places.stranger, process.execPath, [program, address, port, String(wantedPerSecond), String(forSeconds), ...own, own[0] ?? '', `${scene.addressOf(other)}:${mappedPort(scene, other)}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const beganAtMs = Date.now() + startedByMs;
    await once(sender, 'exit');
    const healedAtMs = Date.now();
    const [hits, theirs, back] = [arrived.lift(), asked.count(), answered.count()];
    const refused = dropsOf((await statistics()).counters) - dropsOf(counters);
    const evidence: readonly Evidence[] = [
      { text: `${(hits / forSeconds).toFixed(0)} forged datagrams a second arrived`, holds: hits >= leastPerSecond * forSeconds },
      { text: `${String(back.packets)} answers, ${(back.bytes / Math.max(1, theirs.bytes)).toFixed(3)} bytes for one`, holds: back.bytes <= theirs.bytes },
      ...(target === 'visor' ? [{ text: `${String(refused)} refused`, holds: refused >= refusedMinimum }] : []),
    ];
    return { beganAtMs, healedAtMs, evidence: () => evidence };
  };
}
