/** Memory of an idle session at a relay: heap and buffers of the responder over 10,000 sessions; the dialers are thrown away. */
import { createSessions } from '../src/main/engine/session/sessions.ts';
import { crypto, newPerson, random } from './endpoint.ts';
import type { Figure } from './run.ts';

const sessionCount = 10_000;

function usedBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}

export function sessionMemory(): Promise<readonly Figure[]> {
  if (globalThis.gc === undefined) throw new Error('start with --expose-gc');
  const relayPerson = newPerson();
  const limits = { sessions: 100_000, pendingHandshakes: 50_000, cookieThresholdPerSecond: 1_000_000, certificateChecksPerSecond: 1_000_000 };
  const configuration = { crypto, random, capabilities: [], bootId: random(8), resetSecret: random(32), limits };
  const relay = createSessions({ ...configuration, staticKeys: relayPerson.staticKeys, certificate: relayPerson.certificate.bytes, listening: true });
  const before = usedBytes();
  const now = { monotonicMs: 1, wallMs: Date.now() };
  const visor = newPerson();
  for (let index = 0; index < sessionCount; index += 1) {
    // A device of its own each time, known by one certificate: anonymous dialers draw their static keys.
    const from = { host: '127.0.0.1', port: 1_024 + index };
    const dialer = createSessions({ ...configuration, staticKeys: visor.staticKeys, certificate: visor.certificate.bytes, listening: false });
    dialer.dial({ address: { host: '127.0.0.1', port: 1 }, identity: relayPerson.publicKey, remoteStatic: relayPerson.staticKeys.publicKey, anonymous: true }, now);
    for (let round = 0; round < 4; round += 1) {
      for (let output = dialer.pollOutput(); output !== undefined; output = dialer.pollOutput()) if (output.kind === 'transmit') relay.handleDatagram(from, output.datagram, now);
      for (let output = relay.pollOutput(); output !== undefined; output = relay.pollOutput()) if (output.kind === 'transmit') dialer.handleDatagram({ host: '127.0.0.1', port: 1 }, output.datagram, now);
    }
  }
  relay.handleTimeout({ monotonicMs: 12_000, wallMs: now.wallMs });
  if (relay.establishedCount !== sessionCount) throw new Error(`only ${String(relay.establishedCount)} sessions stand`);
  const bytes = (usedBytes() - before) / sessionCount;
  return Promise.resolve([{ name: 'memory per idle session at a relay (10,000)', value: bytes / 1024, unit: 'KiB', aim: 'under 8' }]);
}
