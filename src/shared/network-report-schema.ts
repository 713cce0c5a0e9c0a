/** The report on the network as it crosses the boundaries between processes: the shapes of `network-report.ts`, checked and bounded. */
import { z } from 'zod';
import { notCheckedReasons, type Candidate, type FamilyReport, type Known, type KnownBound, type NetworkReport, type PortAllocation } from './network-report.ts';

const textMaximum = 256;
const listMaximum = 64;
const text = z.string().max(textMaximum);
const port = z.number().int().min(1).max(65_535);
const milliseconds = z.number().nonnegative();

function known<Value>(value: z.ZodType<Value>): z.ZodType<Known<Value>> {
  return z.discriminatedUnion('state', [
    z.object({ state: z.literal('known'), value, samples: z.number().int().nonnegative() }),
    z.object({ state: z.literal('not-checked'), reason: z.enum(notCheckedReasons) }),
  ]);
}

function bound<Value>(value: z.ZodType<Value>): z.ZodType<KnownBound<Value>> {
  return z.union([known(value), z.object({ state: z.literal('at-least'), value, samples: z.number().int().nonnegative() })]);
}

const allocation: z.ZodType<PortAllocation> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('preserving') }),
  z.object({ kind: z.literal('sequential'), delta: z.number().int() }),
  z.object({ kind: z.literal('block'), first: port, count: z.number().int().positive() }),
  z.object({ kind: z.literal('random') }),
]);

const family: z.ZodType<FamilyReport> = z.object({
  udpBlocked: known(z.boolean()),
  mapping: known(z.enum(['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'])),
  filtering: known(z.enum(['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent'])),
  allocation: known(allocation),
  mappingLifetimeMs: bound(milliseconds),
  hairpin: known(z.boolean()),
  doubleNat: known(z.boolean()),
  publicHosts: known(z.array(text).max(listMaximum)),
  onePublicHost: known(z.boolean()),
  pathMtuBytes: bound(z.number().int().positive()),
});

const candidate: z.ZodType<Candidate> = z.object({ kind: z.enum(['host', 'mapped', 'reflexive']), family: z.enum(['ipv4', 'ipv6']), host: text, port, isPortSure: z.boolean() });

export const networkReportSchema: z.ZodType<NetworkReport> = z.object({
  families: z.object({ ipv4: family, ipv6: family }),
  ipv6Inbound: known(z.enum(['open', 'filtered'])),
  captivePortal: known(z.boolean()),
  portControl: known(z.enum(['pcp', 'nat-pmp', 'none', 'refused'])),
  relays: z.array(z.object({ relay: text, roundTripMs: known(milliseconds), pathMtuBytes: bound(z.number().int().positive()).optional() })).max(listMaximum),
  candidates: z.array(candidate).max(listMaximum),
  isComplete: z.boolean(),
});

export const checkedNetworkSchema = z.object({
  report: networkReportSchema,
  /** When the check ended, or, while one runs, what it has so far. */
  checkedAtMs: z.number().int().nonnegative(),
});
export type CheckedNetworkView = z.infer<typeof checkedNetworkSchema>;
