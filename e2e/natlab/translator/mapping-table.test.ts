/** What a mapping promises, whatever the policy. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MappingTable, textOf, type Endpoint } from './mapping-table.ts';
import { PortAllocator, portFirst } from './port-allocator.ts';
import { dependences, refreshes, type Allocation, type TranslatorPolicy } from './policy.ts';

const endpoint = (network: string): fc.Arbitrary<Endpoint> => fc.record({ address: fc.integer({ min: 1, max: 3 }).map((last) => `${network}.${last}`), port: fc.integer({ min: 2_000, max: 2_004 }) });
const allocations: readonly Allocation[] = [{ kind: 'random' }, { kind: 'preserve' }, { kind: 'sequential', deltaPorts: 5 }, { kind: 'block', blockPorts: 64 }];
const policies: fc.Arbitrary<TranslatorPolicy> = fc.record({
  mapping: fc.constantFrom(...dependences), filtering: fc.constantFrom(...dependences), allocation: fc.constantFrom(...allocations), refresh: fc.constantFrom(...refreshes),
  lifetimeSeconds: fc.constant(60), hairpin: fc.constant(false), portControl: fc.constant('off' as const), grantMaximumSeconds: fc.constant(600),
});

function counted(): () => number {
  let state = 1;
  return () => { state = (state * 16_807) % 2_147_483_647; return state / 2_147_483_647; };
}

test('a port stands for one inside endpoint, and answers from where it was used towards come back to it', () => {
  fc.assert(fc.property(policies, fc.array(fc.tuple(endpoint('10.0.0'), endpoint('198.51.100')), { maxLength: 40 }), (policy, sent) => {
    const table = new MappingTable(policy, new PortAllocator(policy.allocation, counted()), new Set());
    const owners = new Map<number, string>();
    for (const [inside, remote] of sent) {
      const port = table.outbound(inside, remote, 0) ?? 0;
      expect(port).toBeGreaterThanOrEqual(portFirst);
      expect(owners.get(port) ?? textOf(inside)).toBe(textOf(inside));
      owners.set(port, textOf(inside));
      expect(table.inbound(port, remote, 59_000)).toEqual(inside);
    }
  }));
});

test('an idle mapping lets nobody in any more, and its port is free again', () => {
  fc.assert(fc.property(policies, endpoint('10.0.0'), endpoint('198.51.100'), (policy, inside, remote) => {
    const table = new MappingTable(policy, new PortAllocator(policy.allocation, counted()), new Set());
    const port = table.outbound(inside, remote, 0) ?? 0;
    expect(table.inbound(port, remote, 60_000)).toBeUndefined();
    expect(table.ports.size).toBe(0);
  }));
});
