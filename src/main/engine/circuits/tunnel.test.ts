import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datagramMaximumBytes, transportOverheadBytes } from '../wire/frame.ts';
import { circuitAddress, circuitOf, isCircuitAddress, isTunnelFrame, tunnelHeaderBytes, tunnelled, tunnelledMaximumBytes, writeTunnelFrame } from './tunnel.ts';

const circuit = fc.integer({ min: 0, max: 0xffff_ffff });

describe('tunnels', () => {
  it('carry a datagram and the number of its circuit', () => {
    fc.assert(fc.property(circuit, fc.uint8Array({ maxLength: tunnelledMaximumBytes }), (number, datagram) => {
      const frame = writeTunnelFrame((sizeBytes) => new Uint8Array(sizeBytes).fill(0xff), number, datagram);
      expect([isTunnelFrame(frame), circuitOf(frame), tunnelled(frame)]).toEqual([true, number, datagram]);
    }));
  });
  it('fit a datagram together with the session around them', () => {
    expect(transportOverheadBytes + tunnelHeaderBytes + tunnelledMaximumBytes).toBe(datagramMaximumBytes);
  });
  it('have addresses that differ between sessions and between circuits', () => {
    fc.assert(fc.property(fc.nat(), circuit, fc.nat(), circuit, (sessionId, number, otherId, other) => {
      const [one, two] = [circuitAddress(sessionId, number), circuitAddress(otherId, other)];
      expect([isCircuitAddress(one), one.host === two.host]).toEqual([true, sessionId === otherId && number === other]);
    }));
  });
  it.each(['127.0.0.1', '::1', 'relay.example', ''])('%j is the address of no circuit', (host) => {
    expect(isCircuitAddress({ host, port: 1 })).toBe(false);
  });
});
