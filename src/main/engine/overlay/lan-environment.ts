/** What finding contacts in local networks (path/lan-discovery.ts) knows of the visor around it. */
import type { LanEnvironment } from '../path/lan-discovery.ts';
import { readUntrusted, untrustedKey, writeUntrusted, type LanNetwork } from '../path/lan-network.ts';
import type { LanContact } from '../path/lan-tags.ts';
import type { VisorContext } from '../visor-context.ts';
import type { Instant } from '../wire/types.ts';
import type { PeerLinks } from './peer-links.ts';
import type { Recipients } from './recipients.ts';

/** What goes out of the engine. */
export type LanOutputs = Pick<LanEnvironment, 'announce' | 'transmit'>;

export function lanEnvironment(context: VisorContext, recipients: Recipients, peers: () => PeerLinks, isRevoked: () => boolean, outputs: LanOutputs): LanEnvironment {
  const { crypto, random, memory } = context;
  const untrusted = remembered();
  return {
    ...outputs, crypto, random,
    ownKeys: () => context.device.staticKeys,
    *contacts(): Iterable<LanContact> {
      for (const { publicKey, standing } of memory.contacts.values()) {
        const deviceKey = standing === 'contact' ? recipients.known(publicKey)?.device.x25519 : undefined;
        if (deviceKey !== undefined) yield { publicKey, deviceKey };
      }
    },
    isWanted: () => memory.settings.lanDiscovery && !memory.settings.hideAddress && !isRevoked(),
    untrusted: () => untrusted(memory.values.get(untrustedKey)),
    isNear: (publicKey, now) => peers().isNear(publicKey, now),
    found: (publicKey, address, isNew, now) => { peers().found(publicKey, address, isNew, now); },
    wallMs: (now) => context.correctedWallMs(now),
    count: (counter) => { context.count(counter); },
  };
}

/** Marks the networks that the machine is in now. */
export function trustNetworks(context: VisorContext, current: readonly LanNetwork[], isTrusted: boolean, done: (now: Instant) => void): void {
  const value = writeUntrusted(readUntrusted(context.memory.values.get(untrustedKey)), current, isTrusted);
  context.commit([{ kind: 'put-value', key: untrustedKey, value }], { done: (_applied, at) => { done(at); } });
}

/** Asked for with every datagram, and parsed when it is another text. */
function remembered(): (text: string | undefined) => readonly LanNetwork[] {
  let text: string | undefined;
  let networks: readonly LanNetwork[] = [];
  return (next) => {
    if (next !== text) {
      text = next;
      networks = readUntrusted(next);
    }
    return networks;
  };
}
