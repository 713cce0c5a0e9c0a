/**
 * Datagrams of the kinds that stand outside of sessions: probes of tickets that the relay gave, also used up, shown by others and damaged; requests in
 * another relay's name, with true and with made-up permission; answers that nobody waits for; and shapes with nothing behind them.
 */
import type { SeededRandom } from '../../sim/random.ts';
import type { Crypto } from '../../src/main/engine/crypto.ts';
import { encodeAnswer, encodePassedAnswer, encodeProbe, encodeRequestTo, permit, probeBytes, probesMaximum, sealSight, type ProbeName } from '../../src/main/engine/path/observe-codec.ts';
import type { Ticket } from '../../src/main/engine/path/ticket.ts';
import type { SocketAddress } from '../../src/main/engine/wire/types.ts';
import { mutate, mutationKinds } from './mutations.ts';

/** Of what is made from a ticket: left as it is. */
const genuineShare = 0.5;
const types = [7, 8, 9] as const;
/** Where a relay should send nothing, and where it may: it listens on loopback, from where the kernel lets nothing out of the machine. */
const targets = ['127.0.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '10.0.0.1', '192.0.2.1', '::1', 'ff02::1', '2001:db8::1'] as const;

function madeOf(random: SeededRandom, crypto: Crypto, tickets: readonly Ticket[], relayPort: number): Uint8Array | undefined {
  const [ticket, other] = [random.pick(tickets), random.pick(tickets)];
  if (ticket === undefined || other === undefined) return undefined;
  const nameOf = (of: Ticket): ProbeName => ({ ticket: of.id, number: random.integer(1, probesMaximum) });
  const [name, otherName] = [nameOf(ticket), nameOf(other)];
  const host = random.pick(targets) ?? '127.0.0.1';
  // On this machine to nobody else than the relay itself.
  const target: SocketAddress = { host, port: host === '127.0.0.1' || host === '::1' || random.chance(0.5) ? relayPort : random.integer(1, 65_535) };
  const permission = random.chance(0.8) ? permit(crypto, other.key, otherName, name) : random.bytes(16);
  switch (random.pick(types)) {
    case 7:
      if (random.chance(0.4)) return encodeProbe(crypto, ticket.key, name, 'other-relay', { address: target, name: otherName, permission });
      return encodeProbe(crypto, ticket.key, name, random.chance(0.5) ? 'asked' : 'other-port', undefined);
    case 9: {
      const sight = sealSight(crypto, ticket.key, name, target);
      return sight === undefined ? undefined : encodeRequestTo({ name: otherName, permission }, target, sight);
    }
    default: {
      const sight = sealSight(crypto, ticket.key, name, target);
      if (sight === undefined) return undefined;
      return random.chance(0.5) ? encodeAnswer(sight) : encodePassedAnswer(crypto, other.key, otherName, sight);
    }
  }
}

/** At least one byte. */
export function hostileObserve(random: SeededRandom, crypto: Crypto, tickets: readonly Ticket[], relayPort: number): Uint8Array {
  const made = madeOf(random, crypto, tickets, relayPort);
  const plain = made ?? random.bytes(random.chance(0.5) ? probeBytes : random.integer(1, probeBytes));
  if (made === undefined) plain[0] = random.pick(types) ?? 7;
  if (random.chance(genuineShare)) return plain;
  const damaged = mutate(random, random.pick(mutationKinds) ?? 'flip', plain, random.bytes(probeBytes)).slice();
  // Damage to the type makes it another input, of which there are enough.
  if (damaged.length > 0 && !types.some((type) => type === damaged[0])) damaged[0] = random.pick(types) ?? 7;
  return damaged.length === 0 ? plain : damaged;
}
