/** The pairs of places between which `lab-table.ts` has two visors meet, and the best path that theory allows each. */
import type { PeerPathKind } from '../../src/shared/peer-views.ts';
import { kindBehaviours, natMatrix, translatorOptions, type MatrixCell, type MatrixKind } from './nat-matrix.ts';
import type { RouterItem } from './lab.ts';

/** Which path the session is to end on, by what is built: in a network of both, straight, straight where neither side lets in what it did not ask for, or through a relay. */
export type ExpectedPath = Extract<PeerPathKind, 'lan' | 'direct' | 'punched' | 'relay'>;

export interface LabCell {
  readonly name: string;
  readonly expected: ExpectedPath;
  /** Why not better. */
  readonly remark?: string;
  /** Where the two visors run. */
  readonly hosts: readonly [string, string];
  /** In the order in which they are plugged into each other; a host of no router is a public one. */
  readonly routers: readonly RouterItem[];
  /** It takes a port that is guessed, which is a matter of luck and of half a minute. */
  readonly isGuessed?: boolean;
  /** Whether the relays are reached by IPv6. */
  readonly byIpv6?: boolean;
}

/** Where all relays die (lab-friend.ts), in one run. */
export interface FriendCell {
  readonly name: string;
  readonly run: number;
  readonly hosts: readonly [string, string];
  readonly routers: readonly RouterItem[];
  /** Public hosts: the friend's, and those of the relays. */
  readonly friend: { readonly host: string; readonly relays: readonly [string, string] };
}

/** Where a visor is; `isOpen`: everything comes in there, asked for or not. */
interface Site { readonly isOpen: boolean; readonly routers: (name: string, host: string) => readonly RouterItem[] }

const of = (kind: RouterItem['kind'], options: RouterItem['options'] = {}, lan?: string): Site => ({ isOpen: false, routers: (name, host) => [{ name, kind, hosts: [host], lan, options }] });
const matrixKind = (kind: MatrixKind): Site => ({ ...of('translator', translatorOptions(kind)), isOpen: kindBehaviours[kind].filtering === 'independent' });
const nowhere: Site = { isOpen: true, routers: () => [] };

/** Names of nodes are short: they become parts of the names of namespaces. */
function cellOf(number: number, name: string, sites: readonly [Site, Site], expected: ExpectedPath | 'straight', more: Pick<LabCell, 'remark' | 'byIpv6' | 'isGuessed'> = {}): LabCell {
  const id = `c${String(number)}`;
  const hosts = [`${id}-left`, `${id}-right`] as const;
  const straight = sites.some(({ isOpen }) => isOpen) ? 'direct' : 'punched';
  return { name, expected: expected === 'straight' ? straight : expected, hosts, routers: sites.flatMap((site, side) => site.routers(`${id}-r${String(side)}`, hosts[side] ?? '')), ...more };
}

function matrixCell({ left, right, best }: MatrixCell, index: number): LabCell {
  const isPlain = best === 'plain';
  return cellOf(index + 1, `${left} : ${right}`, [matrixKind(left), matrixKind(right)], best === 'relay' ? 'relay' : 'straight', isPlain ? {} : best === 'prediction' ? { isGuessed: true } : { remark: 'relay by theory' });
}

/** Two homes behind one carrier: each has a router of its own, and both are seen at the carrier's address. */
function behindOneCarrier(number: number, hairpin: boolean): LabCell {
  const [id, options] = [`c${String(number)}`, { mapping: 'independent', filtering: 'port' } as const];
  const hosts = [`${id}-left`, `${id}-right`] as const;
  const home = (side: 0 | 1): RouterItem => ({ name: `${id}-r${String(side)}`, kind: 'translator', hosts: [hosts[side]], behind: `${id}-isp`, options });
  return {
    name: `one carrier, ${hairpin ? 'with' : 'no'} hairpin`, expected: hairpin ? 'punched' : 'relay', ...(hairpin ? {} : { remark: 'no way back in' }), hosts,
    routers: [{ name: `${id}-isp`, kind: 'translator', hosts: [], options: { ...options, hairpin } }, home(0), home(1)],
  };
}

