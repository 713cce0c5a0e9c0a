/**
 * By what way two visors will most likely reach each other, from what each knows of its own network.
 *
 * Both know where relays see the other, and send there at the same time. Plain punching works where one is heard and its partner's answer, sent to
 * where the datagram really came from, is let in. Prediction works where one side opens many sockets towards a place that the other really
 * sends from, or lets any port of it in, and is answered by the same port. Everything else is for the relay. These three rules give
 * every cell of the matrix in the notes on peers (section 3), and the pairs that it leaves out.
 *
 * What one side does not know is tried in all values: only where all lead to the same way is that way known.
 */
import { addressFamilies, notChecked, valueOf, type AddressFamily, type Filtering, type Known, type Mapping, type NetworkReport, type NotChecked, type PortAllocation } from '../../../shared/network-report.ts';
import { predictionOf, type Prediction } from './prediction.ts';

/** What one side tells the other of one address family; what is undefined was not checked. */
export interface PathTraits {
  readonly mapping: Mapping | undefined;
  readonly filtering: Filtering | undefined;
  readonly allocation: PortAllocation | undefined;
  readonly udpBlocked: boolean | undefined;
  /** Whether every conversation leaves by the same outer address. */
  readonly onePublicHost: boolean | undefined;
}

/** The short form that travels with candidates; a family without an address is undefined. */
export type ShortReport = Readonly<Record<AddressFamily, PathTraits | undefined>>;

export type Way = 'plain' | 'prediction' | 'relay';
/** One of the two hears the other at once and is not heard: that direction is direct, the other needs the relay or a prediction. */
export type Listener = 'own' | 'other';

export interface PairEstimate {
  readonly way: Known<Way>;
  /** Undefined where the way is not known, or is the relay over no UDP at all. */
  readonly family: AddressFamily | undefined;
  readonly listener: Listener | undefined;
  /** Of the way `prediction`: what to open and to probe, and which side opens. */
  readonly prediction: (Prediction & { readonly opener: Listener }) | undefined;
}

