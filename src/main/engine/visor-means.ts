/** What a visor has of the engine around it beside requests and stores: what is known of its own addresses, the local network, and sockets for guesses. */
import type { EngineOutput } from './engine-types.ts';
import type { VisorMemory } from './mail/visor-memory.ts';
import type { LanOutputs } from './overlay/lan-environment.ts';
import { guessFactsOf, hostsOf, offeredOf } from './overlay/own-candidates.ts';
import type { GuessEnvironment } from './overlay/path-guessing.ts';
import type { OwnCandidates } from './overlay/path-upgrade.ts';
import { inboundOf } from './path/inbound.ts';
import type { PathRole } from './path/path-role.ts';

export interface MeansEnvironment {
  readonly memory: VisorMemory;
  /** Not asked before the engine stands. */
  readonly paths: () => PathRole;
  readonly isSparing: () => boolean;
  readonly isInLan: boolean;
  readonly output: (output: EngineOutput) => void;
}

export interface VisorMeans {
  readonly candidates: OwnCandidates;
  /** Undefined: nobody is looked for in local networks. */
  readonly lan: LanOutputs | undefined;
  readonly guess: GuessEnvironment;
}

export function visorMeans({ memory, paths, isSparing, isInLan, output }: MeansEnvironment): VisorMeans {
  const report = () => paths().lastCheck?.report;
  return {
    candidates: {
      isHidden: () => memory.settings.hideAddress, offered: () => offeredOf(report()), hosts: () => hostsOf(report()), inbound: () => inboundOf(report()), isSparing,
      refresh: (now, isOutdated) => { if (isOutdated) paths().runAnew(now); else paths().run(now, () => undefined); },
    },
    lan: isInLan ? {
      announce: (fromHost, datagram) => { output({ kind: 'announce', fromHost, datagram }); },
      transmit: (to, datagram) => { output({ kind: 'transmit', to, datagram, via: 'main' }); },
    } : undefined,
    guess: {
      isAllowed: () => memory.settings.guessPorts && !memory.settings.hideAddress && !memory.settings.metered,
      facts: () => guessFactsOf(report()),
      bind: (socket, firstHops) => { output({ kind: 'bind-guess', socket, firstHops }); },
      unbind: (socket) => { output({ kind: 'unbind', socket }); },
    },
  };
}
