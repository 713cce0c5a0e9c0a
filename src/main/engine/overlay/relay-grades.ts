/**
 * How well each own relay does, in a few coarse grades: how many test letters came back, how many echoes were lost, and how long one takes. They
 * decide between relays that the person put in no order (relay-order.ts). Every change of that order is told to relays and contacts,
 * so grades are looked at once an hour, change only when a value is clearly past a limit, and are kept across restarts.
 */
import { isPublicKeyHex } from '../wire/identity.ts';
import type { RelayTests } from './relay-reliability.ts';
import type { VisorContext } from '../visor-context.ts';
import type { PublicKeyHex } from '../wire/types.ts';

const valueKey = 'relay-grades';
/** Own relays and those being left. */
const relaysMaximum = 16;
/** With less nothing is said. */
const testsMinimum = 3;
const echoesMinimum = 16;
/** Shares of what was lost, and times: the grade is the number of limits that are passed. */
const lostTestLimits = [0.05, 0.2] as const;
const lostEchoLimits = [0.05, 0.2] as const;
const roundTripLimitsMs = [20, 80, 320] as const;
/** Losing counts more than taking long. */
const lossWeight = roundTripLimitsMs.length + 1;
/** A value has to be past a limit by this factor before a grade that is known changes. */
const marginFactor = 1.25;
/** Nothing is known yet: after those that do well, before those that lose things. */
const unmeasuredGrade = lossWeight - 1;
const gradeMaximum = lossWeight * (lostTestLimits.length + lostEchoLimits.length) + roundTripLimitsMs.length;

export interface RelayMeasures {
  readonly tests: Pick<RelayTests, 'sentCount' | 'arrivedCount'> | undefined;
  /** Undefined: lost. */
  readonly roundTripsMs: readonly (number | undefined)[];
}

const passed = (value: number, limits: readonly number[]): number => limits.filter((limit) => value > limit).length;

/** Undefined: too little was measured. @param factor of every value: above 1 it is judged more strictly. */
export function gradeOf({ tests, roundTripsMs }: RelayMeasures, factor = 1): number | undefined {
  const measured = roundTripsMs.filter((one) => one !== undefined).sort((left, right) => left - right);
  const median = measured[Math.floor(measured.length / 2)];
  const hasTests = tests !== undefined && tests.sentCount >= testsMinimum;
  if (roundTripsMs.length < echoesMinimum && !hasTests) return undefined;
  const lostTests = hasTests ? 1 - tests.arrivedCount / tests.sentCount : 0;
  const lostEchoes = roundTripsMs.length < echoesMinimum ? 0 : 1 - measured.length / roundTripsMs.length;
  const losses = passed(lostTests * factor, lostTestLimits) + passed(lostEchoes * factor, lostEchoLimits);
  return losses * lossWeight + (median === undefined ? roundTripLimitsMs.length : passed(median * factor, roundTripLimitsMs));
}

/** What it is now, where it was `before`. */
export function nextGrade(measures: RelayMeasures, before: number | undefined): number | undefined {
  const plain = gradeOf(measures);
  const best = gradeOf(measures, 1 / marginFactor);
  const worst = gradeOf(measures, marginFactor);
  if (plain === undefined || best === undefined || worst === undefined) return before;
  if (before === undefined) return plain;
  return Math.min(Math.max(before, best), worst);
}

export class RelayGrades {
  readonly #context: VisorContext;
  readonly #grades: Map<PublicKeyHex, number>;

  constructor(context: VisorContext) {
    this.#context = context;
    this.#grades = readGrades(context.memory.values.get(valueKey));
  }

  grade(relay: PublicKeyHex): number { return this.#grades.get(relay) ?? unmeasuredGrade; }

  /** Looks at all own relays. */
  refresh(measuresOf: (relay: PublicKeyHex) => RelayMeasures): void {
    const next = new Map<PublicKeyHex, number>();
    for (const relay of this.#context.memory.relays.keys()) {
      const grade = nextGrade(measuresOf(relay), this.#grades.get(relay));
      if (grade !== undefined) next.set(relay, grade);
    }
    const text = JSON.stringify([...next]);
    if (text === JSON.stringify([...this.#grades])) return;
    this.#grades.clear();
    for (const [relay, grade] of next) this.#grades.set(relay, grade);
    this.#context.commit([{ kind: 'put-value', key: valueKey, value: text }]);
  }
}

/** What is damaged is left out: it costs an hour of measuring. */
export function readGrades(text: string | undefined): Map<PublicKeyHex, number> {
  const read = new Map<PublicKeyHex, number>();
  let parsed: unknown;
  try { parsed = JSON.parse(text ?? '[]'); } catch { return read; }
  if (!Array.isArray(parsed)) return read;
  for (const entry of parsed.slice(0, relaysMaximum) as unknown[]) {
    if (!Array.isArray(entry)) continue;
    const [relay, grade] = entry as unknown[];
    if (typeof relay === 'string' && isPublicKeyHex(relay) && typeof grade === 'number' && Number.isInteger(grade) && grade >= 0 && grade <= gradeMaximum) read.set(relay, grade);
  }
  return read;
}
