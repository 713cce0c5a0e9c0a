/** The `relays`, `peers` and `network` groups of the contract: which relays are used, who is connected, and trying again. */
import type { Handlers } from '../../../shared/contract.ts';
import { WaypostError } from '../../../shared/errors.ts';
import type { LanView } from '../../../shared/views.ts';
import type { LanStatus } from '../../engine/inspection-types.ts';
import { parseRelayHint } from '../../engine/wire/relay-hint.ts';
import type { RelayHint } from '../../engine/wire/types.ts';
import type { ApiContext } from './api-context.ts';
import { presentNetwork } from './presenter.ts';
import { presentPeer, presentSoughtPeer } from './present-peer.ts';

/** @throws WaypostError `bad-relay` */
export function requireRelayHint(text: string): RelayHint {
  const hint = parseRelayHint(text);
  if (hint === undefined) throw new WaypostError('bad-relay', 'This is not the link of a relay. It looks like key@host:port, with a key of 66 hexadecimal digits.');
  return hint;
}

export function createRelayHandlers(context: ApiContext): Handlers['relays'] {
  return {
    async add({ hint }) {
      await context.command({ name: 'add-relay', hint: requireRelayHint(hint), role: 'own' });
      return undefined;
    },
    async remove({ publicKey }) {
      await context.command({ name: 'remove-relay', publicKey });
      return undefined;
    },
    async choose({ publicKey, choice }) {
      await context.command({ name: 'choose-relay', publicKey, choice });
      return undefined;
    },
    async order({ publicKeys, others = 'after' }) {
      await context.command({ name: 'order-relays', publicKeys, others });
      return undefined;
    },
    test: ({ publicKey }) => context.command({ name: 'test-relay', publicKey }),
  };
}

export function createPeerHandlers(context: ApiContext): Handlers['peers'] {
  return {
    list() {
      const inspect = context.inspect();
      return Promise.resolve({ peers: [...inspect.peers.map((peer) => presentPeer(peer, inspect)), ...inspect.soughtPeers.map((peer) => presentSoughtPeer(peer, inspect))] });
    },
    async reach({ publicKey }) {
      await context.command({ name: 'reach', publicKey });
      return undefined;
    },
  };
}

const presentLan = (lan: LanStatus | undefined): LanView => ({ state: lan?.state ?? 'not-here', foundContacts: lan?.foundContacts ?? 0 });

export function createNetworkHandlers(context: ApiContext, networkChanged: () => void): Handlers['network'] {
  return {
    async retryNow() {
      networkChanged();
      await context.command({ name: 'retry-all' });
      return undefined;
    },
    check: async () => presentNetwork(await context.command({ name: 'check-network' })),
    lan: () => Promise.resolve(presentLan(context.inspect().lan)),
    async trust({ trusted }) {
      await context.command({ name: 'trust-network', isTrusted: trusted });
      return presentLan(context.inspect().lan);
    },
  };
}
