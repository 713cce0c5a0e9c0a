/** Every published vector of our suite over the reference primitives; `host/crypto.test.ts` runs them over libsodium. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runNoiseVectors } from '../../../../scripts/vectors/noise-vectors.ts';
import { nobleCrypto } from '../noble-crypto.ts';
import { basePatternNames, parseProtocolName } from './index.ts';

const path = new URL('../../../../test-vectors/noise-25519-chachapoly-sha256.json', import.meta.url);
const file: unknown = JSON.parse(readFileSync(path, 'utf8'));

const outcomes = runNoiseVectors(file, nobleCrypto);

describe('the cacophony vectors', () => {
  it('are the 59 vectors of the suite', () => {
    expect(outcomes).toHaveLength(59);
  });

  it.each(outcomes)('$name agrees in every message, the handshake hash and the transport', ({ outcome }) => {
    expect(outcome).toEqual({ kind: 'passed' });
  });
});

it('every base pattern of the table is proven by a vector', () => {
  const proven = new Set(outcomes.map(({ name }) => {
    const parsed = parseProtocolName(name);
    return parsed.supported ? parsed.pattern.name.replace(/psk.*/, '') : '';
  }));
  expect(basePatternNames.filter((name) => !proven.has(name))).toEqual([]);
});
