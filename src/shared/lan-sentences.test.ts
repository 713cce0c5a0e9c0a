import { describe, expect, it } from 'vitest';
import { lanAction, lanSentence } from './lan-sentences.ts';
import { lanSchema } from './views.ts';

describe('what is said of the local network', () => {
  it('is one thing for each state, with how many friends are there', () => {
    const sentences = lanSchema.shape.state.options.map((state) => lanSentence({ state, foundContacts: 0 }));
    expect(new Set(sentences).size).toBe(5);
    expect(lanSentence({ state: 'on', foundContacts: 1 })).toContain('1 friend was seen');
    expect(lanSentence({ state: 'on', foundContacts: 2 })).toContain('2 friends were seen');
  });

  it('comes with what can be done about it, where that changes anything', () => {
    expect(lanAction({ state: 'on', foundContacts: 0 })?.trusted).toBe(false);
    expect(lanAction({ state: 'untrusted', foundContacts: 0 })?.trusted).toBe(true);
    expect(lanAction({ state: 'off', foundContacts: 0 })).toBeUndefined();
  });
});
