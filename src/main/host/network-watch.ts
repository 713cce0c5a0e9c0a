/**
 * Notices that the network is another one: an interface or address came or went, or the machine slept. Node offers no event for either,
 * so it looks every two seconds; the list of interfaces costs some tens of microseconds.
 */
import { networkInterfaces } from 'node:os';
import { JumpDetector, type Clock } from './clock.ts';

const pollMs = 2_000;

/** The addresses of this machine that packets may leave from, in a form that can be compared. */
export function describeInterfaces(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string {
  const entries: string[] = [];
  for (const [name, addresses] of Object.entries(interfaces)) {
    for (const address of addresses ?? []) {
      if (!address.internal) entries.push(`${name} ${address.cidr ?? address.address}`);
    }
  }
  return entries.sort().join('\n');
}

/**
 * Tells this network from others: the networks that this machine has addresses in, by what they have in common with other machines there. Two that are numbered alike are taken for one,
 * which costs a connection attempt too many, or a third of a second.
 */
export function networkKey(interfaces: () => ReturnType<typeof networkInterfaces> = networkInterfaces): string {
  try {
    const networks = Object.entries(interfaces()).flatMap(([name, addresses]) => (addresses ?? []).flatMap(({ internal, address, family }) => (internal ? [] : [`${name} ${networkOf(address, family)}`])));
    return [...new Set(networks)].sort().join(', ');
  } catch {
    return '';
  }
}

/** Of IPv4 the first three bytes; of IPv6, where addresses change by the day, the first four groups. */
const networkOf = (address: string, family: string): string => (family === 'IPv6' ? address.split(':').slice(0, 4).join(':') : address.split('.').slice(0, 3).join('.'));

function readInterfaces(): string {
  try {
    return describeInterfaces();
  } catch {
    // Some sandboxes forbid looking; sleep is still noticed.
    return '';
  }
}

export interface NetworkWatch {
  stop(): void;
}

/** Calls `changed` with the reason until stopped. */
export function watchNetwork(clock: Clock, changed: (reason: 'interfaces' | 'woke') => void): NetworkWatch {
  const jumps = new JumpDetector(clock.now());
  let known = readInterfaces();
  const timer = setInterval(() => {
    const woke = jumps.observe(clock.now());
    const current = readInterfaces();
    const differs = current !== known;
    known = current;
    if (woke) changed('woke');
    else if (differs) changed('interfaces');
  }, pollMs);
  return { stop: () => { clearInterval(timer); } };
}
