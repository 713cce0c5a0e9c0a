/** What a check should find in a place of the model, and how a report departs from it. For tests. */
import type { FamilyReport, Filtering, Known, Mapping, NetworkReport, NotCheckedReason, PortAllocation } from '../../../shared/network-report.ts';
import type { Place } from './check-testing.ts';
import type { RouterPolicy } from './nat-model-testing.ts';

const mappings: readonly Mapping[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const filterings: readonly Filtering[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'];

/** A value, or a reason where nobody could tell. */
type Expected = string | boolean | { readonly notChecked: NotCheckedReason };
type Fact = 'udpBlocked' | 'mapping' | 'filtering' | 'allocation' | 'hairpin' | 'doubleNat' | 'onePublicHost' | 'captivePortal';
const familyFacts = ['udpBlocked', 'mapping', 'filtering', 'allocation', 'hairpin', 'doubleNat', 'onePublicHost'] as const satisfies readonly (keyof FamilyReport)[];

export function truthOf(place: Place): Readonly<Record<Fact, Expected>> {
  const { routers } = place;
  const translating = routers.filter(({ mapping }) => mapping !== 'none');
  const outermost = translating.at(-1);
  if (place.udpBlocked || place.portal) {
    const nothing = { notChecked: 'no-answer' } as const;
    const doubleNat = place.portControl !== 'none' && translating.length > 1 ? true : translating.length > 0 && place.portControl === 'none' ? { notChecked: 'no-port-control' } as const : nothing;
    return { udpBlocked: true, mapping: nothing, filtering: nothing, allocation: nothing, hairpin: nothing, doubleNat, onePublicHost: nothing, captivePortal: place.portal };
  }
  const translated = mostDependent(mappings, routers.map(({ mapping }) => mapping)) ?? 'none';
  const filtering = mostDependent(filterings, routers.map((router) => router.filtering)) ?? 'none';
  const isMapped = place.portControl === 'mapped' && translating.length > 0;
  // The router's opened port is the main socket's alone; what is above that router still translates it.
  const mapping = isMapped ? mostDependent<Mapping>(mappings, ['endpoint-independent', ...translating.slice(1).map((router) => router.mapping)]) ?? 'none' : translated;
  return {
    udpBlocked: false,
    captivePortal: false,
    mapping,
    filtering: outermost !== undefined && filtering === 'none' ? 'endpoint-independent' : filtering,
    allocation: allocationOf(translating),
    hairpin: hairpinOf(outermost, mapping, filtering, isMapped),
    doubleNat: translating.length === 0 ? false : place.portControl === 'none' ? { notChecked: 'no-port-control' } : translating.length > 1,
    onePublicHost: outermost === undefined || outermost.outerHosts.length === 1,
  };
}

function hairpinOf(outermost: RouterPolicy | undefined, mapping: Mapping, filtering: Filtering, isMapped: boolean): Expected {
  if (outermost === undefined) return { notChecked: 'not-needed' };
  const isVisible = filtering === 'none' || filtering === 'endpoint-independent' || (mapping === 'endpoint-independent' && !isMapped);
  return isVisible ? outermost.hairpin : { notChecked: 'hidden-by-router' };
}

/** A router that keeps ports shows those of the router before it. */
function allocationOf(translating: readonly RouterPolicy[]): string {
  const choosing = translating.findLast(({ allocation }) => allocation !== 'preserving');
  return choosing === undefined ? 'preserving' : choosing.allocation === 'sequential' ? `sequential ${String(choosing.delta)}` : choosing.allocation;
}

function mostDependent<Value>(order: readonly Value[], values: readonly Value[]): Value | undefined {
  return values.reduce<Value | undefined>((most, value) => (most === undefined || order.indexOf(value) > order.indexOf(most) ? value : most), undefined);
}

const allocationText = (allocation: PortAllocation): string => (allocation.kind === 'sequential' ? `sequential ${String(allocation.delta)}` : allocation.kind);

function said(fact: Known<unknown>, name: Fact, report: FamilyReport): Expected {
  if (fact.state === 'not-checked') return { notChecked: fact.reason };
  if (name === 'allocation' && report.allocation.state === 'known') return allocationText(report.allocation.value);
  return typeof fact.value === 'boolean' ? fact.value : String(fact.value);
}

/** Whether hosts behind the place's routers really reach each other by the outer address. */
const hairpins = ({ routers }: Place): boolean => routers.findLast(({ mapping }) => mapping !== 'none')?.hairpin === true;

/** The truth, save that a hairpin which nobody could count on to see may have been seen all the same. */
export function acceptable(place: Place, found: Readonly<Record<Fact, Expected>>): Readonly<Record<Fact, Expected>> {
  const truth = truthOf(place);
  return typeof truth.hairpin === 'object' && found.hairpin === true && hairpins(place) ? { ...truth, hairpin: true } : truth;
}

export function findings(report: NetworkReport, place: Place): Readonly<Record<Fact, Expected>> {
  const family = report.families[place.family];
  const entries = familyFacts.map((name) => [name, said(family[name], name, family)] as const);
  return { ...Object.fromEntries(entries) as Record<typeof familyFacts[number], Expected>, captivePortal: said(report.captivePortal, 'captivePortal', family) };
}

/** The facts that a report tells wrongly; what it does not tell is not wrong. */
export function wrongFacts(report: NetworkReport, place: Place): readonly string[] {
  const found = findings(report, place);
  const truth = acceptable(place, found);
  return Object.entries(found).flatMap(([name, value]) => {
    if (typeof value === 'object') return [];
    const expected = truth[name as Fact];
    return value === expected ? [] : [`${name}: ${String(value)} instead of ${JSON.stringify(expected)}`];
  });
}
