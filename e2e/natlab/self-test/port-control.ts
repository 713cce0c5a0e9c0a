/** PCP and NAT-PMP as a host uses them, with requests written down here byte by byte from the standards, and by whether strangers then get in. */
import { endpointOf, type Endpoint } from '../probe-datagrams.ts';
import type { AgentSocket } from '../agent.ts';
import type { PolicyBench } from './policy-bench.ts';

const host = 'flex1';
const protocolUdp = 17;
const protocolTcp = 6;
const hour = 3_600;
const grantedSeconds = 60;
const silentTries = 3;
/** Result codes of RFC 6887 section 7.4. */
const pcp = { success: 0, unsupportedVersion: 1, notAuthorized: 2, unsupportedOption: 5, unsupportedProtocol: 9, cannotProvide: 11, addressMismatch: 12 } as const;
const preferFailure = Uint8Array.of(2, 0, 0, 0);
/** A mandatory option that no standard has. */
const unknownOption = Uint8Array.of(100, 0, 0, 0);

interface MapRequest {
  readonly port: number;
  readonly lifetimeSeconds: number;
  readonly suggested?: number;
  readonly nonce?: number;
  readonly protocol?: number;
  readonly client?: string;
  readonly option?: Uint8Array;
}

interface MapAnswer { readonly version: number; readonly operation: number; readonly result: number; readonly lifetimeSeconds: number; readonly epochSeconds: number; readonly port: number; readonly address: string }

class Client {
  readonly #bench: PolicyBench;
  readonly #socket: AgentSocket;
  readonly #gateway: Endpoint;
  readonly #address: string;

  constructor(bench: PolicyBench, socket: AgentSocket) {
    this.#bench = bench;
    this.#socket = socket;
    this.#gateway = { address: bench.lab.gateway(host), port: 5_351 };
    this.#address = bench.lab.addresses(host)[0] ?? '';
  }

  static async open(bench: PolicyBench): Promise<Client> { return new Client(bench, await bench.open(host)); }

