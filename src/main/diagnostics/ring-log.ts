/**
 * The last events in memory: structured, bounded, without content. Whoever writes hands over a stable event name and fields that are no
 * secrets; as a second line of defence long hex runs (keys, ids) are shortened here, and nothing else than numbers and short texts fits in.
 */

const entriesMaximum = 2_000;
const fieldMaximumCharacters = 200;
/** Enough of an id to follow it through the log, too little to name a person. */
const idShownCharacters = 8;

export type LogLevel = 'info' | 'warn';

export interface LogEntry {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

const longHex = new RegExp(`\\b([0-9a-fA-F]{${idShownCharacters}})[0-9a-fA-F]{8,}\\b`, 'g');

/** Shortens everything that looks like an id or key, and bounds the length. */
export function redactField(value: string | number): string | number {
  if (typeof value === 'number') return value;
  return value.slice(0, fieldMaximumCharacters).replace(longHex, '$1…');
}

export class RingLog {
  readonly #entries: LogEntry[] = [];
  #next = 0;
  #dropped = 0;
  readonly #listener: ((entry: LogEntry) => void) | undefined;

  /** `listener` also gets each entry, already redacted (for `--verbose`). */
  constructor(listener?: (entry: LogEntry) => void) {
    this.#listener = listener;
  }

  write(atMs: number, level: LogLevel, event: string, fields: Readonly<Record<string, string | number>> = {}): void {
    const entry: LogEntry = {
      atMs,
      level,
      event: event.slice(0, fieldMaximumCharacters),
      fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redactField(value)])),
    };
    if (this.#entries.length < entriesMaximum) {
      this.#entries.push(entry);
    } else {
      this.#entries[this.#next] = entry;
      this.#dropped += 1;
    }
    this.#next = (this.#next + 1) % entriesMaximum;
    this.#listener?.(entry);
  }

  /** Oldest first. */
  entries(): readonly LogEntry[] {
    return this.#entries.length < entriesMaximum ? [...this.#entries] : [...this.#entries.slice(this.#next), ...this.#entries.slice(0, this.#next)];
  }

  /** How many older ones were overwritten. */
  get dropped(): number { return this.#dropped; }
}

/** One line for a terminal: time, level, event, fields. */
export function formatLogEntry(entry: LogEntry): string {
  const fields = Object.entries(entry.fields).map(([name, value]) => `${name}=${String(value)}`);
  return [new Date(entry.atMs).toISOString(), entry.level, entry.event, ...fields].join(' ');
}

/** An error that nobody expected, without its message, which may hold anything: what kind it is and where it was thrown. */
export function errorFields(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof Error)) return { kind: typeof error };
  const frame = error.stack?.split('\n').find((line) => line.trimStart().startsWith('at '))?.trim() ?? '';
  // The file's name is enough; its folder says where somebody keeps their things.
  return { kind: error.name, where: frame.replace(/[^\s(]*[/\\]/g, '') };
}
