/** The systems by name, loaded only in the processes that use them. */
import type { Traverser } from './traverser.ts';

export interface TraverserEntry {
  /** The package in bench/peers/node_modules without which it cannot be loaded, and those whose versions belong to its figures; none for what is here. */
  readonly packages: readonly string[];
  /** How long a connection may take to become direct, where no port has to be guessed and where one has to. */
  readonly withinMs: { readonly plain: number; readonly guessing: number };
  readonly load: () => Promise<Traverser>;
}

/** A dial of its own and three attempts, 5 s each, are what DCUtR takes at most; ICE gives up earlier. Neither guesses ports. */
const libp2pWithinMs = { plain: 20_000, guessing: 20_000 };
/** 1,750 probes, one in 20 ms, and what goes before. */
const birthdayWithinMs = 45_000;

const libp2pPackages = ['libp2p', '@libp2p/circuit-relay-v2', '@libp2p/dcutr', '@libp2p/identify', '@libp2p/autonat'];

async function libp2p(name: 'libp2pQuic' | 'libp2pTcp' | 'libp2pWebrtc'): Promise<Traverser> {
  // Before any module of libp2p.
  await import('../peers/traversal/public-network.ts');
  return (await import('../peers/traversal/libp2p.ts'))[name];
}

/** An attempt takes 5 s, and the next begins 5 s later. */
const waypostWithinMs = { plain: 20_000, guessing: 20_000 };

export const traversers: Readonly<Record<string, TraverserEntry>> = {
  'waypost': { packages: [], withinMs: waypostWithinMs, load: async () => (await import('./waypost.ts')).waypost },
  'hyperdht': {
    packages: ['hyperdht', 'udx-native'], withinMs: { plain: 20_000, guessing: birthdayWithinMs },
    load: async () => (await import('../peers/traversal/hyperdht.ts')).hyperdht,
  },
  'libp2p-quic': { packages: [...libp2pPackages, '@chainsafe/libp2p-quic'], withinMs: libp2pWithinMs, load: () => libp2p('libp2pQuic') },
  'libp2p-tcp': { packages: [...libp2pPackages, '@libp2p/tcp'], withinMs: libp2pWithinMs, load: () => libp2p('libp2pTcp') },
  'libp2p-webrtc': { packages: [...libp2pPackages, '@libp2p/webrtc', 'node-datachannel'], withinMs: libp2pWithinMs, load: () => libp2p('libp2pWebrtc') },
};