  raw(bytes: Uint8Array, tries?: number): Promise<Buffer | undefined> { return this.#socket.exchange(bytes, this.#gateway, tries); }

  /** PCP's MAP. */
  async map({ port, lifetimeSeconds, suggested = 0, nonce = 1, protocol = protocolUdp, client = this.#address, option = new Uint8Array(0) }: MapRequest, tries?: number): Promise<MapAnswer | undefined> {
    const bytes = Buffer.alloc(60 + option.length);
    bytes.set([2, 1]);
    bytes.writeUInt32BE(lifetimeSeconds, 4);
    bytes.set([0xff, 0xff, ...client.split('.').map(Number)], 18);
    bytes.fill(nonce, 24, 36);
    bytes.writeUInt8(protocol, 36);
    bytes.writeUInt16BE(port, 40);
    bytes.writeUInt16BE(suggested, 42);
    bytes.set([0xff, 0xff, 0, 0, 0, 0], 54);
    bytes.set(option, 60);
    const answer = await this.raw(bytes, tries);
    if (answer === undefined) return undefined;
    const long = answer.length >= 60;
    return {
      version: answer.readUInt8(0), operation: answer.readUInt8(1), result: answer.readUInt8(3), lifetimeSeconds: answer.readUInt32BE(4),
      epochSeconds: answer.length >= 12 ? answer.readUInt32BE(8) : Number.NaN, port: long ? answer.readUInt16BE(42) : 0, address: long ? answer.subarray(56, 60).join('.') : '',
    };
  }

  /** NAT-PMP's mapping of UDP: result, port and lifetime. */
  async mapNatPmp(port: number, lifetimeSeconds: number): Promise<readonly [number, number, number] | undefined> {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt8(1, 1);
    bytes.writeUInt16BE(port, 4);
    bytes.writeUInt32BE(lifetimeSeconds, 8);
    const answer = await this.raw(bytes);
    return answer === undefined ? undefined : [answer.readUInt16BE(2), answer.readUInt16BE(10), answer.readUInt32BE(12)];
  }

  /** Whether a stranger gets in at this port of the router's. */
  async letsIn(socket: AgentSocket, port: number): Promise<boolean> {
    words += 1;
    const word = `knock-${words}`;
    await (await this.#bench.open('relay2')).say(word, { address: this.#bench.lab.addresses('flex')[0] ?? '', port });
    return await socket.hear(word) !== undefined;
  }
}

let words = 0;

export async function portControl(bench: PolicyBench): Promise<void> {
  await bench.flex({ portControl: 'both' });
  const client = await Client.open(bench);
  await mapping(bench, client);
  await refusals(bench, client);
  await natPmp(bench, client);
  await lifetimes(bench, client);
  await switches(bench, client);
}

async function mapping(bench: PolicyBench, client: Client): Promise<void> {
  const target = await bench.open(host);
  const external = bench.lab.addresses('flex')[0];
  const before = await client.letsIn(target, 40_123);
  const mapped = await client.map({ port: target.port, lifetimeSeconds: hour, suggested: 40_123 });
  const after = await client.letsIn(target, 40_123);
  bench.check('PCP: a mapping is granted with the suggested port and the external address', mapped?.version === 2 && mapped.operation === 0x81 && mapped.result === pcp.success && mapped.port === 40_123 && mapped.address === external && mapped.lifetimeSeconds === hour, mapped);
  bench.check('PCP: it really lets strangers in', !before && after, [before, after]);
  const outward = await target.ask(bench.server());
  bench.check('PCP: what the host sends leaves by the mapped port', outward === `${external ?? ''}:40123`, outward);
  const foreign = await client.map({ port: target.port, lifetimeSeconds: 0, nonce: 9 });
  const still = await client.letsIn(target, 40_123);
  const deleted = await client.map({ port: target.port, lifetimeSeconds: 0 });
  const gone = !await client.letsIn(target, 40_123);
  bench.check('PCP: another nonce may not delete the mapping, its own may', foreign?.result === pcp.notAuthorized && still && deleted?.result === pcp.success && deleted.lifetimeSeconds === 0 && gone, [foreign, still, deleted, gone]);
}

async function refusals(bench: PolicyBench, client: Client): Promise<void> {
  const [one, two] = [await bench.open(host), await bench.open(host)];
  await client.map({ port: one.port, lifetimeSeconds: hour, suggested: 40_200 });
  const other = await client.map({ port: two.port, lifetimeSeconds: hour, suggested: 40_200, nonce: 2 });
  const exact = await client.map({ port: two.port + 1, lifetimeSeconds: hour, suggested: 40_200, nonce: 3, option: preferFailure });
  bench.check('PCP: a port that is taken is replaced, or refused with PREFER_FAILURE', other?.result === pcp.success && other.port !== 40_200 && exact?.result === pcp.cannotProvide, [other, exact]);
  const results = [
    await client.map({ port: 1, lifetimeSeconds: hour, client: '10.9.9.9' }), await client.map({ port: 1, lifetimeSeconds: hour, protocol: protocolTcp }),
    await client.map({ port: 1, lifetimeSeconds: hour, option: unknownOption }),
  ].map((answer) => answer?.result);
  bench.check('PCP: a foreign client address, TCP and an unknown mandatory option are refused', results.join() === [pcp.addressMismatch, pcp.unsupportedProtocol, pcp.unsupportedOption].join(), results);
}

async function natPmp(bench: PolicyBench, client: Client): Promise<void> {
  const target = await bench.open(host);
  const answer = await client.raw(Uint8Array.of(0, 0));
  const address = answer?.subarray(8, 12).join('.');
  bench.check('NAT-PMP: the external address', answer?.length === 12 && answer.readUInt16BE(0) === 0x80 && answer.readUInt16BE(2) === 0 && address === bench.lab.addresses('flex')[0], address);
  const mapped = await client.mapNatPmp(target.port, hour);
  const [, port = 0] = mapped ?? [];
  const opened = await client.letsIn(target, port);
  const deleted = await client.mapNatPmp(target.port, 0);
  const closed = !await client.letsIn(target, port);
  bench.check('NAT-PMP: a mapping is granted, lets strangers in, and is deleted', mapped?.[0] === 0 && mapped[2] === hour && opened && deleted?.join() === '0,0,0' && closed, [mapped, opened, deleted, closed]);
}

async function lifetimes(bench: PolicyBench, client: Client): Promise<void> {
  await bench.flex({ portControl: 'both', grantMaximumSeconds: grantedSeconds });
  const target = await bench.open(host);
  const renew = (): Promise<MapAnswer | undefined> => client.map({ port: target.port, lifetimeSeconds: hour });
  const first = await renew();
  await bench.lab.age('flex', grantedSeconds - 15);
  const second = await renew();
  await bench.lab.age('flex', grantedSeconds - 15);
  const renewed = await client.letsIn(target, first?.port ?? 0);
  await bench.lab.age('flex', 20);
  const expired = !await client.letsIn(target, first?.port ?? 0);
  bench.check('PCP: the lifetime is cut to what is granted, renewing prolongs it, and it ends', first?.lifetimeSeconds === grantedSeconds && second?.port === first.port && renewed && expired, [first, second, renewed, expired]);
  const elapsed = (second?.epochSeconds ?? 0) - (first?.epochSeconds ?? 0);
  await renew();
  await bench.lab.rebind('flex');
  const lost = !await client.letsIn(target, first?.port ?? 0);
  const restarted = await client.map({ port: target.port, lifetimeSeconds: hour });
  bench.check('PCP: the epoch counts on, and begins anew when mappings are lost', elapsed >= grantedSeconds - 16 && lost && (restarted?.epochSeconds ?? Infinity) < (second?.epochSeconds ?? 0), [elapsed, lost, restarted]);
}

async function switches(bench: PolicyBench, client: Client): Promise<void> {
  const request = { port: 5_000, lifetimeSeconds: hour };
  await bench.lab.setNat('flex', 'translator', { portControl: 'off' });
  const silent = [await client.map(request, silentTries), await client.raw(Uint8Array.of(0, 0), silentTries)];
  bench.check('port-control=off: no answer', silent.every((answer) => answer === undefined), silent);
  await bench.lab.setNat('flex', 'translator', { portControl: 'pcp' });
  const [asPcp, natPmpAnswer] = [await client.map(request), await client.raw(Uint8Array.of(0, 0))];
  bench.check('port-control=pcp: PCP works, NAT-PMP learns of the other version', asPcp?.result === pcp.success && natPmpAnswer?.readUInt8(0) === 2 && natPmpAnswer.readUInt16BE(2) === pcp.unsupportedVersion, [asPcp, natPmpAnswer?.toString('hex')]);
  await bench.lab.setNat('flex', 'translator', { portControl: 'nat-pmp' });
  const [asNatPmp, pcpAnswer] = [await client.raw(Uint8Array.of(0, 0)), await client.map(request)];
  bench.check('port-control=nat-pmp: NAT-PMP works, PCP learns of the other version', asNatPmp?.readUInt16BE(2) === 0 && pcpAnswer?.version === 0 && pcpAnswer.result === pcp.unsupportedVersion, [asNatPmp?.toString('hex'), pcpAnswer]);

  const home = await bench.open('home1');
  const inner = await home.exchange(Uint8Array.of(0, 0), { address: bench.lab.gateway('home1'), port: 5_351 });
  const told = inner?.subarray(8, 12).join('.');
  const seen = await home.ask(bench.server());
  bench.check('behind two routers the inner one tells its own outer address, not the one that is seen', told === bench.lab.addresses('home')[0] && seen !== undefined && endpointOf(seen).address !== told, [told, seen]);
}
