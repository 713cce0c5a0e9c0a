import { describe, expect, it } from 'vitest';
import { relayAbilities } from '../../shared/relay-capabilities.ts';
import { capabilitiesOf } from './engine-capabilities.ts';
import type { EngineConfiguration } from './engine-types.ts';

describe('what a relay says that it can do', () => {
  it('has words for people, all of it', () => {
    const configuration = { relay: { registration: 'open' } } as unknown as EngineConfiguration;
    const said = capabilitiesOf({ configuration, secondPort: 7_401, tcpPort: 443 });
    const { version, heldFileBytes, unknownCount, words } = relayAbilities(said);
    expect([version, heldFileBytes !== undefined, unknownCount]).toEqual(['Waypost 1', true, 0]);
    expect(words).toHaveLength(11);
  });
});
