import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { basePatternNames, NoiseError, parseProtocolName, resolvePattern, suiteName } from './index.ts';

const reasonFor = (name: string): string => {
  const parsed = parseProtocolName(name);
  return parsed.supported ? 'supported' : parsed.reason;
};

describe('protocol names', () => {
  it('give the tokens of the pattern', () => {
    expect(resolvePattern('IK')).toMatchObject({
      protocolName: 'Noise_IK_25519_ChaChaPoly_SHA256', knownStatics: 'responder', oneWay: false, pskCount: 0,
      messages: [['e', 'es', 's', 'ss'], ['e', 'ee', 'se']],
    });
  });

  it('give the same pattern in short and in full', () => {
    expect(resolvePattern('XXpsk3')).toEqual(resolvePattern(`Noise_XXpsk3_${suiteName}`));
  });

  it('place psk0 before the first message and pskN after message N', () => {
    expect(resolvePattern('NNpsk0+psk2').messages).toEqual([['psk', 'e'], ['e', 'ee', 'psk']]);
    expect(resolvePattern('XXpsk3').messages[2]).toEqual(['s', 'se', 'psk']);
    expect(resolvePattern('Xpsk1').messages).toEqual([['e', 'es', 's', 'ss', 'psk']]);
  });

  it('do not change the table when modifiers are added', () => {
    resolvePattern('XXpsk1');
    expect(resolvePattern('XX').messages[0]).toEqual(['e']);
  });

  it.each([
    ['Noise_XX_448_ChaChaPoly_SHA256', 'Diffie-Hellman function other than 25519'],
    ['Noise_XX_25519_AESGCM_SHA256', 'cipher other than ChaChaPoly'],
    ['Noise_XX_25519_ChaChaPoly_BLAKE2s', 'hash other than SHA256'],
    ['Noise_XXfallback_25519_ChaChaPoly_SHA256', 'fallback modifier'],
    ['Noise_XXfallback+psk0_25519_ChaChaPoly_SHA256', 'fallback modifier'],
    ['Noise_XXhfs_25519_ChaChaPoly_SHA256', 'unknown modifier'],
    ['Noise_IKpsk3_25519_ChaChaPoly_SHA256', 'psk modifier beyond the last message'],
    ['Noise_NNpsk0+psk0_25519_ChaChaPoly_SHA256', 'modifier given twice'],
    ['Noise_NNpsk0+_25519_ChaChaPoly_SHA256', 'unknown modifier'],
    ['Noise_ZZ_25519_ChaChaPoly_SHA256', 'pattern not in the table'],
    ['Noise__25519_ChaChaPoly_SHA256', 'pattern not in the table'],
    ['Noise_XX_25519_ChaChaPoly_SHA256_more', 'not a Noise protocol name'],
    ['constructor', 'not a Noise protocol name'],
    ['', 'not a Noise protocol name'],
  ])('%s is not supported and says why', (name, reason) => {
    expect(reasonFor(name)).toBe(reason);
  });

  it('never throw, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((middle) => `Noise_${middle}_${suiteName}`)), (name) => {
      expect(reasonFor(name).length).toBeGreaterThan(0);
    }));
  });

  it('throw when our own code asks for a pattern that does not exist', () => {
    expect(() => resolvePattern('IKfallback')).toThrow(NoiseError);
  });
});

describe('every pattern of the table', () => {
  const allPatterns = basePatternNames.map((name) => resolvePattern(name));

  it('starts the first message of each side with an ephemeral key', () => {
    expect(allPatterns.flatMap((pattern) => pattern.messages.slice(0, 2).map((tokens) => tokens[0])).every((token) => token === 'e')).toBe(true);
  });

  it('computes each Diffie-Hellman result at most once, and only from keys that both sides have by then', () => {
    for (const pattern of allPatterns) {
      const have = new Set<string>();
      if (pattern.knownStatics === 'initiator' || pattern.knownStatics === 'both') have.add('initiator s');
      if (pattern.knownStatics === 'responder' || pattern.knownStatics === 'both') have.add('responder s');
      const used = new Set<string>();
      for (const [index, tokens] of pattern.messages.entries()) {
        for (const token of tokens) {
          if (token === 'e' || token === 's') have.add(`${index % 2 === 0 ? 'initiator' : 'responder'} ${token}`);
          else if (token !== 'psk') {
            expect([pattern.name, have.has(`initiator ${token[0]}`), have.has(`responder ${token[1]}`), used.has(token)]).toEqual([pattern.name, true, true, false]);
            used.add(token);
          }
        }
      }
    }
  });
});
