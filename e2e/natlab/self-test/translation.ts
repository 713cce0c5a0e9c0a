/** Ports, lifetimes, hairpin and routers behind routers, as the translator has them. No check waits for a mapping to expire: the router's clock is put forward instead. */
import { endpointOf } from '../probe-datagrams.ts';
import { portFirst, portLast } from '../translator/port-allocator.ts';
import type { AgentSocket } from '../agent.ts';
import type { PolicyBench } from './policy-bench.ts';

const ports = portLast - portFirst + 1;
const deltaPorts = 3;
const blockPorts = 16;
/** Sockets of one host, each of which the server sees at up to four ports. */
const samples = 12;
const insidePort = 7_000;
const lifetimeSeconds = 60;
const filterTries = 3;
/** More than a frame holds. */
const largeBytes = 4_000;

const portOf = (mapped: string | undefined): number => (mapped === undefined ? Number.NaN : endpointOf(mapped).port);
const addressOf = (mapped: string | undefined): string => (mapped === undefined ? '' : endpointOf(mapped).address);

export async function translation(bench: PolicyBench): Promise<void> {
  await allocation(bench);
  await lifetimes(bench);
  await hairpin(bench);
  await changes(bench);
  await behind(bench);
}

/** Where the server's four sockets see a socket, one after the other. */
async function fourPorts(bench: PolicyBench, socket: AgentSocket): Promise<readonly number[]> {
  const seen: number[] = [];
  for (const address of [0, 1] as const) for (const port of [0, 1] as const) seen.push(portOf(await socket.ask(bench.server(address, port), 'same', filterTries)));
  return seen;
}

async function allocation(bench: PolicyBench): Promise<void> {
  await bench.flex({ ports: 'preserve' });
  const kept = [await bench.open('flex1', insidePort), await bench.open('flex2', insidePort)];
  const keptPorts: number[] = [];
  for (const socket of kept) keptPorts.push(portOf(await socket.ask(bench.server())));
  bench.check('ports=preserve: the port is kept, and the second host with it gets another', keptPorts[0] === insidePort && keptPorts[1] !== insidePort, keptPorts);

  await bench.flex({ mapping: 'port', ports: 'sequential', deltaPorts });
  const sequential: number[] = [];
  for (const host of ['flex1', 'flex2', 'flex1']) sequential.push(...await fourPorts(bench, await bench.open(host)));
  const steps = sequential.slice(1).map((port, index) => (port - (sequential[index] ?? 0) + ports) % ports);
  bench.check('ports=sequential: each new mapping is three further, whichever host it is for', steps.every((step) => step === deltaPorts), sequential);

  await bench.flex({ mapping: 'port', ports: 'block', blockPorts });
  const blocks: (readonly number[])[] = [];
  for (const host of ['flex1', 'flex2']) {
    const own: number[] = [];
    for (let left = blockPorts; left > 0; left -= 4) own.push(...await fourPorts(bench, await bench.open(host)));
    blocks.push(own);
  }
  const [one = [], two = []] = blocks;
  const isBlock = (own: readonly number[]): boolean => new Set(own).size === blockPorts && Math.max(...own) - Math.min(...own) === blockPorts - 1;
  const inOrder = (own: readonly number[]): boolean => own.every((port, index) => index === 0 || port > (own[index - 1] ?? 0));
  bench.check('ports=block: each host has a range of its own, used up at random', isBlock(one) && isBlock(two) && !one.some((port) => two.includes(port)) && !inOrder(one), blocks);
  const beyond = await (await bench.open('flex1')).ask(bench.server(), 'same', filterTries);
  bench.check('ports=block: a host whose range is used up gets no further mapping', beyond === undefined, beyond);

  await bench.flex({ ports: 'random' });
  const random = await Promise.all(Array.from({ length: samples }, async () => portOf(await (await bench.open('flex1')).ask(bench.server()))));
  bench.check('ports=random: spread over the whole range', Math.max(...random) - Math.min(...random) > ports / 8 && new Set(random).size === samples, random);
}

/** Whether a stranger's datagram reaches a socket at this public address. */
async function letsIn(bench: PolicyBench, socket: AgentSocket, mapped: string | undefined, word: string): Promise<boolean> {
  const stranger = await bench.open('relay2');
  await stranger.say(word, endpointOf(mapped ?? ''));
  return await socket.hear(word) !== undefined;
}

