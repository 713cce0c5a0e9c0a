/**
 * Compares what the mail stores say about large contents with a model over random histories. The model keeps a list of notes, works everything
 * out of it anew each time, and remembers by itself which bytes a relay would still have: those may only go when a name is orphaned.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryMailStore } from '../../../engine/mail/mailbox-memory-store.ts';
import type { BlobQuota, MailStore } from '../../../engine/mail/mail-store.ts';
import { memoryPath, openDatabase } from '../database.ts';
import { mailMigrations } from './migrations/index.ts';
import { SqliteMailStore } from './sqlite-mail-store.ts';
import { identityOf, mailboxOf, rootOf, tokenHashOf } from './test-letters.ts';

const boxCount = 3;
const tokenCount = 3;
const largest = Number.MAX_SAFE_INTEGER;
const lengths = [40, 60, largest] as const;
const quotas: readonly BlobQuota[] = [
  { bytes: 140, bytesPerToken: 100, blobs: 3 }, { bytes: 100, bytesPerToken: 60, blobs: 9 }, { bytes: largest, bytesPerToken: largest, blobs: 2 }, { bytes: 1e30, bytesPerToken: 1e30, blobs: 99 },
];

interface Name { readonly root: number; readonly length: number }
type Step =
  | ({ readonly do: 'hold'; readonly box: number; readonly token: number | undefined; readonly ttlSeconds: number; readonly quota: BlobQuota } & Name)
  | ({ readonly do: 'complete' } & Name)
  | ({ readonly do: 'drop'; readonly box: number } & Name)
  | { readonly do: 'blobs' }
  | { readonly do: 'expire'; readonly most: number }
  | { readonly do: 'token'; readonly box: number; readonly token: number; readonly granted: boolean; readonly reset: boolean }
  | { readonly do: 'register' | 'revoke'; readonly box: number }
  | { readonly do: 'wait'; readonly ms: number };

type Standing = 'granted' | 'revoked';
interface ModelNote extends Name { readonly box: number | undefined; readonly token: number; readonly endMs: number }
const textOf = ({ root, length }: Name): string => `${String(root)}/${String(length)}`;

class Model {
  nowMs = 0;
  #notes: readonly ModelNote[] = [];
  /** Names whose bytes the relay has in full: from `complete` until the name is orphaned. */
  readonly #whole = new Set<string>();
  readonly #open = new Map<number, Map<number, Standing>>();

  #of(name: Name): readonly ModelNote[] { return this.#notes.filter((note) => textOf(note) === textOf(name)); }

  #orphan(name: Name): string {
    this.#notes = this.#notes.filter((note) => textOf(note) !== textOf(name));
    this.#whole.delete(textOf(name));
    return textOf(name);
  }

  hold({ box, token, root, length, ttlSeconds, quota }: Extract<Step, { do: 'hold' }>): unknown {
    const tokens = this.#open.get(box);
    if (tokens === undefined) return { outcome: 'no-mailbox' };
    const standing = token === undefined ? undefined : tokens.get(token);
    if (standing === 'revoked') return { outcome: 'token-revoked' };
    if (token === undefined || standing === undefined) return { outcome: 'stranger' };
    const known = this.#of({ root, length }).find((note) => note.box === box);
    const others = this.#notes.filter((note) => note.box === box);
    const sumOf = (notes: readonly ModelNote[]): bigint => notes.reduce((sum, note) => sum + BigInt(note.length), BigInt(length));
    const isOver = others.length >= quota.blobs || sumOf(others) > BigInt(quota.bytes) || sumOf(others.filter((note) => note.token === token)) > BigInt(quota.bytesPerToken);
    if (known === undefined && isOver) return { outcome: 'quota' };
    const endMs = Math.max(known?.endMs ?? 0, this.nowMs + ttlSeconds * 1_000);
    if (known === undefined) this.#notes = [...this.#notes, { root, length, box, token, endMs }];
    else this.#notes = this.#notes.map((note) => (note === known ? { ...note, endMs } : note));
    return { outcome: 'noted', complete: this.#whole.has(textOf({ root, length })), remainingSeconds: Math.floor((endMs - this.nowMs) / 1_000) };
  }

  complete(name: Name): unknown {
    if (this.#of(name).length > 0) this.#whole.add(textOf(name));
    return {};
  }

  drop(box: number, name: Name): unknown {
    const remaining = this.#of(name).filter((note) => note.box !== box);
    if (remaining.length === this.#of(name).length) return { orphaned: false };
    const orphaned = remaining.every((note) => note.box === undefined);
    if (orphaned) this.#orphan(name);
    else this.#notes = this.#notes.filter((note) => note.box !== box || textOf(note) !== textOf(name));
    return { orphaned };
  }

  blobs(): unknown {
    return [...new Set(this.#notes.map(textOf))].sort().map((name) => `${name} ${String(this.#whole.has(name))}`);
  }

  expire(most: number): unknown {
    const due = this.#notes.filter((note) => note.endMs <= this.nowMs).sort((one, other) => one.endMs - other.endMs);
    const going = due.slice(0, most);
    this.#notes = this.#notes.filter((note) => !going.includes(note));
    const orphaned = new Map(going.filter((note) => this.#of(note).length === 0).map((note) => [textOf(note), note]));
    return { orphaned: [...orphaned.values()].map((note) => this.#orphan(note)).sort(), more: due.length > most };
  }

  setToken({ box, token, granted, reset }: Extract<Step, { do: 'token' }>): void {
    const tokens = this.#open.get(box);
    if (tokens === undefined) return;
    if (reset) for (const [known, standing] of tokens) if (standing === 'granted') tokens.delete(known);
    tokens.set(token, granted ? 'granted' : 'revoked');
  }

  register(box: number): void {
    if (!this.#open.has(box)) this.#open.set(box, new Map());
  }

  revoke(box: number): void {
    this.#open.delete(box);
    this.#notes = this.#notes.map((note) => (note.box === box ? { ...note, box: undefined, endMs: 0 } : note));
  }
}

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
const storedText = ({ root, length }: { readonly root: Uint8Array; readonly length: number }): string => textOf({ root: numberOf(root), length });

function applyToStore(store: MailStore, step: Step, elapsedMs: number): unknown {
  switch (step.do) {
    case 'hold': return store.apply<'hold-blob'>({
      op: 'hold-blob', mailbox: mailboxOf(step.box), tokenHash: step.token === undefined ? undefined : tokenHashOf(step.token), root: rootOf(step.root), length: step.length,
      ttlSeconds: step.ttlSeconds, elapsedMs, quota: step.quota,
    });
    case 'complete': return store.apply<'blob-complete'>({ op: 'blob-complete', root: rootOf(step.root), length: step.length });
    case 'drop': return store.apply<'drop-blob'>({ op: 'drop-blob', mailbox: mailboxOf(step.box), root: rootOf(step.root), length: step.length });
    case 'blobs': return store.apply<'blobs'>({ op: 'blobs', elapsedMs }).blobs.map((blob) => `${storedText(blob)} ${String(blob.complete)}`).sort();
    case 'expire': {
      const { orphaned, more } = store.apply<'expire-blobs'>({ op: 'expire-blobs', elapsedMs, most: step.most });
      return { orphaned: orphaned.map(storedText).sort(), more };
    }
    case 'token':
      store.apply<'tokens'>({ op: 'tokens', mailbox: mailboxOf(step.box), version: 1, reset: step.reset, tokens: [{ granted: step.granted, hash: tokenHashOf(step.token) }] });
      return undefined;
    case 'register': store.apply<'register'>({ op: 'register', mailbox: mailboxOf(step.box), elapsedMs }); return undefined;
    case 'revoke':
      store.apply<'revoke-device'>({ op: 'revoke-device', identity: identityOf(step.box), keepDeviceIds: [], elapsedMs });
      // Its row goes too where nothing is remembered of letters: what it left must not be the next mailbox's.
      store.apply<'expire'>({ op: 'expire', elapsedMs, most: 100 });
      return undefined;
    case 'wait': return undefined;
  }
}

function applyToModel(model: Model, step: Step): unknown {
  switch (step.do) {
    case 'hold': return model.hold(step);
    case 'complete': return model.complete(step);
    case 'drop': return model.drop(step.box, step);
    case 'blobs': return model.blobs();
    case 'expire': return model.expire(step.most);
    case 'token': model.setToken(step); return undefined;
    case 'register': model.register(step.box); return undefined;
    case 'revoke': model.revoke(step.box); return undefined;
    case 'wait': model.nowMs += step.ms; return undefined;
  }
}

const box = fc.nat({ max: boxCount - 1 });
const token = fc.nat({ max: tokenCount - 1 });
const mostly = fc.constantFrom(true, true, true, false);
const name = { root: fc.nat({ max: 1 }), length: fc.constantFrom(...lengths) };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({
    do: fc.constant('hold'), box, token: fc.option(token, { nil: undefined, freq: 12 }), ...name, ttlSeconds: fc.constantFrom(0, 1, 60, 100_000), quota: fc.constantFrom(...quotas),
  }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('complete'), ...name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('drop'), box, ...name }) },
  { weight: 3, arbitrary: fc.constant({ do: 'blobs' } as const) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('expire'), most: fc.constantFrom(1, 2, 100) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('token'), box, token, granted: mostly, reset: mostly.map((is) => !is) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('register', 'revoke'), box }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.constantFrom(1, 999, 1_000, 60_000) }) },
);

/** Two open mailboxes with two tokens each; the third is opened only where a history does so. */
const beginning: readonly Step[] = [0, 1].flatMap((each): readonly Step[] => [
  { do: 'register', box: each }, ...[0, 1].map((granted): Step => ({ do: 'token', box: each, token: granted, granted: true, reset: false })),
]);

function compare(store: MailStore, steps: readonly Step[]): void {
  const model = new Model();
  for (const each of [...beginning, ...steps, { do: 'blobs' } as const]) {
    const { nowMs } = model;
    const expected = applyToModel(model, each);
    expect(applyToStore(store, each, nowMs)).toEqual(expected);
  }
}

/** Without `size` fast-check makes about ten steps of them, too few for a mailbox to end in the middle of a story. */
const histories = fc.array(step, { minLength: 1, maxLength: 80, size: 'max' });

describe('large contents noted in mail stores and their model', () => {
  it('answer every history alike in SQLite', () => {
    fc.assert(fc.property(histories, (steps) => {
      const { database } = openDatabase({ path: memoryPath, migrations: mailMigrations, wallMs: () => 0 });
      try {
        compare(new SqliteMailStore(database), steps);
      } finally {
        database.close();
      }
    }), { numRuns: 300 });
  });

  it('answer every history alike in memory', () => {
    fc.assert(fc.property(histories, (steps) => { compare(new MemoryMailStore(), steps); }), { numRuns: 300 });
  });
});
