/**
 * Which outer port a new socket gets: from what one relay after the other saw of the spare sockets, which were opened one at a time. Each is a
 * sample, and the order is that of opening.
 *
 * Kept ports prove themselves: by chance two sockets keep theirs once in four thousand million times. A sequence, a block or no pattern
 * need at least four samples, and no wrong pattern may fit by chance: a block counts only where random ports would fall into a range as
 * narrow with a chance below one in a million, and ports that merely rise are neither a block nor random, because other traffic of
 * the same router makes gaps in a sequence.
 */
import { known, notChecked, type Known, type PortAllocation } from '../../../shared/network-report.ts';
import { sum, type FamilyEvidence } from './evidence.ts';

export const allocationSamplesMinimum = 4;
const preservingSamplesMinimum = 2;
/** Usable outer ports: 1024 to 65535 (notes on peers, section 3). */
export const portsUsable = 64_512;
/** Larger blocks than carriers give, and more than birthday probes could search. */
const blockPortsMaximum = 4_096;
const blockByChanceMaximum = 1e-6;
/** Others may take this many ports of a sequence between two of ours. */
const sequenceGapMaximum = 16;
/** Steps that have to be the same: all of four samples, the half of eight. */
const exactStepsMinimum = 3;
/** All of our sockets lie within so many ports of a sequence, even where many others take some. */
const sequencePortsMaximum = portsUsable / 4;

export function allocationOf(evidence: FamilyEvidence): Known<PortAllocation> {
  const samples = spareSamples(evidence);
  if (samples.length === 0) return notChecked('no-answer');
  const kept = samples.filter(({ inner, outer }) => inner === outer).length;
  if (kept >= preservingSamplesMinimum && 2 * kept > samples.length) return known({ kind: 'preserving' }, samples.length);
  const ports = samples.map(({ outer }) => outer);
  if (kept > 0 || ports.length < allocationSamplesMinimum) return notChecked('too-few-answers');
  const delta = sequenceDelta(ports);
  if (delta !== undefined) return known({ kind: 'sequential', delta }, ports.length);
  const steps = stepsOf(ports);
  const isRising = steps.every((step) => step > 0) || steps.every((step) => step < 0);
  if (isRising && Math.abs(sum(steps)) <= sequencePortsMaximum) return notChecked('too-few-answers');
  const block = spanOf(ports);
  if (block.count > blockPortsMaximum) return known({ kind: 'random' }, ports.length);
  const byChance = ports.length * (block.count / portsUsable) ** (ports.length - 1);
  return byChance <= blockByChanceMaximum ? known({ kind: 'block', ...block }, ports.length) : notChecked('too-few-answers');
}

/** The first of what was seen of each spare socket. */
function spareSamples({ observations, localPort }: FamilyEvidence): readonly { readonly inner: number | undefined; readonly outer: number }[] {
  const firsts = new Map<string, { readonly inner: number | undefined; readonly outer: number }>();
  for (const { socket, seen } of observations) {
    if (socket !== 'main' && !firsts.has(socket)) firsts.set(socket, { inner: localPort(socket), outer: seen.port });
  }
  return [...firsts.values()];
}

/** Undefined where the ports are no sequence. */
function sequenceDelta(ports: readonly number[]): number | undefined {
  const steps = stepsOf(ports);
  const [first = 0] = steps;
  if (first === 0 || steps.some((step) => Math.sign(step) !== Math.sign(first))) return undefined;
  const delta = Math.sign(first) * steps.map(Math.abs).reduce(greatestCommonDivisor);
  if (steps.some((step) => step / delta > sequenceGapMaximum)) return undefined;
  const exact = steps.filter((step) => step === delta).length;
  // Few samples of a small block rise alike by chance.
  const isClear = exact >= exactStepsMinimum && 2 * exact >= steps.length;
  return isClear ? delta : undefined;
}

/** From each port to the next, the short way round: after the highest port comes the lowest. */
function stepsOf(ports: readonly number[]): readonly number[] {
  return ports.slice(1).map((port, index) => {
    const step = port - (ports[index] ?? port);
    return step > portsUsable / 2 ? step - portsUsable : step < -portsUsable / 2 ? step + portsUsable : step;
  });
}

function spanOf(ports: readonly number[]): { readonly first: number; readonly count: number } {
  const first = Math.min(...ports);
  return { first, count: Math.max(...ports) - first + 1 };
}

const greatestCommonDivisor = (left: number, right: number): number => (right === 0 ? left : greatestCommonDivisor(right, left % right));
