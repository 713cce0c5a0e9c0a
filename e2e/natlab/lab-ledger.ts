/**
 * Whether anybody was sent more than they asked for: what every host on which Waypost runs sent to each remote address before that address was known to be whose it seems, counted by
 * the kernel where the packets leave and arrive, for the whole time of a laboratory. A flow is a remote address and port with one port of the host.
 *
 * Until the other end has shown that it gets what is sent to it, a flow has one of two forms. THEY spoke first: then nothing may leave that is larger than what came, and in sum no more than came; a visor
 * may probe the same address besides, because its contact had offered it, and a relay may answer for another one, or ask it to, when a visor has paid for that with a larger probe. WE spoke first: then what leaves has to be one of the few things that are allowed to begin, each of a size and a
 * number: the handshake with a relay that the person named, a probe to an address that a contact offered (or to the second port of a relay), a request to the own router, and from a relay the short answer from
 * another port that a visor had paid for at the first.
 *
 * What counts as shown: an answer to what we sent first, and where they spoke first the first packet after one of ours. Behind a router that gives each conversation its own port the answer that proves an address
 * comes from another port of it (docs/protocol.md, section 10), so an address counts as shown for a socket of ours when anything came to it from another port of that address;
 * and a host with several addresses answers from one of them, whichever was asked. Of the own network's neighbours it is the answer to a question that was asked of
 * everybody: it has a proof that names the question, and a handshake may follow it. So a second packet of somebody who gets nothing counts as well:
 * what a flood of forged packets is answered with is counted where it happens (lab-faults-flood.ts), all of it.
 */
import { z } from 'zod';
import { lanGroups } from '../../src/main/host/lan-multicast.ts';
import { runInside } from './lab-nft.ts';
import type { Lab } from './lab.ts';
import { plainAddress } from './model.ts';

const table = 'lab_ledger';
const udpHeaderBytes = 8;
const families = [{ name: '4', ip: 'ip' }, { name: '6', ip: 'ip6' }] as const;
/** A busy relay has 2,000; a full set would count no more. The kernel walks through the places of each set every second: eight times as many took a fifth of two processors for 160 hosts. */
const setElementsMaximum = 8_192;

/** Of UDP payload. A probe, and what a relay answers from another port, has at most so much. */
const probeBytes = 128;
const handshakeBytes = 1_200;
/** Of types 8, plain and passed on by another relay. */
const paidAnswerBytes: readonly number[] = [46, 71];
const portControlBytes = 60;
const portControlPort = 5_351;
/** Questions into the local network (docs/protocol.md, section 11), which leave it never: of its group, three at first and one a minute, or when somebody is looked for. */
const lanGroupAddresses: ReadonlySet<string> = new Set([lanGroups.ipv4, lanGroups.ipv6]);
const lanQuestionBytes = 1_165;
const lanQuestionsMaximum = 120;
/** Packets of one flow until it is answered. A handshake is repeated after 0.25 s and seldomer and seldomer: for a minute and a half. */
const handshakesMaximum = 16;
/** 15 in an attempt, and at most 60 a minute to a host: of some attempts. */
const probesMaximum = 150;
const portControlMaximum = 32;
/** As many as one ticket has, for two checks. */
const answersMaximum = 48;

function rulesOf({ name, ip }: (typeof families)[number]): string {
  const set = (of: string, fields: string): string => `set ${of}${name} { typeof ${fields}; size ${String(setElementsMaximum)}; flags dynamic; }`;
  const flow = `${ip} saddr . udp sport . udp dport`;
  const back = `${ip} daddr . udp dport . udp sport`;
  return `
  ${['heard', 'sent', 'known'].map((of) => set(of, flow)).join('\n  ')}
  ${['came', 'before', 'after'].map((of) => set(of, `${flow} . udp length`)).join('\n  ')}
  chain in${name} {
    ${flow} @known${name} return
    ${flow} @heard${name} ${flow} @sent${name} add @known${name} { ${flow} } return
    add @heard${name} { ${flow} }
    update @came${name} { ${flow} . udp length counter }
  }
  chain out${name} {
    ${back} @known${name} return
    add @sent${name} { ${back} }
    ${back} @heard${name} update @after${name} { ${back} . udp length counter } return
    update @before${name} { ${back} . udp length counter }
  }`;
}

