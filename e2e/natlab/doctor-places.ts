/** The places where `doctor.ts` runs Waypost's doctor, and what the laboratory knows about each: only what is told here may be found there. */
import { kindBehaviours, matrixKinds, translatorOptions, type MatrixKind } from './nat-matrix.ts';
import type { RouterItem } from './lab.ts';
import type { Dependence } from './translator/policy.ts';
import type { Filtering, Mapping } from '../../src/shared/network-report.ts';

export interface Place {
  readonly name: string;
  /** Where the doctor runs. */
  readonly host: string;
  /** In the order in which they are plugged into each other; none: a public host. */
  readonly routers: readonly RouterItem[];
  /** Whether its relays are reached by IPv6. */
  readonly byIpv6?: boolean;
  readonly truth: Truth;
}

/** Undefined: nobody can find it out from there, so that saying anything is wrong. */
export interface Truth {
  readonly udpBlocked?: boolean;
  readonly mapping?: Mapping;
  readonly filtering?: Filtering;
  readonly allocation?: 'preserving' | 'sequential' | 'block' | 'random';
  readonly hairpin?: boolean;
  readonly doubleNat?: boolean;
  readonly portControl?: 'pcp' | 'nat-pmp' | 'none';
  readonly captivePortal?: boolean;
  /** Whether relays see an address of the outermost router. */
  readonly isTranslated?: boolean;
}

const mappings: Readonly<Record<Dependence, Mapping>> = { independent: 'endpoint-independent', address: 'address-dependent', port: 'address-and-port-dependent' };
const filterings: Readonly<Record<Dependence, Filtering>> = { independent: 'endpoint-independent', address: 'address-dependent', port: 'address-and-port-dependent' };
const usual = { udpBlocked: false, captivePortal: false, portControl: 'none', isTranslated: true } as const;

let routers = 0;
function behind(name: string, kind: RouterItem['kind'], truth: Truth, options: RouterItem['options'] = {}): Place {
  routers += 1;
  const [router, host] = [`r${String(routers)}`, `h${String(routers)}`];
  return { name, host, routers: [{ name: router, kind, hosts: [host], options }], truth };
}

/** A hairpin shows itself where the filter lets it in. */
function ofKind(kind: MatrixKind): Truth {
  const { mapping, filtering } = kindBehaviours[kind];
  const isHairpinSeen = mapping === 'independent' || filtering === 'independent';
  return { ...usual, mapping: mappings[mapping], filtering: filterings[filtering], allocation: 'random', ...(isHairpinSeen ? { hairpin: false } : {}) };
}

const portRestricted = ofKind('eim-apdf');
/** A port that the router opened is the main socket's alone, so that what it does with others' hairpins stays hidden. */
const { hairpin: _hidden, ...opened } = portRestricted;
const straight = { udpBlocked: false, captivePortal: false, mapping: 'none', allocation: 'preserving', doubleNat: false, isTranslated: false } as const;
const kernelKinds = matrixKinds.flatMap((kind): readonly Place[] => {
  const { kernelKind } = kindBehaviours[kind];
  return kernelKind === undefined ? [] : [behind(kernelKind, kernelKind, ofKind(kind))];
});

const double: Place = {
  name: 'two routers', host: 'h-inner',
  routers: [{ name: 'r-outer', kind: 'translator', hosts: [], options: { filtering: 'port' } }, { name: 'r-inner', kind: 'translator', hosts: ['h-inner'], behind: 'r-outer', options: { filtering: 'port', portControl: 'both' } }],
  truth: { ...opened, portControl: 'pcp', doubleNat: true },
};

export const publicHost = 'bystander';

export const places: readonly Place[] = [
  { name: 'public host', host: publicHost, routers: [], truth: { ...straight, filtering: 'none' } },
  // Seen at a private address: relays outside send nothing there for each other, so that nobody can tell who gets in.
  behind('none', 'none', { ...straight, portControl: 'none' }),
  ...kernelKinds,
  ...matrixKinds.map((kind) => behind(kind, 'translator', ofKind(kind), translatorOptions(kind))),
  behind('hairpin', 'translator', { ...portRestricted, hairpin: true }, { filtering: 'port', hairpin: true }),
  behind('preserving', 'translator', { ...portRestricted, allocation: 'preserving' }, { filtering: 'port', ports: 'preserve' }),
  behind('sequential', 'translator', { ...portRestricted, allocation: 'sequential' }, { filtering: 'port', ports: 'sequential', deltaPorts: 2 }),
  behind('block', 'translator', { ...portRestricted, allocation: 'block' }, { filtering: 'port', ports: 'block', blockPorts: 256 }),
  behind('pcp', 'translator', { ...opened, portControl: 'pcp', doubleNat: false }, { filtering: 'port', portControl: 'pcp' }),
  behind('nat-pmp', 'translator', { ...opened, portControl: 'nat-pmp', doubleNat: false }, { filtering: 'port', portControl: 'nat-pmp' }),
  behind('cgnat', 'cgnat', portRestricted),
  behind('cgnat-symmetric', 'cgnat', ofKind('edm-apdf'), { carrier: 'symmetric' }),
  double,
  // A relay that answers over TCP shows that there is a network, and that UDP is what does not pass.
  behind('udp-blocked', 'udp-blocked', { udpBlocked: true }),
  behind('portal', 'captive-portal', { captivePortal: true }),
  { ...behind('ipv6-firewall', 'port-restricted', { ...straight, filtering: 'address-and-port-dependent' }, { ipv6: 'firewall' }), byIpv6: true },
  { ...behind('ipv6-open', 'port-restricted', { ...straight, filtering: 'none' }, { ipv6: 'open' }), byIpv6: true },
];
