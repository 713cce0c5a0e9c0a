/** Handshakes per second at a relay: the responder's own work, datagrams handed over in memory. Sockets are not in it, both sides' noise is left out. */
import { createSessions } from '../src/main/engine/session/sessions.ts';
import { crypto, newPerson, random, type Person } from './endpoint.ts';
import type { Sessions } from '../src/main/engine/session/types.ts';
import type { Figure } from './run.ts';

const handshakes = 1_500;
const strangers = 300;
const relayAddress = { host: '127.0.0.1', port: 1 };

function sessionsOf(person: Person, listening: boolean): Sessions {
  return createSessions({
    crypto, random, staticKeys: person.staticKeys, certificate: person.certificate.bytes, capabilities: [], bootId: random(8), resetSecret: random(32), listening,
    limits: { sessions: 100_000, pendingHandshakes: 50_000, cookieThresholdPerSecond: 1_000_000, certificateChecksPerSecond: 1_000_000 },
  });
}

/** Dials and returns the milliseconds that the relay itself worked. Every dialer has an address and a device of its own. */
function measure(relay: Sessions, relayPerson: Person, people: readonly Person[], anonymous: boolean): number {
  let spentMs = 0;
  let clockMs = 0;
  people.forEach((person, index) => {
    clockMs += 2;
    const now = { monotonicMs: clockMs, wallMs: Date.now() };
    const from = { host: '127.0.0.1', port: 10_000 + index };
    const dialer = sessionsOf(person, false);
    dialer.dial({ address: relayAddress, identity: relayPerson.publicKey, remoteStatic: relayPerson.staticKeys.publicKey, anonymous }, now);
    for (let round = 0; round < 6; round += 1) {
      const toRelay: Uint8Array[] = [];
      for (let output = dialer.pollOutput(); output !== undefined; output = dialer.pollOutput()) if (output.kind === 'transmit') toRelay.push(output.datagram);
      const answers: Uint8Array[] = [];
      const startMs = performance.now();
      for (const datagram of toRelay) relay.handleDatagram(from, datagram, now);
      for (let output = relay.pollOutput(); output !== undefined; output = relay.pollOutput()) if (output.kind === 'transmit') answers.push(output.datagram);
      spentMs += performance.now() - startMs;
      for (const datagram of answers) dialer.handleDatagram(relayAddress, datagram, now);
    }
  });
  return spentMs;
}

export function handshakeRates(): Promise<readonly Figure[]> {
  const relayPerson = newPerson();
  const relay = sessionsOf(relayPerson, true);
  const newcomers = Array.from({ length: strangers }, newPerson);
  const strangersMs = measure(relay, relayPerson, newcomers, false);
  const again = Array.from({ length: handshakes }, (_, index) => newcomers[index % strangers] ?? relayPerson);
  const knownMs = measure(relay, relayPerson, again, false);
  const anonymousMs = measure(relay, relayPerson, again, true);
  if (relay.establishedCount < strangers) throw new Error('the handshakes did not end in sessions');
  const rate = (count: number, ms: number): number => count / (ms / 1000);
  return Promise.resolve([
    { name: 'handshakes at a relay, certificate seen before', value: rate(handshakes, knownMs), unit: 'handshakes/s', aim: '1000 or more' },
    { name: 'handshakes at a relay, strangers with a certificate', value: rate(strangers, strangersMs), unit: 'handshakes/s', aim: '300 or more' },
    { name: 'handshakes at a relay, anonymous depositors', value: rate(handshakes, anonymousMs), unit: 'handshakes/s', aim: '300 or more' },
  ]);
}