/** From now on it is counted there. */
export function openLedger(lab: Lab, hosts: readonly string[]): void {
  const rules = `table inet ${table} {${families.map(rulesOf).join('')}
  chain in { type filter hook input priority 300; iifname != "lo" jump each_in; }
  chain out { type filter hook output priority 300; oifname != "lo" jump each_out; }
  chain each_in { ${families.map(({ name }) => `meta nfproto ipv${name} meta l4proto udp jump in${name}; `).join('')} }
  chain each_out { ${families.map(({ name }) => `meta nfproto ipv${name} meta l4proto udp jump out${name}; `).join('')} }
}`;
  // Chains have to be there before something jumps into them.
  for (const host of hosts) runInside(lab, host, ['nft', '-f', '-'], rules);
}

const elementSchema = z.object({ elem: z.object({ val: z.object({ concat: z.tuple([z.string(), z.number(), z.number(), z.number()]) }), counter: z.object({ packets: z.number() }) }) });
const listingSchema = z.object({ nftables: z.array(z.looseObject({ set: z.looseObject({ name: z.string(), elem: z.array(z.unknown()).optional() }).optional() })) });

/** Packets of one size. */
interface Sized { readonly bytes: number; readonly packets: number }

interface Flow {
  readonly ownPort: number;
  readonly host: string;
  readonly remote: string;
  readonly remotePort: number;
  readonly came: Sized[];
  /** Sent before anything came, and after that until it was known. */
  readonly before: Sized[];
  readonly after: Sized[];
}

interface Counted {
  readonly flows: readonly Flow[];
  /** By remote host and own port: the remote addresses and ports from which something came. */
  readonly heard: Heard;
  /** Sets that took no more: what came after was not counted. */
  readonly fullSets: readonly string[];
}

type Heard = ReadonlyMap<string, ReadonlySet<string>>;

const heardSchema = z.object({ concat: z.tuple([z.string(), z.number(), z.number()]) });
const heardBy = (remoteHost: string, ownPort: number): string => `${remoteHost} ${String(ownPort)}`;
const placeOf = (remote: string, remotePort: number): string => `${remote} ${String(remotePort)}`;
const flowKey = (remote: string, remotePort: number, ownPort: number): string => `${remote} ${String(remotePort)} ${String(ownPort)}`;

/** @param hostOf one name for all addresses of a host. */
function countedAt(lab: Lab, host: string, hostOf: (address: string) => string): Counted {
  const flows = new Map<string, Flow>();
  const heard = new Map<string, Set<string>>();
  const fullSets: string[] = [];
  const { nftables } = listingSchema.parse(JSON.parse(runInside(lab, host, ['nft', '-j', 'list', 'table', 'inet', table])));
  for (const { set } of nftables) {
    if (set !== undefined && (set.elem ?? []).length >= setElementsMaximum) fullSets.push(`${host}: its count "${set.name}" is full`);
    if (set?.name.startsWith('heard') === true) {
      for (const element of set.elem ?? []) {
        const { concat: [remote, remotePort, ownPort] } = heardSchema.parse(element);
        const key = heardBy(hostOf(remote), ownPort);
        heard.set(key, (heard.get(key) ?? new Set()).add(placeOf(remote, remotePort)));
      }
    }
    const kind = set === undefined ? undefined : (['came', 'before', 'after'] as const).find((each) => set.name.startsWith(each));
    if (set === undefined || kind === undefined) continue;
    for (const element of set.elem ?? []) {
      const { elem: { val: { concat: [remote, remotePort, ownPort, lengthBytes] }, counter: { packets } } } = elementSchema.parse(element);
      const key = flowKey(remote, remotePort, ownPort);
      const flow = flows.get(key) ?? { host, remote, remotePort, ownPort, came: [], before: [], after: [] };
      flows.set(key, flow);
      flow[kind].push({ bytes: lengthBytes - udpHeaderBytes, packets });
    }
  }
  return { flows: [...flows.values()], heard, fullSets };
}

