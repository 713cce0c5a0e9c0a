/**
 * How reliable each own relay is, by what became of the last test letters (relay-canary.ts): the last 64 outcomes of each, kept across restarts in one small
 * value, and what follows from them. A relay that failed three times in a row, or broke its word once, is demoted; one success
 * puts it on trial, three in a row make it reliable again, and two failures in a row end the trial.
 */
import type { RelayStanding, RelayTestStep } from '../../../shared/relay-tests.ts';
import { relayTestSteps } from '../../../shared/relay-tests.ts';
import { isPublicKeyHex } from '../wire/identity.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant, PublicKeyHex } from '../wire/types.ts';

export const outcomesMaximum = 64;
const valueKey = 'relay-tests';
/** Own relays and those being left (visor-commands.ts, own-relays.ts). */
const relaysMaximum = 16;
const shownForMs = 24 * 3_600_000;
/** A clock that was set back a little must not hide what happened before. */
const aheadMaximumMs = 3_600_000;
/** Notes: peers, section 2. */
const failuresToDemote = 3;
const failuresToEndTrial = 2;
const successesToTrust = 3;

export interface CanaryOutcome {
  /** Wall time of the handing over, whole milliseconds: also the name of this one among those of its relay. */
  readonly atMs: number;
  readonly result: 'ok' | RelayTestStep;
  /** Of `ok`: from handing over to arrival, whole milliseconds. */
  readonly tookMs: number;
}

export interface RelayTests {
  readonly sentCount: number;
  readonly arrivedCount: number;
  /** Sorted, of those that came. */
  readonly tookMs: readonly number[];
  readonly standing: RelayStanding;
  readonly lastProblem: { readonly step: RelayTestStep; readonly atWallMs: number } | undefined;
}

const lies: readonly CanaryOutcome['result'][] = ['lost', 'withheld', 'replayed'];

/** From the oldest to the newest. */
export function standingOf(outcomes: readonly CanaryOutcome[]): RelayStanding {
  let standing: RelayStanding = 'reliable';
  let failures = 0;
  let successes = 0;
  for (const { result } of outcomes) {
    if (result === 'ok') {
      failures = 0;
      successes = standing === 'demoted' ? 1 : successes + 1;
      if (standing === 'demoted') standing = 'trial';
      else if (standing === 'trial' && successes >= successesToTrust) standing = 'reliable';
      continue;
    }
    failures += 1;
    successes = 0;
    if (lies.includes(result) || failures >= (standing === 'trial' ? failuresToEndTrial : failuresToDemote)) standing = 'demoted';
  }
  return standing;
}

export class RelayReliability {
  readonly #context: VisorContext;
  readonly #outcomes: Map<PublicKeyHex, readonly CanaryOutcome[]>;

  constructor(context: VisorContext) {
    this.#context = context;
    this.#outcomes = readOutcomes(context.memory.values.get(valueKey));
  }

  standing(relay: PublicKeyHex): RelayStanding { return standingOf(this.#outcomes.get(relay) ?? []); }
  /** Wall time of the last test; undefined before the first. */
  lastAtMs(relay: PublicKeyHex): number | undefined { return this.#outcomes.get(relay)?.at(-1)?.atMs; }

  /** Undefined before the first test. */
  tests(relay: PublicKeyHex, now: Instant): RelayTests | undefined {
    const all = this.#outcomes.get(relay);
    if (all === undefined) return undefined;
    const recent = all.filter(({ atMs }) => atMs > now.wallMs - shownForMs && atMs < now.wallMs + aheadMaximumMs);
    const problem = all.findLast(({ result }) => result !== 'ok');
    return {
      sentCount: recent.length,
      arrivedCount: recent.filter(arrived).length,
      tookMs: recent.flatMap(({ result, tookMs }) => (result === 'ok' ? [tookMs] : [])).sort((left, right) => left - right),
      standing: standingOf(all),
      lastProblem: problem === undefined || problem.result === 'ok' ? undefined : { step: problem.result, atWallMs: problem.atMs },
    };
  }

  /** Of demoted relays that are ours still: what each did. */
  demoted(): readonly { readonly relay: PublicKeyHex; readonly step: RelayTestStep }[] {
    return [...this.#outcomes].flatMap(([relay, outcomes]) => {
      const row = this.#context.memory.relays.get(relay);
      const step = outcomes.findLast(({ result }) => result !== 'ok')?.result;
      return row === undefined || row.leavingSinceMs !== undefined || step === undefined || step === 'ok' || standingOf(outcomes) !== 'demoted' ? [] : [{ relay, step }];
    });
  }

  /** Replaces an outcome of the same moment: what came back and then came again. True when the relay's standing changed. */
  record(relay: PublicKeyHex, outcome: CanaryOutcome): boolean {
    const before = this.#outcomes.get(relay) ?? [];
    const isKnown = before.some(({ atMs }) => atMs === outcome.atMs);
    const after = isKnown ? before.map((one) => (one.atMs === outcome.atMs ? outcome : one)) : [...before, outcome].slice(-outcomesMaximum);
    for (const known of this.#outcomes.keys()) if (!this.#context.memory.relays.has(known)) this.#outcomes.delete(known);
    this.#outcomes.set(relay, after);
    const isChanged = standingOf(before) !== standingOf(after);
    this.#context.commit([{ kind: 'put-value', key: valueKey, value: writeOutcomes(this.#outcomes) }], {
      announce: [{ kind: 'relay', publicKey: relay }, ...(isChanged ? [{ kind: 'notices' } as const] : [])],
    });
    return isChanged;
  }
}

/** Held back is late, and come all the same. */
const arrived = ({ result }: CanaryOutcome): boolean => result === 'ok' || result === 'withheld' || result === 'replayed';

const results: readonly CanaryOutcome['result'][] = ['ok', ...relayTestSteps];

/** Per relay: its key and `[at, result, took]` of each. */
function writeOutcomes(outcomes: ReadonlyMap<PublicKeyHex, readonly CanaryOutcome[]>): string {
  return JSON.stringify([...outcomes].map(([relay, all]) => [relay, all.map(({ atMs, result, tookMs }) => [atMs, results.indexOf(result), tookMs])]));
}

/** What is damaged is left out: it costs a day of measuring and nothing else. */
export function readOutcomes(text: string | undefined): Map<PublicKeyHex, readonly CanaryOutcome[]> {
  const read = new Map<PublicKeyHex, readonly CanaryOutcome[]>();
  let parsed: unknown;
  try { parsed = JSON.parse(text ?? '[]'); } catch { return read; }
  if (!Array.isArray(parsed)) return read;
  for (const entry of parsed.slice(0, relaysMaximum) as unknown[]) {
    if (!Array.isArray(entry)) continue;
    const [relay, all] = entry as unknown[];
    if (typeof relay === 'string' && isPublicKeyHex(relay) && Array.isArray(all)) read.set(relay, (all as unknown[]).slice(-outcomesMaximum).flatMap(readOutcome));
  }
  return read;
}

function readOutcome(entry: unknown): readonly CanaryOutcome[] {
  if (!Array.isArray(entry)) return [];
  const [atMs, code, tookMs] = entry as unknown[];
  const result = isCount(code) ? results[code] : undefined;
  return isCount(atMs) && isCount(tookMs) && result !== undefined ? [{ atMs, result, tookMs }] : [];
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
