/** The words behind `netem`, as typed values. */
import type { Emulation, LinkSettings } from './model.ts';
import { misuse } from './usage-error.ts';

const timeUnitsMs: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1e3 };
const rateUnits: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };
const knownSettings = 'delay jitter loss rate queue reorder gap dup dir seed';

function milliseconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s)?$/.exec(text);
  return match === null ? misuse(`bad time '${text}' (40ms)`) : Number(match[1]) * (timeUnitsMs[match[2] ?? 'ms'] ?? 1);
}

function share(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  return value >= 0 && value <= 1 ? value : misuse(`bad share '${text}' (2% or 0.02)`);
}

function bitsPerSecond(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(kbit|mbit|gbit|bit)$/i.exec(text);
  return match === null ? misuse(`bad rate '${text}' (10mbit)`) : Number(match[1]) * (rateUnits[(match[2] ?? '').toLowerCase()] ?? 1);
}

/** `name=value`; the value may be empty and may hold further equals signs. */
export function nameAndValue(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}

const linkSettings: Readonly<Record<string, (text: string) => LinkSettings>> = {
  delay: (text) => ({ delayMs: milliseconds(text) }),
  jitter: (text) => ({ jitterMs: milliseconds(text) }),
  gap: (text) => ({ gapMs: milliseconds(text) }),
  queue: (text) => ({ queueMs: milliseconds(text) }),
  loss: (text) => ({ lossShare: share(text) }),
  reorder: (text) => ({ reorderShare: share(text) }),
  dup: (text) => ({ duplicateShare: share(text) }),
  rate: (text) => ({ rateBitsPerSecond: bitsPerSecond(text) }),
};

/** Undefined for `off`. @throws UsageError */
export function parseEmulation(words: readonly string[]): Emulation | undefined {
  if (words.length === 1 && words[0] === 'off') return undefined;
  let settings: LinkSettings = {};
  let direction = 'both';
  let seed = 1;
  for (const word of words) {
    const [name, value] = nameAndValue(word);
    const parse = Object.hasOwn(linkSettings, name) ? linkSettings[name] : undefined;
    if (name === 'dir' && ['both', 'out', 'in'].includes(value)) direction = value;
    else if (name === 'seed' && /^\d+$/.test(value)) seed = Number(value);
    else if (parse !== undefined) settings = { ...settings, ...parse(value) };
    else misuse(`unknown netem setting '${word}'; known: ${knownSettings}, or 'off'`);
  }
  if (Object.keys(settings).length === 0) misuse('netem needs at least one setting, or `off`');
  return { seed, out: direction === 'in' ? {} : settings, in: direction === 'out' ? {} : settings };
}