const packetsOf = (sizes: readonly Sized[]): number => sizes.reduce((sum, { packets }) => sum + packets, 0);
const bytesOf = (sizes: readonly Sized[]): number => sizes.reduce((sum, { packets, bytes }) => sum + packets * bytes, 0);
const largestOf = (sizes: readonly Sized[]): number => Math.max(0, ...sizes.map(({ bytes }) => bytes));

/** What the rules need to know besides. */
interface Surroundings {
  readonly isRelay: boolean;
  readonly relayAddresses: ReadonlySet<string>;
  readonly heard: Heard;
  readonly hostOf: (address: string) => string;
  readonly isNeighbour: (remote: string) => boolean;
}

/** Something came from another port of the same address, or another address of the same host, to the same socket: the answer to a probe may have been it. */
function isShownOtherwise({ remote, remotePort, ownPort }: Flow, { isRelay, relayAddresses, heard, hostOf }: Surroundings): boolean {
  const places = isRelay || relayAddresses.has(remote) ? undefined : heard.get(heardBy(hostOf(remote), ownPort));
  return places !== undefined && [...places].some((place) => place !== placeOf(remote, remotePort));
}

/** A contact in the own network. */
const isVisitor = ({ remote }: Flow, { isRelay, relayAddresses, isNeighbour }: Surroundings): boolean => !isRelay && !relayAddresses.has(remote) && isNeighbour(remote);

/** What we may begin with there: the largest packet, and how many. */
function allowanceOf(flow: Flow, surroundings: Surroundings): { readonly bytes: number; readonly packets: number; readonly what: string } {
  const { remote, remotePort } = flow;
  const { isRelay, relayAddresses } = surroundings;
  if (isRelay) return { bytes: probeBytes, packets: answersMaximum, what: 'answers from another port' };
  if (lanGroupAddresses.has(remote)) return { bytes: lanQuestionBytes, packets: lanQuestionsMaximum, what: 'questions into the local network' };
  if (remotePort === portControlPort) return { bytes: portControlBytes, packets: portControlMaximum, what: 'requests to the router' };
  if (relayAddresses.has(remote)) return { bytes: handshakeBytes, packets: handshakesMaximum + probesMaximum, what: 'handshakes with a relay' };
  if (isVisitor(flow, surroundings)) return { bytes: handshakeBytes, packets: handshakesMaximum + probesMaximum, what: 'handshakes with a neighbour' };
  return { bytes: probeBytes, packets: probesMaximum, what: 'probes' };
}

/**
 * What would have been sent there in any case, up to its number: a visor's probes; and of a relay what a visor paid for with a probe of 128 bytes elsewhere, an answer of 46 or 71 bytes for another
 * relay, or the request to one. Neither waits for the other side to begin.
 */
function probesIn({ remote, after }: Flow, isRelay: boolean, relayAddresses: ReadonlySet<string>): readonly Sized[] {
  return isRelay ? after.filter(({ bytes }) => paidAnswerBytes.includes(bytes) || (relayAddresses.has(remote) && bytes <= probeBytes)) : after.filter(({ bytes }) => bytes === probeBytes);
}

