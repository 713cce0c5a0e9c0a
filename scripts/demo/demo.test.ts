import { describe, expect, it } from 'vitest';
import type { Headline, MessageView } from '../../src/shared/views.ts';
import { hopLines, stateWords, Timeline } from './timeline.ts';
import { Witness } from './witness.ts';

const relay = '02'.padEnd(66, 'a');
const address = '127.0.0.1:4740';
const atMs = Date.UTC(2030, 0, 2, 12);

const message = (headline: Headline, direction: 'in' | 'out' = 'out'): MessageView => ({
  id: '11'.repeat(16), conversationId: `${relay}:1`, row: 1, direction, text: 'hello', sentAtMs: atMs, expiresAtMs: atMs + 1, headline, missingBefore: 0,
});

describe('The timeline of the demo', () => {
  it('tells when, who and what', () => {
    const lines: string[] = [];
    let nowMs = 5_000;
    const timeline = new Timeline((line) => lines.push(line), () => nowMs);
    nowMs = 6_234;
    timeline.say('Ada', 'writes');
    expect(lines).toEqual(['   1,234 ms  Ada    writes']);
  });

  it('calls the relay by its role, and leaves out what has not happened yet', () => {
    expect(stateWords({ state: 'stored', heldBy: [{ relay, relayName: address, untilMs: atMs + 86_400_000 }], wanted: 1 }, atMs, address)).toMatch(/^Held by Relay until /);
    const lines = hopLines([
      { kind: 'saved', atMs, future: false },
      { kind: 'held', atMs: atMs + 40, future: false, relay, relayName: address },
      { kind: 'expires', atMs: atMs + 99, future: true },
    ], atMs, address);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('+0 ms');
    expect(lines[1]).toMatch(/\+40 ms {2}Held by Relay/);
  });
});

describe('The witness of the demo', () => {
  it('keeps every state once, in the order in which it was reached', () => {
    const said: string[] = [];
    const witness = new Witness(({ headline }) => said.push(headline.state));
    const held: Headline = { state: 'stored', heldBy: [], wanted: 1 };
    for (const headline of [{ state: 'sending' }, held, { state: 'sending' }, held, { state: 'delivered', atMs }, held] satisfies Headline[]) witness.note(message(headline));
    expect(said).toEqual(['sending', 'stored', 'delivered']);
    expect(witness.sawInOrder('11'.repeat(16), 'stored', 'delivered')).toBe(true);
    expect(witness.sawInOrder('11'.repeat(16), 'delivered', 'stored')).toBe(false);
    expect(witness.hasReached('22'.repeat(16), 'stored')).toBe(false);
  });

  it('does not hide a message that ended otherwise, and leaves incoming ones alone', () => {
    const witness = new Witness(() => undefined);
    witness.note(message({ state: 'received' }, 'in'));
    expect(witness.statesOf('11'.repeat(16))).toEqual([]);
    witness.note(message({ state: 'sending' }));
    witness.note(message({ state: 'expired' }));
    expect(witness.statesOf('11'.repeat(16))).toEqual(['sending', 'expired']);
  });
});