async function lifetimes(bench: PolicyBench): Promise<void> {
  const policy = { filtering: 'independent', timeoutSeconds: lifetimeSeconds } as const;
  await bench.flex({ ...policy, refresh: 'outbound' });
  const outbound = await bench.open('flex1');
  const first = await outbound.ask(bench.server());
  await bench.lab.age('flex', lifetimeSeconds - 15);
  const again = await outbound.ask(bench.server());
  await bench.lab.age('flex', lifetimeSeconds - 15);
  const within = await letsIn(bench, outbound, again, 'within');
  await bench.lab.age('flex', 20);
  const after = await letsIn(bench, outbound, again, 'after');
  const anew = await outbound.ask(bench.server());
  bench.check('refresh=outbound: what goes out keeps a mapping alive', first !== undefined && first === again && within, [first, again, within]);
  bench.check('refresh=outbound: what comes in does not; the mapping expires, and the next has another port', !after && anew !== undefined && anew !== again, [after, again, anew]);

  await bench.flex({ ...policy, refresh: 'both' });
  const both = await bench.open('flex1');
  const mapped = await both.ask(bench.server());
  const heard: boolean[] = [];
  for (const word of ['one', 'two', 'three']) {
    await bench.lab.age('flex', lifetimeSeconds - 15);
    heard.push(await letsIn(bench, both, mapped, word));
  }
  await bench.lab.age('flex', lifetimeSeconds + 1);
  const late = await letsIn(bench, both, mapped, 'late');
  bench.check('refresh=both: what comes in keeps a mapping alive, and idle it expires', heard.every(Boolean) && !late, [heard, late]);
}

async function hairpin(bench: PolicyBench): Promise<void> {
  for (const isOn of [true, false]) {
    await bench.flex({ hairpin: isOn });
    const [one, two] = [await bench.open('flex1'), await bench.open('flex2')];
    const [ownOne = '', ownTwo = ''] = [await one.ask(bench.server()), await two.ask(bench.server())];
    const word = `hairpin-${String(isOn)}`;
    await one.say(`${word}-opens`, endpointOf(ownTwo));
    await two.say(word, endpointOf(ownOne));
    const from = await one.hear(word);
    bench.check(`hairpin=${isOn ? 'on' : 'off'}: two hosts ${isOn ? 'reach each other by public address and see it' : 'do not reach each other by public address'}`, from === (isOn ? ownTwo : undefined), [from, ownTwo]);
  }
}

async function changes(bench: PolicyBench): Promise<void> {
  await bench.flex({ ports: 'preserve', filtering: 'independent' });
  const socket = await bench.open('flex1', insidePort + 1);
  const before = await socket.ask(bench.server());
  const wasOpen = await letsIn(bench, socket, before, 'before');
  await bench.lab.rebind('flex');
  const isOpen = await letsIn(bench, socket, before, 'rebound');
  const rebound = await socket.ask(bench.server());
  bench.check('rebind ports: every mapping is gone, and the next has another port', wasOpen && !isOpen && portOf(before) === insidePort + 1 && portOf(rebound) !== portOf(before), [before, rebound]);
  await bench.lab.rebind('flex', 'address');
  const moved = await socket.ask(bench.server());
  bench.check('rebind address: another address', addressOf(moved) === bench.lab.addresses('flex')[0] && addressOf(moved) !== addressOf(before), [before, moved]);
  await bench.lab.setNat('flex', 'full-cone');
  const byKernel = [await socket.ask(bench.server()), await socket.ask(bench.server(), 'both')];
  await bench.lab.setNat('flex', 'symmetric');
  const bySymmetric = [await socket.ask(bench.server()), await socket.ask(bench.server(1))];
  await bench.flex({});
  const back = [await socket.ask(bench.server()), await socket.ask(bench.server(1))];
  const independent = ([one, two]: readonly (string | undefined)[]): boolean => one !== undefined && one === two;
  bench.check('a running socket goes on over changes to the kernel\'s kinds and back', independent(byKernel) && !independent(bySymmetric) && independent(back), [byKernel, bySymmetric, back]);

  const peer = await bench.open('relay2');
  const large = 'x'.repeat(largeBytes);
  await socket.ask({ address: bench.lab.addresses('relay2')[0] ?? '', port: peer.port }, 'same', 1);
  await socket.say(`${large}1`, { address: bench.lab.addresses('relay2')[0] ?? '', port: peer.port });
  const from = await peer.hear(`${large}1`);
  await peer.say(`${large}2`, endpointOf(from ?? ''));
  bench.check('datagrams larger than a frame pass both ways', await socket.hear(`${large}2`) !== undefined, from);
}

async function behind(bench: PolicyBench): Promise<void> {
  const carrier = bench.lab.addresses('carrier')[0];
  const [home, home2] = [await bench.open('home1'), await bench.open('homeb1')];
  const [mapped = '', mapped2 = ''] = [await home.ask(bench.server()), await home2.ask(bench.server())];
  bench.check('behind=: two routers in a row, and the address seen outside is the outer one\'s', addressOf(mapped) === carrier && addressOf(mapped2) === carrier && bench.lab.addresses('home')[0] !== carrier, [mapped, mapped2]);
  const reach = async (round: string): Promise<boolean> => {
    const [one, two] = [await bench.open('home1'), await bench.open('homeb1')];
    const [to = '', from = ''] = [await two.ask(bench.server()), await one.ask(bench.server())];
    const [left, right] = await Promise.all([one.punch(endpointOf(to), `${round}-one`, `${round}-two`), two.punch(endpointOf(from), `${round}-two`, `${round}-one`)]);
    return left.isHeard && right.isHeard;
  };
  const withHairpin = await reach('on');
  await bench.lab.setNat('carrier', 'translator', { hairpin: false });
  const without = await reach('off');
  bench.check('two homes of one carrier reach each other only if the carrier turns their datagrams around', withHairpin && !without, [withHairpin, without]);
}
