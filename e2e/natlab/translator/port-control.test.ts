/** Requests of any shape are answered as the standards say or not at all. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MappingTable } from './mapping-table.ts';
import { PortAllocator } from './port-allocator.ts';
import { answerPortControl } from './port-control.ts';
import { portControls, type TranslatorPolicy } from './policy.ts';
import type { Asked } from './port-control-request.ts';

const policy: TranslatorPolicy = {
  mapping: 'independent', filtering: 'port', allocation: { kind: 'random' }, lifetimeSeconds: 60, refresh: 'both', hairpin: false, portControl: 'both', grantMaximumSeconds: 600,
};
const from = '10.0.0.2';

function asked(): Asked {
  const table = new MappingTable(policy, new PortAllocator(policy.allocation, () => 0.5), new Set());
  return { table, publicAddress: '198.18.0.1', from, nowMs: 0, epochSeconds: 7, grantMaximumSeconds: policy.grantMaximumSeconds };
}

test('no request throws, no answer is answered, and every answer says that it is one', () => {
  const version = fc.constantFrom(0, 1, 2, 3);
  const operation = fc.constantFrom(0, 1, 2, 3, 0x80, 0x81);
  fc.assert(fc.property(version, operation, fc.uint8Array({ maxLength: 1_200 }), fc.constantFrom(...portControls), (first, second, rest, offered) => {
    const answer = answerPortControl(Uint8Array.of(first, second, ...rest), offered, asked());
    if (offered === 'off' || second >= 0x80) expect(answer).toBeUndefined();
    else if (answer !== undefined) expect((answer[1] ?? 0) & 0x80).toBe(0x80);
  }));
});

test('a request of PCP that is cut short or carries half an option is malformed', () => {
  const request = new Uint8Array(64);
  request.set([2, 1]);
  request.set([0xff, 0xff, 10, 0, 0, 2], 18);
  request.set([17], 36);
  request.set([0, 80], 40);
  request.set([0, 0, 1, 0], 4);
  const resultOf = (bytes: Uint8Array): number | undefined => answerPortControl(bytes, 'both', asked())?.[3];
  expect(resultOf(request.subarray(0, 60))).toBe(0);
  expect(resultOf(request.subarray(0, 56))).toBe(3);
  request.set([200, 0, 0, 9], 60);
  expect(resultOf(request)).toBe(6);
});
