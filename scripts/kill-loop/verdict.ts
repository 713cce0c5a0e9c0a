/** Compares what was promised with what arrived. Pure. */

export interface Sent {
  readonly text: string;
  /** Set when the sender was told that the message is safe. */
  readonly messageId: string | undefined;
}

export interface Evidence {
  readonly sent: readonly Sent[];
  /** Texts as the recipient's program printed them, over all its lives. */
  readonly shown: readonly string[];
  /** Texts in the recipient's database at the end. */
  readonly kept: readonly string[];
  /** State of each message in the sender's database at the end, by its text. */
  readonly states: ReadonlyMap<string, string>;
}

export interface Verdict {
  readonly acknowledged: number;
  /** Acknowledged and not at the recipient. */
  readonly lost: readonly string[];
  /** At the recipient, and nobody wrote it so. */
  readonly strange: readonly string[];
  readonly shownTwice: readonly string[];
  readonly keptTwice: readonly string[];
  readonly notShown: readonly string[];
  /** Acknowledged and then gone from the sender, or with a state other than delivered or read. */
  readonly wrongState: readonly string[];
}

const finalStates: ReadonlySet<string> = new Set(['delivered', 'read']);
const titleCharacters = 24;

/** Enough of a text to find its round and number. */
export const titleOf = (text: string): string => text.slice(0, titleCharacters);

export function judge({ sent, shown, kept, states }: Evidence): Verdict {
  const written = new Set(sent.map(({ text }) => text));
  const keptOnce = new Set(kept);
  const shownOnce = new Set(shown);
  const acknowledged = sent.filter(({ messageId }) => messageId !== undefined);
  return {
    acknowledged: acknowledged.length,
    lost: acknowledged.filter(({ text }) => !keptOnce.has(text)).map(({ text }) => titleOf(text)),
    strange: [...new Set([...kept, ...shown])].filter((text) => !written.has(text)).map(titleOf),
    shownTwice: repeated(shown),
    keptTwice: repeated(kept),
    notShown: [...keptOnce].filter((text) => !shownOnce.has(text)).map(titleOf),
    wrongState: [
      ...acknowledged.filter(({ text }) => !states.has(text)).map(({ text }) => `${titleOf(text)}: gone`),
      ...[...states].filter(([, state]) => !finalStates.has(state)).map(([text, state]) => `${titleOf(text)}: ${state}`),
    ],
  };
}

function repeated(texts: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const text of texts) {
    if (seen.has(text)) twice.add(titleOf(text));
    seen.add(text);
  }
  return [...twice];
}