function problemOf(flow: Flow, surroundings: Surroundings): string | undefined {
  const { host, remote, remotePort, came, before, after } = flow;
  if (isShownOtherwise(flow, surroundings)) return undefined;
  const { isRelay, relayAddresses } = surroundings;
  const where = `${host} to ${remote}:${String(remotePort)}`;
  if (before.length > 0) {
    const { bytes, packets, what } = allowanceOf(flow, surroundings);
    if (largestOf(before) > bytes) return `${where}, unasked: a packet of ${String(largestOf(before))} bytes; ${what} have at most ${String(bytes)}`;
    return packetsOf(before) > packets ? `${where}, unasked: ${String(packetsOf(before))} packets; of ${what} there may be ${String(packets)}` : undefined;
  }
  const probes = probesIn(flow, isRelay, relayAddresses);
  if (isVisitor(flow, surroundings)) return largestOf(after) > handshakeBytes || packetsOf(after) > handshakesMaximum + probesMaximum ? `${where}: ${String(packetsOf(after))} packets to a neighbour, the largest of ${String(largestOf(after))} bytes` : undefined;
  // A probe that is meant for them in any case may follow a smaller answer for another relay, which was there first.
  const answers = after.filter((sized) => !probes.includes(sized));
  if (largestOf(answers) > bytesOf(came)) return `${where}: a packet of ${String(largestOf(answers))} bytes after ${String(bytesOf(came))} had come`;
  const owed = bytesOf(after) - bytesOf(probes);
  if (owed > bytesOf(came)) return `${where}: ${String(owed)} bytes after ${String(bytesOf(came))} had come`;
  return packetsOf(probes) > probesMaximum ? `${where}: ${String(packetsOf(probes))} probes` : undefined;
}

/** Of IPv4: the networks of the laboratory have 24 bits. */
const networkOf = (address: string): string => address.split('.').slice(0, 3).join('.');

export interface LedgerOutcome { readonly text: string; readonly problems: readonly string[] }

/** @param relays those of the hosts on which a relay runs. */
export function readLedger(lab: Lab, hosts: readonly string[], relays: readonly string[]): LedgerOutcome {
  // Asked for once: the laboratory reads its whole record for each question.
  const nodes = new Map(lab.status().map(({ node }) => [node.name, node] as const));
  const addressesOf = (host: string): readonly string[] => (nodes.get(host)?.addresses ?? []).map(plainAddress);
  const relayAddresses = new Set(relays.flatMap((relay) => [...addressesOf(relay), plainAddress(nodes.get(relay)?.ipv6?.address ?? '')]));
  const hostsByAddress = new Map(hosts.flatMap((host) => addressesOf(host).map((address) => [address, host] as const)));
  const hostOf = (address: string): string => hostsByAddress.get(address) ?? address;
  const counted = hosts.map((host) => ({ host, ...countedAt(lab, host, hostOf) }));
  const flows = counted.flatMap((one) => one.flows);
  const judged = counted.map(({ host, flows: own, heard }) => {
    const networks = new Set(addressesOf(host).map(networkOf));
    const surroundings: Surroundings = { isRelay: relays.includes(host), relayAddresses, heard, hostOf, isNeighbour: (remote) => remote.startsWith('fe80:') || networks.has(networkOf(remote)) };
    return { own, surroundings };
  });
  const ours = flows.filter(({ before }) => before.length > 0);
  const theirs = judged.flatMap(({ own, surroundings }) => own.filter((flow) => flow.before.length === 0 && flow.came.length > 0 && !isShownOtherwise(flow, surroundings) && !isVisitor(flow, surroundings)));
  const ratio = Math.max(0, ...theirs.map((flow) => (bytesOf(flow.after) - bytesOf(probesIn(flow, relays.includes(flow.host), relayAddresses))) / bytesOf(flow.came)));
  const problems = [
    ...counted.flatMap(({ fullSets }) => fullSets),
    ...judged.flatMap(({ own, surroundings }) => own.map((flow) => problemOf(flow, surroundings)).filter((problem) => problem !== undefined)),
  ];
  return {
    text: `${String(flows.length)} flows at ${String(hosts.length)} hosts: ${String(theirs.length)} begun by others, who got at most ${ratio.toFixed(2)} bytes for one, probes apart, until they were known; ${String(ours.length)} begun by us with ${String(packetsOf(ours.flatMap(({ before }) => before)))} packets`,
    // Nothing counted at all would show nothing.
    problems: theirs.length > 0 && ours.length > 0 ? problems : [...problems, 'the counting saw no flow'],
  };
}
