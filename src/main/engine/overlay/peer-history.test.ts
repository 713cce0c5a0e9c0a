import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeerHistory, problemsKept, roundTripsKept, switchesKept } from './peer-history.ts';

const at = (wallMs: number) => ({ monotonicMs: wallMs, wallMs });
const relay = '02'.padEnd(66, 'a');
const circuit = { kind: 'relay', relay } as const;
const direct = { kind: 'direct', relay: undefined } as const;

describe('what is kept of the way to a contact', () => {
  it('is each round trip with the path it took, and where the path changed between them', () => {
    const history = new PeerHistory();
    history.uses(circuit, at(1));
    history.measured(60);
    history.measured(undefined);
    history.uses(direct, at(2));
    history.measured(20);
    expect(history.roundTrips).toEqual([{ kind: 'relay', roundTripMs: 60 }, { kind: 'relay', roundTripMs: undefined }, { kind: 'direct', roundTripMs: 20 }]);
    expect(history.switches).toEqual([{ atWallMs: 1, from: undefined, to: 'relay', relay, sample: 0 }, { atWallMs: 2, from: 'relay', to: 'direct', relay: undefined, sample: 2 }]);
  });

  it('has no place for a change that nothing was measured after yet', () => {
    const history = new PeerHistory();
    history.uses(circuit, at(1));
    expect(history.switches[0]?.sample).toBeUndefined();
  });

  it('passes over another address of the same kind, not over another relay', () => {
    const history = new PeerHistory();
    history.uses(direct, at(1));
    history.uses(direct, at(2));
    history.uses(circuit, at(3));
    history.uses({ kind: 'relay', relay: '03'.padEnd(66, 'b') }, at(4));
    expect(history.switches.map(({ atWallMs }) => atWallMs)).toEqual([1, 3, 4]);
  });

  it('calls a path punched from its beginning once that is known, and not what was before it', () => {
    const history = new PeerHistory();
    history.uses(circuit, at(1));
    history.learned('punched');
    history.measured(60);
    history.uses(direct, at(2));
    history.measured(20);
    history.learned('punched');
    history.measured(21);
    history.learned('direct');
    expect(history.roundTrips.map(({ kind }) => kind)).toEqual(['relay', 'punched', 'punched']);
    expect(history.switches.map(({ from, to }) => [from, to])).toEqual([[undefined, 'relay'], ['relay', 'punched']]);
    history.uses({ kind: 'punched', relay: undefined }, at(3));
    expect(history.switches).toHaveLength(2);
  });

  it('knows which round trips are those of a punched path when the first are forgotten', () => {
    const history = new PeerHistory();
    history.uses(circuit, at(1));
    for (let index = 0; index < roundTripsKept; index += 1) history.measured(60);
    history.uses(direct, at(2));
    for (let index = 0; index < 10; index += 1) history.measured(20);
    history.learned('punched');
    expect(history.roundTrips.filter(({ kind }) => kind === 'punched')).toEqual(Array.from({ length: 10 }, () => ({ kind: 'punched', roundTripMs: 20 })));
    expect(history.roundTrips).toHaveLength(roundTripsKept);
  });

  it('begins anew with the next session, and keeps what was before', () => {
    const history = new PeerHistory();
    history.uses(direct, at(1));
    history.measured(5);
    history.ended();
    history.measured(7);
    history.uses(direct, at(2));
    expect(history.roundTrips).toHaveLength(1);
    expect(history.switches.map(({ from }) => from)).toEqual([undefined, undefined]);
  });

  it('keeps the last failure of each address', () => {
    const history = new PeerHistory();
    const address = { host: '198.51.100.1', port: 9 };
    history.failed(direct, address, 'no-answer', at(1));
    history.failed(circuit, undefined, 'circuit-ended', at(2));
    history.failed(direct, address, 'no-answer', at(3));
    expect(history.problems.map(({ kind, atWallMs }) => [kind, atWallMs])).toEqual([['relay', 2], ['direct', 3]]);
  });

  it('is bounded whatever happens, and a change always points at a round trip that is there', () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.constant('measured' as const), fc.constant('lost' as const), fc.constant('direct' as const), fc.constant('circuit' as const), fc.nat(20)), { maxLength: 400 }), (events) => {
      const history = new PeerHistory();
      events.forEach((event, index) => {
        if (typeof event === 'number') history.failed(direct, { host: '198.51.100.1', port: event + 1 }, 'no-answer', at(index));
        else if (event === 'direct') history.uses(direct, at(index));
        else if (event === 'circuit') history.uses(circuit, at(index));
        else history.measured(event === 'lost' ? undefined : index);
      });
      expect(history.roundTrips.length).toBeLessThanOrEqual(roundTripsKept);
      expect(history.switches.length).toBeLessThanOrEqual(switchesKept);
      expect(history.problems.length).toBeLessThanOrEqual(problemsKept);
      for (const { sample, to } of history.switches) if (sample !== undefined) expect(history.roundTrips[sample]?.kind === to || history.switches.some((other) => other.sample === sample && other.to !== to)).toBe(true);
    }));
  });
});