function inOneLan(number: number, kind: RouterItem['kind']): LabCell {
  const hosts = [`c${String(number)}-left`, `c${String(number)}-right`] as const;
  return { name: `one LAN behind ${kind}`, expected: 'lan', hosts, routers: [{ name: `c${String(number)}-r`, kind, hosts: [...hosts], options: {} }] };
}

const home = matrixKind('eim-apdf');
const random = matrixKind('edm-apdf');
const both = (name: string, site: Site): [string, readonly [Site, Site]] => [name, [site, site]];

const sameLan: Site = of('port-restricted', {}, '192.168.1');
const firewalled: Site = of('symmetric', { ipv6: 'firewall' });
const inPattern = (ports: 'sequential' | 'block'): Site => of('translator', { mapping: 'port', filtering: 'port', ports, ...(ports === 'block' ? { blockPorts: 512 } : { deltaPorts: 2 }) });
const opened: Site = { ...of('translator', { mapping: 'independent', filtering: 'port', portControl: 'both' }), isOpen: true };

export const labCells: readonly LabCell[] = [
  ...natMatrix.map(matrixCell),
  inOneLan(31, 'port-restricted'),
  inOneLan(32, 'symmetric'),
  behindOneCarrier(33, true),
  behindOneCarrier(34, false),
  cellOf(35, ...both('same private addresses', sameLan), 'straight'),
  // Public hosts of the laboratory share one network.
  cellOf(36, 'public : public', [nowhere, nowhere], 'lan'),
  cellOf(37, 'public : eim-apdf', [nowhere, home], 'straight'),
  cellOf(38, 'public : edm-apdf', [nowhere, random], 'straight'),
  cellOf(39, 'PCP : edm-apdf', [opened, random], 'straight'),
  cellOf(40, ...both('port-restricted : same', of('port-restricted')), 'straight'),
  cellOf(41, 'restricted : symmetric', [of('restricted'), of('symmetric')], 'straight'),
  cellOf(42, 'cgnat : eim-apdf', [of('cgnat'), home], 'straight'),
  cellOf(43, ...both('cgnat : cgnat', of('cgnat')), 'straight'),
  cellOf(44, 'symmetric cgnat : eim-adf', [of('cgnat', { carrier: 'symmetric' }), matrixKind('eim-adf')], 'straight'),
  cellOf(45, 'symmetric cgnat : eim-apdf', [of('cgnat', { carrier: 'symmetric' }), home], 'straight', { isGuessed: true }),
  cellOf(46, ...both('IPv6 firewalls, relays by IPv6', firewalled), 'straight', { byIpv6: true }),
  cellOf(47, ...both('IPv6 firewalls, relays by IPv4', firewalled), 'straight'),
  cellOf(48, 'eim-apdf : ports in a row', [home, inPattern('sequential')], 'straight', { isGuessed: true }),
  cellOf(49, 'eim-apdf : ports of a block', [home, inPattern('block')], 'straight', { isGuessed: true }),
];

const friendCellOf = (number: number, run: number, name: string, site: Site): FriendCell => {
  const id = `c${String(number)}-${String(run)}`;
  const hosts = [`${id}-left`, `${id}-right`] as const;
  return { name, run, hosts, routers: hosts.flatMap((host, side) => site.routers(`${id}-r${String(side)}`, host)), friend: { host: `${id}-friend`, relays: [`${id}-relay0`, `${id}-relay1`] } };
};

/** Each run has nodes of its own: its relays are killed. */
export const friendCellsOf = (run: number): readonly FriendCell[] => [friendCellOf(48, run, 'all relays killed, a friend carries', of('port-restricted'))];

export const publicHostsOf = (cells: readonly Pick<LabCell, 'hosts' | 'routers'>[]): readonly string[] =>
  cells.flatMap(({ hosts, routers }) => hosts.filter((host) => !routers.some((router) => router.hosts.includes(host))));
