/** One cell of the fault table: a conversation, a fault in its middle, and what the letters tell of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { FaultScene, placesOf, type Places } from './lab-fault-scene.ts';
import { faults, type Fault } from './lab-faults.ts';
import type { Evidence, FaultCourse } from './lab-fault-course.ts';
import type { Arrival, LetterCount, Letters } from './lab-letters.ts';
import type { Lab } from './lab.ts';

/** For the first letter that was written after the fault, or after its end. */
const nextPatienceMs = 60_000;
const afterwardsMs = 3_000;
const letterPatienceMs = 60_000;
const lookAgainMs = 50;

/** One run of a cell. */
export interface FaultCell { readonly fault: Fault; readonly run: number; readonly places: Places }

export const faultCellOf = (fault: Fault, run: number): FaultCell => ({ fault, run, places: placesOf(faults.indexOf(fault) + 1, run, fault.isLeftPublic === true) });

/** What came of one direction. */
export interface DirectionOutcome {
  readonly letters: LetterCount;
  /** From the fault to the arrival of the first letter that was written after it. */
  readonly nextMs: number | undefined;
  /** From the end of the fault to the next arrival. */
  readonly nextAfterHealMs: number | undefined;
  /** The longest time without an arrival, from a second before the fault on. */
  readonly gapMs: number;
  /** Of each letter after the fault and shortly before: when it was written, and when it came, since the fault. */
  readonly sinceFaultMs: readonly (readonly [number, number])[];
}

export interface FaultOutcome {
  readonly toRight: DirectionOutcome;
  readonly toLeft: DirectionOutcome;
  /** In the end, left and right. */
  readonly paths: readonly (string | undefined)[];
  readonly evidence: readonly Evidence[];
}

const beforeMs = 1_000;

/** @param reached is called when the fault begins. @throws Error when it does not come to the conversation. */
export async function runFault({ fault, places }: FaultCell, lab: Lab, folder: string, reached: () => void): Promise<FaultOutcome> {
  const scene = await FaultScene.open({ lab, places, folder, conversation: fault.conversation, fillerCharacters: fault.fillerCharacters ?? 0 });
  try {
    reached();
    const course = await fault.begin(scene);
    const bothWays = [scene.toRight, scene.toLeft] as const;
    await Promise.all(bothWays.map((letters) => nextLetter(letters, course)));
    await pause(afterwardsMs);
    const counts = await Promise.all(bothWays.map((letters) => letters.end(letterPatienceMs)));
    const paths = (await scene.paths()).map((current) => current?.kind);
    const arrivals = await Promise.all(bothWays.map((letters) => letters.arrivals()));
    const [toRight, toLeft] = bothWays.map((_, index) => outcomeOf(arrivals[index] ?? [], counts[index], course));
    if (toRight === undefined || toLeft === undefined) throw new Error('there are two directions');
    return { toRight, toLeft, paths, evidence: [...await course.evidence(), ...darkness(arrivals.flat(), course)] };
  } finally {
    await scene.close();
  }
}

async function nextLetter(letters: Letters, { beganAtMs, healedAtMs }: FaultCourse): Promise<void> {
  const sinceMs = healedAtMs ?? beganAtMs;
  const untilMs = performance.now() + nextPatienceMs;
  while (performance.now() < untilMs && !(await letters.arrivals()).some(({ sentAtMs }) => sentAtMs >= sinceMs)) await pause(lookAgainMs);
}

function outcomeOf(arrivals: readonly Arrival[], letters: LetterCount | undefined, { beganAtMs, healedAtMs }: FaultCourse): DirectionOutcome {
  if (letters === undefined) throw new Error('each direction was counted');
  const times = arrivals.map(({ receivedAtMs }) => receivedAtMs).sort((left, right) => left - right);
  const next = Math.min(...arrivals.filter(({ sentAtMs }) => sentAtMs >= beganAtMs).map(({ receivedAtMs }) => receivedAtMs));
  const afterHeal = healedAtMs === undefined ? undefined : times.find((atMs) => atMs >= healedAtMs);
  const later = times.filter((atMs) => atMs >= beganAtMs - beforeMs);
  return {
    letters, nextMs: Number.isFinite(next) ? next - beganAtMs : undefined, nextAfterHealMs: afterHeal === undefined || healedAtMs === undefined ? undefined : afterHeal - healedAtMs,
    gapMs: later.reduce((longest, atMs, index) => Math.max(longest, atMs - (later[index - 1] ?? atMs)), 0),
    sinceFaultMs: arrivals.filter(({ receivedAtMs }) => receivedAtMs >= beganAtMs - beforeMs).map(({ sentAtMs, receivedAtMs }) => [sentAtMs - beganAtMs, receivedAtMs - beganAtMs]),
  };
}

/** Letters were written all the time, and none of them may have come while nothing can pass; one that was written before may be late where processes wait for the processor. */
function darkness(arrivals: readonly Arrival[], { dark }: FaultCourse): readonly Evidence[] {
  if (dark === undefined) return [];
  const written = arrivals.filter(({ sentAtMs }) => sentAtMs > dark.fromMs && sentAtMs < dark.untilMs);
  const came = written.filter(({ receivedAtMs }) => receivedAtMs < dark.untilMs).length;
  return [{ text: `${String(came)} letters came of ${String(written.length)} written in ${String(dark.untilMs - dark.fromMs)} ms`, holds: came === 0 && written.length !== 0 }];
}

/** Why a cell failed; none when all is well. */
export function problemsOfFault({ toRight, toLeft, evidence }: FaultOutcome): readonly string[] {
  return [
    ...evidence.filter(({ holds }) => !holds).map(({ text }) => `the fault was not there: ${text}`),
    ...[{ name: 'to the right', way: toRight }, { name: 'to the left', way: toLeft }].flatMap(({ name, way: { letters: { lost, doubled } } }) => [
      ...(lost === 0 ? [] : [`${name}: ${String(lost)} letters lost`]), ...(doubled === 0 ? [] : [`${name}: ${String(doubled)} letters doubled`]),
    ]),
  ];
}
