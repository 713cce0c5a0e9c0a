import { describe, expect, it } from 'vitest';
import { beyondMatrix, kindBehaviours, natMatrix, type MatrixKind } from '../../../../e2e/natlab/nat-matrix.ts';
import type { Dependence } from '../../../../e2e/natlab/translator/policy.ts';
import type { Filtering, Mapping } from '../../../shared/network-report.ts';
import { runCheck, usualPlace, usualRouter } from './check-testing.ts';
import { estimateFamily, estimatePair, planGuess, shortReport, type PathTraits, type ShortReport } from './pairing.ts';
import { birthdayChance, predictionOf } from './prediction.ts';

const words: Readonly<Record<Dependence, 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'>> = { independent: 'endpoint-independent', address: 'address-dependent', port: 'address-and-port-dependent' };
const traits = (kind: MatrixKind, change: Partial<PathTraits> = {}): PathTraits => ({ mapping: words[kindBehaviours[kind].mapping], filtering: words[kindBehaviours[kind].filtering], allocation: { kind: 'random' }, udpBlocked: false, onePublicHost: true, ...change });
const short = (ipv4: PathTraits | undefined, ipv6?: PathTraits): ShortReport => ({ ipv4, ipv6 });
const mappings: readonly (Mapping | undefined)[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent', undefined];
const filterings: readonly (Filtering | undefined)[] = ['none', 'endpoint-independent', 'address-dependent', 'address-and-port-dependent', undefined];

describe('the estimate of a pair', () => {
  it.each(natMatrix)('agrees with the matrix: $left with $right', ({ left, right, best, listener }) => {
    const estimate = estimateFamily(traits(left), traits(right));
    expect(estimate.way).toEqual({ state: 'known', value: best, samples: 2 });
    expect(estimate.listener).toBe(listener === undefined ? undefined : listener === 'left' ? 'own' : 'other');
    expect(estimate.prediction === undefined).toBe(best !== 'prediction');
    const mirrored = estimateFamily(traits(right), traits(left));
    expect(mirrored.way).toEqual(estimate.way);
    expect(mirrored.listener).toBe(listener === undefined ? undefined : listener === 'left' ? 'other' : 'own');
  });
  it('agrees with what checks find out of both sides', () => {
    const kinds = Object.keys(kindBehaviours).filter((kind): kind is MatrixKind => kind in kindBehaviours);
    const reports = new Map(kinds.map((kind, seed) => [kind, shortReport(runCheck({ ...usualPlace, seed, routers: [{ ...usualRouter, allocation: 'random', mapping: words[kindBehaviours[kind].mapping], filtering: words[kindBehaviours[kind].filtering] }] }).report)]));
    for (const { left, right, best } of natMatrix) expect(estimatePair(reports.get(left) ?? short(undefined), reports.get(right) ?? short(undefined)), `${left} ${right}`).toMatchObject({ way: { value: best }, family: 'ipv4' });
  });
  it('takes the relay where UDP is blocked, and a mapped port, a public address and an IPv6 firewall for what they come down to', () => {
    for (const { left, right } of natMatrix) expect(estimateFamily(traits(left, { udpBlocked: true }), traits(right)).way).toMatchObject({ value: beyondMatrix.udpBlocked });
    const mapped = shortReport(runCheck({ ...usualPlace, portControl: 'mapped', routers: [{ ...usualRouter, mapping: 'address-and-port-dependent' }] }).report).ipv4;
    expect(mapped).toMatchObject({ mapping: words[kindBehaviours[beyondMatrix.portMapped].mapping], filtering: words[kindBehaviours[beyondMatrix.portMapped].filtering] });
    const open = traits('eim-eif', { mapping: 'none', filtering: 'none' });
    const firewall = traits(beyondMatrix.ipv6Firewall, { mapping: 'none' });
    for (const { left, right } of natMatrix) {
      expect(estimateFamily(open, traits(right)).way).toEqual(estimateFamily(traits('eim-eif'), traits(right)).way);
      expect(estimateFamily(firewall, traits(left)).way).toEqual(estimateFamily(traits('eim-apdf'), traits(left)).way);
    }
  });
  it('does not count a port that was opened by a router below another one', () => {
    const doubled = runCheck({ ...usualPlace, portControl: 'mapped', routers: [{ ...usualRouter, outerHosts: ['100.64.7.2'] }, { ...usualRouter, filtering: 'address-dependent' }] }).report;
    expect(doubled.candidates.some(({ kind }) => kind === 'mapped')).toBe(false);
    expect(shortReport(doubled).ipv4).toMatchObject({ filtering: 'address-and-port-dependent' });
  });
  it('knows a way only where everything that was not checked leads to it', () => {
    for (const mapping of mappings) for (const filtering of filterings) {
      for (const { left } of natMatrix) {
        const estimate = estimateFamily(traits(left), traits('eim-eif', { mapping, filtering }));
        if (estimate.way.state === 'not-checked') { expect(mapping === undefined || filtering === undefined).toBe(true); continue; }
        for (const each of mapping === undefined ? mappings : [mapping]) for (const filter of filtering === undefined ? filterings : [filtering]) {
          if (each !== undefined && filter !== undefined) expect(estimateFamily(traits(left), traits('eim-eif', { mapping: each, filtering: filter })).way).toEqual(estimate.way);
        }
      }
    }
    expect(estimateFamily(traits('eim-eif'), traits('edm-apdf', { mapping: undefined, filtering: undefined })).way).toMatchObject({ value: 'plain' });
    expect(estimateFamily(traits('eim-apdf'), traits('edm-apdf', { mapping: undefined })).way.state).toBe('not-checked');
    expect(estimateFamily(traits('eim-eif', { udpBlocked: undefined }), traits('eim-eif')).way.state).toBe('not-checked');
  });
  it('takes the better address family, and waits for one that was not checked unless the other is the best already', () => {
    const hard = traits('edm-apdf');
    const firewall = traits('eim-apdf', { mapping: 'none' });
    expect(estimatePair(short(hard, firewall), short(hard, firewall))).toMatchObject({ way: { value: 'plain' }, family: 'ipv6' });
    expect(estimatePair(short(hard, firewall), short(hard))).toMatchObject({ way: { value: 'relay' }, family: 'ipv4' });
    expect(estimatePair(short(hard, { ...firewall, udpBlocked: undefined }), short(hard, firewall)).way.state).toBe('not-checked');
    expect(estimatePair(short(traits('eim-eif'), { ...firewall, udpBlocked: undefined }), short(hard, firewall))).toMatchObject({ way: { value: 'plain' }, family: 'ipv4' });
    expect(estimatePair(short(hard), short(undefined, firewall)).way).toEqual({ state: 'not-checked', reason: 'no-address' });
  });
  it('promises nothing where the outer address changes as well, unless the other side is open', () => {
    const changing = traits('edm-apdf', { onePublicHost: false });
    expect(estimateFamily(changing, traits('eim-adf')).way.state).toBe('not-checked');
    expect(estimateFamily(traits('eim-eif'), changing).way).toMatchObject({ value: 'plain' });
  });
});

describe('the plan of a guess, after punching in vain', () => {
  const kinds = Object.keys(kindBehaviours).filter((kind): kind is MatrixKind => kind in kindBehaviours);
  it('is made for the cells of prediction alone, and both sides make the same', () => {
    for (const { left, right, best } of natMatrix) for (const [asker, answerer] of [[left, right], [right, left]] as const) {
      const plan = planGuess(traits(asker), traits(answerer));
      if (best !== 'prediction') { expect(plan, `${asker} ${answerer}`).toBe(best === 'relay' ? 'hard' : 'unknown'); continue; }
      expect(plan).toMatchObject({ sockets: 256, probes: 1_024 });
      if (typeof plan === 'string') continue;
      // Nobody opens whose router is easy.
      expect((plan.opener === 'own' ? asker : answerer).startsWith('eim')).toBe(false);
    }
  });
  it('takes what is not known of a filter for the one that stood in the way, and never for two hard sides', () => {
    expect(planGuess(traits('eim-apdf', { filtering: undefined }), traits('edm-apdf'))).toMatchObject({ opener: 'other' });
    expect(planGuess(traits('edm-apdf'), traits('eim-apdf', { filtering: undefined }))).toMatchObject({ opener: 'own' });
    expect(planGuess(traits('edm-apdf', { filtering: undefined }), traits('edm-apdf'))).toBe('hard');
    for (const kind of kinds) expect(planGuess(traits(kind), traits('edm-apdf', { mapping: undefined }))).toBe('unknown');
    for (const kind of kinds) expect(planGuess(traits(kind), traits('edm-apdf', { onePublicHost: false }))).toBe('unknown');
    for (const kind of kinds) expect(planGuess(traits(kind), traits('edm-apdf', { udpBlocked: true }))).toBe('unknown');
  });
});

describe('the prediction of ports', () => {
  it('has the chances of the notes', () => {
    const table: readonly (readonly [number, number, number])[] = [[256, 128, 0.40], [256, 256, 0.64], [128, 1_024, 0.87], [256, 512, 0.87], [256, 1_024, 0.983], [256, 1_750, 0.999]];
    for (const [sockets, probes, chance] of table) expect(birthdayChance(64_512, sockets, probes)).toBeCloseTo(chance, chance > 0.9 ? 3 : 2);
    expect(predictionOf({ kind: 'random' })).toMatchObject({ sockets: 256, probes: 1_024 });
    expect(birthdayChance(10, 5, 10)).toBe(1);
  });
  it('searches a pattern rather than everything, opened by the side that has it', () => {
    expect(predictionOf({ kind: 'sequential', delta: 2 })).toEqual({ sockets: 64, probes: 512, chance: undefined });
    const block = predictionOf({ kind: 'block', first: 5_000, count: 200 });
    expect(block.sockets).toBe(50);
    expect(block.chance).toBeGreaterThan(0.99);
    const own = traits('adm-adf');
    expect(estimateFamily(own, traits('adm-adf', { allocation: { kind: 'sequential', delta: 1 } })).prediction).toMatchObject({ opener: 'other', probes: 512 });
    expect(estimateFamily(traits('eim-apdf'), traits('edm-apdf')).prediction).toMatchObject({ opener: 'other', sockets: 256 });
  });
});