const everyMapping: readonly Mapping[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const everyFiltering: readonly Filtering[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const wayRank: readonly Way[] = ['plain', 'prediction', 'relay'];

export function shortReport(report: NetworkReport): ShortReport {
  return { ipv4: traitsOf(report, 'ipv4'), ipv6: traitsOf(report, 'ipv6') };
}

function traitsOf({ families, candidates }: NetworkReport, family: AddressFamily): PathTraits | undefined {
  const { mapping, filtering, allocation, udpBlocked, doubleNat, onePublicHost } = families[family];
  if (mapping.state === 'not-checked' && mapping.reason === 'no-address') return undefined;
  const traits = { mapping: valueOf(mapping), filtering: valueOf(filtering), allocation: valueOf(allocation), udpBlocked: valueOf(udpBlocked), onePublicHost: valueOf(onePublicHost) };
  const isMapped = valueOf(doubleNat) === false && candidates.some((candidate) => candidate.kind === 'mapped' && candidate.family === family);
  // A port that the router opened lets everybody in, whatever the router does otherwise.
  return isMapped ? { ...traits, mapping: 'endpoint-independent', filtering: 'endpoint-independent', onePublicHost: true } : traits;
}

/** The best way over the address families that both have. */
export function estimatePair(own: ShortReport, other: ShortReport): PairEstimate {
  const estimates = addressFamilies.flatMap((family) => {
    const [left, right] = [own[family], other[family]];
    return left === undefined || right === undefined ? [] : [{ ...estimateFamily(left, right), family }];
  });
  const known = estimates.flatMap((estimate) => (estimate.way.state === 'known' ? [{ estimate, rank: wayRank.indexOf(estimate.way.value) }] : []));
  const best = known.toSorted((left, right) => left.rank - right.rank)[0];
  const open = estimates.find(({ way }) => way.state === 'not-checked');
  // A family that was not checked may be better than anything but the best.
  if (best !== undefined && (open === undefined || best.rank === 0)) return best.estimate;
  return open ?? { ...unknownPair(notChecked('no-address')), family: undefined };
}

export function estimateFamily(own: PathTraits, other: PathTraits): Omit<PairEstimate, 'family'> {
  const relay: Way = 'relay';
  if (own.udpBlocked === true || other.udpBlocked === true) return { way: { state: 'known', value: relay, samples: 2 }, listener: undefined, prediction: undefined };
  if (own.udpBlocked === undefined || other.udpBlocked === undefined) return unknownPair(notChecked('too-few-answers'));
  const outcomes = behavioursOf(own).flatMap((left) => behavioursOf(other).map((right) => outcomeOf(left, right)));
  const [first, ...others] = outcomes;
  if (first === undefined || others.some(({ way }) => way !== first.way)) return unknownPair(notChecked('too-few-answers'));
  // Neither a filter by address nor a search for a port works where the address changes as well.
  if (first.way !== 'relay' && !isPlainByAnyAddress(own, other) && (changesAddress(own) || changesAddress(other))) return unknownPair(notChecked('contradictory'));
  const listener = others.every((each) => each.listener === first.listener) ? first.listener : undefined;
  if (first.way !== 'prediction') return { way: { state: 'known', value: first.way, samples: 2 }, listener, prediction: undefined };
  const openers = (['own', 'other'] as const).filter((opener) => outcomes.every((outcome) => outcome.openers.includes(opener)));
  return { way: { state: 'known', value: 'prediction', samples: 2 }, listener, prediction: bestPrediction(openers, own, other) };
}

/** What two sides can do after they punched in vain. `hard`: a port of each would have to be hit at once. `unknown`: too little is known, or a guess is not what it takes. */
export type GuessPlan = (Prediction & { readonly opener: Listener }) | 'hard' | 'unknown';

/**
 * That plain punching failed is a fact like those that were told: what would have let it through is not so. Of two sides that could open alike it is the own one; who asked is `own`
 * to both. Nothing is guessed on a mere chance that it is the right thing: where it is not known how a side gives out ports, or a filter that was not looked at could mean two hard sides, no packet is spent.
 */
export function planGuess(own: PathTraits, other: PathTraits): GuessPlan {
  if (own.mapping === undefined || other.mapping === undefined) return 'unknown';
  const outcomes = behavioursOf(own).flatMap((left) => behavioursOf(other).map((right) => outcomeOf(left, right))).filter(({ way }) => way !== 'plain');
  if (own.udpBlocked === true || other.udpBlocked === true || outcomes.length === 0 || changesAddress(own) || changesAddress(other)) return 'unknown';
  if (outcomes.every(({ way }) => way === 'relay')) return 'hard';
  const openers = (['own', 'other'] as const).filter((opener) => outcomes.every((outcome) => outcome.openers.includes(opener)));
  return bestPrediction(openers, own, other) ?? 'unknown';
}

const unknownPair = (way: NotChecked): Omit<PairEstimate, 'family'> => ({ way, listener: undefined, prediction: undefined });

/** A pattern is searched at once; otherwise the likelier one. */
function bestPrediction(openers: readonly Listener[], own: PathTraits, other: PathTraits): PairEstimate['prediction'] {
  const choices = openers.map((opener) => ({ opener, ...predictionOf((opener === 'own' ? own : other).allocation) }));
  return choices.toSorted((left, right) => left.probes - right.probes || (right.chance ?? 1) - (left.chance ?? 1))[0];
}

/** As far as it matters here: a mapping that keeps its port is as good as none. */
interface Behaviour {
  readonly keepsPort: boolean;
  readonly mapping: Mapping;
  readonly admits: 'all' | 'address' | 'port';
}

function behavioursOf({ mapping, filtering }: PathTraits): readonly Behaviour[] {
  const mappings = mapping === undefined ? everyMapping : [mapping];
  const filterings = filtering === undefined ? everyFiltering : [filtering];
  return mappings.flatMap((each) => filterings.map((filter) => ({
    keepsPort: each === 'none' || each === 'endpoint-independent', mapping: each,
    admits: filter === 'address-dependent' ? 'address' : filter === 'address-and-port-dependent' ? 'port' : 'all',
  })));
}

interface PairOutcome {
  readonly way: Way;
  readonly listener: Listener | undefined;
  readonly openers: readonly Listener[];
}

function outcomeOf(own: Behaviour, other: Behaviour): PairOutcome {
  const isOtherHeard = hears(own, other);
  const isOwnHeard = hears(other, own);
  const isPlain = (isOtherHeard && letsAnswerIn(other, own)) || (isOwnHeard && letsAnswerIn(own, other));
  const openers: Listener[] = [...(canOpen(own, other) ? ['own' as const] : []), ...(canOpen(other, own) ? ['other' as const] : [])];
  const listener = isPlain ? undefined : isOtherHeard ? 'own' : isOwnHeard ? 'other' : undefined;
  return { way: isPlain ? 'plain' : openers.length > 0 ? 'prediction' : 'relay', listener, openers };
}

/** Whether what the sender sends to the port that relays see of the listener is let in there. That port was used towards the sender only if it is kept. */
function hears(listener: Behaviour, sender: Behaviour): boolean {
  if (listener.admits === 'all') return true;
  return listener.keepsPort && (listener.admits === 'address' || sender.keepsPort);
}

/** Whether the asker lets in an answer that was sent to where its datagram came from: it has sent to the port that relays see of the answerer. */
const letsAnswerIn = (asker: Behaviour, answerer: Behaviour): boolean => asker.admits !== 'port' || answerer.keepsPort;

/** Whether probes that hit one of the opener's ports are let in, and answered by the same port, or to somebody who does not mind. */
function canOpen(opener: Behaviour, prober: Behaviour): boolean {
  if (opener.admits === 'port' && !prober.keepsPort) return false;
  return opener.mapping !== 'address-and-port-dependent' || prober.keepsPort || prober.admits !== 'port';
}

/** Every datagram to another place may come from another address. */
const changesAddress = ({ mapping, onePublicHost }: PathTraits): boolean => onePublicHost === false && (mapping === 'address-dependent' || mapping === 'address-and-port-dependent' || mapping === undefined);

/** One side keeps its port and lets everybody in: then it hears whoever sends, answers where it came from, and needs no address before. */
function isPlainByAnyAddress(own: PathTraits, other: PathTraits): boolean {
  return [own, other].some((side) => behavioursOf(side).every(({ keepsPort, admits }) => keepsPort && admits === 'all'));
}
