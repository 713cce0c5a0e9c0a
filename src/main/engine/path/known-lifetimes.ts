/**
 * What was learned about how long networks keep a silent conversation: a bounded list by network, kept across restarts and forgotten after a week, because routers
 * are replaced and set anew. A network is known by a digest of where we are in it: people's ways are nobody's business, not even in a file of their own.
 */

/** Home, work, the train, a friend's: more change than come back. The one learned longest ago is forgotten first. */
export const networksMaximum = 16;
export const goodForMs = 7 * 24 * 3_600_000;
/** A clock that was set back a little must not hide what was learned. */
const aheadMaximumMs = 3_600_000;
/** Nothing that was measured is longer. */
const silenceMaximumMs = 3_600_000;
const networkPattern = /^[0-9a-f]{32}$/u;

/** Between a silence that a mapping outlived and the shortest that it did not. */
export interface LifetimeBounds {
  /** 0: none that was tried was outlived. */
  readonly outlivedMs: number;
  /** Undefined: it outlived all that were tried. */
  readonly goneAfterMs: number | undefined;
  /** Silences that were tried to the end. */
  readonly samples: number;
}

export interface KnownLifetime extends LifetimeBounds {
  readonly learnedWallMs: number;
}

export const nothingTried: LifetimeBounds = { outlivedMs: 0, goneAfterMs: undefined, samples: 0 };

export class KnownLifetimes {
  readonly #byNetwork: Map<string, KnownLifetime>;

  constructor(text: string | undefined) { this.#byNetwork = read(text); }

  /** Undefined where nothing is known, or not any more. */
  of(network: string, nowWallMs: number): KnownLifetime | undefined {
    const found = this.#byNetwork.get(network);
    return found !== undefined && isFresh(found, nowWallMs) ? found : undefined;
  }

  /** Returns the text to keep. The week is reckoned from the first trial of the network, so that all of it is forgotten together. */
  put(network: string, bounds: LifetimeBounds, nowWallMs: number): string {
    const learnedWallMs = this.of(network, nowWallMs)?.learnedWallMs ?? Math.round(nowWallMs);
    this.#byNetwork.delete(network);
    this.#byNetwork.set(network, { ...bounds, learnedWallMs });
    for (const [key, known] of this.#byNetwork) if (this.#byNetwork.size > networksMaximum || !isFresh(known, nowWallMs)) this.#byNetwork.delete(key);
    return JSON.stringify([...this.#byNetwork].map(([key, each]) => [key, each.outlivedMs, each.goneAfterMs ?? 0, each.samples, each.learnedWallMs]));
  }
}

const isFresh = ({ learnedWallMs }: KnownLifetime, nowWallMs: number): boolean => nowWallMs - learnedWallMs < goodForMs && learnedWallMs - nowWallMs < aheadMaximumMs;

/** What is damaged is left out: it costs some packets to learn again. */
function read(text: string | undefined): Map<string, KnownLifetime> {
  const found = new Map<string, KnownLifetime>();
  let parsed: unknown;
  try { parsed = JSON.parse(text ?? '[]'); } catch { return found; }
  if (!Array.isArray(parsed)) return found;
  for (const entry of parsed.slice(0, networksMaximum) as unknown[]) {
    if (!Array.isArray(entry)) continue;
    const [network, outlivedMs, goneAfterMs, samples, learnedWallMs] = entry as unknown[];
    if (typeof network !== 'string' || !networkPattern.test(network) || !isSilence(outlivedMs) || !isSilence(goneAfterMs) || !isCount(samples) || !isCount(learnedWallMs)) continue;
    if (goneAfterMs !== 0 && goneAfterMs <= outlivedMs) continue;
    found.set(network, { outlivedMs, goneAfterMs: goneAfterMs === 0 ? undefined : goneAfterMs, samples, learnedWallMs });
  }
  return found;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isSilence = (value: unknown): value is number => isCount(value) && value <= silenceMaximumMs;
